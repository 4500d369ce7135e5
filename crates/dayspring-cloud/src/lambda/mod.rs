//! Lambda: functions as real `bootstrap` processes behind a Runtime API, and the Invoke API.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::logs::Logs;
use crate::state::StateError;

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
    pub(crate) role: String,
    pub(crate) log_group: String,
    pub(crate) reserved_concurrency: Option<u32>,
    pub(crate) architectures: Vec<String>,
    pub(crate) description: String,
}

/// `X-Amz-Invocation-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

/// What an invocation came to.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
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
}

/// The Lambda service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Lambda {
    inner: Arc<()>,
}

impl Lambda {
    /// Opens the service on its folder: functions and layers of the last run are there again.
    pub(crate) fn open(_config: LambdaConfig, _logs: Logs) -> Result<Self, StateError> {
        todo!()
    }

    /// Makes the function, or replaces its code and configuration: requests that are being answered finish on the old
    /// code, every later one runs on the new. `code` is the zip. Gives the ARN.
    pub(crate) async fn put_function(
        &self,
        _spec: FunctionSpec,
        _code: Bytes,
    ) -> Result<String, AwsError> {
        todo!()
    }

    /// Ends its processes and forgets it. Deleting what is not there is no error.
    pub(crate) async fn delete_function(&self, _name: &str) -> Result<(), AwsError> {
        todo!()
    }

    /// Stores a layer version and gives its ARN (`arn:aws:lambda:REGION:ACCOUNT:layer:NAME:N`).
    pub(crate) fn publish_layer_version(
        &self,
        _name: &str,
        _content: Bytes,
    ) -> Result<String, AwsError> {
        todo!()
    }

    pub(crate) fn delete_layer_version(&self, _arn: &str) -> Result<(), AwsError> {
        todo!()
    }

    /// Invokes a function by name or ARN.
    pub(crate) async fn invoke(
        &self,
        _function: &str,
        _kind: InvocationType,
        _payload: Bytes,
    ) -> Result<Invocation, AwsError> {
        todo!()
    }

    /// Answers Lambda's own REST API (Invoke, GetFunction, ListFunctions, ...).
    pub(crate) async fn answer(&self, _call: Call) -> Answer {
        todo!()
    }

    /// Ends every process that was started.
    pub(crate) async fn shut_down(&self) {}
}
