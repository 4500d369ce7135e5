//! What is asked of an operation while it runs: to go back, or to delete what it made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// What an operation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cloudformation) enum Interruption {
    /// `CancelUpdateStack`.
    Cancel,
    /// `DeleteStack` while the stack is made.
    Delete,
}

/// The operations that run, by the ids of their stacks.
#[derive(Debug, Default)]
pub(in crate::cloudformation) struct Running {
    operations: Mutex<HashMap<String, Arc<watch::Sender<Option<Interruption>>>>>,
}

/// The end at which an operation hears what is asked of it.
#[derive(Debug, Clone)]
pub(in crate::cloudformation) struct Ear(watch::Receiver<Option<Interruption>>);

impl Running {
    /// A new operation on a stack takes the place of the last one.
    pub(in crate::cloudformation) fn start(&self, stack_id: &str) -> Ear {
        let (sender, receiver) = watch::channel(None);
        self.lock().insert(stack_id.to_owned(), Arc::new(sender));
        Ear(receiver)
    }

    pub(in crate::cloudformation) fn interrupt(&self, stack_id: &str, interruption: Interruption) {
        if let Some(sender) = self.lock().get(stack_id) {
            sender.send_replace(Some(interruption));
        }
    }

    fn lock(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<String, Arc<watch::Sender<Option<Interruption>>>>> {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear {
    pub(super) fn heard(&self) -> Option<Interruption> {
        *self.0.borrow()
    }

    /// Ends when something is asked; never, where nothing is.
    pub(super) async fn hear(mut self) {
        if self.0.wait_for(Option::is_some).await.is_err() {
            std::future::pending().await
        }
    }
}
