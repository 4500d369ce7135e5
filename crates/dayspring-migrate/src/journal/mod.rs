//! The journal: what the database itself says of the scripts that were run on it.
//!
//! Three tables of its own, created when there is first something to run. A data statement's row commits with its
//! rows; a schema statement's row is written before it (`started`) and after it. Every write names the fencing token
//! of the lease and touches nothing when another migrator holds it.

mod state;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::digest::Digest;
use crate::error::Error;
use crate::lease::expiry;
use crate::place::cut;
use crate::script::{Phase, Script, ScriptId, Scripts, Statement, Version};
use crate::session::{Row, Session, SessionError, Value, Write};
use crate::statement::quote;

pub use state::{IllegalTransition, State, Step};

/// The layout of the tables that this engine reads and writes.
pub const FORMAT: i64 = 2;

/// The layout before this one: its lease names no connection.
const FORMAT_WITHOUT_CONNECTION: i64 = 1;

/// How much of a statement's text the journal keeps, to show it when it was edited later.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// How much of a script's path the journal keeps.
const NAME_BYTES_MAX: usize = 255;

/// Rows asked for at once: a page stays far below the Data API's 1 MiB for a result.
const PAGE_ROWS: usize = 1000;

/// Texts of edited statements that are fetched; the first refuses the run, more only help to see the pattern.
const EDITED_TEXTS_MAX: usize = 5;

/// The lease's column for the connection over which its holder works.
const CONNECTION: &str = "connection VARCHAR(500) NOT NULL DEFAULT ''";

/// MySQL's "duplicate column name".
const DUPLICATE_COLUMN: u16 = 1060;

/// MySQL's "no database selected".
const NO_DATABASE: u16 = 1046;

/// MySQL's "table doesn't exist".
const NO_SUCH_TABLE: u16 = 1146;

/// The names of the tables, each with its database, because a script may say USE.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) script: String,
    pub(crate) statement: String,
    pub(crate) lease: String,
}

impl Tables {
    pub(crate) fn of(database: &str) -> Self {
        let table = |name: &str| format!("{}.{name}", quote(database));
        Self {
            script: table("dayspring_script"),
            statement: table("dayspring_statement"),
            lease: table("dayspring_lease"),
        }
    }

    /// The statements that bring the tables of format 1 to this one, and those that may be refused because another
    /// migrator was here first, with the error's number.
    pub(crate) fn upgrade(&self) -> [(String, Option<u16>); 2] {
        let Self { lease, .. } = self;
        [
            (
                format!("ALTER TABLE {lease} ADD COLUMN {CONNECTION}"),
                Some(DUPLICATE_COLUMN),
            ),
            (
                format!("UPDATE {lease} SET format = {FORMAT} WHERE id = 1"),
                None,
            ),
        ]
    }

    /// The statements that create what is missing. The lease comes last: where it is, all are.
    pub(crate) fn create(&self) -> Vec<String> {
        const OPTIONS: &str = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
        let Self {
            script,
            statement,
            lease,
        } = self;
        vec![
            format!(
                "CREATE TABLE IF NOT EXISTS {script} (version BIGINT NOT NULL, phase VARCHAR(8) NOT NULL, \
                 name VARCHAR(255) NOT NULL, begun_at DATETIME(6) NOT NULL, PRIMARY KEY (version, phase)) {OPTIONS}"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {statement} (version BIGINT NOT NULL, phase VARCHAR(8) NOT NULL, \
                 position INT NOT NULL, class VARCHAR(8) NOT NULL, line INT NOT NULL, raw_digest CHAR(64) NOT NULL, \
                 digest CHAR(64) NOT NULL, text MEDIUMTEXT NOT NULL, state VARCHAR(8) NOT NULL, detail MEDIUMTEXT, \
                 token BIGINT NOT NULL, changed_at DATETIME(6) NOT NULL, PRIMARY KEY (version, phase, position)) \
                 {OPTIONS}"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {lease} (id INT NOT NULL PRIMARY KEY, format INT NOT NULL, \
                 owner VARCHAR(255) NOT NULL, token BIGINT NOT NULL, expires_at DATETIME(6) NOT NULL, {CONNECTION}) {OPTIONS}"
            ),
            format!("INSERT IGNORE INTO {lease} VALUES (1, {FORMAT}, '', 0, '2000-01-01', '')"),
        ]
    }
}

