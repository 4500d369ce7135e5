//! A stage of a project with every setting decided: what the template is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::asset_home::AssetHome;
use crate::error::Error;
use crate::project::names::{
    ApiStageName, BackupWindow, DatabaseName, FunctionName, HeaderName, MaintenanceWindow,
    MediaType, Origin, ParameterName, PolicyArn, ProjectName, ScriptsFolder, StageName, UserName,
    VariableName,
};
use crate::project::route::Route;
use crate::project::settings::{ApiSettings, DatabaseSettings, FunctionSettings, Settings};
use crate::project::values::{
    Acu, Architecture, Capacity, Cidr, DatabaseLog, Endpoint, EngineVersion, Retention,
};

/// What the caller decides instead of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The processors for which the function binary was built.
    pub architecture: Option<Architecture>,
    /// The processors to build for where the file does not say: what the caller's machine can build. Without it,
    /// [`Architecture::Arm64`].
    pub usual_architecture: Option<Architecture>,
    /// Where archives and templates are uploaded to.
    pub asset_home: AssetHome,
}

/// One stage of a project: one CloudFormation stack, one database.
#[derive(Debug, Clone)]
pub struct Stage {
    pub(crate) project: ProjectName,
    pub(crate) name: StageName,
    pub(crate) development: bool,
    /// As the file says, until [`Stage::with`] decides.
    pub(crate) architecture: Option<Architecture>,
    pub(crate) scripts: ScriptsFolder,
    pub(crate) tags: BTreeMap<String, String>,
    /// In the order of the file.
    pub(crate) routes: Vec<Route>,
    /// In the order of their names.
    pub(crate) functions: Vec<Function>,
    pub(crate) migrator: Migrator,
    pub(crate) database: Database,
    pub(crate) api: Api,
    pub(crate) network: Network,
    /// [`AssetHome::Own`], until [`Stage::with`] decides.
    pub(crate) asset_home: AssetHome,
}

#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: FunctionName,
    pub(crate) memory_mib: u32,
    pub(crate) timeout: Duration,
    pub(crate) environment: BTreeMap<VariableName, String>,
    pub(crate) policies: Vec<PolicyArn>,
    pub(crate) reserved_concurrency: Option<u32>,
    pub(crate) log_retention: Retention,
}

#[derive(Debug, Clone)]
pub(crate) struct Migrator {
    pub(crate) memory_mib: u32,
    pub(crate) timeout: Duration,
    pub(crate) reserved_concurrency: Option<u32>,
    pub(crate) log_retention: Retention,
}

#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) name: DatabaseName,
    pub(crate) username: UserName,
    pub(crate) capacity: Capacity,
    pub(crate) engine_version: EngineVersion,
    pub(crate) minor_upgrades: bool,
    pub(crate) protection: bool,
    pub(crate) backup_retention_days: u16,
    pub(crate) backup_window: Option<BackupWindow>,
    pub(crate) maintenance_window: Option<MaintenanceWindow>,
    pub(crate) log_exports: BTreeSet<DatabaseLog>,
    pub(crate) parameters: BTreeMap<ParameterName, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) stage: ApiStageName,
    pub(crate) endpoint: Endpoint,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) binary_media_types: Vec<MediaType>,
    pub(crate) tracing: bool,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) cors: Option<Cors>,
}

#[derive(Debug, Clone)]
pub(crate) struct AccessLog {
    pub(crate) retention: Retention,
    /// Whether the stack gives API Gateway the account's role for writing logs.
    pub(crate) account_role: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Throttle {
    pub(crate) rate: u32,
    pub(crate) burst: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Cors {
    pub(crate) origin: Origin,
    pub(crate) headers: Vec<HeaderName>,
    pub(crate) credentials: bool,
    pub(crate) max_age: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) cidr: Cidr,
    pub(crate) zones: u8,
}

/// What all stages have alike.
pub(crate) struct Common {
    pub(crate) project: ProjectName,
    pub(crate) scripts: ScriptsFolder,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) routes: Vec<Route>,
}

const MEMORY_MIB: u32 = 256;
/// API Gateway waits no longer than this for a function unless the account's limit was raised
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>, from memory).
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(29);
/// One at work, and the one that it hands over to: requests that take all of the account's concurrency cannot keep a
/// migration from starting.
const MIGRATOR_CONCURRENCY: u32 = 2;
const MIGRATOR_TIMEOUT: Duration = Duration::from_secs(900);
const PAUSE_AFTER: Duration = Duration::from_secs(300);
const CORS_MAX_AGE: Duration = Duration::from_secs(600);

