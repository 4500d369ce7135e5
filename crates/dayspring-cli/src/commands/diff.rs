use std::collections::BTreeMap;

use clap::Args;
use dayspring_migrate::lint::{render_json, render_text};
use dayspring_migrate::{Journal, Mode, read_folder};
use dayspring_stack::{Stage, synthesize};
use serde_json::{Value, json};

use super::DeployedArgs;
use super::deploy::overrides;
use super::migrate::{Preview, journal, preview};
use super::synth::BuildArgs;
use crate::aws::{Aws, Target};
use crate::deploy::{self, Before, Deployment, Replacement, ReplacementKind};
use crate::diff::{self, Action, Difference, Grant, Property, said};
use crate::error::Error;
use crate::package;
use crate::progress::Progress;
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
    /// Do not refuse that this resource would be replaced by a new one
    #[arg(long, value_name = "RESOURCE")]
    replace: Vec<String>,
    /// End with 1 where there is something to deploy
    #[arg(long)]
    exit_code: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How much of a value a line shows.
const VALUE_CHARS_MAX: usize = 60;

/// What is lost with its resource.
pub(super) const DATABASE: &str = "AWS::RDS::DBCluster";

/// All that is different.
#[derive(Debug)]
pub(super) struct Found {
    stack: String,
    resources: Vec<Difference>,
    /// Outputs, tags and the like.
    others: Vec<Property>,
    /// By logical id.
    replacements: BTreeMap<String, Replacement>,
    widened: Vec<Grant>,
    sql: Preview,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    All,
    /// The statements only.
    Sql,
}

/// What is compared: a deployment, and the project that it is made of.
pub(super) struct Comparison<'c> {
    pub(super) ui: Ui,
    pub(super) aws: &'c Aws,
    pub(super) target: &'c Target,
    pub(super) loaded: &'c Loaded,
    pub(super) stage: &'c Stage,
    pub(super) deployment: &'c Deployment,
}

pub(crate) async fn diff(ui: Ui, args: DiffArgs) -> Result<(), Error> {
    let folder = &args.deployed.project.dir;
    let target = args.deployed.target();
    let loaded = Loaded::read(folder)?;
    let stage = loaded.stage(&args.deployed.stage.stage, &overrides(&target))?;
    let scripts = package::pack_scripts(&loaded, &stage)?;
    // What `dev` deployed is compared with what it would deploy.
    let build = if running::is(folder, &target) {
        args.build.or_profile("dev")
    } else {
        args.build.clone()
    };
    let code = async {
        let build_for = (!target.is_local()).then_some(&stage);
        let binary = build.binary(ui, &loaded, build_for).await?;
        package::pack_code(&binary, package::compression(&target))
    };
    let (aws, code) = tokio::try_join!(Aws::connect(&target), code)?;
    let template = synthesize(&stage, &package::assets(&code, &scripts)?);
    let deployment = package::deployment(&stage, &template, &code, &scripts, &aws);
    let stack = &deployment.stack;
    ui.status(
        "Comparing",
        &format!("{stack} at {}", target.describe(&aws.region)),
    );
    let mut progress = Progress::new(ui);
    let before = deploy::look(&aws, &deployment, &mut |event| progress.show(&event)).await;
    progress.end();
    let before = before?;
    let replacements = deploy::replacements(&aws, &deployment, &before).await?;
    let comparison = Comparison {
        ui,
        aws: &aws,
        target: &target,
        loaded: &loaded,
        stage: &stage,
        deployment: &deployment,
    };
    let found = comparison.found(&before, replacements, Err).await?;
    if args.json {
        ui.result(&format!("{:#}", found.to_json()));
    } else {
        ui.result(found.render(Detail::All, ui.width()).trim_end());
    }
    found.refuse_replacement(&args.replace)?;
    if args.exit_code && !found.is_nothing() {
        return Err(Error::Differs {
            stack: deployment.stack,
        });
    }
    Ok(())
}

