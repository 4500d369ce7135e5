//! Rows of S3.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "s3-policies",
        service: "S3",
        here: "bucket policies, versioning, encryption and lifecycle are answered as if set and have no effect",
        aws: "they hold",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html",
    },
    Row {
        id: "s3-presigned",
        service: "S3",
        here: "URLs that are pre-signed by Signature Version 2 are refused as unsigned",
        aws: "they are taken in some regions",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html",
    },
];
