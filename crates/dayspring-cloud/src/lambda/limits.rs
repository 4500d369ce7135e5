//! How many files this cloud may have open, and how many a function.

use rustix::process::{Pid, Resource, getrlimit, setrlimit};
#[cfg(target_os = "linux")]
use rustix::process::{Rlimit, prlimit};

/// Each process takes a handful of descriptors, and the usual limit of 1024 is used up by two hundred of them. As many as
/// the system allows without asking, and no more than a thousand processes need.
pub(super) fn raise_open_files() {
    const WANTED: u64 = 16_384;
    let mut limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.unwrap_or(WANTED).min(WANTED);
    if limit.current.is_some_and(|current| current < allowed) {
        limit.current = Some(allowed);
        // Refused: it is as it was.
        setrlimit(Resource::Nofile, limit).unwrap_or_default();
    }
}

/// A function may have 1,024 files open: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html> (read
/// 2026-11-23). This cloud raised its own limit, which its children have from it.
#[cfg(target_os = "linux")]
pub(super) fn limit_open_files(process: Pid) {
    const OPEN_FILES_MAX: u64 = 1024;
    let allowed = getrlimit(Resource::Nofile).maximum;
    let limit = Some(allowed.map_or(OPEN_FILES_MAX, |allowed| allowed.min(OPEN_FILES_MAX)));
    let limit = Rlimit {
        current: limit,
        maximum: limit,
    };
    // Refused, or the process is gone: it is as it was.
    prlimit(Some(process), Resource::Nofile, limit)
        .map(drop)
        .unwrap_or_default();
}

/// Nobody but a process itself can set its limits here.
#[cfg(not(target_os = "linux"))]
pub(super) fn limit_open_files(_process: Pid) {}
