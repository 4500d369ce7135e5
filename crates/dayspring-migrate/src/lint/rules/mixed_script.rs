//! MY030: definitions and rows in one script.

use super::prelude::*;
use crate::statement::Class;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY030",
    name: "mixed-script",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a script changes definitions and rows that are in use",
    why: "MySQL commits a definition by itself, so the script is not one transaction: if it fails in the middle, the first \
          part stays until somebody mends the rest. Rows of tables that the same scripts create are exempt.",
    safe_way: "write the rows' part as a script of its own, which then is one transaction",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50));",
        bad: "ALTER TABLE post ADD COLUMN slug VARCHAR(50), ALGORITHM=INSTANT;\n\
              <|UPDATE post|> SET slug = LOWER(title) WHERE slug IS NULL;",
        good: "UPDATE post SET title = TRIM(title) WHERE title LIKE ' %';",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Read::Rows(rows) = site.read else { return };
    let Some(table) = rows.table.as_ref().filter(|table| site.is_in_use(table)) else {
        return;
    };
    let before = &site.script.statements[..site.statement.number - 1];
    let definition = before
        .iter()
        .position(|earlier| matches!(earlier.analysis.class, Class::Schema(_)));
    let Some(definition) = definition else {
        return;
    };
    // Once a script is enough.
    let is_first = before[definition..]
        .iter()
        .all(|earlier| earlier.analysis.class != Class::Data);
    if is_first {
        let message = format!(
            "if this fails, what is above it stays and the rows of `{}` do not change",
            table.text()
        );
        found.push(Report::new(
            site.statement.span.start..table.name.span.end,
            message,
        ));
    }
}
