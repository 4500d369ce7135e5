//! What scripts make, found out on a server that nobody needs.

use std::time::Duration;

use clap::Args;
use dayspring_cloud::scratch::ScratchServer;
use dayspring_migrate::baseline::{Sequence, Wording, replay};
use dayspring_migrate::schema::{Difference, Schema, diff, read_schema};
use dayspring_migrate::{Place, Scripts, Session};
use serde::Serialize;

use super::super::cloud::cache;
use crate::error::{Error, Fault};
use crate::mysql::{DatabaseUrl, MySqlSession};
use crate::render;
use crate::shutdown;
use crate::ui::Ui;

/// Nobody else works there.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Where the scripts are replayed
#[derive(Debug, Clone, Args)]
pub(crate) struct ScratchArgs {
    /// Replay the scripts in this database instead of a private MariaDB. It must be empty, and is emptied again
    #[arg(long, value_name = "URL")]
    scratch_url: Option<String>,
}

/// A difference, for machines.
#[derive(Debug, Serialize)]
pub(super) struct DifferenceJson {
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// What the database has; an empty text for a whole object.
    live: Option<String>,
    /// What the scripts make.
    scripts: Option<String>,
    text: String,
}

impl From<&Difference> for DifferenceJson {
    fn from(difference: &Difference) -> Self {
        Self {
            kind: difference.kind.word(),
            name: difference.name.clone(),
            part: difference.part.as_ref().map(ToString::to_string),
            live: difference.live.clone(),
            scripts: difference.scripts.clone(),
            text: difference.to_string(),
        }
    }
}

/// A replay and what it found.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) differences: Vec<Difference>,
    /// The server that it was replayed on.
    pub(super) server: String,
}

/// Whose words the scripts of a live database are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// Those of the live server.
    OfTheServer,
    /// Those of MySQL: a stage is on Aurora, or on a local cloud that puts them in MariaDB's.
    OfMySql,
}

/// What new databases and tables are like on the live server.
#[derive(Debug)]
pub(super) struct Defaults {
    pub(super) database: String,
    pub(super) charset: String,
    pub(super) collation: String,
    /// Nothing where no server says it.
    pub(super) mode: Option<String>,
}

impl Defaults {
    pub(super) async fn of<S: Session>(live: &mut S) -> Result<Self, Error> {
        Ok(Self {
            database: live_database(live).await?,
            charset: first_text(live, "SELECT @@character_set_database").await?,
            collation: first_text(live, "SELECT @@collation_database").await?,
            mode: Some(first_text(live, "SELECT @@sql_mode").await?),
        })
    }
}

/// Replays statements on a scratch server and compares the live schema with what they make.
pub(super) async fn compare<S: Session>(
    ui: Ui,
    live: &mut S,
    scripts: &Scripts,
    sequence: &Sequence,
    args: &ScratchArgs,
    words: Words,
) -> Result<Comparison, Error> {
    let mut defaults = Defaults::of(live).await?;
    if alters_database(scripts, sequence) {
        // What the database was like before is not known; most are made as the server makes them.
        defaults.charset = first_text(live, "SELECT @@character_set_server").await?;
        defaults.collation = first_text(live, "SELECT @@collation_server").await?;
    }
    let here = read_schema(live)
        .await
        .map_err(|error| Error::migration(&error))?;
    let is_of_mysql = words == Words::OfMySql || !here.is_of_mariadb();
    if is_of_mysql && let Some(mode) = &mut defaults.mode {
        // Of MariaDB's, which knows of no column that another one decides, nothing in a schema depends but refusals.
        *mode = mode.replace("ONLY_FULL_GROUP_BY", "");
    }
    let count = render::count(sequence.len(), "statement");
    ui.status("Replaying", &format!("{count} on {}", args.place()?));
    let there = args
        .with_session(scripts, &defaults, async |session| {
            make(ui, session, scripts, sequence, is_of_mysql).await
        })
        .await?;
    Ok(Comparison {
        differences: diff(&here, &there),
        server: there.server,
    })
}

