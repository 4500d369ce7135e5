//! CREATE, ALTER, DROP, RENAME and TRUNCATE: the objects that they touch, and which evidence shows that they did.

use std::fmt;

use super::{Analysis, Class, Recovery, undecidable};
use crate::lexer::Token;

/// The kinds of object whose definition a fingerprint can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A table, a view or a sequence: they share their names.
    Table,
    /// A stored procedure.
    Procedure,
    /// A stored function.
    Function,
    /// A trigger.
    Trigger,
    /// An event.
    Event,
    /// A database.
    Database,
}

impl ObjectKind {
    /// The keyword after SHOW CREATE.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Table => "TABLE",
            Self::Procedure => "PROCEDURE",
            Self::Function => "FUNCTION",
            Self::Trigger => "TRIGGER",
            Self::Event => "EVENT",
            Self::Database => "DATABASE",
        }
    }
}

/// An object of the database, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// The database that the statement names, if it names one.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind.keyword().to_ascii_lowercase())?;
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quote(schema))?;
        }
        f.write_str(&quote(&self.name))
    }
}

/// A name in backticks.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// What a statement makes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It exists afterwards.
    Created,
    /// It does not.
    Dropped,
    /// It exists, with another definition.
    Changed,
    /// Another object has its name, which may look as the one before it.
    Replaced,
}

impl After {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Dropped => "dropped",
            Self::Changed => "changed",
            Self::Replaced => "replaced",
        }
    }
}

/// An object and what the statement makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The object.
    pub object: Object,
    /// What becomes of it.
    pub after: After,
}

/// Reads a definition statement after its first keyword.
pub(super) fn analyse_definition(keyword: &str, rest: &[Token<'_>]) -> Analysis {
    match keyword {
        "CREATE" => create(rest),
        "ALTER" => alter(rest),
        "DROP" => drop(rest),
        "RENAME" => rename(rest),
        _ => truncate(rest),
    }
}

/// Walks over the tokens of a statement.
struct Cursor<'t, 'a> {
    tokens: &'t [Token<'a>],
}

impl<'t, 'a> Cursor<'t, 'a> {
    fn take(&mut self, keyword: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| token.is(keyword));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn take_all(&mut self, keywords: &[&str]) -> bool {
        let found = keywords.len() <= self.tokens.len()
            && keywords
                .iter()
                .zip(self.tokens)
                .all(|(keyword, token)| token.is(keyword));
        if found {
            self.tokens = &self.tokens[keywords.len()..];
        }
        found
    }

