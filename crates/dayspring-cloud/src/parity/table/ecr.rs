//! Rows of ECR.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[Row {
    id: "ecr",
    service: "ECR",
    here: "repositories are recorded; there is no registry to push images to",
    aws: "images are pushed, pulled and scanned",
    warned: Warned::Never,
    source: "https://docs.aws.amazon.com/AmazonECR/latest/userguide/what-is-ecr.html",
}];
