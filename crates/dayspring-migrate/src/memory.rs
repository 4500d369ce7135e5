//! What a session remembers of a script's data, and where a run that is carried on has lost it.
//!
//! Statements that only set (`SET @a = 1`) are said again. What comes from the data of one moment (`SET @id =
//! LAST_INSERT_ID()`, `SELECT ... INTO @n`, `@n := ...`, a procedure's OUT parameter) would be another value the second
//! time, so it lives from where it is filled to the next statement that commits by itself, or to where a run begins:
//! between the two is one transaction that nobody resumes in its middle.

use std::collections::BTreeSet;

use crate::script::{Script, Statement};
use crate::statement::Class;

/// What is remembered at one place of a script.
#[derive(Debug, Default)]
struct Remembered {
    /// Variables that hold data, still.
    filled: BTreeSet<String>,
    /// Variables that held data.
    lost: BTreeSet<String>,
    /// Every variable that was filled in sight.
    known: BTreeSet<String>,
    /// Whether a statement before it may have filled variables out of sight.
    is_opaque: bool,
    /// Whether a data statement stands before it in the same transaction.
    follows_data: bool,
}

impl Remembered {
    /// Passes a statement; true where it wants what is lost.
    fn pass(&mut self, statement: &Statement) -> bool {
        let analysis = &statement.analysis;
        let memory = &analysis.memory;
        let wants_lost = memory.recalls && !self.follows_data
            || memory.used.iter().any(|name| {
                self.lost.contains(name) || self.is_opaque && !self.known.contains(name)
            });
        let holds_data =
            memory.from_data || memory.used.iter().any(|name| self.filled.contains(name));
        for name in &memory.assigned {
            self.lost.remove(name);
            self.known.insert(name.clone());
            if holds_data {
                self.filled.insert(name.clone());
            } else {
                self.filled.remove(name);
            }
        }
        match &analysis.class {
            Class::Schema(_) => {
                self.begin_anew();
                self.is_opaque |= analysis.is_opaque;
            }
            Class::Data => self.follows_data = true,
            Class::Session { .. } | Class::Refused(_) => {}
        }
        wants_lost
    }

    /// Another transaction, perhaps of another run.
    fn begin_anew(&mut self) {
        self.lost.append(&mut self.filled);
        self.follows_data = false;
    }
}

/// The first statement from `first` on that wants what a run has lost which begins at `first` and may end after any
/// statement that commits by itself.
pub(crate) fn first_that_lost(script: &Script, first: usize) -> Option<&Statement> {
    let mut remembered = Remembered::default();
    for statement in &script.statements {
        if statement.number == first {
            remembered.begin_anew();
        }
        if remembered.pass(statement) && statement.number >= first {
            return Some(statement);
        }
    }
    None
}

/// Whether a statement wants what is lost in some crash, whoever runs the script.
pub(crate) fn wants_lost(script: &Script, statement: &Statement) -> bool {
    let memory = &statement.analysis.memory;
    if memory.used.is_empty() && !memory.recalls {
        return false;
    }
    let mut remembered = Remembered::default();
    let before = &script.statements[..statement.number];
    before
        .iter()
        .fold(false, |_, statement| remembered.pass(statement))
}

/// Whether what a session statement filled is read by `statements`, or by a session statement between.
pub(crate) fn is_wanted(
    filling: &Statement,
    after: &[Statement],
    statements: &[Statement],
) -> bool {
    let filled = &filling.analysis.memory.assigned;
    let begins = statements.first().map_or(0, |first| first.number);
    let between = after
        .iter()
        .take_while(|statement| statement.number < begins)
        .filter(|statement| matches!(statement.analysis.class, Class::Session { .. }));
    // One that sets more than variables is always wanted.
    filled.is_empty()
        || between
            .chain(statements)
            .any(|statement| !statement.analysis.memory.used.is_disjoint(filled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Scripts;

    /// The number of the first statement that wants what is lost; 0 where none does.
    #[track_caller]
    fn check(sql: &str, first: usize, expected: usize) {
        let scripts = Scripts::parse("", [("v1.sql", sql)]).unwrap();
        let script = scripts.iter().next().unwrap();
        let found = first_that_lost(script, first).map_or(0, |statement| statement.number);
        assert_eq!(found, expected, "{sql}");
    }

    const DDL: &str = "CREATE TABLE x (id INT)";

    #[test]
    fn data_in_a_variable_is_lost_at_the_next_schema_statement() {
        check("SET @a = NOW(); INSERT INTO t VALUES (@a)", 1, 0);
        check(
            &format!("SET @a = NOW(); {DDL}; INSERT INTO t VALUES (@a)"),
            1,
            3,
        );
        check(
            &format!("SET @a = 1; {DDL}; INSERT INTO t VALUES (@a)"),
            1,
            0,
        );
        check(
            &format!("SELECT @a := MAX(id) FROM t; {DDL}; INSERT INTO t VALUES (@a)"),
            1,
            3,
        );
        check(
            &format!("SET @a = NOW(); {DDL}; INSERT INTO t VALUES (@b)"),
            1,
            0,
        );
    }

    #[test]
    fn a_value_that_is_made_of_lost_ones_is_lost() {
        check(
            &format!("SET @a = NOW(); SET @b = @a; {DDL}; INSERT INTO t VALUES (@b)"),
            1,
            4,
        );
        check(
            &format!("SET @a = NOW(); {DDL}; SET @a = 2; INSERT INTO t VALUES (@a)"),
            1,
            0,
        );
        check(
            &format!("SET @s = (SELECT 1); {DDL}; SET @s = (SELECT 2); SELECT @s"),
            1,
            0,
        );
    }

    #[test]
    fn what_a_run_before_filled_is_lost_to_the_one_that_appends() {
        check("SET @a = NOW(); SELECT 1; INSERT INTO t VALUES (@a)", 3, 3);
        check("SET @a = 1; SELECT 1; INSERT INTO t VALUES (@a)", 3, 0);
        check(
            "INSERT INTO t VALUES (1); INSERT INTO u VALUES (LAST_INSERT_ID())",
            1,
            0,
        );
        check(
            "INSERT INTO t VALUES (1); INSERT INTO u VALUES (LAST_INSERT_ID())",
            2,
            2,
        );
        check(
            &format!("INSERT INTO t VALUES (1); {DDL}; INSERT INTO u VALUES (LAST_INSERT_ID())"),
            1,
            3,
        );
    }

    #[test]
    fn what_a_procedure_may_have_filled_is_lost_with_its_session() {
        let call = "-- dayspring: idempotent\nCALL p(@out)";
        check(&format!("{call}; INSERT INTO t VALUES (@out)"), 1, 2);
        check(&format!("{call}; INSERT INTO t VALUES (@other)"), 1, 2);
        check(
            &format!("SET @in = 1; {call}; INSERT INTO t VALUES (@in)"),
            1,
            0,
        );
    }
}
