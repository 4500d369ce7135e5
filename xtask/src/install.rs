//! What the repository needs on a machine besides Rust, and how it gets there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::{run, say};

/// Where packages put programs that are not on every user's PATH.
const PROGRAM_FOLDERS: [&str; 5] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/opt/mariadb/bin",
    "/opt/homebrew/bin",
    "/usr/local/opt/mariadb/bin",
];

/// Installs MariaDB's server if it is missing. The package used on Debian starts no service.
pub(crate) fn mariadb_server() -> Result<()> {
    mariadb("server", "mariadbd", "mariadb-server-core")
}

/// Installs MariaDB's client if it is missing: it judges where a script's statements end.
pub(crate) fn mariadb_client() -> Result<()> {
    mariadb("client", "mariadb", "mariadb-client-core")
}

fn mariadb(what: &str, program: &str, debian: &str) -> Result<()> {
    if find(program).is_some() {
        return Ok(());
    }
    if find("apt-get").is_some() {
        say(&format!(
            "MariaDB's {what} is missing: installing Debian's package {debian} (it starts no service)"
        ));
        apt_install(&[debian])?;
    } else if find("brew").is_some() {
        say(&format!(
            "MariaDB's {what} is missing: installing Homebrew's formula mariadb (it starts no service)"
        ));
        run(Command::new("brew").args(["install", "mariadb"]))?;
    } else {
        bail!(
            "MariaDB's {what} (`{program}`) is missing, and neither apt-get nor brew is here to install it: install your \
             system's package for it (`mariadb-{what}` or `mariadb`) and \
             start again"
        );
    }
    if find(program).is_none() {
        bail!(
            "the package was installed, but `{program}` is neither on PATH nor in {}",
            PROGRAM_FOLDERS.join(", ")
        );
    }
    Ok(())
}

/// Independent programs that judge what Dayspring makes: cfn-lint, boto3 and what is built on it, clients for Node.js, the
/// `aws` and `cdk` commands, ministack, a cloud that others wrote, and the linters of templates' security.
pub(crate) struct Judges {
    pub(crate) cfn_lint: PathBuf,
    /// A Python that has boto3, and the driver of the benches.
    pub(crate) python: PathBuf,
    /// The folder of Node.js's modules.
    pub(crate) node_modules: PathBuf,
    /// The folder with the commands `aws` and `ministack`.
    pub(crate) commands: PathBuf,
    /// The command `cdk`.
    pub(crate) cdk: PathBuf,
    /// A Python that has checkov and cdk-nag.
    pub(crate) security_python: PathBuf,
    /// The command `cfn-guard`, and a folder of rules for it.
    pub(crate) guard: PathBuf,
    pub(crate) guard_rules: PathBuf,
    /// The folder of modules with `aws-lambda-ric`, where it can be built.
    pub(crate) node_client: Option<PathBuf>,
}

/// Pinned, so that a release of theirs cannot fail a build of ours.
const REQUIREMENTS: [&str; 5] = [
    "PyMySQL==1.2.4",
    "aurora-data-api==0.5.0",
    "awslambdaric==4.2.2",
    "boto3==1.44.5",
    "cfn-lint==1.58.0",
];

/// These want another botocore than boto3 does, so they have an environment of their own.
const COMMAND_REQUIREMENTS: [&str; 2] = ["awscli==1.46.3", "ministack==1.5.33"];

/// checkov wants another boto3, too.
const SECURITY_REQUIREMENTS: [&str; 4] = [
    "aws-cdk-lib==2.275.0",
    "cdk-nag==3.0.2",
    "checkov==3.3.30",
    "constructs==10.8.1",
];

