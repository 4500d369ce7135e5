//! One migrator at a time: a row with a fencing token, on the database's clock.
//!
//! 1. Who takes the lease raises its token. Every write of the journal names the token that its writer took, so a
//!    migrator that slept through its lease writes nothing.
//! 2. A transaction of data statements begins by renewing the lease, and so holds the row until it commits. Nobody can
//!    take the lease meanwhile, and a commit whose answer was lost is decided as soon as the row can be had.
//! 3. A schema statement cannot be fenced by a row. Over a connection of its own the holder names that connection in the
//!    lease, before it sends anything over it. The lease is free when the connection has ended and not before, whatever
//!    the time: so a crash costs the next run nothing, a statement of hours keeps its lease, and a holder that was
//!    stopped finds no connection to send over when it wakes up. A holder that is idle past its lease is ended by the
//!    one who waits ([`Connection::end`]). Only after that is the database asked what a begun statement did.
//! 4. Where calls have no connection of their own (the Data API) the time alone frees the lease. The next holder looks
//!    for the statement in the process list and waits for quiet before it decides; the session sees to it that what it
//!    sends late is refused.
//! 5. Nobody waits for ever, and nobody frees a lease that is not theirs.

use std::time::Duration;

use crate::blocker;
use crate::connection::Connection;
use crate::error::Error;
use crate::journal::Tables;
use crate::session::{Session, SessionError, Value};
use crate::statement::{After, Object, ObjectKind, Touched};

/// Lock wait timeout, and MySQL's and MariaDB's answers to NOWAIT.
const LOCKED: [u16; 2] = [1205, 3572];

/// How a try to take the lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is ours, with this token.
    Ours(i64),
    /// Somebody has it.
    Held(Holder),
    /// The answer was lost, or another took it at the same time: try again.
    Again,
}

/// Who has the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) owner: String,
    /// What is left of its time; not above zero when that is over.
    pub(crate) expires_in_seconds: i64,
    /// What names its connection; nothing where it has none of its own.
    pub(crate) over: Option<Connection>,
    token: i64,
}

impl Holder {
    /// The token with which it writes.
    pub(crate) fn token(&self) -> i64 {
        self.token
    }
}

/// Who wants the lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applicant<'a> {
    pub(crate) owner: &'a str,
    pub(crate) time: Duration,
    /// The connection over which it will work; nothing where it has none of its own.
    pub(crate) over: Option<&'a Connection>,
    /// A holder whose connection has ended.
    pub(crate) gone: Option<&'a Holder>,
}

/// Tries once.
pub(crate) async fn take<S: Session>(
    session: &mut S,
    tables: &Tables,
    applicant: Applicant<'_>,
) -> Result<Taken, SessionError> {
    session.begin().await?;
    let taken = take_in_transaction(session, tables, applicant).await;
    match taken {
        Ok(Taken::Ours(token)) => match session.commit().await {
            Ok(()) => Ok(Taken::Ours(token)),
            // If it was committed, the lease is ours under a token that we know, which the next try sees.
            Err(SessionError::Unknown { .. } | SessionError::StillRunning { .. }) => {
                holds(session, tables, applicant.owner, token).await
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
    applicant: Applicant<'_>,
) -> Result<Taken, SessionError> {
    let seen = format!(
        "SELECT owner, token, CAST(CEILING(TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), expires_at) / 1000000) AS SIGNED), \
         connection FROM {} WHERE id = 1",
        tables.lease
    );
    let rows = match session
        .query(&format!("{seen} FOR UPDATE NOWAIT"), &[])
        .await
    {
        Ok(rows) => rows,
        // An open transaction of the holder has the row.
        Err(SessionError::Refused { code, .. }) if LOCKED.contains(&code) => {
            let rows = session.query(&seen, &[]).await?;
            return Ok(match rows.first().and_then(|row| read_holder(row)) {
                // Nobody has it, so somebody is about to: who is seen when that is committed.
                Some(holder) if holder.owner.is_empty() => Taken::Again,
                Some(holder) => Taken::Held(holder),
                None => Taken::Again,
            });
        }
        Err(error) => return Err(error),
    };
    let Some(holder) = rows.first().and_then(|row| read_holder(row)) else {
        return Ok(Taken::Again);
    };
    let is_free = holder.owner.is_empty()
        || match (&holder.over, applicant.gone) {
            (Some(_), gone) => {
                gone.is_some_and(|gone| (gone.token, &gone.over) == (holder.token, &holder.over))
            }
            (None, _) => holder.expires_in_seconds <= 0,
        };
    if !is_free {
        return Ok(Taken::Held(holder));
    }
    let token = holder.token;
    let next = token + 1;
    let sql = format!(
        "UPDATE {} SET owner = :owner, token = {next}, expires_at = {}, connection = :connection \
         WHERE id = 1 AND token = {token}",
        tables.lease,
        expiry(applicant.time)
    );
    let parameters = [
        ("owner", Value::Text(applicant.owner.to_owned())),
        ("connection", Value::Text(named(applicant.over, next))),
    ];
    match session.execute(&sql, &parameters).await? {
        0 => Ok(Taken::Again),
        _ => Ok(Taken::Ours(next)),
    }
}

/// The error of one who cannot take the lease though nobody has it: with who locks its row or its table.
pub(crate) async fn locked<S: Session>(session: &mut S, database: &str) -> Error {
    let lease = Touched {
        object: Object {
            kind: ObjectKind::Table,
            schema: None,
            name: "dayspring_lease".to_owned(),
        },
        after: After::Changed,
    };
    let blockers = blocker::find(session, database, &[lease], None).await;
    Error::LeaseLocked { blockers }
}

fn read_holder(row: &[Value]) -> Option<Holder> {
    let [
        Value::Text(owner),
        Value::Long(token),
        Value::Long(seconds),
        Value::Text(connection),
    ] = row
    else {
        return None;
    };
    let over = connection
        .split_once(' ')
        .filter(|(of, _)| of.parse() == Ok(*token))
        .and_then(|(_, connection)| Connection::parse(connection));
    Some(Holder {
        owner: owner.clone(),
        expires_in_seconds: *seconds,
        over,
        token: *token,
    })
}

/// What the lease's row holds for a connection. The token is in it because the engine of format 1 takes the lease and
/// leaves the connection of the one before it.
fn named(over: Option<&Connection>, token: i64) -> String {
    over.map_or_else(String::new, |over| format!("{token} {over}"))
}

/// Names another connection as the holder's; false when the lease is no longer ours.
pub(crate) async fn move_to<S: Session>(
    session: &mut S,
    tables: &Tables,
    token: i64,
    over: Option<&Connection>,
    time: Duration,
) -> Result<bool, SessionError> {
    let sql = format!(
        "UPDATE {} SET connection = :connection, expires_at = {} WHERE id = 1 AND token = {token}",
        tables.lease,
        expiry(time)
    );
    let connection = Value::Text(named(over, token));
    Ok(session.execute(&sql, &[("connection", connection)]).await? > 0)
}

pub(crate) fn expiry(time: Duration) -> String {
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
        "UPDATE {} SET owner = '', connection = '', expires_at = UTC_TIMESTAMP(6) WHERE id = 1 AND token = {token}",
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
