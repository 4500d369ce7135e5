//! What servers know better than the manual: a scratch server the class of a change, the live one the size of a table.

use std::collections::BTreeMap;

use super::context::{LintContext, Measured, TableSize, Target};
use super::question::{Question, Variant, questions};
use crate::error::Error;
use crate::script::{Script, ScriptId, Scripts, Statement};
use crate::session::{Session, SessionError, Value};
use crate::statement::Class;

/// How large the tables of the session's database are, as the server estimates it: for
/// [`LintContext::table_sizes`]. One query.
///
/// # Errors
/// What the session says.
pub async fn read_sizes<S: Session>(session: &mut S) -> Result<BTreeMap<String, TableSize>, Error> {
    let sql = "SELECT table_name, CONCAT('', COALESCE(table_rows, 0)), \
               CONCAT('', COALESCE(data_length, 0) + COALESCE(index_length, 0)) \
               FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'";
    let rows = session
        .query(sql, &[])
        .await
        .map_err(|source| Error::session("asking how large the tables are", source))?;
    let number = |text: &str| text.parse().unwrap_or_default();
    Ok(rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [Value::Text(name), Value::Text(rows), Value::Text(bytes)] => {
                let size = TableSize {
                    rows: number(rows),
                    bytes: number(bytes),
                };
                Some((name.to_lowercase(), size))
            }
            _ => None,
        })
        .collect())
}

/// Asks a scratch server, in an empty database, how it would carry out the changes that are about to run: for
/// [`LintContext::measured`]. All scripts are run there in order, but for the statements that only change rows. Where the
/// server refuses one, the changes after it are not asked about. Nothing is asked, and nothing run, where the scripts hold
/// no [question](questions).
///
/// # Errors
/// What the session says; not a statement that it refuses.
pub async fn measure<S: Session>(
    session: &mut S,
    scripts: &Scripts,
    context: &LintContext,
) -> Result<BTreeMap<(ScriptId, usize), Measured>, Error> {
    let questions = questions(scripts, context);
    let mut measured = BTreeMap::new();
    if questions.is_empty() {
        return Ok(measured);
    }
    let failed = |source| Error::session("asking a scratch server", source);
    let rows = session.query("SELECT VERSION()", &[]).await;
    let version = match rows.map_err(failed)?.into_iter().flatten().next() {
        Some(Value::Text(version)) => version,
        _ => String::new(),
    };
    let (server, decides) = about(&version, context.target);
    for script in super::in_order(scripts, context) {
        session.begin().await.map_err(failed)?;
        for statement in &script.statements {
            let question = questions.iter().find(|question| {
                (question.script, question.number) == (script.id, statement.number)
            });
            let answer = match question {
                Some(question) => ask(session, script, statement, question).await,
                None => run(session, script, statement).await.map(|()| None),
            };
            match answer {
                Ok(None) => {}
                Ok(Some(taken)) => {
                    let answer = Measured {
                        class: taken.class,
                        lets_write: taken.lets_write,
                        server: server.clone(),
                        decides,
                    };
                    measured.insert((script.id, statement.number), answer);
                }
                Err(SessionError::Refused { .. }) => {
                    drop(session.rollback().await);
                    return Ok(measured);
                }
                Err(source) => return Err(failed(source)),
            }
        }
        session.commit().await.map_err(failed)?;
    }
    Ok(measured)
}

/// Its name and version without the packager's additions, and whether it is of the kind that the scripts are for: of
/// MySQL the same series, for 8.0 and 8.4 differ; MariaDB's versions differ in little here.
fn about(version: &str, target: Target) -> (String, bool) {
    let number = version
        .split(|char: char| !char.is_ascii_digit() && char != '.')
        .next()
        .unwrap_or_default();
    match version.parse::<Target>() {
        Ok(Target::MariaDb) => (format!("MariaDB {number}"), target == Target::MariaDb),
        Ok(Target::MySql(found)) => {
            let decides = matches!(target, Target::MySql(wanted) if found.is_of_series(wanted));
            (format!("MySQL {number}"), decides)
        }
        Err(_) => (version.to_owned(), false),
    }
}

async fn ask<'q, S: Session>(
    session: &mut S,
    script: &Script,
    statement: &Statement,
    question: &'q Question,
) -> Result<Option<&'q Variant>, SessionError> {
    for variant in &question.variants {
        match session.run(&variant.sql).await {
            Ok(_) => return Ok(Some(variant)),
            Err(SessionError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    run(session, script, statement).await.map(|()| None)
}

async fn run<S: Session>(
    session: &mut S,
    script: &Script,
    statement: &Statement,
) -> Result<(), SessionError> {
    match &statement.analysis.class {
        // No schema depends on rows, and what is refused will not run anywhere.
        Class::Data | Class::Refused(_) => Ok(()),
        Class::Session { .. } => match session.run(script.text_of(statement)).await {
            Ok(_) | Err(SessionError::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        },
        Class::Schema(_) => session.run(script.text_of(statement)).await.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_decides_about_its_own_kind() {
        let about = |version: &str, target: Target| {
            let (name, decides) = about(version, target);
            format!("{name} {decides}")
        };
        let aurora = Target::AURORA_MYSQL_3;
        assert_eq!(
            about("10.11.19-MariaDB-deb12", aurora),
            "MariaDB 10.11.19 false"
        );
        assert_eq!(
            about("11.4.2-MariaDB", Target::MariaDb),
            "MariaDB 11.4.2 true"
        );
        assert_eq!(
            about("8.0.36-0ubuntu0.22.04.1", aurora),
            "MySQL 8.0.36 true"
        );
        assert_eq!(about("8.4.2", aurora), "MySQL 8.4.2 false");
        assert_eq!(about("8.4.2", Target::MariaDb), "MySQL 8.4.2 false");
    }
}
