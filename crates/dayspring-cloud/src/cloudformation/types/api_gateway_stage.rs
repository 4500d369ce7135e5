//! `AWS::ApiGateway::Stage`: the name under which a deployment answers.

use super::properties::Reader;
use super::{Types, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Failure, Properties, Provisioned, Request, Schema,
};
use crate::gateway::{StageDescription, StageSpec, ThrottleSpec};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("AccessLogSetting", InPlace),
        ("CacheClusterEnabled", InPlace),
        ("CacheClusterSize", InPlace),
        ("ClientCertificateId", InPlace),
        ("DeploymentId", InPlace),
        ("Description", InPlace),
        ("DocumentationVersion", InPlace),
        ("MethodSettings", InPlace),
        ("RestApiId", Replaces),
        ("StageName", Replaces),
        ("Tags", InPlace),
        ("TracingEnabled", InPlace),
        ("Variables", InPlace),
    ]),
    attributes: Attributes::Known(&[]),
};

pub(super) fn put(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let name = reader.text("StageName")?;
    let access_log = match reader.structure("AccessLogSetting")? {
        Some(setting) => {
            let group = setting.optional_text("DestinationArn")?;
            group.zip(setting.optional_text("Format")?)
        }
        None => None,
    };
    let spec = StageSpec {
        name: name.clone(),
        deployment_id: reader.text("DeploymentId")?,
        variables: reader.map("Variables")?,
        throttles: throttles(&reader)?,
        access_log,
        described: StageDescription {
            description: reader.optional_text("Description")?.unwrap_or_default(),
            tags: reader.tags("Tags")?,
            tracing_enabled: reader.boolean("TracingEnabled")?,
            ..StageDescription::default()
        },
    };
    types.gateway.put_stage(&reader.text("RestApiId")?, spec)?;
    Ok(provisioned(name, []))
}

/// The limits among the method settings. The others are recorded.
fn throttles(reader: &Reader<'_>) -> Result<Vec<ThrottleSpec>, Failure> {
    let mut throttles = Vec::new();
    for setting in reader.list("MethodSettings")? {
        let setting = Reader::new(setting.as_object().ok_or_else(|| {
            Failure::new("Properties validation failed with message: #/MethodSettings: expected type: JSONObject")
        })?);
        let rate: Option<f64> = setting.number("ThrottlingRateLimit")?;
        let burst = setting.number("ThrottlingBurstLimit")?;
        if rate.is_none() && burst.is_none() {
            continue;
        }
        throttles.push(ThrottleSpec {
            resource_path: setting.text("ResourcePath")?,
            http_method: setting.text("HttpMethod")?,
            rate_per_1000_s: rate.map_or(RATE_DEFAULT * 1000, per_1000_s),
            burst: burst.unwrap_or(BURST_DEFAULT),
        });
    }
    Ok(throttles)
}

/// The account's limits, which hold where a setting has only one of the two:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
const RATE_DEFAULT: u64 = 10_000;
const BURST_DEFAULT: u32 = 5_000;

fn per_1000_s(rate: f64) -> u64 {
    // A float cast ends at the bounds of the integer, and what is no number is 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "fractions of a thousandth do not matter, and a negative rate admits nothing"
    )]
    let thousandths = (rate * 1000.0) as u64;
    thousandths
}
