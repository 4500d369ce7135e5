//! What a deploy would run, for commands that show more than that.

use std::collections::BTreeMap;

use dayspring_migrate::lint::{Applied, Finding, LintContext, lint};
use dayspring_migrate::{Decision, Journal, Mode, Phase, Scripts, read_journal, render_failure};
use serde_json::Value;

use super::database::data_api_session;
use super::plan::{statements, table};
use crate::aws::{Aws, Target};
use crate::error::Error;

/// What the migrator would do.
#[derive(Debug)]
pub(crate) struct Preview {
    /// The statements that it would run, as `migrate plan --json` has them.
    pub(crate) statements: Value,
    /// The same for people; empty where there are none.
    pub(crate) table: String,
    /// Why it would run none: it refuses the scripts, or (`rebuilds`) begins with an empty database.
    pub(crate) refusal: Option<String>,
    pub(crate) rebuilds: bool,
    pub(crate) findings: Vec<Finding>,
}

/// Reads the journal of a deployed stage.
pub(crate) async fn journal(
    aws: &Aws,
    target: &Target,
    outputs: &BTreeMap<String, String>,
    scripts: &Scripts,
) -> Result<Journal, Error> {
    let mut session = data_api_session(aws, target, outputs)?;
    read_journal(&mut session, scripts)
        .await
        .map_err(|error| Error::migration(&error))
}

/// Decides as the migrator will.
pub(crate) fn preview(scripts: &Scripts, journal: &Journal, mode: Mode) -> Preview {
    let context = LintContext {
        applied: Applied::of(journal),
        ..LintContext::default()
    };
    let mut preview = Preview {
        statements: Value::Array(Vec::new()),
        table: String::new(),
        refusal: None,
        rebuilds: false,
        findings: lint(scripts, &context),
    };
    match dayspring_migrate::plan(scripts, journal, Phase::Expand, mode) {
        Ok(Decision::Carry(plan)) => {
            let planned = statements(scripts, &plan);
            if !planned.is_empty() {
                preview.table = table(&planned);
            }
            preview.statements = serde_json::to_value(&planned).expect("numbers and text are JSON");
        }
        Ok(Decision::Rebuild(refusal)) => {
            preview.rebuilds = true;
            preview.refusal = Some(render_failure(&refusal.into(), usize::MAX));
        }
        Err(refusal) => preview.refusal = Some(render_failure(&refusal.into(), usize::MAX)),
    }
    preview
}
