//! One supervised server: started, known to be ready by connecting to it, started again when it dies, stopped with its
//! cloud.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use mysql_async::{Conn, Opts, OptsBuilder};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use super::leftover::{self, STOP_WITHIN};
use super::options::{Places, private_collation};
use super::remote::{self, DatabaseUrl};
use super::socket::SocketPlace;
use super::{Account, Installation, MariadbError, Setup, file_error, log_tail, options, template};

/// Crash recovery of a large database takes long; a server that needs longer than this is taken for broken.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// Between two attempts to connect to a server that starts.
const READY_PAUSE: Duration = Duration::from_millis(5);

/// Starts in a row that may fail before the server is given up.
const FAILURES_MAX: u32 = 3;

/// The server's log is cut when a start finds it larger than this.
const LOG_BYTES_MAX: u64 = 4 << 20;

/// Prepared statements that a connection remembers.
const STATEMENT_CACHE: usize = 64;

/// As `--max-allowed-packet` of the server.
const PACKET_BYTES_MAX: usize = 64 << 20;

/// What is known of a server.
#[derive(Debug, Clone)]
pub(crate) enum ServerState {
    /// For the first time, or again after it died.
    Starting,
    Ready(Arc<Endpoint>),
    /// It cannot be started: why.
    Failed(String),
    Stopped,
}

/// Where a running server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) place: Place,
    /// Counts the starts: a connection to an earlier one is dead.
    pub(crate) generation: u64,
    pub(crate) kind: Kind,
    /// Whether connections are encrypted.
    pub(crate) tls: bool,
}

/// What serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A MariaDB that was started here, and that nobody else speaks to.
    Private,
    /// A MariaDB of the user's.
    MariaDb,
    /// A MySQL of the user's: statements go to it as they come.
    MySql,
}

impl Kind {
    pub(crate) fn is_mariadb(self) -> bool {
        self != Self::MySql
    }

    /// What begins each session, and each one that was reset: text parameters weigh characters as literals do, or the
    /// two cannot be compared. The driver's own choice in the handshake is the parameters' alone on a private server, which
    /// does not listen to it, and on the others it is an old one (`utf8mb4_general_ci`), where Aurora has the server's.
    fn session(self) -> &'static str {
        match self {
            Self::Private => concat!("SET NAMES utf8mb4 COLLATE ", private_collation!()),
            Self::MariaDb | Self::MySql => "SET NAMES utf8mb4, time_zone = '+00:00'",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Socket(PathBuf),
    Tcp { host: String, port: u16 },
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(socket) => write!(formatter, "`{}`", socket.display()),
            Self::Tcp { host, port } => write!(formatter, "{host}:{port}"),
        }
    }
}

impl Endpoint {
    /// The socket of a private server; nothing where it is reached otherwise.
    pub(crate) fn socket(&self) -> &Path {
        match &self.place {
            Place::Socket(socket) => socket,
            Place::Tcp { .. } => Path::new(""),
        }
    }

    /// Connects as an account, with what every session of this service has: matched rows are counted as the ones that
    /// an UPDATE touched, as AWS's drivers ask for.
    pub(crate) async fn connect(
        &self,
        account: &Account,
        database: Option<&str>,
    ) -> mysql_async::Result<Conn> {
        let options = remote::at(&self.place, OptsBuilder::default())
            .user(Some(&account.user))
            .pass(Some(&account.password))
            .db_name(database)
            .setup(vec![self.kind.session()])
            .ssl_opts(self.tls.then(remote::encryption))
            .client_found_rows(true)
            .stmt_cache_size(STATEMENT_CACHE)
            // The driver asks the server for what it is not told.
            .max_allowed_packet(Some(PACKET_BYTES_MAX))
            .wait_timeout(Some(usize::MAX));
        Conn::new(Opts::from(options)).await
    }
}

