//! The options of every server that is bootstrapped or started here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Installation;

/// MySQL 8.0's default modes, which Aurora MySQL 3 takes over, with three differences: MariaDB's `ONLY_FULL_GROUP_BY` knows no
/// functional dependency and would refuse `SELECT id, name ... GROUP BY id`, so it is off; MySQL rounds fractions of
/// seconds and MariaDB cuts them unless `TIME_ROUND_FRACTIONAL` is set; MySQL's GRANT makes no account, and MariaDB's does unless
/// `NO_AUTO_CREATE_USER` is set. The dialect's row `sql-mode` does the same for what a client sets.
const SQL_MODE: &str = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,TIME_ROUND_FRACTIONAL,NO_AUTO_CREATE_USER";

/// The nearest to MySQL 8.0's `utf8mb4_0900_ai_ci`: same weights for what people write, no padding.
macro_rules! private_collation {
    () => {
        "utf8mb4_uca1400_nopad_ai_ci"
    };
}
pub(super) use private_collation;

/// What decides the shape of the files: a template that was made with these can only be started with these.
const FILES: &[&str] = &[
    "--skip-log-bin",
    "--innodb-log-file-size=16M",
    "--innodb-undo-tablespaces=0",
    "--innodb-data-file-path=ibdata1:4M:autoextend",
    // Else the first growth of the system tablespace makes it 71 MB.
    "--innodb-autoextend-increment=1",
    "--innodb-temp-data-file-path=ibtmp1:1M:autoextend",
    "--aria-log-file-size=8M",
    "--character-set-server=utf8mb4",
    concat!("--collation-server=", private_collation!()),
];

/// Small and quick: a laptop runs several of these beside everything else.
const SIZE: &[&str] = &[
    "--performance-schema=0",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-buffer-size=4M",
    "--innodb-buffer-pool-load-at-startup=0",
    "--innodb-buffer-pool-dump-at-shutdown=0",
    "--innodb-use-native-aio=0",
    "--innodb-read-io-threads=1",
    "--innodb-write-io-threads=2",
    "--innodb-purge-threads=1",
    "--aria-pagecache-buffer-size=1M",
    "--key-buffer-size=1M",
    "--max-connections=500",
    "--thread-cache-size=64",
];

/// See the module's text on durability.
const DURABILITY: &[&str] = &[
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=fsync",
    "--innodb-doublewrite=1",
];

/// What a client of Aurora MySQL 3 finds.
const BEHAVIOUR: &[&str] = &[
    "--default-time-zone=+00:00",
    "--explicit-defaults-for-timestamp=1",
    "--skip-character-set-client-handshake",
    "--max-allowed-packet=64M",
    "--wait-timeout=31536000",
    // MySQL's default; MariaDB's is a megabyte, so that a list that AWS cuts would come out whole here.
    "--group-concat-max-len=1024",
    "--log-bin-trust-function-creators=1",
    // Each session of the Data API keeps its last statements prepared: with many sessions more than the 16,382 of a server
    // whose clients are fewer.
    "--max-prepared-stmt-count=100000",
    "--local-infile=0",
    // MySQL keeps a row's version that the snapshot sees, MariaDB from 11.6 answers an error.
    "--loose-innodb-snapshot-isolation=0",
];

/// Options that the template's folder depends on; its name carries a hash of them.
pub(super) fn template_options() -> impl Iterator<Item = &'static str> {
    FILES.iter().copied()
}

/// The command line of `mariadbd --bootstrap`, which reads statements from its standard input.
pub(super) fn bootstrap(installation: &Installation, data: &Path) -> Vec<OsString> {
    let mut options = common(installation, data);
    options.push("--bootstrap".into());
    options.push("--skip-networking".into());
    // The template is thrown away when anything fails, so nothing in it has to be durable before the end.
    options.push("--innodb-flush-log-at-trx-commit=0".into());
    // Everything lies in the data files when it ends: the copy needs no recovery.
    options.push("--innodb-fast-shutdown=0".into());
    options.extend(SIZE.iter().map(OsString::from));
    options
}

/// The files of one server that runs.
#[derive(Debug)]
pub(super) struct Places<'a> {
    pub(super) data: &'a Path,
    pub(super) socket: &'a Path,
    pub(super) log: &'a Path,
    /// Statements that the server runs before it accepts connections.
    pub(super) setup: &'a Path,
}

/// The command line of a server.
pub(super) fn serve(installation: &Installation, places: &Places<'_>) -> Vec<OsString> {
    let mut options = common(installation, places.data);
    options.push("--skip-networking".into());
    options.push("--skip-name-resolve".into());
    options.push(option("--socket", places.socket));
    options.push(option("--log-error", places.log));
    options.push(option("--init-file", places.setup));
    options.push(option("--pid-file", &places.data.join("mariadbd.pid")));
    options.push(format!("--sql-mode={SQL_MODE}").into());
    for group in [SIZE, DURABILITY, BEHAVIOUR] {
        options.extend(group.iter().map(OsString::from));
    }
    options
}

/// How the command line of a server names its data folder: by this a process of an earlier run is recognised.
pub(super) fn data_option(data: &Path) -> OsString {
    option("--datadir", data)
}

/// Where the server of a data folder keeps its temporary tables: beside the data, since a folder in it is a database.
pub(super) fn temporary_folder(data: &Path) -> PathBuf {
    data.with_extension("tmp")
}

fn common(installation: &Installation, data: &Path) -> Vec<OsString> {
    let mut options: Vec<OsString> = vec![
        // Has to be the first: the machine's own configuration is for another server.
        "--no-defaults".into(),
        data_option(data),
        // A server that starts removes what looks like a temporary table from this folder: in a shared one, those of other
        // servers that run.
        option("--tmpdir", &temporary_folder(data)),
        option("--lc-messages-dir", &installation.share),
        option("--character-sets-dir", &installation.share.join("charsets")),
    ];
    if rustix::process::geteuid().is_root() {
        // Else it refuses to run as root. In a container there is often nobody else.
        options.push("--user=root".into());
    }
    options.extend(FILES.iter().map(OsString::from));
    options
}

fn option(name: &str, value: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(value);
    option
}
