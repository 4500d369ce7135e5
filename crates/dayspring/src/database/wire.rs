//! The Data API's own shapes, as its service model writes them (botocore `rds-data/2018-08-01`, read 2026-11-22).

use serde::{Deserialize, Serialize};

/// A value: exactly one member of the union.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Field {
    IsNull(bool),
    BooleanValue(bool),
    LongValue(i64),
    DoubleValue(f64),
    StringValue(String),
    /// Base64.
    BlobValue(String),
    ArrayValue(serde_json::Value),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SqlParameter {
    pub(crate) name: String,
    pub(crate) value: Field,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) type_hint: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExecuteStatement<'a> {
    pub(crate) resource_arn: &'a str,
    pub(crate) secret_arn: &'a str,
    pub(crate) database: &'a str,
    pub(crate) sql: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) parameters: &'a [SqlParameter],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transaction_id: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) include_result_metadata: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) continue_after_timeout: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchExecuteStatement<'a> {
    pub(crate) resource_arn: &'a str,
    pub(crate) secret_arn: &'a str,
    pub(crate) database: &'a str,
    pub(crate) sql: &'a str,
    pub(crate) parameter_sets: &'a [Vec<SqlParameter>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transaction_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BeginTransaction<'a> {
    pub(crate) resource_arn: &'a str,
    pub(crate) secret_arn: &'a str,
    pub(crate) database: &'a str,
}

/// The input of CommitTransaction and of RollbackTransaction.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndTransaction<'a> {
    pub(crate) resource_arn: &'a str,
    pub(crate) secret_arn: &'a str,
    pub(crate) transaction_id: &'a str,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ExecuteStatementResult {
    pub(crate) records: Vec<Vec<Field>>,
    pub(crate) column_metadata: Vec<ColumnMetadata>,
    pub(crate) number_of_records_updated: i64,
    pub(crate) generated_fields: Vec<Field>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ColumnMetadata {
    pub(crate) label: String,
    pub(crate) name: String,
    pub(crate) type_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BatchExecuteStatementResult {
    pub(crate) update_results: Vec<UpdateResult>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UpdateResult {
    pub(crate) generated_fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BeginTransactionResult {
    pub(crate) transaction_id: String,
}

/// The body of an error answer. The kind stands in a header or, for some services, here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ErrorBody {
    #[serde(alias = "Message")]
    pub(crate) message: Option<String>,
    #[serde(rename = "__type", alias = "code")]
    pub(crate) kind: Option<String>,
}

/// The first generated key, if there is one.
pub(crate) fn generated_id(fields: &[Field]) -> Option<i64> {
    match fields.first() {
        Some(Field::LongValue(id)) => Some(*id),
        _ => None,
    }
}