/// Whether one of the statements says what new tables are like.
fn alters_database(scripts: &Scripts, sequence: &Sequence) -> bool {
    sequence.iter().any(|(id, number)| {
        let of_script = scripts.get(*id);
        let statement = of_script.and_then(|script| {
            let statement = script.statements.get(number - 1)?;
            Some(script.text_of(statement))
        });
        let mut words = statement.unwrap_or_default().split_whitespace();
        let mut is_next = |expected: &[&str]| {
            let word = words.next().unwrap_or_default();
            expected.iter().any(|one| word.eq_ignore_ascii_case(one))
        };
        is_next(&["ALTER"]) && is_next(&["DATABASE", "SCHEMA"])
    })
}

impl ScratchArgs {
    pub(super) fn is_named(&self) -> bool {
        self.scratch_url.is_some()
    }

    pub(super) fn place(&self) -> Result<String, Error> {
        match &self.scratch_url {
            Some(url) => DatabaseUrl::parse(url).map(|url| url.to_string()),
            None => Ok("a scratch MariaDB".to_owned()),
        }
    }

    /// Does some work of the scripts in an empty database that is gone, or empty again, after it.
    pub(super) async fn with_session<T>(
        &self,
        scripts: &Scripts,
        defaults: &Defaults,
        work: impl AsyncFnOnce(&mut MySqlSession) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(url) = &self.scratch_url {
            let url = DatabaseUrl::parse(url)?;
            let mut session = MySqlSession::connect(url, LOCK_WAIT).await?;
            return in_named(&mut session, scripts, defaults, work).await;
        }
        let working = async {
            let server = ScratchServer::start(&cache())
                .await
                .map_err(Error::Scratch)?;
            let found = in_own(&server, defaults, work).await;
            server.stop().await;
            found
        };
        until_interrupted(working).await
    }
}

/// What may be missing beside the objects that are said to be.
pub(super) fn rights_help(differences: &[Difference]) -> &'static str {
    if differences.iter().any(Difference::may_be_hidden) {
        "\n help: a database user without the rights SHOW VIEW, TRIGGER, EVENT and SHOW_ROUTINE does not see all that is there"
    } else {
        ""
    }
}

pub(super) fn input(message: impl Into<String>) -> Error {
    Error::Migration {
        fault: Fault::Input,
        message: message.into(),
    }
}

async fn until_interrupted<T>(working: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::select! {
        found = working => found,
        () = shutdown::requested() => Err(input("error: interrupted; nothing was changed")),
    }
}

async fn in_own<T>(
    server: &ScratchServer,
    defaults: &Defaults,
    work: impl AsyncFnOnce(&mut MySqlSession) -> Result<T, Error>,
) -> Result<T, Error> {
    let open = async |database: Option<&str>| {
        let url = DatabaseUrl::parse(&server.url(database))?;
        MySqlSession::connect(url, LOCK_WAIT).await
    };
    let mut session = open(None).await?;
    if let Some(mode) = &defaults.mode {
        let modes = format!("SET GLOBAL sql_mode = '{}'", mode.replace('\'', "''"));
        // Modes that the live server's family has and this one lacks leave the usual ones.
        drop(session.execute(&modes, &[]).await);
    }
    let database = &defaults.database;
    let create = format!("CREATE DATABASE `{}`", database.replace('`', "``"));
    say(&mut session, &create).await?;
    let mut session = open(Some(database)).await?;
    set_defaults(&mut session, database, defaults).await?;
    work(&mut session).await
}

