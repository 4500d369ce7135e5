//! MY033: after a crash nothing would show whether the statement took effect.

use super::prelude::*;
use super::{drop_and_add_column, mariadb_compound};
use crate::refusal::Refusal;
use crate::statement::{Class, Recovery};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY033",
    name: "undecidable",
    severity: Severity::Error,
    servers: Servers::All,
    title: "after a crash nothing would show whether the statement took effect",
    why: "The engine runs every statement exactly once. Where a crash can come between the effect and its record, it asks the \
          database what happened; for these statements the database does not know. `up` refuses them in the same words.",
    safe_way: "write `-- dayspring: verify SELECT ...` above it with a query that is true if it took effect, or \
               `-- dayspring: idempotent` if running it twice does no harm",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);\nCREATE PROCEDURE tidy() DELETE FROM post WHERE id < 0;",
        bad: "<|CALL tidy()|>;",
        good: "-- dayspring: idempotent\nCALL tidy();",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Class::Schema(Recovery::Undecidable(why)) = site.statement.analysis.class else {
        return;
    };
    // Two rules say it with more to the point.
    let said = drop_and_add_column::dropped_and_added(site).is_some()
        || site.context.target.is_mysql() && mariadb_compound::is_compound(site);
    if !said {
        let place = Box::new(site.script.place_of(site.statement));
        let refusal = Refusal::Undecidable { place, why };
        found.push(
            Report::new(site.statement.span.clone(), refusal.to_string()).help(refusal.help()),
        );
    }
}
