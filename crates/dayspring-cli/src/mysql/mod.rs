//! The migration engine's session over one connection to a MySQL or MariaDB server.
//!
//! 1. There is one connection, made when it is needed. When it is lost, its transaction is lost with it, and the next call
//!    that needs none makes another. The server may not have noticed, and keep the old one with its locks, or with a
//!    statement that it has yet to read: it is told to end it, unless it is at work on a statement that stands alone,
//!    which the engine follows in the process list.
//! 2. A statement whose answer did not come may have taken effect, so it is `Unknown`. A statement that was never sent
//!    (no connection, access denied) is `NotStarted`. Everything the server answers is `Refused`, but for its words for
//!    "this connection is ended from here": those say nothing about the statement.
//! 3. Scripts may SET what they like. What they did ends with their transaction: before anything else is said the
//!    connection is reset (COM_RESET_CONNECTION) and its own settings are made again.
//! 4. The engine's own statements carry their values as literals that mean the same under every character set and
//!    `sql_mode` ([`literal`]): they are also said inside a script's transaction, after its SETs.
//! 5. Statements that write rows, and the engine's own writes, go together in one packet ([`packet`]): a round trip for
//!    each costs more than the server's work on it. So does a definition with the writes that must be committed before it,
//!    and with the look at what the next one touches.

mod failure;
mod literal;
mod packet;
mod row;
mod session;
mod url;

pub(crate) use session::MySqlSession;
pub(crate) use url::DatabaseUrl;
