//! What the objects that a schema statement touches look like, and what that says about the statement.
//!
//! A definition is taken from SHOW CREATE, which MySQL and MariaDB both answer in one row, whole: columns, indexes,
//! constraints, partitions, bodies. It is made canonical (AUTO_INCREMENT counters removed, which rows move) and kept
//! line by line, so that a difference can be shown and traced to the statement.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::lexer;
use crate::session::{Row, Session, SessionError, Value};
use crate::statement::{After, Analysis, Object, ObjectKind, quote};

/// Beyond this the lines of a definition are not kept in the journal, only their digest.
const LINES_BYTES_MAX: usize = 48 * 1024;

/// What objects looked like at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fingerprint {
    objects: Vec<Definition>,
}

/// What one object looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Definition {
    object: String,
    /// Nothing where the object did not exist.
    digest: Option<String>,
    lines: Vec<String>,
}

impl Fingerprint {
    /// Reads the definitions of what a statement touches: one query for each object. `schema` is the database of
    /// objects that the statement names without one.
    ///
    /// # Errors
    /// What the session says, unless it says that the object does not exist.
    pub async fn take<S: Session>(
        session: &mut S,
        analysis: &Analysis,
        schema: &str,
    ) -> Result<Self, SessionError> {
        let mut objects = Vec::with_capacity(analysis.touched.len());
        for touched in &analysis.touched {
            let answer = session.query(&look(&touched.object, schema), &[]).await;
            objects.push(Definition::read(&touched.object, answer)?);
        }
        Ok(Self { objects })
    }

    /// The query that reads all that [`take`](Self::take) would, where one does.
    pub(crate) fn only_look(analysis: &Analysis, schema: &str) -> Option<String> {
        match &analysis.touched[..] {
            [touched] => Some(look(&touched.object, schema)),
            [] | [_, _, ..] => None,
        }
    }

    /// What the answer to [`only_look`](Self::only_look) shows; nothing where it shows nothing.
    pub(crate) fn of_only_look(
        analysis: &Analysis,
        answer: Result<Vec<Row>, SessionError>,
    ) -> Option<Self> {
        let touched = analysis.touched.first()?;
        let definition = Definition::read(&touched.object, answer).ok()?;
        Some(Self {
            objects: vec![definition],
        })
    }
}

impl Definition {
    fn read(object: &Object, answer: Result<Vec<Row>, SessionError>) -> Result<Self, SessionError> {
        let text = definition_in(object, answer)?;
        Ok(Self::new(object, text.as_deref()))
    }

    fn new(object: &Object, text: Option<&str>) -> Self {
        let lines = text.map(canonical_lines).unwrap_or_default();
        let digest = text.map(|_| Digest::of_bytes(lines.join("\n").as_bytes()).to_string());
        let bytes: usize = lines.iter().map(String::len).sum();
        Self {
            object: object.to_string(),
            digest,
            lines: if bytes > LINES_BYTES_MAX {
                Vec::new()
            } else {
                lines
            },
        }
    }
}

/// The query for the definition of an object.
fn look(object: &Object, schema: &str) -> String {
    let schema = object.schema.as_deref().unwrap_or(schema);
    let name = match object.kind {
        ObjectKind::Database => quote(&object.name),
        ObjectKind::Table
        | ObjectKind::Procedure
        | ObjectKind::Function
        | ObjectKind::Trigger
        | ObjectKind::Event => {
            format!("{}.{}", quote(schema), quote(&object.name))
        }
    };
    format!("SHOW CREATE {} {name}", object.kind.keyword())
}

/// The definition in the answer to [`look`]; nothing where there is no such object.
fn definition_in(
    object: &Object,
    answer: Result<Vec<Row>, SessionError>,
) -> Result<Option<String>, SessionError> {
    // The column of the text, as dev.mysql.com and mariadb.com show them for each SHOW CREATE.
    let column = match object.kind {
        ObjectKind::Table | ObjectKind::Database => 1,
        ObjectKind::Procedure | ObjectKind::Function | ObjectKind::Trigger => 2,
        ObjectKind::Event => 3,
    };
    match answer {
        Ok(rows) => Ok(rows
            .into_iter()
            .next()
            .map(|row| match row.into_iter().nth(column) {
                Some(Value::Text(text)) => text,
                Some(Value::Long(_) | Value::Null) | None => String::new(),
            })),
        Err(SessionError::Refused { code, .. }) if is_absent(code) => Ok(None),
        // A view whose tables are gone exists; its definition is that it does not work.
        Err(SessionError::Refused {
            code: 1356,
            message,
            ..
        }) => Ok(Some(message)),
        Err(error) => Err(error),
    }
}

/// No such table, database, routine, trigger or event.
fn is_absent(code: u16) -> bool {
    matches!(code, 1146 | 1049 | 1305 | 1360 | 1539)
}

fn canonical_lines(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| without_counter(line.trim().trim_end_matches(',')))
        .collect()
}

