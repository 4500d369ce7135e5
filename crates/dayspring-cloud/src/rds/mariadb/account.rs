//! The accounts and the database that a server has before it answers: the statements of its `--init-file`.

use std::fmt;

/// A name and its password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Account {
    /// Gives the account its password.
    pub(crate) fn password_statement(&self, host: &str) -> String {
        format!(
            "ALTER USER {}@'{host}' IDENTIFIED BY {}",
            text(&self.user),
            text(&self.password)
        )
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Account")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What has to be there before the first connection.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The service's own account, as Aurora has one: `rdsadmin@localhost`, with all privileges.
    pub(crate) admin: Account,
    pub(crate) master: Account,
    /// Made once: a user may drop it later.
    pub(crate) database: Option<String>,
}

/// The name of the service's own account, as on Aurora.
pub(crate) const ADMIN: &str = "rdsadmin";

/// What Aurora's master user may do, in MariaDB's words: everything but `SUPER`, `FILE`, `SHUTDOWN` and their like.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.MasterAccounts.html>
const MASTER_GRANTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, \
     CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, \
     TRIGGER, CONNECTION ADMIN, SET USER";

impl Setup {
    /// The statements for a server that somebody else runs: its administrator is there already.
    pub(super) fn remote_statements(&self) -> Vec<String> {
        let user = format!("{}@'%'", text(&self.master.user));
        let database = self.database.as_deref();
        database
            .map(|database| format!("CREATE DATABASE IF NOT EXISTS {}", name(database)))
            .into_iter()
            .chain([
                format!("CREATE USER IF NOT EXISTS {user}"),
                self.master.password_statement("%"),
                format!("GRANT ALL PRIVILEGES ON *.* TO {user} WITH GRANT OPTION"),
                // Not the whole of what Aurora's master lacks: without SUPER no trigger can be made where there is a binary log.
                format!("REVOKE FILE, SHUTDOWN ON *.* FROM {user}"),
            ])
            .collect()
    }

    /// The statements, one a line, as `--init-file` wants them. Each may run again at every start.
    pub(super) fn statements(&self, first_start: bool) -> String {
        let mut lines = Vec::new();
        if first_start && let Some(database) = &self.database {
            lines.push(format!("CREATE DATABASE IF NOT EXISTS {}", name(database)));
        }
        for (account, host) in [(&self.admin, "localhost"), (&self.master, "%")] {
            let user = format!("{}@'{host}'", text(&account.user));
            lines.push(format!("CREATE USER IF NOT EXISTS {user}"));
            lines.push(account.password_statement(host));
        }
        lines.push(format!(
            "GRANT ALL PRIVILEGES ON *.* TO {}@'localhost' WITH GRANT OPTION",
            text(&self.admin.user)
        ));
        lines.push(format!(
            "GRANT {MASTER_GRANTS} ON *.* TO {}@'%' WITH GRANT OPTION",
            text(&self.master.user)
        ));
        lines.into_iter().map(|line| line + ";\n").collect()
    }
}

/// A string literal on one line.
fn text(value: &str) -> String {
    let mut literal = String::from("'");
    for character in value.chars() {
        match character {
            '\'' => literal.push_str("''"),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\0' => literal.push_str("\\0"),
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}

/// An identifier in backticks. A line's end cannot be part of one.
fn name(value: &str) -> String {
    format!(
        "`{}`",
        value.replace('`', "``").replace(['\n', '\r', '\0'], "")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(user: &str, password: &str) -> Account {
        Account {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    #[test]
    fn every_statement_is_one_line_and_the_database_is_made_at_the_first_start_only() {
        let setup = Setup {
            admin: account(ADMIN, "a"),
            master: account("o'admin", "b\\\n'"),
            database: Some("a`b".to_owned()),
        };
        let first = setup.statements(true);
        assert!(first.starts_with("CREATE DATABASE IF NOT EXISTS `a``b`;\n"));
        assert!(first.contains("ALTER USER 'o''admin'@'%' IDENTIFIED BY 'b\\\\\\n''';\n"));
        assert!(first.lines().all(|line| line.ends_with(';')));
        assert!(!setup.statements(false).contains("DATABASE IF"));
    }

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(
            format!("{:?}", account("admin", "secret")),
            "Account { user: \"admin\", .. }"
        );
    }
}
