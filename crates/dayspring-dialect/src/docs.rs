//! The table as a page. `docs/mysql8.md` holds what this returns; a test compares them.

use crate::{Construct, Treatment, constructs};

const HEAD: &str = "\
# MySQL 8 on MariaDB

<!-- Made from the table in crates/dayspring-dialect; DAYSPRING_UPDATE_DOCS=1 cargo test -p dayspring-dialect makes it anew. -->

Aurora MySQL 3 is compatible with MySQL 8.0. The local cloud runs MariaDB, which understands most of it in the same way. This
page has what it does not. The table that it is made from is also what the local cloud translates and warns by (once for each
statement, as it comes), and what `dayspring migrate lint` knows of it. Each row is tested on a real MariaDB. Each was also run on
MySQL 9.7.4: what is translated gave the same rows under the same names, and what is warned of gave the error whose number stands
with it. MySQL 8.0 itself was not at hand; where its manual differs from what 9.7.4 did, the manual decided.

Who has a MySQL 8 server gives it to the local cloud by `--database-url` and needs none of this.

";

const SILENT: &str = "
## What differs without a word

Nothing in a statement shows these, so nothing warns of them. What the types of expressions are in the Data API is in
[parity.md](parity.md).

| | on MariaDB | on Aurora |
| --- | --- | --- |
| `JSON` columns and functions | a column's text as it was written, compared as text (the Data API answers it in MySQL's form); `JSON_SET` and `JSON_OBJECT` keep the order and repeated keys; `JSON_ARRAYAGG` has no spaces | the document: keys in an order of its own, no repeated keys, numbers and white space in one form; a string is never equal to a document |
| `JSON_EXTRACT` of what is no document, or by a wrong path | `NULL` | an error (3141, 3143) |
| `JSON_VALUE` of `true`, of an object | `1`, `NULL` | `true`, the object's text |
| `GROUP BY` | columns that are not grouped by are taken from any row | `ONLY_FULL_GROUP_BY` refuses them (1055), unless the grouped ones decide them; `SELECT DISTINCT a ... ORDER BY b` too (3065) |
| a change `WHERE text_column = 0`, `WHERE day = ''` | compares | an error (1292, 1525) where a value is no number or no date |
| `GREATEST(1, '2')`, `LEAST('a', 1)` | a number | text |
| names of checks | of their table; a column's own has the column's name | of the whole database (3822 where two are the same); `post_chk_1` |
| `INSERT IGNORE` of what a check refuses | an error | the row is left out |
| a key on a `TEXT` or `JSON` column that an earlier statement made | made | an error (1170, 3152) |
| foreign keys that do not fit | 1005 with `errno: 150` | 3780, 1824, 1822 and others that say why |
| a recursive common table expression that goes round too often | the rows until then | an error (3636) |
| `CONVERT(text USING utf8mb4)` beside a column | an error (1267): its collation is `utf8mb4_general_ci` | compares |
| `GRANT ... TO` an account that is not there | an error (1133) | an error (1410) |
| a temporary table twice in a query | read twice | an error (1137) |
| events (`CREATE EVENT`) | kept; they never run | run, where `event_scheduler` is on |
| geometries of SRID 4326 | planes; `ST_GeomFromGeoJSON` gives x and y | the earth; latitude first |
| error texts | what follows from MariaDB's text alone is put in MySQL's words, with its number; the rest is MariaDB's | MySQL's |
| `information_schema` | display widths as in `int(11)`; a default as SQL text, `NULL` included; columns are named as the query writes them | none; the value; names in capitals |
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
        "Aurora takes these and MariaDB does not. The local cloud sends MariaDB what means the same, token by token; strings and\ncomments are left alone. An item of a SELECT that is translated keeps its name in the result.",
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
