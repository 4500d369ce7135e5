//! A request that was read whole, and an answer that is sent whole.

use bytes::Bytes;
use http_body_util::Full;

/// A request whose body was read, within the limit of the service that it is for.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parts: ::http::request::Parts,
    pub(crate) body: Bytes,
    /// The client's address, as `X-Forwarded-For` and access logs show it.
    pub(crate) peer: std::net::SocketAddr,
}

pub(crate) type Answer = ::http::Response<Full<Bytes>>;