/// What is recorded of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRecord {
    /// Its place in its script, from 1.
    pub number: usize,
    /// The digest of its tokens when it ran.
    pub digest: Digest,
    /// Its text when it ran, cut where it was very long. Read only where it matters: not for applied statements that
    /// are unchanged.
    pub text: Option<String>,
    /// What is known of its effect.
    pub state: State,
}

/// What is recorded of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScriptRecord {
    /// The file's path; of a file that is gone, what it was when the script was begun.
    pub name: String,
    /// Its statements by number.
    pub statements: BTreeMap<usize, StatementRecord>,
}

impl ScriptRecord {
    /// Whether any of its statements may have changed the database.
    #[must_use]
    pub fn may_have_effect(&self) -> bool {
        self.statements
            .values()
            .any(|record| record.state.may_have_effect())
    }
}

/// The journal of a database, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    /// The database that it describes.
    pub database: String,
    /// Whether the server's own `sql_mode` has NO_BACKSLASH_ESCAPES or ANSI_QUOTES, under which a backslash in a literal is
    /// another thing.
    pub reads_unusually: bool,
    /// Whether its tables are there.
    pub exists: bool,
    /// Whether they have the layout before this engine's, which the next run changes.
    pub outdated: bool,
    /// What is recorded, in the order in which scripts run.
    pub scripts: BTreeMap<ScriptId, ScriptRecord>,
}

impl Journal {
    /// The record of a statement.
    #[must_use]
    pub fn record(&self, id: ScriptId, number: usize) -> Option<&StatementRecord> {
        self.scripts.get(&id)?.statements.get(&number)
    }

    /// The newest script of a phase of which a statement is applied.
    #[must_use]
    pub fn version(&self, phase: Phase) -> Option<Version> {
        let is_applied = |record: &ScriptRecord| {
            record
                .statements
                .values()
                .any(|record| record.state == State::Applied)
        };
        self.scripts
            .iter()
            .rev()
            .find(|(id, record)| id.phase == phase && is_applied(record))
            .map(|(id, _)| id.version)
    }
}

/// Reads the journal: two queries where up to a thousand statements are recorded and no script is gone, and where there is
/// none. The scripts say which recorded texts and names are worth reading.
///
/// # Errors
/// What the session says, no selected database, and a journal of another format.
pub async fn read_journal<S: Session>(
    session: &mut S,
    scripts: &Scripts,
) -> Result<Journal, Error> {
    let sql = "SELECT DATABASE(), @@SESSION.sql_mode, format FROM dayspring_lease WHERE id = 1";
    let rows = match session.query(sql, &[]).await {
        Ok(rows) => rows,
        Err(SessionError::Refused {
            code: NO_SUCH_TABLE | NO_DATABASE,
            ..
        }) => Vec::new(),
        Err(source) => return Err(Error::session("reading the journal", source)),
    };
    let mut journal = Journal::default();
    let format = match rows.first().map(Vec::as_slice) {
        None => {
            (journal.database, journal.reads_unusually) = read_database(session).await?;
            return Ok(journal);
        }
        Some([Value::Text(database), mode, Value::Long(format)]) => {
            journal.database.clone_from(database);
            journal.reads_unusually = is_unusual(mode);
            *format
        }
        Some(other) => {
            return Err(Error::journal(format!("it has the row {other:?}")));
        }
    };
    match format {
        FORMAT => {}
        FORMAT_WITHOUT_CONNECTION => journal.outdated = true,
        other => {
            return Err(Error::journal(format!(
                "its format is {other}, and this engine knows {FORMAT}"
            )));
        }
    }
    journal.exists = true;
    let tables = Tables::of(&journal.database);
    read_statements(session, &tables, &mut journal).await?;
    read_names(session, &tables, &mut journal, scripts).await?;
    read_edited_texts(session, &tables, &mut journal, scripts).await?;
    Ok(journal)
}

