//! What a statement is to the engine: how it takes effect, and how it is decided after a crash whether it did.
//!
//! The classes follow MySQL's implicit commits (dev.mysql.com, 'Statements That Cause an Implicit Commit', 8.0) and
//! what each kind of evidence can and cannot show. A statement that is not known here commits by itself as far as the
//! engine can tell, and nothing shows whether it did: it runs only with a directive.

#[cfg(test)]
mod catalogue;
mod memory;
mod objects;
mod setting;
mod written;

use crate::lexer::{self, Token};

pub use memory::Memory;
pub(crate) use objects::quote;
pub use objects::{After, Object, ObjectKind, Touched};

/// How a statement takes effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// Changes or reads rows: runs in one transaction with its journal row.
    Data,
    /// Commits by itself, so that its journal row cannot be part of it.
    Schema(Recovery),
    /// Changes only the server session: is said again on resume, before what follows it in its script.
    Session {
        /// Whether its value comes from the data of that moment, as in `SET @id = LAST_INSERT_ID()`. The statements
        /// around it are then one transaction that is never resumed in its middle.
        depends_on_data: bool,
    },
    /// Does not run at all; the text says why.
    Refused(&'static str),
}

impl Class {
    /// The word for the class, as the journal and tables for people have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Schema(_) => "schema",
            Self::Session { .. } => "session",
            Self::Refused(_) => "refused",
        }
    }
}

/// How it is decided, after a crash, whether a schema statement took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// The objects that it touches are compared with what they were before it.
    Fingerprint,
    /// It is run again: twice is the same as once.
    Idempotent,
    /// The query of `-- dayspring: verify SELECT ...` says so: a first value that is neither 0 nor NULL nor empty.
    Verify(String),
    /// Nothing in the database shows it; the text says why. It runs only with a directive.
    Undecidable(&'static str),
}

/// What a comment of the form `-- dayspring: ...` before or inside a statement says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// Twice is the same as once.
    Idempotent,
    /// This query says whether it took effect.
    Verify(String),
}

/// A statement's class and what it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// How it takes effect.
    pub class: Class,
    /// The objects whose definition it changes.
    pub touched: Vec<Touched>,
    /// The tables whose rows a data statement says it writes.
    pub written: Vec<Object>,
    /// What it leaves in its session's memory and takes from it.
    pub memory: Memory,
    /// Whether only the moment when it runs shows what it does, and whether it commits.
    pub is_opaque: bool,
    /// Whether it makes a table and fills it, which a server that dies may do by half.
    pub fills: bool,
    /// What a comment says about it.
    pub directive: Option<Directive>,
}

impl Analysis {
    fn new(class: Class, touched: Vec<Touched>) -> Self {
        Self {
            class,
            touched,
            written: Vec::new(),
            memory: Memory::default(),
            is_opaque: false,
            fills: false,
            directive: None,
        }
    }

    /// The analysis of a data statement whose effect cannot share a transaction with its journal row, and of any other
    /// as it is.
    #[must_use]
    pub fn by_itself(&self) -> Self {
        let mut alone = self.clone();
        if self.class == Class::Data {
            alone.is_opaque = true;
            alone.class = Class::Schema(match &self.directive {
                Some(directive) => directive.recovery(),
                None => Recovery::Undecidable("its rows are in no transaction"),
            });
        }
        alone
    }
}

impl Directive {
    fn recovery(&self) -> Recovery {
        match self {
            Self::Idempotent => Recovery::Idempotent,
            Self::Verify(query) => Recovery::Verify(query.clone()),
        }
    }
}

/// Reads a statement.
#[must_use]
pub fn analyse(sql: &str, directive: Option<&Directive>) -> Analysis {
    let mut analysis = analyse_text(sql);
    if let (Class::Schema(recovery), Some(directive)) = (&mut analysis.class, directive) {
        *recovery = directive.recovery();
    }
    analysis.directive = directive.cloned();
    analysis.memory = memory::memory(sql);
    analysis.memory.from_data = match &analysis.class {
        Class::Session { depends_on_data } => *depends_on_data,
        Class::Data | Class::Schema(_) => !analysis.memory.assigned.is_empty(),
        Class::Refused(_) => false,
    };
    if let Some(why) = objects::touches_the_journal(&analysis) {
        return Analysis::new(Class::Refused(why), Vec::new());
    }
    analysis
}

/// The database that a USE makes the default one.
pub(crate) fn used_database(sql: &str) -> Option<String> {
    let mut tokens = lexer::executed(sql);
    let is_use = tokens.next()?.is("USE");
    if is_use { tokens.next()?.name() } else { None }
}

/// Reads the directive in the comment lines of a text.
///
/// # Errors
/// The line that begins `-- dayspring:` and says something unknown.
pub(crate) fn parse_directive(text: &str) -> Result<Option<Directive>, String> {
    let mut found = None;
    for line in text.lines() {
        let line = line.trim();
        let Some(comment) = line.strip_prefix("--").or_else(|| line.strip_prefix('#')) else {
            continue;
        };
        let Some(said) = comment.trim().strip_prefix("dayspring:") else {
            continue;
        };
        let said = said.trim();
        let (word, argument) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
        match word {
            "idempotent" => found = Some(Directive::Idempotent),
            "verify" if !argument.trim().is_empty() => {
                let query = argument.trim().trim_end_matches(';').to_owned();
                found = Some(Directive::Verify(query));
            }
            // Belongs to lint.
            "allow" | "allow-file" => {}
            _ => return Err(line.to_owned()),
        }
    }
    Ok(found)
}

fn analyse_text(sql: &str) -> Analysis {
    analyse_tokens(&mut lexer::executed(sql))
}

