//! The operations of Lambda's REST API that make, change and show functions and layers.
//!
//! Each is an edit of what is kept of one function: read from the request, checked, and stored by the service, which
//! starts new processes only where code or configuration changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::answer::{page_fields, qualifier, query};
use super::configuration::configuration;
use super::date::{Utc, unix_millis_now};
use super::function::{Function, KeptFunction, Settings};
use super::name::{not_found, parse_function_name, parse_named};
use super::service::{Service, random_uuid};
use super::versions::Publication;
use super::{FunctionSpec, LogFormat, LogFormatInput};
use super::{settings, version_api};
use crate::error::AwsError;
use crate::http::{Call, decode_percent};

/// What an account may have at once:
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>.
pub(super) const CONCURRENCY_MAX: u32 = 1000;

/// Members that are shown as they were given, and change nothing here.
const RECORDED: [&str; 7] = [
    "DeadLetterConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "KMSKeyArn",
    "SnapStart",
    "TracingConfig",
    "VpcConfig",
];

/// A status and, where the operation has one, a body.
pub(super) type Done = Result<(StatusCode, Option<Value>), AwsError>;

/// The operation that the request is for, or `None` where it is not one of these.
pub(super) async fn control(
    service: &Arc<Service>,
    call: &Call,
    segments: &[&str],
) -> Option<Done> {
    let method = &call.parts.method;
    let done = match (method, segments) {
        (&Method::POST, ["2015-03-31", "functions"]) => create(service, call).await,
        (&Method::PUT, ["2015-03-31", "functions", name, "code"]) => {
            update_code(service, call, name).await
        }
        (&Method::PUT, ["2015-03-31", "functions", name, "configuration"]) => {
            update_configuration(service, call, name).await
        }
        (&Method::DELETE, ["2015-03-31", "functions", name]) => delete(service, call, name).await,
        (_, ["2015-03-31", "functions", name, "versions"]) => {
            version_api::versions(service, call, name).await?
        }
        (_, ["2015-03-31", "functions", name, "aliases", rest @ ..]) => {
            version_api::aliases(service, call, name, rest).await?
        }
        (_, ["2015-03-31", "functions", name, "policy", rest @ ..]) => {
            settings::policy(service, call, name, rest).await?
        }
        (
            _,
            [
                "2017-10-31" | "2019-09-30",
                "functions",
                name,
                "concurrency",
            ],
        ) => settings::concurrency(service, call, name).await?,
        (
            _,
            [
                "2019-09-25",
                "functions",
                name,
                "event-invoke-config",
                rest @ ..,
            ],
        ) => settings::event_invoke(service, call, name, rest).await?,
        (_, ["2017-03-31", "tags", arn @ ..]) => {
            settings::tags(service, call, &arn.join("/")).await?
        }
        (&Method::GET, ["2016-08-19", "account-settings"]) => {
            Ok((StatusCode::OK, Some(account_settings(service))))
        }
        (_, ["2018-10-31", "layers", rest @ ..]) => {
            super::layers::layers(service, call, rest).await?
        }
        (&Method::GET, segments) => nothing_there(service, call, segments)?,
        _ => return None,
    };
    Some(done)
}

/// What is asked of a function where this cloud has one answer only, since it refuses to set anything else. Clients that
/// describe a function ask for all of it.
fn nothing_there(service: &Service, call: &Call, segments: &[&str]) -> Option<Done> {
    let missing = || resource_not_found("The resource you requested does not exist.");
    let answer: fn(&Function) -> Option<Value> = match segments {
        ["2020-06-30", "functions", _, "code-signing-config"] => {
            |function| Some(json!({"FunctionName": function.kept.spec.name}))
        }
        ["2021-07-20", "functions", _, "runtime-management-config"] => {
            |function| Some(json!({"UpdateRuntimeOn": "Auto", "FunctionArn": function.arn}))
        }
        ["2024-08-31", "functions", _, "recursion-config"] => {
            |_| Some(json!({"RecursiveLoop": "Terminate"}))
        }
        ["2019-09-30", "functions", _, "provisioned-concurrency"] => {
            if query(call, "List").is_some() {
                |_| Some(json!({"ProvisionedConcurrencyConfigs": []}))
            } else {
                |_| None
            }
        }
        ["2021-10-31", "functions", _, "urls"] => |_| Some(json!({"FunctionUrlConfigs": []})),
        ["2021-10-31", "functions", _, "url"] => |_| None,
        ["2015-03-31", "event-source-mappings"] => {
            let none = json!({"EventSourceMappings": []});
            return Some(Ok((StatusCode::OK, Some(none))));
        }
        _ => return None,
    };
    let [_, _, name, ..] = segments else {
        return None;
    };
    let shown = find(service, name).and_then(|function| answer(&function).ok_or_else(missing));
    Some(shown.map(|shown| (StatusCode::OK, Some(shown))))
}

