//! What has to be known of a statement before it is sent: its parameters' names, whether it is one statement, and what
//! it leaves behind in its session.

use std::borrow::Cow;

use dayspring_dialect::Found;
use dayspring_dialect::lexer::{Token, TokenKind, tokens};

/// One SQL statement with `?` where it named parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: String,
    /// A name for each `?`, in order.
    pub(super) names: Vec<String>,
    /// Whether it goes to a MariaDB, which says some things otherwise than MySQL.
    pub(super) on_mariadb: bool,
    /// The one table whose rows it writes.
    pub(super) table: Option<String>,
    pub(super) trace: Trace,
    /// Whether tables may look different afterwards.
    pub(super) changes_schema: bool,
    /// Whether there may be a routine or a trigger afterwards that was not there before.
    pub(super) makes_routine: bool,
    /// Whether it asks what the statement before it in its session did.
    pub(super) looks_back: bool,
    /// Whether an account may have another password afterwards, or be gone.
    pub(super) changes_accounts: bool,
    /// `SHOW`: MariaDB prepares it, and then says of a view that was made anew what it was before.
    pub(super) shows: bool,
}

/// What a statement leaves in its session, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trace {
    /// Nothing: the next caller may have the session as it is.
    None,
    /// Variables, temporary tables, locks, an open transaction: gone after a reset.
    State,
    /// That, by a routine that it called, or a role, which a reset keeps.
    Called,
    /// Another database or a role, which a reset keeps.
    Kept,
}

/// There is more than one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Multiple;

/// Statements that leave nothing in the session, if they name neither a variable nor a lock nor a temporary table.
const CLEAN: [&str; 23] = [
    "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE",
    "ALTER", "DROP", "TRUNCATE", "RENAME", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "ANALYZE",
    "OPTIMIZE", "CHECK", "GRANT", "REVOKE", "KILL",
];

/// Words by which one of those leaves something all the same.
const DIRTY: [&str; 3] = ["TEMPORARY", "GET_LOCK", "SQL_CALC_FOUND_ROWS"];

/// What a session tells of its last statement: of one of somebody else, if the session were not reset before.
const LOOKS_BACK: [&str; 5] = [
    "LAST_INSERT_ID",
    "ROW_COUNT",
    "FOUND_ROWS",
    "WARNINGS",
    "ERRORS",
];

