//! A connection of a runtime: where it asks, and where it is given its events.
//!
//! An event is written by whoever has it, straight into the socket of the runtime that asked. The connection's own task
//! then has nothing to do until the runtime says more; it is woken only for what the system did not take at once.

use std::io::Result;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;

use super::session::Delivery;
use crate::http::{write_date, write_header};
use crate::socket::write_now;

/// See the module.
#[derive(Debug)]
pub(super) struct Line {
    stream: OwnedWriteHalf,
    /// Held for a write that does not block at most, never across an await.
    asked: Mutex<Asked>,
    told: Notify,
}

/// What became of `next` on this connection.
#[derive(Debug)]
pub(super) enum Asked {
    /// It is open, or was not asked.
    Open,
    /// It was answered.
    Answered,
    /// It is answered, and this is still to be written.
    Rest(Vec<u8>),
    /// There will be no event.
    Never,
    /// The connection is gone.
    Gone,
}

impl Line {
    pub(super) fn new(stream: OwnedWriteHalf) -> Self {
        Self {
            stream,
            asked: Mutex::new(Asked::Gone),
            told: Notify::new(),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        // Every change is one assignment.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runtime asks.
    pub(super) fn open(&self) {
        *self.asked() = Asked::Open;
    }

    /// Nobody is there any more.
    pub(super) fn hang_up(&self) {
        *self.asked() = Asked::Gone;
    }

    /// The process is gone.
    pub(super) fn end(&self) {
        *self.asked() = Asked::Never;
        self.told.notify_one();
    }

    /// Answers `next`. False when the connection does not live.
    pub(super) fn deliver(&self, delivery: &Delivery) -> bool {
        // Held over the write: a runtime that answers at once is not looked at before this is known to be sent.
        let mut asked = self.asked();
        if !matches!(*asked, Asked::Open) {
            return false;
        }
        let mut message = message(delivery);
        let Ok(written) = write_now(&message, |bytes| self.stream.try_write(bytes)) else {
            *asked = Asked::Gone;
            self.told.notify_one();
            return false;
        };
        *asked = if written == message.len() {
            Asked::Answered
        } else {
            self.told.notify_one();
            Asked::Rest(message.split_off(written))
        };
        true
    }

    /// What became of `next`. What is to be written is given once.
    pub(super) fn asked_now(&self) -> Asked {
        let mut asked = self.asked();
        match &*asked {
            Asked::Open => Asked::Open,
            Asked::Answered => Asked::Answered,
            Asked::Rest(_) => std::mem::replace(&mut *asked, Asked::Answered),
            Asked::Never => Asked::Never,
            Asked::Gone => Asked::Gone,
        }
    }

    /// Waits until [`Line::asked_now`] has something to say that nobody but the connection's task can do.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }

    /// Writes everything.
    pub(super) async fn write(&self, mut bytes: &[u8]) -> Result<()> {
        loop {
            let written = write_now(bytes, |bytes| self.stream.try_write(bytes))?;
            bytes = bytes.get(written..).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            self.stream.writable().await?;
        }
    }
}

/// An event as an answer: in one piece, which is one call of the system.
fn message(delivery: &Delivery) -> Vec<u8> {
    let event = &delivery.event;
    let mut out = Vec::with_capacity(512 + event.payload.len());
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
    write_date(&mut out);
    let deadline = delivery.deadline_unix_millis.to_string();
    for (name, text) in [
        (
            "Lambda-Runtime-Aws-Request-Id",
            Some(event.request_id.as_str()),
        ),
        ("Lambda-Runtime-Deadline-Ms", Some(deadline.as_str())),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            Some(event.function_arn.as_str()),
        ),
        ("Lambda-Runtime-Trace-Id", Some(event.trace_id.as_str())),
        (
            "Lambda-Runtime-Client-Context",
            event.client_context.as_deref(),
        ),
        (
            "Content-Length",
            Some(event.payload.len().to_string().as_str()),
        ),
    ] {
        // A caller's own text may be what no header can hold.
        if let Some(text) = text.filter(|text| is_header_value(text)) {
            write_header(&mut out, name, text.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&event.payload);
    out
}

fn is_header_value(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}
