//! MY009: a column becomes NOT NULL.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY009",
    name: "set-not-null",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a column that could be NULL no longer can",
    why: "The table is rebuilt. In strict mode the statement fails if a row has NULL there; without it NULL becomes 0 or an \
          empty text without a word. And the old code, which still runs, may write NULL.",
    safe_way: "fill the NULLs first (`UPDATE ... WHERE column IS NULL`), and set NOT NULL in a contract script, allowed by \
               `-- dayspring: allow set-not-null no NULL is left`",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50));",
        bad: "ALTER TABLE post <|MODIFY title VARCHAR(50) NOT NULL|>, ALGORITHM=INPLACE, LOCK=NONE;",
        good: "UPDATE post SET title = '' WHERE title IS NULL;\n\n-- dayspring: allow set-not-null no NULL is left\n\
               ALTER TABLE post MODIFY title VARCHAR(50) NOT NULL, ALGORITHM=INPLACE, LOCK=NONE;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for (clause, change) in type_changes(site) {
        if !change.before.not_null && change.after.not_null {
            let message = format!(
                "the statement fails if `{}` is NULL in any row",
                change.before.name.text
            );
            found.push(
                Report::new(clause.span.clone(), message)
                    .note("the table is rebuilt, from the manual"),
            );
        }
    }
}
