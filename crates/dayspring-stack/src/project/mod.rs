//! From the text of `dayspring.toml` to a checked [`Project`], with a place for every mistake.

mod names;
mod route;
mod settings;
mod stage;
mod table;
mod values;

use std::collections::BTreeMap;

use toml::de::DeTable;

pub use names::{DatabaseName, FunctionName, ProjectName, ScriptsFolder, StageName};
pub use route::{HttpMethod, Route, RoutePath, Segment};
pub(crate) use stage::{Cors, Function};
pub use stage::{Overrides, Stage};
pub(crate) use values::Endpoint;
pub use values::{Acu, Architecture, Capacity, EngineVersion, Retention};

use crate::error::{Error, Invalid, ProjectErrors};
use crate::excerpt::Span;
use crate::nearest::nearest;
use names::{CargoName, FUNCTION_NAME_CHARACTERS_MAX, TagKey};
use settings::{Settings, check_function, read_map, subtable};
use table::{Item, Located, Table};

/// A checked project file: nothing in it is left to be refused.
#[derive(Debug, Clone)]
pub struct Project {
    name: ProjectName,
    build: Build,
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
        let project = read_project(document.get_ref(), &found, &mut errors);
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

/// A stage's own table.
#[derive(Default)]
struct StageFile {
    development: Option<bool>,
    settings: Settings,
}

/// A route with its places, which later checks name.
struct RouteFile {
    route: Route,
    span: Span,
    function_span: Span,
}

fn read_project(
    document: &DeTable<'_>,
    found: &[String],
    errors: &mut Vec<Error>,
) -> Option<Project> {
    let mut table = Table::root(document);
    let name: Option<Located<ProjectName>> = match table.get("name") {
        Some(item) => item.parse("a string", errors),
        None => {
            errors.push(table.missing("name", "the project's name, such as `\"blog\"`"));
            None
        }
    };
    let build = subtable(&mut table, "build", errors)
        .map(|table| read_build(table, errors))
        .unwrap_or_default();
    let scripts =
        subtable(&mut table, "scripts", errors).and_then(|table| read_scripts(table, errors));
    let tags = subtable(&mut table, "tags", errors)
        .map(|mut table| read_map::<TagKey>(&mut table, "tag", errors))
        .unwrap_or_default();
    let base = Settings::read(&mut table, found, errors);
    let routes = match table.get("routes") {
        Some(item) => item
            .table(errors)
            .map(|table| read_routes(table, found, errors))
            .unwrap_or_default(),
        None => {
            errors.push(table.missing(
                "routes",
                "a table of paths: API Gateway deploys no API without a method",
            ));
            Vec::new()
        }
    };
    let mut stages = subtable(&mut table, "stages", errors)
        .map(|table| read_stages(table, found, errors))
        .unwrap_or_default();
    stages.entry(StageName::dev()).or_default();
    table.finish(errors);

    let name = name?;
    check_name_lengths(&name, &stages, &routes, errors);
    let routes: Vec<Route> = routes.into_iter().map(|file| file.route).collect();
    let common = stage::Common {
        project: name.value,
        scripts: scripts.unwrap_or_else(ScriptsFolder::default_folder),
        tags: tags
            .into_iter()
            .map(|(key, value)| (key.as_str().to_owned(), value))
            .collect(),
        routes,
    };
    let stages = stages
        .into_iter()
        .map(|(stage_name, file)| {
            let development = file
                .development
                .unwrap_or_else(|| stage_name == StageName::dev());
            Stage::resolve(
                &common,
                stage_name,
                development,
                &file.settings.over(&base),
                errors,
            )
        })
        .collect();
    Some(Project {
        name: common.project,
        build,
        scripts: common.scripts,
        routes: common.routes,
        stages,
    })
}

fn read_build(mut table: Table<'_>, errors: &mut Vec<Error>) -> Build {
    let mut name = |key: &str, errors: &mut Vec<Error>| {
        let item = table.get(key)?;
        item.parse("a string", errors).map(|located| located.value)
    };
    let build = Build {
        package: name("package", errors),
        bin: name("bin", errors),
        profile: name("profile", errors),
    };
    table.finish(errors);
    build
}

fn read_scripts(mut table: Table<'_>, errors: &mut Vec<Error>) -> Option<ScriptsFolder> {
    let folder = table
        .get("folder")
        .and_then(|item| item.parse("a string", errors));
    table.finish(errors);
    folder.map(|located| located.value)
}

/// Every stage that the file has.
fn read_stages(
    mut table: Table<'_>,
    found: &[String],
    errors: &mut Vec<Error>,
) -> BTreeMap<StageName, StageFile> {
    let mut stages = BTreeMap::new();
    for item in table.items() {
        let name = item
            .key
            .parse()
            .map_err(|invalid| errors.push(item.bad_key("stage", invalid)))
            .ok();
        let Some(mut stage) = item.table(errors) else {
            continue;
        };
        let development = stage
            .get("development")
            .and_then(|item| item.boolean(errors))
            .map(|located| located.value);
        let settings = Settings::read(&mut stage, found, errors);
        stage.finish(errors);
        if let Some(name) = name {
            stages.insert(
                name,
                StageFile {
                    development,
                    settings,
                },
            );
        }
    }
    stages
}

fn read_routes(mut table: Table<'_>, found: &[String], errors: &mut Vec<Error>) -> Vec<RouteFile> {
    let mut routes: Vec<RouteFile> = Vec::new();
    let items = table.items();
    if items.is_empty() {
        errors.push(Error::Contradiction {
            message: "`routes` is empty, and API Gateway deploys no API without a method"
                .to_owned(),
            help: "add one, such as `posts = [{ method = \"GET\", function = \"get_posts\" }]`"
                .to_owned(),
            span: table.span.clone(),
        });
    }
    for item in items {
        let path: Option<RoutePath> = item
            .key
            .parse()
            .map_err(|invalid| errors.push(item.bad_key("path", invalid)))
            .ok();
        let expected = "an array such as `[{ method = \"GET\", function = \"get_posts\" }]`";
        let Some(entries) = item.array(expected, errors) else {
            continue;
        };
        if entries.is_empty() {
            errors.push(item.bad("[]", Invalid::expected("at least one method")));
        }
        for entry in entries {
            let Some(file) = read_route(&entry, path.as_ref(), found, errors) else {
                continue;
            };
            check_against(&file, &item, &routes, errors);
            routes.push(file);
        }
    }
    routes
}

fn read_route(
    entry: &Item<'_>,
    path: Option<&RoutePath>,
    found: &[String],
    errors: &mut Vec<Error>,
) -> Option<RouteFile> {
    let mut table = entry.table(errors)?;
    table.span = entry.span.clone();
    let method = table.get("method");
    let function = table.get("function");
    if method.is_none() {
        errors.push(table.missing("method", "such as `\"GET\"`"));
    }
    if function.is_none() {
        errors.push(table.missing("function", "the name of a file in `functions/`"));
    }
    table.finish(errors);
    let method =
        method.and_then(|item| item.parse::<HttpMethod>("a string such as `\"GET\"`", errors));
    let function_name = function.and_then(|item| {
        let text = item.text("the name of a function", errors)?;
        check_function(text.value, &item.span, found, errors)?;
        item.parse::<FunctionName>("the name of a function", errors)
    });
    let (method, function) = (method?, function_name?);
    let route = Route {
        method: method.value,
        path: path?.clone(),
        function: function.value,
    };
    Some(RouteFile {
        route,
        span: method.span,
        function_span: function.span,
    })
}

/// Reports what `file` cannot have beside an earlier route.
fn check_against(
    file: &RouteFile,
    item: &Item<'_>,
    earlier: &[RouteFile],
    errors: &mut Vec<Error>,
) {
    for other in earlier {
        if other.route.path == file.route.path && other.route.method == file.route.method {
            errors.push(Error::DuplicateRoute {
                method: file.route.method.to_string(),
                path: file.route.path.to_string(),
                span: file.span.clone(),
                first: other.span.clone(),
            });
            return;
        }
        if let Some((parameter, other_parameter)) = clash(&file.route.path, &other.route.path) {
            errors.push(Error::ParameterClash {
                parameter: parameter.path_part(),
                other: other_parameter.path_part(),
                span: item.key_span.clone(),
                first: other.span.clone(),
            });
            return;
        }
    }
}

/// Two different parameters behind the same beginning: API Gateway answers 'A sibling ({slug}) of this resource already
/// has a variable path part -- only one is allowed' when it is asked to create the second.
fn clash<'r>(path: &'r RoutePath, other: &'r RoutePath) -> Option<(&'r Segment, &'r Segment)> {
    let (left, right) = path
        .segments()
        .iter()
        .zip(other.segments())
        .find(|(left, right)| left != right)?;
    match (left, right) {
        (Segment::Parameter(_), Segment::Parameter(_))
        | (Segment::Greedy(_), Segment::Greedy(_)) => Some((left, right)),
        // `{id}` and `{rest+}` may stand side by side; a literal may stand beside both.
        (Segment::Literal(_) | Segment::Parameter(_) | Segment::Greedy(_), _) => None,
    }
}

/// Project, stage and function make up the function's name at AWS, which has a limit.
fn check_name_lengths(
    project: &Located<ProjectName>,
    stages: &BTreeMap<StageName, StageFile>,
    routes: &[RouteFile],
    errors: &mut Vec<Error>,
) {
    let Some(longest) = stages.keys().max_by_key(|name| name.as_str().len()) else {
        return;
    };
    for file in routes {
        let name = format!("{}-{longest}-{}", project.value, file.route.function);
        if name.len() > FUNCTION_NAME_CHARACTERS_MAX {
            errors.push(Error::Contradiction {
                message: format!(
                    "`{name}` has {} characters, and Lambda's names have 64 at most",
                    name.len()
                ),
                help: "shorten the name of the function, of the stage or of the project".to_owned(),
                span: file.function_span.clone(),
            });
        }
    }
}