impl Stage {
    /// Decides every setting. What cannot be decided is an error, and the stage then only good for finding more errors.
    pub(crate) fn resolve(
        common: &Common,
        name: StageName,
        development: bool,
        settings: &Settings,
        errors: &mut Vec<Error>,
    ) -> Self {
        let log_retention = if development {
            Retention::Days(7)
        } else {
            Retention::Days(30)
        };
        let routed = common.routes.iter().map(|route| &route.function);
        let functions: BTreeSet<&FunctionName> = routed.chain(settings.function.keys()).collect();
        Self {
            project: common.project.clone(),
            name,
            development,
            architecture: value(&settings.architecture),
            scripts: common.scripts.clone(),
            tags: common.tags.clone(),
            routes: common.routes.clone(),
            functions: functions
                .into_iter()
                .map(|name| {
                    let own = settings.function.get(name);
                    let settings = own.map_or_else(
                        || settings.functions.clone(),
                        |own| own.over(&settings.functions),
                    );
                    Function::resolve(name, &settings, log_retention)
                })
                .collect(),
            migrator: Migrator {
                memory_mib: value(&settings.migrator.memory_mib).unwrap_or(MEMORY_MIB),
                timeout: value(&settings.migrator.timeout).unwrap_or(MIGRATOR_TIMEOUT),
                reserved_concurrency: value(&settings.migrator.reserved_concurrency).unwrap_or(
                    if development {
                        None
                    } else {
                        Some(MIGRATOR_CONCURRENCY)
                    },
                ),
                log_retention: value(&settings.migrator.log_retention).unwrap_or(log_retention),
            },
            database: Database::resolve(&common.project, development, &settings.database, errors),
            api: Api::resolve(&settings.api, development, log_retention, errors),
            network: Network {
                cidr: value(&settings.network.cidr).unwrap_or_else(Cidr::default_network),
                zones: if value(&settings.network.zones) == Some(3) {
                    3
                } else {
                    2
                },
            },
            asset_home: AssetHome::Own,
        }
    }

    pub(crate) fn with(mut self, overrides: &Overrides) -> Self {
        self.architecture = overrides
            .architecture
            .or(self.architecture)
            .or(overrides.usual_architecture);
        self.asset_home.clone_from(&overrides.asset_home);
        self
    }

    /// The project's name.
    #[must_use]
    pub fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The stage's name.
    #[must_use]
    pub fn name(&self) -> &StageName {
        &self.name
    }

    /// Whether applied scripts may be edited and the database is deleted with the stack.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.development
    }

    /// The CloudFormation stack: `blog-dev`. The cluster has the same name.
    #[must_use]
    pub fn stack_name(&self) -> String {
        format!("{}-{}", self.project, self.name)
    }

    /// The processors that the function binary must be built for.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture.unwrap_or_default()
    }

    /// Where archives and templates are uploaded to.
    #[must_use]
    pub fn asset_home(&self) -> &AssetHome {
        &self.asset_home
    }

    /// The folder of the migration scripts, relative to the project and, in Lambda, to the layers' root.
    #[must_use]
    pub fn scripts_folder(&self) -> &ScriptsFolder {
        &self.scripts
    }

    /// The tags of the stack, which CloudFormation gives to its resources.
    #[must_use]
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// The routes in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The functions that the template makes, sorted: those of the routes and those with settings of their own.
    #[must_use]
    pub fn functions(&self) -> Vec<&FunctionName> {
        self.functions
            .iter()
            .map(|function| &function.name)
            .collect()
    }

    /// The name that a function has at AWS: `blog-dev-get_posts`.
    #[must_use]
    pub fn function_name(&self, function: &FunctionName) -> String {
        format!("{}-{}-{function}", self.project, self.name)
    }

    /// The name that the migrator has at AWS. No function can have it, because theirs have no dash.
    #[must_use]
    pub fn migrator_name(&self) -> String {
        format!("{}-{}-dayspring-migrate", self.project, self.name)
    }

    /// The log group of a function, or of the migrator, by its name at AWS.
    #[must_use]
    pub fn log_group(&self, function_name: &str) -> String {
        format!("/aws/lambda/{function_name}")
    }

    /// The database inside the cluster.
    #[must_use]
    pub fn database_name(&self) -> &DatabaseName {
        &self.database.name
    }

    /// The range in which the cluster scales.
    #[must_use]
    pub fn capacity(&self) -> Capacity {
        self.database.capacity
    }

    /// The first segment of the API's URLs.
    #[must_use]
    pub fn api_stage(&self) -> &str {
        self.api.stage.as_str()
    }
}

