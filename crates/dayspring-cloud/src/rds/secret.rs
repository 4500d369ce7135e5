//! Secrets that hold an account, as RDS writes and reads them.

use std::borrow::Cow;

use serde::Deserialize;

use super::mariadb::Account;
use crate::error::AwsError;
use crate::secrets::Secrets;

/// What this service asks of Secrets Manager.
pub(crate) trait SecretStore: std::fmt::Debug + Send + Sync {
    fn create(&self, name: &str, value: &str) -> Result<String, AwsError>;
    fn value(&self, name_or_arn: &str) -> Option<String>;
    fn delete(&self, name_or_arn: &str);
}

impl SecretStore for Secrets {
    fn create(&self, name: &str, value: &str) -> Result<String, AwsError> {
        Self::create(self, name, value, None)
    }

    fn value(&self, name_or_arn: &str) -> Option<String> {
        Self::value(self, name_or_arn)
    }

    fn delete(&self, name_or_arn: &str) {
        Self::delete(self, name_or_arn);
    }
}

/// Every request reads one.
#[derive(Deserialize)]
struct SecretValue<'a> {
    #[serde(borrow)]
    username: Cow<'a, str>,
    #[serde(borrow)]
    password: Cow<'a, str>,
}

/// The text of a secret that RDS manages.
pub(super) fn secret_value(username: &str, password: &str) -> String {
    serde_json::json!({ "username": username, "password": password }).to_string()
}

/// The account in a secret's text. Other members are allowed: a secret made by hand often has host and port too.
pub(super) fn account(value: &str) -> Option<Account> {
    let value: SecretValue<'_> = serde_json::from_str(value).ok()?;
    Some(Account {
        user: value.username.into_owned(),
        password: value.password.into_owned(),
    })
}
