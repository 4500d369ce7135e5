//! `mysql://USER:PASSWORD@HOST:PORT/DATABASE?socket=/PATH&ssl-mode=VERIFY_CA&ssl-ca=FILE`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mysql_async::{Opts, OptsBuilder, SslOpts};
use percent_encoding::percent_decode_str;

use crate::error::Error;

const DEFAULT_PORT: u16 = 3306;

/// A network that is gone shows itself to a statement that runs for hours only by this.
const KEEPALIVE: Duration = Duration::from_secs(30);

const FORM: &str = "write mysql://USER:PASSWORD@HOST:PORT/DATABASE, or mysql://USER@/DATABASE?socket=/PATH; \
                    special characters are percent-encoded (`@` is %40, `/` is %2F)";

const ENCRYPTION: &str = "write ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE, where FILE holds the certificates of the authorities to trust, \
                          as PEM; VERIFY_CA accepts a certificate of theirs for whatever name";

/// Where a database is and who asks. It shows itself without the password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DatabaseUrl {
    user: String,
    password: Option<String>,
    server: Server,
    database: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Server {
    Socket(PathBuf),
    Tcp { host: String, port: u16, tls: Tls },
}

/// Encryption by the names of MySQL's clients
/// (<https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode>, read 2026-11-23).
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tls {
    Disabled,
    /// Where the server has it.
    Preferred,
    /// Always, whoever the server is.
    Required,
    /// Always, and the server has a certificate of these authorities, for whatever name.
    VerifyCa {
        ca: PathBuf,
    },
    /// Always, and the server has a certificate for its name.
    VerifyIdentity {
        /// Certificates to trust instead of those of the web's authorities.
        ca: Option<PathBuf>,
    },
}

impl DatabaseUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, in words that do not repeat it: it may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let rest = ["mysql://", "mariadb://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme))
            .ok_or_else(|| wrong("does not begin with `mysql://`"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        if database.contains('/') {
            return Err(wrong("has more than one `/` after the host"));
        }
        let (credentials, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password, "password")?)),
            None => (credentials, None),
        };
        let user = decoded(user, "user")?;
        let database = decoded(database, "database")?;
        Ok(Self {
            user: if user.is_empty() {
                "root".to_owned()
            } else {
                user
            },
            password,
            server: parse_server(address, query)?,
            database: (!database.is_empty()).then_some(database),
        })
    }

    pub(super) fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Whether the file of authorities can be read and holds a certificate: the driver's words for it would be about the
    /// server.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check_authorities(&self) -> Result<(), Error> {
        let Server::Tcp {
            tls: Tls::VerifyCa { ca } | Tls::VerifyIdentity { ca: Some(ca) },
            ..
        } = &self.server
        else {
            return Ok(());
        };
        let shown = ca.display();
        let bytes = std::fs::read(ca).map_err(|error| {
            wrong_encryption(format!(
                "names authorities in `{shown}`, which cannot be read: {error}"
            ))
        })?;
        // PEM, or one certificate as it is in DER: a sequence.
        let is_pem = String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----");
        if is_pem || bytes.first() == Some(&0x30) {
            Ok(())
        } else {
            Err(wrong_encryption(format!(
                "names authorities in `{shown}`, which holds no certificate"
            )))
        }
    }

    /// The driver's options, in the order in which to try them: without encryption only after the server says that it
    /// has none, and only where that was asked for.
    pub(super) fn options(&self, lock_wait: Duration) -> Vec<Opts> {
        let seconds = lock_wait.as_millis().div_ceil(1000).max(1);
        let builder = OptsBuilder::default()
            .user(Some(self.user.clone()))
            .pass(self.password.clone())
            .db_name(self.database.clone())
            .client_found_rows(true)
            .prefer_socket(false)
            // The engine's statements are not prepared.
            .stmt_cache_size(0)
            .setup(vec![format!(
                "SET NAMES utf8mb4, lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"
            )]);
        match &self.server {
            Server::Socket(path) => {
                vec![builder.socket(Some(path.display().to_string())).into()]
            }
            Server::Tcp { host, port, tls } => {
                let builder = builder
                    .ip_or_hostname(host.clone())
                    .tcp_port(*port)
                    .tcp_keepalive(Some(KEEPALIVE));
                let ways = match tls {
                    Tls::Disabled => vec![None],
                    Tls::Preferred => vec![Some(unverified()), None],
                    Tls::Required => vec![Some(unverified())],
                    Tls::VerifyCa { ca } => {
                        let ca = verified(Some(ca.clone()));
                        vec![Some(ca.clone()), Some(whatever_name(ca))]
                    }
                    Tls::VerifyIdentity { ca } => vec![Some(verified(ca.clone()))],
                };
                ways.into_iter()
                    .map(|ssl| builder.clone().ssl_opts(ssl).into())
                    .collect()
            }
        }
    }
}

