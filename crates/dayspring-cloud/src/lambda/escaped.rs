//! Processes that left the group of the function that started them.
//!
//! Ending a process group ends what a function started, unless that made a session of its own (`setsid`, a daemon). Such
//! a process still has the environment that it was started with, and the address of the Runtime API in it is one
//! process's alone. Where there is no `/proc`, or where it cleared its environment too, it is not found.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// Each round finds what the processes of the round before started while they were ended.
const ROUNDS_MAX: usize = 8;

/// Ends every process that has `AWS_LAMBDA_RUNTIME_API=ADDRESS` in its environment.
pub(super) fn end(runtime_api: &str) {
    let marker = format!("AWS_LAMBDA_RUNTIME_API={runtime_api}");
    for _ in 0..ROUNDS_MAX {
        let found = find(marker.as_bytes());
        if found.is_empty() {
            return;
        }
        for process in found {
            // It ended by itself meanwhile.
            kill_process(process, Signal::KILL).unwrap_or_default();
        }
    }
}

fn find(marker: &[u8]) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter(|process| {
            let number = process.as_raw_nonzero();
            // A process that is ended and not yet waited for has an empty one.
            fs::read(format!("/proc/{number}/environ"))
                .is_ok_and(|environment| has_variable(&environment, marker))
        })
        .collect()
}

/// Variables are separated by zero bytes.
fn has_variable(environment: &[u8], marker: &[u8]) -> bool {
    environment
        .split(|byte| *byte == 0)
        .any(|variable| variable == marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_found_whole() {
        let environment = b"A=1\0AWS_LAMBDA_RUNTIME_API=127.0.0.1:90\0B=2\0";
        assert!(has_variable(
            environment,
            b"AWS_LAMBDA_RUNTIME_API=127.0.0.1:90"
        ));
        assert!(!has_variable(
            environment,
            b"AWS_LAMBDA_RUNTIME_API=127.0.0.1:9"
        ));
    }
}
