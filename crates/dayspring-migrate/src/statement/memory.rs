//! What a statement leaves in the memory of its session, and what it takes from there: the user's variables, and the
//! last id that was inserted. A run that is carried on has another session.

use std::collections::BTreeSet;

use crate::lexer::{self, Token};

/// A statement's dealings with its session's memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// The user's variables that it fills, in lower case.
    pub(crate) assigned: BTreeSet<String>,
    /// Those that it reads and has not filled itself.
    pub(crate) used: BTreeSet<String>,
    /// Whether a value that it leaves comes from the data of its moment, so that saying it again may give another.
    pub(crate) from_data: bool,
    /// Whether it asks what the statement before it did, as `LAST_INSERT_ID()` does.
    pub(crate) recalls: bool,
}

impl Memory {
    /// Whether the statements around it stand and fall together, because nobody could begin in their middle.
    pub(crate) fn binds(&self) -> bool {
        self.from_data || self.recalls
    }
}

/// Functions of what the statement before did; each is called with nothing between its parentheses.
const RECALLING: [&str; 3] = ["LAST_INSERT_ID", "ROW_COUNT", "FOUND_ROWS"];

/// The same as variables of the system.
const RECALLING_VARIABLES: [&str; 2] = ["IDENTITY", "LAST_INSERT_ID"];

/// Longer statements than this are a dump's rows, for which every byte counts.
const SCANNED_BYTES_MAX: usize = 64 * 1024;

/// Reads a statement. A million rows without one of these words cost a search, and no lexing.
pub(super) fn memory(sql: &str) -> Memory {
    let mut memory = Memory::default();
    let has_variable = memchr::memchr(b'@', sql.as_bytes()).is_some();
    let may_recall = may_recall(sql);
    if !has_variable && !may_recall {
        return memory;
    }
    let tokens: Vec<Token<'_>> = lexer::executed(sql).collect();
    let calls = |at: usize| {
        let word = |words: &[&str]| words.iter().any(|word| tokens[at].is(word));
        let follows =
            |by: usize, mark| tokens.get(at + by).is_some_and(|token| token.is_mark(mark));
        let is_system = at >= 2 && tokens[at - 1].is_mark('@') && tokens[at - 2].is_mark('@');
        word(&RECALLING) && follows(1, '(') && follows(2, ')')
            || word(&RECALLING_VARIABLES) && is_system
    };
    // What a SELECT shows nobody sees.
    let is_shown = tokens
        .iter()
        .find(|token| !token.is_mark('('))
        .is_some_and(|first| first.is("SELECT"))
        && !tokens.iter().any(|token| token.is("INTO"));
    memory.recalls = may_recall && !is_shown && (0..tokens.len()).any(calls);
    if has_variable {
        variables(&tokens, &mut memory);
    }
    memory
}

fn may_recall(sql: &str) -> bool {
    const WORDS: [&[u8]; 4] = [b"insert_id", b"row_count", b"found_rows", b"identity"];
    let bytes = sql.as_bytes();
    WORDS.iter().any(|word| {
        if bytes.len() > SCANNED_BYTES_MAX {
            memchr::memmem::find(bytes, word).is_some()
                || memchr::memmem::find(bytes, &word.to_ascii_uppercase()).is_some()
        } else {
            bytes
                .windows(word.len())
                .any(|window| window.eq_ignore_ascii_case(word))
        }
    })
}

