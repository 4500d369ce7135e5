//! What the rules are told besides the scripts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::algorithm::AlgorithmClass;
use crate::journal::{Journal, State};
use crate::script::{ScriptId, Scripts};

/// What the rules are told besides the scripts. `LintContext::default()` is right for a project without a database at
/// hand: Aurora MySQL 3 through the Data API, and the newest script is what is about to run.
#[derive(Debug, Clone)]
pub struct LintContext {
    /// Which statements ran already: no rule says anything about them, but the tables that they made are known.
    pub applied: Applied,
    /// The server that the scripts are for.
    pub target: Target,
    /// The longest statement that reaches the server, in bytes. The Data API takes a request of 4 MiB
    /// (docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html, 'Limitations'); nothing for a direct
    /// connection.
    pub statement_bytes_max: Option<usize>,
    /// How large tables are, by name in lower case; a table that is not in it may have any size.
    pub table_sizes: BTreeMap<String, TableSize>,
    /// What a project makes of rules, by their names: less or more than they are by themselves.
    pub levels: BTreeMap<&'static str, Level>,
    /// What a server answered when it was asked how it would carry a statement out; see [`questions`](super::questions).
    pub measured: BTreeMap<(ScriptId, usize), Measured>,
}

impl Default for LintContext {
    fn default() -> Self {
        Self {
            applied: Applied::AllButNewest,
            target: Target::AURORA_MYSQL_3,
            statement_bytes_max: Some(4 * 1024 * 1024),
            table_sizes: BTreeMap::new(),
            levels: BTreeMap::new(),
            measured: BTreeMap::new(),
        }
    }
}

/// How large a table is, as its server estimates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableSize {
    /// Its rows.
    pub rows: u64,
    /// Its rows and its indexes, in bytes.
    pub bytes: u64,
}

impl TableSize {
    /// Its bytes in words: `340 MiB`.
    pub(super) fn amount(self) -> String {
        match self.bytes {
            bytes if bytes < 1 << 20 => format!("{} KiB", bytes >> 10),
            bytes if bytes < 10 << 30 => format!("{} MiB", bytes >> 20),
            bytes => format!("{} GiB", bytes >> 30),
        }
    }
}

impl fmt::Display for TableSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.rows == 1 { "" } else { "s" };
        write!(f, "about {} row{plural} in {}", self.rows, self.amount())
    }
}

/// What a project makes of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It says nothing.
    Allow,
    /// What it finds is a warning.
    Warn,
    /// What it finds is an error.
    Deny,
}

/// Which statements ran already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// All but those of the scripts with the highest number.
    AllButNewest,
    /// Of each script, so many from its beginning; of a script that is not in it, none.
    Counted(BTreeMap<ScriptId, usize>),
}

impl Applied {
    /// Nothing ran: all scripts are looked at, and every table is a new one.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Counted(BTreeMap::new())
    }

    /// These scripts ran, as when they are on the main branch already.
    pub fn scripts(ids: impl IntoIterator<Item = ScriptId>) -> Self {
        Self::Counted(ids.into_iter().map(|id| (id, usize::MAX)).collect())
    }

    /// What a journal says.
    #[must_use]
    pub fn of(journal: &Journal) -> Self {
        let count = |id: &ScriptId| {
            journal.scripts[id]
                .statements
                .values()
                .filter(|record| record.state == State::Applied)
                .count()
        };
        Self::Counted(journal.scripts.keys().map(|id| (*id, count(id))).collect())
    }

    pub(super) fn is_pending(&self, scripts: &Scripts, id: ScriptId, number: usize) -> bool {
        match self {
            Self::AllButNewest => {
                let newest = scripts.iter().next_back().map(|script| script.id.version);
                newest == Some(id.version)
            }
            Self::Counted(counts) => number > counts.get(&id).copied().unwrap_or(0),
        }
    }
}