/// Removes ` AUTO_INCREMENT=17`: rows move it, no statement does so for good.
fn without_counter(line: &str) -> String {
    const COUNTER: &str = " AUTO_INCREMENT=";
    match line.find(COUNTER) {
        Some(at) if line.starts_with(')') => {
            let digits = line[at + COUNTER.len()..]
                .bytes()
                .take_while(u8::is_ascii_digit)
                .count();
            format!("{}{}", &line[..at], &line[at + COUNTER.len() + digits..])
        }
        _ => line.to_owned(),
    }
}

/// Whether a statement that was begun took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It did not, so it may run.
    NotApplied,
    /// It did.
    Applied,
    /// Some of what it drops is gone and the rest is as before: MariaDB drops one table after the other. This drops the
    /// rest.
    Partly(String),
    /// The database is neither as before nor as after; the text shows how.
    InDoubt(String),
}

/// Compares what was before a statement with what is now. A statement takes effect as one unit (atomic DDL), so a
/// change that can only come from it shows that all of it is there.
#[must_use]
pub fn decide(sql: &str, analysis: &Analysis, before: &Fingerprint, now: &Fingerprint) -> Verdict {
    if before == now {
        return Verdict::NotApplied;
    }
    if before.objects.len() != now.objects.len() || analysis.touched.len() != now.objects.len() {
        return Verdict::InDoubt("the statement's objects are not those of its record".to_owned());
    }
    let mut evidence = Vec::new();
    let mut as_after = true;
    for ((touched, before), now) in analysis
        .touched
        .iter()
        .zip(&before.objects)
        .zip(&now.objects)
    {
        let expected = match touched.after {
            After::Created => {
                now.digest.is_some() && (before.digest.is_none() || before.digest != now.digest)
            }
            After::Dropped => before.digest.is_some() && now.digest.is_none(),
            After::Changed => is_change_of(sql, before, now),
            After::Replaced => before.digest.is_some() == now.digest.is_some(),
        };
        as_after &= expected;
        evidence.push(describe(before, now));
    }
    if as_after {
        Verdict::Applied
    } else if let Some(rest) = rest_of_drop(sql, analysis, before, now) {
        Verdict::Partly(rest)
    } else {
        Verdict::InDoubt(evidence.join("\n"))
    }
}

/// The statement that drops what is left, where everything that a DROP names is either gone or unchanged.
fn rest_of_drop(
    sql: &str,
    analysis: &Analysis,
    before: &Fingerprint,
    now: &Fingerprint,
) -> Option<String> {
    let mut left = Vec::new();
    for ((touched, before), now) in analysis
        .touched
        .iter()
        .zip(&before.objects)
        .zip(&now.objects)
    {
        if touched.after != After::Dropped || before.digest.is_none() {
            return None;
        }
        match &now.digest {
            None => {}
            digest if *digest == before.digest => left.push(touched.object.to_string()),
            Some(_) => return None,
        }
    }
    // `DROP TABLE` or `DROP VIEW`; an object is written with the word table before its name.
    let kind = lexer::executed(sql)
        .find(|token| token.is("TABLE") || token.is("TABLES") || token.is("VIEW"))?;
    let kind = if kind.is("VIEW") { "VIEW" } else { "TABLE" };
    let names: Vec<&str> = left
        .iter()
        .filter_map(|object| object.strip_prefix("table "))
        .collect();
    (names.len() == left.len()).then(|| format!("DROP {kind} {}", names.join(", ")))
}

fn describe(before: &Definition, now: &Definition) -> String {
    match (&before.digest, &now.digest) {
        (None, None) => format!("{} did not exist and does not", before.object),
        (None, Some(_)) => format!("{} did not exist and does now", before.object),
        (Some(_), None) => format!("{} existed and does not now", before.object),
        (Some(one), Some(other)) if one == other => format!("{} is unchanged", before.object),
        (Some(_), Some(_)) => {
            let (gone, new) = difference(before, now);
            let mut text = format!("{} is another:", before.object);
            for (sign, line) in gone
                .iter()
                .map(|line| ('-', line))
                .chain(new.iter().map(|line| ('+', line)))
                .take(12)
            {
                text.push_str(&format!("\n  {sign} {line}"));
            }
            text
        }
    }
}

fn difference<'a>(before: &'a Definition, now: &'a Definition) -> (Vec<&'a str>, Vec<&'a str>) {
    let set = |definition: &'a Definition| {
        definition
            .lines
            .iter()
            .map(String::as_str)
            .collect::<BTreeSet<_>>()
    };
    let (before, now) = (set(before), set(now));
    (
        before.difference(&now).copied().collect(),
        now.difference(&before).copied().collect(),
    )
}

