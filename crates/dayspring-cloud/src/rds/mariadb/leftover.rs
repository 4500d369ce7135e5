//! A server that outlived its cloud: found by the process id that was recorded when it was started, and ended.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{MariadbError, file_error, options};

/// How long a server may take to stop by itself.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(3);

/// How long the system may take to clear a killed one away: its memory and its files, on a loaded machine.
const KILLED_WITHIN: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(10);

/// Records the process that serves a data folder.
pub(super) fn record(file: &Path, pid: u32) -> Result<(), MariadbError> {
    fs::write(file, pid.to_string()).map_err(file_error("write", file))
}

/// Ends the recorded process if it still serves this data folder. Process ids are used again, so a process whose
/// command line does not name the folder is somebody else's and is left alone.
pub(super) async fn end(file: &Path, data: &Path) -> Result<(), MariadbError> {
    let Some(pid) = fs::read_to_string(file)
        .ok()
        .and_then(|text| text.trim().parse::<i32>().ok())
        .and_then(Pid::from_raw)
    else {
        return Ok(());
    };
    for (signal, within) in [(Signal::TERM, STOP_WITHIN), (Signal::KILL, KILLED_WITHIN)] {
        if !serves(pid, data) {
            return Ok(());
        }
        // It may have ended since: then there is nothing to end.
        kill_process(pid, signal).ok();
        let gone = async {
            while test_kill_process(pid).is_ok() && serves(pid, data) {
                tokio::time::sleep(PAUSE).await;
            }
        };
        if tokio::time::timeout(within, gone).await.is_ok() {
            return Ok(());
        }
    }
    Err(MariadbError::Leftover {
        pid: pid.as_raw_nonzero().get(),
    })
}

/// Whether the process's command line names this data folder. A process that ended and waits for its parent has an
/// empty one.
fn serves(pid: Pid, data: &Path) -> bool {
    let pid = pid.as_raw_nonzero();
    let option = options::data_option(data);
    let option = option.as_encoded_bytes();
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => line.split(|byte| *byte == 0).any(|word| word == option),
        Err(_) if Path::new("/proc/self").exists() => false,
        Err(_) => std::process::Command::new("ps")
            .args(["-o", "command=", "-p", &pid.to_string()])
            .output()
            .is_ok_and(|output| {
                output
                    .stdout
                    .windows(option.len())
                    .any(|part| part == option)
            }),
    }
}