const CHANGES_SCHEMA: [&str; 6] = ["CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "CALL"];

/// What `CREATE` makes whose body may hold semicolons.
const COMPOUND: [&str; 5] = ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"];

/// What stands between `CREATE` and that word.
const BEFORE_COMPOUND: [&str; 8] = [
    "OR",
    "REPLACE",
    "DEFINER",
    "CURRENT_USER",
    "AGGREGATE",
    "SQL",
    "SECURITY",
    "IF",
];

impl Statement {
    /// Reads a statement of MySQL's, and puts it in MariaDB's words where that is asked for. With what the two do not
    /// understand alike.
    ///
    /// # Errors
    ///
    /// There is another statement behind its end. A procedure's body is a part of its statement.
    pub(super) fn parse(sql: &str, translate: bool) -> Result<(Self, Vec<Found>), Multiple> {
        let (sql, found) = if translate {
            let reading = dayspring_dialect::read(sql);
            (reading.sql, reading.found)
        } else {
            (Cow::Borrowed(sql), Vec::new())
        };
        let sql = &*sql;
        let tokens = tokens(sql);
        let words: Vec<String> = tokens
            .iter()
            .filter(|token| token.kind == TokenKind::Word)
            .map(|token| sql[token.range.clone()].to_ascii_uppercase())
            .collect();
        let compound = is_compound(&words);
        if !compound && has_more(&tokens) {
            return Err(Multiple);
        }
        let (text, names) = if compound {
            (detach_labels(sql, &tokens), Vec::new())
        } else {
            name_parameters(sql, &tokens)
        };
        let first = words.first().map_or("", String::as_str);
        let statement = Self {
            sql: text,
            names,
            on_mariadb: translate,
            table: written_table(first, sql, &tokens),
            trace: trace(first, &words, &tokens),
            changes_schema: CHANGES_SCHEMA.contains(&first),
            makes_routine: compound || runs_text(first, &words),
            looks_back: has(&words, &LOOKS_BACK),
            changes_accounts: changes_accounts(first, &words),
            shows: first == "SHOW",
        };
        Ok((statement, found))
    }
}

fn trace(first: &str, words: &[String], tokens: &[Token]) -> Trace {
    let sets_role = first == "SET" && has(words, &["ROLE"]);
    // A procedure and a text may do any of that.
    if matches!(first, "USE" | "CALL") || sets_role || runs_text(first, words) {
        return Trace::Kept;
    }
    let clean = CLEAN.contains(&first)
        && !tokens.iter().any(|token| token.kind == TokenKind::At)
        && !has(words, &DIRTY);
    if clean { Trace::None } else { Trace::State }
}

fn has(words: &[String], wanted: &[&str]) -> bool {
    words.iter().any(|word| wanted.contains(&word.as_str()))
}

/// Whether it runs a text as a statement, which may be any: `EXECUTE name`, `EXECUTE IMMEDIATE`, or a block in which that
/// may stand.
fn runs_text(first: &str, words: &[String]) -> bool {
    first == "EXECUTE" || has(words, &["IMMEDIATE"]) || (first == "BEGIN" && words.len() > 2)
}

/// The table of `INSERT`, `REPLACE`, `ALTER TABLE` and an `UPDATE` of one table, without its database.
fn written_table(first: &str, sql: &str, tokens: &[Token]) -> Option<String> {
    const BEFORE_TABLE: [&str; 6] = [
        "INTO",
        "TABLE",
        "IGNORE",
        "LOW_PRIORITY",
        "HIGH_PRIORITY",
        "DELAYED",
    ];
    if !matches!(first, "INSERT" | "REPLACE" | "UPDATE" | "ALTER") {
        return None;
    }
    let mut pieces = tokens
        .iter()
        .filter(|token| !matches!(token.kind, TokenKind::Space | TokenKind::Comment))
        .map(|token| &sql[token.range.clone()])
        .skip(1)
        .skip_while(|piece| {
            BEFORE_TABLE
                .iter()
                .any(|word| word.eq_ignore_ascii_case(piece))
        });
    let mut name = pieces.next()?;
    let mut after = pieces.next();
    if after == Some(".") {
        name = pieces.next()?;
        after = pieces.next();
    }
    // There may be another table behind it.
    if first == "UPDATE" && !after.is_some_and(|word| word.eq_ignore_ascii_case("SET")) {
        return None;
    }
    Some(name.trim_matches('`').replace("``", "`"))
}

/// A grant alone makes nobody's session wrong: it holds for sessions that are there, or from their next one on.
fn changes_accounts(first: &str, words: &[String]) -> bool {
    match first {
        "ALTER" | "DROP" | "RENAME" => words.get(1).is_some_and(|word| word == "USER"),
        "CREATE" => has(words, &["USER"]),
        "SET" => has(words, &["PASSWORD"]),
        _ => runs_text(first, words),
    }
}

fn is_compound(words: &[String]) -> bool {
    let mut words = words.iter().map(String::as_str);
    if words.next() != Some("CREATE") {
        return false;
    }
    // `DEFINER = name@host` has names between the words; nothing else that `CREATE` makes has a definer but a view.
    let mut definer = false;
    for word in words {
        if COMPOUND.contains(&word) {
            return true;
        }
        if !BEFORE_COMPOUND.contains(&word) && !definer {
            return false;
        }
        if matches!(word, "VIEW" | "TABLE" | "AS") {
            return false;
        }
        definer |= word == "DEFINER";
    }
    false
}

/// Whether anything but white space and comments follows a semicolon.
fn has_more(tokens: &[Token]) -> bool {
    tokens
        .iter()
        .skip_while(|token| token.kind != TokenKind::Semicolon)
        .any(|token| {
            !matches!(
                token.kind,
                TokenKind::Semicolon | TokenKind::Space | TokenKind::Comment
            )
        })
}

fn name_parameters(sql: &str, tokens: &[Token]) -> (String, Vec<String>) {
    let mut text = String::with_capacity(sql.len());
    let mut names = Vec::new();
    for token in tokens {
        let piece = &sql[token.range.clone()];
        match token.kind {
            TokenKind::Placeholder => {
                text.push('?');
                names.push(piece[1..].to_owned());
            }
            // Some versions of the server take a semicolon at the end of a prepared statement for a second, empty one.
            TokenKind::Semicolon => text.push(' '),
            _ => text.push_str(piece),
        }
    }
    (text, names)
}

/// A body takes no parameters, and `label:loop` in it is a label. The driver looks for `:name` by itself, so the colon
/// is set apart from what follows, which means the same to the server.
fn detach_labels(sql: &str, tokens: &[Token]) -> String {
    let mut text = String::with_capacity(sql.len());
    for token in tokens {
        let piece = &sql[token.range.clone()];
        if token.kind == TokenKind::Placeholder {
            text.push_str(": ");
            text.push_str(&piece[1..]);
        } else {
            text.push_str(piece);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(sql: &str) -> Result<Statement, Multiple> {
        Statement::parse(sql, true).map(|(statement, _)| statement)
    }

    #[track_caller]
    fn check(sql: &str, text: &str, names: &[&str]) {
        let statement = parse(sql).unwrap();
        assert_eq!(statement.sql, text);
        assert_eq!(statement.names, names);
    }

    #[test]
    fn a_name_may_stand_many_times_and_begin_another() {
        check(
            "select :p1, :p10, :p1;",
            "select ?, ?, ? ",
            &["p1", "p10", "p1"],
        );
    }

    #[test]
    fn more_than_one_statement_is_refused_and_a_trailing_semicolon_is_not() {
        assert_eq!(parse("select 1; select 2"), Err(Multiple));
        assert_eq!(parse("; select 2"), Err(Multiple));
        assert!(parse("select 1 ; -- that is all\n;").is_ok());
        assert!(parse("select ';select 2'").is_ok());
    }

    #[test]
    fn the_body_of_a_procedure_is_a_part_of_its_statement() {
        check(
            "create definer = `a`@`%` procedure p() begin l:loop leave l; end loop; end",
            "create definer = `a`@`%` procedure p() begin l: loop leave l; end loop; end",
            &[],
        );
        assert!(
            parse("create or replace definer=admin@localhost trigger t before insert on a for each row begin set @a = 1; end")
                .is_ok()
        );
        assert_eq!(
            parse("create table procedures (a int); drop table b"),
            Err(Multiple)
        );
        assert_eq!(
            parse("create definer=a view v as select 1; drop function f"),
            Err(Multiple)
        );
    }

    #[test]
    fn what_a_statement_leaves_behind_is_known() {
        let trace = |sql: &str| parse(sql).unwrap().trace;
        assert_eq!(trace("/* a */ (select 1)"), Trace::None);
        assert_eq!(trace("insert into t values ('@a')"), Trace::None);
        assert_eq!(trace("select @a := 1"), Trace::State);
        assert_eq!(trace("select get_lock('a', 1)"), Trace::State);
        assert_eq!(trace("create temporary table t (a int)"), Trace::State);
        assert_eq!(trace("start transaction"), Trace::State);
        assert_eq!(trace("set names utf8mb4"), Trace::State);
        assert_eq!(trace("use other"), Trace::Kept);
        assert_eq!(trace("set role none"), Trace::Kept);
        assert_eq!(trace("call p()"), Trace::Kept);
        assert_eq!(trace("execute immediate 'set role r'"), Trace::Kept);
    }

    #[test]
    fn the_table_that_is_written_is_known() {
        let table = |sql: &str| parse(sql).unwrap().table;
        for sql in [
            "insert into t values (1)",
            "INSERT IGNORE t (a) values (1)",
            "replace into `blog`.`t` select 1",
            "/* a */ update blog . t set a = 1",
            "alter table t add unique (a)",
        ] {
            assert_eq!(table(sql).as_deref(), Some("t"), "{sql}");
        }
        assert_eq!(table("update t join u using (id) set t.a = 1"), None);
        assert_eq!(table("select * from t"), None);
        assert_eq!(table("insert into"), None);
    }

    #[test]
    fn what_may_change_an_account_is_known() {
        let changes = |sql: &str| parse(sql).unwrap().changes_accounts;
        assert!(changes("alter user a identified by 'b'") && changes("drop user if exists a"));
        assert!(changes("set password for a = password('b')"));
        assert!(changes("create or replace user a identified by 'b'"));
        assert!(changes("execute immediate 'drop user a'"));
        assert!(!changes("alter table user add a int") && !changes("select user from t"));
    }

    #[test]
    fn what_may_make_a_routine_and_what_looks_back_is_known() {
        let makes = |sql: &str| parse(sql).unwrap().makes_routine;
        assert!(makes("create function f() returns int return 1"));
        assert!(makes(
            "create or replace trigger t before insert on a for each row set new.b = 1"
        ));
        assert!(makes(
            "execute immediate 'create function f() returns int return 1'"
        ));
        assert!(!makes("create table t (a int)") && !makes("begin") && !makes("begin work"));
        let looks_back = |sql: &str| parse(sql).unwrap().looks_back;
        assert!(looks_back("select last_insert_id()") && looks_back("show warnings"));
        assert!(!looks_back("select 'last_insert_id()'"));
    }
}
