//! REST with XML, as S3 speaks it.

use ::http::StatusCode;

use crate::error::AwsError;
use crate::http::{self, Answer};
use crate::protocol::xml::Xml;

pub(crate) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A document of the S3 namespace.
pub(crate) fn answer(name: &str, inner: impl FnOnce(&mut Xml)) -> Answer {
    http::answer(
        StatusCode::OK,
        "application/xml",
        Xml::root(name, NAMESPACE, inner),
    )
}

/// S3's `<Error>`, which has no namespace and no envelope.
pub(crate) fn error(error: &AwsError, resource: &str, request_id: &str) -> Answer {
    let mut xml = Xml::default();
    xml.nest("Error", |xml| {
        xml.text("Code", &error.kind);
        xml.text("Message", &error.message);
        xml.text("Resource", resource);
        xml.text("RequestId", request_id);
    });
    http::answer(error.status, "application/xml", xml.document())
}
