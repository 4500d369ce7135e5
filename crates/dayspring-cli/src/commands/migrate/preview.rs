//! What a deploy would run, for commands that show more than that.

use std::collections::BTreeMap;

use dayspring_migrate::lint::{Applied, Finding, LintContext, changes, lint};
use dayspring_migrate::{
    Decision, Journal, Mode, Phase, Plan, Scripts, read_journal, render_failure,
};
use serde_json::Value;

use super::database::{LintLevels, data_api_session};
use super::planned::{render, statements};
use crate::aws::{Aws, Target};
use crate::error::Error;

/// What the migrator would do.
#[derive(Debug)]
pub(crate) struct Preview {
    /// The statements that it would run, as `migrate plan --json` has them.
    pub(crate) statements: Value,
    /// The same for people; empty where there are none.
    pub(crate) table: String,
    /// The statements of contract scripts, which it would run after the new code is live.
    pub(crate) contract: Value,
    /// The same for people.
    pub(crate) contract_table: String,
    /// Why it would run none: it refuses the scripts, or (`rebuilds`) begins with an empty database.
    pub(crate) refusal: Option<String>,
    pub(crate) rebuilds: bool,
    pub(crate) findings: Vec<Finding>,
}

impl Preview {
    /// Of scripts that did not change.
    pub(crate) fn of_nothing() -> Self {
        Self {
            statements: Value::Array(Vec::new()),
            table: String::new(),
            contract: Value::Array(Vec::new()),
            contract_table: String::new(),
            refusal: None,
            rebuilds: false,
            findings: Vec::new(),
        }
    }

    fn refuse(&mut self, refusal: &dayspring_migrate::Error) {
        self.refusal
            .get_or_insert_with(|| render_failure(refusal, usize::MAX));
    }
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
pub(crate) fn preview(
    scripts: &Scripts,
    journal: &Journal,
    mode: Mode,
    levels: LintLevels,
    width: usize,
) -> Preview {
    let context = LintContext {
        applied: Applied::of(journal),
        levels,
        ..LintContext::default()
    };
    let mut preview = Preview {
        findings: lint(scripts, &context),
        ..Preview::of_nothing()
    };
    let changes = changes(scripts, &context);
    let shown = |plan: &Plan| {
        let planned = statements(scripts, plan, &changes, None);
        let value = serde_json::to_value(&planned).expect("numbers and text are JSON");
        (value, render(&planned, width))
    };
    match dayspring_migrate::plan(scripts, journal, Phase::Expand, mode) {
        Ok(Decision::Carry(plan)) => (preview.statements, preview.table) = shown(&plan),
        Ok(Decision::Rebuild(refusal)) => {
            preview.rebuilds = true;
            preview.refuse(&refusal.into());
        }
        Err(refusal) => preview.refuse(&refusal.into()),
    }
    match dayspring_migrate::plan(scripts, journal, Phase::Contract, mode) {
        Ok(Decision::Carry(plan)) => (preview.contract, preview.contract_table) = shown(&plan),
        Ok(Decision::Rebuild(refusal)) => {
            preview.rebuilds = true;
            preview.refuse(&refusal.into());
        }
        Err(refusal) => preview.refuse(&refusal.into()),
    }
    preview
}