/// Works in a database that the user named, and leaves it as empty as it was. Nothing is done where a statement names
/// another one: the server may have that too, and it may be the live one.
async fn in_named<T>(
    session: &mut MySqlSession,
    scripts: &Scripts,
    defaults: &Defaults,
    work: impl AsyncFnOnce(&mut MySqlSession) -> Result<T, Error>,
) -> Result<T, Error> {
    let database = live_database(session).await?;
    if let Some(place) = scripts.first_outside(&database) {
        let Place {
            path, line, column, ..
        } = place;
        return Err(input(format!(
            "error: this statement names a database, and the server of --scratch-url may have it: nothing was run there\n \
             --> {path}:{line}:{column}\n \
             help: leave --scratch-url away, for a private MariaDB, or the database's name"
        )));
    }
    let sql = "SELECT CONCAT('', (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()) \
               + (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE()) \
               + (SELECT COUNT(*) FROM information_schema.events WHERE event_schema = DATABASE()))";
    if first_text(session, sql).await? != "0" {
        return Err(input(format!(
            "error: the scratch database `{database}` is not empty\n help: name one that nobody needs, with nothing in it"
        )));
    }
    let own = Defaults::of(session).await?;
    set_defaults(session, &database, defaults).await?;
    let working = session.connection().await.map_err(scratch_failed)?;
    let done = until_interrupted(work(session)).await;
    if done.is_err() {
        // A statement that was given up runs on, on a connection that is lost here, and holds what it touches.
        drop(session.rollback().await);
        let now = session.connection().await.map_err(scratch_failed)?;
        if let Some(id) = working.filter(|_| working != now) {
            drop(session.execute(&format!("KILL {id}"), &[]).await);
        }
    }
    let name = database.replace('`', "``");
    say(session, &format!("DROP DATABASE `{name}`")).await?;
    let create = format!(
        "CREATE DATABASE `{name}` CHARACTER SET {} COLLATE {}",
        own.charset, own.collation
    );
    say(session, &create).await?;
    done
}

/// New tables are to have the character set that they have on the live server. Of two families only the character
/// set's own collation can be meant, where the live one is unknown here.
async fn set_defaults<S: Session>(
    session: &mut S,
    database: &str,
    defaults: &Defaults,
) -> Result<(), Error> {
    let name = database.replace('`', "``");
    let alter = format!("ALTER DATABASE `{name}` CHARACTER SET {}", defaults.charset);
    let with_collation = format!("{alter} COLLATE {}", defaults.collation);
    for wording in [Wording::AsWritten, Wording::OfMariaDb] {
        let said = session.execute(&wording.of(&with_collation), &[]).await;
        if said.is_ok() {
            return Ok(());
        }
    }
    say(session, &alter).await
}

async fn make<S: Session>(
    ui: Ui,
    session: &mut S,
    scripts: &Scripts,
    sequence: &Sequence,
    is_of_mysql: bool,
) -> Result<Schema, Error> {
    let version = first_text(session, "SELECT VERSION()").await?;
    let wording = if is_of_mysql && version.contains("MariaDB") {
        Wording::OfMariaDb
    } else {
        Wording::AsWritten
    };
    let replayed = replay(session, scripts, sequence, wording).await;
    for passed_over in replayed.map_err(|error| Error::migration(&error))? {
        let place = passed_over.place;
        ui.status(
            "Passed over",
            &format!(
                "{}:{}, which only changes rows: {}",
                place.path, place.line, passed_over.error
            ),
        );
    }
    let made = read_schema(session).await;
    made.map_err(|error| Error::migration(&error))
}

async fn say<S: Session>(session: &mut S, sql: &str) -> Result<(), Error> {
    let said = session.execute(sql, &[]).await;
    said.map(drop).map_err(scratch_failed)
}

async fn live_database<S: Session>(session: &mut S) -> Result<String, Error> {
    let database = first_text(session, "SELECT DATABASE()").await?;
    if database.is_empty() {
        return Err(Error::migration(&dayspring_migrate::Error::NoDatabase));
    }
    Ok(database)
}

async fn first_text<S: Session>(session: &mut S, sql: &str) -> Result<String, Error> {
    let rows = session.query(sql, &[]).await.map_err(scratch_failed)?;
    Ok(match rows.into_iter().flatten().next() {
        Some(dayspring_migrate::Value::Text(text)) => text,
        Some(dayspring_migrate::Value::Long(number)) => number.to_string(),
        Some(dayspring_migrate::Value::Null) | None => String::new(),
    })
}

fn scratch_failed(source: dayspring_migrate::SessionError) -> Error {
    Error::migration(&dayspring_migrate::Error::Session {
        doing: "preparing the comparison".to_owned(),
        source,
    })
}
