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
}

impl After {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Dropped => "dropped",
            Self::Changed => "changed",
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
    Analysis {
        class: Class::Schema(recovery),
        touched,
    }
}

fn not_understood() -> Analysis {
    Analysis {
        class: undecidable("the engine does not know which object this statement touches"),
        touched: Vec::new(),
    }
}

const NO_DEFINITION: &str = "no definition in the database shows whether it took effect";

fn create(rest: &[Token<'_>]) -> Analysis {
    let has = |word: &str| rest.iter().any(|token| token.is(word));
    let mut cursor = Cursor { tokens: rest };
    if rest.first().is_some_and(|token| token.is("TEMPORARY"))
        || rest.get(2).is_some_and(|token| token.is("TEMPORARY"))
    {
        return Analysis {
            class: Class::Refused(
                "a temporary table lives in one session, and a resumed run has another",
            ),
            touched: Vec::new(),
        };
    }
    let or_replace = cursor.take_all(&["OR", "REPLACE"]);
    let Some(kind) = cursor.kind() else {
        return not_understood();
    };
    let if_not_exists = cursor.take_all(&["IF", "NOT", "EXISTS"]);
    let again = if or_replace || if_not_exists {
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
        Kind::Object(ObjectKind::Event)
            if has("AT") && (!has("PRESERVE") || has_not_preserve(rest)) =>
        {
            (
                ObjectKind::Event,
                Recovery::Undecidable("an event that runs once drops itself"),
            )
        }
        Kind::Object(kind) => (kind, again),
    };
    match cursor.object(kind) {
        Some(object) => schema(
            recovery,
            vec![Touched {
                object,
                after: After::Created,
            }],
        ),
        None => not_understood(),
    }
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
    let if_exists = cursor.take_all(&["IF", "EXISTS"]);
    match kind {
        Kind::Object(ObjectKind::Table) => alter_table(cursor),
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
    if pair("DISCARD", "TABLESPACE") || pair("IMPORT", "TABLESPACE") {
        return Analysis {
            class: Class::Refused("it exchanges files of the server"),
            touched: Vec::new(),
        };
    }
    let recovery = if pair("EXCHANGE", "PARTITION") {
        Recovery::Undecidable(
            "a second EXCHANGE PARTITION swaps back, and the definitions stay the same",
        )
    } else if pair("TRUNCATE", "PARTITION") {
        Recovery::Undecidable("emptying a partition changes no definition")
    } else if drops_and_adds_one_column(clauses) {
        Recovery::Undecidable("a column that is dropped and added again looks as before")
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
            (true, true) => After::Changed,
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
        .all(|touched| touched.after == After::Changed);
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
