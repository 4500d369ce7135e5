//! Follows the two SQL modes that move the end of a literal. The client learns them from the server after each
//! statement; here the SET statements are read. A script begins with neither, which is every server's default.

use std::mem::take;

use crate::lexer::{self, Token, TokenKind};

/// What a script has set so far.
#[derive(Debug, Default)]
pub(super) struct SqlMode {
    current: Modes,
    is_set: bool,
    /// User variables that hold a mode, by name in lower case: a dump saves the mode and brings it back.
    saved: Vec<(String, Modes)>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Modes {
    no_backslash_escapes: bool,
    ansi_quotes: bool,
}

/// How a statement's literals are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As the server's own `sql_mode` says: the script has said nothing of it.
    OfServer,
    /// As every server reads them by default: the script has said so.
    Usual,
    /// With NO_BACKSLASH_ESCAPES or ANSI_QUOTES, which the script has set.
    Unusual,
}

impl SqlMode {
    pub(super) fn reading(&self) -> Reading {
        match (self.is_set, self.current == Modes::default()) {
            (_, false) => Reading::Unusual,
            (true, true) => Reading::Usual,
            (false, true) => Reading::OfServer,
        }
    }

    /// Whether a backslash escapes inside these quotes.
    pub(super) fn backslash_escapes_in(&self, quote: u8) -> bool {
        match quote {
            b'`' => false,
            b'"' => !self.current.no_backslash_escapes && !self.current.ansi_quotes,
            _ => !self.current.no_backslash_escapes,
        }
    }

    /// Takes a statement that has run.
    pub(super) fn follow(&mut self, statement: &str) {
        let mut tokens = lexer::executed(statement);
        if !tokens.next().is_some_and(|token| token.is("SET")) {
            return;
        }
        let mut global = false;
        let mut assignment: Vec<Token<'_>> = Vec::new();
        let mut depth = 0usize;
        for token in tokens {
            if token.is_mark(',') && depth == 0 {
                self.assign(&take(&mut assignment), &mut global);
                continue;
            }
            if token.is("STATEMENT") && assignment.is_empty() {
                // SET STATEMENT ... FOR holds for that one statement.
                return;
            }
            depth = depth_after(depth, &token);
            assignment.push(token);
        }
        self.assign(&assignment, &mut global);
    }

