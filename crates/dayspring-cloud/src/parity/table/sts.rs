//! Rows of STS.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[Row {
    id: "sts-roles",
    service: "STS",
    here: "anyone may assume any role",
    aws: "the role's trust policy decides",
    warned: Warned::Never,
    source: "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
}];
