//! SET: what of it is the session's, what is the server's, and whether its value is the same when it is said again.

use super::{Class, Recovery, undecidable};
use crate::lexer::Token;

const OWN_TRANSACTIONS: &str =
    "transactions are the engine's: consecutive data statements commit together";

/// What is another value at another moment, though it is written without parentheses.
const OF_THE_MOMENT: [&str; 16] = [
    "CURRENT_DATE",
    "CURRENT_ROLE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
    "IDENTITY",
    "INSERT_ID",
    "LAST_INSERT_ID",
    "TIMESTAMP",
    "ERROR_COUNT",
    "WARNING_COUNT",
];

/// One `target = value` of a SET.
struct Assignment<'t, 'a> {
    target: &'t [Token<'a>],
    value: &'t [Token<'a>],
}

impl Assignment<'_, '_> {
    fn is_user_variable(&self) -> bool {
        self.target
            .iter()
            .filter(|token| token.is_mark('@'))
            .count()
            == 1
    }

    fn names(&self, variable: &str) -> bool {
        let name = self.target.iter().filter_map(Token::name).next_back();
        !self.is_user_variable() && name.is_some_and(|name| name.eq_ignore_ascii_case(variable))
    }

    /// The scope that it names, if it names one: true for the server's.
    fn is_global(&self) -> Option<bool> {
        self.target.iter().find_map(|token| {
            if ["GLOBAL", "PERSIST", "PERSIST_ONLY"]
                .iter()
                .any(|word| token.is(word))
            {
                Some(true)
            } else if token.is("SESSION") || token.is("LOCAL") {
                Some(false)
            } else {
                None
            }
        })
    }

    /// Whether the value may be another one when it is computed again.
    fn depends_on_data(&self) -> bool {
        self.value
            .iter()
            .any(|token| token.is_mark('(') || OF_THE_MOMENT.iter().any(|word| token.is(word)))
    }

    fn reads_a_variable(&self) -> bool {
        self.value.iter().any(|token| token.is_mark('@'))
    }
}

/// The class of a SET, after that word. SET STATEMENT is another statement.
pub(super) fn set(rest: &[Token<'_>]) -> Class {
    let begins = |words: &[&str]| {
        words.len() <= rest.len() && words.iter().zip(rest).all(|(word, token)| token.is(word))
    };
    if begins(&["PASSWORD"]) || begins(&["DEFAULT", "ROLE"]) || begins(&["GLOBAL", "TRANSACTION"]) {
        return if rest
            .iter()
            .any(|token| token.is("RETAIN") || token.is("RANDOM"))
        {
            undecidable("a second time it is another password")
        } else {
            Class::Schema(Recovery::Idempotent)
        };
    }
    let assignments = assignments(rest);
    if assignments
        .iter()
        .any(|one| one.names("AUTOCOMMIT") || one.names("COMPLETION_TYPE"))
    {
        return Class::Refused(OWN_TRANSACTIONS);
    }
    // A scope holds for what follows it without one; a user's variable is the session's always.
    let mut scope = false;
    let mut of_server = Vec::new();
    for assignment in &assignments {
        scope = assignment.is_global().unwrap_or(scope);
        of_server.push(scope && !assignment.is_user_variable());
    }
    match (of_server.contains(&true), of_server.contains(&false)) {
        (true, true) => Class::Refused(
            "it sets the server and the session at once: the one is done once, the other is said again on resume",
        ),
        (true, false)
            if assignments
                .iter()
                .any(|one| one.depends_on_data() || one.reads_a_variable()) =>
        {
            undecidable("its value is computed, and may be another one the second time")
        }
        (true, false) => Class::Schema(Recovery::Idempotent),
        (false, _) => Class::Session {
            // A value that is computed may be another one when it is said again.
            depends_on_data: assignments.iter().any(Assignment::depends_on_data),
        },
    }
}

fn assignments<'t, 'a>(rest: &'t [Token<'a>]) -> Vec<Assignment<'t, 'a>> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    for (at, token) in rest.iter().enumerate() {
        if token.is_mark('(') {
            depth += 1;
        } else if token.is_mark(')') {
            depth = depth.saturating_sub(1);
        } else if token.is_mark(',') && depth == 0 {
            found.push(assignment(&rest[start..at]));
            start = at + 1;
        }
    }
    found.push(assignment(&rest[start..]));
    found
}

fn assignment<'t, 'a>(tokens: &'t [Token<'a>]) -> Assignment<'t, 'a> {
    let at = tokens.iter().position(|token| token.is_mark('='));
    let (target, value) = tokens.split_at(at.unwrap_or(tokens.len()));
    Assignment { target, value }
}