async fn read_database<S: Session>(session: &mut S) -> Result<(String, bool), Error> {
    let rows = session
        .query("SELECT DATABASE(), @@SESSION.sql_mode", &[])
        .await
        .map_err(|source| Error::session("asking for the database", source))?;
    match rows.into_iter().next().as_deref() {
        Some([Value::Text(database), mode]) => Ok((database.clone(), is_unusual(mode))),
        Some(_) | None => Err(Error::NoDatabase),
    }
}

/// Whether a `sql_mode` reads quotes or backslashes otherwise than the usual one does.
fn is_unusual(mode: &Value) -> bool {
    let mode = text_of(mode).unwrap_or_default();
    ["NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"]
        .iter()
        .any(|unusual| mode.contains(unusual))
}

async fn read_statements<S: Session>(
    session: &mut S,
    tables: &Tables,
    journal: &mut Journal,
) -> Result<(), Error> {
    let mut after = (-1, String::new(), 0);
    loop {
        // A row comparison would say it in fewer words, and MySQL would not use the key for it.
        let sql = format!(
            "SELECT version, phase, position, digest, state, detail, \
             CASE WHEN state = 'applied' THEN NULL ELSE text END FROM {} \
             WHERE version > :version OR version = :version AND (phase > :phase OR phase = :phase AND position > :position) \
             ORDER BY version, phase, position LIMIT {PAGE_ROWS}",
            tables.statement
        );
        let parameters = [
            ("version", Value::Long(after.0)),
            ("phase", Value::Text(after.1.clone())),
            ("position", Value::Long(after.2)),
        ];
        let rows = session
            .query(&sql, &parameters)
            .await
            .map_err(|source| Error::session("reading the journal", source))?;
        let last_page = rows.len() < PAGE_ROWS;
        for row in rows {
            let (id, record) =
                parse_row(&row).ok_or_else(|| Error::journal(format!("it has the row {row:?}")))?;
            after = (
                id.version.as_i64(),
                id.phase.name().to_owned(),
                position_of(record.number),
            );
            journal
                .scripts
                .entry(id)
                .or_default()
                .statements
                .insert(record.number, record);
        }
        if last_page {
            return Ok(());
        }
    }
}

fn parse_row(row: &Row) -> Option<(ScriptId, StatementRecord)> {
    let [
        Value::Long(version),
        Value::Text(phase),
        Value::Long(position),
        Value::Text(digest),
        Value::Text(state),
        detail,
        text,
    ] = row.as_slice()
    else {
        return None;
    };
    let id = ScriptId {
        version: Version::from_journal(*version)?,
        phase: Phase::parse(phase)?,
    };
    let record = StatementRecord {
        number: usize::try_from(*position).ok()?,
        digest: Digest::parse(digest)?,
        text: text_of(text).map(str::to_owned),
        state: State::parse(state, text_of(detail))?,
    };
    Some((id, record))
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Null | Value::Long(_) => None,
    }
}

