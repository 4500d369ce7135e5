//! MY109: names that MySQL reserves.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY109",
    name: "reserved-word",
    severity: Severity::Error,
    servers: Servers::MySql,
    title: "a name is a reserved word of MySQL",
    why: "MySQL 8.0 reserves words that MariaDB does not, such as `rank`, `system` and `lateral`, and 8.4 some more. Without \
          backticks they are a syntax error.",
    safe_way: "put it in backticks, here and in the queries, or choose another name",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE score (id BIGINT PRIMARY KEY, <|rank|> INT);",
        good: "CREATE TABLE score (id BIGINT PRIMARY KEY, `rank` INT);",
    },
    check: Some(check),
};

/// Reserved by MySQL 5.7 already and not by MariaDB (dev.mysql.com/doc/refman/5.7/en/keywords.html).
const SINCE_5_7: [&str; 7] = [
    "DATABASE",
    "GET",
    "IO_AFTER_GTIDS",
    "IO_BEFORE_GTIDS",
    "OPTIMIZER_COSTS",
    "OPTION",
    "SCHEMA",
];

/// Reserved by MySQL 8.0 and not by MariaDB (dev.mysql.com/doc/refman/8.0/en/keywords.html).
const SINCE_8_0: [&str; 24] = [
    "CUBE",
    "CUME_DIST",
    "DENSE_RANK",
    "EMPTY",
    "FIRST_VALUE",
    "FUNCTION",
    "GENERATED",
    "GROUPING",
    "GROUPS",
    "JSON_TABLE",
    "LAG",
    "LAST_VALUE",
    "LATERAL",
    "LEAD",
    "NTH_VALUE",
    "NTILE",
    "OF",
    "PERCENT_RANK",
    "RANK",
    "ROW",
    "STORED",
    "SYSTEM",
    "VIRTUAL",
    "WINDOW",
];

/// Reserved from MySQL 8.4 on (dev.mysql.com/doc/refman/8.4/en/keywords.html).
const SINCE_8_4: [&str; 4] = ["MANUAL", "PARALLEL", "QUALIFY", "TABLESAMPLE"];

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let names: Vec<&Name> = match site.read {
        Read::CreateTable(create) => {
            let elements = create.elements.iter().filter_map(|element| match element {
                Element::Column(column) => Some(&column.name),
                Element::Index(index) => index.name.as_ref(),
                Element::ForeignKey(key) => key.name.as_ref(),
                Element::Check(check) => check.name.as_ref(),
                Element::Other => None,
            });
            std::iter::once(&create.table.name)
                .chain(elements)
                .collect()
        }
        Read::Alter(alter) => {
            let names = alter
                .clauses
                .iter()
                .filter_map(|clause| match &clause.kind {
                    ClauseKind::AddColumn { column, .. }
                    | ClauseKind::ChangeColumn { column, .. } => Some(&column.name),
                    ClauseKind::RenameColumn { new, .. } | ClauseKind::RenameIndex { new, .. } => {
                        Some(new)
                    }
                    ClauseKind::AddIndex(index) => index.name.as_ref(),
                    ClauseKind::RenameTable(table) => Some(&table.name),
                    _ => None,
                });
            std::iter::once(&alter.table.name).chain(names).collect()
        }
        Read::Rename(pairs) => pairs.iter().map(|(_, new)| &new.name).collect(),
        _ => return,
    };
    for name in names.into_iter().filter(|name| !name.quoted) {
        let word = name.text.to_ascii_uppercase();
        let since = if SINCE_5_7.contains(&word.as_str()) {
            "5.7"
        } else if SINCE_8_0.contains(&word.as_str()) {
            "8.0"
        } else if SINCE_8_4.contains(&word.as_str()) && !site.context.target.is_before(8, 4, 0) {
            "8.4"
        } else {
            continue;
        };
        let fix = Fix::replace(
            "put it in backticks",
            name.span.clone(),
            format!("`{}`", name.text),
        );
        let message = format!("`{}` is reserved since MySQL {since}", name.text);
        found.push(Report::new(name.span.clone(), message).fix(fix));
    }
}