/// A server's kind and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// MySQL, or an Aurora MySQL that is compatible with that version.
    MySql(MySqlVersion),
    /// MariaDB. The rules about what only MariaDB understands are silent.
    MariaDb,
}

impl Target {
    /// Aurora MySQL 3.08, the first that pauses at 0 ACU; it is compatible with MySQL 8.0.39
    /// (docs.aws.amazon.com/AmazonRDS/latest/AuroraMySQLReleaseNotes, 'Aurora MySQL version 3').
    pub const AURORA_MYSQL_3: Self = Self::MySql(MySqlVersion::new(8, 0, 39));

    /// Whether it is a MySQL before the version.
    pub(super) fn is_before(self, major: u16, minor: u16, patch: u16) -> bool {
        match self {
            Self::MySql(version) => version < MySqlVersion::new(major, minor, patch),
            Self::MariaDb => false,
        }
    }

    pub(super) fn is_mysql(self) -> bool {
        matches!(self, Self::MySql(_))
    }
}

/// A text that names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no server; expected `aurora`, `mariadb`, `mysql` or a version such as `8.0.39`"
)]
pub struct TargetError(String);

/// Reads `aurora`, `mariadb`, `mysql`, or what `SELECT VERSION()` answers: `8.0.39`, `10.11.19-MariaDB-deb12`.
impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let lower = text.to_ascii_lowercase();
        if lower.contains("mariadb") {
            return Ok(Self::MariaDb);
        }
        if lower == "aurora" || lower == "mysql" {
            return Ok(Self::AURORA_MYSQL_3);
        }
        let digits = lower.strip_prefix("mysql:").unwrap_or(&lower);
        let end = digits
            .find(|char: char| !char.is_ascii_digit() && char != '.')
            .unwrap_or(digits.len());
        let mut parts = digits[..end].split('.').map(str::parse);
        let mut part = || match parts.next() {
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(TargetError(text.to_owned())),
            None => Ok(None),
        };
        let Some(major) = part()? else {
            return Err(TargetError(text.to_owned()));
        };
        let (minor, patch) = (part()?.unwrap_or(0), part()?.unwrap_or(0));
        Ok(Self::MySql(MySqlVersion::new(major, minor, patch)))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(version) => write!(f, "MySQL {version}"),
            Self::MariaDb => f.write_str("MariaDB"),
        }
    }
}

/// A version of MySQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MySqlVersion {
    major: u16,
    minor: u16,
    patch: u16,
}

impl MySqlVersion {
    /// Version `major.minor.patch`.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    pub(super) fn is_of_series(self, other: Self) -> bool {
        (self.major, self.minor) == (other.major, other.minor)
    }
}

impl fmt::Display for MySqlVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a server answered when it was asked how it would carry a statement out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The cheapest algorithm that it accepted.
    pub class: AlgorithmClass,
    /// Whether it lets others write to the table meanwhile.
    pub lets_write: bool,
    /// The server's name and version, as findings show it: `MariaDB 10.11.19`.
    pub server: String,
    /// Whether that server is of the same kind and version as the one that the scripts are for. If not, its answer is
    /// shown, and the manual decides.
    pub decides: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_kind_or_its_version() {
        let read = |text: &str| text.parse::<Target>().map(|target| target.to_string());
        assert_eq!(read("aurora").unwrap(), "MySQL 8.0.39");
        assert_eq!(read("10.11.19-MariaDB-deb12").unwrap(), "MariaDB");
        assert_eq!(read("8.4").unwrap(), "MySQL 8.4.0");
        assert_eq!(read("mysql:8.0.28").unwrap(), "MySQL 8.0.28");
        assert_eq!(read("8.0.36-0ubuntu0.22.04.1").unwrap(), "MySQL 8.0.36");
        assert_eq!(
            read("oracle").unwrap_err().to_string(),
            "`oracle` names no server; expected `aurora`, `mariadb`, `mysql` or a version such as `8.0.39`"
        );
        assert!(read("8..1").is_err() && read("").is_err());
    }
}
