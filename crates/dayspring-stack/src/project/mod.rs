//! From the text of `dayspring.toml` to a checked [`Project`], with a place for every mistake.

mod names;
mod read;
mod route;
mod settings;
mod stage;
mod table;
mod values;

use toml::de::DeTable;

pub use names::{
    DatabaseName, FunctionName, MIGRATOR_HANDLER, ProjectName, ScriptsFolder, StageName,
};
pub use route::{HttpMethod, Route, RoutePath, Segment};
pub(crate) use stage::{Cors, Function};
pub use stage::{Overrides, Stage};
pub(crate) use values::Endpoint;
pub use values::{Acu, Architecture, Capacity, EngineVersion, Retention};

use crate::error::{Error, ProjectErrors};
use crate::excerpt::Span;
use crate::nearest::nearest;
use names::CargoName;

/// A checked project file: nothing in it is left to be refused.
#[derive(Debug, Clone)]
pub struct Project {
    name: ProjectName,
    build: Build,
    lint: Vec<LintSetting>,
    scripts: ScriptsFolder,
    routes: Vec<Route>,
    /// In the order of their names; holds `dev`.
    stages: Vec<Stage>,
}

/// What to build, where Cargo alone would not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    package: Option<CargoName>,
    bin: Option<CargoName>,
    profile: Option<CargoName>,
}

impl Build {
    /// `[build] package`: the package in a workspace.
    #[must_use]
    pub fn package(&self) -> Option<&str> {
        self.package.as_ref().map(CargoName::as_str)
    }

    /// `[build] bin`: the binary, where the package has several.
    #[must_use]
    pub fn bin(&self) -> Option<&str> {
        self.bin.as_ref().map(CargoName::as_str)
    }

    /// `[build] profile`: the Cargo profile of what goes to AWS.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_ref().map(CargoName::as_str)
    }
}

/// What the project makes of a rule of lint: `[lint] allow = ["no-algorithm"]`. Which rules there are, those know that
/// lint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintSetting {
    /// What is made of it.
    pub level: LintLevel,
    /// The rule's name or code, as written.
    pub rule: String,
    /// Its place in the file.
    pub span: Span,
}

/// What is made of a rule of lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LintLevel {
    /// It says nothing.
    Allow,
    /// What it finds is a warning.
    Warn,
    /// What it finds is an error.
    Deny,
}

impl LintLevel {
    const ALL: [Self; 3] = [Self::Allow, Self::Warn, Self::Deny];

    /// The key for it in `[lint]`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

impl Project {
    /// Checks `text`, the project file at `path` (only named in messages). `functions_found` are the names of the files
    /// in `functions/` without `.rs`; `main` among them is not a function.
    ///
    /// # Errors
    /// All mistakes of the file; only those of its TOML where it is not TOML.
    pub fn parse(
        path: &str,
        text: &str,
        functions_found: &[impl AsRef<str>],
    ) -> Result<Self, ProjectErrors> {
        let (document, syntax_errors) = DeTable::parse_recoverable(text);
        if !syntax_errors.is_empty() {
            let errors = syntax_errors.iter().map(|error| Error::Syntax {
                message: error.message().to_owned(),
                span: error.span().unwrap_or(0..0),
            });
            return Err(ProjectErrors::new(path, text, errors.collect()));
        }
        let found: Vec<String> = functions_found
            .iter()
            .map(|name| name.as_ref().to_owned())
            .filter(|name| name != "main")
            .collect();
        let mut errors = Vec::new();
        let project = read::read_project(document.get_ref(), &found, &mut errors);
        match project {
            Some(project) if errors.is_empty() => Ok(project),
            _ => Err(ProjectErrors::new(path, text, errors)),
        }
    }

    /// The stage of this name, with what the caller decides instead of the file.
    ///
    /// # Errors
    /// When the file has no such stage. `dev` is always there.
    pub fn stage(&self, name: &str, overrides: &Overrides) -> Result<Stage, ProjectErrors> {
        let Some(stage) = self.stages.iter().find(|stage| stage.name.as_str() == name) else {
            let known: Vec<String> = self
                .stages
                .iter()
                .map(|stage| stage.name.to_string())
                .collect();
            let unknown = Error::UnknownStage {
                name: name.to_owned(),
                nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
                known,
            };
            return Err(ProjectErrors::new("dayspring.toml", "", vec![unknown]));
        };
        Ok(stage.clone().with(overrides))
    }

    /// The project's name.
    #[must_use]
    pub fn name(&self) -> &ProjectName {
        &self.name
    }

    /// What to build.
    #[must_use]
    pub fn build(&self) -> &Build {
        &self.build
    }

    /// What the project makes of lint's rules.
    #[must_use]
    pub fn lint(&self) -> &[LintSetting] {
        &self.lint
    }

    /// The folder of the migration scripts.
    #[must_use]
    pub fn scripts_folder(&self) -> &ScriptsFolder {
        &self.scripts
    }

    /// The routes in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The names of all stages, sorted; `dev` is one of them.
    #[must_use]
    pub fn stage_names(&self) -> Vec<&StageName> {
        self.stages.iter().map(|stage| &stage.name).collect()
    }
}
