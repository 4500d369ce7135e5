//! MY044: a new definition that forgets the old one's attributes.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY044",
    name: "modify-forgets",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "MODIFY or CHANGE leaves out what the column had",
    why: "They define the column anew: a NOT NULL, DEFAULT, COMMENT, AUTO_INCREMENT, COLLATE or ON UPDATE that is not said again is \
          gone, and nothing says so.",
    safe_way: "repeat what stays; to change only a default, write `ALTER TABLE ... ALTER COLUMN name SET DEFAULT value`. Write \
               NULL or DEFAULT NULL where it is to go",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(20) DEFAULT 'untitled');",
        bad: "ALTER TABLE post <|MODIFY title VARCHAR(50)|>, ALGORITHM=INPLACE, LOCK=NONE;",
        good: "ALTER TABLE post MODIFY title VARCHAR(50) DEFAULT 'untitled', ALGORITHM=INPLACE, LOCK=NONE;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(table) = site
        .alter_in_use()
        .and_then(|alter| site.table(&alter.table))
    else {
        return;
    };
    for (clause, change) in type_changes(site) {
        let (before, after) = (&change.before, &change.after);
        let is_key = table.is_in_primary_key(before);
        let says_collation =
            after.data_type.collation.is_some() || after.data_type.charset.is_some();
        let had_default = before
            .default
            .as_ref()
            .is_some_and(|default| default.kind != DefaultKind::Null);
        let forgotten: Vec<&str> = [
            (
                "NOT NULL",
                before.not_null && !after.not_null && !after.says_null && !is_key,
            ),
            ("DEFAULT", had_default && after.default.is_none()),
            (
                "AUTO_INCREMENT",
                before.auto_increment && !after.auto_increment,
            ),
            ("COMMENT", before.comment && !after.comment),
            (
                "COLLATE",
                change.kind == TypeChange::Collation && !says_collation,
            ),
            ("ON UPDATE", before.on_update && !after.on_update),
        ]
        .into_iter()
        .filter_map(|(attribute, is_gone)| is_gone.then_some(attribute))
        .collect();
        if !forgotten.is_empty() {
            let message = format!(
                "`{}` loses its {}",
                before.name.text,
                forgotten.join(" and its ")
            );
            found.push(Report::new(clause.span.clone(), message));
        }
    }
}