impl Comparison<'_> {
    /// Compares. `unread` decides what it means that the journal cannot be read.
    pub(super) async fn found(
        &self,
        before: &Before,
        replacements: BTreeMap<String, Replacement>,
        unread: impl FnOnce(Error) -> Result<(), Error>,
    ) -> Result<Found, Error> {
        let after: Value = serde_json::from_str(&self.deployment.template).unwrap_or_default();
        let mut others = diff::others(&before.template, &after);
        if before.template.is_null() {
            // That a new stack has outputs is no news.
            others.clear();
        } else {
            let [old, new] =
                [&before.tags, &self.deployment.tags].map(|tags| json!({ "Tags": tags }));
            others.extend(diff::others(&old, &new));
        }
        Ok(Found {
            stack: self.deployment.stack.clone(),
            resources: diff::resources(&before.template, &after),
            others,
            replacements,
            widened: diff::widened(&before.template, &after),
            sql: self.sql(before, &after, unread).await?,
        })
    }

    /// What the migrator would run: it is called where the scripts' digest changed, and only there.
    pub(super) async fn sql(
        &self,
        before: &Before,
        after: &Value,
        unread: impl FnOnce(Error) -> Result<(), Error>,
    ) -> Result<Preview, Error> {
        let called_for = |template: &Value| {
            ["Migration", "ContractMigration"].map(|id| template["Resources"][id].clone())
        };
        if called_for(&before.template) == called_for(after) {
            return Ok(Preview::of_nothing());
        }
        let relative = self.stage.scripts_folder().as_str();
        let folder = self.loaded.folder.join(relative);
        let scripts = read_folder(&folder, relative).map_err(Error::scripts)?;
        let applied = if before.template.is_null() {
            Journal::default()
        } else {
            match journal(self.aws, self.target, &before.outputs, &scripts).await {
                Ok(journal) => journal,
                Err(error) => {
                    unread(error)?;
                    return Ok(Preview::of_nothing());
                }
            }
        };
        let mode = if self.stage.is_development() {
            Mode::Development
        } else {
            Mode::Strict
        };
        let levels = self.loaded.lint_levels.clone();
        Ok(preview(&scripts, &applied, mode, levels, self.ui.width()))
    }
}

impl Found {
    fn is_nothing(&self) -> bool {
        self.resources.is_empty() && self.others.is_empty()
    }

    /// Refuses that a database is replaced or removed, unless it is named.
    pub(super) fn refuse_replacement(&self, named: &[String]) -> Result<(), Error> {
        let lost: Vec<(&String, &Replacement)> = self
            .replacements
            .iter()
            .filter(|(id, replacement)| {
                replacement.resource_type == DATABASE
                    && !named.iter().any(|name| name.eq_ignore_ascii_case(id))
            })
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let why = |id: &str| {
            let found = self.resources.iter().find(|found| found.logical_id == id);
            let paths = found.into_iter().flat_map(|found| &found.properties);
            let paths: Vec<&str> = paths.map(|property| property.path.as_str()).collect();
            paths.join(", ")
        };
        Err(Error::Replaces {
            list: lost
                .iter()
                .map(|(id, replacement)| {
                    format!("\n  {id} {} ({})", replacement.kind.said(), why(id))
                })
                .collect(),
            names: lost
                .iter()
                .map(|(id, _)| format!("--replace {id}"))
                .collect::<Vec<_>>()
                .join(" "),
        })
    }

    /// Refuses scripts that the migrator would refuse: nothing has to be rolled back then.
    pub(super) fn refuse_scripts(&self, may_rebuild: bool) -> Result<(), Error> {
        refuse_scripts(&self.sql, may_rebuild)
    }

    /// Whether the database has to be made anew.
    pub(super) fn rebuilds(&self) -> bool {
        self.sql.rebuilds
    }

