//! MY017: a foreign key on a table in use.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY017",
    name: "add-foreign-key",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a foreign key is added to a table in use",
    why: "MySQL checks every row with ALGORITHM=COPY, and waits for everyone who uses the parent table too. Only with \
          `foreign_key_checks=0` is it done in place, and then no row is checked.",
    safe_way: "make the key together with its table; for a table in use do it when it may wait, and look for orphans first",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);\n\
                  CREATE TABLE remark (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL, INDEX by_post (post_id));",
        bad: "ALTER TABLE remark <|ADD CONSTRAINT remark_post FOREIGN KEY (post_id) REFERENCES post (id)|>;",
        good: "CREATE TABLE rating (\n  id BIGINT PRIMARY KEY,\n  post_id BIGINT NOT NULL,\n  \
               CONSTRAINT rating_post FOREIGN KEY (post_id) REFERENCES post (id)\n);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    for clause in &alter.clauses {
        if let ClauseKind::AddForeignKey(key) = &clause.kind {
            let message = format!(
                "every row of `{}` is checked, and nobody writes to it or to `{}` meanwhile",
                alter.table.text(),
                key.parent.text()
            );
            let class = site.clause_effect(alter, clause).class;
            found.push(Report::new(clause.span.clone(), message).note(site.class_note(class)));
        }
    }
}
