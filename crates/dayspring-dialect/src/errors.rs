//! Errors of MariaDB in the words of Aurora MySQL 3, where code and text follow from MariaDB's alone. What is not here is the
//! same on both, or cannot be told without the statement or the schema. The pairs were seen on MariaDB 10.11 and MySQL 9.7.4.

use std::borrow::Cow;

/// What a server answers to a statement that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError<'a> {
    /// The number of the error, as in 1064.
    pub code: u16,
    /// SQLSTATE, as in `42000`.
    pub state: Cow<'a, str>,
    /// The text.
    pub message: Cow<'a, str>,
}

/// What MariaDB calls the part of a statement that has a name that it does not know, and what MySQL does.
const CLAUSES: [(&str, &str); 9] = [
    ("SELECT", "field list"),
    ("INSERT INTO", "field list"),
    ("SET", "field list"),
    ("UPDATE", "field list"),
    ("WHERE", "where clause"),
    ("ON", "on clause"),
    ("GROUP BY", "group statement"),
    ("HAVING", "having clause"),
    ("ORDER BY", "order clause"),
];

/// The error that Aurora answers where MariaDB answers this one.
///
/// ```
/// let error = dayspring_dialect::aurora_error(4025, "23000", "CONSTRAINT `positive` failed for `blog`.`post`");
/// assert_eq!((error.code, &*error.state), (3819, "HY000"));
/// assert_eq!(error.message, "Check constraint 'positive' is violated.");
/// ```
#[must_use]
pub fn aurora_error<'a>(code: u16, state: &'a str, message: &'a str) -> ServerError<'a> {
    translated(code, message).unwrap_or(ServerError {
        code,
        state: state.into(),
        message: message.into(),
    })
}

fn translated(code: u16, message: &str) -> Option<ServerError<'static>> {
    match code {
        // The statement's own words follow, so the first is the server's.
        1064 => error(
            1064,
            "42000",
            message.replacen("your MariaDB server", "your MySQL server", 1),
        ),
        1235 => error(
            1235,
            "42000",
            message.replacen("version of MariaDB", "version of MySQL", 1),
        ),
        1054 => {
            let (before, clause) = message.strip_suffix('\'')?.rsplit_once(" in '")?;
            let clause = mysql_clause(clause)?;
            error(1054, "42S22", format!("{before} in '{clause}'"))
        }
        1052 => {
            let (before, clause) = message
                .strip_suffix(" is ambiguous")?
                .rsplit_once("' in ")?;
            let clause = mysql_clause(clause)?;
            error(1052, "23000", format!("{before}' in {clause} is ambiguous"))
        }
        1091 => dropped(message),
        1292 => error(1292, "22007", plain_column(message)?),
        1366 => error(1366, "HY000", plain_column(message)?),
        1701 => {
            let (before, _) = message.split_once("` FOREIGN KEY (")?;
            error(1701, "42000", format!("{before}`)"))
        }
        1826 => {
            let name = message.strip_prefix("Duplicate CHECK constraint name ")?;
            error(
                3822,
                "HY000",
                format!("Duplicate check constraint name {name}."),
            )
        }
        1906 => {
            let before = message.strip_suffix(" has been ignored")?;
            error(3105, "HY000", format!("{before} is not allowed."))
        }
        4009 => {
            let name = message
                .strip_prefix("Window specification with name ")?
                .strip_suffix(" is not defined")?;
            error(3579, "HY000", format!("Window name {name} is not defined."))
        }
        4025 => {
            let (name, _) = message
                .strip_prefix("CONSTRAINT `")?
                .split_once("` failed for `")?;
            // `table.column` is what MariaDB calls the check of a column: of a JSON column it is another error.
            let is_named = !name.contains('.');
            is_named
                .then(|| {
                    error(
                        3819,
                        "HY000",
                        format!("Check constraint '{name}' is violated."),
                    )
                })
                .flatten()
        }
        4092 => {
            let name = message.strip_prefix("Unknown VIEW: ")?;
            error(1051, "42S02", format!("Unknown table {name}"))
        }
        _ => None,
    }
}

fn error(code: u16, state: &'static str, message: String) -> Option<ServerError<'static>> {
    Some(ServerError {
        code,
        state: Cow::Borrowed(state),
        message: Cow::Owned(message),
    })
}

fn mysql_clause(clause: &str) -> Option<&'static str> {
    CLAUSES
        .iter()
        .find(|(mariadb, _)| *mariadb == clause)
        .map(|(_, mysql)| *mysql)
}

