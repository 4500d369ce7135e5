//! MY047: a width that means nothing.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY047",
    name: "display-width",
    severity: Severity::Warning,
    servers: Servers::MySql,
    title: "an integer has a display width",
    why: "INT(11) holds what INT holds. MySQL 8.0.19 deprecates the width and no longer shows it, MariaDB shows it, so a \
          comparison of two schemas differs. TINYINT(1) and ZEROFILL are exempt.",
    safe_way: "leave the width out",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id BIGINT PRIMARY KEY, views INT<|(11)|>);",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY, views INT);",
    },
    check: Some(check),
};

/// One finding for a statement: a dump of an old server has a width in every column.
fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let mut widths: Vec<(&str, &Range<usize>)> = Vec::new();
    for column in columns_defined(site) {
        let data_type = &column.data_type;
        let is_boolean = data_type.name == "TINYINT" && data_type.length() == Some(1);
        if let Some(span) = &data_type.arguments_span
            && data_type.integer_bytes().is_some()
            && !is_boolean
            && !data_type.zerofill
        {
            widths.push((&column.name.text, span));
        }
    }
    let Some((name, span)) = widths.first().copied() else {
        return;
    };
    let message = match widths.len() {
        1 => format!("the width of `{name}` changes nothing about its values"),
        count => format!(
            "the widths of `{name}` and {} more change nothing about their values",
            count - 1
        ),
    };
    let edits = widths.iter().map(|(_, span)| Edit {
        span: (*span).clone(),
        replacement: String::new(),
    });
    let fix = Fix {
        title: "leave the width out".to_owned(),
        edits: edits.collect(),
    };
    found.push(Report::new(span.clone(), message).fix(fix));
}
