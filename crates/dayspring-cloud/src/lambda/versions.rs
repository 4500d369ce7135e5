//! Published versions, and the aliases that name them.
//!
//! A version is a function as it was when it was published: its code and its configuration. It has processes of its own,
//! and nothing changes it. <https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html> (read 2026-11-23).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::control::{check_revision, conflict, gone, invalid, resource_not_found, validation};
use super::function::{Function, KeptFunction};
use super::name::{LATEST, Named, not_found};
use super::pool::Pool;
use super::service::{Service, internal, random_uuid};
use crate::error::AwsError;

/// What is kept of a function's versions between runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptPublished {
    /// No number is given twice while the function lives.
    last_number: u64,
    pub(super) versions: BTreeMap<u64, KeptFunction>,
    pub(super) aliases: BTreeMap<String, KeptAlias>,
}

/// An alias: another name for one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptAlias {
    /// `$LATEST` or a number.
    pub(super) version: String,
    pub(super) description: String,
    pub(super) revision_id: String,
}

/// The versions that can be invoked, and what names them.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) versions: BTreeMap<u64, Arc<Function>>,
    pub(super) aliases: BTreeMap<String, KeptAlias>,
}

/// What a request to publish expects and adds.
#[derive(Debug, Clone, Default)]
pub(super) struct Publication {
    pub(super) description: Option<String>,
    pub(super) code_sha256: Option<String>,
    pub(super) revision_id: Option<String>,
}

/// What of an alias a request sets.
#[derive(Debug, Clone, Default)]
pub(super) struct AliasChange {
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
    pub(super) revision_id: Option<String>,
}

impl Service {
    /// The version that is meant.
    pub(super) fn resolve(&self, named: Named<'_>) -> Option<Arc<Function>> {
        let Some(qualifier) = named.qualifier.filter(|qualifier| *qualifier != LATEST) else {
            return self.find(named.name);
        };
        let all = self.published();
        let published = all.get(named.name)?;
        let version = match published.aliases.get(qualifier) {
            Some(alias) if alias.version == LATEST => {
                drop(all);
                return self.find(named.name);
            }
            Some(alias) => &alias.version,
            None => qualifier,
        };
        published.versions.get(&version.parse().ok()?).cloned()
    }

    /// Every function in each of its versions.
    pub(super) fn all(&self) -> Vec<Arc<Function>> {
        let mut all = self.list();
        for published in self.published().values() {
            all.extend(published.versions.values().cloned());
        }
        all
    }

    /// The versions of a function, the oldest first, without `$LATEST`.
    pub(super) fn versions(&self, name: &str) -> Vec<Arc<Function>> {
        self.published()
            .get(name)
            .map(|published| published.versions.values().cloned().collect())
            .unwrap_or_default()
    }

    /// The aliases of a function, by name.
    pub(super) fn aliases(&self, name: &str) -> BTreeMap<String, KeptAlias> {
        self.published()
            .get(name)
            .map(|published| published.aliases.clone())
            .unwrap_or_default()
    }

    /// Makes the next version from `$LATEST`, or gives the last one where nothing has changed since.
    pub(super) async fn publish(
        self: &Arc<Self>,
        name: String,
        publication: Publication,
    ) -> Result<(Arc<Function>, Novelty), AwsError> {
        self.blocking(move |service| service.publish_blocking(&name, &publication))
            .await
    }

    fn publish_blocking(
        &self,
        name: &str,
        publication: &Publication,
    ) -> Result<(Arc<Function>, Novelty), AwsError> {
        let mut kept = self.kept();
        let latest = kept
            .functions
            .get(name)
            .ok_or_else(|| not_found(&self.arn(name)))?;
        check_revision(publication.revision_id.as_ref(), latest)?;
        let digest = latest.code.base64();
        if let Some(expected) = &publication.code_sha256
            && *expected != digest
        {
            return Err(invalid(format!(
                "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({digest}). Please try again with the CodeSHA256 in $LATEST."
            )));
        }
        let mut version = latest.clone();
        let published = kept.published.get(name).cloned().unwrap_or_default();
        let last = published.versions.last_key_value();
        if let Some((number, last)) = last
            && is_same(last, &version)
            && let Some(function) = self.version(name, *number)
        {
            return Ok((function, Novelty::AsBefore));
        }
        if let Some(description) = &publication.description {
            version.spec.description.clone_from(description);
        }
        version.revision_id = random_uuid();
        let number = published.last_number + 1;
        let roots = self.roots(&version, &kept.layers)?;
        let pool = Pool::new(version.spec.reserved_concurrency);
        let mut changed = kept.clone();
        let of_function = changed.published.entry(name.to_owned()).or_default();
        of_function.last_number = number;
        of_function.versions.insert(number, version.clone());
        self.save(&changed)?;
        *kept = changed;
        let function = self.function(version, &number.to_string(), roots, pool);
        self.published_mut()
            .entry(name.to_owned())
            .or_default()
            .versions
            .insert(number, Arc::clone(&function));
        drop(kept);
        Ok((function, Novelty::New))
    }

    fn version(&self, name: &str, number: u64) -> Option<Arc<Function>> {
        self.published().get(name)?.versions.get(&number).cloned()
    }

    /// Deletes a version that no alias names. Its processes end when they have answered.
    pub(super) async fn delete_version(
        self: &Arc<Self>,
        name: String,
        qualifier: String,
    ) -> Result<(), AwsError> {
        self.blocking(move |service| service.delete_version_blocking(&name, &qualifier))
            .await
    }

