//! Rows of Secrets Manager.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "secrets-rotation",
        service: "Secrets Manager",
        here: "secrets are not rotated, and are kept in the state folder unencrypted, readable by this user alone",
        aws: "rotation by schedule, encryption by KMS",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html",
    },
    Row {
        id: "secrets-deletion",
        service: "Secrets Manager",
        here: "a deleted secret is gone at once",
        aws: "it can be restored for up to 30 days, and its name is taken that long",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html",
    },
];