fn variables(tokens: &[Token<'_>], memory: &mut Memory) {
    let is_set = tokens.first().is_some_and(|first| first.is("SET"));
    let is_call = tokens.first().is_some_and(|first| first.is("CALL"));
    let is_load = tokens.first().is_some_and(|first| first.is("LOAD"));
    let mut depth = 0usize;
    let mut after_into = false;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_mark('(') {
            depth += 1;
        } else if token.is_mark(')') {
            depth = depth.saturating_sub(1);
        }
        if token.is("INTO") {
            after_into = true;
        } else if after_into
            && !token.is_mark(',')
            && !token.is_mark('@')
            && !is_variable(tokens, at - 1)
        {
            after_into = false;
        }
        if !is_variable(tokens, at) {
            continue;
        }
        let Some(name) = tokens[at + 1].name().or_else(|| quoted(&tokens[at + 1])) else {
            continue;
        };
        let name = name.to_lowercase();
        let mark = |by: usize, mark| tokens.get(at + by).is_some_and(|token| token.is_mark(mark));
        let begins_assignment = at <= 1 || depth == 0 && tokens[at - 1].is_mark(',');
        let is_assigned = mark(2, ':') && mark(3, '=')
            || is_set && begins_assignment && mark(2, '=')
            || after_into;
        // A procedure may fill what it is given, and so may the columns of a LOAD DATA.
        let may_be_assigned = is_call || is_load;
        if !is_assigned && !memory.assigned.contains(&name) {
            memory.used.insert(name.clone());
        }
        if is_assigned || may_be_assigned {
            memory.assigned.insert(name);
        }
    }
}

/// Whether the `@` of a user's variable stands here: not that of `'user'@'host'`, nor one of `@@system`.
fn is_variable(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(token) = tokens.get(at).filter(|token| token.is_mark('@')) else {
        return false;
    };
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let next = tokens.get(at + 1);
    let is_host = before.is_some_and(|before| {
        (before.name().is_some() || before.text.starts_with('\'')) && before.touches(token)
    });
    !is_host
        && !before.is_some_and(|before| before.is_mark('@'))
        && next.is_some_and(|next| next.name().is_some() || next.text.starts_with('\''))
}

fn quoted(token: &Token<'_>) -> Option<String> {
    let inner = token.text.strip_prefix('\'')?;
    Some(inner.strip_suffix('\'').unwrap_or(inner).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, assigned: &[&str], used: &[&str], recalls: bool) {
        let memory = memory(sql);
        let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        assert_eq!(list(&memory.assigned), assigned, "{sql}");
        assert_eq!(list(&memory.used), used, "{sql}");
        assert_eq!(memory.recalls, recalls, "{sql}");
    }

    #[test]
    fn variables_are_filled_and_read() {
        check("INSERT INTO t VALUES (@id)", &[], &["id"], false);
        check("SELECT @A, @`b`, @'c'", &[], &["a", "b", "c"], false);
        check("SET @a = 1, @b = @c", &["a", "b"], &["c"], false);
        check("SET @a := @a + 1", &["a"], &[], false);
        check("SET sql_mode = @old", &[], &["old"], false);
        check(
            "SELECT id, n INTO @a, @b FROM t WHERE x = @c",
            &["a", "b"],
            &["c"],
            false,
        );
        check("SELECT @n := MAX(n) FROM t", &["n"], &[], false);
        check(
            "UPDATE t SET n = (@n := @n + 1), m = @k",
            &["n"],
            &["k"],
            false,
        );
        check("CALL p(@a, 1)", &["a"], &["a"], false);
        check("PREPARE s FROM @sql", &[], &["sql"], false);
        check("SELECT 1 BETWEEN @a AND @b", &[], &["a", "b"], false);
    }

    #[test]
    fn hosts_and_system_variables_are_no_variables_of_the_user() {
        check("SELECT @@sql_mode", &[], &[], false);
        check("GRANT SELECT ON t TO 'a'@'%', b@localhost", &[], &[], false);
        check("INSERT INTO t VALUES ('a@b')", &[], &[], false);
    }

    #[test]
    fn what_the_statement_before_did_is_recalled() {
        check("INSERT INTO t VALUES (last_insert_id ())", &[], &[], true);
        check("SET @id = LAST_INSERT_ID()", &["id"], &[], true);
        check("SET @id = @@identity", &["id"], &[], true);
        check("UPDATE t SET n = ROW_COUNT()", &[], &[], true);
        check("SELECT LAST_INSERT_ID()", &[], &[], false);
        check("SELECT LAST_INSERT_ID() INTO @a", &["a"], &[], true);
        check("INSERT INTO t VALUES ('LAST_INSERT_ID()')", &[], &[], false);
        check(
            "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)",
            &[],
            &[],
            false,
        );
    }
}
