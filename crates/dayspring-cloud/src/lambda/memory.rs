//! `Max Memory Used`: the most that a process had in memory.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The system writes a process's status anew for each reader, so a fast function is not asked after every request. What
/// it says is the greatest since the start and never falls; only the newest growth can be missing.
const READ_EVERY: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub(super) struct MemoryUse {
    process: Option<u32>,
    last: Mutex<Option<(Instant, u64)>>,
}

impl MemoryUse {
    pub(super) fn new(process: Option<u32>) -> Self {
        Self {
            process,
            last: Mutex::new(None),
        }
    }

    /// In MiB, rounded up. `None` where the system does not tell.
    pub(super) fn max_mib(&self, now: Instant) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((at, mib)) if now.saturating_duration_since(at) < READ_EVERY => Some(mib),
            _ => {
                let read = self
                    .process
                    .and_then(|process| {
                        std::fs::read_to_string(format!("/proc/{process}/status")).ok()
                    })
                    .and_then(|status| parse_high_water_mark(&status))
                    .or(last.map(|(_, mib)| mib))?;
                *last = Some((now, read));
                Some(read)
            }
        }
    }
}

/// `VmHWM:      3404 kB` in MiB.
fn parse_high_water_mark(status: &str) -> Option<u64> {
    let kib: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()?;
    Some(kib.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_mebibytes() {
        let status =
            "Name:\tbootstrap\nVmPeak:\t   70000 kB\nVmHWM:\t    3404 kB\nVmRSS:\t 3000 kB\n";
        assert_eq!(parse_high_water_mark(status), Some(4));
        assert_eq!(parse_high_water_mark("Name:\tx\n"), None);
    }
}
