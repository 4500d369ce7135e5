//! One migrator at a time: a row with a fencing token, on the database's clock.
//!
//! 1. Who takes the lease raises its token. Every write of the journal names the token that its writer took, so a
//!    migrator that slept through its lease writes nothing.
//! 2. A transaction of data statements begins by renewing the lease, and so holds the row until it commits. Nobody can
//!    take the lease meanwhile, and a commit whose answer was lost is decided as soon as the row can be had.
//! 3. A schema statement cannot be fenced. The next holder looks for it in the process list before it decides.
//! 4. Nobody waits for ever, and nobody frees a lease that is not theirs.

use std::time::Duration;

use crate::error::Error;
use crate::journal::Tables;
use crate::session::{Session, SessionError, Value};

/// Lock wait timeout, and MySQL's and MariaDB's answers to NOWAIT.
const LOCKED: [u16; 2] = [1205, 3572];

/// How a try to take the lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is ours, with this token.
    Ours(i64),
    /// Somebody has it.
    Held {
        owner: String,
        expires_in_seconds: i64,
    },
    /// The answer was lost, or another took it at the same time: try again.
    Again,
}

/// Tries once.
pub(crate) async fn take<S: Session>(
    session: &mut S,
    tables: &Tables,
    owner: &str,
    time: Duration,
) -> Result<Taken, SessionError> {
    session.begin().await?;
    let taken = take_in_transaction(session, tables, owner, time).await;
    match taken {
        Ok(Taken::Ours(token)) => match session.commit().await {
            Ok(()) => Ok(Taken::Ours(token)),
            // If it was committed, the lease is ours under a token that we know, which the next try sees.
            Err(SessionError::Unknown { .. } | SessionError::StillRunning { .. }) => {
                holds(session, tables, owner, token).await
            }
            Err(error @ (SessionError::Refused { .. } | SessionError::NotStarted { .. })) => {
                Err(error)
            }
        },
        other => {
            // Nothing was written, so an answer to the rollback tells nothing.
            drop(session.rollback().await);
            other
        }
    }
}

async fn take_in_transaction<S: Session>(
    session: &mut S,
    tables: &Tables,
    owner: &str,
    time: Duration,
) -> Result<Taken, SessionError> {
    let columns = "owner, token, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at), \
                   owner = '' OR expires_at <= UTC_TIMESTAMP(6)";
    let locked = format!(
        "SELECT {columns} FROM {} WHERE id = 1 FOR UPDATE NOWAIT",
        tables.lease
    );
    let rows = match session.query(&locked, &[]).await {
        Ok(rows) => rows,
        // An open transaction of the holder has the row: it lives.
        Err(SessionError::Refused { code, .. }) if LOCKED.contains(&code) => {
            let seen = format!("SELECT {columns} FROM {} WHERE id = 1", tables.lease);
            let rows = session.query(&seen, &[]).await?;
            return Ok(match rows.first().map(Vec::as_slice) {
                Some([Value::Text(owner), _, Value::Long(seconds), _]) => Taken::Held {
                    owner: owner.clone(),
                    expires_in_seconds: (*seconds).max(0),
                },
                _ => Taken::Again,
            });
        }
        Err(error) => return Err(error),
    };
    let Some(
        [
            Value::Text(holder),
            Value::Long(token),
            Value::Long(seconds),
            free,
        ],
    ) = rows.first().map(Vec::as_slice)
    else {
        return Ok(Taken::Again);
    };
    if matches!(free, Value::Long(0)) {
        return Ok(Taken::Held {
            owner: holder.clone(),
            expires_in_seconds: (*seconds).max(0),
        });
    }
    let next = token + 1;
    let sql = format!(
        "UPDATE {} SET owner = :owner, token = {next}, expires_at = {} WHERE id = 1 AND token = {token}",
        tables.lease,
        expiry(time)
    );
    match session
        .execute(&sql, &[("owner", Value::Text(owner.to_owned()))])
        .await?
    {
        0 => Ok(Taken::Again),
        _ => Ok(Taken::Ours(next)),
    }
}

fn expiry(time: Duration) -> String {
    format!(
        "UTC_TIMESTAMP(6) + INTERVAL {} MICROSECOND",
        time.as_micros()
    )
}

async fn holds<S: Session>(
    session: &mut S,
    tables: &Tables,
    owner: &str,
    token: i64,
) -> Result<Taken, SessionError> {
    let sql = format!(
        "SELECT owner = :owner AND token = {token} FROM {} WHERE id = 1",
        tables.lease
    );
    let rows = session
        .query(&sql, &[("owner", Value::Text(owner.to_owned()))])
        .await?;
    Ok(
        if rows.first().and_then(|row| row.first()) == Some(&Value::Long(1)) {
            Taken::Ours(token)
        } else {
            Taken::Again
        },
    )
}

/// Renews the lease; false when it is no longer ours. Inside a transaction it also keeps the row.
pub(crate) async fn renew<S: Session>(
    session: &mut S,
    tables: &Tables,
    token: i64,
    time: Duration,
) -> Result<bool, SessionError> {
    let sql = format!(
        "UPDATE {} SET expires_at = {} WHERE id = 1 AND token = {token}",
        tables.lease,
        expiry(time)
    );
    Ok(session.execute(&sql, &[]).await? > 0)
}

/// Frees the lease if it is still ours.
pub(crate) async fn free<S: Session>(
    session: &mut S,
    tables: &Tables,
    token: i64,
) -> Result<(), SessionError> {
    let sql = format!(
        "UPDATE {} SET owner = '', expires_at = UTC_TIMESTAMP(6) WHERE id = 1 AND token = {token}",
        tables.lease
    );
    session.execute(&sql, &[]).await.map(drop)
}

/// The error for a lease that was lost, with who has it.
pub(crate) async fn lost<S: Session>(session: &mut S, tables: &Tables) -> Error {
    let sql = format!("SELECT owner FROM {} WHERE id = 1", tables.lease);
    let owner = match session
        .query(&sql, &[])
        .await
        .ok()
        .and_then(|rows| rows.into_iter().next())
        .as_deref()
    {
        Some([Value::Text(owner)]) if !owner.is_empty() => owner.clone(),
        _ => "another migrator".to_owned(),
    };
    Error::LeaseLost { owner }
}