/// Pinned as well. npm's `latest` of `aws-cdk` is an old release that reads no assembly of these days. The drivers want
/// these versions of what they drive: `kysely-data-api` asks for kysely 0.27, `knex-aurora-data-api-client` for knex 2, and
/// typeorm 1 for a Node.js newer than 18.
const NODE_PACKAGES: [&str; 11] = [
    "@aws-sdk/client-rds-data@3.1143.0",
    "aws-cdk@2.1148.1",
    "aws-sdk@2.1693.0",
    "data-api-client@1.3.1",
    "drizzle-orm@0.45.4",
    "knex@2.5.1",
    "knex-aurora-data-api-client@1.10.0",
    "kysely@0.27.6",
    "kysely-data-api@2.0.0",
    "typeorm@0.3.28",
    "typeorm-aurora-data-api-driver@3.0.2",
];

/// It carries the command `cfn-guard` for Linux and macOS, and the rules of AWS Control Tower. What it asks for besides is
/// the CDK for Node.js, which is not needed for either.
const GUARD_PACKAGE: &str = "@cdklabs/cdk-validator-cfnguard@0.0.62";
/// The newest that runs on Node.js 18 and 20.
const NODE_CLIENT: &str = "aws-lambda-ric@3.3.0";

/// What those depend on is taken as it was on this day.
const NODE_PACKAGES_BEFORE: &str = "2026-11-22";

/// Installs the judges into a folder of the repository's own.
pub(crate) fn judges(folder: &Path) -> Result<Judges> {
    let (python, node) = (folder.to_owned(), folder.with_file_name("judges-node"));
    let commands = folder.with_file_name("judges-commands");
    python_judges(&python, &REQUIREMENTS)?;
    python_judges(&commands, &COMMAND_REQUIREMENTS)?;
    node_judges(&node, &NODE_PACKAGES, &[])?;
    let security = folder.with_file_name("judges-security");
    python_judges(&security, &SECURITY_REQUIREMENTS)?;
    let guard = folder.with_file_name("judges-guard");
    node_judges(&guard, &[GUARD_PACKAGE], &["--legacy-peer-deps"])?;
    let guard = guard.join("node_modules/@cdklabs/cdk-validator-cfnguard");
    let system = if cfg!(target_os = "macos") {
        "macos"
    } else {
        "ubuntu"
    };
    let command = guard
        .join("bin")
        .join(system)
        .join(std::env::consts::ARCH)
        .join("cfn-guard");
    // npm keeps no modes of files that are no commands of the package.
    run(Command::new("chmod").arg("+x").arg(&command))?;
    Ok(Judges {
        security_python: security.join("bin/python"),
        guard: command,
        guard_rules: guard.join("rules/control-tower/cfn-guard"),
        commands: commands.join("bin"),
        node_client: node_client(&node.with_file_name("judges-ric"))?,
        cdk: node.join("node_modules/.bin/cdk"),
        cfn_lint: python.join("bin/cfn-lint"),
        python: python.join("bin/python"),
        node_modules: node.join("node_modules"),
    })
}

/// Whether the folder's stamp says that it holds what is wanted.
fn is_stamped(stamp: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted)
}

fn stamp(path: &Path, wanted: &str) -> Result<()> {
    std::fs::write(path, wanted).with_context(|| format!("cannot write {}", path.display()))
}

