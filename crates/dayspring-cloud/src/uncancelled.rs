//! A future that goes on by itself when its caller drops it: a client that hangs up stops neither a function nor a
//! statement. As long as the caller waits it runs in the caller's task, which spares every request a task of its own and the
//! way to it and back between threads.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// See the module.
pub(crate) struct Uncancelled<T: Send + 'static> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
}

impl<T: Send + 'static> Uncancelled<T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self {
            future: Some(Box::pin(future)),
        }
    }
}

impl<T: Send + 'static> std::fmt::Debug for Uncancelled<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Uncancelled")
            .finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Future for Uncancelled<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(future) = &mut self.future else {
            return Poll::Pending;
        };
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Uncancelled<T> {
    fn drop(&mut self) {
        if let (Some(future), Ok(runtime)) =
            (self.future.take(), tokio::runtime::Handle::try_current())
        {
            // What it holds ends with the cloud at the latest: processes, and servers' connections.
            drop(runtime.spawn(future));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn it_goes_on_when_it_is_dropped() {
        let (begin, begun) = oneshot::channel::<()>();
        let (sender, receiver) = oneshot::channel();
        let mut future = Uncancelled::new(async move {
            begun.await.unwrap();
            sender.send(7).unwrap();
        });
        let polled = std::future::poll_fn(|context| {
            Poll::Ready(Pin::new(&mut future).poll(context).is_ready())
        });
        assert!(!polled.await);
        drop(future);
        begin.send(()).unwrap();
        assert_eq!(receiver.await, Ok(7));
    }
}
