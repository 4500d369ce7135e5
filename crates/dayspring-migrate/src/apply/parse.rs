//! A statement that the engine does not understand: is it the engine that knows too little, or is it no SQL at all?
//!
//! The server can tell without running it. `PREPARE` only parses, in a transaction that is rolled back. What it cannot
//! prepare (1295), what it understands and what it does not answer stays refused: only its own word that the text is
//! wrong makes a failure of it.

use super::{Run, Stop, Unparsed, after, failure};
use crate::error::Error;
use crate::journal::{Journal, State, Step};
use crate::place::Place;
use crate::refusal::Refusal;
use crate::script::{Script, Scripts, Statement};
use crate::session::{Session, SessionError, Value};
use crate::statement::Class;

/// ER_PARSE_ERROR, ER_SYNTAX_ERROR, and MariaDB's unknown data type
/// (<https://mariadb.com/docs/server/reference/error-codes>, read 2026-11-23).
const PARSE_ERRORS: [u16; 3] = [1064, 1149, 4161];

/// The server's words about the statement that `refusal` is about, if it cannot be parsed.
pub(super) async fn parse_failure<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    refusal: &Refusal,
) -> Option<SessionError> {
    let Refusal::Undecidable { place, .. } = refusal else {
        return None;
    };
    let (script, statement) = statement_at(scripts, place)?;
    session.begin().await.ok()?;
    let answer = prepare(session, script, statement).await;
    // Nothing was changed, so an answer to the rollback tells nothing.
    drop(session.rollback().await);
    match answer {
        Err(error @ SessionError::Refused { code, .. }) if PARSE_ERRORS.contains(&code) => {
            Some(error)
        }
        Ok(()) | Err(_) => None,
    }
}

async fn prepare<S: Session>(
    session: &mut S,
    script: &Script,
    statement: &Statement,
) -> Result<(), SessionError> {
    // They can change how a text is read (`SET sql_mode = 'ANSI_QUOTES'`).
    for earlier in &script.statements[..statement.number - 1] {
        let is_setting = earlier.analysis.class
            == Class::Session {
                depends_on_data: false,
            };
        if is_setting && session.run(script.text_of(earlier)).await.is_err() {
            return Ok(());
        }
    }
    let text = Value::Text(script.text_of(statement).to_owned());
    // A value is the same under every sql_mode; a literal is not.
    if session
        .execute("SET @dayspring_text = :text", &[("text", text)])
        .await
        .is_err()
    {
        return Ok(());
    }
    session
        .run("PREPARE dayspring_text FROM @dayspring_text")
        .await?;
    session
        .run("DEALLOCATE PREPARE dayspring_text")
        .await
        .map(drop)
}

fn statement_at<'s>(scripts: &'s Scripts, place: &Place) -> Option<(&'s Script, &'s Statement)> {
    let script = scripts.iter().find(|script| script.path == place.path)?;
    let statement = script
        .statements
        .iter()
        .filter(|statement| statement.line == place.line)
        .find(|statement| script.place_of(statement).column == place.column)?;
    Some((script, statement))
}

fn first_unapplied(script: &Script, journal: &Journal) -> usize {
    let is_applied = |statement: &&Statement| {
        let record = journal.record(script.id, statement.number);
        record.is_some_and(|record| record.state == State::Applied)
    };
    1 + script.statements.iter().take_while(is_applied).count()
}

impl<S: Session> Run<'_, S> {
    /// Records that the statement that the refusal is about cannot be parsed. Nothing was run, not even what stands
    /// before it.
    pub(super) async fn fail_unparsed(&mut self, journal: &Journal, unparsed: Unparsed) -> Stop {
        let Unparsed { refusal, error } = unparsed;
        let place = refusal.place();
        let Some((script, statement)) = place.and_then(|place| statement_at(self.scripts, place))
        else {
            return Error::from(refusal).into();
        };
        let failed = Step::Fail {
            error: error.to_string(),
        };
        let recorded = match after(State::Pending, failed) {
            Ok(failed) => self.record(script, statement, failed).await,
            Err(stop) => Err(stop),
        };
        match recorded {
            Ok(()) => failure(script, statement, first_unapplied(script, journal), error),
            Err(stop) => stop,
        }
    }
}
