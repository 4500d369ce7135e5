//! The histories that other migration tools keep, as their sources create the tables: flyway `CreateTable` for MySQL,
//! `sqlx-mysql/src/migrate.rs`, `refinery_core/src/traits/mod.rs`, dbmate `pkg/driver/mysql/mysql.go`, golang-migrate
//! `database/mysql/mysql.go`, alembic `runtime/migration.py`. They are only read.

use super::Objection;
use crate::error::Error;
use crate::session::{Row, Session, SessionError, Value};
use crate::statement::quote;

/// A table that does not exist, and a column that does not.
const NO_SUCH_TABLE: u16 = 1146;
const NO_SUCH_COLUMN: u16 = 1054;

/// A tool whose history can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Flyway.
    Flyway,
    /// sqlx-cli and `sqlx::migrate!`.
    Sqlx,
    /// refinery.
    Refinery,
    /// dbmate.
    Dbmate,
    /// golang-migrate.
    GolangMigrate,
    /// Alembic.
    Alembic,
}

/// What a row of a history stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One migration.
    One,
    /// All migrations up to this one.
    UpTo,
    /// No numbered migration (Flyway's repeatable ones and its marker for a schema that it created).
    Nothing,
}

/// A row of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The migration's number or revision, as the tool writes it.
    pub version: String,
    /// What the tool calls it beside that.
    pub name: String,
    /// What the row stands for.
    pub reach: Reach,
}

/// A history without failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Whose it is.
    pub tool: Tool,
    /// What it says is applied.
    pub entries: Vec<Entry>,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Flyway,
        Self::Sqlx,
        Self::Refinery,
        Self::Dbmate,
        Self::GolangMigrate,
        Self::Alembic,
    ];

    /// Its name, as a command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flyway => "flyway",
            Self::Sqlx => "sqlx",
            Self::Refinery => "refinery",
            Self::Dbmate => "dbmate",
            Self::GolangMigrate => "golang-migrate",
            Self::Alembic => "alembic",
        }
    }

    /// Its table.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Flyway => "flyway_schema_history",
            Self::Sqlx => "_sqlx_migrations",
            Self::Refinery => "refinery_schema_history",
            Self::Dbmate | Self::GolangMigrate => "schema_migrations",
            Self::Alembic => "alembic_version",
        }
    }

    /// Three columns: number, name, and what its reading needs besides; and their order.
    fn columns(self) -> &'static str {
        match self {
            Self::Flyway => {
                "version, description, CONCAT(type, ' ', success), installed_rank, script FROM {} ORDER BY installed_rank"
            }
            Self::Sqlx => {
                "version, description, CONCAT('', success), installed_on FROM {} ORDER BY version"
            }
            Self::Refinery => "version, name, '', applied_on FROM {} ORDER BY version",
            Self::Dbmate => "version, '', '' FROM {} ORDER BY version",
            Self::GolangMigrate => "version, '', CONCAT('', dirty) FROM {} ORDER BY version",
            Self::Alembic => "version_num, '', '' FROM {} ORDER BY version_num",
        }
    }

    fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Flyway => &[
                "version",
                "description",
                "type and success",
                "installed_rank",
                "script",
            ],
            Self::Sqlx => &["version", "description", "success", "installed_on"],
            Self::Refinery => &["version", "name", "", "applied_on"],
            Self::Dbmate | Self::Alembic => &["version"],
            Self::GolangMigrate => &["version", "", "dirty"],
        }
    }
}

/// Reads a tool's history from a database.
///
/// # Errors
/// There is none, or it has a migration that failed or is dirty; what the session says.
pub async fn read_history<S: Session>(
    session: &mut S,
    database: &str,
    tool: Tool,
) -> Result<History, Error> {
    let missing = |problem| {
        Error::from(Box::new(Objection::NoHistory {
            tool: tool.name(),
            table: tool.table(),
            problem,
        }))
    };
    let table = format!("{}.{}", quote(database), tool.table());
    if tool == Tool::Dbmate && has_column(session, &table, "dirty").await? {
        return Err(missing("is golang-migrate's"));
    }
    let sql = format!("SELECT {}", tool.columns().replace("{}", &table));
    let rows = match session.query(&sql, &[]).await {
        Ok(rows) => rows,
        Err(SessionError::Refused {
            code: NO_SUCH_TABLE,
            ..
        }) => return Err(missing("does not exist")),
        Err(SessionError::Refused {
            code: NO_SUCH_COLUMN,
            ..
        }) => return Err(missing("is another tool's")),
        Err(source) => return Err(reading(source)),
    };
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        add(tool, row, &mut entries).map_err(Box::new)?;
    }
    if entries.is_empty() {
        return Err(missing("says that nothing is applied"));
    }
    Ok(History { tool, entries })
}

fn reading(source: SessionError) -> Error {
    Error::session("reading the history", source)
}

async fn has_column<S: Session>(session: &mut S, table: &str, column: &str) -> Result<bool, Error> {
    let sql = format!("SHOW COLUMNS FROM {table} LIKE '{column}'");
    match session.query(&sql, &[]).await {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(SessionError::Refused {
            code: NO_SUCH_TABLE,
            ..
        }) => Ok(false),
        Err(source) => Err(reading(source)),
    }
}

/// Adds what a row says to what those before it said.
fn add(tool: Tool, row: &Row, entries: &mut Vec<Entry>) -> Result<(), Objection> {
    let (version, name, more) = (text(row, 0), text(row, 1), text(row, 2));
    let objection = |problem| Objection::NotClean {
        tool: tool.name(),
        problem,
        row: shown(tool, row),
    };
    let entry = |reach| Entry {
        version: version.clone(),
        name: name.clone(),
        reach,
    };
    match tool {
        Tool::Flyway => {
            let (kind, success) = more.rsplit_once(' ').unwrap_or((&more, "0"));
            if success != "1" {
                return Err(objection("failed"));
            }
            match kind {
                // Flyway's `repair` and `undo` add a row that takes an earlier one back.
                kind if kind == "DELETE" || kind.starts_with("UNDO") => {
                    entries.retain(|earlier| earlier.version != version);
                }
                kind if kind.contains("BASELINE") => entries.push(entry(Reach::UpTo)),
                _ if version.is_empty() => entries.push(entry(Reach::Nothing)),
                _ => entries.push(entry(Reach::One)),
            }
        }
        Tool::Sqlx if more != "1" => return Err(objection("failed or is still running")),
        Tool::GolangMigrate if more != "0" => return Err(objection("is dirty")),
        Tool::Sqlx | Tool::Refinery | Tool::Dbmate => entries.push(entry(Reach::One)),
        Tool::GolangMigrate | Tool::Alembic => entries.push(entry(Reach::UpTo)),
    }
    Ok(())
}

fn shown(tool: Tool, row: &Row) -> String {
    let cells: Vec<String> = tool
        .labels()
        .iter()
        .enumerate()
        .filter(|(_, label)| !label.is_empty())
        .map(|(at, label)| format!("{label} `{}`", text(row, at)))
        .collect();
    cells.join(", ")
}

fn text(row: &Row, at: usize) -> String {
    match row.get(at) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Long(number)) => number.to_string(),
        Some(Value::Null) | None => String::new(),
    }
}
