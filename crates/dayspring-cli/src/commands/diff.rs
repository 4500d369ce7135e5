use std::collections::BTreeMap;

use clap::Args;
use dayspring_migrate::lint::{render_json, render_text};
use dayspring_migrate::{Journal, Mode, read_folder};
use dayspring_stack::synthesize;
use serde_json::{Value, json};

use super::DeployedArgs;
use super::deploy::overrides;
use super::migrate::{Preview, journal, preview};
use super::synth::BuildArgs;
use crate::aws::Aws;
use crate::deploy;
use crate::diff::{self, Action, Difference, Grant, said};
use crate::error::Error;
use crate::package;
use crate::project::Loaded;
use crate::render;
use crate::running;
use crate::ui::Ui;

/// Show what the next deploy would change: resources, permissions that widen, and the SQL statements that it would run
///
/// Nothing is changed. Where the stack is there, a change set is made and deleted again: CloudFormation knows what it would
/// replace.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    deployed: DeployedArgs,
    #[command(flatten)]
    build: BuildArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How much of a value a line shows.
const VALUE_CHARS_MAX: usize = 60;

/// All that is different.
#[derive(Debug)]
struct Found {
    stack: String,
    resources: Vec<Difference>,
    /// By logical id: `True` or `Conditional`, in CloudFormation's words.
    replacements: BTreeMap<String, String>,
    widened: Vec<Grant>,
    sql: Preview,
}

pub(crate) async fn diff(ui: Ui, args: DiffArgs) -> Result<(), Error> {
    let folder = &args.deployed.project.dir;
    let target = args.deployed.target();
    let loaded = Loaded::read(folder)?;
    let stage = loaded.stage(&args.deployed.stage.stage, &overrides(&target))?;
    let relative = stage.scripts_folder().as_str();
    let parsed = read_folder(&loaded.folder.join(relative), relative).map_err(Error::scripts)?;
    let scripts = package::pack_scripts(&loaded, &stage)?;
    // What `dev` deployed is compared with what it would deploy.
    let build = if running::is(folder, &target) {
        args.build.or_profile("dev")
    } else {
        args.build.clone()
    };
    let binary = build
        .binary(ui, &loaded, (!target.is_local()).then_some(&stage))
        .await?;
    let code = package::pack_code(&binary, package::compression(&target))?;
    let template = synthesize(&stage, &package::assets(&code, &scripts));
    let aws = Aws::connect(&target).await?;
    let deployment = package::deployment(&stage, &template, &code, &scripts, &aws);
    let mode = if stage.is_development() {
        Mode::Development
    } else {
        Mode::Strict
    };

    let stack = stage.stack_name();
    ui.status(
        "Comparing",
        &format!("{stack} at {}", target.describe(&aws.region)),
    );
    let (before, replacements, applied) = if deploy::is_there(&aws, &stack).await? {
        let outputs = deploy::outputs(&aws, &stack).await?;
        (
            deploy::template(&aws, &stack).await?,
            deploy::replacements(&aws, &deployment).await?,
            journal(&aws, &target, &outputs, &parsed).await?,
        )
    } else {
        (Value::Null, BTreeMap::new(), Journal::default())
    };
    let after = template.to_value();
    let found = Found {
        stack,
        resources: diff::resources(&before, &after),
        replacements,
        widened: diff::widened(&before, &after),
        sql: preview(&parsed, &applied, mode, ui.width()),
    };
    if args.json {
        ui.result(&format!("{:#}", found.to_json()));
    } else {
        ui.result(found.render().trim_end());
    }
    Ok(())
}

impl Found {
    fn to_json(&self) -> Value {
        let findings: Value =
            serde_json::from_str(&render_json(&self.sql.findings)).expect("lint writes JSON");
        json!({
            "stack": self.stack,
            "resources": self.resources,
            "replacements": self.replacements,
            "permissions": self.widened,
            "sql": {
                "statements": self.sql.statements,
                "contract": self.sql.contract,
                "refusal": self.sql.refusal,
                "rebuilds": self.sql.rebuilds,
            },
            "lint": findings,
        })
    }

    fn render(&self) -> String {
        let mut text = String::new();
        let mut section = |title: &str, body: &str| {
            if !body.is_empty() {
                text.push_str(&format!("{title}\n\n{}\n\n", body.trim_end()));
            }
        };
        section("Resources", &self.render_resources());
        section("Permissions that widen", &self.render_widened());
        if self.sql.rebuilds {
            let why = self.sql.refusal.as_deref().unwrap_or_default();
            section("SQL: the database is rebuilt from the scripts", why);
        } else if let Some(why) = &self.sql.refusal {
            section("SQL: the migrator refuses the scripts", why);
        }
        section("SQL", &self.sql.table);
        section("SQL after the new code is live", &self.sql.contract_table);
        section("Lint", &render_text(&self.sql.findings));
        if text.is_empty() {
            format!("nothing to deploy: {} is as the project says", self.stack)
        } else {
            text
        }
    }

    fn render_resources(&self) -> String {
        let mut text = String::new();
        for found in &self.resources {
            let sign = match found.action {
                Action::Added => '+',
                Action::Changed => '~',
                Action::Removed => '-',
            };
            let replacement = match self.replacements.get(&found.logical_id).map(String::as_str) {
                Some("True") => ", REPLACED by a new one",
                Some(_) => ", perhaps REPLACED by a new one",
                None => "",
            };
            let (id, kind) = (&found.logical_id, &found.kind);
            text.push_str(&format!("{sign} {id} ({kind}){replacement}\n"));
            for part in &found.properties {
                let [before, after] = [&part.before, &part.after].map(|value| short(&said(value)));
                text.push_str(&format!("    {}: {before} -> {after}\n", part.path));
            }
        }
        text
    }

    /// A line for who may do something on something, with all actions.
    fn render_widened(&self) -> String {
        let mut actions: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for grant in &self.widened {
            let who_and_what = (grant.to.as_str(), grant.on.as_str());
            actions.entry(who_and_what).or_default().push(&grant.action);
        }
        let rows: Vec<[String; 3]> = actions
            .into_iter()
            .map(|((to, on), actions)| [to.to_owned(), actions.join(", "), on.to_owned()])
            .collect();
        render::table(&rows)
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text.to_owned();
    }
    let cut: String = text.chars().take(VALUE_CHARS_MAX - 3).collect();
    cut + "..."
}