/// Whether every line that changed is one that the statement speaks of.
fn is_change_of(sql: &str, before: &Definition, now: &Definition) -> bool {
    if before.digest.is_none() || now.digest.is_none() || before.digest == now.digest {
        return false;
    }
    let words: BTreeSet<String> = lexer::executed(sql)
        .filter_map(|token| token.name())
        .map(|name| name.to_lowercase())
        .collect();
    let says = |word: &str| words.contains(word);
    // What is no table has one definition, and only the statement that touches it changes it.
    if !before.object.starts_with("table ") {
        return true;
    }
    let (gone, new) = difference(before, now);
    if gone.is_empty() && new.is_empty() {
        return ["first", "after", "rename", "change", "modify"]
            .iter()
            .any(|word| says(word));
    }
    let whole_table = [
        "convert",
        "charset",
        "character",
        "collate",
        "partition",
        "partitioning",
    ]
    .iter()
    .any(|word| says(word));
    gone.iter().chain(&new).all(|line| {
        whole_table
            || line.starts_with(')')
            || line.starts_with("PRIMARY KEY") && says("primary")
            || names_in(line).any(|name| words.contains(&name))
    })
}

/// The names in backticks in a line of SHOW CREATE.
fn names_in(line: &str) -> impl Iterator<Item = String> {
    lexer::executed(line)
        .filter(|token| token.text.starts_with('`'))
        .filter_map(|token| token.name())
        .map(|name| name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::analyse;

    fn print(sql: &str, definitions: &[Option<&str>]) -> Fingerprint {
        let touched = analyse(sql, None).touched;
        let objects = touched
            .iter()
            .zip(definitions)
            .map(|(touched, text)| Definition::new(&touched.object, *text))
            .collect();
        Fingerprint { objects }
    }

    #[track_caller]
    fn check(sql: &str, before: &[Option<&str>], now: &[Option<&str>], expected: &str) {
        let found = match decide(
            sql,
            &analyse(sql, None),
            &print(sql, before),
            &print(sql, now),
        ) {
            Verdict::NotApplied => "not applied".to_owned(),
            Verdict::Applied => "applied".to_owned(),
            Verdict::Partly(rest) => rest,
            Verdict::InDoubt(evidence) => evidence,
        };
        assert_eq!(found, expected, "{sql}");
    }

    const TABLE: &str = "CREATE TABLE `t` (\n  `id` int,\n  `b` int\n) ENGINE=InnoDB";

    #[test]
    fn existence_decides_what_creates_and_drops() {
        check("CREATE TABLE t (id INT)", &[None], &[None], "not applied");
        check(
            "CREATE TABLE t (id INT)",
            &[None],
            &[Some(TABLE)],
            "applied",
        );
        check("DROP TABLE t", &[Some(TABLE)], &[None], "applied");
        check(
            "RENAME TABLE t TO u",
            &[Some(TABLE), None],
            &[None, Some(TABLE)],
            "applied",
        );
        check(
            "RENAME TABLE t TO old, new TO t",
            &[Some(TABLE), None, Some(TABLE)],
            &[Some(TABLE), Some(TABLE), None],
            "applied",
        );
        check(
            "DROP TABLE t, b.u, v",
            &[Some(TABLE), Some("x"), Some("y")],
            &[None, Some("x"), Some("y")],
            "DROP TABLE `b`.`u`, `v`",
        );
        check(
            "DROP TABLE t, u",
            &[Some(TABLE), Some("x")],
            &[None, Some("z")],
            "table `t` existed and does not now\ntable `u` is another:\n  - x\n  + z",
        );
        check(
            "RENAME TABLE t TO u",
            &[Some(TABLE), None],
            &[None, None],
            "table `t` existed and does not now\ntable `u` did not exist and does not",
        );
    }

    #[test]
    fn a_change_counts_only_where_the_statement_speaks_of_it() {
        let with_email = TABLE.replace("`b` int", "`b` int,\n  `email` varchar(255)");
        check(
            "ALTER TABLE t ADD email VARCHAR(255)",
            &[Some(TABLE)],
            &[Some(&with_email)],
            "applied",
        );
        check(
            "ALTER TABLE t ADD name TEXT",
            &[Some(TABLE)],
            &[Some(&with_email)],
            "table `t` is another:\n  + `email` varchar(255)",
        );
        check(
            "ALTER TABLE t MODIFY b INT FIRST",
            &[Some(TABLE)],
            &[Some(
                "CREATE TABLE `t` (\n  `b` int,\n  `id` int\n) ENGINE=InnoDB",
            )],
            "applied",
        );
        check(
            "ALTER TABLE t ENGINE=InnoDB",
            &[Some(TABLE)],
            &[Some(TABLE)],
            "not applied",
        );
    }

    #[test]
    fn a_counter_that_rows_move_is_no_change() {
        let moved = TABLE.replace("ENGINE=InnoDB", "ENGINE=InnoDB AUTO_INCREMENT=17");
        check(
            "ALTER TABLE t ADD name TEXT",
            &[Some(TABLE)],
            &[Some(&moved)],
            "not applied",
        );
    }
}
