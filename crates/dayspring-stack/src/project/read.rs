//! The tables of a project file, one function a table.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use crate::assembly::Assets;
use crate::digest::Digest;
use crate::error::{Error, Invalid};
use crate::excerpt::Span;
use crate::project::names::{
    FUNCTION_NAME_CHARACTERS_MAX, FunctionName, ProjectName, ScriptsFolder, StageName, TagKey,
};
use crate::project::route::{HttpMethod, Route, RoutePath, Segment};
use crate::project::settings::{Settings, check_function, read_map, subtable};
use crate::project::stage::{Common, Stage};
use crate::project::table::{Item, Located, Table};
use crate::project::{Build, LintLevel, LintSetting, Project};
use crate::resources::synthesize;

/// CloudFormation's limit for one template
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>, from memory).
const RESOURCES_MAX: usize = 500;

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

pub(super) fn read_project(
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
    let lint = subtable(&mut table, "lint", errors)
        .map(|table| read_lint(table, errors))
        .unwrap_or_default();
    let tags = subtable(&mut table, "tags", errors)
        .map(|mut table| read_map::<TagKey>(&mut table, "tag", errors))
        .unwrap_or_default();
    let base = Settings::read(&mut table, found, errors);
    let routes_item = table.get("routes");
    let routes = match &routes_item {
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
    let with_settings = stages.values().map(|file| &file.settings).chain([&base]);
    let with_settings: BTreeSet<&FunctionName> = with_settings
        .flat_map(|settings| settings.function.keys())
        .collect();
    check_name_lengths(&name, stages.keys(), &routes, with_settings, errors);
    let routes: Vec<Route> = routes.into_iter().map(|file| file.route).collect();
    let common = Common {
        project: name.value,
        scripts: scripts.unwrap_or_else(ScriptsFolder::default_folder),
        tags: tags
            .into_iter()
            .map(|(key, value)| (key.as_str().to_owned(), value))
            .collect(),
        routes,
    };
    let stages: Vec<Stage> = stages
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
    if let Some(item) = routes_item.filter(|_| errors.is_empty()) {
        check_resource_counts(&stages, &item, errors);
    }
    Some(Project {
        name: common.project,
        build,
        lint,
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

fn read_lint(mut table: Table<'_>, errors: &mut Vec<Error>) -> Vec<LintSetting> {
    const EXPECTED: &str = "an array of rules, such as `[\"no-algorithm\"]`";
    let mut settings: Vec<LintSetting> = Vec::new();
    for level in LintLevel::ALL {
        let rules = table
            .get(level.key())
            .and_then(|item| item.array(EXPECTED, errors));
        for item in rules.unwrap_or_default() {
            if let Some(rule) = item.text("a rule's name", errors) {
                settings.push(LintSetting {
                    level,
                    rule: rule.value.to_owned(),
                    span: rule.span,
                });
            }
        }
    }
    table.finish(errors);
    settings
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
fn check_name_lengths<'n>(
    project: &Located<ProjectName>,
    stages: impl Iterator<Item = &'n StageName>,
    routes: &'n [RouteFile],
    with_settings: BTreeSet<&'n FunctionName>,
    errors: &mut Vec<Error>,
) {
    let Some(longest) = stages.max_by_key(|name| name.as_str().len()) else {
        return;
    };
    let mut places: BTreeMap<&FunctionName, &Span> = with_settings
        .into_iter()
        .map(|function| (function, &project.span))
        .collect();
    places.extend(
        routes
            .iter()
            .rev()
            .map(|file| (&file.route.function, &file.function_span)),
    );
    for (function, span) in places {
        let name = format!("{}-{longest}-{function}", project.value);
        if name.len() > FUNCTION_NAME_CHARACTERS_MAX {
            errors.push(Error::Contradiction {
                message: format!(
                    "`{name}` has {} characters, and Lambda's names have {FUNCTION_NAME_CHARACTERS_MAX} at most",
                    name.len()
                ),
                help: "shorten the name of the function, of the stage or of the project".to_owned(),
                span: span.clone(),
            });
        }
    }
}

/// A stack has a limit, too; better known here than at the end of an upload.
fn check_resource_counts(stages: &[Stage], routes: &Item<'_>, errors: &mut Vec<Error>) {
    let assets = Assets {
        code: Digest::of(b""),
        scripts: Digest::of(b""),
        contract: true,
    };
    for stage in stages {
        let count = synthesize(stage, &assets).resources().len();
        if count > RESOURCES_MAX {
            errors.push(Error::Contradiction {
                message: format!(
                    "`{}` has {count} resources, and CloudFormation's stacks have {RESOURCES_MAX} at most",
                    stage.stack_name()
                ),
                help: "answer several routes with one function, or `{proxy+}` with one that looks at the path"
                    .to_owned(),
                span: routes.key_span.clone(),
            });
        }
    }
}
