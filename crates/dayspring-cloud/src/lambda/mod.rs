//! Lambda: functions as real `bootstrap` processes behind a Runtime API, and the Invoke API.

mod answer;
mod asynchronous;
mod configuration;
mod control;
pub(crate) mod date;
mod environment;
mod escaped;
mod function;
mod invoke;
mod layers;
mod leftovers;
mod limits;
mod line;
mod logging;
mod memory;
mod mounts;
mod name;
mod package;
mod platform;
mod pool;
mod process_log;
mod report;
mod response_stream;
mod runtime_api;
mod runtime_request;
mod runtime_state;
mod runtimes;
mod sandbox;
mod service;
mod session;
mod settings;
#[cfg(test)]
pub(crate) mod tests;
mod variables;
mod version_api;
mod versions;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::Identity;
use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::logs::Logs;
use crate::parity::Notices;
use crate::s3::S3;
use crate::state::StateError;

pub(crate) use logging::{LogFormat, LogFormatInput};
pub use process_log::FunctionLine;
pub(crate) use runtimes::Interpreters;
use service::Service;
pub(crate) use service::random_uuid;
pub(crate) use variables::{
    ACCESS_KEY_ID as FUNCTION_ACCESS_KEY_ID, SECRET_ACCESS_KEY as FUNCTION_SECRET_ACCESS_KEY,
};
use versions::{AliasChange, Novelty, Publication};

/// How long a process without work is kept, where nothing else is said. AWS keeps one for some minutes.
pub(crate) const IDLE_MAX_DEFAULT: Duration = Duration::from_secs(600);

/// A function as CloudFormation or `CreateFunction` describes it, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FunctionSpec {
    pub(crate) name: String,
    pub(crate) handler: String,
    pub(crate) runtime: String,
    /// ARNs of layer versions, in the order in which they are laid over each other.
    pub(crate) layers: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) timeout_seconds: u32,
    pub(crate) memory_mib: u32,
    /// How large `/tmp` is: `EphemeralStorage`.
    #[serde(default = "FunctionSpec::tmp_mib_default")]
    pub(crate) tmp_mib: u32,
    pub(crate) role: String,
    pub(crate) log_group: String,
    #[serde(default)]
    pub(crate) log_format: LogFormat,
    pub(crate) reserved_concurrency: Option<u32>,
    pub(crate) architectures: Vec<String>,
    pub(crate) description: String,
}

impl FunctionSpec {
    /// Where `EphemeralStorage` is not given.
    pub(crate) const TMP_MIB_DEFAULT: u32 = 512;

    fn tmp_mib_default() -> u32 {
        Self::TMP_MIB_DEFAULT
    }
}

/// `X-Amz-Invocation-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

/// A version that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublishedVersion {
    pub(crate) arn: String,
    pub(crate) number: String,
}

/// What an invocation came to.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    /// `$LATEST`, or the number of the version that ran.
    pub(crate) executed_version: String,
    pub(crate) payload: Bytes,
    /// `X-Amz-Function-Error`: `Unhandled` when the function failed; the payload is then the error object.
    pub(crate) function_error: Option<String>,
    /// The last 4 KiB of the invocation's log.
    pub(crate) log_tail: Bytes,
}

#[derive(Debug, Clone)]
pub(crate) struct LambdaConfig {
    pub(crate) identity: Identity,
    /// Where code, layers and the state file are kept.
    pub(crate) folder: PathBuf,
    /// `AWS_ENDPOINT_URL` of every function: this cloud's own address.
    pub(crate) endpoint_url: String,
    /// How long a process without work is kept ([`IDLE_MAX_DEFAULT`]).
    pub(crate) idle_max: Duration,
    /// Gets every line of every function's log as it comes; what it does not take in time is dropped for it.
    pub(crate) lines: Option<mpsc::Sender<FunctionLine>>,
    /// Told of what AWS would do otherwise.
    pub(crate) notices: Notices,
    /// Where `S3Bucket` and `S3Key` of a function's code are read.
    pub(crate) objects: Option<S3>,
    /// What stands in for AWS's managed runtimes.
    pub(crate) interpreters: Interpreters,
}

/// The Lambda service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Lambda {
    service: Arc<Service>,
}

impl Lambda {
    /// Opens the service on its folder: functions and layers of the last run are there again.
    pub(crate) fn open(config: LambdaConfig, logs: Logs) -> Result<Self, StateError> {
        Ok(Self {
            service: Service::open(config, logs)?,
        })
    }

