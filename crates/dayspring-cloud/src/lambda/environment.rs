//! An execution environment: one process, its Runtime API and its log, from the start to the end.

use std::collections::HashMap;
use std::io::PipeReader;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpListener;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::escaped;
use super::leftovers::Leftovers;
use super::limits::limit_open_files;
use super::memory::{LOOK_EVERY, MemoryUse};
use super::mounts::{Mounts, Start, TASK_NAME, Wanted};
use super::package::{PackageDigest, PackageStore};
use super::pool::Pool;
use super::process_log::{LogTarget, ProcessLog};
use super::runtimes::{Entrypoint, Interpreters};
use super::sandbox::{Keeping, Namespaces, Vacant};
use super::session::{Exit, Session};
use super::variables::{Surroundings, variables};
use super::{FunctionSpec, runtime_api};
use crate::Identity;
use crate::parity::{Notices, Touched};

/// How long the connections of a process that is gone may take to say what they still have.
const CONNECTIONS_END: Duration = Duration::from_millis(200);

/// Everything that a process of a function is started from.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) spec: FunctionSpec,
    /// `$LATEST` or a number.
    pub(super) version: String,
    pub(super) identity: Identity,
    pub(super) endpoint_url: String,
    pub(super) task_root: PathBuf,
    pub(super) layer_root: Option<PathBuf>,
    pub(super) code: PackageDigest,
    pub(super) packages: PackageStore,
    /// The code once more, nested for [`Mounts`].
    pub(super) views: PackageStore,
    pub(super) notices: Notices,
    pub(super) interpreters: Interpreters,
    pub(super) mounts: Mounts,
}

/// No process came to be. The text is for the caller of the function.
#[derive(Debug)]
pub(super) struct CannotStart(pub(super) String);

/// See the module.
#[derive(Debug)]
pub(super) struct Environment {
    number: u64,
    pub(super) session: Arc<Session>,
    pub(super) log: Arc<ProcessLog>,
    pub(super) launched: Instant,
    pub(super) memory: MemoryUse,
    notices: Notices,
    /// The function's name, as warnings say it.
    function: String,
    /// It was ended because it had more in memory than its function may have.
    out_of_memory: AtomicBool,
    /// `HOST:PORT`, which no other process has.
    runtime_api: String,
    /// `None` once it is known to be gone, when the number may be another's.
    process: Mutex<Option<Pid>>,
    keeping: Mutex<Keeping>,
    /// The process and all that it started are gone.
    gone: watch::Sender<bool>,
}

