//! A live schema as a value that can be compared: what the server says in `information_schema`, made canonical.
//!
//! Two databases that statements of the same meaning made have equal values, whatever server version tells of them.
//! What is not compared: who owns a view, routine, trigger or event (DEFINER); when an event begins; counters and
//! statistics; rows; and tables in which migration tools keep their history ([`is_journal`]).

mod canonical;
mod diff;
mod expression;
mod families;
mod literal;
mod read;

use std::collections::BTreeMap;
use std::fmt;

use canonical::Family;
pub use diff::{Difference, diff};
pub use read::read_schema;

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// The server's version, in its words.
    pub server: String,
    /// The character set that a new table has.
    pub charset: String,
    /// The collation that a new table has.
    pub collation: String,
    /// Tables of migration tools that were left out.
    pub left_out: Vec<String>,
    family: Family,
    objects: BTreeMap<Name, Object>,
}

/// What names an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    kind: ObjectKind,
    name: String,
}

/// A kind of object that a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A sequence (MariaDB).
    Sequence,
    /// A stored procedure.
    Procedure,
    /// A stored function.
    Function,
    /// A trigger.
    Trigger,
    /// An event.
    Event,
}

/// An object's parts with their canonical definitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Object {
    parts: BTreeMap<Part, String>,
    /// A table's columns in their order.
    columns: Vec<String>,
    /// The collations of its columns. Their definitions have a NUL where it is written if the table's is another one.
    collations: BTreeMap<String, String>,
}

/// What a part of an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The whole of an object that has no parts.
    Definition,
    /// A property of a table: `engine`, `collation`, `comment`, `options`, `partitions`.
    Property(&'static str),
    /// A column.
    Column(String),
    /// In which order the columns stand.
    ColumnOrder,
    /// An index, the primary key among them.
    Index(String),
    /// A foreign key.
    ForeignKey(String),
    /// A check.
    Check(String),
}

impl ObjectKind {
    /// The word for it, as SQL has it, in lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::Sequence => "sequence",
            Self::Procedure => "procedure",
            Self::Function => "function",
            Self::Trigger => "trigger",
            Self::Event => "event",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition => f.write_str("definition"),
            Self::Property(name) => f.write_str(name),
            Self::Column(name) => write!(f, "column {name}"),
            Self::ColumnOrder => f.write_str("order of the columns"),
            Self::Index(name) if name == "PRIMARY" => f.write_str("primary key"),
            Self::Index(name) => write!(f, "index {name}"),
            Self::ForeignKey(name) => write!(f, "foreign key {name}"),
            Self::Check(name) => write!(f, "check {name}"),
        }
    }
}

impl Schema {
    /// Whether a MariaDB told it; else a MySQL did.
    #[must_use]
    pub fn is_of_mariadb(&self) -> bool {
        self.family == Family::MariaDb
    }

    /// How many objects it has.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.objects.len()
    }

    fn object(&mut self, kind: ObjectKind, name: &str) -> &mut Object {
        let name = name.to_owned();
        self.objects.entry(Name { kind, name }).or_default()
    }

    /// The object, if it was told before: parts of what was left out are passed over.
    fn known(&mut self, kind: ObjectKind, name: &str) -> Option<&mut Object> {
        let name = name.to_owned();
        self.objects.get_mut(&Name { kind, name })
    }
}

/// Whether a migration tool keeps its history or its lock in a table of this name: of Dayspring, Flyway, sqlx, refinery,
/// dbmate, golang-migrate and Rails, Alembic, Liquibase, goose, Atlas, Prisma, Diesel, SeaORM, gorp,
/// Knex, yoyo, Django and EF Core.
#[must_use]
pub fn is_journal(table: &str) -> bool {
    const TABLES: [&str; 25] = [
        "dayspring_script",
        "dayspring_statement",
        "dayspring_lease",
        "flyway_schema_history",
        "_sqlx_migrations",
        "refinery_schema_history",
        "schema_migrations",
        "ar_internal_metadata",
        "alembic_version",
        "databasechangelog",
        "databasechangeloglock",
        "goose_db_version",
        "atlas_schema_revisions",
        "_prisma_migrations",
        "__diesel_schema_migrations",
        "seaql_migrations",
        "gorp_migrations",
        "knex_migrations",
        "knex_migrations_lock",
        "_yoyo_migration",
        "_yoyo_log",
        "_yoyo_version",
        "yoyo_lock",
        "django_migrations",
        "__efmigrationshistory",
    ];
    let table = table.to_ascii_lowercase();
    TABLES.contains(&table.as_str())
}