/// A server that runs until it is stopped.
#[derive(Debug)]
pub(crate) struct Server {
    state: watch::Receiver<ServerState>,
    stop: watch::Sender<bool>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
    is_private: bool,
}

/// What a server is made from.
#[derive(Debug)]
pub(crate) struct ServerConfig {
    /// Where `mariadbd` is looked for first, in the form of `PATH`.
    pub(crate) search_path: Option<OsString>,
    pub(crate) cache: PathBuf,
    /// The cluster's own folder: data, log, socket.
    pub(crate) folder: PathBuf,
    pub(crate) setup: Setup,
}

impl Server {
    /// Starts the server in the background.
    pub(crate) fn start(config: ServerConfig) -> Self {
        let (states, state) = watch::channel(ServerState::Starting);
        let (stop, stopped) = watch::channel(false);
        let supervisor = tokio::spawn(supervise(config, states, stopped));
        Self {
            state,
            stop,
            supervisor: Mutex::new(Some(supervisor)),
            is_private: true,
        }
    }

    /// Takes a server that somebody else runs.
    pub(crate) fn remote(url: DatabaseUrl, setup: Setup) -> Self {
        let (states, state) = watch::channel(ServerState::Starting);
        let (stop, stopped) = watch::channel(false);
        let supervisor = tokio::spawn(remote::supervise(url, setup, states, stopped));
        Self {
            state,
            stop,
            supervisor: Mutex::new(Some(supervisor)),
            is_private: false,
        }
    }

    /// Whether nobody else speaks to it.
    pub(crate) fn is_private(&self) -> bool {
        self.is_private
    }

    pub(crate) fn state(&self) -> ServerState {
        self.state.borrow().clone()
    }

    /// Waits while the server is starting, but not longer than `within`.
    pub(crate) async fn settled(&self, within: Duration) -> ServerState {
        // Nearly always: nothing is waited for then.
        match self.state() {
            ServerState::Starting => {}
            settled => return settled,
        }
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| !matches!(state, ServerState::Starting));
        match tokio::time::timeout(within, settled).await {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) => ServerState::Stopped,
            Err(_) => ServerState::Starting,
        }
    }

    /// Stops the server; it is gone when this returns.
    pub(crate) async fn stop(&self) {
        self.stop.send_replace(true);
        let supervisor = self.supervisor.lock().await.take();
        if let Some(supervisor) = supervisor {
            // It ends by itself at the signal; a panic in it has killed the server with it.
            drop(supervisor.await);
        }
    }
}

/// How one run of a server ended.
enum Ended {
    Stopped,
    Died,
}

async fn supervise(
    config: ServerConfig,
    states: watch::Sender<ServerState>,
    mut stop: watch::Receiver<bool>,
) {
    let mut generation = 0;
    let mut failures = 0;
    loop {
        generation += 1;
        match run(&config, generation, &states, &mut stop).await {
            Ok(Ended::Stopped) => break,
            Ok(Ended::Died) => failures = 0,
            Err(error) => {
                failures += 1;
                if failures >= FAILURES_MAX || !may_pass(&error) {
                    states.send_replace(ServerState::Failed(describe(&error)));
                    stopped(&mut stop).await;
                    break;
                }
            }
        }
        states.send_replace(ServerState::Starting);
    }
    states.send_replace(ServerState::Stopped);
}

/// Returns when the owner asks for a stop or is gone.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Whether another start could go better.
fn may_pass(error: &MariadbError) -> bool {
    matches!(
        error,
        MariadbError::EndedEarly { .. } | MariadbError::NotReady { .. }
    )
}

