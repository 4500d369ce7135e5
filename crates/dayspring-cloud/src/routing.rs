//! Which service a request on the port of the AWS APIs is for.

use ::http::request::Parts;

use crate::cloudformation::RESPONSE_PATH;
use crate::http::{form_fields, header, host};

/// What answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Health,
    /// The answer of a custom resource. The URL itself is the permission.
    CustomResourceResponse,
    /// A deployed stage.
    Stage,
    Service(Service),
    /// A service that this cloud does not have.
    Unknown(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    CloudFormation,
    S3,
    Sts,
    Ssm,
    Secrets,
    Logs,
    Lambda,
    RdsData,
    ApiGateway,
}

/// A request's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) target: Target,
    pub(crate) signed: bool,
}

pub(crate) fn route(parts: &Parts) -> Route {
    let path = parts.uri.path();
    let open = |target| Route {
        target,
        signed: true,
    };
    if path == "/_dayspring/health" {
        return open(Target::Health);
    }
    if path.starts_with(RESPONSE_PATH) {
        return open(Target::CustomResourceResponse);
    }
    if (path.starts_with("/restapis/") && path.contains("/_user_request_"))
        || host(parts).contains(".execute-api.")
    {
        return open(Target::Stage);
    }
    match signed_for(parts) {
        Some(service) => Route {
            target: Service::parse(&service).map_or(Target::Unknown(service), Target::Service),
            signed: true,
        },
        None => Route {
            target: Target::Service(guess(parts)),
            signed: false,
        },
    }
}

/// The service in the credential scope (`KEY/DATE/REGION/SERVICE/aws4_request`) of the `Authorization` header or of
/// the query string.
fn signed_for(parts: &Parts) -> Option<String> {
    let service = |credential: &str| credential.split('/').rev().nth(1).map(str::to_owned);
    if let Some(authorization) = header(parts, "authorization") {
        let rest = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
        let credential = rest
            .split([',', ' '])
            .find_map(|field| field.trim().strip_prefix("Credential="))?;
        return service(credential);
    }
    form_fields(parts.uri.query()?)
        .into_iter()
        .find(|(name, _)| name == "X-Amz-Credential")
        .and_then(|(_, credential)| service(&credential))
}

/// What an unsigned request looks like.
fn guess(parts: &Parts) -> Service {
    if let Some(target) = header(parts, "x-amz-target") {
        return match target.split(['.', '_']).next().unwrap_or_default() {
            "AmazonSSM" => Service::Ssm,
            "Logs" => Service::Logs,
            _ => Service::Secrets,
        };
    }
    let path = parts.uri.path();
    let is_lambda = path
        .split('/')
        .nth(2)
        .is_some_and(|part| matches!(part, "functions" | "layers" | "event-source-mappings"))
        && path.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if is_lambda {
        return Service::Lambda;
    }
    let data_api = [
        "/Execute",
        "/BatchExecute",
        "/BeginTransaction",
        "/CommitTransaction",
        "/RollbackTransaction",
        "/ExecuteSql",
    ];
    if data_api.contains(&path) {
        return Service::RdsData;
    }
    if path == "/restapis" || path.starts_with("/restapis/") {
        return Service::ApiGateway;
    }
    let is_form = header(parts, "content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let query = parts.uri.query().unwrap_or_default();
    if path == "/" && (is_form || query.contains("Action=")) {
        // The two query services are told apart by the version of their API.
        return if query.contains("2011-06-15") || host(parts).starts_with("sts.") {
            Service::Sts
        } else {
            Service::CloudFormation
        };
    }
    Service::S3
}

impl Service {
    /// By the name in a credential scope.
    fn parse(name: &str) -> Option<Self> {
        match name {
            "cloudformation" => Some(Self::CloudFormation),
            "s3" => Some(Self::S3),
            "sts" => Some(Self::Sts),
            "ssm" => Some(Self::Ssm),
            "secretsmanager" => Some(Self::Secrets),
            "logs" => Some(Self::Logs),
            "lambda" => Some(Self::Lambda),
            "rds-data" => Some(Self::RdsData),
            "apigateway" => Some(Self::ApiGateway),
            _ => None,
        }
    }

    /// How long a body may be.
    pub(crate) fn body_bytes_max(self) -> usize {
        const MIB: usize = 1024 * 1024;
        match self {
            // A template of 1 MiB, encoded as a form.
            Self::CloudFormation => 4 * MIB,
            // S3 takes 5 GiB; a function's zip is 250 MiB at most, and a body is held in memory here.
            Self::S3 => 512 * MIB,
            Self::Sts | Self::Ssm | Self::Secrets => MIB,
            // A batch of PutLogEvents is 1 MiB at most.
            Self::Logs => 2 * MIB,
            // An update of a function's code carries its zip in base64.
            Self::Lambda => 128 * MIB,
            // An API's definition is 6 MB at most.
            Self::ApiGateway => 6 * MIB,
            // The Data API refuses more than 4 MiB itself, in its own words.
            Self::RdsData => 8 * MIB,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: ::http::request::Builder, target: Target, signed: bool) {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(route(&parts), Route { target, signed });
    }

    fn post(uri: &str) -> ::http::request::Builder {
        ::http::Request::post(uri)
    }

    #[test]
    fn the_credential_scope_names_the_service() {
        let header = "AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/cloudformation/aws4_request, SignedHeaders=host, Signature=00";
        check(
            post("/").header("authorization", header),
            Target::Service(Service::CloudFormation),
            true,
        );
        check(
            post("/").header("authorization", header.replace("cloudformation", "ec2")),
            Target::Unknown("ec2".to_owned()),
            true,
        );
        check(
            ::http::Request::get(
                "/b/k?X-Amz-Credential=AKID%2F20261122%2Feu-west-1%2Fs3%2Faws4_request",
            ),
            Target::Service(Service::S3),
            true,
        );
    }

    #[test]
    fn what_needs_no_signature_is_known_by_its_path_or_host() {
        check(post("/_dayspring/health"), Target::Health, true);
        check(
            ::http::Request::put(
                "/cloudformation-custom-resource-response-useast1/x?X-Amz-Signature=1",
            ),
            Target::CustomResourceResponse,
            true,
        );
        check(
            post("/restapis/abc/prod/_user_request_/posts"),
            Target::Stage,
            true,
        );
        check(
            post("/prod/posts").header("host", "abc.execute-api.us-east-1.localhost:4566"),
            Target::Stage,
            true,
        );
    }

    #[test]
    fn an_unsigned_request_is_known_by_what_it_looks_like() {
        check(
            post("/").header("x-amz-target", "Logs_20140328.FilterLogEvents"),
            Target::Service(Service::Logs),
            false,
        );
        check(
            post("/").header("x-amz-target", "AmazonSSM.GetParameter"),
            Target::Service(Service::Ssm),
            false,
        );
        check(
            post("/2015-03-31/functions/f/invocations"),
            Target::Service(Service::Lambda),
            false,
        );
        check(post("/Execute"), Target::Service(Service::RdsData), false);
        check(
            ::http::Request::get("/restapis"),
            Target::Service(Service::ApiGateway),
            false,
        );
        check(
            post("/").header(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
            Target::Service(Service::CloudFormation),
            false,
        );
        check(post("/bucket/key"), Target::Service(Service::S3), false);
    }
}
