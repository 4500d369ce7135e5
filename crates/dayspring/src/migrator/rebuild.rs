//! A stage for development may change its past: the database is then made anew, and the scripts are applied from the first.
//!
//! That is asked for by the custom resource's property `Rebuild`, which `dayspring` sets when a person agreed. It does
//! nothing where the past has not changed, so that the same event may come twice, and a migration of a rebuilt database
//! may be handed over.

use dayspring_migrate::{Decision, Mode, Phase, Scripts, plan, read_journal};
use tokio::time::Instant;

use super::function_user::{execute, problem};
use super::{DataApiSession, Times};
use crate::database::Client;

/// A database that is always there, to make another from.
const ELSEWHERE: &str = "information_schema";

/// Makes the database anew, if only that helps. The error says what failed.
pub(crate) async fn if_needed(
    client: &std::sync::Arc<Client>,
    scripts: &Scripts,
    times: Times,
) -> Result<(), String> {
    let database = &client.settings.database;
    // A run that ended between the two has left none.
    let create = format!("CREATE DATABASE IF NOT EXISTS {}", quoted(database));
    run(client, &create, times.until).await?;
    let mut session = DataApiSession::new(client.clone(), times.until, times.deadline);
    let journal = read_journal(&mut session, scripts)
        .await
        .map_err(|error| error.to_string())?;
    let has_changed = [Phase::Expand, Phase::Contract].iter().any(|phase| {
        let decision = plan(scripts, &journal, *phase, Mode::Development);
        matches!(decision, Ok(Decision::Rebuild(_)))
    });
    if !has_changed {
        return Ok(());
    }
    tracing::warn!(database, "the database is made anew");
    run(
        client,
        &format!("DROP DATABASE IF EXISTS {}", quoted(database)),
        times.until,
    )
    .await?;
    run(client, &create, times.until).await
}

async fn run(client: &Client, sql: &str, until: Option<Instant>) -> Result<(), String> {
    execute(client, sql, ELSEWHERE, until)
        .await
        .map_err(|error| format!("the database could not be made anew: {}", problem(error)))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