/// Names the recorded scripts. The journal's own names are asked for only where a file is gone.
async fn read_names<S: Session>(
    session: &mut S,
    tables: &Tables,
    journal: &mut Journal,
    scripts: &Scripts,
) -> Result<(), Error> {
    let mut is_gone = false;
    for (&id, record) in &mut journal.scripts {
        match scripts.get(id) {
            Some(script) => record.name.clone_from(&script.path),
            None => is_gone = true,
        }
    }
    if !is_gone {
        return Ok(());
    }
    let sql = format!("SELECT version, phase, name FROM {}", tables.script);
    let rows = session
        .query(&sql, &[])
        .await
        .map_err(|source| Error::session("reading the journal", source))?;
    for row in rows {
        let [Value::Long(version), Value::Text(phase), Value::Text(name)] = row.as_slice() else {
            continue;
        };
        if let (Some(version), Some(phase)) = (Version::from_journal(*version), Phase::parse(phase))
            && let Some(record) = journal.scripts.get_mut(&ScriptId { version, phase })
            && record.name.is_empty()
        {
            record.name.clone_from(name);
        }
    }
    Ok(())
}

/// Reads the texts of applied statements that are not those of the scripts.
async fn read_edited_texts<S: Session>(
    session: &mut S,
    tables: &Tables,
    journal: &mut Journal,
    scripts: &Scripts,
) -> Result<(), Error> {
    let mut edited = Vec::new();
    for (&id, record) in &journal.scripts {
        let Some(script) = scripts.get(id) else {
            continue;
        };
        edited.extend(
            record
                .statements
                .values()
                .filter(|record| record.state == State::Applied)
                .filter(|record| {
                    script
                        .statements
                        .get(record.number - 1)
                        .map(|now| now.digest)
                        != Some(record.digest)
                })
                .map(|record| (id, record.number)),
        );
    }
    let sql = format!(
        "SELECT text FROM {} WHERE version = :version AND phase = :phase AND position = :position",
        tables.statement
    );
    for (id, number) in edited.into_iter().take(EDITED_TEXTS_MAX) {
        let parameters = [
            ("version", Value::Long(id.version.as_i64())),
            ("phase", Value::Text(id.phase.name().to_owned())),
            ("position", Value::Long(position_of(number))),
        ];
        let rows = session
            .query(&sql, &parameters)
            .await
            .map_err(|source| Error::session("reading the journal", source))?;
        let text = rows
            .first()
            .and_then(|row| row.first())
            .and_then(text_of)
            .map(str::to_owned);
        let record = journal
            .scripts
            .get_mut(&id)
            .and_then(|script| script.statements.get_mut(&number));
        if let Some(record) = record {
            record.text = text;
        }
    }
    Ok(())
}

fn position_of(number: usize) -> i64 {
    i64::try_from(number)
        .expect("a file's statements are fewer than its bytes, and a file's bytes fit i64")
}

/// A row to write.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) id: ScriptId,
    pub(crate) number: usize,
    pub(crate) class: &'static str,
    pub(crate) line: usize,
    pub(crate) raw_digest: Digest,
    pub(crate) digest: Digest,
    pub(crate) text: &'a str,
    pub(crate) state: State,
}

impl<'a> Entry<'a> {
    pub(crate) fn of(script: &'a Script, statement: &Statement, state: State) -> Self {
        Self {
            id: script.id,
            number: statement.number,
            class: statement.analysis.class.name(),
            line: statement.line,
            raw_digest: statement.raw_digest,
            digest: statement.digest,
            text: script.text_of(statement),
            state,
        }
    }

    /// The row's values as SQL. All but the texts are numbers, hexadecimal digits and words of ours, so they stand in
    /// the statement; a batch of a hundred then needs a hundred parameters and not a thousand.
    fn values(&self, index: usize, token: i64) -> String {
        let detail = match &self.state {
            State::Pending | State::Applied => "NULL".to_owned(),
            State::Started { .. } | State::Failed { .. } | State::InDoubt { .. } => {
                format!(":detail{index}")
            }
        };
        format!(
            "{}, '{}', {}, '{}', {}, '{}', '{}', :text{index}, '{}', {detail}, {token}, UTC_TIMESTAMP(6)",
            self.id.version.number(),
            self.id.phase.name(),
            self.number,
            self.class,
            self.line,
            self.raw_digest,
            self.digest,
            self.state.name(),
        )
    }
}

