//! MY042: a foreign key that cannot be.

use super::prelude::*;
use crate::lint::type_change::same_charset;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY042",
    name: "foreign-key-mismatch",
    severity: Severity::Error,
    servers: Servers::All,
    title: "a foreign key does not fit the columns that it refers to",
    why: "The types of both sides must be the same, integers in size and sign, texts in character set; and an index of the \
          parent must begin with its columns. Otherwise the statement fails with error 3780, 1822 or 150.",
    safe_way: "give both columns the same type, and the parent's an index",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT UNSIGNED PRIMARY KEY);",
        bad: "CREATE TABLE remark (\n  id BIGINT PRIMARY KEY,\n  post_id BIGINT NOT NULL,\n  \
              <|CONSTRAINT remark_post FOREIGN KEY (post_id) REFERENCES post (id)|>\n);",
        good: "CREATE TABLE remark (\n  id BIGINT PRIMARY KEY,\n  post_id BIGINT UNSIGNED NOT NULL,\n  \
               CONSTRAINT remark_post FOREIGN KEY (post_id) REFERENCES post (id)\n);",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let (table, keys): (&TableName, Vec<&ForeignKey>) = match site.read {
        Read::CreateTable(create) => {
            let keys = create.elements.iter().filter_map(|element| match element {
                Element::ForeignKey(key) => Some(key),
                _ => None,
            });
            (&create.table, keys.collect())
        }
        Read::Alter(alter) => {
            let keys = alter
                .clauses
                .iter()
                .filter_map(|clause| match &clause.kind {
                    ClauseKind::AddForeignKey(key) => Some(key),
                    _ => None,
                });
            (&alter.table, keys.collect())
        }
        _ => return,
    };
    if keys.is_empty() {
        return;
    }
    // The schema after the statement: its own columns count.
    let mut after = site.schema.clone();
    after.apply(site.read, true);
    let Some(child) = after.table(table) else {
        return;
    };
    for key in keys {
        if let Some(parent) = after.table(&key.parent)
            && let Some(message) = mismatch(child, parent, key)
        {
            found.push(Report::new(key.span.clone(), message));
        }
    }
}

fn mismatch(child: &Table, parent: &Table, key: &ForeignKey) -> Option<String> {
    if !parent.is_complete || !child.is_complete {
        return None;
    }
    for (own, other) in key.columns.iter().zip(&key.parent_columns) {
        let (own, other) = (own.column.as_ref()?, other.column.as_ref()?);
        let Some(own) = child.column(&own.text) else {
            return Some(format!("`{}` has no column `{}`", child.name, own.text));
        };
        let Some(other) = parent.column(&other.text) else {
            return Some(format!("`{}` has no column `{}`", parent.name, other.text));
        };
        if own
            .generated
            .as_ref()
            .is_some_and(|generated| !generated.stored)
        {
            return Some(format!(
                "`{}` is a virtual column, which has no foreign key",
                own.name.text
            ));
        }
        let same = kind(&own.data_type) == kind(&other.data_type)
            && own.data_type.unsigned == other.data_type.unsigned;
        if !same {
            return Some(format!(
                "`{}` is {}, and `{}` of `{}` is {}",
                own.name.text,
                shown(&own.data_type),
                other.name.text,
                parent.name,
                shown(&other.data_type)
            ));
        }
        if own.data_type.holds_text()
            && let (Some(one), Some(two)) = (child.charset_of(own), parent.charset_of(other))
            && !same_charset(&one, &two)
        {
            return Some(format!(
                "`{}` is in {one}, and `{}` of `{}` is in {two}",
                own.name.text, other.name.text, parent.name
            ));
        }
        if own.data_type.is_any(&["CHAR", "VARCHAR"])
            && let (Some(one), Some(two)) =
                (child.said_collation(own), parent.said_collation(other))
            && one != two
        {
            return Some(format!(
                "`{}` compares by {one}, and `{}` of `{}` by {two}",
                own.name.text, other.name.text, parent.name
            ));
        }
    }
    let wanted: Vec<String> = key
        .parent_columns
        .iter()
        .filter_map(|part| Some(part.column.as_ref()?.key()))
        .collect();
    let is_indexed = parent
        .index_columns()
        .iter()
        .any(|columns| columns.starts_with(&wanted));
    (!is_indexed).then(|| {
        format!(
            "no index of `{}` begins with ({})",
            parent.name,
            wanted.join(", ")
        )
    })
}

/// What of a type has to be the same on both sides, as MySQL 9.7.4 and MariaDB 10.11 want it: neither how long a text or a
/// number is, nor whether its length varies.
fn kind(data_type: &DataType) -> &str {
    match data_type.name.as_str() {
        "CHAR" | "VARCHAR" => "text",
        "BINARY" | "VARBINARY" => "bytes",
        "DATETIME" | "TIMESTAMP" => "moment",
        other => other,
    }
}
