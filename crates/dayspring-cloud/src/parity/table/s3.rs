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
    Row {
        id: "s3-multipart",
        service: "S3",
        here: "an upload of parts is all parts that were sent, whichever are named at its end; a part's number is any, and its upload's bucket and key are not compared; the ETag is that of the bytes",
        aws: "the named parts, numbers from 1 to 10,000, NoSuchUpload, an ETag that ends in -N",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html",
    },
];
