//! When to stop.

/// Returns when the user asks the process to end: by Ctrl-C, SIGTERM, or by closing the terminal.
pub(crate) async fn requested() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the signal ends the process by itself.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = unix::terminated() => {}
        () = unix::hung_up() => {}
    }
}

#[cfg(unix)]
mod unix {
    use tokio::signal::unix::{SignalKind, signal};

    pub(super) async fn terminated() {
        received(SignalKind::terminate()).await;
    }

    /// The terminal is gone, unless that was said to be no reason: `nohup` has the signal ignored.
    pub(super) async fn hung_up() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        if super::is_hangup_ignored(&status) {
            std::future::pending::<()>().await;
        }
        received(SignalKind::hangup()).await;
    }

    async fn received(kind: SignalKind) {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
mod unix {
    pub(super) async fn terminated() {
        std::future::pending().await
    }

    pub(super) async fn hung_up() {
        std::future::pending().await
    }
}

/// Whether a process ignores SIGHUP, the first signal of the mask `SigIgn` (proc_pid_status(5)).
fn is_hangup_ignored(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_nohup_ignores_stays_ignored() {
        assert!(is_hangup_ignored("SigBlk:\t0\nSigIgn:\t0000000000001001\n"));
        assert!(!is_hangup_ignored(
            "SigIgn:\t0000000000001000\nSigCgt:\t1\n"
        ));
        assert!(!is_hangup_ignored(""));
    }
}