impl Function {
    fn resolve(name: &FunctionName, settings: &FunctionSettings, log_retention: Retention) -> Self {
        Self {
            name: name.clone(),
            memory_mib: value(&settings.memory_mib).unwrap_or(MEMORY_MIB),
            timeout: value(&settings.timeout).unwrap_or(FUNCTION_TIMEOUT),
            environment: settings.environment.clone(),
            policies: value(&settings.policies).unwrap_or_default(),
            reserved_concurrency: value(&settings.reserved_concurrency).flatten(),
            log_retention: value(&settings.log_retention).unwrap_or(log_retention),
        }
    }
}

impl Database {
    fn resolve(
        project: &ProjectName,
        development: bool,
        settings: &DatabaseSettings,
        errors: &mut Vec<Error>,
    ) -> Self {
        let min = value(&settings.acu_min).unwrap_or(Acu::ZERO);
        let max = value(&settings.acu_max).unwrap_or(Acu::whole(4));
        if let Some(stated) = settings.acu_min.as_ref().or(settings.acu_max.as_ref())
            && min > max
        {
            errors.push(Error::Contradiction {
                message: format!("the least capacity, {min}, is more than the most, {max}"),
                help: "raise `max` or lower `min`; a stage's capacity is laid over the project's"
                    .to_owned(),
                span: stated.span.clone(),
            });
        }
        let pause_after =
            (min == Acu::ZERO).then(|| value(&settings.pause_after).unwrap_or(PAUSE_AFTER));
        Self {
            name: value(&settings.name).unwrap_or_else(|| DatabaseName::of_project(project)),
            username: value(&settings.username).unwrap_or_else(UserName::default_name),
            capacity: Capacity {
                min,
                max,
                pause_after,
            },
            engine_version: value(&settings.engine_version)
                .unwrap_or_else(EngineVersion::default_version),
            minor_upgrades: value(&settings.minor_upgrades).unwrap_or(false),
            protection: value(&settings.protection).unwrap_or(!development),
            backup_retention_days: value(&settings.backup_retention_days)
                .unwrap_or(if development { 1 } else { 7 }),
            backup_window: value(&settings.backup_window),
            maintenance_window: value(&settings.maintenance_window),
            log_exports: value(&settings.log_exports)
                .unwrap_or_default()
                .into_iter()
                .collect(),
            parameters: settings.parameters.clone(),
        }
    }
}

impl Api {
    fn resolve(
        settings: &ApiSettings,
        development: bool,
        log_retention: Retention,
        errors: &mut Vec<Error>,
    ) -> Self {
        let cors = value(&settings.cors.enabled)
            .unwrap_or(true)
            .then(|| Cors::resolve(settings, errors));
        let rate = value(&settings.throttle_rate);
        Self {
            stage: value(&settings.stage).unwrap_or_else(ApiStageName::default_name),
            endpoint: value(&settings.endpoint).unwrap_or(Endpoint::Regional),
            access_log: value(&settings.access_log)
                .unwrap_or(true)
                .then(|| AccessLog {
                    retention: value(&settings.log_retention).unwrap_or(log_retention),
                    account_role: value(&settings.account_role).unwrap_or(true),
                }),
            binary_media_types: value(&settings.binary_media_types).unwrap_or_default(),
            tracing: value(&settings.tracing).unwrap_or(!development),
            throttle: rate
                .zip(value(&settings.throttle_burst))
                .map(|(rate, burst)| Throttle { rate, burst }),
            cors,
        }
    }
}

impl Cors {
    fn resolve(settings: &ApiSettings, errors: &mut Vec<Error>) -> Self {
        let settings = &settings.cors;
        let any: Option<Origin> = "*".parse().ok();
        let origin = value(&settings.origin).or(any).expect("`*` is an origin");
        let credentials = value(&settings.credentials).unwrap_or(false);
        if let Some(stated) = &settings.credentials
            && credentials
            && origin.as_str() == "*"
        {
            errors.push(Error::Contradiction {
                message: "`credentials` cannot be allowed to the origin `*`".to_owned(),
                help: "name the origin, such as `origin = \"https://www.example.com\"`".to_owned(),
                span: stated.span.clone(),
            });
        }
        let usual = ["Content-Type", "Authorization", "X-Requested-With"];
        Self {
            origin,
            headers: value(&settings.headers)
                .unwrap_or_else(|| usual.iter().filter_map(|name| name.parse().ok()).collect()),
            credentials,
            max_age: value(&settings.max_age).unwrap_or(CORS_MAX_AGE),
        }
    }
}

fn value<T: Clone>(setting: &crate::project::settings::Setting<T>) -> Option<T> {
    setting.as_ref().map(|located| located.value.clone())
}