    /// Makes the function, or replaces its code and configuration: requests that are being answered finish on the old
    /// code, every later one runs on the new. `code` is the zip. Gives the ARN.
    pub(crate) async fn put_function(
        &self,
        spec: FunctionSpec,
        code: Bytes,
    ) -> Result<String, AwsError> {
        self.service.put_function(spec, code).await
    }

    /// Ends its processes and forgets it. Deleting what is not there is no error.
    pub(crate) async fn delete_function(&self, name: &str) -> Result<(), AwsError> {
        self.service.delete_function(name)
    }

    /// Publishes the function as it is. What is exactly the last version is refused, as CloudFormation does.
    pub(crate) async fn publish_version(
        &self,
        function: &str,
        code_sha256: Option<String>,
        description: Option<String>,
    ) -> Result<PublishedVersion, AwsError> {
        let name = name::parse_function_name(function, None)?.to_owned();
        let publication = Publication {
            description,
            code_sha256,
            revision_id: None,
        };
        let (version, novelty) = self.service.publish(name, publication).await?;
        let number = version.launch.version.clone();
        if novelty == Novelty::AsBefore {
            return Err(control::conflict(format!(
                "A version for this Lambda function exists ( {number} ). Modify the function to create a new version."
            )));
        }
        Ok(PublishedVersion {
            arn: version.arn.clone(),
            number,
        })
    }

    /// Deletes the version with this ARN. Deleting what is not there is no error.
    pub(crate) async fn delete_version(&self, arn: &str) -> Result<(), AwsError> {
        let named = name::parse_named(arn, None)?;
        let (name, qualifier) = (named.name, named.qualifier.unwrap_or_default());
        let deleted = self
            .service
            .delete_version(name.to_owned(), qualifier.to_owned());
        match deleted.await {
            Err(error) if error.status == ::http::StatusCode::NOT_FOUND => Ok(()),
            other => other,
        }
    }

    /// Makes the alias, or points it at another version. Gives its ARN.
    pub(crate) async fn put_alias(
        &self,
        function: &str,
        alias: &str,
        version: String,
        description: Option<String>,
        exists: bool,
    ) -> Result<String, AwsError> {
        let name = name::parse_function_name(function, None)?;
        let change = AliasChange {
            version: Some(version),
            description,
            revision_id: None,
        };
        let (owner, alias) = (name.to_owned(), alias.to_owned());
        let arn = self.service.qualified_arn(name::Named {
            name,
            qualifier: Some(&alias),
        });
        if exists {
            self.service.update_alias(owner, alias, change).await?;
        } else {
            self.service.create_alias(owner, alias, change).await?;
        }
        Ok(arn)
    }

    /// Deletes the alias with this ARN. Deleting what is not there is no error.
    pub(crate) async fn delete_alias(&self, arn: &str) -> Result<(), AwsError> {
        let named = name::parse_named(arn, None)?;
        let (name, alias) = (named.name, named.qualifier.unwrap_or_default());
        if self.service.find(name).is_none() {
            return Ok(());
        }
        self.service
            .delete_alias(name.to_owned(), alias.to_owned())
            .await
    }

    /// Stores a layer version and gives its ARN (`arn:aws:lambda:REGION:ACCOUNT:layer:NAME:N`).
    pub(crate) fn publish_layer_version(
        &self,
        name: &str,
        content: Bytes,
    ) -> Result<String, AwsError> {
        self.service.publish_layer_version(name, &content)
    }

    pub(crate) fn delete_layer_version(&self, arn: &str) -> Result<(), AwsError> {
        self.service.delete_layer_version(arn)
    }

    /// Invokes a function by name or ARN, with or without a qualifier.
    pub(crate) async fn invoke(
        &self,
        function: &str,
        kind: InvocationType,
        payload: Bytes,
    ) -> Result<Invocation, AwsError> {
        let named = name::parse_named(function, None)?;
        self.service.invoke(named, kind, payload, None).await
    }

    /// Answers Lambda's own REST API (Invoke, GetFunction, ListFunctions, ...).
    pub(crate) async fn answer(&self, call: Call) -> Answer {
        answer::answer(&self.service, call).await
    }

    /// Ends every process that was started.
    pub(crate) async fn shut_down(&self) {
        self.service.shut_down().await;
    }
}
