//! The rows of the table. What each server does was run on MariaDB 10.11; the side of Aurora is MySQL 8.0's manual.

mod functions;
mod refused;
mod schema;
mod statements;
mod warned;

use crate::Construct;

/// In the order of the page: translated, warned of, refused.
pub(crate) static ALL: [&[Construct]; 5] = [
    statements::ROWS,
    schema::ROWS,
    functions::ROWS,
    warned::ROWS,
    refused::ROWS,
];
