//! A process's memory: how much it had at most, and whether that is more than its function may have.
//!
//! No limit that the system offers an unprivileged parent fits: an address space limit refuses what Node and Go only
//! reserve, and a control group needs a delegation that most machines do not give. So what a process and its children
//! have in memory is looked at while it works, from `/proc`. Pages that a process shares with its children are counted
//! once before anything is ended. Where there is no `/proc` nothing is known and nothing is ended.

use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a busy process is looked at. A process can fill some hundred MiB between two looks.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The system writes a process's status anew for each reader, so a fast function is not asked after every request. What
/// it says is the greatest since the start and never falls; only the newest growth can be missing.
const READ_EVERY: Duration = Duration::from_millis(100);

/// A process has more children than this: those beyond are not counted.
const FAMILY_MAX: usize = 256;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct MemoryUse {
    process: Option<u32>,
    limit_bytes: u64,
    last: Mutex<Option<(Instant, u64)>>,
}

impl MemoryUse {
    pub(super) fn new(process: Option<u32>, limit_mib: u32) -> Self {
        Self {
            process,
            limit_bytes: u64::from(limit_mib) * MIB,
            last: Mutex::new(None),
        }
    }

    /// In MiB, rounded up. `None` where the system does not tell.
    pub(super) fn max_mib(&self, now: Instant) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((at, bytes)) if now.saturating_duration_since(at) < READ_EVERY => {
                Some(bytes.div_ceil(MIB))
            }
            _ => {
                let read = self
                    .process
                    .and_then(|process| fs::read_to_string(format!("/proc/{process}/status")).ok())
                    .and_then(|status| parse_kib(&status, "VmHWM:"))
                    .unwrap_or_default()
                    .max(last.map_or(0, |(_, bytes)| bytes));
                if read == 0 {
                    return None;
                }
                *last = Some((now, read));
                Some(read.div_ceil(MIB))
            }
        }
    }

    /// Whether the process and its children have more in memory than their function may have.
    pub(super) fn is_beyond_limit(&self, now: Instant) -> bool {
        let Some(process) = self.process else {
            return false;
        };
        let family = family(process);
        let resident: u64 = family.iter().map(|member| resident_bytes(*member)).sum();
        // Counting what is shared once takes the system long for a large process, so it is done only when it matters.
        let bytes = if resident > self.limit_bytes {
            // One that has ended meanwhile, or that nobody has waited for, has nothing.
            family
                .iter()
                .filter_map(|member| proportional_bytes(*member))
                .sum()
        } else {
            resident
        };
        let beyond = bytes > self.limit_bytes;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // What was refused was never had: the figure of a process that is ended is its limit.
        let had = bytes.min(self.limit_bytes);
        let at = last.map_or(now, |(at, _)| at);
        *last = Some((
            if beyond { now } else { at },
            had.max(last.map_or(0, |(_, before)| before)),
        ));
        beyond
    }
}

/// A process and its children, and theirs.
fn family(process: u32) -> Vec<u32> {
    let mut family = vec![process];
    let mut next = 0;
    while let Some(member) = family.get(next).copied() {
        next += 1;
        let Ok(threads) = fs::read_dir(format!("/proc/{member}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            // Each thread has the children that it started.
            let Ok(children) = fs::read_to_string(thread.path().join("children")) else {
                continue;
            };
            family.extend(
                children
                    .split_ascii_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
        if family.len() >= FAMILY_MAX {
            break;
        }
    }
    family
}

fn resident_bytes(process: u32) -> u64 {
    fs::read_to_string(format!("/proc/{process}/statm"))
        .ok()
        .and_then(|text| parse_resident_pages(&text))
        .unwrap_or_default()
        .saturating_mul(u64::try_from(rustix::param::page_size()).unwrap_or_default())
}

/// The second field.
fn parse_resident_pages(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// With each shared page divided among those that share it. Files that are mapped are not counted: the system takes
/// them out of memory when it needs the room.
fn proportional_bytes(process: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    parse_kib(&rollup, "Pss_Anon:").or_else(|| parse_kib(&rollup, "Pss:"))
}

/// The bytes of a line such as `VmHWM:      3404 kB`.
fn parse_kib(text: &str, name: &str) -> Option<u64> {
    let kib: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix(name))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()?;
    Some(kib * KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_in_bytes() {
        let status =
            "Name:\tbootstrap\nVmPeak:\t   70000 kB\nVmHWM:\t    3404 kB\nVmRSS:\t 3000 kB\n";
        assert_eq!(parse_kib(status, "VmHWM:"), Some(3404 * 1024));
        assert_eq!(parse_kib("Name:\tx\n", "VmHWM:"), None);
        assert_eq!(parse_resident_pages("1190 420 300 5 0 89 0\n"), Some(420));
    }

    #[test]
    fn a_process_is_beyond_its_limit_when_it_has_more() {
        let own = std::process::id();
        if resident_bytes(own) == 0 {
            // No `/proc` here.
            return;
        }
        let now = Instant::now();
        assert!(MemoryUse::new(Some(own), 0).is_beyond_limit(now));
        let roomy = MemoryUse::new(Some(own), 100_000);
        assert!(!roomy.is_beyond_limit(now));
        assert!(roomy.max_mib(now).is_some());
        assert!(!MemoryUse::new(None, 0).is_beyond_limit(now));
    }
}
