//! The account that the functions log in with: it reads and writes rows, and cannot touch the schema. Only the migrator
//! has the master user's secret.
//!
//! The template makes a secret with a random password, and names it in the custom resource. Before the scripts run, the
//! migrator sees to it that the database has this account with this password. Every statement of it may run again, by
//! two migrators at once too.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::aws::Service;
use crate::database::{
    CallError, Client, Effect, ExecuteStatement, ExecuteStatementResult, Operation,
};

/// What the functions may do with the database's tables, views and routines. Nothing of it changes the schema; temporary
/// tables belong to a session.
const PRIVILEGES: &str =
    "SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES, LOCK TABLES, SHOW VIEW";

/// The longest name of an account (<https://dev.mysql.com/doc/refman/8.0/en/user-names.html>).
const NAME_CHARACTERS_MAX: usize = 32;

/// A name and a password, as the Data API wants them in a secret.
#[derive(Deserialize)]
struct Account {
    username: String,
    password: String,
}

/// Makes the account of the secret `arn`, or gives it its password and its privileges again. The error says what failed.
pub(crate) async fn ensure(
    client: &Client,
    secrets: &Service,
    arn: &str,
    until: Option<Instant>,
) -> Result<(), String> {
    let account = read(secrets, arn, until).await?;
    for statement in statements(&account, &client.settings.database) {
        let executed = execute(client, &statement, &client.settings.database, until).await;
        executed.map_err(|error| {
            format!(
                "the functions' account `{}` could not be made: {}",
                account.username,
                problem(error)
            )
        })?;
    }
    tracing::info!("the functions log in as `{}`", account.username);
    Ok(())
}

/// What kept a statement from being carried out.
pub(super) fn problem(error: CallError) -> String {
    match error {
        CallError::Answered(error) => format!("{} ({})", error.message, error.kind),
        CallError::NotSent(message) | CallError::Lost(message) | CallError::Unreadable(message) => {
            message
        }
    }
}

/// Carries out a statement that may be carried out again.
pub(super) async fn execute(
    client: &Client,
    sql: &str,
    database: &str,
    until: Option<Instant>,
) -> Result<(), CallError> {
    let settings = &client.settings;
    let input = ExecuteStatement {
        resource_arn: &settings.cluster_arn,
        secret_arn: &settings.secret_arn,
        database,
        sql,
        parameters: &[],
        transaction_id: None,
        include_result_metadata: false,
        continue_after_timeout: false,
    };
    client
        .call::<ExecuteStatementResult>(Operation::Execute, &input, Effect::Read, until)
        .await
        .map(drop)
        .map_err(|failure| failure.error)
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
async fn read(secrets: &Service, arn: &str, until: Option<Instant>) -> Result<Account, String> {
    const HEADERS: [(&str, &str); 2] = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "secretsmanager.GetSecretValue"),
    ];
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct SecretValue {
        secret_string: String,
    }
    let wrong = |problem: &str| format!("the functions' secret `{arn}` {problem}");
    let body = Bytes::from(json!({ "SecretId": arn }).to_string());
    let answer = secrets
        .post("/", &HEADERS, body, until)
        .await
        .map_err(|problem| wrong(&format!("could not be read: {problem}")))?;
    // Serde's message would show what it read.
    let value: SecretValue =
        serde_json::from_slice(&answer).map_err(|_| wrong("has no SecretString"))?;
    let account: Account = serde_json::from_str(&value.secret_string)
        .map_err(|_| wrong("must be a JSON object with `username` and `password`"))?;
    check(&account).map_err(wrong)?;
    Ok(account)
}

fn check(account: &Account) -> Result<(), &'static str> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if account.username.is_empty()
        || account.username.len() > NAME_CHARACTERS_MAX
        || !account.username.chars().all(is_word)
    {
        return Err("must have a `username` of 1 to 32 letters, digits and underscores");
    }
    // A backslash means one thing in one sql_mode and another in another.
    if account.password.is_empty()
        || account
            .password
            .contains(|character: char| character.is_control() || character == '\\')
    {
        return Err("must have a `password` without backslashes and control characters");
    }
    Ok(())
}

fn statements(account: &Account, database: &str) -> [String; 3] {
    let user = format!("'{}'@'%'", account.username);
    let password = literal(&account.password);
    [
        format!("CREATE USER IF NOT EXISTS {user} IDENTIFIED BY {password}"),
        format!("ALTER USER {user} IDENTIFIED BY {password}"),
        format!("GRANT {PRIVILEGES} ON {}.* TO {user}", pattern(database)),
    ]
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A database's name in a GRANT is a pattern, in which `_` and `%` are wildcards
/// (<https://dev.mysql.com/doc/refman/8.0/en/grant.html>, "Database Privileges").
fn pattern(database: &str) -> String {
    let mut quoted = String::from("`");
    for character in database.chars() {
        match character {
            '_' | '%' => quoted.extend(['\\', character]),
            '`' => quoted.push_str("``"),
            other => quoted.push(other),
        }
    }
    quoted.push('`');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(username: &str, password: &str) -> Account {
        Account {
            username: username.to_owned(),
            password: password.to_owned(),
        }
    }

    #[test]
    fn the_statements_may_run_again_and_grant_one_database_alone() {
        insta::assert_snapshot!(
            statements(&account("functions", "it's"), "my_blog").join("\n"),
            @r"
        CREATE USER IF NOT EXISTS 'functions'@'%' IDENTIFIED BY 'it''s'
        ALTER USER 'functions'@'%' IDENTIFIED BY 'it''s'
        GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES, LOCK TABLES, SHOW VIEW ON `my\_blog`.* TO 'functions'@'%'
        "
        );
    }

    #[test]
    fn an_account_that_could_end_its_quotes_is_refused() {
        assert_eq!(check(&account("functions", "aB3'")), Ok(()));
        for (username, password) in [
            ("", "a"),
            ("a'b", "a"),
            ("a", ""),
            ("a", "b\\"),
            ("a", "b\n"),
        ] {
            assert!(
                check(&account(username, password)).is_err(),
                "{username:?} {password:?}"
            );
        }
        assert!(check(&account(&"a".repeat(33), "a")).is_err());
    }
}