impl Environment {
    /// Starts a process, in an environment that lost its own or in a new one. Its end is told to its session, its pool
    /// and the register.
    pub(super) async fn start(
        launch: &Arc<Launch>,
        target: LogTarget,
        pool: &Arc<Pool>,
        register: &Arc<Register>,
    ) -> Result<Arc<Self>, CannotStart> {
        let kept = match pool.take_vacant() {
            Some(vacant) => Some(vacant.cleared().await),
            None => None,
        };
        let (start, kept) = find_start(launch, kept).await?;
        let entrypoint = &start.entrypoint;
        warn_of_extensions(launch);
        if !start.has_own_tmp && launch.spec.tmp_mib != FunctionSpec::TMP_MIB_DEFAULT {
            let function = format!("the function {}", launch.spec.name);
            launch.notices.touch(Touched::EphemeralStorage, &function);
        }
        let cannot =
            |error: std::io::Error| CannotStart(format!("fork/exec {}: {error}", entrypoint.shown));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(cannot)?;
        let runtime_api = listener.local_addr().map_err(cannot)?.to_string();
        let mut environment = variables(
            &launch.spec,
            &Surroundings {
                identity: &launch.identity,
                version: &launch.version,
                endpoint_url: &launch.endpoint_url,
                task_root: &start.task_root,
                layer_root: start.layer_root.as_deref(),
                log_stream: &target.platform.log_stream,
                runtime_api: &runtime_api,
            },
        );
        for (name, value) in &entrypoint.variables {
            environment
                .entry((*name).to_owned())
                .or_insert_with(|| value.clone());
        }
        let launched = Instant::now();
        let (child, pipe) = spawn(entrypoint, &start.folder, &environment).map_err(cannot)?;
        let receiver = pipe
            .try_clone()
            .and_then(|pipe| Receiver::from_owned_fd(pipe.into()))
            .map_err(cannot)?;
        let log = ProcessLog::new(target, pipe);
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let process = id.and_then(Pid::from_raw);
        if let Some(process) = process {
            limit_open_files(process);
        }
        let environment = Arc::new(Self {
            number: register.next_number(),
            session: Arc::new(Session::new(Arc::clone(&log), launched)),
            log,
            launched,
            memory: MemoryUse::new(child.id(), launch.spec.memory_mib),
            notices: launch.notices.clone(),
            function: launch.spec.name.clone(),
            out_of_memory: AtomicBool::new(false),
            runtime_api,
            process: Mutex::new(process),
            keeping: Mutex::new(match kept {
                _ if !start.has_own_tmp => Keeping::Nothing,
                Some(namespaces) => Keeping::Kept(namespaces),
                None => Keeping::Later,
            }),
            gone: watch::Sender::new(false),
        });
        let alive = register.add(&environment);
        let supervision = supervise(
            Arc::clone(&environment),
            child,
            listener,
            receiver,
            Arc::downgrade(pool),
            Arc::clone(register),
            alive,
        );
        tokio::spawn(supervision);
        Ok(environment)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Ends the process and all that it started, at once.
    pub(super) fn kill(&self) {
        if let Some(process) = *self.process() {
            // The only failure is that nobody is left in the group.
            kill_process_group(process, Signal::KILL).unwrap_or_default();
        }
    }

    /// The process has asked for an event, so it runs where it is to run: from now on its `/tmp` can be kept.
    pub(super) fn settled(&self) {
        let mut keeping = self.keeping();
        if matches!(*keeping, Keeping::Later)
            && let Some(process) = *self.process()
        {
            *keeping = Namespaces::of(process).map_or(Keeping::Nothing, Keeping::Kept);
        }
    }

    /// What is left when the process is ended, once.
    pub(super) fn vacate(&self) -> Option<Vacant> {
        match std::mem::replace(&mut *self.keeping(), Keeping::Nothing) {
            Keeping::Kept(namespaces) => Some(Vacant {
                namespaces,
                gone: self.gone.subscribe(),
            }),
            Keeping::Nothing | Keeping::Later => None,
        }
    }

    fn keeping(&self) -> MutexGuard<'_, Keeping> {
        self.keeping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it when it has more in memory than its function may have. One that waits for work cannot grow.
    fn look_at_memory(&self) {
        if !self.session.is_asking() && self.memory.is_beyond_limit(Instant::now()) {
            self.out_of_memory.store(true, Ordering::Relaxed);
            self.kill();
        }
    }

    /// The process has met a difference from AWS.
    pub(super) fn touch(&self, touched: Touched) {
        self.notices
            .touch(touched, &format!("the function {}", self.function));
    }

    fn process(&self) -> MutexGuard<'_, Option<Pid>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Owns a process: serves its Runtime API and follows its log until it ends, and then tells everyone.
async fn supervise(
    environment: Arc<Environment>,
    mut child: Child,
    listener: TcpListener,
    receiver: Receiver,
    pool: Weak<Pool>,
    register: Arc<Register>,
    _alive: Option<mpsc::Sender<()>>,
) {
    let mut follower = JoinSet::new();
    follower.spawn(Arc::clone(&environment.log).follow(receiver));
    let mut connections = JoinSet::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(runtime_api::serve(stream, Arc::clone(&environment)));
            }
            Some(_) = connections.join_next() => {}
            _ = look.tick() => environment.look_at_memory(),
        }
    };
    // What the process left behind in its group goes with it.
    environment.kill();
    let process = environment.process().take();
    let runtime_api = environment.runtime_api.clone();
    // It fails only when the runtime ends, and then the next start looks for leftovers.
    drop(tokio::task::spawn_blocking(move || escaped::end(&runtime_api)).await);
    environment.gone.send_replace(true);
    // An answer that it sent before it went is still on its way through a connection.
    drop(
        tokio::time::timeout(CONNECTIONS_END, async {
            while connections.join_next().await.is_some() {}
        })
        .await,
    );
    environment.log.close();
    environment.session.exited(match status {
        _ if environment.out_of_memory.load(Ordering::Relaxed) => Exit::OutOfMemory,
        Ok(status) => exit_of(status),
        Err(_) => Exit::Code(-1),
    });
    if let Some(pool) = pool.upgrade() {
        pool.forget(&environment, Instant::now());
    }
    register.remove(environment.number, process);
}

