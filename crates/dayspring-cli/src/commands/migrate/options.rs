//! How a run goes about its work, from flags.

use std::time::Duration;

use clap::Args;
use dayspring_migrate::{Mode, Options};

/// How long a statement waits for a lock. A table that others read all day is free within seconds or not at all, and
/// while a schema statement waits, everything behind it waits too.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(30);

/// How long a statement whose answer was lost must not be seen. The session ends a lost connection at the server before
/// it goes on, so nothing of it is on its way any more; a proxy between may keep something for a moment.
const QUIET: Duration = Duration::from_secs(1);

/// How long to wait
#[derive(Debug, Clone, Args)]
pub(crate) struct WaitArgs {
    /// How long a statement waits for a lock of another connection before it fails (with --database-url)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub(super) lock_wait: Duration,
    /// How long to wait for another migrator to finish
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = parse_duration)]
    pub(super) lease_wait: Duration,
}

impl WaitArgs {
    /// Over one's own connection looking costs nothing, so it is done often.
    pub(super) fn direct(&self, owner: String, mode: Mode) -> Options {
        let mut options = self.data_api(owner, mode);
        options.lock_wait = self.lock_wait;
        options.poll = Duration::from_millis(200);
        options.quiet = QUIET;
        options
    }

    pub(super) fn data_api(&self, owner: String, mode: Mode) -> Options {
        let mut options = Options::new(owner);
        options.mode = mode;
        options.lease_wait = self.lease_wait;
        options
    }
}

/// `500ms`, `30s`, `3m`, `1h`; a number alone is seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = if unit.is_empty() { "s" } else { unit };
    let milliseconds = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .and_then(|(_, size)| number.parse::<u64>().ok()?.checked_mul(*size))
        .filter(|milliseconds| *milliseconds <= 24 * 3_600_000);
    milliseconds
        .map(Duration::from_millis)
        .ok_or_else(|| "expected a time up to a day, as in 500ms, 30s, 3m or 1h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        let seconds = |text| parse_duration(text).ok().map(|time| time.as_secs_f64());
        assert_eq!(
            ["500ms", "30s", "30", "3m", "24h"].map(seconds),
            [0.5, 30.0, 30.0, 180.0, 86_400.0].map(Some)
        );
        assert_eq!(
            ["", "s", "-1s", "1d", "25h", "99999999999999999999s"].map(seconds),
            [None; 6]
        );
    }
}
