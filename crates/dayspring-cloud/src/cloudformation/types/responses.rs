//! Where the answers of custom resources arrive: a URL per request, which carries a secret and is good for one answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::http;

/// The start of the path of a response URL, before the region.
pub(crate) const PATH: &str = "/cloudformation-custom-resource-response-";

/// How long an answer may be (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>).
pub(crate) const BYTES_MAX: usize = 4096;

/// The requests that are waiting for their answers. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Responses {
    waiting: Arc<Mutex<HashMap<String, oneshot::Sender<Bytes>>>>,
}

impl Responses {
    /// Waits for the answer to a request. `secret` is in the URL's query string.
    pub(super) fn expect(&self, secret: &str) -> oneshot::Receiver<Bytes> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waited in vain is gone by now.
        waiting.retain(|_, sender| !sender.is_closed());
        waiting.insert(secret.to_owned(), sender);
        receiver
    }

    /// Takes an answer that arrived at a response URL. Gives whether someone waited for it.
    pub(crate) fn arrived(&self, query: &str, body: Bytes) -> bool {
        let fields = http::form_fields(query);
        let Some((_, secret)) = fields.iter().find(|(name, _)| name == "X-Amz-Signature") else {
            return false;
        };
        let sender = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(secret);
        sender.is_some_and(|sender| sender.send(body).is_ok())
    }
}
