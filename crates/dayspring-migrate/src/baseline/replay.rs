//! Runs on an empty database what is applied elsewhere, in the order in which it was.

use std::borrow::Cow;

use super::Objection;
use crate::error::Error;
use crate::journal::{Journal, State, Tables};
use crate::place::Place;
use crate::script::{ScriptId, Scripts, Version};
use crate::session::{Session, SessionError, Value};
use crate::statement::Class;
use crate::{Phase, Script, Statement};

/// Rows asked for at once.
const PAGE_ROWS: usize = 1000;

/// Statements in the order in which they run: script and number.
pub type Sequence = Vec<(ScriptId, usize)>;

/// A data statement that the scratch server refused, as one that needs rows which a program wrote. The schema does not
/// depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The statement.
    pub place: Place,
    /// Why.
    pub error: SessionError,
}

/// The statements that the journal says are applied, in the order in which they were: a script can be continued after
/// later ones were begun.
///
/// # Errors
/// What the session says, and an applied statement that the scripts do not have.
pub async fn applied_sequence<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    journal: &Journal,
) -> Result<Sequence, Error> {
    if !journal.exists {
        return Ok(Sequence::new());
    }
    for (id, record) in &journal.scripts {
        let script = scripts.get(*id);
        let known = script.map_or(0, |script| script.statements.len());
        let is_ahead = record
            .statements
            .values()
            .any(|record| record.state == State::Applied && record.number > known);
        if is_ahead {
            let name = script.map_or_else(|| record.name.clone(), |script| script.path.clone());
            return Err(Box::new(Objection::Ahead { name }).into());
        }
    }
    let tables = Tables::of(&journal.database);
    let mut sequence = Sequence::new();
    loop {
        let sql = format!(
            "SELECT version, phase, position FROM {} WHERE state = 'applied' \
             ORDER BY token, changed_at, version, phase DESC, position LIMIT {PAGE_ROWS} OFFSET {}",
            tables.statement,
            sequence.len()
        );
        let rows = session
            .query(&sql, &[])
            .await
            .map_err(|source| Error::session("reading the journal", source))?;
        let is_last = rows.len() < PAGE_ROWS;
        for row in rows {
            let applied = match row.as_slice() {
                [
                    Value::Long(version),
                    Value::Text(phase),
                    Value::Long(position),
                ] => parse(*version, phase, *position),
                _ => None,
            };
            let applied =
                applied.ok_or_else(|| Error::journal(format!("it has the row {row:?}")))?;
            sequence.push(applied);
        }
        if is_last {
            return Ok(sequence);
        }
    }
}

fn parse(version: i64, phase: &str, position: i64) -> Option<(ScriptId, usize)> {
    let id = ScriptId {
        version: Version::from_journal(version)?,
        phase: Phase::parse(phase)?,
    };
    Some((id, usize::try_from(position).ok()?))
}

/// How statements are said to the server that they are replayed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// As they are written.
    AsWritten,
    /// What MySQL alone understands in words of MariaDB, where it means the same ([`dayspring_dialect`]).
    OfMariaDb,
}

impl Wording {
    /// A statement as it is said.
    #[must_use]
    pub fn of(self, written: &str) -> Cow<'_, str> {
        match self {
            Self::AsWritten => written.into(),
            Self::OfMariaDb => dayspring_dialect::read(written).sql,
        }
    }
}

/// Runs a sequence, each script in a session of its own.
///
/// # Errors
/// [`Objection::Replay`] for a statement that is refused, unless it only changes rows; what the session says.
pub async fn replay<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    sequence: &[(ScriptId, usize)],
    wording: Wording,
) -> Result<Vec<PassedOver>, Error> {
    let mut passed_over = Vec::new();
    for of_script in sequence.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((script, first)) = of_script
            .first()
            .and_then(|(id, number)| Some((scripts.get(*id)?, *number)))
        else {
            continue;
        };
        session
            .begin()
            .await
            .map_err(|source| Error::session("replaying the scripts", source))?;
        let earlier = script.statements[..first - 1]
            .iter()
            .filter(|statement| matches!(statement.analysis.class, Class::Session { .. }));
        let statements = of_script
            .iter()
            .filter_map(|(_, number)| script.statements.get(number - 1));
        for statement in earlier.chain(statements) {
            if let Some(refused) = run(session, script, statement, wording).await? {
                passed_over.push(refused);
            }
        }
        session
            .commit()
            .await
            .map_err(|source| Error::session("replaying the scripts", source))?;
    }
    Ok(passed_over)
}

async fn run<S: Session>(
    session: &mut S,
    script: &Script,
    statement: &Statement,
    wording: Wording,
) -> Result<Option<PassedOver>, Error> {
    match session.run(&wording.of(script.text_of(statement))).await {
        Ok(_) => Ok(None),
        Err(error @ SessionError::Refused { .. }) if statement.analysis.class == Class::Data => {
            Ok(Some(PassedOver {
                place: script.place_of(statement),
                error,
            }))
        }
        Err(error @ SessionError::Refused { .. }) => Err(Box::new(Objection::Replay {
            place: Box::new(script.place_of(statement)),
            number: statement.number,
            total: script.statements.len(),
            error,
        })
        .into()),
        Err(source) => Err(Error::session("replaying the scripts", source)),
    }
}
