//! `AWS::Lambda::Function`: made in Lambda from a zip in S3, or from source in the template.

use bytes::Bytes;

use super::properties::Reader;
use super::{Types, generated_name, inline_code, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};
use crate::lambda::{FunctionSpec, LogFormat, LogFormatInput};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("Architectures", InPlace),
        ("Code", InPlace),
        ("DeadLetterConfig", InPlace),
        ("Description", InPlace),
        ("Environment", InPlace),
        ("EphemeralStorage", InPlace),
        ("FunctionName", Replaces),
        ("Handler", InPlace),
        ("KmsKeyArn", InPlace),
        ("Layers", InPlace),
        ("LoggingConfig", InPlace),
        ("MemorySize", InPlace),
        ("PackageType", Replaces),
        ("RecursiveLoop", InPlace),
        ("ReservedConcurrentExecutions", InPlace),
        ("Role", InPlace),
        ("Runtime", InPlace),
        ("RuntimeManagementConfig", InPlace),
        ("SnapStart", InPlace),
        ("Tags", InPlace),
        ("Timeout", InPlace),
        ("TracingConfig", InPlace),
        ("VpcConfig", InPlace),
    ]),
    attributes: Attributes::Known(&["Arn"]),
};

pub(super) async fn put(
    types: &Types,
    request: &Request,
    before: Option<Existing>,
) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let name = match (before, reader.optional_text("FunctionName")?) {
        (Some(before), _) => before.physical_id,
        (None, Some(name)) => name,
        (None, None) => generated_name(types.world, request, 64),
    };
    let package = reader.optional_text("PackageType")?;
    if package.is_some_and(|package| package != "Zip") {
        return Err(Failure::new(
            "this cloud runs functions from zip files only (PackageType)",
        ));
    }
    let environment = match reader.structure("Environment")? {
        Some(environment) => environment.map("Variables")?,
        None => std::collections::BTreeMap::new(),
    };
    let tmp_mib = match reader.structure("EphemeralStorage")? {
        Some(storage) => storage.number("Size")?,
        None => None,
    };
    let (log_group, log_format) = logging(&reader)?;
    let architectures = reader.texts("Architectures")?;
    let spec = FunctionSpec {
        handler: reader.text("Handler")?,
        runtime: reader.text("Runtime")?,
        layers: reader.texts("Layers")?,
        environment,
        timeout_seconds: reader.number("Timeout")?.unwrap_or(3),
        memory_mib: reader.number("MemorySize")?.unwrap_or(128),
        tmp_mib: tmp_mib.unwrap_or(FunctionSpec::TMP_MIB_DEFAULT),
        role: reader.text("Role")?,
        log_group: log_group.unwrap_or_else(|| format!("/aws/lambda/{name}")),
        log_format,
        reserved_concurrency: reader.number("ReservedConcurrentExecutions")?,
        architectures: if architectures.is_empty() {
            vec!["x86_64".to_owned()]
        } else {
            architectures
        },
        description: reader.optional_text("Description")?.unwrap_or_default(),
        name: name.clone(),
    };
    let inline = match reader.structure("Code")? {
        Some(code) => code.optional_text("ZipFile")?,
        None => None,
    };
    let code = match inline {
        Some(source) => inline_code::package(&source, &spec.runtime)?,
        None => code(types, &reader, "Code")?,
    };
    let arn = types.lambda.put_function(spec, code).await?;
    Ok(provisioned(name, [("Arn", arn.as_str())]))
}

/// The log group, where it is named, and the format.
fn logging(reader: &Reader<'_>) -> Result<(Option<String>, LogFormat), Failure> {
    let Some(logging) = reader.structure("LoggingConfig")? else {
        return Ok((None, LogFormat::default()));
    };
    let [log_format, application_log_level, system_log_level] = [
        logging.optional_text("LogFormat")?,
        logging.optional_text("ApplicationLogLevel")?,
        logging.optional_text("SystemLogLevel")?,
    ];
    let log_format = LogFormat::default().with(LogFormatInput {
        log_format: log_format.as_deref(),
        application_log_level: application_log_level.as_deref(),
        system_log_level: system_log_level.as_deref(),
    })?;
    Ok((logging.optional_text("LogGroup")?, log_format))
}

/// The zip that `S3Bucket` and `S3Key` name.
pub(super) fn code(types: &Types, reader: &Reader<'_>, property: &str) -> Result<Bytes, Failure> {
    let place = reader.structure(property)?.ok_or_else(|| {
        Failure::new(format!(
            "Properties validation failed with message: #: required key [{property}] not found"
        ))
    })?;
    if place.get("ZipFile").is_some() || place.get("ImageUri").is_some() {
        return Err(Failure::new(format!(
            "this cloud takes {property} from S3 only ({property}.S3Bucket and {property}.S3Key)"
        )));
    }
    let (bucket, key) = (place.text("S3Bucket")?, place.text("S3Key")?);
    types.s3.object(&bucket, &key).ok_or_else(|| {
        Failure::new(format!(
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist. (s3://{bucket}/{key})"
        ))
    })
}
