//! What a statement is to the engine: how it takes effect, and how it is decided after a crash whether it did.
//!
//! The classes follow MySQL's implicit commits (dev.mysql.com, 'Statements That Cause an Implicit Commit', 8.0) and
//! what each kind of evidence can and cannot show. A statement that is not known here commits by itself as far as the
//! engine can tell, and nothing shows whether it did: it runs only with a directive.

mod objects;

use crate::lexer::{self, Token};

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
}

/// Reads a statement.
#[must_use]
pub fn analyse(sql: &str, directive: Option<&Directive>) -> Analysis {
    let mut analysis = analyse_text(sql);
    if let (Class::Schema(recovery), Some(directive)) = (&mut analysis.class, directive) {
        *recovery = match directive {
            Directive::Idempotent => Recovery::Idempotent,
            Directive::Verify(query) => Recovery::Verify(query.clone()),
        };
    }
    analysis
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
            "allow" => {}
            _ => return Err(line.to_owned()),
        }
    }
    Ok(found)
}

fn analyse_text(sql: &str) -> Analysis {
    let mut tokens = lexer::executed(sql);
    let first = tokens.find(|token| !token.is_mark('('));
    let keyword = first
        .map(|token| token.text.to_ascii_uppercase())
        .unwrap_or_default();
    // A dump's INSERT has a million tokens, and the first one says it all.
    if matches!(keyword.as_str(), "INSERT" | "UPDATE" | "DELETE" | "REPLACE") {
        return Analysis {
            class: Class::Data,
            touched: Vec::new(),
        };
    }
    let rest: Vec<Token<'_>> = tokens.collect();
    let has = |word: &str| rest.iter().any(|token| token.is(word));
    let class = match keyword.as_str() {
        "SELECT" | "WITH" | "VALUES" | "TABLE" => select(&rest),
        "LOAD" if has("LOCAL") => {
            Class::Refused("LOAD DATA LOCAL reads a file of the machine that runs it")
        }
        "LOAD" if !has("INDEX") => Class::Data,
        "DO" | "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" | "HELP" => Class::Data,
        "SET" => set(&rest),
        "USE" => Class::Session {
            depends_on_data: false,
        },
        "PREPARE" | "DEALLOCATE" => Class::Session {
            depends_on_data: false,
        },
        "CREATE" | "ALTER" | "DROP" | "RENAME" | "TRUNCATE" => {
            return objects::analyse_definition(&keyword, &rest);
        }
        "GRANT" | "ANALYZE" | "CHECK" | "OPTIMIZE" | "REPAIR" | "FLUSH" | "CACHE" | "LOAD"
        | "CHECKSUM" => Class::Schema(Recovery::Idempotent),
        "REVOKE" if has("IF") => Class::Schema(Recovery::Idempotent),
        "REVOKE" => undecidable("a second REVOKE fails, and no definition shows the first"),
        "CALL" | "EXECUTE" => undecidable("what it does is decided only when it runs"),
        "BEGIN" if rest.first().is_some_and(|token| token.is("NOT")) => {
            undecidable("what it does is decided only when it runs")
        }
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" => {
            Class::Refused(
                "transactions are the engine's: consecutive data statements commit together",
            )
        }
        "LOCK" | "UNLOCK" => Class::Refused(
            "the engine lets nobody else migrate meanwhile; mysqldump leaves these out with --skip-add-locks",
        ),
        "HANDLER" | "KILL" | "SHUTDOWN" | "RESTART" | "RESET" | "PURGE" | "CHANGE" | "STOP"
        | "INSTALL" | "UNINSTALL" | "BINLOG" | "CLONE" | "IMPORT" => {
            Class::Refused("it acts on the server, not on this database")
        }
        _ => undecidable("the engine does not know this statement"),
    };
    Analysis {
        class,
        touched: Vec::new(),
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

fn set(rest: &[Token<'_>]) -> Class {
    let has = |word: &str| rest.iter().any(|token| token.is(word));
    let first = rest.first();
    if first.is_some_and(|token| token.is("PASSWORD"))
        || has("GLOBAL")
        || has("PERSIST")
        || has("PERSIST_ONLY")
    {
        return Class::Schema(Recovery::Idempotent);
    }
    if has("AUTOCOMMIT") {
        return Class::Refused(
            "transactions are the engine's: consecutive data statements commit together",
        );
    }
    if has("DEFAULT") && has("ROLE") {
        return Class::Schema(Recovery::Idempotent);
    }
    // A value that is computed may be another one when it is said again.
    Class::Session {
        depends_on_data: rest.iter().any(|token| token.is_mark('(')),
    }
}

/// Whether a statement uses a variable of the user (`@name`, not `@@system`).
pub(crate) fn uses_user_variable(sql: &str) -> bool {
    let mut before = false;
    let mut tokens = lexer::executed(sql).peekable();
    while let Some(token) = tokens.next() {
        let is_at = token.is_mark('@');
        let next_is_at = tokens.peek().is_some_and(|next| next.is_mark('@'));
        // `'user'@'host'` and `@@variable` are no variables of the user.
        if is_at
            && !before
            && !next_is_at
            && tokens.peek().is_some_and(|next| next.name().is_some())
        {
            return true;
        }
        before = is_at
            || token.name().is_some_and(|_| !is_clause_word(&token))
            || token.text.starts_with('\'');
    }
    false
}

fn is_clause_word(token: &Token<'_>) -> bool {
    [
        "SELECT", "SET", "VALUES", "INTO", "WHERE", "AND", "OR", "BY", "IN", "LIKE", "THEN",
        "ELSE", "LIMIT", "USING",
    ]
    .iter()
    .any(|word| token.is(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        let analysis = analyse(sql, None);
        let touched: Vec<String> = analysis
            .touched
            .iter()
            .map(|touched| format!("{} {}", touched.object, touched.after.name()))
            .collect();
        let class = match &analysis.class {
            Class::Schema(Recovery::Fingerprint) => "schema".to_owned(),
            Class::Schema(Recovery::Idempotent) => "schema idempotent".to_owned(),
            Class::Schema(Recovery::Verify(query)) => format!("schema verify {query}"),
            Class::Schema(Recovery::Undecidable(_)) => "schema undecidable".to_owned(),
            Class::Session {
                depends_on_data: true,
            } => "session of data".to_owned(),
            class => class.name().to_owned(),
        };
        let found = std::iter::once(class)
            .chain(touched)
            .collect::<Vec<_>>()
            .join("; ");
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn rows_are_data() {
        for sql in [
            "INSERT INTO t VALUES (1)",
            "/*!40000 REPLACE INTO t VALUES (1) */",
            "(SELECT 1)",
            "WITH a AS (SELECT 1) DELETE FROM t",
            "SHOW TABLES",
        ] {
            check(sql, "data");
        }
    }

    #[test]
    fn session_statements_are_known_by_what_their_value_comes_from() {
        check("SET NAMES utf8mb4", "session");
        check(
            "/*!40014 SET @OLD=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */",
            "session",
        );
        check("USE blog", "session");
        check("SET @id = LAST_INSERT_ID()", "session of data");
        check("SELECT id INTO @id FROM t", "session of data");
        check("SET GLOBAL x = 1", "schema idempotent");
        check("SET autocommit = 0", "refused");
    }

    #[test]
    fn definitions_know_what_they_touch_and_what_becomes_of_it() {
        check("CREATE TABLE t (id INT)", "schema; table `t` created");
        check(
            "CREATE TABLE `b`.`t` AS SELECT 1",
            "schema; table `b`.`t` created",
        );
        check(
            "CREATE TABLE IF NOT EXISTS t (id INT)",
            "schema idempotent; table `t` created",
        );
        check(
            "CREATE OR REPLACE TABLE t (id INT)",
            "schema undecidable; table `t` created",
        );
        check("CREATE TEMPORARY TABLE t (id INT)", "refused");
        check(
            "CREATE UNIQUE INDEX i ON t (a)",
            "schema; table `t` changed",
        );
        check("DROP INDEX i ON b.t", "schema; table `b`.`t` changed");
        check(
            "ALTER TABLE t ADD COLUMN a INT, ADD INDEX (a)",
            "schema; table `t` changed",
        );
        check(
            "ALTER TABLE t ADD a INT, RENAME TO u",
            "schema; table `t` dropped; table `u` created",
        );
        check(
            "ALTER TABLE t RENAME COLUMN a TO b",
            "schema; table `t` changed",
        );
        check(
            "ALTER TABLE t RENAME INDEX a TO b",
            "schema; table `t` changed",
        );
        check("DROP TABLE t", "schema; table `t` dropped");
        check(
            "DROP TABLE IF EXISTS t, u",
            "schema idempotent; table `t` dropped; table `u` dropped",
        );
        check(
            "DROP TABLE t, u",
            "schema; table `t` dropped; table `u` dropped",
        );
        check(
            "RENAME TABLE a TO b",
            "schema; table `a` dropped; table `b` created",
        );
        check(
            "RENAME TABLE t TO t_old, t_new TO t",
            "schema; table `t` changed; table `t_old` created; table `t_new` dropped",
        );
        check(
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "schema idempotent; table `v` created",
        );
        check(
            "CREATE DEFINER=`a`@`%` SQL SECURITY INVOKER VIEW v AS SELECT 1",
            "schema; table `v` created",
        );
        check("DROP VIEW v", "schema; table `v` dropped");
        check(
            "CREATE DEFINER = user@event PROCEDURE p() SELECT 1",
            "schema; procedure `p` created",
        );
        check(
            "DROP FUNCTION IF EXISTS f",
            "schema idempotent; function `f` dropped",
        );
        check(
            "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER x BEFORE INSERT ON a FOR EACH ROW SET NEW.a = 1 */",
            "schema; trigger `x` created",
        );
        check(
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            "schema; event `e` created",
        );
        check("CREATE DATABASE d", "schema; database `d` created");
        check("ALTER TABLE t DISABLE KEYS", "schema; table `t` changed");
    }

    #[test]
    fn what_a_fingerprint_cannot_show_is_undecidable() {
        for sql in [
            "TRUNCATE TABLE t",
            "TRUNCATE t",
            "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u",
            "ALTER TABLE t TRUNCATE PARTITION p",
            "ALTER TABLE t DROP COLUMN c, ADD COLUMN c INT",
            "ALTER TABLE t DROP c, ADD (c INT)",
            "RENAME TABLE a TO tmp, b TO a, tmp TO b",
            "CREATE EVENT e ON SCHEDULE AT '2030-01-01' DO SELECT 1",
            "CALL p()",
            "EXECUTE s",
            "BEGIN NOT ATOMIC SELECT 1; END",
            "CREATE USER u",
            "FROBNICATE t",
        ] {
            let class = analyse(sql, None).class;
            assert!(
                matches!(class, Class::Schema(Recovery::Undecidable(_))),
                "{sql}: {class:?}"
            );
        }
        check("CREATE USER IF NOT EXISTS u", "schema idempotent");
        check("DROP USER IF EXISTS u", "schema idempotent");
        check("GRANT SELECT ON *.* TO u", "schema idempotent");
    }

    #[test]
    fn transactions_and_locks_are_refused() {
        for sql in [
            "BEGIN",
            "START TRANSACTION",
            "COMMIT",
            "LOCK TABLES t WRITE",
            "UNLOCK TABLES",
            "XA START 'a'",
            "ALTER TABLE t DISCARD TABLESPACE",
        ] {
            check(sql, "refused");
        }
    }

    #[test]
    fn a_directive_decides_what_the_engine_cannot() {
        let directive =
            parse_directive("-- about it\n-- dayspring: verify SELECT COUNT(*) = 0 FROM t;\n")
                .unwrap();
        assert_eq!(
            directive,
            Some(Directive::Verify("SELECT COUNT(*) = 0 FROM t".to_owned()))
        );
        let class = analyse("TRUNCATE t", directive.as_ref()).class;
        assert!(matches!(class, Class::Schema(Recovery::Verify(_))));
        assert_eq!(
            parse_directive("# dayspring: idempotent"),
            Ok(Some(Directive::Idempotent))
        );
        assert_eq!(parse_directive("-- dayspring: allow MY001 x"), Ok(None));
        assert_eq!(
            parse_directive("-- dayspring: idempotnt"),
            Err("-- dayspring: idempotnt".to_owned())
        );
        assert_eq!(
            analyse("INSERT INTO t VALUES (1)", Some(&Directive::Idempotent)).class,
            Class::Data
        );
    }

    #[test]
    fn a_users_variable_is_told_from_hosts_and_system_variables() {
        assert!(uses_user_variable("INSERT INTO t VALUES (@id)"));
        assert!(uses_user_variable("SELECT @id"));
        assert!(!uses_user_variable("SELECT @@sql_mode"));
        assert!(!uses_user_variable("GRANT SELECT ON t TO 'a'@'%'"));
        assert!(!uses_user_variable("INSERT INTO t VALUES ('a@b')"));
    }
}
