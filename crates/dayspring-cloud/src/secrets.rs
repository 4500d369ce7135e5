//! Secrets Manager: the secrets of this cloud and the wire protocol (`GetSecretValue`, ...).

use std::collections::BTreeMap;
use std::path::Path;
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

/// The secret store. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    identity: Identity,
    world: World,
    file: StateFile,
    /// By name.
    secrets: Mutex<BTreeMap<String, Secret>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Secret {
    arn: String,
    value: String,
    description: Option<String>,
    version: String,
    /// Milliseconds since 1970.
    created: u64,
    changed: u64,
}

impl Secrets {
    pub(crate) fn open(
        folder: &Path,
        identity: Identity,
        world: World,
    ) -> Result<Self, StateError> {
        let file = StateFile::new(folder.join("secrets.json"));
        let secrets = Mutex::new(file.load()?);
        Ok(Self {
            inner: Arc::new(Inner {
                identity,
                world,
                file,
                secrets,
            }),
        })
    }

    /// Makes a secret and gives its ARN (`arn:aws:secretsmanager:...:secret:NAME-6chars`).
    pub(crate) fn create(
        &self,
        name: &str,
        value: &str,
        description: Option<&str>,
    ) -> Result<String, AwsError> {
        self.insert(name, value, description)
            .map(|secret| secret.arn)
    }

    /// Changes a secret's description, and its value where one is given.
    pub(crate) fn update(
        &self,
        name_or_arn: &str,
        value: Option<String>,
        description: Option<String>,
    ) -> Result<(), AwsError> {
        let (name, _) = self.find(name_or_arn).ok_or_else(not_found)?;
        self.set(&name, value, |secret| secret.description = description)?;
        Ok(())
    }

    /// The value of a secret by name or ARN.
    pub(crate) fn value(&self, name_or_arn: &str) -> Option<String> {
        look_up(&self.lock(), name_or_arn).map(|(_, secret)| secret.value.clone())
    }

    /// Deleting what is not there is no error.
    pub(crate) fn delete(&self, name_or_arn: &str) {
        if let Some((name, _)) = self.find(name_or_arn) {
            let mut secrets = self.lock();
            secrets.remove(&name);
            // A file that could not be written is written by the next change; the secret is of no use by then.
            self.inner.file.save(&*secrets).ok();
        }
    }

    /// Answers Secrets Manager's JSON API.
    pub(crate) fn answer(&self, call: &Call) -> Answer {
        json::respond(
            Input::parse(call).and_then(|input| self.dispatch(json::operation(call), &input)),
        )
    }

    fn dispatch(&self, operation: &str, input: &Input) -> Result<Value, AwsError> {
        match operation {
            "CreateSecret" => {
                let name = input.require("Name")?;
                let value = input.text("SecretString").unwrap_or_default();
                let secret = self.insert(name, value, input.text("Description"))?;
                Ok(json!({ "ARN": secret.arn, "Name": name, "VersionId": secret.version }))
            }
            "GetSecretValue" => {
                let (name, secret) = self.require(input)?;
                Ok(json!({
                    "ARN": secret.arn,
                    "Name": name,
                    "VersionId": secret.version,
                    "SecretString": secret.value,
                    "VersionStages": ["AWSCURRENT"],
                    "CreatedDate": time::epoch_seconds(secret.changed),
                }))
            }
            "DescribeSecret" => {
                let (name, secret) = self.require(input)?;
                Ok(describe(&name, &secret))
            }
            "PutSecretValue" => {
                let (name, _) = self.require(input)?;
                let value = input.text("SecretString").map(str::to_owned);
                let secret = self.set(&name, value, |_| {})?;
                Ok(json!({
                    "ARN": secret.arn,
                    "Name": name,
                    "VersionId": secret.version,
                    "VersionStages": ["AWSCURRENT"],
                }))
            }
            "UpdateSecret" => {
                let (name, _) = self.require(input)?;
                let value = input.text("SecretString").map(str::to_owned);
                let secret = self.set(&name, value, |secret| {
                    if let Some(description) = input.text("Description") {
                        secret.description = Some(description.to_owned());
                    }
                })?;
                Ok(json!({ "ARN": secret.arn, "Name": name, "VersionId": secret.version }))
            }
            "DeleteSecret" => {
                let (name, secret) = self.require(input)?;
                let now = self.inner.world.now_millis();
                self.change(|secrets| {
                    secrets.remove(&name);
                    Ok(())
                })?;
                Ok(
                    json!({ "ARN": secret.arn, "Name": name, "DeletionDate": time::epoch_seconds(now) }),
                )
            }
            "ListSecrets" => {
                let secrets = self.lock();
                let list: Vec<Value> = secrets
                    .iter()
                    .map(|(name, secret)| list_entry(name, secret))
                    .collect();
                Ok(json!({ "SecretList": list }))
            }
            other => Err(json::unknown_operation(other)),
        }
    }

