//! The collation that goes without saying: MySQL 8.0's default of `utf8mb4`, which is not MariaDB's.

use crate::text::{Match, Text};
use crate::{Construct, Treatment};

/// What the local cloud's server has as its own default: it behaves as `utf8mb4_0900_ai_ci` for what people write.
const COLLATE: &str = " COLLATE utf8mb4_uca1400_nopad_ai_ci";

pub(super) static ROWS: &[Construct] = &[
    Construct {
        id: "charset-default",
        title: "`CHARSET = utf8mb4` without a collation",
        mariadb: "`utf8mb4_general_ci`: `'a '` is `'a'`, and one emoji is any other",
        aurora: "`utf8mb4_0900_ai_ci`",
        treatment: Treatment::Translated {
            to: "CREATE TABLE note (t TEXT) DEFAULT CHARSET = utf8mb4 COLLATE utf8mb4_uca1400_nopad_ai_ci",
        },
        before: "",
        example: "CREATE TABLE note (t TEXT) DEFAULT CHARSET = utf8mb4",
        words: &["CHARSET", "CHARACTER"],
        find: charset_default,
    },
    Construct {
        id: "set-names",
        title: "`SET NAMES utf8mb4` without a collation",
        mariadb: "literals compare by `utf8mb4_general_ci`",
        aurora: "by `utf8mb4_0900_ai_ci`",
        treatment: Treatment::Translated {
            to: "SET NAMES utf8mb4 COLLATE utf8mb4_uca1400_nopad_ai_ci",
        },
        before: "",
        example: "SET NAMES utf8mb4",
        words: &["NAMES"],
        find: |text| {
            if text.word(0) == "SET"
                && text.word(1) == "NAMES"
                && is_utf8mb4(text, 2)
                && text.word(3) != "COLLATE"
            {
                vec![text.edited(1, 2, vec![text.after(2, COLLATE)])]
            } else {
                Vec::new()
            }
        },
    },
    Construct {
        id: "introducer",
        title: "`_utf8mb4'text'`",
        mariadb: "compares by `utf8mb4_general_ci`",
        aurora: "by `utf8mb4_0900_ai_ci`, as every literal",
        treatment: Treatment::Translated {
            to: "SELECT  'a' AS letter",
        },
        before: "",
        example: "SELECT _utf8mb4'a' AS letter",
        words: &["_UTF8MB4"],
        find: |text| {
            text.all(&["_UTF8MB4"])
                .filter(|at| text.piece(at + 1).starts_with('\''))
                .map(|at| text.edited(at, at + 1, vec![text.replace(at, at, " ")]))
                .collect()
        },
    },
];

fn is_utf8mb4(text: &Text<'_>, at: usize) -> bool {
    text.piece(at)
        .trim_matches(['\'', '"'])
        .eq_ignore_ascii_case("utf8mb4")
}

/// A column's collation stands in its definition, a table's or a database's outside of all parentheses.
fn charset_default(text: &Text<'_>) -> Vec<Match> {
    let is_of =
        |from: usize, what: &[&str]| (from..from + 2).any(|at| what.contains(&text.word(at)));
    let defines =
        matches!(text.word(0), "CREATE" | "ALTER") && is_of(1, &["TABLE", "DATABASE", "SCHEMA"]);
    if !defines {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for at in 0..text.len() {
        match text.word(at) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let value = match (text.word(at), text.word(at + 1)) {
            ("CHARSET", "=") => at + 2,
            ("CHARSET", _) => at + 1,
            ("CHARACTER", "SET") if text.word(at + 2) == "=" => at + 3,
            ("CHARACTER", "SET") => at + 2,
            _ => continue,
        };
        // Deeper it is a part of an expression.
        if depth > 1 || !is_utf8mb4(text, value) || text.word(value + 1) == "BINARY" {
            continue;
        }
        if !has_collation(text, value, depth) {
            found.push(text.edited(at, value, vec![text.after(value, COLLATE)]));
        }
    }
    found
}

fn has_collation(text: &Text<'_>, value: usize, depth: usize) -> bool {
    // The options of CREATE TABLE may have commas between them, and so may the clauses of ALTER TABLE: of its columns each has
    // its own, but one that changes a column does not name the table's too.
    let first = if depth == 0 && text.word(0) == "CREATE" {
        0
    } else {
        text.item(value)
    };
    let mut inner = 0_usize;
    for at in first..text.len() {
        match text.word(at) {
            "(" => inner += 1,
            ")" if inner == 0 => return false,
            ")" => inner -= 1,
            "COLLATE" if inner == 0 => return true,
            "," if inner == 0 && at > value && !is_option_of_collation(text, at + 1) => {
                return false;
            }
            _ => {}
        }
    }
    false
}

fn is_option_of_collation(text: &Text<'_>, at: usize) -> bool {
    text.word(at) == "COLLATE" || text.is(at, &["DEFAULT", "COLLATE"])
}