fn analyse_tokens<'a>(mut tokens: &mut dyn Iterator<Item = Token<'a>>) -> Analysis {
    let first = (&mut tokens).find(|token| !token.is_mark('('));
    let keyword = first
        .map(|token| token.text.to_ascii_uppercase())
        .unwrap_or_default();
    // A dump's INSERT has a million tokens, and the first few say it all.
    if matches!(keyword.as_str(), "INSERT" | "UPDATE" | "DELETE" | "REPLACE") {
        return data(written::written(&keyword, tokens));
    }
    let rest: Vec<Token<'_>> = tokens.collect();
    let has = |word: &str| rest.iter().any(|token| token.is(word));
    let pair = |one: &str, other: &str| {
        let mut pairs = rest.windows(2);
        pairs.any(|pair| pair[0].is(one) && pair[1].is(other))
    };
    let begins = |words: &[&str]| {
        let first = rest.first();
        first.is_some_and(|token| words.iter().any(|word| token.is(word)))
    };
    let class = match keyword.as_str() {
        "SELECT" | "WITH" | "VALUES" | "TABLE" => {
            let class = select(&rest);
            if class == Class::Data {
                return data(written::written(&keyword, &mut rest.into_iter()));
            }
            class
        }
        "LOAD" if has("LOCAL") => {
            Class::Refused("LOAD DATA LOCAL reads a file of the machine that runs it")
        }
        "LOAD" if !has("INDEX") => return data(written::written(&keyword, &mut rest.into_iter())),
        "DO" | "SHOW" | "HELP" => Class::Data,
        // They may run what they explain.
        "DESCRIBE" | "DESC" | "EXPLAIN" => Class::Data,
        "ANALYZE" if !begins(&["TABLE", "TABLES", "LOCAL", "NO_WRITE_TO_BINLOG"]) => {
            let statement = rest.iter().position(|token| {
                ["SELECT", "UPDATE", "DELETE", "INSERT", "REPLACE", "WITH"]
                    .iter()
                    .any(|word| token.is(word))
            });
            let inner = rest.get(statement.unwrap_or(rest.len())..);
            return analyse_tokens(&mut inner.unwrap_or_default().iter().copied());
        }
        // MariaDB: settings for one statement, which is what counts.
        "SET" if begins(&["STATEMENT"]) => {
            let after = rest.iter().position(|token| token.is("FOR"));
            let inner = after.and_then(|at| rest.get(at + 1..));
            return analyse_tokens(&mut inner.unwrap_or_default().iter().copied());
        }
        "SET" => setting::set(&rest),
        "USE" => Class::Session {
            depends_on_data: false,
        },
        "PREPARE" | "DEALLOCATE" => Class::Session {
            depends_on_data: false,
        },
        // The other name of DEALLOCATE PREPARE.
        "DROP" if begins(&["PREPARE"]) => Class::Session {
            depends_on_data: false,
        },
        "CREATE" | "ALTER" | "DROP" | "RENAME" | "TRUNCATE" => {
            return objects::analyse_definition(&keyword, &rest);
        }
        "FLUSH" if pair("READ", "LOCK") || pair("FOR", "EXPORT") => {
            Class::Refused("it locks tables for everyone until its session ends")
        }
        "GRANT" | "ANALYZE" | "CHECK" | "OPTIMIZE" | "REPAIR" | "FLUSH" | "CACHE" | "LOAD"
        | "CHECKSUM" => Class::Schema(Recovery::Idempotent),
        "REVOKE" if has("IF") => Class::Schema(Recovery::Idempotent),
        "REVOKE" => undecidable("a second REVOKE fails, and no definition shows the first"),
        "CALL" | "EXECUTE" => return opaque("what it does is decided only when it runs"),
        "BEGIN" if begins(&["NOT"]) => return opaque("what it does is decided only when it runs"),
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" => {
            Class::Refused(
                "transactions are the engine's: consecutive data statements commit together",
            )
        }
        "LOCK" | "UNLOCK" => Class::Refused(
            "the engine lets nobody else migrate meanwhile; mysqldump leaves these out with --skip-add-locks",
        ),
        "HANDLER" | "KILL" | "SHUTDOWN" | "RESTART" | "RESET" | "PURGE" | "CHANGE" | "STOP"
        | "INSTALL" | "UNINSTALL" | "BINLOG" | "CLONE" | "IMPORT" | "BACKUP" => {
            Class::Refused("it acts on the server, not on this database")
        }
        _ => return opaque("the engine does not know this statement"),
    };
    Analysis::new(class, Vec::new())
}

fn data(written: Vec<Object>) -> Analysis {
    Analysis {
        written,
        ..Analysis::new(Class::Data, Vec::new())
    }
}

fn opaque(why: &'static str) -> Analysis {
    Analysis {
        is_opaque: true,
        ..Analysis::new(undecidable(why), Vec::new())
    }
}

fn undecidable(why: &'static str) -> Class {
    Class::Schema(Recovery::Undecidable(why))
}

/// A SELECT is harmless unless it fills a variable for later statements.
fn select(rest: &[Token<'_>]) -> Class {
    let into_variable = rest
        .windows(2)
        .any(|pair| pair[0].is("INTO") && pair[1].is_mark('@'));
    let into_file = rest
        .windows(2)
        .any(|pair| pair[0].is("INTO") && (pair[1].is("OUTFILE") || pair[1].is("DUMPFILE")));
    if into_file {
        Class::Refused("it writes a file of the server")
    } else if into_variable {
        Class::Session {
            depends_on_data: true,
        }
    } else {
        Class::Data
    }
}

#[cfg(test)]
mod tests;
