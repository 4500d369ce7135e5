//! A server of the user's own, named by a URL, in the place of a private one. Nothing of it is ever dropped here.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Opts, OptsBuilder, SslOpts};
use tokio::sync::watch;

use super::server::{Endpoint, Kind, Place, ServerState, stopped};
use super::{Account, Setup};

/// How long a server that does not answer is asked again before the cluster fails.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// `ER_SECURE_TRANSPORT_REQUIRED`.
const ENCRYPTED_ONLY: u16 = 3159;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// `mysql://USER:PASSWORD@HOST:PORT`, or with `?socket=/path`. The user has to be one who may make databases and users.
///
/// `?ssl-mode=REQUIRED` encrypts the connections; without it they are where the server refuses all others. No certificate
/// is checked.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    opts: Opts,
    tls: bool,
}

/// A text that is no [`DatabaseUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It is no URL of this kind.
    #[error("expected `mysql://USER:PASSWORD@HOST:PORT`: {reason}")]
    Syntax {
        /// What the parser found.
        reason: String,
    },
    /// It asks for an encryption that there is not here.
    #[error("`ssl-mode` is REQUIRED or PREFERRED here: no certificate is checked")]
    Encryption,
    /// It has no user.
    #[error("the URL names no user, as in `mysql://root@127.0.0.1:3306`")]
    NoUser,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (text, mode) = without_mode(text);
        let opts = Opts::from_url(&text).map_err(|error| DatabaseUrlError::Syntax {
            reason: error.to_string(),
        })?;
        if opts.user().is_none_or(str::is_empty) {
            return Err(DatabaseUrlError::NoUser);
        }
        let tls = match mode.as_deref() {
            None | Some("PREFERRED") => opts.ssl_opts().is_some(),
            Some("REQUIRED") => true,
            Some(_) => return Err(DatabaseUrlError::Encryption),
        };
        Ok(Self { opts, tls })
    }
}

/// The URL without the parameter `ssl-mode`, which is MySQL's and not the driver's, and what that says.
fn without_mode(text: &str) -> (String, Option<String>) {
    let Some((address, query)) = text.split_once('?') else {
        return (text.to_owned(), None);
    };
    let (modes, others): (Vec<&str>, Vec<&str>) = query
        .split('&')
        .partition(|pair| pair.starts_with("ssl-mode="));
    let mode = modes
        .last()
        .and_then(|pair| pair.split_once('='))
        .map(|(_, mode)| mode.to_ascii_uppercase());
    (format!("{address}?{}", others.join("&")), mode)
}

/// Without the password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("DatabaseUrl")
            .field(&self.opts.ip_or_hostname())
            .field(&self.opts.tcp_port())
            .finish()
    }
}

impl DatabaseUrl {
    /// Who makes the databases and the users.
    pub(crate) fn account(&self) -> Account {
        Account {
            user: self.opts.user().unwrap_or_default().to_owned(),
            password: self.opts.pass().unwrap_or_default().to_owned(),
        }
    }

    fn place(&self) -> Place {
        match self.opts.socket() {
            Some(socket) => Place::Socket(socket.into()),
            None => Place::Tcp {
                host: self.opts.ip_or_hostname().to_owned(),
                port: self.opts.tcp_port(),
            },
        }
    }
}

/// Makes the cluster's user and database there and keeps the state until it is stopped.
pub(super) async fn supervise(
    url: DatabaseUrl,
    setup: Setup,
    states: watch::Sender<ServerState>,
    mut stop: watch::Receiver<bool>,
) {
    let settled = tokio::select! {
        settled = tokio::time::timeout(ANSWER_WITHIN, prepare(&url, &setup)) => settled,
        () = stopped(&mut stop) => {
            states.send_replace(ServerState::Stopped);
            return;
        }
    };
    states.send_replace(match settled {
        Ok(Ok(endpoint)) => ServerState::Ready(Arc::new(endpoint)),
        Ok(Err(refusal)) => ServerState::Failed(format!("the server at {} {refusal}", url.place())),
        Err(_) => ServerState::Failed(format!(
            "the server at {} did not answer within {} s",
            url.place(),
            ANSWER_WITHIN.as_secs()
        )),
    });
    stopped(&mut stop).await;
    states.send_replace(ServerState::Stopped);
}

