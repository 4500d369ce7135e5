//! The inputs of the operations, as clients send them, and the checks that need nothing but the input.
//!
//! <https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html>

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::field::ResultSetOptionsInput;
use super::parameter::SqlParameter;

/// 4 MiB with the headers.
const REQUEST_BYTES_MAX: usize = 4 << 20;

const SQL_CHARACTERS_MAX: usize = 65_536;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Execute {
    #[serde(flatten)]
    pub(super) target: Target,
    pub(super) sql: Option<String>,
    pub(super) parameters: Option<Vec<SqlParameter>>,
    pub(super) transaction_id: Option<String>,
    pub(super) include_result_metadata: Option<bool>,
    pub(super) continue_after_timeout: Option<bool>,
    pub(super) result_set_options: Option<ResultSetOptionsInput>,
    pub(super) format_records_as: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BatchExecute {
    #[serde(flatten)]
    pub(super) target: Target,
    pub(super) sql: Option<String>,
    pub(super) parameter_sets: Option<Vec<Vec<SqlParameter>>>,
    pub(super) transaction_id: Option<String>,
}

/// `CommitTransaction` and `RollbackTransaction`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct EndTransaction {
    #[serde(flatten)]
    pub(super) target: Target,
    pub(super) transaction_id: Option<String>,
}

/// What every operation names. `BeginTransaction` has nothing else.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Target {
    pub(super) resource_arn: Option<String>,
    pub(super) secret_arn: Option<String>,
    pub(super) database: Option<String>,
    pub(super) schema: Option<String>,
}

/// Reads an input.
///
/// # Errors
///
/// The body is not JSON or a member has the wrong type.
pub(super) fn read<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Fault> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| Fault::serialization(error.to_string()))
}

/// Checks the size of a request.
pub(super) fn check_size(headers: &::http::HeaderMap, body: &[u8]) -> Result<(), Fault> {
    let headers: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if headers + body.len() > REQUEST_BYTES_MAX {
        return Err(Fault::too_large_request());
    }
    Ok(())
}

impl Target {
    /// The resource's and the secret's ARN, after the checks of all four members.
    pub(super) fn check(&self) -> Result<(&str, &str), Fault> {
        let resource = required("resourceArn", self.resource_arn.as_deref())?;
        let secret = required("secretArn", self.secret_arn.as_deref())?;
        length("resourceArn", resource, 11, 100_000)?;
        length("secretArn", secret, 1, 100_000)?;
        length(
            "database",
            self.database.as_deref().unwrap_or_default(),
            0,
            64,
        )?;
        if self.schema.is_some() {
            return Err(Fault::validation("The schema parameter isn't supported"));
        }
        Ok((resource, secret))
    }

    /// The database that was named; an empty name is none.
    pub(super) fn database(&self) -> Option<String> {
        self.database.clone().filter(|name| !name.is_empty())
    }
}

pub(super) fn sql(sql: Option<&str>) -> Result<&str, Fault> {
    let sql = required("sql", sql)?;
    length("sql", sql, 0, SQL_CHARACTERS_MAX)?;
    Ok(sql)
}

pub(super) fn transaction_id(id: Option<&str>) -> Result<&str, Fault> {
    let id = required("transactionId", id)?;
    length("transactionId", id, 0, 192)?;
    Ok(id)
}

fn required<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, Fault> {
    value.ok_or_else(|| {
        Fault::validation(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

fn length(name: &str, value: &str, min: usize, max: usize) -> Result<(), Fault> {
    // No text has more characters than bytes, which saves counting nearly always.
    let length = if value.len() <= max && min <= 1 {
        value.len()
    } else {
        value.chars().count()
    };
    let (bound, limit) = if length < min {
        ("greater", min)
    } else if length > max {
        ("less", max)
    } else {
        return Ok(());
    };
    Err(Fault::validation(format!(
        "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must have length {bound} than or equal to {limit}"
    )))
}