/// The error with its causes on one line.
fn describe(error: &MariadbError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

async fn run(
    config: &ServerConfig,
    generation: u64,
    states: &watch::Sender<ServerState>,
    stop: &mut watch::Receiver<bool>,
) -> Result<Ended, MariadbError> {
    let data = config.folder.join("data");
    let log = config.folder.join("mariadbd.log");
    let pid_file = config.folder.join("mariadbd.pid");
    let setup = config.folder.join("setup.sql");
    let made = config.folder.join("made");

    template::private_folder(&config.folder)?;
    template::private_folder(&options::temporary_folder(&data))?;
    leftover::end(&pid_file, &data).await?;
    let installation = provide(config, &data).await?;
    write_private(&setup, &config.setup.statements(!made.exists()))?;
    cut_log(&log)?;
    let socket = SocketPlace::choose(&config.folder, &std::env::temp_dir())?;
    socket.clear()?;

    let mut child = spawn(
        &installation,
        &Places {
            data: &data,
            socket: &socket.path,
            log: &log,
            setup: &setup,
        },
    )?;
    if let Some(pid) = child.id() {
        leftover::record(&pid_file, pid)?;
    }
    let endpoint = Endpoint {
        place: Place::Socket(socket.path.clone()),
        generation,
        kind: Kind::Private,
        tls: false,
    };

    tokio::select! {
        () = ready(&endpoint, &socket.path, &config.setup.admin) => {}
        _ = child.wait() => return Err(MariadbError::EndedEarly { log: log_tail(&log) }),
        () = stopped(stop) => {
            end(child).await;
            return Ok(Ended::Stopped);
        }
        () = tokio::time::sleep(READY_WITHIN) => {
            end(child).await;
            return Err(MariadbError::NotReady { seconds: READY_WITHIN.as_secs(), log: log_tail(&log) });
        }
    }
    write_private(&made, "")?;
    states.send_replace(ServerState::Ready(Arc::new(endpoint)));

    tokio::select! {
        _ = child.wait() => Ok(Ended::Died),
        () = stopped(stop) => {
            end(child).await;
            Ok(Ended::Stopped)
        }
    }
}

/// Finds the installation and makes the data folder.
async fn provide(config: &ServerConfig, data: &Path) -> Result<Installation, MariadbError> {
    let (path, cache, target) = (
        config.search_path.clone(),
        config.cache.clone(),
        data.to_owned(),
    );
    tokio::task::spawn_blocking(move || {
        let installation = Installation::find(path.as_deref())?;
        template::provide(&installation, &cache, &target)?;
        Ok(installation)
    })
    .await
    .map_err(|error| file_error("make", data)(error.into()))?
}

fn spawn(installation: &Installation, places: &Places<'_>) -> Result<Child, MariadbError> {
    Command::new(&installation.program)
        .args(options::serve(installation, places))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in a terminal reaches the whole foreground group; the cloud stops its servers itself, in its order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| MariadbError::Spawn {
            program: installation.program.clone(),
            source,
        })
}

/// Returns when a connection was made.
async fn ready(endpoint: &Endpoint, socket: &Path, admin: &Account) {
    loop {
        if socket.exists()
            && let Ok(connection) = endpoint.connect(admin, None).await
        {
            // It answered, which is all that was asked.
            drop(connection.disconnect().await);
            return;
        }
        tokio::time::sleep(READY_PAUSE).await;
    }
}

/// Asks the server to stop, and ends it if it takes too long.
async fn end(mut child: Child) {
    if let Some(pid) = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(rustix::process::Pid::from_raw)
    {
        // It may have ended by itself since.
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
    }
    if tokio::time::timeout(STOP_WITHIN, child.wait())
        .await
        .is_err()
    {
        // The same: ended or about to.
        drop(child.kill().await);
    }
}

fn cut_log(log: &Path) -> Result<(), MariadbError> {
    match std::fs::metadata(log) {
        Ok(metadata) if metadata.len() > LOG_BYTES_MAX => {
            std::fs::remove_file(log).map_err(file_error("remove", log))
        }
        _ => Ok(()),
    }
}

fn write_private(path: &Path, text: &str) -> Result<(), MariadbError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(file_error("write", path))
}
