//! Moments as AWS writes them. The clock itself is read at the edge of the service.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Milliseconds since 1970, by the wall clock.
pub(crate) fn unix_millis_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// A moment in UTC, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Utc {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    millis: u64,
}

impl Utc {
    /// From milliseconds since 1970, by the proleptic Gregorian calendar. The year is counted from March, so that the leap
    /// day is its last.
    pub(crate) fn from_unix_millis(unix_millis: u64) -> Self {
        let seconds = unix_millis / 1000;
        let days = seconds / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: year_of_era + era * 400 + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            millis: unix_millis % 1000,
        }
    }

    /// `2026/11/22`, as log streams begin.
    pub(crate) fn stream_day(self) -> String {
        format!("{:04}/{:02}/{:02}", self.year, self.month, self.day)
    }

    /// `22/Nov/2026:23:41:25 +0000`, the `requestTime` of API Gateway.
    pub(crate) fn common_log(self) -> String {
        let month = usize::try_from(self.month - 1)
            .ok()
            .and_then(|index| MONTHS.get(index))
            .unwrap_or(&"Jan");
        format!(
            "{:02}/{month}/{:04}:{:02}:{:02}:{:02} +0000",
            self.day, self.year, self.hour, self.minute, self.second
        )
    }

    /// `2026-11-22T23:41:25.123` without a zone.
    pub(crate) fn iso_millis(self) -> String {
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}",
            self.year, self.month, self.day, self.hour, self.minute, self.second, self.millis
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_aws_writes_it() {
        let moment = Utc::from_unix_millis(1_795_390_885_123);
        assert_eq!(moment.stream_day(), "2026/11/22");
        assert_eq!(moment.common_log(), "22/Nov/2026:23:41:25 +0000");
        assert_eq!(moment.iso_millis(), "2026-11-22T23:41:25.123");
    }

    #[test]
    fn leap_days_and_the_epoch_are_right() {
        assert_eq!(
            Utc::from_unix_millis(0).iso_millis(),
            "1970-01-01T00:00:00.000"
        );
        assert_eq!(
            Utc::from_unix_millis(1_709_164_800_000).stream_day(),
            "2024/02/29"
        );
        assert_eq!(
            Utc::from_unix_millis(4_107_542_400_000).stream_day(),
            "2100/03/01"
        );
    }
}
