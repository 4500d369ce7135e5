//! Rows of Systems Manager.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[Row {
    id: "ssm-secure-string",
    service: "SSM",
    here: "a SecureString is kept as it is; WithDecryption makes no difference",
    aws: "it is encrypted, and decrypted where that is asked for",
    warned: Warned::Never,
    source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html",
}];
