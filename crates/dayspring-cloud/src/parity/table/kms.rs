//! Rows of KMS.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[Row {
    id: "kms",
    service: "KMS",
    here: "keys and aliases are recorded; nothing is encrypted with them, and there is no KMS API",
    aws: "what names a key is encrypted with it",
    warned: Warned::Never,
    source: "https://docs.aws.amazon.com/kms/latest/developerguide/overview.html",
}];
