//! AWS's wire protocols: how a request names its operation and its input, and how answers and errors are written.

pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod rest_json;
pub(crate) mod rest_xml;
pub(crate) mod signature;
pub(crate) mod time;
pub(crate) mod xml;
