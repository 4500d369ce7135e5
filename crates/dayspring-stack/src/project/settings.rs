//! The settings that a stage may have otherwise than the project: what the file says, before any default.
//!
//! The file's own tables and each `[stages.NAME]` hold the same tables (`database`, `functions`, `migrator`, `api`,
//! `network`), so both are read by the same code, and a stage's are laid over the project's key by key.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Error;
use crate::nearest::nearest;
use crate::project::names::{
    ApiStageName, BackupWindow, DatabaseName, FunctionName, HeaderName, MaintenanceWindow,
    MediaType, Origin, ParameterName, PolicyArn, UserName, VariableName,
};
use crate::project::table::{Item, Located, Table};
use crate::project::values::{
    Acu, Architecture, Cidr, DatabaseLog, Endpoint, EngineVersion, Retention,
};

/// What the file says about one thing, if anything.
pub(crate) type Setting<T> = Option<Located<T>>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) architecture: Setting<Architecture>,
    pub(crate) database: DatabaseSettings,
    /// For every function.
    pub(crate) functions: FunctionSettings,
    /// For one function each.
    pub(crate) function: BTreeMap<FunctionName, FunctionSettings>,
    pub(crate) migrator: FunctionSettings,
    pub(crate) api: ApiSettings,
    pub(crate) network: NetworkSettings,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct DatabaseSettings {
    pub(crate) name: Setting<DatabaseName>,
    pub(crate) username: Setting<UserName>,
    pub(crate) acu_min: Setting<Acu>,
    pub(crate) acu_max: Setting<Acu>,
    pub(crate) pause_after: Setting<Duration>,
    pub(crate) engine_version: Setting<EngineVersion>,
    pub(crate) minor_upgrades: Setting<bool>,
    pub(crate) protection: Setting<bool>,
    pub(crate) backup_retention_days: Setting<u16>,
    pub(crate) backup_window: Setting<BackupWindow>,
    pub(crate) maintenance_window: Setting<MaintenanceWindow>,
    pub(crate) log_exports: Setting<Vec<DatabaseLog>>,
    pub(crate) parameters: BTreeMap<ParameterName, String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct FunctionSettings {
    pub(crate) memory_mib: Setting<u32>,
    pub(crate) timeout: Setting<Duration>,
    pub(crate) environment: BTreeMap<VariableName, String>,
    pub(crate) policies: Setting<Vec<PolicyArn>>,
    /// How many; nothing for none, said in so many words.
    pub(crate) reserved_concurrency: Setting<Option<u32>>,
    pub(crate) log_retention: Setting<Retention>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ApiSettings {
    pub(crate) stage: Setting<ApiStageName>,
    pub(crate) endpoint: Setting<Endpoint>,
    pub(crate) access_log: Setting<bool>,
    pub(crate) account_role: Setting<bool>,
    pub(crate) log_retention: Setting<Retention>,
    pub(crate) binary_media_types: Setting<Vec<MediaType>>,
    pub(crate) tracing: Setting<bool>,
    pub(crate) throttle_rate: Setting<u32>,
    pub(crate) throttle_burst: Setting<u32>,
    pub(crate) cors: CorsSettings,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct CorsSettings {
    pub(crate) enabled: Setting<bool>,
    pub(crate) origin: Setting<Origin>,
    pub(crate) headers: Setting<Vec<HeaderName>>,
    pub(crate) credentials: Setting<bool>,
    pub(crate) max_age: Setting<Duration>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct NetworkSettings {
    pub(crate) cidr: Setting<Cidr>,
    pub(crate) zones: Setting<u32>,
}

const SECOND: Duration = Duration::from_secs(1);
/// The longest that Lambda lets a function run
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>, from memory).
const FUNCTION_TIMEOUT_MAX: Duration = Duration::from_secs(900);
/// The range of `SecondsUntilAutoPause`.
const PAUSE_AFTER_MIN: Duration = Duration::from_secs(300);
const PAUSE_AFTER_MAX: Duration = Duration::from_secs(86_400);
/// The longest that API Gateway and browsers keep a preflight's answer.
const MAX_AGE_MAX: Duration = Duration::from_secs(86_400);

impl Settings {
    /// Reads the tables that project and stages have in common. `found` are the functions that have a file.
    pub(crate) fn read(table: &mut Table<'_>, found: &[String], errors: &mut Vec<Error>) -> Self {
        let mut settings = Self {
            architecture: table
                .get("architecture")
                .and_then(|item| item.parse("`\"arm64\"` or `\"x86_64\"`", errors)),
            ..Self::default()
        };
        if let Some(table) = subtable(table, "database", errors) {
            settings.database = read_database(table, errors);
        }
        if let Some(table) = subtable(table, "functions", errors) {
            (settings.functions, settings.function) = read_functions(table, found, errors);
        }
        if let Some(mut table) = subtable(table, "migrator", errors) {
            settings.migrator = read_limits(&mut table, errors);
            table.finish(errors);
        }
        if let Some(table) = subtable(table, "api", errors) {
            settings.api = read_api(table, errors);
        }
        if let Some(mut table) = subtable(table, "network", errors) {
            settings.network.cidr = table
                .get("cidr")
                .and_then(|item| item.parse("a string", errors));
            settings.network.zones = table
                .get("zones")
                .and_then(|item| item.integer(2, 3, errors));
            table.finish(errors);
        }
        settings
    }

    /// These settings, and `base`'s where these say nothing.
    pub(crate) fn over(&self, base: &Self) -> Self {
        let mut function = base.function.clone();
        for (name, settings) in &self.function {
            let merged = function
                .get(name)
                .map_or_else(|| settings.clone(), |below| settings.over(below));
            function.insert(name.clone(), merged);
        }
        Self {
            architecture: first(&self.architecture, &base.architecture),
            database: self.database.over(&base.database),
            functions: self.functions.over(&base.functions),
            function,
            migrator: self.migrator.over(&base.migrator),
            api: self.api.over(&base.api),
            network: NetworkSettings {
                cidr: first(&self.network.cidr, &base.network.cidr),
                zones: first(&self.network.zones, &base.network.zones),
            },
        }
    }
}

impl DatabaseSettings {
    fn over(&self, base: &Self) -> Self {
        Self {
            name: first(&self.name, &base.name),
            username: first(&self.username, &base.username),
            acu_min: first(&self.acu_min, &base.acu_min),
            acu_max: first(&self.acu_max, &base.acu_max),
            pause_after: first(&self.pause_after, &base.pause_after),
            engine_version: first(&self.engine_version, &base.engine_version),
            minor_upgrades: first(&self.minor_upgrades, &base.minor_upgrades),
            protection: first(&self.protection, &base.protection),
            backup_retention_days: first(&self.backup_retention_days, &base.backup_retention_days),
            backup_window: first(&self.backup_window, &base.backup_window),
            maintenance_window: first(&self.maintenance_window, &base.maintenance_window),
            log_exports: first(&self.log_exports, &base.log_exports),
            parameters: united(&self.parameters, &base.parameters),
        }
    }
}

impl FunctionSettings {
    pub(crate) fn over(&self, base: &Self) -> Self {
        Self {
            memory_mib: first(&self.memory_mib, &base.memory_mib),
            timeout: first(&self.timeout, &base.timeout),
            environment: united(&self.environment, &base.environment),
            policies: first(&self.policies, &base.policies),
            reserved_concurrency: first(&self.reserved_concurrency, &base.reserved_concurrency),
            log_retention: first(&self.log_retention, &base.log_retention),
        }
    }
}

impl ApiSettings {
    fn over(&self, base: &Self) -> Self {
        Self {
            stage: first(&self.stage, &base.stage),
            endpoint: first(&self.endpoint, &base.endpoint),
            access_log: first(&self.access_log, &base.access_log),
            account_role: first(&self.account_role, &base.account_role),
            log_retention: first(&self.log_retention, &base.log_retention),
            binary_media_types: first(&self.binary_media_types, &base.binary_media_types),
            tracing: first(&self.tracing, &base.tracing),
            throttle_rate: first(&self.throttle_rate, &base.throttle_rate),
            throttle_burst: first(&self.throttle_burst, &base.throttle_burst),
            cors: CorsSettings {
                enabled: first(&self.cors.enabled, &base.cors.enabled),
                origin: first(&self.cors.origin, &base.cors.origin),
                headers: first(&self.cors.headers, &base.cors.headers),
                credentials: first(&self.cors.credentials, &base.cors.credentials),
                max_age: first(&self.cors.max_age, &base.cors.max_age),
            },
        }
    }
}

fn first<T: Clone>(over: &Setting<T>, base: &Setting<T>) -> Setting<T> {
    over.as_ref().or(base.as_ref()).cloned()
}

fn united<K: Clone + Ord>(
    over: &BTreeMap<K, String>,
    base: &BTreeMap<K, String>,
) -> BTreeMap<K, String> {
    base.iter()
        .chain(over)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

pub(crate) fn subtable<'t>(
    table: &mut Table<'t>,
    key: &str,
    errors: &mut Vec<Error>,
) -> Option<Table<'t>> {
    table.get(key)?.table(errors)
}

fn read_database(mut table: Table<'_>, errors: &mut Vec<Error>) -> DatabaseSettings {
    let mut settings = DatabaseSettings {
        name: table
            .get("name")
            .and_then(|item| item.parse("a string", errors)),
        username: table
            .get("username")
            .and_then(|item| item.parse("a string", errors)),
        engine_version: table
            .get("engine_version")
            .and_then(|item| item.parse("a string", errors)),
        minor_upgrades: table
            .get("minor_upgrades")
            .and_then(|item| item.boolean(errors)),
        protection: table
            .get("protection")
            .and_then(|item| item.boolean(errors)),
        backup_retention_days: table
            .get("backup_retention")
            .and_then(|item| item.days(35, errors)),
        backup_window: table
            .get("backup_window")
            .and_then(|item| item.parse("a string", errors)),
        maintenance_window: table
            .get("maintenance_window")
            .and_then(|item| item.parse("a string", errors)),
        log_exports: table
            .get("log_exports")
            .and_then(|item| item.parse_all("an array of log names", errors)),
        ..DatabaseSettings::default()
    };
    if let Some(capacity) = table.get("capacity").and_then(|item| item.table(errors)) {
        read_capacity(capacity, &mut settings, errors);
    }
    if let Some(mut parameters) = subtable(&mut table, "parameters", errors) {
        settings.parameters = read_map(&mut parameters, "parameter", errors);
    }
    table.finish(errors);
    settings
}

fn read_capacity(mut table: Table<'_>, settings: &mut DatabaseSettings, errors: &mut Vec<Error>) {
    let mut acu = |key: &str, errors: &mut Vec<Error>| -> Setting<Acu> {
        let item = table.get(key)?;
        let digits = item.number("a number of capacity units", errors)?;
        item.checked(digits.value, digits.value.parse(), errors)
    };
    settings.acu_min = acu("min", errors);
    settings.acu_max = acu("max", errors).filter(|max| {
        let enough = max.value >= Acu::whole(1);
        if !enough {
            errors.push(Error::BadValue {
                key: "capacity.max".to_owned(),
                value: max.value.to_string(),
                expected: "at least 1".to_owned(),
                nearest: None,
                span: max.span.clone(),
            });
        }
        enough
    });
    settings.pause_after = table
        .get("pause_after")
        .and_then(|item| item.duration(PAUSE_AFTER_MIN, PAUSE_AFTER_MAX, errors));
    if let (Some(min), Some(pause_after)) = (&settings.acu_min, &settings.pause_after)
        && min.value > Acu::ZERO
    {
        errors.push(Error::Contradiction {
            message: format!("`pause_after` has no effect while `min` is {}", min.value),
            help: "only a cluster with `min = 0` pauses; set that, or remove `pause_after`"
                .to_owned(),
            span: pause_after.span.clone(),
        });
    }
    table.finish(errors);
}

fn read_functions(
    mut table: Table<'_>,
    found: &[String],
    errors: &mut Vec<Error>,
) -> (FunctionSettings, BTreeMap<FunctionName, FunctionSettings>) {
    let defaults = read_function(&mut table, errors);
    let settings: Vec<String> = table.known().to_vec();
    let mut functions = BTreeMap::new();
    for item in table.others() {
        if !item.is_table() {
            let known = settings.iter().chain(found).cloned().collect();
            errors.push(table.unknown(&item, known));
            continue;
        }
        let (Some(name), Some(mut function)) =
            (read_function_key(&item, found, errors), item.table(errors))
        else {
            continue;
        };
        functions.insert(name, read_function(&mut function, errors));
        function.finish(errors);
    }
    (defaults, functions)
}

fn read_function_key(
    item: &Item<'_>,
    found: &[String],
    errors: &mut Vec<Error>,
) -> Option<FunctionName> {
    check_function(item.key, &item.key_span, found, errors)?;
    item.key
        .parse()
        .map_err(|invalid| errors.push(item.bad_key("function", invalid)))
        .ok()
}

/// Reports a function without a file.
pub(crate) fn check_function(
    name: &str,
    span: &crate::excerpt::Span,
    found: &[String],
    errors: &mut Vec<Error>,
) -> Option<()> {
    if found.iter().any(|known| known == name) {
        return Some(());
    }
    errors.push(Error::UnknownFunction {
        name: name.to_owned(),
        nearest: nearest(name, found.iter().map(String::as_str)).map(str::to_owned),
        found: found.to_vec(),
        span: span.clone(),
    });
    None
}

fn read_function(table: &mut Table<'_>, errors: &mut Vec<Error>) -> FunctionSettings {
    let environment = table.get("environment").and_then(|item| item.table(errors));
    let policies = table
        .get("policies")
        .and_then(|item| item.parse_all("an array of policies' ARNs", errors));
    FunctionSettings {
        policies,
        environment: environment
            .map(|mut table| read_map(&mut table, "variable", errors))
            .unwrap_or_default(),
        ..read_limits(table, errors)
    }
}

fn read_limits(table: &mut Table<'_>, errors: &mut Vec<Error>) -> FunctionSettings {
    FunctionSettings {
        memory_mib: table
            .get("memory")
            .and_then(|item| item.integer(128, 10_240, errors)),
        timeout: table
            .get("timeout")
            .and_then(|item| item.duration(SECOND, FUNCTION_TIMEOUT_MAX, errors)),
        environment: BTreeMap::new(),
        policies: None,
        reserved_concurrency: table
            .get("reserved_concurrency")
            .and_then(|item| item.integer_or_false(0, 100_000, errors)),
        log_retention: table
            .get("log_retention")
            .and_then(|item| item.parse("a string", errors)),
    }
}

fn read_api(mut table: Table<'_>, errors: &mut Vec<Error>) -> ApiSettings {
    let mut settings = ApiSettings {
        stage: table
            .get("stage")
            .and_then(|item| item.parse("a string", errors)),
        endpoint: table
            .get("endpoint")
            .and_then(|item| item.parse("a string", errors)),
        access_log: table
            .get("access_log")
            .and_then(|item| item.boolean(errors)),
        account_role: table
            .get("account_role")
            .and_then(|item| item.boolean(errors)),
        log_retention: table
            .get("log_retention")
            .and_then(|item| item.parse("a string", errors)),
        binary_media_types: table
            .get("binary_media_types")
            .and_then(|item| item.parse_all("an array of content types", errors)),
        tracing: table.get("tracing").and_then(|item| item.boolean(errors)),
        ..ApiSettings::default()
    };
    if let Some(mut throttle) = subtable(&mut table, "throttle", errors) {
        let mut limit = |key: &str, errors: &mut Vec<Error>| {
            let item = throttle.get(key);
            if item.is_none() {
                errors.push(throttle.missing(key, "a number of requests"));
            }
            item.and_then(|item| item.integer(1, 1_000_000, errors))
        };
        settings.throttle_rate = limit("rate", errors);
        settings.throttle_burst = limit("burst", errors);
        throttle.finish(errors);
    }
    if let Some(item) = table.get("cors") {
        settings.cors = read_cors(&item, errors);
    }
    table.finish(errors);
    settings
}

fn read_cors(item: &Item<'_>, errors: &mut Vec<Error>) -> CorsSettings {
    let mut settings = CorsSettings {
        enabled: Some(Located {
            value: !item.is_false(),
            span: item.span.clone(),
        }),
        ..CorsSettings::default()
    };
    if item.is_false() {
        return settings;
    }
    if !item.is_table() {
        errors.push(item.wrong_type("a table or `false`"));
        return settings;
    }
    if let Some(mut table) = item.table(errors) {
        settings.origin = table
            .get("origin")
            .and_then(|item| item.parse("a string", errors));
        settings.headers = table
            .get("headers")
            .and_then(|item| item.parse_all("an array of header names", errors));
        settings.credentials = table
            .get("credentials")
            .and_then(|item| item.boolean(errors));
        settings.max_age = table
            .get("max_age")
            .and_then(|item| item.duration(Duration::ZERO, MAX_AGE_MAX, errors));
        table.finish(errors);
    }
    settings
}

/// A table whose keys are the user's own: environment variables, parameters, tags.
pub(crate) fn read_map<K>(
    table: &mut Table<'_>,
    kind: &str,
    errors: &mut Vec<Error>,
) -> BTreeMap<K, String>
where
    K: Ord + std::str::FromStr<Err = crate::error::Invalid>,
{
    let mut map = BTreeMap::new();
    for item in table.items() {
        let key = item
            .key
            .parse()
            .map_err(|invalid| errors.push(item.bad_key(kind, invalid)))
            .ok();
        if let (Some(key), Some(value)) = (key, item.scalar(errors)) {
            map.insert(key, value.value);
        }
    }
    map
}
