//! A server of the user's own, named by a URL, in the place of a private one. Nothing of it is ever dropped here.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Opts, OptsBuilder};
use tokio::sync::watch;

use super::server::{Endpoint, Place, ServerState, stopped};
use super::{Account, Setup};

/// How long a server that does not answer is asked again before the cluster fails.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// `mysql://USER:PASSWORD@HOST:PORT`, or with `?socket=/path`. The user has to be one who may make databases and users.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    opts: Opts,
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
    /// It has no user.
    #[error("the URL names no user, as in `mysql://root@127.0.0.1:3306`")]
    NoUser,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let opts = Opts::from_url(text).map_err(|error| DatabaseUrlError::Syntax {
            reason: error.to_string(),
        })?;
        if opts.user().is_none_or(str::is_empty) {
            return Err(DatabaseUrlError::NoUser);
        }
        Ok(Self { opts })
    }
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
        Ok(Err(error)) => {
            ServerState::Failed(format!("the server at {:?} refused: {error}", url.place()))
        }
        Err(_) => ServerState::Failed(format!(
            "the server at {:?} did not answer within {} s",
            url.place(),
            ANSWER_WITHIN.as_secs()
        )),
    });
    stopped(&mut stop).await;
    states.send_replace(ServerState::Stopped);
}

async fn prepare(url: &DatabaseUrl, setup: &Setup) -> Result<Endpoint, mysql_async::ServerError> {
    let mut endpoint = Endpoint {
        place: url.place(),
        generation: 1,
        is_mariadb: true,
    };
    loop {
        let prepared = async {
            let mut connection = endpoint.connect(&setup.admin, None).await?;
            let version: Option<String> = connection.query_first("SELECT VERSION()").await?;
            for statement in setup.remote_statements() {
                connection.query_drop(statement).await?;
            }
            connection.disconnect().await?;
            Ok(version.unwrap_or_default())
        };
        match prepared.await {
            Ok(version) => {
                endpoint.is_mariadb = version.contains("MariaDB");
                return Ok(endpoint);
            }
            Err(mysql_async::Error::Server(error)) => return Err(error),
            // It does not answer yet.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
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
        assert!(error("postgres://root@db").starts_with("expected `mysql://"));
        assert!(error("").starts_with("expected `mysql://"));
    }
}