/// Why a server that answers cannot be used.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("refused `{user}`: {source}")]
    Login {
        user: String,
        source: mysql_async::ServerError,
    },
    /// The statement without its password.
    #[error(
        "refused `{statement}` of `{user}`: {source}; --database-url has to name an account that may make databases and \
         users and grant them what it may do itself, as in `GRANT ALL PRIVILEGES ON *.* TO {user} WITH GRANT OPTION`"
    )]
    Setup {
        user: String,
        statement: String,
        source: mysql_async::ServerError,
    },
    #[error("answers encrypted connections alone, and failed to make one: {0}")]
    Encryption(mysql_async::Error),
}

async fn prepare(url: &DatabaseUrl, setup: &Setup) -> Result<Endpoint, Refusal> {
    let mut endpoint = Endpoint {
        place: url.place(),
        generation: 1,
        kind: Kind::MariaDb,
        tls: url.tls,
    };
    let user = setup.admin.user.clone();
    let mut connection = loop {
        match endpoint.connect(&setup.admin, None).await {
            Ok(connection) => break connection,
            Err(mysql_async::Error::Server(error))
                if error.code == ENCRYPTED_ONLY && !endpoint.tls =>
            {
                endpoint.tls = true;
            }
            Err(mysql_async::Error::Server(source)) => return Err(Refusal::Login { user, source }),
            Err(error)
                if endpoint.tls
                    && !matches!(error, mysql_async::Error::Io(mysql_async::IoError::Io(_))) =>
            {
                return Err(Refusal::Encryption(error));
            }
            // It does not answer yet.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    };
    let version: mysql_async::Result<Option<String>> =
        connection.query_first("SELECT VERSION()").await;
    if !matches!(version, Ok(Some(version)) if version.contains("MariaDB")) {
        endpoint.kind = Kind::MySql;
    }
    for statement in setup.remote_statements() {
        if let Err(error) = connection.query_drop(&statement).await {
            let source = match error {
                mysql_async::Error::Server(error) => error,
                error => mysql_async::ServerError {
                    code: 0,
                    message: error.to_string(),
                    state: "HY000".to_owned(),
                },
            };
            let shown = statement
                .split(" IDENTIFIED BY ")
                .next()
                .unwrap_or_default();
            return Err(Refusal::Setup {
                user,
                statement: shown.to_owned(),
                source,
            });
        }
    }
    // It was asked all there was to ask.
    drop(connection.disconnect().await);
    Ok(endpoint)
}

/// As MySQL's own client encrypts where nothing else is asked for: it does not look at the certificate, which a server
/// makes for itself (<https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode>).
pub(super) fn encryption() -> SslOpts {
    SslOpts::default()
        .with_danger_accept_invalid_certs(true)
        .with_danger_skip_domain_validation(true)
}

/// Where the driver is told to connect.
pub(super) fn at(place: &Place, options: OptsBuilder) -> OptsBuilder {
    match place {
        Place::Socket(socket) => options.socket(Some(socket.to_string_lossy())),
        Place::Tcp { host, port } => options
            .ip_or_hostname(host.clone())
            .tcp_port(*port)
            .prefer_socket(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_server_and_a_user_and_its_password_is_not_printed() {
        let url: DatabaseUrl = "mysql://root:secret@db:3307".parse().unwrap();
        assert_eq!(format!("{url:?}"), "DatabaseUrl(\"db\", 3307)");
        assert_eq!(url.account().password, "secret");
        let error = |text: &str| text.parse::<DatabaseUrl>().unwrap_err().to_string();
        insta::assert_snapshot!(error("mysql://127.0.0.1:3306"), @"the URL names no user, as in `mysql://root@127.0.0.1:3306`");
        assert!(!url.tls);
        let tls = |text: &str| text.parse::<DatabaseUrl>().map(|url| url.tls);
        assert_eq!(tls("mysql://root@db?ssl-mode=required"), Ok(true));
        assert_eq!(tls("mysql://root@db?require_ssl=true"), Ok(true));
        assert_eq!(
            tls("mysql://root@db?ssl-mode=VERIFY_CA"),
            Err(DatabaseUrlError::Encryption)
        );
        assert!(error("postgres://root@db").starts_with("expected `mysql://"));
        assert!(error("").starts_with("expected `mysql://"));
    }
}