/// A layer's external extensions are programs in its folder `extensions`, and are not started.
fn warn_of_extensions(launch: &Launch) {
    let Some(layer_root) = &launch.layer_root else {
        return;
    };
    if layer_root.join("extensions").is_dir() {
        let function = format!("a layer of the function {}", launch.spec.name);
        launch.notices.touch(Touched::Extensions, &function);
    }
}

/// An interpreter may have to be asked what it is, and the system whether it mounts.
async fn find_start(
    launch: &Arc<Launch>,
    kept: Option<Namespaces>,
) -> Result<(Start, Option<Namespaces>), CannotStart> {
    let launch = Arc::clone(launch);
    tokio::task::spawn_blocking(move || {
        let start = find_start_blocking(&launch, kept.as_ref())?;
        Ok((start, kept))
    })
    .await
    .unwrap_or_else(|error| Err(CannotStart(error.to_string())))
}

fn find_start_blocking(launch: &Launch, kept: Option<&Namespaces>) -> Result<Start, CannotStart> {
    let entrypoint = launch.interpreters.entrypoint(launch)?;
    let nest = || {
        let nested = launch.views.nest(&launch.code, &launch.packages, TASK_NAME);
        // Without it the process finds its code where it lies.
        nested.ok()
    };
    let task_view = launch.mounts.may_be_whole().then(nest).flatten();
    let wanted = Wanted {
        task_root: &launch.task_root,
        task_view: task_view.as_deref(),
        layer_root: launch.layer_root.as_deref(),
        tmp_mib: launch.spec.tmp_mib,
        kept,
    };
    Ok(launch.mounts.start(entrypoint, &wanted))
}

fn spawn(
    entrypoint: &Entrypoint,
    folder: &Path,
    environment: &std::collections::BTreeMap<String, String>,
) -> std::io::Result<(Child, PipeReader)> {
    let (reader, writer) = std::io::pipe()?;
    rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK)?;
    let child = Command::new(&entrypoint.program)
        .args(&entrypoint.arguments)
        .env_clear()
        .envs(environment)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    Ok((child, reader))
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Code(-1),
    }
}

/// Every living process of the service, so that all can be ended.
#[derive(Debug)]
pub(super) struct Register {
    /// Also on disk, for the next start.
    leftovers: Leftovers,
    inner: Mutex<RegisterInner>,
}

#[derive(Debug)]
struct RegisterInner {
    last_number: u64,
    living: HashMap<u64, Arc<Environment>>,
    /// Each supervisor holds a copy: when all are dropped, all processes are gone. `None` after the end.
    alive: Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>,
}

impl Register {
    /// Ends first what a run that was killed left behind.
    pub(super) fn open(leftovers: Leftovers) -> Self {
        leftovers.end();
        Self {
            leftovers,
            inner: Mutex::new(RegisterInner {
                last_number: 0,
                living: HashMap::new(),
                alive: Some(mpsc::channel(1)),
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, RegisterInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_number(&self) -> u64 {
        let mut inner = self.inner();
        inner.last_number += 1;
        inner.last_number
    }

    /// After the end, the process is ended at once.
    fn add(&self, environment: &Arc<Environment>) -> Option<mpsc::Sender<()>> {
        if let Some(process) = *environment.process() {
            self.leftovers.note(process);
        }
        let mut inner = self.inner();
        let alive = inner.alive.as_ref().map(|(sender, _)| sender.clone());
        if alive.is_some() {
            inner
                .living
                .insert(environment.number, Arc::clone(environment));
        } else {
            environment.kill();
        }
        alive
    }

    fn remove(&self, number: u64, process: Option<Pid>) {
        if let Some(process) = process {
            self.leftovers.strike(process);
        }
        self.inner().living.remove(&number);
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.inner().living.len()
    }

    #[cfg(test)]
    pub(super) fn asking(&self) -> usize {
        let inner = self.inner();
        let living = inner.living.values();
        living
            .filter(|environment| environment.session.is_asking())
            .count()
    }

    /// Ends every process and waits until all are gone.
    pub(super) async fn end_all(&self) {
        let alive = {
            let mut inner = self.inner();
            for environment in inner.living.values() {
                environment.kill();
            }
            inner.alive.take()
        };
        if let Some((sender, mut receiver)) = alive {
            drop(sender);
            // Nobody sends: this ends when the last supervisor is done.
            receiver.recv().await;
        }
    }
}
