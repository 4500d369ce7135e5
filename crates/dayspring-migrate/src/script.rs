//! A set of scripts: files `v<N>[_name].sql` and `v<N>[_name].contract.sql`, checked and cut into statements.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::digest::Digest;
use crate::place::Place;
use crate::split::{Reading, SplitError, readings, split};
use crate::statement::{Analysis, Object, ObjectKind, analyse, parse_directive, used_database};

/// The number of a script: the N of `vN.sql`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// A version that the journal holds.
    pub(crate) fn from_journal(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }

    /// The number. It fits a signed 64-bit column, because [`ScriptId::parse`] sees to it.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    pub(crate) fn as_i64(self) -> i64 {
        i64::try_from(self.0).expect("versions are parsed as i64 or smaller")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// When a script runs in a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before the new code is live.
    Expand,
    /// After it is (`vN.contract.sql`).
    Contract,
}

impl Phase {
    /// The word for it, as the journal has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Contract => "contract",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "expand" => Some(Self::Expand),
            "contract" => Some(Self::Contract),
            _ => None,
        }
    }
}

/// What names a script in the journal: renaming `v3_a.sql` to `v3_b.sql` changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScriptId {
    /// Its number.
    pub version: Version,
    /// When it runs.
    pub phase: Phase,
}

impl ScriptId {
    /// Reads a file's name.
    #[must_use]
    pub fn parse(file_name: &str) -> Option<Self> {
        let stem = file_name.strip_suffix(".sql")?;
        let (stem, phase) = match stem.strip_suffix(".contract") {
            Some(stem) => (stem, Phase::Contract),
            None => (stem, Phase::Expand),
        };
        let numbered = stem.strip_prefix('v')?;
        let (digits, name) = numbered.split_once('_').unwrap_or((numbered, "x"));
        let digits_only = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !digits_only || name.is_empty() || name.contains('.') {
            return None;
        }
        let number: i64 = digits.parse().ok()?;
        Some(Self {
            version: Version::from_journal(number)?,
            phase,
        })
    }
}

impl fmt::Display for ScriptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.phase {
            Phase::Expand => write!(f, "{}", self.version),
            Phase::Contract => write!(f, "{}.contract", self.version),
        }
    }
}

/// A statement of a script.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its place in the script, from 1.
    pub number: usize,
    /// Its bytes in the file.
    pub span: Range<usize>,
    /// The line of its first byte, from 1.
    pub line: usize,
    /// How it takes effect and what it touches.
    pub analysis: Analysis,
    /// How its literals are read.
    pub reading: Reading,
    /// The digest that decides whether a statement is still the same: of its tokens.
    pub digest: Digest,
    /// The digest of its bytes, for information.
    pub raw_digest: Digest,
}

/// A script: a file, checked.
#[derive(Debug, Clone)]
pub struct Script {
    /// What names it in the journal.
    pub id: ScriptId,
    /// The file, as messages name it.
    pub path: String,
    /// The whole file.
    pub text: String,
    /// Its statements; at least one.
    pub statements: Vec<Statement>,
}

impl Script {
    /// The text of one of its statements.
    #[must_use]
    pub fn text_of(&self, statement: &Statement) -> &str {
        &self.text[statement.span.clone()]
    }

    /// Where a statement stands.
    #[must_use]
    pub fn place_of(&self, statement: &Statement) -> Place {
        Place::new(&self.path, &self.text, statement.span.clone())
    }
}

/// A set of scripts, ordered by number.
///
/// ```
/// use dayspring_migrate::Scripts;
///
/// let files = [("v10.sql", "SELECT 10;"), ("v2_users.sql", "SELECT 2; SELECT 3;")];
/// let scripts = Scripts::parse("scripts/schema", files)?;
/// let paths: Vec<&str> = scripts.iter().map(|script| script.path.as_str()).collect();
/// assert_eq!(paths, ["scripts/schema/v2_users.sql", "scripts/schema/v10.sql"]);
/// # Ok::<(), dayspring_migrate::ScriptError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scripts {
    by_id: BTreeMap<ScriptId, Script>,
}

impl Scripts {
    /// Checks files and cuts them. `folder` stands before each name in messages (`scripts/schema`). Files that do not
    /// end in `.sql` are passed over.
    ///
    /// # Errors
    /// The first file, in the order of their names, that is no script.
    pub fn parse<N: AsRef<str>, B: AsRef<[u8]>>(
        folder: &str,
        files: impl IntoIterator<Item = (N, B)>,
    ) -> Result<Self, ScriptError> {
        let mut files: Vec<(N, B)> = files
            .into_iter()
            .filter(|(name, _)| name.as_ref().ends_with(".sql"))
            .collect();
        files.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
        let mut by_id: BTreeMap<ScriptId, Script> = BTreeMap::new();
        for (name, bytes) in &files {
            let script = parse_script(folder, name.as_ref(), bytes.as_ref())?;
            if let Some(other) = by_id.get(&script.id) {
                return Err(ScriptError::DuplicateNumber {
                    path: script.path,
                    other: other.path.clone(),
                });
            }
            by_id.insert(script.id, script);
        }
        Ok(Self { by_id })
    }

