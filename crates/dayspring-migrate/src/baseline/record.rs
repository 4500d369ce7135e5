//! Writes a baseline: all its rows in one transaction under the lease.

use std::time::Duration;

use super::{Baseline, plan_baseline};
use crate::apply::prepare_journal;
use crate::connection::{Connection, Life};
use crate::error::Error;
use crate::journal::{Entry, State, Tables, read_journal, replace_in_transaction};
use crate::lease::{self, Applicant, Holder, Taken};
use crate::script::{ScriptId, Scripts};
use crate::session::{Session, SessionError, Value};

/// How long the lease holds: twice the Data API's longest call.
const LEASE: Duration = Duration::from_secs(90);

/// How often the lease is tried for when an answer was lost or another took it at the same time.
const TRIES_MAX: u32 = 5;

const PAUSE: Duration = Duration::from_millis(200);

/// Bytes of texts in one statement: the Data API takes 4 MiB for a request.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// Rows in one statement.
const ROWS_MAX: usize = 100;

/// Records every statement of the scripts up to `at` as applied, and gives the number of those that were not. The plan is
/// made again under the lease. Repeating it changes nothing.
///
/// # Errors
/// Another migrator is at work; what [`plan_baseline`] objects to; what the session says. After any of them nothing of the
/// baseline is recorded, or, where the connection was lost for good at the commit, all of it may be: saying it again
/// tells.
pub async fn record_baseline<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    at: ScriptId,
    owner: &str,
) -> Result<usize, Error> {
    let journal = read_journal(session, scripts).await?;
    let tables = Tables::of(&journal.database);
    prepare_journal(session, &tables, &journal).await?;
    let token = take_lease(session, &journal.database, &tables, owner).await?;
    let recorded = record(session, scripts, at, &tables, token).await;
    // What was recorded matters more; a lease that is not freed ends by itself.
    drop(lease::free(session, &tables, token).await);
    recorded
}

async fn take_lease<S: Session>(
    session: &mut S,
    database: &str,
    tables: &Tables,
    owner: &str,
) -> Result<i64, Error> {
    let mut tries = 0;
    let mut gone: Option<Holder> = None;
    loop {
        tries += 1;
        let over = own_connection(session).await;
        let applicant = Applicant {
            owner,
            time: LEASE,
            over: over.as_ref(),
            gone: gone.as_ref(),
        };
        match lease::take(session, tables, applicant).await {
            Ok(Taken::Ours(token)) => return Ok(token),
            Ok(Taken::Held(holder)) => {
                if tries == TRIES_MAX || !has_gone(session, &holder, over.as_ref()).await {
                    return Err(Error::LeaseHeld {
                        expires_in_seconds: holder.expires_in_seconds.max(0),
                        owner: holder.owner,
                    });
                }
                gone = Some(holder);
                continue;
            }
            Ok(Taken::Again) if tries < TRIES_MAX => {}
            Ok(Taken::Again) => {
                return Err(lease::locked(session, database).await);
            }
            Err(source) if tries == TRIES_MAX => {
                return Err(Error::session("taking the lease", source));
            }
            Err(_) => {}
        }
        session.pause(PAUSE).await;
    }
}

/// The session's connection, whose end shows that this process has ended.
async fn own_connection<S: Session>(session: &mut S) -> Option<Connection> {
    let id = session.connection().await.ok()??;
    Connection::of_session(session, id).await.ok()
}

/// Whether a holder's connection has ended, and the holder with it.
async fn has_gone<S: Session>(session: &mut S, holder: &Holder, own: Option<&Connection>) -> bool {
    match (&holder.over, own) {
        (Some(over), Some(own)) => matches!(over.look(session, own).await, Ok(Life::Gone)),
        (Some(_) | None, _) => false,
    }
}

