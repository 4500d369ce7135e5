//! The driver's errors in the engine's words: what is known of a statement's effect.

use dayspring_migrate::SessionError;
use mysql_async::{DriverError, Error, IoError, ServerError};

/// The server's words for "this connection ends here", after which it is not known what became of the statement:
/// shutdown, MariaDB's and MySQL's killed connection, MySQL's idle time
/// (<https://mariadb.com/docs/server/reference/error-codes>,
/// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>, read 2026-11-23).
const CONNECTION_ENDED: [u16; 4] = [1053, 1927, 3169, 4031];

/// How a call failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: SessionError,
    /// Whether the connection is still of use.
    pub(super) connection: Connection,
}

/// What is left of a connection after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    Usable,
    Lost,
}

/// What a call's failure says, the statement having been given to the driver.
pub(super) fn of_call(error: Error) -> Failure {
    match error {
        Error::Server(error) if CONNECTION_ENDED.contains(&error.code) => Failure {
            error: SessionError::Unknown {
                message: in_words(&error),
            },
            connection: Connection::Lost,
        },
        Error::Server(ServerError {
            code,
            message,
            state,
        }) => Failure {
            error: SessionError::Refused {
                code,
                sql_state: state,
                message,
            },
            connection: Connection::Usable,
        },
        other => Failure {
            error: SessionError::Unknown {
                message: format!("the connection was lost: {}", describe(&other)),
            },
            connection: Connection::Lost,
        },
    }
}

/// An error without the driver's own frame around it.
pub(super) fn describe(error: &Error) -> String {
    match error {
        Error::Server(error) => in_words(error),
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            "the server has no encryption".to_owned()
        }
        Error::Driver(DriverError::UnknownAuthPlugin { name }) => {
            format!("the server wants a login by `{name}`, which is not known here")
        }
        Error::Driver(error) => error.to_string(),
        error if is_of_encryption(error) => of_encryption(&error.to_string()),
        Error::Io(IoError::Io(error)) => match error.raw_os_error() {
            Some(_) => without_number(&error.to_string()),
            None => error.to_string(),
        },
        Error::Io(IoError::Tls(error)) => error.to_string(),
        Error::Other(error) => error.to_string(),
        Error::Url(error) => error.to_string(),
    }
}

fn in_words(error: &ServerError) -> String {
    format!("{} (MySQL {})", error.message, error.code)
}

/// `Connection refused (os error 111)` without its number, which differs between systems.
fn without_number(text: &str) -> String {
    text.split(" (os error")
        .next()
        .unwrap_or(text)
        .to_lowercase()
}

/// What to do about a connection that cannot be made.
pub(super) fn connect_help(error: &Error) -> &'static str {
    match error {
        Error::Server(error) => match error.code {
            // Access denied: to the account, to the database, without a password where one is needed.
            1045 | 1698 => {
                "check the user and the password, and that the account may connect from this machine"
            }
            1044 => "grant the user its rights on the database: GRANT ALL ON database.* TO user",
            1049 => "correct the database's name, or create it: CREATE DATABASE",
            1040 => "the server has no connection left: try again, or raise its `max_connections`",
            1129 | 1130 => {
                "the server refuses this machine: allow the account to connect from here"
            }
            _ => "the server refuses the connection: its message says why",
        },
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            "turn encryption on at the server, or allow a connection without it: ssl-mode=PREFERRED"
        }
        // Which it is differs by the name, so that nobody learns whose accounts there are.
        Error::Driver(DriverError::UnknownAuthPlugin { .. }) => {
            "check the user: for a name that it does not know, MySQL asks for any way to log in; an account that is there can \
             be made one of `caching_sha2_password`"
        }
        error if is_of_name(error) => {
            "connect by a name that the certificate is for, or check the authority alone: ssl-mode=VERIFY_CA"
        }
        error if is_of_encryption(error) => {
            "name the authority of the server's certificate with ssl-ca=FILE, or encrypt without checking: ssl-mode=REQUIRED"
        }
        Error::Io(_) | Error::Driver(_) | Error::Other(_) | Error::Url(_) => {
            "check the host and the port or the socket, and that the server runs and can be reached from here"
        }
    }
}

/// A certificate that is not trusted comes as an input that is not valid.
fn is_of_encryption(error: &Error) -> bool {
    match error {
        Error::Io(IoError::Tls(_)) => true,
        Error::Io(IoError::Io(error)) => error.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// Whether a certificate is from a trusted authority, and for another name: rustls looks at the name last.
pub(super) fn is_of_name(error: &Error) -> bool {
    is_of_encryption(error) && error.to_string().contains("certificate not valid for name")
}

/// What rustls says of a certificate, in words for people.
fn of_encryption(words: &str) -> String {
    let Some((_, problem)) = words.split_once("invalid peer certificate: ") else {
        return words.to_owned();
    };
    let problem = problem.trim_end_matches('`');
    match problem.split([':', '(', ' ']).next() {
        Some("UnknownIssuer" | "BadSignature") => {
            "the server's certificate is from an authority that is not trusted".to_owned()
        }
        Some("CaUsedAsEndEntity") => {
            "the server's certificate is that of an authority, and not of a server".to_owned()
        }
        Some("certificate") => {
            let problem = problem.replace("certificate not valid for", "certificate is not for");
            format!("the server's {problem}")
        }
        _ => format!("the server's certificate is not valid: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16) -> Error {
        Error::Server(ServerError {
            code,
            message: "m".to_owned(),
            state: "42000".to_owned(),
        })
    }

    #[track_caller]
    fn check(error: Error, kind: &str, connection: Connection) {
        let failure = of_call(error);
        let found = format!("{:?}", failure.error);
        assert_eq!(found.split(' ').next(), Some(kind));
        assert_eq!(failure.connection, connection);
    }

    #[test]
    fn a_way_to_log_in_that_is_not_known_is_named() {
        let error = Error::Driver(DriverError::UnknownAuthPlugin {
            name: "sha256_password".to_owned(),
        });
        let shown = format!("{}\n{}", describe(&error), connect_help(&error));
        insta::assert_snapshot!(shown, @"
        the server wants a login by `sha256_password`, which is not known here
        check the user: for a name that it does not know, MySQL asks for any way to log in; an account that is there can be made one of `caching_sha2_password`
        ");
    }

    #[test]
    fn what_is_known_of_a_statement_follows_from_the_error() {
        check(server(1064), "Refused", Connection::Usable);
        check(server(1205), "Refused", Connection::Usable);
        check(server(1053), "Unknown", Connection::Lost);
        check(server(1927), "Unknown", Connection::Lost);
        let driver = |error| Error::Driver(error);
        check(
            driver(DriverError::ConnectionClosed),
            "Unknown",
            Connection::Lost,
        );
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        check(Error::Io(IoError::Io(reset)), "Unknown", Connection::Lost);
    }
}