    fn take_mark(&mut self, mark: char) -> bool {
        let found = self.tokens.first().is_some_and(|token| token.is_mark(mark));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn next(&mut self) -> Option<&'t Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// `name` or `schema.name`.
    fn object(&mut self, kind: ObjectKind) -> Option<Object> {
        let name = self.next()?.name()?;
        if self.take_mark('.') {
            return Some(Object {
                kind,
                schema: Some(name),
                name: self.next()?.name()?,
            });
        }
        Some(Object {
            kind,
            schema: None,
            name,
        })
    }

    /// The kind of object, after words such as OR REPLACE, DEFINER and UNIQUE, which are passed over.
    fn kind(&mut self) -> Option<Kind> {
        let mut name_follows = false;
        while let Some(token) = self.next() {
            if !std::mem::replace(&mut name_follows, token.is_mark('=') || token.is_mark('@'))
                && let Some(kind) = Kind::of(token)
            {
                return Some(kind);
            }
        }
        None
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object(ObjectKind),
    View,
    Index,
    Account,
    Other,
}

impl Kind {
    fn of(token: &Token<'_>) -> Option<Self> {
        Some(match token.text.to_ascii_uppercase().as_str() {
            "TABLE" | "TABLES" | "SEQUENCE" => Self::Object(ObjectKind::Table),
            "VIEW" => Self::View,
            "INDEX" => Self::Index,
            "PROCEDURE" => Self::Object(ObjectKind::Procedure),
            "FUNCTION" => Self::Object(ObjectKind::Function),
            "TRIGGER" => Self::Object(ObjectKind::Trigger),
            "EVENT" => Self::Object(ObjectKind::Event),
            "DATABASE" | "SCHEMA" => Self::Object(ObjectKind::Database),
            "USER" | "ROLE" => Self::Account,
            "SERVER" | "TABLESPACE" | "LOGFILE" | "PACKAGE" | "RESOURCE" | "SPATIAL_REFERENCE" => {
                Self::Other
            }
            _ => return None,
        })
    }
}

fn schema(recovery: Recovery, touched: Vec<Touched>) -> Analysis {
    Analysis::new(Class::Schema(recovery), touched)
}

fn refused(why: &'static str) -> Analysis {
    Analysis::new(Class::Refused(why), Vec::new())
}

fn not_understood() -> Analysis {
    Analysis::new(
        undecidable("the engine does not know which object this statement touches"),
        Vec::new(),
    )
}

/// The tables of the journal, which are the engine's.
const JOURNAL: [&str; 3] = ["dayspring_script", "dayspring_statement", "dayspring_lease"];

/// Why a statement that touches the journal does not run.
pub(super) fn touches_the_journal(analysis: &Analysis) -> Option<&'static str> {
    let touched = analysis.touched.iter().map(|touched| &touched.object);
    touched
        .chain(&analysis.written)
        .any(|object| {
            JOURNAL
                .iter()
                .any(|name| object.name.eq_ignore_ascii_case(name))
        })
        .then_some("the journal's tables are the engine's")
}

const NO_DEFINITION: &str = "no definition in the database shows whether it took effect";

fn create(rest: &[Token<'_>]) -> Analysis {
    let has = |word: &str| rest.iter().any(|token| token.is(word));
    let mut cursor = Cursor { tokens: rest };
    if rest.first().is_some_and(|token| token.is("TEMPORARY"))
        || rest.get(2).is_some_and(|token| token.is("TEMPORARY"))
    {
        return refused("a temporary table lives in one session, and a resumed run has another");
    }
    let or_replace = cursor.take_all(&["OR", "REPLACE"]);
    let Some(kind) = cursor.kind() else {
        return not_understood();
    };
    let if_not_exists = cursor.take_all(&["IF", "NOT", "EXISTS"]);
    // IF NOT EXISTS passes over a table that is there without its rows.
    let fills = kind == Kind::Object(ObjectKind::Table) && has("SELECT");
    let again = if or_replace || if_not_exists && !fills {
        Recovery::Idempotent
    } else {
        Recovery::Fingerprint
    };
    let (kind, recovery) = match kind {
        Kind::Index => return index(cursor, again),
        Kind::Account => return account(if_not_exists || or_replace),
        Kind::Other => {
            return schema(
                if if_not_exists {
                    again
                } else {
                    Recovery::Undecidable(NO_DEFINITION)
                },
                Vec::new(),
            );
        }
        Kind::View => (ObjectKind::Table, again),
        Kind::Object(ObjectKind::Table) if or_replace => (
            ObjectKind::Table,
            Recovery::Undecidable("a second CREATE OR REPLACE drops the rows written meanwhile"),
        ),
        Kind::Object(ObjectKind::Database) if or_replace => (
            ObjectKind::Database,
            Recovery::Undecidable("a second CREATE OR REPLACE drops the tables made meanwhile"),
        ),
        Kind::Object(ObjectKind::Table) if has("SELECT") && !is_innodb(rest) => (
            ObjectKind::Table,
            Recovery::Undecidable(
                "a table without transactions may be there with some of its rows",
            ),
        ),
        Kind::Object(ObjectKind::Event)
            if (has("AT") || has("ENDS")) && (!has("PRESERVE") || has_not_preserve(rest)) =>
        {
            (
                ObjectKind::Event,
                Recovery::Undecidable("an event that runs once drops itself"),
            )
        }
        Kind::Object(kind) => (kind, again),
    };
    match cursor.object(kind) {
        Some(object) => Analysis {
            fills,
            ..schema(
                recovery,
                vec![Touched {
                    object,
                    after: After::Created,
                }],
            )
        },
        None => not_understood(),
    }
}

/// Whether no other engine is named.
fn is_innodb(rest: &[Token<'_>]) -> bool {
    let named = rest.iter().position(|token| token.is("ENGINE"));
    named.is_none_or(|at| {
        let name = rest[at + 1..].iter().find(|token| !token.is_mark('='));
        name.and_then(Token::name)
            .is_some_and(|name| name.eq_ignore_ascii_case("InnoDB"))
    })
}

fn has_not_preserve(rest: &[Token<'_>]) -> bool {
    rest.windows(2)
        .any(|pair| pair[0].is("NOT") && pair[1].is("PRESERVE"))
}

fn account(idempotent: bool) -> Analysis {
    schema(
        if idempotent {
            Recovery::Idempotent
        } else {
            Recovery::Undecidable(NO_DEFINITION)
        },
        Vec::new(),
    )
}

/// CREATE and DROP INDEX change the table after ON.
fn index(mut cursor: Cursor<'_, '_>, recovery: Recovery) -> Analysis {
    while let Some(token) = cursor.next() {
        if token.is("ON") {
            return match cursor.object(ObjectKind::Table) {
                Some(object) => schema(
                    recovery,
                    vec![Touched {
                        object,
                        after: After::Changed,
                    }],
                ),
                None => not_understood(),
            };
        }
    }
    not_understood()
}

fn drop(rest: &[Token<'_>]) -> Analysis {
    let mut cursor = Cursor { tokens: rest };
    let Some(kind) = cursor.kind() else {
        return not_understood();
    };
    let if_exists = cursor.take_all(&["IF", "EXISTS"]);
    let recovery = if if_exists {
        Recovery::Idempotent
    } else {
        Recovery::Fingerprint
    };
    let kind = match kind {
        Kind::Index => return index(cursor, recovery),
        Kind::Account => return account(if_exists),
        Kind::Other => {
            return schema(
                if if_exists {
                    recovery
                } else {
                    Recovery::Undecidable(NO_DEFINITION)
                },
                Vec::new(),
            );
        }
        Kind::View => ObjectKind::Table,
        Kind::Object(kind) => kind,
    };
    let mut touched = Vec::new();
    loop {
        let Some(object) = cursor.object(kind) else {
            return not_understood();
        };
        touched.push(Touched {
            object,
            after: After::Dropped,
        });
        if !cursor.take_mark(',') {
            return schema(recovery, touched);
        }
    }
}

fn alter(rest: &[Token<'_>]) -> Analysis {
    let mut cursor = Cursor { tokens: rest };
    let Some(kind) = cursor.kind() else {
        return not_understood();
    };
    let has = |word: &str| rest.iter().any(|token| token.is(word));
    let is_sequence = has("SEQUENCE") && !has("TABLE");
    let if_exists = cursor.take_all(&["IF", "EXISTS"]);
    match kind {
        // SHOW CREATE TABLE shows nothing of it.
        Kind::Object(ObjectKind::Table) if is_sequence && has("RESTART") => schema(
            Recovery::Undecidable("a second RESTART gives numbers out again"),
            Vec::new(),
        ),
        Kind::Object(ObjectKind::Table) if is_sequence => schema(Recovery::Idempotent, Vec::new()),
        Kind::Object(ObjectKind::Table) => alter_table(cursor),
        Kind::Account if has("RETAIN") || has("RANDOM") => schema(
            Recovery::Undecidable("a second time it is another password"),
            Vec::new(),
        ),
        Kind::Account if has("REPLACE") => schema(
            Recovery::Undecidable("a second time the password that it replaces is another"),
            Vec::new(),
        ),
        // Said twice, the same definition.
        Kind::View | Kind::Account | Kind::Object(ObjectKind::Procedure | ObjectKind::Function) => {
            schema(Recovery::Idempotent, Vec::new())
        }
        Kind::Object(kind @ (ObjectKind::Event | ObjectKind::Database | ObjectKind::Trigger)) => {
            match cursor.object(kind) {
                Some(object) => schema(
                    Recovery::Fingerprint,
                    vec![Touched {
                        object,
                        after: After::Changed,
                    }],
                ),
                None => not_understood(),
            }
        }
        Kind::Index | Kind::Other if if_exists => schema(Recovery::Idempotent, Vec::new()),
        Kind::Index | Kind::Other => schema(Recovery::Undecidable(NO_DEFINITION), Vec::new()),
    }
}

fn alter_table(mut cursor: Cursor<'_, '_>) -> Analysis {
    let Some(object) = cursor.object(ObjectKind::Table) else {
        return not_understood();
    };
    let clauses = cursor.tokens;
    let pair = |one: &str, other: &str| {
        clauses
            .windows(2)
            .any(|pair| pair[0].is(one) && pair[1].is(other))
    };
    if ["DISCARD", "IMPORT"]
        .iter()
        .any(|verb| pair(verb, "TABLESPACE") || pair(verb, "PARTITION"))
    {
        return refused("it exchanges files of the server");
    }
    let recovery = if pair("EXCHANGE", "PARTITION") {
        Recovery::Undecidable(
            "a second EXCHANGE PARTITION swaps back, and the definitions stay the same",
        )
    } else if pair("TRUNCATE", "PARTITION") {
        Recovery::Undecidable("emptying a partition changes no definition")
    } else if drops_and_adds_one_column(clauses) {
        Recovery::Undecidable("a column that is dropped and added again looks as before")
    } else if columns_trade_names(clauses) {
        Recovery::Undecidable("columns that trade their names and places look as before")
    } else {
        Recovery::Fingerprint
    };
    let Some(new) = renamed_to(clauses) else {
        return schema(
            recovery,
            vec![Touched {
                object,
                after: After::Changed,
            }],
        );
    };
    let new = Object {
        schema: new.schema.or_else(|| object.schema.clone()),
        ..new
    };
    schema(
        recovery,
        vec![
            Touched {
                object,
                after: After::Dropped,
            },
            Touched {
                object: new,
                after: After::Created,
            },
        ],
    )
}

/// The clause RENAME [TO | AS] name of an ALTER TABLE; RENAME COLUMN, INDEX and KEY are others.
fn renamed_to(clauses: &[Token<'_>]) -> Option<Object> {
    let at = clauses.iter().position(|token| token.is("RENAME"))?;
    let mut cursor = Cursor {
        tokens: &clauses[at + 1..],
    };
    if !cursor.take("TO")
        && !cursor.take("AS")
        && ["COLUMN", "INDEX", "KEY"]
            .iter()
            .any(|word| cursor.take(word))
    {
        return None;
    }
    cursor.take_mark('=');
    cursor.object(ObjectKind::Table)
}

fn drops_and_adds_one_column(clauses: &[Token<'_>]) -> bool {
    let names_after = |verb: &str| -> Vec<String> {
        clauses
            .iter()
            .enumerate()
            .filter(|(_, token)| token.is(verb))
            .filter_map(|(at, _)| {
                clauses[at + 1..]
                    .iter()
                    .find(|token| {
                        !token.is("COLUMN")
                            && !token.is("IF")
                            && !token.is("NOT")
                            && !token.is("EXISTS")
                            && !token.is_mark('(')
                    })
                    .and_then(Token::name)
                    .map(|name| name.to_lowercase())
            })
            .filter(|name| {
                ![
                    "index",
                    "key",
                    "constraint",
                    "foreign",
                    "primary",
                    "unique",
                    "check",
                    "partition",
                    "fulltext",
                    "spatial",
                ]
                .contains(&name.as_str())
            })
            .collect()
    };
    let added = names_after("ADD");
    names_after("DROP").iter().any(|name| added.contains(name))
}

/// Whether the columns that a table has afterwards have the names of those before it, some of them another's. Without
/// FIRST and AFTER the order of the columns shows it.
fn columns_trade_names(clauses: &[Token<'_>]) -> bool {
    let mut gone = Vec::new();
    let mut new = Vec::new();
    let mut moved = false;
    let mut traded = false;
    for clause in clauses.split(|token| token.is_mark(',')) {
        let mut cursor = Cursor { tokens: clause };
        moved |= clause
            .iter()
            .any(|token| token.is("FIRST") || token.is("AFTER"));
        let Some(verb) = cursor.next() else { continue };
        let is_column = cursor.take("COLUMN");
        let mut name = || {
            let name = cursor.next().and_then(Token::name);
            name.map(|name| name.to_lowercase())
        };
        let from = match name() {
            Some(from) if verb.is("CHANGE") => from,
            Some(from) if verb.is("RENAME") && is_column => {
                // The word TO.
                name();
                from
            }
            Some(dropped) if verb.is("DROP") && is_column => {
                gone.push(dropped);
                moved = true;
                traded = true;
                continue;
            }
            Some(added) if verb.is("ADD") && is_column => {
                new.push(added);
                continue;
            }
            Some(_) | None => continue,
        };
        if let Some(to) = name() {
            traded |= from != to;
            gone.push(from);
            new.push(to);
        }
    }
    gone.sort_unstable();
    new.sort_unstable();
    traded && moved && gone == new
}

fn rename(rest: &[Token<'_>]) -> Analysis {
    let mut cursor = Cursor { tokens: rest };
    if !cursor.take("TABLE") && !cursor.take("TABLES") {
        return account(false);
    }
    let if_exists = cursor.take_all(&["IF", "EXISTS"]);
    let mut pairs = Vec::new();
    loop {
        let Some(from) = cursor.object(ObjectKind::Table) else {
            return not_understood();
        };
        if !cursor.take("TO") {
            return not_understood();
        }
        let Some(to) = cursor.object(ObjectKind::Table) else {
            return not_understood();
        };
        pairs.push((from, to));
        if !cursor.take_mark(',') {
            break;
        }
    }
    let mut touched: Vec<Touched> = Vec::new();
    for object in pairs.iter().flat_map(|(from, to)| [from, to]) {
        if touched.iter().any(|known| known.object == *object) {
            continue;
        }
        let source = pairs.iter().any(|(from, _)| from == object);
        let target = pairs.iter().any(|(_, to)| to == object);
        let after = match (source, target) {
            (true, true) => After::Replaced,
            (true, false) => After::Dropped,
            (false, _) => After::Created,
        };
        touched.push(Touched {
            object: object.clone(),
            after,
        });
    }
    let swap = touched
        .iter()
        .all(|touched| touched.after == After::Replaced);
    let recovery = if swap {
        Recovery::Undecidable(
            "tables that swap their names look the same afterwards, and a second time swaps back",
        )
    } else if if_exists {
        Recovery::Idempotent
    } else {
        Recovery::Fingerprint
    };
    schema(recovery, touched)
}

fn truncate(rest: &[Token<'_>]) -> Analysis {
    let mut cursor = Cursor { tokens: rest };
    cursor.take("TABLE");
    let touched = cursor
        .object(ObjectKind::Table)
        .map(|object| Touched {
            object,
            after: After::Changed,
        })
        .into_iter()
        .collect();
    schema(
        Recovery::Undecidable(
            "an emptied table looks as before, and a second TRUNCATE deletes newer rows",
        ),
        touched,
    )
}