    /// The scripts in the order in which they run.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Script> {
        self.by_id.values()
    }

    /// The scripts of one phase in the order in which they run.
    pub fn of_phase(&self, phase: Phase) -> impl DoubleEndedIterator<Item = &Script> {
        self.iter().filter(move |script| script.id.phase == phase)
    }

    /// The first statement that says by its name that it works in another database than this one, or on a database as a
    /// whole. What a routine does when it is called it does not say.
    #[must_use]
    pub fn first_outside(&self, database: &str) -> Option<Place> {
        let is_outside = |object: &Object| {
            object.kind == ObjectKind::Database
                || object
                    .schema
                    .as_ref()
                    .is_some_and(|schema| schema != database)
        };
        self.iter().find_map(|script| {
            let outside = script.statements.iter().find(|statement| {
                let Analysis {
                    touched, written, ..
                } = &statement.analysis;
                let mut objects = touched.iter().map(|touched| &touched.object).chain(written);
                objects.any(is_outside)
                    || used_database(script.text_of(statement)).is_some_and(|used| used != database)
            });
            outside.map(|statement| script.place_of(statement))
        })
    }

    /// A script.
    #[must_use]
    pub fn get(&self, id: ScriptId) -> Option<&Script> {
        self.by_id.get(&id)
    }
}

fn parse_script(folder: &str, name: &str, bytes: &[u8]) -> Result<Script, ScriptError> {
    let folder = folder.trim_end_matches('/');
    let path = if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    };
    let Some(id) = ScriptId::parse(name) else {
        return Err(ScriptError::Name { path });
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
            return Err(ScriptError::NotUtf8 { path, line });
        }
    };
    let spans = match split(&text) {
        Ok(spans) => spans,
        Err(source) => {
            let place = Place::new(&path, &text, source.start..source.end);
            return Err(ScriptError::Split {
                place: Box::new(place),
                source,
            });
        }
    };
    let mut statements = Vec::with_capacity(spans.len());
    let mut gap = 0;
    let readings = readings(&text, &spans);
    for ((index, span), reading) in spans.iter().enumerate().zip(readings) {
        let sql = &text[span.start..span.end];
        let directive =
            parse_directive(&text[gap..span.end]).map_err(|found| ScriptError::Directive {
                place: Box::new(Place::new(&path, &text, span.start..span.end)),
                found,
            })?;
        gap = span.end;
        statements.push(Statement {
            number: index + 1,
            span: span.start..span.end,
            line: span.line,
            analysis: analyse(sql, directive.as_ref()),
            reading,
            digest: match reading {
                Reading::OfServer | Reading::Usual => Digest::of_tokens(sql),
                Reading::Unusual => Digest::of_unusual(sql),
            },
            raw_digest: Digest::of_bytes(sql.as_bytes()),
        });
    }
    if statements.is_empty() {
        return Err(ScriptError::Empty { path });
    }
    Ok(Script {
        id,
        path,
        text,
        statements,
    })
}

/// Why a file is no script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The name does not say its number.
    #[error("`{path}` does not name a version")]
    Name {
        /// The file.
        path: String,
    },
    /// Two files have one number.
    #[error("`{path}` and `{other}` have the same number")]
    DuplicateNumber {
        /// The later file by name.
        path: String,
        /// The earlier one.
        other: String,
    },
    /// There is no statement in it.
    #[error("`{path}` holds no statement")]
    Empty {
        /// The file.
        path: String,
    },
    /// Its bytes are no UTF-8.
    #[error("`{path}` is not UTF-8 at line {line}")]
    NotUtf8 {
        /// The file.
        path: String,
        /// The first line that is not.
        line: usize,
    },
    /// It cannot be cut into statements.
    #[error("{source}")]
    Split {
        /// Where.
        place: Box<Place>,
        /// Why.
        source: SplitError,
    },
    /// A comment `-- dayspring: ...` says something unknown.
    #[error("`{found}` is no directive")]
    Directive {
        /// The statement that it is about.
        place: Box<Place>,
        /// The line.
        found: String,
    },
    /// The folder or a file in it cannot be read.
    #[error("`{path}` cannot be read: {message}")]
    Read {
        /// The folder or file.
        path: String,
        /// The system's words.
        message: String,
    },
}

