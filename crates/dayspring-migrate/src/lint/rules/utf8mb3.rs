//! MY046: a character set without emoji.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY046",
    name: "utf8mb3",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "`utf8` is three bytes: no emoji, and many Chinese characters are missing",
    why: "In MySQL `utf8` is a name for the deprecated utf8mb3. An INSERT with a four-byte character fails, and joins with \
          utf8mb4 columns cannot use their index.",
    safe_way: "use utf8mb4, which is the default",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50)) DEFAULT CHARSET=<|utf8|>;",
        good: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50)) DEFAULT CHARSET=utf8mb4;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let mut charsets: Vec<&Name> = columns_defined(site)
        .iter()
        .filter_map(|column| column.data_type.charset.as_ref())
        .collect();
    match site.read {
        Read::CreateTable(create) => charsets.extend(&create.options.charset),
        Read::Alter(alter) => {
            charsets.extend(
                alter
                    .clauses
                    .iter()
                    .filter_map(|clause| match &clause.kind {
                        ClauseKind::ConvertCharset { charset, .. } => Some(charset),
                        _ => None,
                    }),
            )
        }
        _ => {}
    }
    for charset in charsets {
        if matches!(charset.key().as_str(), "utf8" | "utf8mb3") {
            let fix = Fix::replace("make it utf8mb4", charset.span.clone(), "utf8mb4");
            let message = format!("`{}` holds no character of four bytes", charset.text);
            found.push(Report::new(charset.span.clone(), message).fix(fix));
        }
    }
}
