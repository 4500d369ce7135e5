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

/// `Arn` of the service's model (botocore `rds-data/2018-08-01`, read 2026-11-23).
const ARN_MIN: usize = 11;
const ARN_MAX: usize = 570;

/// What every operation names, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) resource: &'a str,
    pub(super) secret: &'a str,
    /// The database that was named; an empty name is none.
    pub(super) database: Option<&'a str>,
}

/// The operations' inputs: each has a target beside its own members. A struct of its own for the target, flattened into
/// these, would make serde keep every request as a tree first.
macro_rules! inputs {
    ($($(#[$doc:meta])* $name:ident { $($member:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub(super) struct $name {
            resource_arn: Option<String>,
            secret_arn: Option<String>,
            database: Option<String>,
            schema: Option<String>,
            $(pub(super) $member: Option<$type>,)*
        }

        impl $name {
            /// # Errors
            ///
            /// The resource or the secret is missing, one of the members has a length that the service does not take, or
            /// there is a schema.
            pub(super) fn target(&self) -> Result<Target<'_>, Fault> {
                target(
                    self.resource_arn.as_deref(),
                    self.secret_arn.as_deref(),
                    self.database.as_deref(),
                    self.schema.as_deref(),
                )
            }
        }
    )*};
}

inputs! {
    Execute {
        sql: String,
        parameters: Vec<SqlParameter>,
        transaction_id: String,
        include_result_metadata: bool,
        continue_after_timeout: bool,
        result_set_options: ResultSetOptionsInput,
        format_records_as: String,
    }
    BatchExecute {
        sql: String,
        parameter_sets: Vec<Vec<SqlParameter>>,
        transaction_id: String,
    }
    Begin {}
    /// `CommitTransaction` and `RollbackTransaction`.
    EndTransaction {
        transaction_id: String,
    }
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

fn target<'a>(
    resource: Option<&'a str>,
    secret: Option<&'a str>,
    database: Option<&'a str>,
    schema: Option<&'a str>,
) -> Result<Target<'a>, Fault> {
    let resource = required("resourceArn", resource)?;
    let secret = required("secretArn", secret)?;
    // A secret's name is taken as well as its ARN, where it has the length of one.
    length("resourceArn", resource, ARN_MIN, ARN_MAX)?;
    length("secretArn", secret, ARN_MIN, ARN_MAX)?;
    length("database", database.unwrap_or_default(), 0, 64)?;
    if schema.is_some() {
        return Err(Fault::validation("The schema parameter isn't supported"));
    }
    Ok(Target {
        resource,
        secret,
        database: database.filter(|name| !name.is_empty()),
    })
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
