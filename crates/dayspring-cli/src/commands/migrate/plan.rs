use clap::Args;
use dayspring_migrate::{Action, Decision, Phase, Plan, Scripts, Statement as ScriptStatement};
use serde::Serialize;

use super::database::{DatabaseArgs, Opened};
use super::options::LOCK_WAIT;
use crate::error::Error;
use crate::render;
use crate::ui::Ui;

/// Show the statements that `migrate up` would run, and run nothing
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How much of a statement a line of the table shows.
const TEXT_CHARS_MAX: usize = 72;

#[derive(Debug, Serialize)]
struct Planned<'a> {
    /// The newest applied script.
    version: Option<u64>,
    /// Statements of the scripts that are applied.
    applied: usize,
    /// Whether the database has more than the scripts.
    ahead: bool,
    statements: Vec<PlannedStatement<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct PlannedStatement<'a> {
    script: &'a str,
    version: u64,
    phase: &'static str,
    line: usize,
    number: usize,
    class: &'static str,
    action: &'static str,
    text: &'a str,
}

pub(super) async fn plan(ui: Ui, args: PlanArgs) -> Result<(), Error> {
    let mut opened = args.database.open(LOCK_WAIT).await?;
    let plan = planned(&mut opened).await?;
    let planned = Planned {
        version: plan.version.map(dayspring_migrate::Version::number),
        applied: plan.applied,
        ahead: plan.ahead,
        statements: statements(&opened.scripts, &plan),
    };
    if args.json {
        ui.result(&serde_json::to_string_pretty(&planned).expect("numbers and text are JSON"));
        return Ok(());
    }
    ui.status("Asked", &opened.place);
    if planned.statements.is_empty() {
        ui.result(&nothing(&planned));
    } else {
        ui.result(table(&planned.statements).trim_end());
    }
    Ok(())
}

async fn planned(opened: &mut Opened) -> Result<Plan, Error> {
    let journal = opened.journal().await?;
    let decision = dayspring_migrate::plan(&opened.scripts, &journal, Phase::Expand, opened.mode);
    match decision {
        Ok(Decision::Carry(plan)) => Ok(plan),
        // Only a development stage is rebuilt, and not by these commands.
        Ok(Decision::Rebuild(refusal)) | Err(refusal) => Err(Error::migration(&refusal.into())),
    }
}

pub(super) fn statements<'a>(scripts: &'a Scripts, plan: &Plan) -> Vec<PlannedStatement<'a>> {
    let mut planned = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let Some(script) = scripts.get(step.script) else {
            continue;
        };
        // A statement that is to be settled may be gone from its script.
        let statement: Option<&ScriptStatement> = script.statements.get(step.number - 1);
        planned.push(PlannedStatement {
            script: &script.path,
            version: script.id.version.number(),
            phase: script.id.phase.name(),
            line: statement.map_or(0, |statement| statement.line),
            number: step.number,
            class: statement.map_or("schema", |statement| statement.analysis.class.name()),
            action: match step.action {
                Action::Run => "run",
                Action::Settle => "settle",
            },
            text: statement.map_or("", |statement| script.text_of(statement)),
        });
    }
    planned
}

fn nothing(planned: &Planned<'_>) -> String {
    let schema = match planned.version {
        Some(version) => format!("the schema is at v{version}"),
        None => "no script is applied".to_owned(),
    };
    if planned.ahead {
        format!("nothing to do: {schema}, and ahead of the scripts")
    } else {
        format!("nothing to do: {schema}")
    }
}

pub(super) fn table(statements: &[PlannedStatement<'_>]) -> String {
    let header = ["PLACE", "NUMBER", "CLASS", "ACTION", "STATEMENT"].map(str::to_owned);
    let rows = statements.iter().map(|statement| {
        [
            format!("{}:{}", statement.script, statement.line),
            statement.number.to_string(),
            statement.class.to_owned(),
            statement.action.to_owned(),
            shortened(statement.text),
        ]
    });
    render::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
}

/// On one line, its white space as single spaces, cut where it is long.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= TEXT_CHARS_MAX {
        return line;
    }
    line.chars()
        .take(TEXT_CHARS_MAX - 3)
        .chain("...".chars())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shown_on_one_short_line() {
        assert_eq!(shortened("SELECT\n  1"), "SELECT 1");
        let long = shortened(&format!("SELECT '{}'", "é".repeat(100)));
        assert_eq!(long.chars().count(), TEXT_CHARS_MAX);
        assert!(long.ends_with("..."));
    }
}