    /// `[SESSION] sql_mode = ...`, `@@GLOBAL.sql_mode = ...` or `@old = @@sql_mode`. A scope holds for what follows it.
    fn assign(&mut self, assignment: &[Token<'_>], global: &mut bool) {
        let Some(equals) = assignment.iter().position(|token| token.is_mark('=')) else {
            return;
        };
        let (target, value) = (&assignment[..equals], &assignment[equals + 1..]);
        for token in target {
            if token.is("SESSION") || token.is("LOCAL") {
                *global = false;
            } else if token.is("GLOBAL") || token.is("PERSIST") || token.is("PERSIST_ONLY") {
                *global = true;
            }
        }
        let signs = target.iter().filter(|token| token.is_mark('@')).count();
        let Some(name) = target.iter().filter_map(Token::name).next_back() else {
            return;
        };
        if signs == 1 {
            if mentions_sql_mode(value) {
                let modes = self.evaluate(value);
                self.saved.push((name.to_ascii_lowercase(), modes));
            }
        } else if name.eq_ignore_ascii_case("sql_mode") && !*global {
            self.current = self.evaluate(value);
            self.is_set = true;
        }
    }

    fn evaluate(&self, value: &[Token<'_>]) -> Modes {
        match value {
            [open, inner @ .., close] if open.is_mark('(') && close.is_mark(')') => {
                self.evaluate(inner)
            }
            [select, inner @ ..] if select.is("SELECT") => self.evaluate(inner),
            [replace, open, inner @ .., close]
                if replace.is("REPLACE") && open.is_mark('(') && close.is_mark(')') =>
            {
                self.replaced(inner)
            }
            [at, name] if at.is_mark('@') => self.variable(name),
            [literal] => Modes::named(literal),
            // CONCAT and whatever else puts a mode together: all that it is made of.
            _ => {
                let start = if mentions_sql_mode(value) {
                    self.current
                } else {
                    Modes::default()
                };
                value
                    .iter()
                    .filter(|token| token.kind == TokenKind::Text)
                    .fold(start, |modes, text| modes.with(Modes::named(text)))
            }
        }
    }

    fn variable(&self, name: &Token<'_>) -> Modes {
        let name = name.name().unwrap_or_default().to_ascii_lowercase();
        self.saved
            .iter()
            .rfind(|(saved, _)| *saved == name)
            .map_or_else(Modes::default, |&(_, modes)| modes)
    }

    /// REPLACE(mode, what, with).
    fn replaced(&self, arguments: &[Token<'_>]) -> Modes {
        let mut parts: Vec<Vec<Token<'_>>> = vec![Vec::new()];
        let mut depth = 0;
        for token in arguments {
            if token.is_mark(',') && depth == 0 {
                parts.push(Vec::new());
                continue;
            }
            depth = depth_after(depth, token);
            if let Some(part) = parts.last_mut() {
                part.push(*token);
            }
        }
        match parts.as_slice() {
            [mode, what, with] => self
                .evaluate(mode)
                .without(self.evaluate(what))
                .with(self.evaluate(with)),
            _ => self.current,
        }
    }
}

impl Modes {
    /// The modes in a literal, a bare word or a number. The bits are those of `sql/system_variables.h`; the
    /// combinations with ANSI_QUOTES are MySQL's ANSI and MariaDB's of other databases' names.
    fn named(token: &Token<'_>) -> Self {
        if let Ok(bits) = token.text.parse::<u64>() {
            return Self {
                no_backslash_escapes: bits & (1 << 20) != 0,
                ansi_quotes: bits & 4 != 0,
            };
        }
        let list = token.text.trim_matches(['\'', '"', '`']);
        let has = |names: &[&str]| {
            list.split(',').any(|mode| {
                names
                    .iter()
                    .any(|name| mode.trim().eq_ignore_ascii_case(name))
            })
        };
        Self {
            no_backslash_escapes: has(&["NO_BACKSLASH_ESCAPES"]),
            ansi_quotes: has(&[
                "ANSI_QUOTES",
                "ANSI",
                "DB2",
                "MAXDB",
                "MSSQL",
                "ORACLE",
                "POSTGRESQL",
            ]),
        }
    }

    fn with(self, other: Self) -> Self {
        Self {
            no_backslash_escapes: self.no_backslash_escapes || other.no_backslash_escapes,
            ansi_quotes: self.ansi_quotes || other.ansi_quotes,
        }
    }

    fn without(self, other: Self) -> Self {
        Self {
            no_backslash_escapes: self.no_backslash_escapes && !other.no_backslash_escapes,
            ansi_quotes: self.ansi_quotes && !other.ansi_quotes,
        }
    }
}

fn depth_after(depth: usize, token: &Token<'_>) -> usize {
    if token.is_mark('(') {
        depth + 1
    } else if token.is_mark(')') {
        depth.saturating_sub(1)
    } else {
        depth
    }
}

fn mentions_sql_mode(value: &[Token<'_>]) -> bool {
    value.iter().any(|token| token.is("sql_mode"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statements: &[&str], no_backslash_escapes: bool, ansi_quotes: bool) {
        let mut mode = SqlMode::default();
        for statement in statements {
            mode.follow(statement);
        }
        assert_eq!(
            (mode.current.no_backslash_escapes, mode.current.ansi_quotes),
            (no_backslash_escapes, ansi_quotes),
            "{statements:?}"
        );
    }

    #[test]
    fn a_mode_is_read_however_it_is_written() {
        check(&["SET sql_mode = 'ANSI_QUOTES'"], false, true);
        check(
            &["SET SESSION sql_mode := \"NO_BACKSLASH_ESCAPES,ANSI\""],
            true,
            true,
        );
        check(
            &["SET NAMES utf8, @@session.SQL_MODE=no_backslash_escapes"],
            true,
            false,
        );
        check(&["SET @@sql_mode = 1048580"], true, true);
        check(&["/*!40101 SET sql_mode='ANSI_QUOTES' */"], false, true);
        check(
            &["SET sql_mode='ANSI_QUOTES'", "SET sql_mode=DEFAULT"],
            false,
            false,
        );
        check(
            &["SET sql_mode='ANSI_QUOTES'", "SET sql_mode=''"],
            false,
            false,
        );
    }

    #[test]
    fn a_mode_that_is_put_together_is_followed() {
        let ansi = "SET sql_mode='ANSI_QUOTES'";
        check(
            &[
                ansi,
                "SET sql_mode=CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')",
            ],
            true,
            true,
        );
        check(
            &[
                ansi,
                "SET sql_mode=(SELECT REPLACE(@@sql_mode,'ANSI_QUOTES',''))",
            ],
            false,
            false,
        );
        check(
            &[
                ansi,
                "SET @old = @@sql_mode, sql_mode = ''",
                "SET SQL_MODE=@OLD",
            ],
            false,
            true,
        );
        check(&[ansi, "SET sql_mode=@never_set"], false, false);
    }

    #[test]
    fn other_scopes_and_other_variables_change_nothing() {
        check(&["SET GLOBAL sql_mode='ANSI_QUOTES'"], false, false);
        check(&["SET @@GLOBAL.sql_mode='ANSI_QUOTES'"], false, false);
        check(
            &["SET STATEMENT sql_mode='ANSI_QUOTES' FOR SELECT 1"],
            false,
            false,
        );
        check(
            &["SET @x = 'sql_mode=ANSI_QUOTES', @old=@@sql_mode"],
            false,
            false,
        );
        check(&["INSERT INTO t SET sql_mode='ANSI_QUOTES'"], false, false);
        check(
            &["SET", "SET sql_mode", "SET sql_mode=", "SET ,=,"],
            false,
            false,
        );
    }
}
