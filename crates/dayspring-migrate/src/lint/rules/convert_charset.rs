//! MY022: a table's texts are converted.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY022",
    name: "convert-charset",
    severity: Severity::Error,
    servers: Servers::All,
    title: "all texts of a table are converted to another character set",
    why: "Every row is copied, and nobody writes to the table meanwhile, unless all that changes are short texts without an \
          index, from utf8mb3 to utf8mb4. Foreign keys over texts fail when only one side is \
          converted, TEXT columns can become larger types, and indexes too long.",
    safe_way: "convert column by column with a new column and a copy in pieces; convert tables that are joined or tied by \
               foreign keys together",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50)) DEFAULT CHARSET=latin1;",
        bad: "ALTER TABLE post <|CONVERT TO CHARACTER SET utf8mb4|>;",
        good: "ALTER TABLE post ADD COLUMN title_new VARCHAR(50) CHARACTER SET utf8mb4, ALGORITHM=INSTANT;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    for clause in &alter.clauses {
        let class = site.clause_effect(alter, clause).class;
        if let ClauseKind::ConvertCharset { .. } = &clause.kind
            && class == AlgorithmClass::Copy
        {
            let message = format!(
                "every row of `{}` is copied, and nobody writes to it meanwhile",
                alter.table.text()
            );
            found.push(Report::new(clause.span.clone(), message).note(site.class_note(class)));
        }
    }
}