/// Code in a request: the zip in base64, or its place in S3.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CodeInput {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    image_uri: Option<String>,
}

impl CodeInput {
    pub(super) fn bytes(&self, service: &Service) -> Result<Bytes, AwsError> {
        if self.image_uri.is_some() {
            return Err(invalid(
                "The local cloud runs functions from zip files only (Code.ImageUri).",
            ));
        }
        match (&self.zip_file, &self.s3_bucket, &self.s3_key) {
            (Some(zip), _, _) => STANDARD
                .decode(zip)
                .map(Bytes::from)
                .map_err(|_| invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")),
            (None, Some(bucket), Some(key)) => service.object(bucket, key).ok_or_else(|| {
                invalid(
                    "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
                )
            }),
            _ => Err(invalid("Please provide a source for function code.")),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FunctionInput {
    function_name: Option<String>,
    runtime: Option<String>,
    role: Option<String>,
    handler: Option<String>,
    code: CodeInput,
    description: Option<String>,
    timeout: Option<u32>,
    memory_size: Option<u32>,
    package_type: Option<String>,
    environment: Option<EnvironmentInput>,
    layers: Option<Vec<String>>,
    architectures: Option<Vec<String>>,
    logging_config: Option<LoggingInput>,
    ephemeral_storage: Option<StorageInput>,
    tags: BTreeMap<String, String>,
    revision_id: Option<String>,
    publish: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EnvironmentInput {
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StorageInput {
    size: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LoggingInput {
    log_group: Option<String>,
    log_format: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
}

impl FunctionInput {
    /// Lays what the request has over what there is.
    fn apply(&self, spec: &mut FunctionSpec) -> Result<(), AwsError> {
        fn set<T: Clone>(to: &mut T, from: Option<&T>) {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        set(&mut spec.runtime, self.runtime.as_ref());
        set(&mut spec.role, self.role.as_ref());
        set(&mut spec.handler, self.handler.as_ref());
        set(&mut spec.description, self.description.as_ref());
        set(&mut spec.timeout_seconds, self.timeout.as_ref());
        set(&mut spec.memory_mib, self.memory_size.as_ref());
        let storage = self.ephemeral_storage.as_ref();
        set(&mut spec.tmp_mib, storage.map(|storage| &storage.size));
        set(&mut spec.layers, self.layers.as_ref());
        set(&mut spec.architectures, self.architectures.as_ref());
        let variables = self.environment.as_ref().map(|input| &input.variables);
        set(&mut spec.environment, variables);
        if let Some(logging) = &self.logging_config {
            set(&mut spec.log_group, logging.log_group.as_ref());
            spec.log_format = spec.log_format.with(LogFormatInput {
                log_format: logging.log_format.as_deref(),
                application_log_level: logging.application_log_level.as_deref(),
                system_log_level: logging.system_log_level.as_deref(),
            })?;
        }
        Ok(())
    }

    fn recorded(&self, body: &Map<String, Value>, settings: &mut Settings) {
        for name in RECORDED {
            if let Some(value) = body.get(name) {
                settings.recorded.insert(name.to_owned(), value.clone());
            }
        }
    }
}

async fn create(service: &Arc<Service>, call: &Call) -> Done {
    let input: FunctionInput = parse(&call.body)?;
    let body: Map<String, Value> = parse(&call.body)?;
    let name = input.function_name.clone().unwrap_or_default();
    let name = parse_function_name(&name, None)?.to_owned();
    if input
        .package_type
        .as_deref()
        .is_some_and(|kind| kind != "Zip")
    {
        return Err(invalid(
            "The local cloud runs functions from zip files only (PackageType).",
        ));
    }
    if input.runtime.is_none() || input.handler.is_none() {
        return Err(invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    }
    let role = input.role.clone().unwrap_or_default();
    check_role(&role)?;
    let zip = input.code.bytes(service)?;
    let mut spec = FunctionSpec {
        name: name.clone(),
        handler: String::new(),
        runtime: String::new(),
        layers: Vec::new(),
        environment: BTreeMap::new(),
        timeout_seconds: 3,
        memory_mib: 128,
        tmp_mib: FunctionSpec::TMP_MIB_DEFAULT,
        role,
        log_group: format!("/aws/lambda/{name}"),
        log_format: LogFormat::default(),
        reserved_concurrency: None,
        architectures: vec!["x86_64".to_owned()],
        description: String::new(),
    };
    input.apply(&mut spec)?;
    let mut settings = Settings {
        tags: input.tags.clone(),
        ..Settings::default()
    };
    input.recorded(&body, &mut settings);
    service.tell(&name, &body);
    let function = service
        .store(name.clone(), move |before, code| {
            if before.is_some() {
                return Err(conflict(format!("Function already exist: {name}")));
            }
            KeptFunction::new(spec, settings, &zip, code)
        })
        .await?;
    let function = published(service, function, input.publish).await?;
    let mut shown = configuration(service, &function);
    shown["State"] = "Pending".into();
    shown["StateReason"] = "The function is being created.".into();
    shown["StateReasonCode"] = "Creating".into();
    Ok((StatusCode::CREATED, Some(shown)))
}

async fn update_code(service: &Arc<Service>, call: &Call, name: &str) -> Done {
    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Input {
        dry_run: bool,
        publish: bool,
        revision_id: Option<String>,
        architectures: Option<Vec<String>>,
        #[serde(flatten)]
        code: CodeInput,
    }
    let input: Input = parse(&call.body)?;
    let function = find(service, name)?;
    let zip = input.code.bytes(service)?;
    check_revision(input.revision_id.as_ref(), &function.kept)?;
    if input.dry_run {
        return Ok((StatusCode::OK, Some(configuration(service, &function))));
    }
    let changed = service
        .store(function.kept.spec.name.clone(), move |before, code| {
            let before = before.ok_or_else(gone)?;
            let mut spec = before.spec.clone();
            if let Some(architectures) = input.architectures {
                spec.architectures = architectures;
            }
            KeptFunction::new(spec, before.settings.clone(), &zip, code)
        })
        .await?;
    let shown = published(service, changed, input.publish).await?;
    Ok((StatusCode::OK, Some(updating(service, &shown))))
}

/// What is published of a function that was just put, where the request asks for it.
async fn published(
    service: &Arc<Service>,
    function: Arc<Function>,
    publish: bool,
) -> Result<Arc<Function>, AwsError> {
    if !publish {
        return Ok(function);
    }
    let name = function.kept.spec.name.clone();
    let (version, _) = service.publish(name, Publication::default()).await?;
    Ok(version)
}

async fn update_configuration(service: &Arc<Service>, call: &Call, name: &str) -> Done {
    let input: FunctionInput = parse(&call.body)?;
    let body: Map<String, Value> = parse(&call.body)?;
    let function = find(service, name)?;
    check_revision(input.revision_id.as_ref(), &function.kept)?;
    if let Some(role) = &input.role {
        check_role(role)?;
    }
    service.tell(&function.kept.spec.name, &body);
    let changed = service
        .store(function.kept.spec.name.clone(), move |before, _| {
            let mut after = before.ok_or_else(gone)?.clone();
            input.apply(&mut after.spec)?;
            input.recorded(&body, &mut after.settings);
            after.touch();
            Ok(after)
        })
        .await?;
    Ok((StatusCode::OK, Some(updating(service, &changed))))
}

async fn delete(service: &Arc<Service>, call: &Call, name: &str) -> Done {
    let text = decode_percent(name);
    let named = parse_named(&text, qualifier(call))?;
    let function = find(service, named.name)?;
    let name = function.kept.spec.name.clone();
    match named.qualifier {
        Some(qualifier) => service.delete_version(name, qualifier.to_owned()).await?,
        None => service.delete_function(&name)?,
    }
    Ok((StatusCode::NO_CONTENT, None))
}

fn account_settings(service: &Service) -> Value {
    let functions = service.list();
    let code: u64 = functions
        .iter()
        .map(|function| function.kept.code_bytes)
        .sum();
    let reserved: u32 = functions
        .iter()
        .filter_map(|function| function.kept.spec.reserved_concurrency)
        .sum();
    json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": CONCURRENCY_MAX,
            "UnreservedConcurrentExecutions": CONCURRENCY_MAX.saturating_sub(reserved),
        },
        "AccountUsage": {"TotalCodeSize": code, "FunctionCount": functions.len()},
    })
}

/// Changes what is kept of a function that has to be there.
pub(super) async fn edit(
    service: &Arc<Service>,
    name: &str,
    change: impl FnOnce(&mut KeptFunction) -> Result<(), AwsError> + Send + 'static,
) -> Result<Arc<Function>, AwsError> {
    let function = find(service, name)?;
    service
        .store(function.kept.spec.name.clone(), move |before, _| {
            let mut after = before.ok_or_else(gone)?.clone();
            change(&mut after)?;
            after.touch();
            Ok(after)
        })
        .await
}

pub(super) fn find(service: &Service, name: &str) -> Result<Arc<Function>, AwsError> {
    let name = decode_percent(name);
    let name = parse_function_name(&name, None)?;
    service
        .find(name)
        .ok_or_else(|| not_found(&service.arn(name)))
}

/// A page of a list: a marker is the number of those that were given before.
pub(super) fn page(call: &Call, member: &str, all: Vec<Value>) -> Value {
    let (marker, page) = page_fields(call);
    let from: usize = marker.and_then(|marker| marker.parse().ok()).unwrap_or(0);
    let next = from.saturating_add(page);
    let mut answer = Map::new();
    if next < all.len() {
        answer.insert("NextMarker".to_owned(), next.to_string().into());
    }
    let given: Vec<Value> = all.into_iter().skip(from).take(page).collect();
    answer.insert(member.to_owned(), given.into());
    Value::Object(answer)
}

/// A configuration whose change is under way, which AWS says in the answer to an update.
fn updating(service: &Service, function: &Function) -> Value {
    let mut shown = configuration(service, function);
    shown["LastUpdateStatus"] = "InProgress".into();
    shown["LastUpdateStatusReason"] = "The function is being created.".into();
    shown["LastUpdateStatusReasonCode"] = "Creating".into();
    shown
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        AwsError::bad_request(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )
    })
}

fn check_role(role: &str) -> Result<(), AwsError> {
    let is_good = role.strip_prefix("arn:").is_some_and(|rest| {
        rest.split_once(":iam::").is_some_and(|(partition, rest)| {
            partition.starts_with("aws")
                && rest
                    .get(..12)
                    .is_some_and(|account| account.bytes().all(|byte| byte.is_ascii_digit()))
                && rest
                    .get(12..)
                    .is_some_and(|role| role.starts_with(":role/") && role.len() > 6)
        })
    });
    if is_good {
        return Ok(());
    }
    Err(validation(&format!(
        r"1 validation error detected: Value '{role}' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{{12}}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
    )))
}

pub(super) fn check_revision(wanted: Option<&String>, kept: &KeptFunction) -> Result<(), AwsError> {
    if wanted.is_none_or(|wanted| *wanted == kept.revision_id) {
        return Ok(());
    }
    Err(other_revision())
}

pub(super) fn other_revision() -> AwsError {
    AwsError::new(
        StatusCode::PRECONDITION_FAILED,
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    )
}

pub(super) fn conflict(message: String) -> AwsError {
    AwsError::new(StatusCode::CONFLICT, "ResourceConflictException", message)
}

/// It was deleted while the request was on its way.
pub(super) fn gone() -> AwsError {
    resource_not_found("The resource you requested does not exist.")
}

pub(super) fn resource_not_found(message: &str) -> AwsError {
    AwsError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
}

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidParameterValueException", message)
}

pub(super) fn validation(message: &str) -> AwsError {
    AwsError::bad_request("ValidationException", message)
}

impl KeptFunction {
    /// With new code.
    fn new(
        spec: FunctionSpec,
        settings: Settings,
        zip: &[u8],
        code: &super::package::PackageStore,
    ) -> Result<Self, AwsError> {
        Ok(Self {
            spec,
            code: code.unpack(zip)?,
            code_bytes: u64::try_from(zip.len()).unwrap_or(u64::MAX),
            revision_id: random_uuid(),
            modified_unix_millis: unix_millis_now(),
            settings,
        })
    }

    /// It is another revision now.
    fn touch(&mut self) {
        self.revision_id = random_uuid();
        self.modified_unix_millis = unix_millis_now();
    }

    /// `2026-11-22T10:00:00.000+0000`.
    pub(super) fn modified(&self) -> String {
        format!(
            "{}+0000",
            Utc::from_unix_millis(self.modified_unix_millis).iso_millis()
        )
    }
}