    fn to_json(&self) -> Value {
        let findings: Value =
            serde_json::from_str(&render_json(&self.sql.findings)).expect("lint writes JSON");
        let replacements: BTreeMap<&String, &str> = self
            .replacements
            .iter()
            .map(|(id, replacement)| (id, replacement.kind.name()))
            .collect();
        json!({
            "stack": self.stack,
            "resources": self.resources,
            "others": self.others,
            "replacements": replacements,
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

    /// In lines of so many columns, as far as words allow.
    pub(super) fn render(&self, detail: Detail, columns: usize) -> String {
        let mut text = String::new();
        let mut section = |title: &str, body: &str| {
            if !body.is_empty() {
                text.push_str(&format!("{title}\n\n{}\n\n", body.trim_end()));
            }
        };
        if detail == Detail::All {
            section("Resources", &self.render_resources());
            section("Outputs, tags and the like", &lines(&self.others, ""));
            section("Permissions that widen", &self.render_widened(columns));
        }
        if self.sql.rebuilds {
            let why = self.sql.refusal.as_deref().unwrap_or_default();
            section("SQL: the database is rebuilt from the scripts", why);
        } else if let Some(why) = &self.sql.refusal {
            section("SQL: the migrator refuses the scripts", why);
        }
        section("SQL", &self.sql.table);
        section("SQL after the new code is live", &self.sql.contract_table);
        section("Lint", &render_text(&self.sql.findings));
        if text.is_empty() && self.is_nothing() {
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
            let (id, kind) = (&found.logical_id, &found.kind);
            let replacement = match self
                .replacements
                .get(id)
                .map(|replacement| replacement.kind)
            {
                Some(kind @ (ReplacementKind::Replaced | ReplacementKind::PerhapsReplaced)) => {
                    format!(", {}", kind.said())
                }
                Some(ReplacementKind::Removed) | None => String::new(),
            };
            text.push_str(&format!("{sign} {id} ({kind}){replacement}\n"));
            text.push_str(&lines(&found.properties, "    "));
        }
        text
    }

    /// For each who may do something: on what, with all actions.
    fn render_widened(&self, columns: usize) -> String {
        let mut all: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for grant in &self.widened {
            let of_one = all.entry(&grant.to).or_default();
            of_one.entry(&grant.on).or_default().push(&grant.action);
        }
        let mut text = String::new();
        for (to, of_one) in all {
            text.push_str(&format!("{to}\n"));
            for (on, actions) in of_one {
                let line = format!("    {}", may(&actions, on));
                text.push_str(&render::wrapped(&line, columns, "        "));
                text.push('\n');
            }
        }
        text
    }
}

/// What somebody may do, as a sentence about them.
fn may(actions: &[&str], on: &str) -> String {
    match actions {
        ["is assumed"] => format!("is assumed by {on}"),
        ["answers" | "has the policy" | "lets in" | "lets out"] => {
            format!("{} {on}", actions[0])
        }
        // It says all by itself.
        ["statement"] => on.to_owned(),
        _ => format!("{} on {on}", actions.join(", ")),
    }
}

/// Refuses scripts that the migrator would refuse.
pub(super) fn refuse_scripts(sql: &Preview, may_rebuild: bool) -> Result<(), Error> {
    match &sql.refusal {
        Some(_) if sql.rebuilds && may_rebuild => Ok(()),
        Some(report) if sql.rebuilds => Err(Error::Rebuild {
            report: report.clone(),
        }),
        Some(report) => Err(Error::Scripts {
            report: report.clone(),
        }),
        None => Ok(()),
    }
}

/// A line for each part: what it was and what it will be.
fn lines(properties: &[Property], indent: &str) -> String {
    let line = |property: &Property| {
        let [before, after] = [&property.before, &property.after].map(|value| short(&said(value)));
        format!("{indent}{}: {before} -> {after}\n", property.path)
    };
    properties.iter().map(line).collect()
}

fn short(text: &str) -> String {
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text.to_owned();
    }
    let cut: String = text.chars().take(VALUE_CHARS_MAX - 3).collect();
    cut + "..."
}
