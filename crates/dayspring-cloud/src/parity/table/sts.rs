//! Rows of STS.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "sts-roles",
        service: "STS",
        here: "anyone may assume any role",
        aws: "the role's trust policy decides",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
    },
    Row {
        id: "sts-credentials",
        service: "STS",
        here: "temporary credentials do not expire, and their session token is not looked at",
        aws: "they end after their duration, and a request without the token is refused",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html",
    },
];