fn unverified() -> SslOpts {
    SslOpts::default()
        .with_danger_accept_invalid_certs(true)
        .with_danger_skip_domain_validation(true)
}

/// The second way of VERIFY_CA, for a certificate that is for another name. rustls looks at the name last, so what is
/// only not for it is from a trusted authority. The driver tells that error by the words `NotValidForName`, which
/// rustls 0.23 no longer says; the name that was asked for it does say.
fn whatever_name(ca: SslOpts) -> SslOpts {
    ca.with_danger_skip_domain_validation(true)
        .with_danger_tls_hostname_override(Some("NotValidForName"))
}

fn verified(ca: Option<PathBuf>) -> SslOpts {
    match ca {
        Some(file) => SslOpts::default()
            .with_disable_built_in_roots(true)
            .with_root_certs(vec![file.into()]),
        None => SslOpts::default(),
    }
}

fn parse_server(address: &str, query: &str) -> Result<Server, Error> {
    let (mut socket, mut mode, mut ca) = (None, None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value, "parameter")?;
        match name {
            "socket" => socket = Some(PathBuf::from(value)),
            "ssl-mode" => mode = Some(value.to_ascii_uppercase()),
            "ssl-ca" => ca = Some(PathBuf::from(value)),
            _ => {
                // Not named: after a `?` in a password it would be the rest of that.
                return Err(wrong(
                    "has another parameter than `socket`, `ssl-mode` and `ssl-ca`",
                ));
            }
        }
    }
    if let Some(socket) = socket {
        return Ok(Server::Socket(socket));
    }
    let tls = match (mode.as_deref(), ca) {
        (Some("DISABLED"), None) => Tls::Disabled,
        (Some("PREFERRED"), None) | (None, None) => Tls::Preferred,
        (Some("REQUIRED"), None) => Tls::Required,
        (Some("VERIFY_CA"), Some(ca)) => Tls::VerifyCa { ca },
        (Some("VERIFY_CA"), None) => {
            return Err(wrong_encryption(
                "has `ssl-mode=VERIFY_CA` without `ssl-ca=FILE`: every server of the web has a certificate of some authority",
            ));
        }
        (Some("VERIFY_IDENTITY") | None, ca) => Tls::VerifyIdentity { ca },
        (Some("DISABLED" | "PREFERRED" | "REQUIRED"), Some(_)) => {
            return Err(wrong_encryption(
                "has `ssl-ca` and an `ssl-mode` that checks no certificate; write ssl-mode=VERIFY_CA or VERIFY_IDENTITY",
            ));
        }
        (Some(_), _) => {
            return Err(wrong_encryption(
                "has another `ssl-mode` than DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY",
            ));
        }
    };
    let (host, port) = parse_address(address)?;
    Ok(Server::Tcp { host, port, tls })
}

fn parse_address(address: &str) -> Result<(String, u16), Error> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest
                .split_once(']')
                .ok_or_else(|| wrong("has a `[` without its `]`"))?;
            (host, rest.strip_prefix(':'))
        }
        None => match address.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = match port {
        Some(port) => port
            .parse()
            .map_err(|_| wrong("has a port that is no number up to 65535"))?,
        None => DEFAULT_PORT,
    };
    let host = decoded(host, "host")?;
    let host = if host.is_empty() {
        "127.0.0.1".to_owned()
    } else {
        host
    };
    Ok((host, port))
}

