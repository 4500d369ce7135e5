//! MY005: a table gets another name.

use super::drop_table::is_retired;
use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY005",
    name: "rename-table",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a table gets another name while code uses the old one",
    why: "The code that runs uses the old name and the new code the new one, and there is no moment at which both are \
          right. A view under one of the names bridges the deploy.",
    safe_way: "keep the table and create a view with the new name (`CREATE VIEW new AS SELECT * FROM old`), or rename to \
               `_old_NAME` in a contract script what nobody uses any more",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "RENAME TABLE <|post|> TO article;",
        good: "CREATE VIEW article AS SELECT * FROM post;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let mut renamed = |old: &TableName, new: &TableName| {
        let retires = site.is_contract() && is_retired(new.text());
        // A swap gives the name to another table at once.
        let swapped = matches!(site.read, Read::Rename(pairs) if pairs.iter().any(|(_, to)| to.key() == old.key()));
        if site.is_in_use(old) && !retires && !swapped && !is_retired(old.text()) {
            let message = format!("code that uses `{}` fails from here on", old.text());
            found.push(Report::new(old.name.span.clone(), message));
        }
    };
    match site.read {
        Read::Rename(pairs) => {
            for (old, new) in pairs {
                renamed(old, new);
            }
        }
        Read::Alter(alter) => {
            for clause in &alter.clauses {
                if let ClauseKind::RenameTable(new) = &clause.kind {
                    renamed(&alter.table, new);
                }
            }
        }
        _ => {}
    }
}
