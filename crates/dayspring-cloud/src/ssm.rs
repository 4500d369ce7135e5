//! SSM: the parameter store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::identity::Identity;
use crate::protocol::json::{self, Input};
use crate::protocol::time;
use crate::state::{StateError, StateFile};
use crate::world::World;

/// The parameter store. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Ssm {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    identity: Identity,
    world: World,
    file: StateFile,
    parameters: Mutex<BTreeMap<String, Parameter>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Parameter {
    /// `String`, `StringList` or `SecureString`.
    kind: String,
    value: String,
    version: u64,
    /// Milliseconds since 1970.
    modified: u64,
}

impl Ssm {
    pub(crate) fn open(
        folder: &std::path::Path,
        identity: Identity,
        world: World,
    ) -> Result<Self, StateError> {
        let path: PathBuf = folder.join("ssm.json");
        let file = StateFile::new(path);
        let parameters = Mutex::new(file.load()?);
        Ok(Self {
            inner: Arc::new(Inner {
                identity,
                world,
                file,
                parameters,
            }),
        })
    }

    /// The value of a parameter.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.find(name).map(|parameter| parameter.value)
    }

    /// Answers SSM's JSON API.
    pub(crate) fn answer(&self, call: &Call) -> Answer {
        json::respond(
            Input::parse(call).and_then(|input| self.dispatch(json::operation(call), &input)),
        )
    }

    fn dispatch(&self, operation: &str, input: &Input) -> Result<Value, AwsError> {
        match operation {
            "GetParameter" => {
                let name = input.require("Name")?;
                let parameter = self.find(name).ok_or_else(not_found)?;
                Ok(json!({ "Parameter": self.describe(name, &parameter) }))
            }
            "GetParameters" => {
                let (mut found, mut invalid) = (Vec::new(), Vec::new());
                for name in input.texts("Names") {
                    match self.find(name) {
                        Some(parameter) => found.push(self.describe(name, &parameter)),
                        None => invalid.push(name),
                    }
                }
                Ok(json!({ "Parameters": found, "InvalidParameters": invalid }))
            }
            "GetParametersByPath" => {
                Ok(self.by_path(input.require("Path")?, input.is_true("Recursive")))
            }
            "PutParameter" => self.put(input),
            "DeleteParameter" => {
                let name = input.require("Name")?;
                self.change(|parameters| {
                    parameters
                        .remove(name)
                        .map(|_| json!({}))
                        .ok_or_else(not_found)
                })
            }
            other => Err(json::unknown_operation(other)),
        }
    }

    fn by_path(&self, path: &str, recursive: bool) -> Value {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let parameters = self.lock();
        let found: Vec<Value> = parameters
            .iter()
            .filter(|(name, _)| {
                name.strip_prefix(&prefix)
                    .is_some_and(|rest| recursive || !rest.contains('/'))
            })
            .map(|(name, parameter)| self.describe(name, parameter))
            .collect();
        json!({ "Parameters": found })
    }

    fn put(&self, input: &Input) -> Result<Value, AwsError> {
        let name = input.require("Name")?.to_owned();
        let value = input.require("Value")?.to_owned();
        let modified = self.inner.world.now_millis();
        self.change(|parameters| {
            let before = parameters.get(&name);
            if before.is_some() && !input.is_true("Overwrite") {
                return Err(AwsError::bad_request(
                    "ParameterAlreadyExists",
                    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
                ));
            }
            let kind = input
                .text("Type")
                .or(before.map(|before| before.kind.as_str()))
                .unwrap_or("String")
                .to_owned();
            let version = before.map_or(1, |before| before.version + 1);
            parameters.insert(
                name,
                Parameter {
                    kind,
                    value,
                    version,
                    modified,
                },
            );
            Ok(json!({ "Version": version, "Tier": "Standard" }))
        })
    }

    /// By name or ARN.
    fn find(&self, name: &str) -> Option<Parameter> {
        let name = name.split_once(":parameter").map_or(name, |(_, name)| name);
        let parameters = self.lock();
        parameters
            .get(name)
            .or_else(|| parameters.get(name.trim_start_matches('/')))
            .cloned()
    }

    fn describe(&self, name: &str, parameter: &Parameter) -> Value {
        let resource = format!("parameter/{}", name.trim_start_matches('/'));
        json!({
            "Name": name,
            "Type": parameter.kind,
            "Value": parameter.value,
            "Version": parameter.version,
            "LastModifiedDate": time::epoch_seconds(parameter.modified),
            "ARN": self.inner.identity.arn("ssm", &resource),
            "DataType": "text",
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Parameter>> {
        self.inner
            .parameters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Parameter>) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let mut parameters = self.lock();
        let result = change(&mut parameters)?;
        self.inner.file.save(&*parameters)?;
        Ok(result)
    }
}

fn not_found() -> AwsError {
    AwsError::bad_request("ParameterNotFound", "")
}