impl ScriptError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Name { .. } => "name it `v<N>.sql`, `v<N>_name.sql` or `v<N>_name.contract.sql`, as in `v4_add_email.sql`".to_owned(),
            Self::DuplicateNumber { .. } => "give the newer one the next free number".to_owned(),
            Self::Empty { .. } => "write a statement, or delete the file".to_owned(),
            Self::NotUtf8 { .. } => "save the file as UTF-8".to_owned(),
            Self::Split { source, .. } => source.kind.help().to_owned(),
            Self::Directive { .. } => "write `-- dayspring: idempotent` or `-- dayspring: verify SELECT ...`".to_owned(),
            Self::Read { .. } => "check that it exists and may be read".to_owned(),
        }
    }

    /// Where it is, if it is at a place in a file.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Split { place, .. } | Self::Directive { place, .. } => Some(place),
            Self::Name { .. }
            | Self::DuplicateNumber { .. }
            | Self::Empty { .. }
            | Self::NotUtf8 { .. }
            | Self::Read { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(files: &[(&str, &[u8])], expected: &str) {
        let error = Scripts::parse("s/", files.iter().copied()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!error.help().is_empty());
    }

    #[test]
    fn scripts_run_in_the_order_of_their_numbers() {
        let files = [
            "v10.sql",
            "v2.sql",
            "v9_nine.sql",
            "v2.contract.sql",
            "readme.md",
            "v0011_x_y.sql",
        ];
        let scripts = Scripts::parse("", files.map(|name| (name, "SELECT 1"))).unwrap();
        let order: Vec<_> = scripts.iter().map(|script| script.path.as_str()).collect();
        assert_eq!(
            order,
            [
                "v2.sql",
                "v2.contract.sql",
                "v9_nine.sql",
                "v10.sql",
                "v0011_x_y.sql"
            ]
        );
        assert_eq!(scripts.of_phase(Phase::Contract).count(), 1);
    }

    #[test]
    fn a_file_that_is_no_script_is_named() {
        check_refused(
            &[("V1__a.sql", b"SELECT 1")],
            "`s/V1__a.sql` does not name a version",
        );
        check_refused(
            &[("v.sql", b"SELECT 1")],
            "`s/v.sql` does not name a version",
        );
        check_refused(
            &[("v1_.sql", b"SELECT 1")],
            "`s/v1_.sql` does not name a version",
        );
        check_refused(
            &[("v99999999999999999999.sql", b"SELECT 1")],
            "`s/v99999999999999999999.sql` does not name a version",
        );
        check_refused(
            &[("v1.sql", b"SELECT 1"), ("v01_a.sql", b"SELECT 1")],
            "`s/v1.sql` and `s/v01_a.sql` have the same number",
        );
        check_refused(
            &[("v1.sql", b" -- nothing\n")],
            "`s/v1.sql` holds no statement",
        );
        check_refused(
            &[("v1.sql", b"SELECT 1;\nSELECT '\xff'")],
            "`s/v1.sql` is not UTF-8 at line 2",
        );
        check_refused(
            &[("v1.sql", b"SELECT 'a")],
            "the text that begins with `'` is never closed",
        );
        check_refused(
            &[("v1.sql", b"-- dayspring: twice\nSELECT 1")],
            "`-- dayspring: twice` is no directive",
        );
    }

    #[test]
    fn a_statement_that_works_elsewhere_is_found_by_its_names() {
        let first = |sql: &str| {
            let sql = format!("SELECT 1 FROM other.t;\n{sql}");
            let scripts = Scripts::parse("", [("v1.sql", sql)]).unwrap();
            scripts.first_outside("blog").map(|place| place.line)
        };
        for inside in ["USE blog", "INSERT INTO blog.t VALUES (1)", "DROP TABLE t"] {
            assert_eq!(first(inside), None, "{inside}");
        }
        for outside in [
            "USE `other`",
            "INSERT INTO other.t VALUES (1)",
            "UPDATE t JOIN other.u SET n = 1",
            "DROP TABLE IF EXISTS t, other.t",
            "ALTER TABLE t RENAME TO other.t",
            "CREATE DATABASE IF NOT EXISTS blog",
        ] {
            assert_eq!(first(outside), Some(2), "{outside}");
        }
    }

    #[test]
    fn a_directive_belongs_to_the_statement_after_it() {
        let text = "TRUNCATE a;\n-- dayspring: idempotent\nTRUNCATE b;\nTRUNCATE c;";
        let scripts = Scripts::parse("", [("v1.sql", text)]).unwrap();
        let script = scripts.iter().next().unwrap();
        let decided: Vec<bool> = script
            .statements
            .iter()
            .map(|statement| {
                statement.analysis.class == crate::Class::Schema(crate::Recovery::Idempotent)
            })
            .collect();
        assert_eq!(decided, [false, true, false]);
    }
}