const COLUMNS: &str = "version, phase, position, class, line, raw_digest, digest, text, state, detail, token, changed_at";

/// The statement that writes rows inside a transaction that already holds the lease's row.
pub(crate) fn replace_in_transaction(tables: &Tables, entries: &[Entry<'_>], token: i64) -> Write {
    let rows: Vec<String> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| format!("({})", entry.values(index, token)))
        .collect();
    Write {
        sql: format!(
            "REPLACE INTO {} ({COLUMNS}) VALUES {}",
            tables.statement,
            rows.join(", ")
        ),
        parameters: parameters(entries),
    }
}

/// The statement that writes down that a script was begun, for messages about it when its file is gone; none when
/// another migrator holds the lease.
pub(crate) fn begin(tables: &Tables, script: &Script, token: i64) -> Write {
    Write {
        sql: format!(
            "REPLACE INTO {} (version, phase, name, begun_at) SELECT {}, '{}', :name, UTC_TIMESTAMP(6) FROM {} \
             WHERE id = 1 AND token = {token}",
            tables.script,
            script.id.version.number(),
            script.id.phase.name(),
            tables.lease,
        ),
        parameters: vec![(
            "name".to_owned(),
            Value::Text(cut(&script.path, NAME_BYTES_MAX).to_owned()),
        )],
    }
}

/// The statement that makes a row that this holder wrote `applied` and renews its lease, both or neither.
pub(crate) fn finish(
    tables: &Tables,
    id: ScriptId,
    number: usize,
    token: i64,
    lease: Duration,
) -> Write {
    let sql = format!(
        "UPDATE {} AS s JOIN {} AS l ON l.id = 1 AND l.token = {token} SET s.state = '{}', s.detail = NULL, \
         s.changed_at = UTC_TIMESTAMP(6), l.expires_at = {} \
         WHERE s.version = {} AND s.phase = '{}' AND s.position = {number} AND s.token = {token}",
        tables.statement,
        tables.lease,
        State::Applied.name(),
        expiry(lease),
        id.version.number(),
        id.phase.name(),
    );
    Write {
        sql,
        parameters: Vec::new(),
    }
}

/// The token of the run that wrote a row.
pub(crate) async fn read_token<S: Session>(
    session: &mut S,
    tables: &Tables,
    id: ScriptId,
    number: usize,
) -> Result<Option<i64>, SessionError> {
    let sql = format!(
        "SELECT token FROM {} WHERE version = {} AND phase = '{}' AND position = {number}",
        tables.statement,
        id.version.number(),
        id.phase.name()
    );
    let rows = session.query(&sql, &[]).await?;
    Ok(match rows.first().and_then(|row| row.first()) {
        Some(Value::Long(token)) => Some(*token),
        Some(Value::Null | Value::Text(_)) | None => None,
    })
}

/// The statement that writes one row by itself, and none when another migrator holds the lease.
pub(crate) fn replace_fenced(tables: &Tables, entry: &Entry<'_>, token: i64) -> Write {
    let sql = format!(
        "REPLACE INTO {} ({COLUMNS}) SELECT {} FROM {} WHERE id = 1 AND token = {token}",
        tables.statement,
        entry.values(0, token),
        tables.lease
    );
    Write {
        sql,
        parameters: parameters(std::slice::from_ref(entry)),
    }
}

fn parameters(entries: &[Entry<'_>]) -> Vec<(String, Value)> {
    let mut parameters = Vec::with_capacity(entries.len() * 2);
    for (index, entry) in entries.iter().enumerate() {
        parameters.push((
            format!("text{index}"),
            Value::Text(cut(entry.text, TEXT_BYTES_MAX).to_owned()),
        ));
        if !matches!(entry.state, State::Pending | State::Applied) {
            let detail = entry.state.detail().map_or(Value::Null, Value::Text);
            parameters.push((format!("detail{index}"), detail));
        }
    }
    parameters
}