fn python_judges(folder: &Path, requirements: &[&str]) -> Result<()> {
    let wanted = requirements.join("\n");
    let stamped = folder.join("requirements.txt");
    if is_stamped(&stamped, &wanted) {
        return Ok(());
    }
    say(&format!(
        "installing {} from PyPI into {}",
        requirements.join(", "),
        folder.display()
    ));
    if find("python3").is_none() {
        if find("apt-get").is_none() {
            bail!(
                "python3 is missing: the tests ask cfn-lint and boto3 for their judgement; install Python 3.9 or later"
            );
        }
        apt_install(&["python3", "python3-venv"])?;
    }
    if !has_venv() && find("apt-get").is_some() {
        apt_install(&["python3-venv"])?;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet"])
        .arg("--disable-pip-version-check")
        .args(requirements);
    run_patiently(&mut pip)?;
    stamp(&stamped, &wanted)
}

fn node_judges(folder: &Path, packages: &[&str], options: &[&str]) -> Result<()> {
    let wanted = packages.join("\n");
    let stamped = folder.join("packages.txt");
    if is_stamped(&stamped, &wanted) {
        return Ok(());
    }
    say(&format!(
        "installing {} from npm into {}",
        packages.join(", "),
        folder.display()
    ));
    if find("node").is_none() || find("npm").is_none() {
        if find("apt-get").is_none() {
            bail!(
                "node or npm is missing: the tests ask clients for Node.js for their judgement; install Node.js 18 or later"
            );
        }
        apt_install(&["nodejs", "npm"])?;
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .args(["--loglevel", "error", "--before", NODE_PACKAGES_BEFORE])
        .args(options)
        .arg("--prefix")
        .arg(folder)
        .args(packages);
    run_patiently(&mut npm)?;
    stamp(&stamped, &wanted)
}

/// Installs the client with which AWS's own Node.js runtime runs functions. A part of it is compiled, which wants these
/// programs; where no package manager of ours has them the client stays away.
fn node_client(folder: &Path) -> Result<Option<PathBuf>> {
    const TOOLS: [&str; 5] = ["cmake", "autoconf", "automake", "make", "g++"];
    let modules = folder.join("node_modules");
    let stamped = folder.join("packages.txt");
    if is_stamped(&stamped, NODE_CLIENT) {
        return Ok(Some(modules));
    }
    say(&format!(
        "installing {NODE_CLIENT} from npm into {} (it is compiled, which takes some minutes)",
        folder.display()
    ));
    // `libtoolize` is what Debian's libtool has on PATH.
    if TOOLS
        .iter()
        .chain(&["libtoolize"])
        .any(|tool| find(tool).is_none())
    {
        if find("apt-get").is_none() {
            say("cmake, autoconf, automake, libtool, make and g++ are needed for it: left out");
            return Ok(None);
        }
        apt_install(&TOOLS.into_iter().chain(["libtool"]).collect::<Vec<_>>())?;
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error"])
        .args(["--before", NODE_PACKAGES_BEFORE])
        .arg("--prefix")
        .arg(folder)
        .arg(NODE_CLIENT);
    run_patiently(&mut npm)?;
    stamp(&stamped, NODE_CLIENT)?;
    Ok(Some(modules))
}

/// Debian's python3 comes without the part of `venv` that installs pip.
fn has_venv() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let sudo = find("sudo").is_some() && !is_root();
    let apt = || {
        let mut command = if sudo {
            Command::new("sudo")
        } else {
            Command::new("env")
        };
        if sudo {
            command.arg("env");
        }
        // sudo keeps no variables of ours. A fresh machine may be installing updates of its own.
        command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"])
            .stdin(Stdio::inherit());
        command
    };
    // One of the machine's other sources may be gone for good: whether the packages are to be had, the installation says.
    if let Err(error) = run_patiently(apt().args(["update", "-qq"])) {
        say(&format!("{error:#}: going on with what apt knows"));
    }
    run_patiently(
        apt()
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages),
    )
    .with_context(|| {
        format!(
            "install by hand: {}apt-get install {}",
            if sudo { "sudo " } else { "" },
            packages.join(" ")
        )
    })
}

/// Seconds before each further try of what goes over the network.
const PAUSES: [u64; 3] = [5, 20, 60];

/// Runs a command that can fail by the network's fault: a bad moment of a mirror or a registry passes.
fn run_patiently(command: &mut Command) -> Result<()> {
    for seconds in PAUSES {
        let Err(error) = run(command) else {
            return Ok(());
        };
        say(&format!(
            "{error:#} ({}): trying again in {seconds} s",
            shown(command)
        ));
        std::thread::sleep(Duration::from_secs(seconds));
    }
    run(command).with_context(|| format!("failed {} times: {}", PAUSES.len() + 1, shown(command)))
}

/// A command as it would be typed.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(PROGRAM_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}
