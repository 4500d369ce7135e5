//! MY021: a constraint without a name.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY021",
    name: "unnamed-constraint",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a constraint or an added index has no name",
    why: "The server makes a name up from what is there at the moment, so it can differ between two databases, and the script \
          that is to drop it later fails on one of them. An index without a name that is added twice is there twice.",
    safe_way: "name it: `CONSTRAINT name ...`, `ADD INDEX name (...)`",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY);",
        bad: "CREATE TABLE remark (\n  id BIGINT PRIMARY KEY,\n  post_id BIGINT NOT NULL,\n  \
              <|FOREIGN KEY (post_id) REFERENCES post (id)|>\n);",
        good: "CREATE TABLE remark (\n  id BIGINT PRIMARY KEY,\n  post_id BIGINT NOT NULL,\n  \
               CONSTRAINT remark_post FOREIGN KEY (post_id) REFERENCES post (id)\n);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    match site.read {
        Read::CreateTable(create) => {
            for element in &create.elements {
                match element {
                    Element::ForeignKey(key) => foreign_key(site, &create.table, key, found),
                    Element::Check(check) if check.name.is_none() => {
                        push_check(check.span.clone(), found)
                    }
                    Element::Column(column) => inline_check(column, found),
                    Element::Check(_) | Element::Index(_) | Element::Other => {}
                }
            }
        }
        Read::Alter(alter) => {
            for clause in &alter.clauses {
                match &clause.kind {
                    ClauseKind::AddForeignKey(key) => foreign_key(site, &alter.table, key, found),
                    ClauseKind::AddCheck(check) if check.name.is_none() => {
                        push_check(check.span.clone(), found)
                    }
                    ClauseKind::AddColumn { column, .. }
                    | ClauseKind::ChangeColumn { column, .. } => inline_check(column, found),
                    ClauseKind::AddIndex(index) => added_index(&alter.table, index, found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn foreign_key(site: &Site<'_>, table: &TableName, key: &ForeignKey, found: &mut Vec<Report>) {
    if key.name.is_some() {
        return;
    }
    let mut report = Report::new(
        key.span.clone(),
        "the server makes a name up for this foreign key",
    );
    let starts_with_key = site
        .text(key.span.clone())
        .get(.."FOREIGN".len())
        .is_some_and(|word| word.eq_ignore_ascii_case("FOREIGN"));
    if starts_with_key {
        // Two keys may be to one table: not its name but that of the columns tells them apart.
        let name = plain_name(&format!("{}_{}_fk", table.text(), names_of(&key.columns)));
        report = report.fix(Fix::insert(
            format!("name it `{name}`"),
            key.span.start,
            format!("CONSTRAINT {name} "),
        ));
    }
    found.push(report);
}

fn push_check(span: Range<usize>, found: &mut Vec<Report>) {
    found.push(Report::new(
        span,
        "the server makes a name up for this check",
    ));
}

fn inline_check(column: &Column, found: &mut Vec<Report>) {
    if let Some(check) = column.check.as_ref().filter(|check| check.name.is_none()) {
        push_check(check.span.clone(), found);
    }
}

fn added_index(table: &TableName, index: &Index, found: &mut Vec<Report>) {
    if index.name.is_some() || index.kind == IndexKind::Primary {
        return;
    }
    let name = plain_name(&format!("{}_{}", table.text(), names_of(&index.parts)));
    let report = Report::new(
        index.span.clone(),
        "the server makes a name up for this index",
    );
    found.push(report.fix(Fix::insert(
        format!("name it `{name}`"),
        index.name_at,
        format!(" {name}"),
    )));
}

fn names_of(parts: &[KeyPart]) -> String {
    let names = parts.iter().filter_map(|part| part.column.as_ref());
    names
        .map(|name| name.text.as_str())
        .collect::<Vec<_>>()
        .join("_")
}

/// A name that needs no quotes and is short enough for MySQL.
fn plain_name(text: &str) -> String {
    let plain = |char: char| {
        if char.is_ascii_alphanumeric() {
            char.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    text.chars().map(plain).take(60).collect()
}
