//! The table as a page. `docs/mysql8.md` holds what this returns; a test compares them.

use crate::{Construct, Treatment, constructs};

const HEAD: &str = "\
# MySQL 8 on MariaDB

<!-- Made from the table in crates/dayspring-dialect; DAYSPRING_UPDATE_DOCS=1 cargo test -p dayspring-dialect makes it anew. -->

Aurora MySQL 3 is compatible with MySQL 8.0. The local cloud runs MariaDB, which understands most of it in the same way. This
page has what it does not. The table that it is made from is also what the local cloud translates and warns by (once for each
statement, as it comes), and what `dayspring migrate lint` knows of it; each row is tested on a real MariaDB.

Who has a MySQL 8 server gives it to the local cloud by `--database-url` and needs none of this.

";

const SILENT: &str = "
## What differs without a word

Nothing in a statement shows these, so nothing warns of them.

| | on MariaDB | on Aurora |
| --- | --- | --- |
| `JSON` columns | the text as it was written, compared as text | the document: keys in an order of its own, no repeated keys, numbers and white space in one form |
| `GROUP BY` | columns that are not grouped by are taken from any row | `ONLY_FULL_GROUP_BY` refuses them, unless the grouped ones decide them |
| error texts | its own; codes and SQLSTATEs are the same nearly always | MySQL's |
| `information_schema` | display widths as in `int(11)`; a default as SQL text, `NULL` included | none; the value |
| optimizer hints `/*+ ... */` | mostly ignored | followed |
| regular expressions | Perl's (PCRE2) | ICU's |
| sorting of rare characters | by Unicode 14.0 | by Unicode 9.0 |
";

/// `docs/mysql8.md`.
#[must_use]
pub fn render_page() -> String {
    let mut page = HEAD.to_owned();
    let part = |title: &str, text: &str, of: fn(&Construct) -> bool| {
        let mut part = format!("## {title}\n\n{text}\n\n");
        part.push_str("| | on MariaDB | on Aurora | example |\n| --- | --- | --- | --- |\n");
        for construct in constructs().filter(|construct| of(construct)) {
            let more = match construct.treatment {
                Treatment::Translated { to } => format!(
                    "`{construct_example}` becomes `{to}`",
                    construct_example = cell(construct.example),
                    to = cell(to)
                ),
                Treatment::Warned { lint, .. } => {
                    format!(
                        "`{}` (lint: [`{lint}`](lint/rules.md#{lint}))",
                        cell(construct.example)
                    )
                }
                Treatment::Refused => format!("`{}`", cell(construct.example)),
            };
            let error = match construct.treatment {
                Treatment::Warned {
                    error: Some(code), ..
                } => format!(" ({code})"),
                _ => String::new(),
            };
            part.push_str(&format!(
                "| {} | {} | {}{error} | {more} |\n",
                construct.title, construct.mariadb, construct.aurora
            ));
        }
        part
    };
    page.push_str(&part(
        "Translated",
        "Aurora takes these and MariaDB does not. The local cloud sends MariaDB what means the same, token by token; strings and\ncomments are left alone.",
        |construct| matches!(construct.treatment, Treatment::Translated { .. }),
    ));
    page.push('\n');
    page.push_str(&part(
        "Warned of",
        "MariaDB takes these, and Aurora refuses them or does something else. The statement runs; the local cloud prints a warning,\nand lint has a finding.",
        |construct| matches!(construct.treatment, Treatment::Warned { .. }),
    ));
    page.push('\n');
    page.push_str(&part(
        "Refused",
        "Aurora takes these, and MariaDB has nothing that means the same. The statement fails with MariaDB's error, and the local cloud\nprints that Aurora would have taken it.",
        |construct| construct.treatment == Treatment::Refused,
    ));
    page.push_str(SILENT);
    page
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
