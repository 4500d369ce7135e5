//! What the rules of lint are told besides the scripts: by the journal, the live server, the project and a scratch server.

use clap::Args;
use dayspring_migrate::lint::{Applied, LintContext, Target, measure, questions, read_sizes};
use dayspring_migrate::{Journal, Scripts, Session, Value};

use super::database::{AnySession, LintLevels, Opened};
use super::scratch::{Defaults, ScratchArgs};
use crate::error::Error;
use crate::render;
use crate::ui::Ui;

/// Where changes are tried out, and for which server
#[derive(Debug, Clone, Args)]
pub(crate) struct FactsArgs {
    #[command(flatten)]
    scratch: ScratchArgs,
    /// Start no scratch server: how a change runs is said from MySQL's manual
    #[arg(long, conflicts_with = "scratch_url")]
    no_scratch: bool,
    /// The server that the scripts are for: aurora, mariadb, mysql or a version such as 8.4.2; otherwise Aurora for a
    /// project, and without a dayspring.toml the server of --database-url
    #[arg(long, value_name = "SERVER")]
    target: Option<Target>,
}

impl FactsArgs {
    /// About scripts that no database is asked about.
    pub(super) async fn of_scripts(
        &self,
        ui: Ui,
        scripts: &Scripts,
        applied: Applied,
        levels: LintLevels,
    ) -> Result<LintContext, Error> {
        let mut context = LintContext {
            applied,
            levels,
            ..LintContext::default()
        };
        if let Some(target) = self.target {
            context.target = target;
        }
        // As a new database of Aurora MySQL 3 has it.
        let defaults = Defaults {
            database: "scratch".to_owned(),
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_0900_ai_ci".to_owned(),
            mode: None,
        };
        self.measure(ui, scripts, &defaults, &mut context).await?;
        Ok(context)
    }

    /// About what a database does not have yet.
    pub(super) async fn of_database(
        &self,
        ui: Ui,
        opened: &mut Opened,
        applied: Applied,
    ) -> Result<LintContext, Error> {
        let levels = opened.levels.clone();
        let (mut context, defaults) = match &mut opened.session {
            AnySession::Direct(session) => {
                let mut asked = ask(session.as_mut(), applied).await?;
                asked.0.statement_bytes_max = None;
                if levels.is_none() {
                    asked.0.target = server(session.as_mut()).await;
                }
                asked
            }
            AnySession::DataApi(session) => ask(session.as_mut(), applied).await?,
        };
        if let Some(target) = self.target {
            context.target = target;
        }
        context.levels = levels.unwrap_or_default();
        self.measure(ui, &opened.scripts, &defaults, &mut context)
            .await?;
        Ok(context)
    }

    /// Asks a scratch server how the changes run. A private one is no condition: where none starts, the manual answers.
    async fn measure(
        &self,
        ui: Ui,
        scripts: &Scripts,
        defaults: &Defaults,
        context: &mut LintContext,
    ) -> Result<(), Error> {
        let count = questions(scripts, context).len();
        if self.no_scratch || count == 0 {
            return Ok(());
        }
        let changes = render::count(count, "change");
        ui.status("Trying", &format!("{changes} on {}", self.scratch.place()?));
        let asked = self
            .scratch
            .with_session(scripts, defaults, async |session| {
                let measured = measure(session, scripts, context).await;
                measured.map_err(|error| Error::migration(&error))
            })
            .await;
        match asked {
            Ok(measured) => context.measured = measured,
            Err(Error::Scratch(_)) if !self.scratch.is_named() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

async fn ask<S: Session>(
    session: &mut S,
    applied: Applied,
) -> Result<(LintContext, Defaults), Error> {
    let table_sizes = read_sizes(session)
        .await
        .map_err(|error| Error::migration(&error))?;
    let context = LintContext {
        applied,
        table_sizes,
        ..LintContext::default()
    };
    Ok((context, Defaults::of(session).await?))
}

/// The live server; Aurora where it does not say.
async fn server<S: Session>(session: &mut S) -> Target {
    let answer = session.query("SELECT VERSION()", &[]).await;
    let version = answer
        .ok()
        .and_then(|rows| rows.into_iter().flatten().next());
    match version {
        Some(Value::Text(version)) => version.parse().unwrap_or(Target::AURORA_MYSQL_3),
        Some(Value::Long(_) | Value::Null) | None => Target::AURORA_MYSQL_3,
    }
}

/// What a journal says is applied, or nothing where every statement is to be looked at.
pub(super) fn applied(journal: &Journal, all: bool) -> Applied {
    if all {
        Applied::nothing()
    } else {
        Applied::of(journal)
    }
}
