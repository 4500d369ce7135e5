//! The functions and layers that there are.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use ::http::StatusCode;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::asynchronous;
use super::date::unix_millis_now;
use super::environment::{Launch, Register};
use super::function::{Function, KeptFunction, KeptLayer, Roots, check};
use super::invoke::{self, Throttled};
use super::leftovers::Leftovers;
use super::limits::raise_open_files;
use super::mounts::Mounts;
use super::name::{LATEST, Named, not_found, parse_function_name};
use super::package::{PackageDigest, PackageStore, is_unfinished};
use super::pool::Pool;
use super::session::Event;
use super::versions::{KeptPublished, Published};
use super::{FunctionSpec, Invocation, InvocationType, LambdaConfig};
use crate::error::AwsError;
use crate::logs::Logs;
use crate::state::{StateError, StateFile};

/// Synchronous and asynchronous payloads: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html> (read
/// 2026-11-22).
const REQUEST_BYTES_MAX: usize = 6_291_456;
const EVENT_BYTES_MAX: usize = 1_048_576;

/// How many replaced packages of code are kept for the requests that still run on them.
const RECENT_CODE: usize = 8;

/// What is kept between runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) functions: BTreeMap<String, KeptFunction>,
    /// Versions and aliases, by the name of their function.
    #[serde(default)]
    pub(super) published: BTreeMap<String, KeptPublished>,
    /// By ARN.
    pub(super) layers: BTreeMap<String, KeptLayer>,
    /// The last version number of each layer. A number is never given twice.
    layer_numbers: BTreeMap<String, u64>,
}

impl Kept {
    fn has_code(&self, name: &str) -> bool {
        let versions = self
            .published
            .values()
            .flat_map(|published| published.versions.values());
        self.functions
            .values()
            .chain(versions)
            .any(|function| function.code.as_str() == name)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Service {
    config: LambdaConfig,
    logs: Logs,
    code: PackageStore,
    layers: PackageStore,
    layer_roots: PackageStore,
    /// The code once more, for mounts.
    views: PackageStore,
    state: StateFile,
    /// Held while the state file is written, which orders the writers; never across an await.
    kept: Mutex<Kept>,
    /// What requests look at. Locked for a look only.
    functions: RwLock<HashMap<String, Arc<Function>>>,
    /// The same of versions and aliases.
    published: RwLock<HashMap<String, Published>>,
    register: Arc<Register>,
    mounts: Mounts,
    /// The code that was put last.
    recent: Mutex<VecDeque<PackageDigest>>,
    closing: watch::Sender<bool>,
}

impl Service {
    pub(super) fn open(config: LambdaConfig, logs: Logs) -> Result<Arc<Self>, StateError> {
        raise_open_files();
        // A process has a working folder of its own, so its paths cannot be relative to ours.
        let folder = std::path::absolute(&config.folder).unwrap_or_else(|_| config.folder.clone());
        let state = StateFile::new(folder.join("lambda.json"));
        let kept: Kept = state.load()?;
        let service = Self {
            logs,
            code: PackageStore::new(folder.join("code")),
            layers: PackageStore::new(folder.join("layers")),
            layer_roots: PackageStore::new(folder.join("layer-roots")),
            views: PackageStore::new(folder.join("views")),
            state,
            functions: RwLock::default(),
            published: RwLock::default(),
            register: Arc::new(Register::open(Leftovers::new(folder.join("processes")))),
            mounts: Mounts::default(),
            recent: Mutex::default(),
            closing: watch::Sender::new(false),
            config,
            kept: Mutex::new(kept.clone()),
        };
        service.code.keep_only(|name| kept.has_code(name));
        service.layers.keep_only(|name| {
            kept.layers
                .values()
                .any(|layer| layer.content.as_str() == name)
        });
        service.layer_roots.keep_only(|_| false);
        service.views.keep_only(|name| kept.has_code(name));
        let functions = kept
            .functions
            .iter()
            .map(|(name, function)| (name.clone(), service.again(function, LATEST, &kept.layers)))
            .collect();
        *service.functions_mut() = functions;
        let published = kept
            .published
            .iter()
            .map(|(name, published)| {
                let versions = published.versions.iter().map(|(number, function)| {
                    let version = number.to_string();
                    (*number, service.again(function, &version, &kept.layers))
                });
                let published = Published {
                    versions: versions.collect(),
                    aliases: published.aliases.clone(),
                };
                (name.clone(), published)
            })
            .collect();
        *service.published_mut() = published;
        let service = Arc::new(service);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(end_idle(
                Arc::downgrade(&service),
                service.config.idle_max,
                service.closing.subscribe(),
            )));
        }
        Ok(service)
    }

