//! What MariaDB refuses, with MySQL's numbers and in MySQL's words: clients look for the code, and for the key's name in the
//! text of a duplicate entry.

use mysql_async::ServerError;

/// `ER_DUP_ENTRY`, in both.
const DUPLICATE_ENTRY: u16 = 1062;

/// MariaDB's `ER_CONSTRAINT_FAILED`.
const CONSTRAINT_FAILED: u16 = 4025;

/// The error as far as its text alone tells what MySQL would say.
pub(super) fn in_aurora_s_words(error: &ServerError) -> ServerError {
    let aurora = dayspring_dialect::aurora_error(error.code, &error.state, &error.message);
    ServerError {
        code: aurora.code,
        state: aurora.state.into_owned(),
        message: aurora.message.into_owned(),
    }
}

/// The key with its table: MySQL tells both since 8.0.19 (`posts.slug`), MariaDB the key alone. `table`: whose rows the
/// statement writes.
///
/// <https://dev.mysql.com/doc/relnotes/mysql/8.0/en/news-8-0-19.html>
pub(super) fn with_table(mut error: ServerError, table: Option<&str>) -> ServerError {
    const BEFORE_KEY: &str = "' for key '";
    if error.code == DUPLICATE_ENTRY
        && let Some(table) = table
        && let Some(place) = error.message.rfind(BEFORE_KEY)
    {
        error
            .message
            .insert_str(place + BEFORE_KEY.len(), &format!("{table}."));
    }
    error
}

/// A column whose check failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) column: String,
}

impl Checked {
    /// ``CONSTRAINT `table.column` failed for `schema`.`table` ``: a check that stands at its column, as the one that
    /// MariaDB gives a JSON column has.
    pub(super) fn of(error: &ServerError) -> Option<Self> {
        if error.code != CONSTRAINT_FAILED {
            return None;
        }
        let rest = error.message.strip_prefix("CONSTRAINT `")?;
        let (name, place) = rest.split_once("` failed for `")?;
        let (schema, table) = place.strip_suffix('`')?.split_once("`.`")?;
        Some(Self {
            schema: schema.to_owned(),
            table: table.to_owned(),
            column: name.strip_prefix(table)?.strip_prefix('.')?.to_owned(),
        })
    }

    /// What MySQL says of it. Where in the text the mistake is, MariaDB does not tell.
    pub(super) fn refusal(&self, is_json: bool) -> ServerError {
        let Self { table, column, .. } = self;
        let (code, state, message) = if is_json {
            let message = format!(
                "Invalid JSON text: \"Invalid value.\" at position 0 in value for column '{table}.{column}'."
            );
            (3140, "22032", message)
        } else {
            let message = format!("Check constraint '{table}.{column}' is violated.");
            (3819, "HY000", message)
        };
        ServerError {
            code,
            message,
            state: state.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: u16, message: &str) -> ServerError {
        ServerError {
            code,
            message: message.to_owned(),
            state: "23000".to_owned(),
        }
    }

    #[test]
    fn a_duplicate_entry_names_the_table_of_its_key() {
        let said = |message: &str, table| with_table(error(1062, message), table).message;
        assert_eq!(
            said(
                "Duplicate entry 'a' for key 'b' for key 'slug'",
                Some("posts")
            ),
            "Duplicate entry 'a' for key 'b' for key 'posts.slug'"
        );
        let unknown = "Duplicate entry 'a' for key 'slug'";
        assert_eq!(said(unknown, None), unknown);
    }

    #[test]
    fn a_check_at_a_column_is_told_from_the_others() {
        let failed = |name: &str| {
            Checked::of(&error(
                4025,
                &format!("CONSTRAINT `{name}` failed for `blog`.`p`"),
            ))
        };
        let checked = failed("p.j").unwrap();
        assert_eq!(
            (&*checked.schema, &*checked.table, &*checked.column),
            ("blog", "p", "j")
        );
        assert_eq!(failed("positive"), None);
        let said = |is_json| {
            let error = checked.refusal(is_json);
            format!("{} ({} {})", error.message, error.code, error.state)
        };
        insta::assert_snapshot!(said(true), @r#"Invalid JSON text: "Invalid value." at position 0 in value for column 'p.j'. (3140 22032)"#);
        insta::assert_snapshot!(said(false), @"Check constraint 'p.j' is violated. (3819 HY000)");
    }
}