    fn insert(
        &self,
        name: &str,
        value: &str,
        description: Option<&str>,
    ) -> Result<Secret, AwsError> {
        let world = self.inner.world;
        let now = world.now_millis();
        let suffix = world.characters(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            6,
        );
        let secret = Secret {
            arn: self
                .inner
                .identity
                .arn("secretsmanager", &format!("secret:{name}-{suffix}")),
            value: value.to_owned(),
            description: description.map(str::to_owned),
            version: world.uuid(),
            created: now,
            changed: now,
        };
        self.change(|secrets| {
            if secrets.contains_key(name) {
                return Err(AwsError::bad_request(
                    "ResourceExistsException",
                    format!("The operation failed because the secret {name} already exists."),
                ));
            }
            secrets.insert(name.to_owned(), secret.clone());
            Ok(secret)
        })
    }

    /// Gives a secret a new value, where there is one, and another change.
    fn set(
        &self,
        name: &str,
        value: Option<String>,
        more: impl FnOnce(&mut Secret),
    ) -> Result<Secret, AwsError> {
        let (version, changed) = (self.inner.world.uuid(), self.inner.world.now_millis());
        self.change(|secrets| {
            let secret = secrets.get_mut(name).ok_or_else(not_found)?;
            if let Some(value) = value {
                secret.value = value;
                secret.version = version;
            }
            more(secret);
            secret.changed = changed;
            Ok(secret.clone())
        })
    }

    fn require(&self, input: &Input) -> Result<(String, Secret), AwsError> {
        self.find(input.require("SecretId")?).ok_or_else(not_found)
    }

    /// By name, ARN, or ARN without the six random characters, as Secrets Manager looks one up.
    fn find(&self, name_or_arn: &str) -> Option<(String, Secret)> {
        look_up(&self.lock(), name_or_arn).map(|(name, secret)| (name.clone(), secret.clone()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Secret>> {
        self.inner
            .secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Secret>) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let mut secrets = self.lock();
        // On disk and in memory, or in neither.
        let mut changed = secrets.clone();
        let result = change(&mut changed)?;
        self.inner.file.save(&changed)?;
        *secrets = changed;
        Ok(result)
    }
}

/// By name, by ARN, or by an ARN without its last characters.
fn look_up<'a>(
    secrets: &'a BTreeMap<String, Secret>,
    name_or_arn: &str,
) -> Option<(&'a String, &'a Secret)> {
    secrets.iter().find(|(name, secret)| {
        name.as_str() == name_or_arn
            || secret.arn == name_or_arn
            || secret
                .arn
                .rsplit_once('-')
                .is_some_and(|(partial, _)| partial == name_or_arn)
    })
}

fn describe(name: &str, secret: &Secret) -> Value {
    json!({
        "ARN": secret.arn,
        "Name": name,
        "Description": secret.description,
        "CreatedDate": time::epoch_seconds(secret.created),
        "LastChangedDate": time::epoch_seconds(secret.changed),
        "VersionIdsToStages": { secret.version.as_str(): ["AWSCURRENT"] },
    })
}

/// A secret as `ListSecrets` shows it: with another name for the stages than `DescribeSecret` has.
fn list_entry(name: &str, secret: &Secret) -> Value {
    let mut entry = describe(name, secret);
    if let Some(members) = entry.as_object_mut()
        && let Some(stages) = members.remove("VersionIdsToStages")
    {
        members.insert("SecretVersionsToStages".to_owned(), stages);
    }
    entry
}

fn not_found() -> AwsError {
    AwsError::bad_request(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(folder: &Path) -> Secrets {
        Secrets::open(folder, Identity::default(), World::real()).unwrap()
    }

    #[test]
    fn a_secret_is_found_by_name_and_by_arn_and_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let arn = secrets(folder.path())
            .create("db/master", "word", None)
            .unwrap();
        let secrets = secrets(folder.path());
        assert_eq!(secrets.value("db/master").as_deref(), Some("word"));
        assert_eq!(secrets.value(&arn).as_deref(), Some("word"));
        assert_eq!(
            secrets.value(&arn[..arn.len() - 7]).as_deref(),
            Some("word")
        );
        assert_eq!(
            secrets.create("db/master", "x", None).unwrap_err().kind,
            "ResourceExistsException"
        );
        secrets.delete(&arn);
        assert_eq!(secrets.value(&arn), None);
    }
}
