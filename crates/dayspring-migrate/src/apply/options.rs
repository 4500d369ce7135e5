//! What a run is told before it begins.

use std::time::Duration;

use crate::plan::Mode;
use crate::script::Phase;

/// How a run goes about its work.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who migrates, for others who wait: unique for each run (a request id, a host and process).
    pub owner: String,
    /// Which scripts.
    pub phase: Phase,
    /// How strictly the past is kept.
    pub mode: Mode,
    /// How long the lease holds without a sign of life. It must be longer than the longest single call, or another
    /// migrator takes over, which is safe and confusing.
    pub lease: Duration,
    /// How long to wait for another migrator.
    pub lease_wait: Duration,
    /// How long a holder must have said nothing over its connection, its lease being over, before that is ended: longer
    /// than a living one takes between an answer and its next call. Whole seconds, as the process list counts them.
    pub idle: Duration,
    /// How long a statement may do nothing but wait for a lock on a table before it is cancelled. Whole seconds. It
    /// makes everyone else who wants the table wait behind it.
    pub lock_wait: Duration,
    /// How long a statement whose answer was lost must not be seen before it counts as never begun. The request may
    /// still be on its way: the Data API needs the length of a call. Of what was sent over a connection that is known to
    /// have ended nothing is on its way, and nothing is waited for.
    pub quiet: Duration,
    /// What a run that handed over to this one had seen of it. Without it runs that are shorter than the quiet would each
    /// begin to wait anew.
    pub was_quiet: Option<Quiet>,
    /// How long a statement is followed after its answer was lost or its wait ended.
    pub follow: Duration,
    /// How long to wait between two looks at anything.
    pub poll: Duration,
    /// With less time than this left the run hands over instead of beginning another statement.
    pub reserve: Duration,
}

impl Options {
    /// The usual: the expand phase, strictly; a lease of 90 s (twice the Data API's 45 s for one call), a wait of two
    /// leases, ten seconds for an idle holder, half a minute for a lock, a minute of quiet, an hour to follow a statement
    /// (CloudFormation's longest), hand-over in the last minute.
    #[must_use]
    pub fn new(owner: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            phase: Phase::Expand,
            mode: Mode::Strict,
            lease: Duration::from_secs(90),
            lease_wait: Duration::from_secs(180),
            idle: Duration::from_secs(10),
            lock_wait: Duration::from_secs(30),
            quiet: Duration::from_secs(60),
            was_quiet: None,
            follow: Duration::from_secs(3600),
            poll: Duration::from_secs(1),
            reserve: Duration::from_secs(60),
        }
    }
}

/// How long a statement was not to be seen whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// The fencing token of the run that recorded the statement as started. One that records it anew, and sends it, has
    /// another.
    pub token: i64,
    /// So long.
    pub lasted: Duration,
}
