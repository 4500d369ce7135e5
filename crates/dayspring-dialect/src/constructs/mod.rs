//! The rows of the table. What each server does was run on MariaDB 10.11 and on MySQL 9.7.4; where 8.0 differs from 9.7, its
//! manual decides.

mod charset;
mod columns;
mod expressions;
mod functions;
mod missing;
mod names;
mod queries;
mod refused;
mod rows;
mod schema;
mod statements;
mod warned;

use crate::Construct;

/// In the order of the page: translated, warned of, refused.
pub(crate) static ALL: [&[Construct]; 12] = [
    statements::ROWS,
    rows::ROWS,
    charset::ROWS,
    schema::ROWS,
    functions::ROWS,
    expressions::ROWS,
    warned::ROWS,
    columns::ROWS,
    names::ROWS,
    queries::ROWS,
    refused::ROWS,
    missing::ROWS,
];

/// Whether a statement has the construct of this id is as expected.
#[cfg(test)]
#[track_caller]
fn check_found(id: &str, sql: &str, expected: bool) {
    let found = crate::read(sql).found;
    assert_eq!(
        found.iter().any(|found| found.construct.id == id),
        expected,
        "{sql}: {found:?}"
    );
}