/// Repeats what is certain to be undone or done: where the answer of the commit is lost, the next try waits for the
/// transaction's end at the lease's row, and finds its rows or none.
async fn record<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    at: ScriptId,
    tables: &Tables,
    token: i64,
) -> Result<usize, Error> {
    let mut begun = 0;
    for _ in 1..TRIES_MAX {
        match try_to_record(session, scripts, at, tables, token).await? {
            Tried::Nothing => return Ok(begun),
            Tried::Recorded(count) => return Ok(count),
            Tried::Unknown(count) => begun = count,
        }
        session.pause(PAUSE).await;
    }
    match try_to_record(session, scripts, at, tables, token).await? {
        Tried::Nothing => Ok(begun),
        Tried::Recorded(count) => Ok(count),
        Tried::Unknown(_) => Err(Error::journal("no answer comes to its commit")),
    }
}

/// What became of a try, with the number of statements in it.
enum Tried {
    /// There was nothing left to record.
    Nothing,
    Recorded(usize),
    /// The answer of the commit was lost.
    Unknown(usize),
}

async fn try_to_record<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    at: ScriptId,
    tables: &Tables,
    token: i64,
) -> Result<Tried, Error> {
    let failed = |source| Error::session("writing the journal", source);
    session.begin().await.map_err(failed)?;
    let written = record_in_transaction(session, scripts, at, tables, token).await;
    let count = match written {
        Ok(count) => count,
        Err(error) => {
            drop(session.rollback().await);
            return Err(error);
        }
    };
    if count == 0 {
        drop(session.rollback().await);
        return Ok(Tried::Nothing);
    }
    match session.commit().await {
        Ok(()) => Ok(Tried::Recorded(count)),
        Err(SessionError::Unknown { .. } | SessionError::StillRunning { .. }) => {
            drop(session.rollback().await);
            Ok(Tried::Unknown(count))
        }
        Err(source) => {
            drop(session.rollback().await);
            Err(failed(source))
        }
    }
}

async fn record_in_transaction<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    at: ScriptId,
    tables: &Tables,
    token: i64,
) -> Result<usize, Error> {
    let failed = |source| Error::session("writing the journal", source);
    // The lease's row first: what is read after it is what the transaction before this one left.
    match lease::renew(session, tables, token, LEASE).await {
        Ok(true) => {}
        Ok(false) => return Err(lease::lost(session, tables).await),
        Err(source) => return Err(failed(source)),
    }
    let journal = read_journal(session, scripts).await?;
    let baseline = plan_baseline(scripts, &journal, at).map_err(Box::new)?;
    write(session, scripts, &baseline, tables, token)
        .await
        .map_err(failed)?;
    Ok(baseline.statements.len())
}

async fn write<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    baseline: &Baseline,
    tables: &Tables,
    token: i64,
) -> Result<(), SessionError> {
    let of_baseline = scripts
        .iter()
        .filter(|script| baseline.statements.iter().any(|(id, _)| *id == script.id));
    for script in of_baseline {
        let sql = format!(
            "REPLACE INTO {} (version, phase, name, begun_at) VALUES ({}, '{}', :name, UTC_TIMESTAMP(6))",
            tables.script,
            script.id.version.number(),
            script.id.phase.name()
        );
        let name = crate::place::cut(&script.path, 255).to_owned();
        session
            .execute(&sql, &[("name", Value::Text(name))])
            .await?;
    }
    let mut entries = Vec::new();
    let mut bytes = 0;
    for &(id, number) in &baseline.statements {
        let Some(script) = scripts.get(id) else {
            continue;
        };
        let Some(statement) = script.statements.get(number - 1) else {
            continue;
        };
        let entry = Entry::of(script, statement, State::Applied);
        if entries.len() == ROWS_MAX || bytes + entry.text.len() > TEXT_BYTES_MAX {
            write_rows(session, tables, &entries, token).await?;
            entries.clear();
            bytes = 0;
        }
        bytes += entry.text.len();
        entries.push(entry);
    }
    write_rows(session, tables, &entries, token).await
}

async fn write_rows<S: Session>(
    session: &mut S,
    tables: &Tables,
    entries: &[Entry<'_>],
    token: i64,
) -> Result<(), SessionError> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows = replace_in_transaction(tables, entries, token);
    session
        .execute(&rows.sql, &rows.parameters())
        .await
        .map(drop)
}