    fn delete_version_blocking(&self, name: &str, qualifier: &str) -> Result<(), AwsError> {
        if qualifier == LATEST {
            return Err(invalid(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        let mut kept = self.kept();
        let mut changed = kept.clone();
        let arn = self.qualified_arn(Named {
            name,
            qualifier: Some(qualifier),
        });
        let published = changed.published.entry(name.to_owned()).or_default();
        if published.aliases.contains_key(qualifier) {
            return Err(invalid(
                "A version is deleted by its number, and an alias by DeleteAlias.",
            ));
        }
        let number: u64 = qualifier.parse().map_err(|_| not_found(&arn))?;
        let named_by: Vec<&str> = published
            .aliases
            .iter()
            .filter(|(_, alias)| alias.version == qualifier)
            .map(|(name, _)| name.as_str())
            .collect();
        if !named_by.is_empty() {
            return Err(conflict(format!(
                "Unable to delete version because the following aliases reference it: [{}]",
                named_by.join(", ")
            )));
        }
        if published.versions.remove(&number).is_none() {
            return Err(not_found(&arn));
        }
        self.save(&changed)?;
        *kept = changed;
        let before = self
            .published_mut()
            .get_mut(name)
            .and_then(|published| published.versions.remove(&number));
        drop(kept);
        if let Some(before) = before {
            before.pool.retire();
        }
        Ok(())
    }

    /// Makes an alias.
    pub(super) async fn create_alias(
        self: &Arc<Self>,
        name: String,
        alias: String,
        change: AliasChange,
    ) -> Result<KeptAlias, AwsError> {
        check_alias_name(&alias)?;
        self.edit_alias(name, alias, move |arn, before| {
            if before.is_some() {
                return Err(conflict(format!("Alias already exists: {arn}")));
            }
            Ok(Some(KeptAlias {
                version: change.version.unwrap_or_default(),
                description: change.description.unwrap_or_default(),
                revision_id: random_uuid(),
            }))
        })
        .await?
        .ok_or_else(gone)
    }

    /// Changes an alias. Requests that are on their way run where they are.
    pub(super) async fn update_alias(
        self: &Arc<Self>,
        name: String,
        alias: String,
        change: AliasChange,
    ) -> Result<KeptAlias, AwsError> {
        self.edit_alias(name, alias, move |arn, before| {
            let before = before.ok_or_else(|| no_alias(arn))?;
            if change
                .revision_id
                .is_some_and(|wanted| wanted != before.revision_id)
            {
                return Err(super::control::other_revision());
            }
            Ok(Some(KeptAlias {
                version: change.version.unwrap_or(before.version),
                description: change.description.unwrap_or(before.description),
                revision_id: random_uuid(),
            }))
        })
        .await?
        .ok_or_else(gone)
    }

    /// Deletes an alias. Deleting what is not there is no error, as on AWS.
    pub(super) async fn delete_alias(
        self: &Arc<Self>,
        name: String,
        alias: String,
    ) -> Result<(), AwsError> {
        self.edit_alias(name, alias, |_, _| Ok(None)).await?;
        Ok(())
    }

    async fn edit_alias(
        self: &Arc<Self>,
        name: String,
        alias: String,
        edit: impl FnOnce(&str, Option<KeptAlias>) -> Result<Option<KeptAlias>, AwsError>
        + Send
        + 'static,
    ) -> Result<Option<KeptAlias>, AwsError> {
        self.blocking(move |service| service.edit_alias_blocking(&name, &alias, edit))
            .await
    }

    fn edit_alias_blocking(
        &self,
        name: &str,
        alias: &str,
        edit: impl FnOnce(&str, Option<KeptAlias>) -> Result<Option<KeptAlias>, AwsError>,
    ) -> Result<Option<KeptAlias>, AwsError> {
        let mut kept = self.kept();
        if !kept.functions.contains_key(name) {
            return Err(not_found(&self.arn(name)));
        }
        let mut changed = kept.clone();
        let published = changed.published.entry(name.to_owned()).or_default();
        let arn = |qualifier| {
            self.qualified_arn(Named {
                name,
                qualifier: Some(qualifier),
            })
        };
        let after = edit(&arn(alias), published.aliases.remove(alias))?;
        if let Some(after) = &after {
            let exists = after.version == LATEST
                || after
                    .version
                    .parse()
                    .is_ok_and(|number| published.versions.contains_key(&number));
            if !exists {
                return Err(not_found(&arn(&after.version)));
            }
            published.aliases.insert(alias.to_owned(), after.clone());
        }
        let aliases = published.aliases.clone();
        self.save(&changed)?;
        *kept = changed;
        self.published_mut()
            .entry(name.to_owned())
            .or_default()
            .aliases = aliases;
        drop(kept);
        Ok(after)
    }

    /// Writes of the state block, so they have a thread of their own.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, AwsError> + Send + 'static,
    ) -> Result<T, AwsError> {
        let service = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&service))
            .await
            .map_err(|error| internal(&error))?
    }
}

/// Whether publishing made a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    New,
    /// Code and configuration are those of the last version.
    AsBefore,
}

/// What a version is of: a description is its own, and how many run at once is the function's.
fn is_same(version: &KeptFunction, latest: &KeptFunction) -> bool {
    let mut spec = version.spec.clone();
    spec.description.clone_from(&latest.spec.description);
    spec.reserved_concurrency = latest.spec.reserved_concurrency;
    spec == latest.spec
        && version.code == latest.code
        && version.settings.recorded == latest.settings.recorded
}

pub(super) fn no_alias(arn: &str) -> AwsError {
    resource_not_found(&format!("Cannot find alias arn: {arn}"))
}

fn check_alias_name(alias: &str) -> Result<(), AwsError> {
    let is_good = (1..=128).contains(&alias.len())
        && alias
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !alias.bytes().all(|byte| byte.is_ascii_digit());
    if is_good {
        return Ok(());
    }
    Err(validation(&format!(
        "1 validation error detected: Value '{alias}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
    )))
}
