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

/// A parameter that is to be stored.
struct New {
    name: String,
    /// Where it is not given, that of before.
    kind: Option<String>,
    value: String,
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

    /// Stores a parameter. One that is there is changed where that is allowed.
    pub(crate) fn put_parameter(
        &self,
        name: &str,
        kind: &str,
        value: &str,
        overwrite: bool,
    ) -> Result<(), AwsError> {
        let new = New {
            name: name.to_owned(),
            kind: Some(kind.to_owned()),
            value: value.to_owned(),
        };
        self.put(new, overwrite).map(|_| ())
    }

    /// Deletes a parameter. One that is not there is deleted.
    pub(crate) fn delete_parameter(&self, name: &str) -> Result<(), AwsError> {
        self.change(|parameters| {
            parameters.remove(name);
            Ok(())
        })
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
            "PutParameter" => {
                let new = New {
                    name: input.require("Name")?.to_owned(),
                    kind: input.text("Type").map(str::to_owned),
                    value: input.require("Value")?.to_owned(),
                };
                let version = self.put(new, input.is_true("Overwrite"))?;
                Ok(json!({ "Version": version, "Tier": "Standard" }))
            }
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

    /// Gives the version that the parameter has now.
    fn put(&self, new: New, overwrite: bool) -> Result<u64, AwsError> {
        let modified = self.inner.world.now_millis();
        self.change(|parameters| {
            let before = parameters.get(&new.name);
            if before.is_some() && !overwrite {
                return Err(AwsError::bad_request(
                    "ParameterAlreadyExists",
                    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
                ));
            }
            let kind = new
                .kind
                .or(before.map(|before| before.kind.clone()))
                .unwrap_or_else(|| "String".to_owned());
            let version = before.map_or(1, |before| before.version + 1);
            parameters.insert(
                new.name,
                Parameter {
                    kind,
                    value: new.value,
                    version,
                    modified,
                },
            );
            Ok(version)
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
        // On disk and in memory, or in neither.
        let mut changed = parameters.clone();
        let result = change(&mut changed)?;
        self.inner.file.save(&changed)?;
        *parameters = changed;
        Ok(result)
    }
}

fn not_found() -> AwsError {
    AwsError::bad_request("ParameterNotFound", "")
}