/// ``Can't DROP INDEX `name`; check that it exists``.
fn dropped(message: &str) -> Option<ServerError<'static>> {
    let (kind, name) = message
        .strip_prefix("Can't DROP ")?
        .strip_suffix("`; check that it exists")?
        .split_once(" `")?;
    if kind == "CONSTRAINT" {
        return error(
            3940,
            "HY000",
            format!("Constraint '{name}' does not exist."),
        );
    }
    let text = format!("Can't DROP '{name}'; check that column/key exists");
    error(1091, "42000", text)
}

/// ``for column `base`.`table`.`column` at row 1`` with the column alone.
fn plain_column(message: &str) -> Option<String> {
    let (before, place) = message.rsplit_once(" for column `")?;
    let (column, row) = place.rsplit_once("` at row ")?;
    let column = column.rsplit("`.`").next()?;
    Some(format!("{before} for column '{column}' at row {row}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_that_mysql_answered_to_the_same_statements() {
        for (code, message, expected) in [
            (
                1064,
                "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'your MariaDB server' at line 1",
                "1064 42000 You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'your MariaDB server' at line 1",
            ),
            (
                1235,
                "This version of MariaDB doesn't yet support 'x'",
                "1235 42000 This version of MySQL doesn't yet support 'x'",
            ),
            (
                1054,
                "Unknown column 'p.no in 'x' in 'WHERE'",
                "1054 42S22 Unknown column 'p.no in 'x' in 'where clause'",
            ),
            (
                1054,
                "Unknown column 'nope' in 'INSERT INTO'",
                "1054 42S22 Unknown column 'nope' in 'field list'",
            ),
            (
                1052,
                "Column 'id' in SELECT is ambiguous",
                "1052 23000 Column 'id' in field list is ambiguous",
            ),
            (
                1091,
                "Can't DROP FOREIGN KEY `no`; check that it exists",
                "1091 42000 Can't DROP 'no'; check that column/key exists",
            ),
            (
                1091,
                "Can't DROP CONSTRAINT `no`; check that it exists",
                "3940 HY000 Constraint 'no' does not exist.",
            ),
            (
                1366,
                "Incorrect integer value: 'x' for column `e`.`p`.`n` at row 1",
                "1366 HY000 Incorrect integer value: 'x' for column 'n' at row 1",
            ),
            (
                1292,
                "Incorrect date value: '2020-02-30' for column `e`.`p`.`d` at row 12",
                "1292 22007 Incorrect date value: '2020-02-30' for column 'd' at row 12",
            ),
            (
                1701,
                "Cannot truncate a table referenced in a foreign key constraint (`e`.`c`, CONSTRAINT `fk` FOREIGN KEY (`pid`) REFERENCES `e`.`p` (`id`))",
                "1701 42000 Cannot truncate a table referenced in a foreign key constraint (`e`.`c`, CONSTRAINT `fk`)",
            ),
            (
                1826,
                "Duplicate CHECK constraint name 'ckc'",
                "3822 HY000 Duplicate check constraint name 'ckc'.",
            ),
            (
                1906,
                "The value specified for generated column 'g' in table 'c' has been ignored",
                "3105 HY000 The value specified for generated column 'g' in table 'c' is not allowed.",
            ),
            (
                4009,
                "Window specification with name 'w' is not defined",
                "3579 HY000 Window name 'w' is not defined.",
            ),
            (
                4025,
                "CONSTRAINT `ckc` failed for `e`.`p`",
                "3819 HY000 Check constraint 'ckc' is violated.",
            ),
            (
                4092,
                "Unknown VIEW: 'e.nope'",
                "1051 42S02 Unknown table 'e.nope'",
            ),
        ] {
            let error = aurora_error(code, "?", message);
            let shown = format!("{} {} {}", error.code, error.state, error.message);
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn what_is_not_certain_stays() {
        for (code, message) in [
            (1062, "Duplicate entry '1' for key 'PRIMARY'"),
            (1054, "Unknown column 'a' in 'field list'"),
            (1054, ""),
            (1292, "Truncated incorrect DOUBLE value: 'a'"),
            (4025, "CONSTRAINT `p.j` failed for `e`.`p`"),
            (1091, "Can't DROP 'a'; check that column/key exists"),
            (
                1205,
                "Lock wait timeout exceeded; try restarting transaction",
            ),
        ] {
            let error = aurora_error(code, "HY000", message);
            assert_eq!((error.code, &*error.message), (code, message));
        }
    }
}
