//! MY023: a table that is not InnoDB's.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY023",
    name: "not-innodb",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a table is not InnoDB's",
    why: "Other engines have no transactions: a crash in the middle of a statement leaves half of it, and neither the journal \
          nor a rollback can help. Aurora stores only InnoDB tables durably.",
    safe_way: "use InnoDB, which is the default",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE visit (id BIGINT PRIMARY KEY) ENGINE=<|MyISAM|>;",
        good: "CREATE TABLE visit (id BIGINT PRIMARY KEY) ENGINE=InnoDB;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let altered = |alter: &Alter| {
        alter.clauses.iter().find_map(|clause| match &clause.kind {
            ClauseKind::Engine(name) => Some(name.clone()),
            _ => None,
        })
    };
    let engine = match site.read {
        Read::CreateTable(create) => create.options.engine.clone(),
        Read::Alter(alter) => altered(alter),
        _ => None,
    };
    if let Some(engine) = engine.filter(|engine| engine.key() != "innodb") {
        let message = format!(
            "{} has no transactions, and a crash leaves half a statement",
            engine.text
        );
        found.push(Report::new(engine.span.clone(), message).fix(Fix::replace(
            "make it InnoDB",
            engine.span,
            "InnoDB",
        )));
    }
}