fn decoded(text: &str, what: &str) -> Result<String, Error> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(wrong(format!("has a {what} that is not UTF-8"))),
    }
}

fn wrong(problem: impl Into<String>) -> Error {
    Error::DatabaseUrl {
        problem: problem.into(),
        help: FORM,
    }
}

fn wrong_encryption(problem: impl Into<String>) -> Error {
    Error::DatabaseUrl {
        problem: problem.into(),
        help: ENCRYPTION,
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, .. } = self;
        match &self.server {
            Server::Socket(path) => write!(formatter, "{user}@{}", path.display())?,
            Server::Tcp { host, port, .. } if host.contains(':') => {
                write!(formatter, "{user}@[{host}]:{port}")?;
            }
            Server::Tcp { host, port, .. } => write!(formatter, "{user}@{host}:{port}")?,
        }
        match &self.database {
            Some(database) => write!(formatter, " database `{database}`"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        match DatabaseUrl::parse(url) {
            Ok(url) => format!(
                "{url} {:?} {:?}",
                url.password.as_deref().unwrap_or("-"),
                match &url.server {
                    Server::Socket(_) => None,
                    Server::Tcp { tls, .. } => Some(tls),
                }
            ),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn a_url_says_where_who_and_how() {
        let urls = [
            "mysql://app:p%40ss%2F:w@db.example.com:3307/blog",
            "mysql://db/blog",
            "mariadb://app@[::1]:3307/my%20blog?ssl-mode=required",
            "mysql://app@/blog?socket=/run/mysqld/my%20sock",
            "mysql://app@db/blog?ssl-ca=/etc/ca.pem",
            "mysql://app@db?ssl-mode=VERIFY_IDENTITY",
            "mysql://app@db?ssl-mode=verify_ca&ssl-ca=ca.pem",
        ];
        insta::assert_snapshot!(urls.map(shown).join("\n"), @r#"
        app@db.example.com:3307 database `blog` "p@ss/:w" Some(Preferred)
        root@db:3306 database `blog` "-" Some(Preferred)
        app@[::1]:3307 database `my blog` "-" Some(Required)
        app@/run/mysqld/my sock database `blog` "-" None
        app@db:3306 database `blog` "-" Some(VerifyIdentity { ca: Some("/etc/ca.pem") })
        app@db:3306 "-" Some(VerifyIdentity { ca: None })
        app@db:3306 "-" Some(VerifyCa { ca: "ca.pem" })
        "#);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_url() {
        let urls = [
            "postgres://app:secret@db/blog",
            "mysql://app:sec/ret@db/blog",
            "mysql://app:secret@db:many/blog",
            "mysql://app:secret@[::1/blog",
            "mysql://app:secret%ff@db/blog",
            "mysql://app:secret@db/blog?tls=1",
            "mysql://app:secret@db/blog?ssl-mode=maybe",
            "mysql://app:secret@db/blog?ssl-mode=REQUIRED&ssl-ca=ca.pem",
            "mysql://app:secret@db/blog?ssl-mode=VERIFY_CA",
        ];
        let shown = urls.map(shown).join("\n");
        insta::assert_snapshot!(shown, @"
        error: the database URL does not begin with `mysql://`
        error: the database URL has more than one `/` after the host
        error: the database URL has a port that is no number up to 65535
        error: the database URL has a `[` without its `]`
        error: the database URL has a password that is not UTF-8
        error: the database URL has another parameter than `socket`, `ssl-mode` and `ssl-ca`
        error: the database URL has another `ssl-mode` than DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY
        error: the database URL has `ssl-ca` and an `ssl-mode` that checks no certificate; write ssl-mode=VERIFY_CA or VERIFY_IDENTITY
        error: the database URL has `ssl-mode=VERIFY_CA` without `ssl-ca=FILE`: every server of the web has a certificate of some authority
        ");
        assert!(!shown.contains("secret"));
    }

    #[test]
    fn a_password_is_not_printed() {
        let url = DatabaseUrl::parse("mysql://app:secret@db/blog").unwrap();
        assert!(!format!("{url} {url:?}").contains("secret"));
    }
}
