//! The definitions of columns and keys in `CREATE TABLE` and `ALTER TABLE`.

use crate::text::Text;

/// A definition by its tokens: from the column's name, or the word of a key, to the last before the comma.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Definition {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// What a definition begins with that is not a column's.
const NOT_COLUMNS: [&str; 10] = [
    "KEY",
    "INDEX",
    "UNIQUE",
    "PRIMARY",
    "FOREIGN",
    "CONSTRAINT",
    "CHECK",
    "FULLTEXT",
    "SPATIAL",
    "PERIOD",
];

/// Types whose values lie beside the row.
const LONG_TYPES: [&str; 12] = [
    "TINYTEXT",
    "TEXT",
    "MEDIUMTEXT",
    "LONGTEXT",
    "TINYBLOB",
    "BLOB",
    "MEDIUMBLOB",
    "LONGBLOB",
    "JSON",
    "GEOMETRY",
    "POINT",
    "POLYGON",
];

impl Definition {
    pub(crate) fn is_column(self, text: &Text<'_>) -> bool {
        self.last > self.first && !NOT_COLUMNS.contains(&text.word(self.first))
    }

    /// The word of a column's type.
    pub(crate) fn type_word<'a>(self, text: &'a Text<'_>) -> &'a str {
        text.word(self.first + 1)
    }

    pub(crate) fn is_long(self, text: &Text<'_>) -> bool {
        self.is_column(text) && LONG_TYPES.contains(&self.type_word(text))
    }

    /// The number in parentheses behind the type.
    pub(crate) fn type_length(self, text: &Text<'_>) -> Option<u32> {
        (text.word(self.first + 2) == "(")
            .then(|| text.word(self.first + 3).parse().ok())
            .flatten()
    }

    /// Its tokens that stand in no parenthesis of its own.
    pub(crate) fn flat(self, text: &Text<'_>) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut flat = Vec::new();
        for index in self.first..=self.last {
            match text.word(index) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ if depth == 0 => flat.push(index),
                _ => {}
            }
        }
        flat
    }
}

/// All that a statement defines. Of another statement: nothing.
pub(crate) fn definitions(text: &Text<'_>) -> Vec<Definition> {
    let table = usize::from(matches!(
        text.word(1),
        "TEMPORARY" | "ONLINE" | "IGNORE" | "OR"
    ));
    match text.word(0) {
        "CREATE" if text.word(1 + table) == "TABLE" || text.is(1, &["OR", "REPLACE", "TABLE"]) => {
            created(text)
        }
        "ALTER" if text.word(1 + table) == "TABLE" => altered(text, 2 + table),
        _ => Vec::new(),
    }
}

fn created(text: &Text<'_>) -> Vec<Definition> {
    let Some(open) = (0..text.len()).find(|index| text.word(*index) == "(") else {
        return Vec::new();
    };
    if matches!(text.word(open + 1), "SELECT" | "LIKE" | "WITH" | "(") {
        return Vec::new();
    }
    items(text, open)
}

fn items(text: &Text<'_>, open: usize) -> Vec<Definition> {
    let close = text.close(open).unwrap_or(text.len());
    let mut first = open + 1;
    let mut items = Vec::new();
    for end in text.commas(open, close).into_iter().chain([close]) {
        if end > first {
            items.push(Definition {
                first,
                last: end - 1,
            });
        }
        first = end + 1;
    }
    items
}

fn altered(text: &Text<'_>, name: usize) -> Vec<Definition> {
    let mut first = skip(text, name, &["IF", "EXISTS"]) + 1;
    while text.word(first) == "." {
        first += 2;
    }
    let mut definitions = Vec::new();
    let commas = text.outer(first).filter(|at| text.word(*at) == ",");
    for end in commas.chain([text.len()]) {
        if end > first {
            definitions.extend(clause(text, first, end - 1));
        }
        first = end + 1;
    }
    definitions
}

/// What one clause of `ALTER TABLE` adds or changes.
fn clause(text: &Text<'_>, first: usize, last: usize) -> Vec<Definition> {
    let is_change = match text.word(first) {
        "ADD" | "MODIFY" => false,
        "CHANGE" => true,
        _ => return Vec::new(),
    };
    let mut at = skip(text, first + 1, &["COLUMN"]);
    at = skip(text, at, &["IF", "NOT", "EXISTS"]);
    at = skip(text, at, &["IF", "EXISTS"]) + usize::from(is_change);
    if text.word(at) == "(" {
        return items(text, at);
    }
    if at > last {
        return Vec::new();
    }
    vec![Definition { first: at, last }]
}

fn skip(text: &Text<'_>, at: usize, words: &[&str]) -> usize {
    if text.is(at, words) {
        at + words.len()
    } else {
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        let text = Text::new(sql);
        let found: Vec<&str> = definitions(&text)
            .into_iter()
            .map(|one| &sql[text.range(one.first, one.last)])
            .collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn definitions_are_what_stands_between_the_commas() {
        check(
            "CREATE TABLE IF NOT EXISTS t (a DECIMAL(5, 2) DEFAULT (1, 2), KEY (a, b)) COMMENT 'x'",
            &["a DECIMAL(5, 2) DEFAULT (1, 2)", "KEY (a, b)"],
        );
        check(
            "ALTER TABLE x.t ADD COLUMN a INT, ADD (b INT, c INT), CHANGE d e TEXT FIRST, MODIFY f INT, DROP g, ADD KEY (a)",
            &[
                "a INT",
                "b INT",
                "c INT",
                "e TEXT FIRST",
                "f INT",
                "KEY (a)",
            ],
        );
        for sql in [
            "CREATE TABLE t LIKE u",
            "CREATE TABLE t (LIKE u)",
            "CREATE TABLE t (SELECT 1)",
            "CREATE INDEX i ON t (a)",
            "ALTER TABLE",
            "ALTER TABLE t ADD",
            "CREATE TABLE t (",
            "",
        ] {
            check(sql, &[]);
        }
    }
}
