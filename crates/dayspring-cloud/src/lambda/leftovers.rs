//! Processes that a killed cloud left behind.
//!
//! A process that waits for an event sees its connection close and ends by itself, and so does one that answers. One that
//! hangs in its handler does not: no safe call makes a child die with its parent. So each process is written down while it
//! lives, and the next start ends those that are still there. A number alone could be another process's by then; the
//! moment of its start and the machine's boot tell them apart. Where the system has no `/proc`, nothing is written down
//! and nothing is ended.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process_group};

/// See the module.
#[derive(Debug)]
pub(super) struct Leftovers {
    folder: PathBuf,
}

impl Leftovers {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes a process down. One that cannot be written down runs all the same.
    pub(super) fn note(&self, process: Pid) {
        if let Some(birth) = birth(process.as_raw_nonzero().get()) {
            fs::create_dir_all(&self.folder)
                .and_then(|()| fs::write(self.path(process), birth))
                .unwrap_or_default();
        }
    }

    pub(super) fn strike(&self, process: Pid) {
        // It was not written down.
        fs::remove_file(self.path(process)).unwrap_or_default();
    }

    fn path(&self, process: Pid) -> PathBuf {
        self.folder.join(process.as_raw_nonzero().to_string())
    }

    /// Ends what the last run left.
    pub(super) fn end(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let number = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if let Some(number) = number
                && let Some(process) = Pid::from_raw(number)
                && birth(number).is_some()
                && birth(number) == fs::read_to_string(entry.path()).ok()
            {
                kill_process_group(process, Signal::KILL).unwrap_or_default();
            }
            fs::remove_file(entry.path()).unwrap_or_default();
        }
    }
}

/// The boot and the moment of its start, which together with its number are no other process's.
fn birth(process: i32) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(format!("{} {}", boot.trim(), parse_start(&stat)?))
}

/// The twenty-second field, in ticks since the boot. The second is the program's name and may hold anything.
fn parse_start(stat: &str) -> Option<&str> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(19)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command};

    use super::*;

    fn sleeper() -> (Child, Pid) {
        let child = Command::new("/bin/sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .unwrap();
        let process = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        (child, process)
    }

    #[test]
    fn what_a_killed_run_left_is_ended_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let leftovers = Leftovers::new(folder.path().join("processes"));
        let (mut child, process) = sleeper();
        leftovers.note(process);
        if !leftovers.path(process).exists() {
            // No `/proc` here.
            child.kill().unwrap();
            child.wait().unwrap();
            return;
        }
        leftovers.end();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert!(!leftovers.path(process).exists());
    }

    #[test]
    fn another_process_with_the_same_number_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let leftovers = Leftovers::new(folder.path().to_owned());
        let (mut child, process) = sleeper();
        fs::write(leftovers.path(process), "another boot 1").unwrap();
        leftovers.end();
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_name_with_spaces_and_brackets_is_no_field() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 2 3";
        assert_eq!(parse_start(stat), Some("12345"));
    }
}