    /// A function of the last run. A layer that is gone leaves it without it; its process will say what it misses.
    fn again(
        &self,
        kept: &KeptFunction,
        version: &str,
        layers: &BTreeMap<String, KeptLayer>,
    ) -> Arc<Function> {
        let roots = self.roots(kept, layers).unwrap_or_else(|_| Roots {
            task: self.code.path(&kept.code),
            layer: None,
        });
        let pool = Pool::new(kept.spec.reserved_concurrency);
        self.function(kept.clone(), version, roots, pool)
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn functions_mut(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, Arc<Function>>> {
        self.functions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn published_mut(
        &self,
    ) -> std::sync::RwLockWriteGuard<'_, HashMap<String, Published>> {
        self.published
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn published(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, Published>> {
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn function(
        &self,
        kept: KeptFunction,
        version: &str,
        roots: Roots,
        pool: Arc<Pool>,
    ) -> Arc<Function> {
        let spec = kept.spec.clone();
        let qualifier = (version != LATEST).then_some(version);
        Arc::new(Function {
            arn: self.qualified_arn(Named {
                name: &spec.name,
                qualifier,
            }),
            pool,
            launch: Arc::new(Launch {
                spec,
                version: version.to_owned(),
                identity: self.config.identity.clone(),
                endpoint_url: self.config.endpoint_url.clone(),
                task_root: roots.task,
                layer_root: roots.layer,
                code: kept.code.clone(),
                packages: self.code.clone(),
                views: self.views.clone(),
                notices: self.config.notices.clone(),
                interpreters: self.config.interpreters.clone(),
                mounts: self.mounts.clone(),
            }),
            register: Arc::clone(&self.register),
            logs: self.logs.clone(),
            lines: self.config.lines.clone(),
            kept,
        })
    }

    pub(super) fn arn(&self, name: &str) -> String {
        self.config
            .identity
            .arn("lambda", &format!("function:{name}"))
    }

    /// The ARN of what is named, with its qualifier where it has one.
    pub(super) fn qualified_arn(&self, named: Named<'_>) -> String {
        let arn = self.arn(named.name);
        match named.qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }

    pub(super) fn roots(
        &self,
        kept: &KeptFunction,
        layers: &BTreeMap<String, KeptLayer>,
    ) -> Result<Roots, AwsError> {
        let mut contents = Vec::new();
        for arn in &kept.spec.layers {
            let layer = layers.get(arn).ok_or_else(|| {
                AwsError::bad_request(
                    "InvalidParameterValueException",
                    format!("Layer version {arn} does not exist."),
                )
            })?;
            contents.push(layer.content.clone());
        }
        let layer = match contents.as_slice() {
            [] => None,
            contents => Some(self.layer_roots.overlay(contents, &self.layers)?),
        };
        Ok(Roots {
            task: self.code.path(&kept.code),
            layer,
        })
    }

    pub(super) async fn put_function(
        self: &Arc<Self>,
        spec: FunctionSpec,
        zip: Bytes,
    ) -> Result<String, AwsError> {
        let stored = self
            .store(spec.name.clone(), move |before, code| {
                let code = code.unpack(&zip)?;
                if let Some(before) = before
                    && before.spec == spec
                    && before.code == code
                {
                    return Ok(before.clone());
                }
                Ok(KeptFunction {
                    settings: before
                        .map(|before| before.settings.clone())
                        .unwrap_or_default(),
                    spec,
                    code,
                    code_bytes: u64::try_from(zip.len()).unwrap_or(u64::MAX),
                    revision_id: random_uuid(),
                    modified_unix_millis: unix_millis_now(),
                })
            })
            .await?;
        Ok(stored.arn.clone())
    }

    /// Keeps what the edit makes of a function, or of none. Processes go on where neither code nor configuration changed;
    /// else the running requests finish on the old ones, and every later one runs on new ones.
    pub(super) async fn store(
        self: &Arc<Self>,
        name: String,
        edit: impl FnOnce(Option<&KeptFunction>, &PackageStore) -> Result<KeptFunction, AwsError>
        + Send
        + 'static,
    ) -> Result<Arc<Function>, AwsError> {
        let service = Arc::clone(self);
        tokio::task::spawn_blocking(move || service.store_blocking(name, edit))
            .await
            .map_err(|error| internal(&error))?
    }

    fn store_blocking(
        &self,
        name: String,
        edit: impl FnOnce(Option<&KeptFunction>, &PackageStore) -> Result<KeptFunction, AwsError>,
    ) -> Result<Arc<Function>, AwsError> {
        // Code is unpacked inside of the lock, so that nobody sweeps it away before it is known.
        let mut kept = self.kept();
        let before = kept.functions.get(&name);
        let after = edit(before, &self.code)?;
        check(&after.spec)?;
        let same = |other: &KeptFunction| {
            let spec = FunctionSpec {
                reserved_concurrency: after.spec.reserved_concurrency,
                ..other.spec.clone()
            };
            spec == after.spec && other.code == after.code
        };
        let runs_as_before = before.is_some_and(same);
        let running = self.find(&name);
        if let Some(running) = &running
            && before == Some(&after)
        {
            return Ok(Arc::clone(running));
        }
        let roots = self.roots(&after, &kept.layers)?;
        let mut changed = kept.clone();
        changed.functions.insert(name.clone(), after.clone());
        self.save(&changed)?;
        *kept = changed;
        self.sweep(&kept, &after.code);
        let pool = match &running {
            Some(running) if runs_as_before => {
                running.pool.allow(after.spec.reserved_concurrency);
                Arc::clone(&running.pool)
            }
            _ => Pool::new(after.spec.reserved_concurrency),
        };
        let reserved = after.spec.reserved_concurrency;
        let function = self.function(after, LATEST, roots, pool);
        // Inside of the state's lock, so that two writers cannot leave the older one here.
        self.functions_mut()
            .insert(name.clone(), Arc::clone(&function));
        if let Some(published) = self.published().get(&name) {
            for version in published.versions.values() {
                version.pool.allow(reserved);
            }
        }
        drop(kept);
        if let Some(running) = running
            && !runs_as_before
        {
            running.pool.retire();
        }
        Ok(function)
    }

    /// Warns of what AWS would do otherwise with these members.
    pub(super) fn tell(&self, name: &str, members: &serde_json::Map<String, serde_json::Value>) {
        self.config
            .notices
            .resource("AWS::Lambda::Function", name, members);
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.config.objects.as_ref()?.object(bucket, key)
    }

    /// Removes code that no function has any more. The latest few stay: a request may still run on them.
    fn sweep(&self, kept: &Kept, newest: &PackageDigest) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.contains(newest) {
            return;
        }
        recent.push_back(newest.clone());
        if recent.len() > RECENT_CODE {
            recent.pop_front();
        }
        let is_used =
            |name: &str| recent.iter().any(|digest| digest.as_str() == name) || kept.has_code(name);
        self.code.keep_only(is_used);
        self.views
            .keep_only(|name| is_used(name) || is_unfinished(name));
    }

    pub(super) fn delete_function(&self, name: &str) -> Result<(), AwsError> {
        let name = parse_function_name(name, None)?;
        let mut kept = self.kept();
        let mut changed = kept.clone();
        if changed.functions.remove(name).is_none() {
            return Ok(());
        }
        changed.published.remove(name);
        self.save(&changed)?;
        *kept = changed;
        let before = self.functions_mut().remove(name);
        let versions = self.published_mut().remove(name).unwrap_or_default();
        drop(kept);
        for function in before.into_iter().chain(versions.versions.into_values()) {
            function.pool.retire();
        }
        Ok(())
    }

    pub(super) fn publish_layer_version(&self, name: &str, zip: &[u8]) -> Result<String, AwsError> {
        let content = self.layers.unpack(zip)?;
        let mut kept = self.kept();
        let mut changed = kept.clone();
        let number = changed.layer_numbers.entry(name.to_owned()).or_default();
        *number += 1;
        let arn = self.layer_arn(name, &number.to_string());
        let layer = KeptLayer {
            content,
            content_bytes: u64::try_from(zip.len()).unwrap_or(u64::MAX),
            created_unix_millis: unix_millis_now(),
        };
        changed.layers.insert(arn.clone(), layer);
        self.save(&changed)?;
        *kept = changed;
        Ok(arn)
    }

    /// Functions that have it keep it, as on AWS; its files go with the next start.
    pub(super) fn delete_layer_version(&self, arn: &str) -> Result<(), AwsError> {
        let mut kept = self.kept();
        let mut changed = kept.clone();
        if changed.layers.remove(arn).is_some() {
            self.save(&changed)?;
            *kept = changed;
        }
        Ok(())
    }

    pub(super) fn save(&self, kept: &Kept) -> Result<(), AwsError> {
        self.state.save(kept).map_err(|error| internal(&error))
    }

    pub(super) fn layer_arn(&self, name: &str, number: &str) -> String {
        self.config
            .identity
            .arn("lambda", &format!("layer:{name}:{number}"))
    }

    pub(super) fn layer(&self, arn: &str) -> Option<KeptLayer> {
        self.kept().layers.get(arn).cloned()
    }

    /// The versions of a layer, or of all layers where the name is empty, the oldest first.
    pub(super) fn layer_versions(&self, name: &str) -> Vec<(String, KeptLayer)> {
        let prefix = self.layer_arn(name, "");
        let prefix = if name.is_empty() {
            prefix.trim_end_matches(':')
        } else {
            &prefix
        };
        let mut versions: Vec<(String, KeptLayer)> = self
            .kept()
            .layers
            .iter()
            .filter(|(arn, _)| arn.starts_with(prefix))
            .map(|(arn, layer)| (arn.clone(), layer.clone()))
            .collect();
        versions.sort_by_key(|(_, layer)| layer.created_unix_millis);
        versions
    }

    pub(super) fn layer_folder(&self, layer: &KeptLayer) -> std::path::PathBuf {
        self.layers.path(&layer.content)
    }

    /// A layer version's size in bytes.
    pub(super) fn layer_bytes(&self, arn: &str) -> Option<u64> {
        self.kept().layers.get(arn).map(|layer| layer.content_bytes)
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Function>> {
        self.functions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .map(Arc::clone)
    }

    /// All functions, by name.
    pub(super) fn list(&self) -> Vec<Arc<Function>> {
        let mut functions: Vec<Arc<Function>> = self
            .functions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .map(Arc::clone)
            .collect();
        functions.sort_by(|one, other| one.arn.cmp(&other.arn));
        functions
    }

    pub(super) async fn invoke(
        self: &Arc<Self>,
        named: Named<'_>,
        kind: InvocationType,
        payload: Bytes,
        client_context: Option<String>,
    ) -> Result<Invocation, AwsError> {
        let found = self.resolve(named).ok_or_else(|| {
            let qualifier = named.qualifier.or(Some(LATEST));
            not_found(&self.qualified_arn(Named { qualifier, ..named }))
        })?;
        let bytes_max = match kind {
            InvocationType::RequestResponse | InvocationType::DryRun => REQUEST_BYTES_MAX,
            InvocationType::Event => EVENT_BYTES_MAX,
        };
        if payload.len() > bytes_max {
            return Err(AwsError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                match kind {
                    InvocationType::Event => format!(
                        "{} byte payload is too large for the Event invocation type (limit {bytes_max} bytes)",
                        payload.len()
                    ),
                    InvocationType::RequestResponse | InvocationType::DryRun => format!(
                        "Request must be smaller than {bytes_max} bytes for the InvokeFunction operation"
                    ),
                },
            ));
        }
        let event = Arc::new(Event {
            request_id: random_uuid(),
            payload: if payload.is_empty() {
                Bytes::from_static(b"{}")
            } else {
                payload
            },
            timeout: Duration::from_secs(found.kept.spec.timeout_seconds.into()),
            function_arn: self.qualified_arn(named),
            trace_id: trace_id(unix_millis_now()),
            client_context,
        });
        let nothing = |event: &Event| Invocation {
            request_id: event.request_id.clone(),
            executed_version: found.launch.version.clone(),
            payload: Bytes::new(),
            function_error: None,
            log_tail: Bytes::new(),
        };
        match kind {
            InvocationType::DryRun => Ok(nothing(&event)),
            InvocationType::Event => {
                let accepted = nothing(&event);
                tokio::spawn(asynchronous::run(
                    Arc::downgrade(self),
                    (named.name.to_owned(), named.qualifier.map(str::to_owned)),
                    event,
                    self.closing.subscribe(),
                ));
                Ok(accepted)
            }
            InvocationType::RequestResponse => invoke::run(found, event)
                .await
                .map_err(|Throttled| throttled()),
        }
    }

    pub(super) async fn shut_down(&self) {
        self.closing.send_replace(true);
        for function in self.all() {
            function.pool.retire();
        }
        self.register.end_all().await;
    }

    #[cfg(test)]
    pub(super) fn processes(&self) -> usize {
        self.register.count()
    }

    /// Whether processes have their own view of the files here.
    #[cfg(test)]
    pub(super) fn has_views(&self) -> bool {
        self.mounts.are_whole()
    }

    /// How many of them wait for an event.
    #[cfg(test)]
    pub(super) fn asking(&self) -> usize {
        self.register.asking()
    }
}

/// Ends processes that were idle for long, until the service is closed.
async fn end_idle(service: Weak<Service>, idle_max: Duration, mut closing: watch::Receiver<bool>) {
    let every = (idle_max / 4).max(Duration::from_millis(10));
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
        let Some(service) = service.upgrade() else {
            return;
        };
        for function in service.all() {
            function.pool.end_idle(idle_max, Instant::now());
        }
    }
}

fn throttled() -> AwsError {
    AwsError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequestsException",
        "Rate Exceeded.",
    )
}

pub(super) fn internal(error: &dyn std::error::Error) -> AwsError {
    AwsError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "ServiceException",
        error.to_string(),
    )
}

/// A random UUID, version 4.
pub(crate) fn random_uuid() -> String {
    uuid(fastrand::u128(..))
}

fn uuid(random: u128) -> String {
    let bits = random & !(0xf << 76) | (4 << 76);
    let bits = bits & !(0x3 << 62) | (2 << 62);
    let mut text = String::with_capacity(36);
    for (shift, digits) in [(96, 8), (80, 4), (64, 4), (48, 4), (0, 12)] {
        if !text.is_empty() {
            text.push('-');
        }
        push_hex(&mut text, bits >> shift, digits);
    }
    text
}

/// The lowest digits of a number, in lower-case hexadecimal.
fn push_hex(text: &mut String, number: u128, digits: u32) {
    text.extend((0..digits).rev().map(|index| {
        // Four bits are a digit.
        let digit = u32::try_from(number >> (4 * index) & 0xf).unwrap_or_default();
        char::from_digit(digit, 16).unwrap_or_default()
    }));
}

/// `Root=1-SECONDS-24 hexadecimals;Parent=16 hexadecimals;Sampled=0`, as X-Ray writes it.
fn trace_id(unix_millis: u64) -> String {
    let mut text = String::with_capacity(74);
    text.push_str("Root=1-");
    push_hex(&mut text, u128::from(unix_millis / 1000), 8);
    text.push('-');
    push_hex(&mut text, fastrand::u128(..), 24);
    text.push_str(";Parent=");
    push_hex(&mut text, u128::from(fastrand::u64(..)), 16);
    text.push_str(";Sampled=0");
    text
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_request_id_is_a_random_uuid() {
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn a_trace_id_has_the_second_of_its_request() {
        let id = trace_id(1_795_390_885_123);
        assert!(id.starts_with("Root=1-6b037da5-"), "{id}");
        let zeros = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";
        assert_eq!(id.len(), zeros.len());
    }
}
