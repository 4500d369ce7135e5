//! A project's folder, read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dayspring_migrate::lint::{Level, find_rule, nearest_rule, rules};
use dayspring_stack::{LintLevel, Overrides, Project, ProjectErrors, Stage};

use crate::build::functions_found;
use crate::error::Error;

const PROJECT_FILE: &str = "dayspring.toml";

/// Whether a folder is a project's.
pub(crate) fn exists(folder: &Path) -> bool {
    folder.join(PROJECT_FILE).is_file()
}

/// A project as its folder holds it now.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) folder: PathBuf,
    pub(crate) project: Project,
    /// What the project makes of lint's rules.
    pub(crate) lint_levels: BTreeMap<&'static str, Level>,
}

impl Loaded {
    /// Reads and checks the project file, against the functions that are there.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(PROJECT_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NoProject {
                    folder: folder.to_owned(),
                });
            }
            Err(error) => return Err(Error::read(path)(error)),
        };
        let functions = functions_found(folder)?;
        let functions: Vec<&str> = functions.iter().map(String::as_str).collect();
        let project =
            Project::parse(PROJECT_FILE, &text, &functions).map_err(|errors| Error::Project {
                report: errors.render(),
            })?;
        let lint_levels =
            lint_levels(&project, &text).map_err(|report| Error::Project { report })?;
        Ok(Self {
            folder: folder.to_owned(),
            project,
            lint_levels,
        })
    }

    pub(crate) fn stage(&self, name: &str, overrides: &Overrides) -> Result<Stage, Error> {
        self.project
            .stage(name, overrides)
            .map_err(|errors| Error::Project {
                report: errors.render(),
            })
    }
}

/// The rules that `[lint]` names. The project file's own reader knows no rules.
fn lint_levels(project: &Project, text: &str) -> Result<BTreeMap<&'static str, Level>, String> {
    let mut levels = BTreeMap::new();
    let mut errors = Vec::new();
    for setting in project.lint() {
        let key = format!("lint.{}", setting.level.key());
        let bad = |expected: String, nearest: Option<String>| dayspring_stack::Error::BadValue {
            key,
            value: setting.rule.clone(),
            expected,
            nearest,
            span: setting.span.clone(),
        };
        let level = match setting.level {
            LintLevel::Allow => Level::Allow,
            LintLevel::Warn => Level::Warn,
            LintLevel::Deny => Level::Deny,
        };
        let Some(rule) = find_rule(&setting.rule) else {
            let nearest = nearest_rule(&setting.rule).map(|rule| rule.name.to_owned());
            let count = rules().len();
            errors.push(bad(
                format!("one of lint's {count} rules (docs/lint/README.md)"),
                nearest,
            ));
            continue;
        };
        if levels
            .insert(rule.name, level)
            .is_some_and(|other| other != level)
        {
            errors.push(bad("a rule that no other list has".to_owned(), None));
        }
    }
    if errors.is_empty() {
        Ok(levels)
    } else {
        Err(ProjectErrors::new(PROJECT_FILE, text, errors).render())
    }
}
