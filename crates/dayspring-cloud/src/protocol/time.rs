//! Points in time as the protocols write them. All are milliseconds since 1970 inside.

/// `2026-11-22T23:41:23.123Z`, the form of the query protocol and of S3's listings.
pub(crate) fn iso8601(millis: u64) -> String {
    let (year, month, day) = civil(millis / MILLIS_PER_DAY);
    let (hour, minute, second) = clock(millis);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        millis % 1000
    )
}

/// `Sun, 22 Nov 2026 23:41:23 GMT`, the form of `Last-Modified`.
pub(crate) fn http_date(millis: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = millis / MILLIS_PER_DAY;
    let (year, month, day) = civil(days);
    let (hour, minute, second) = clock(millis);
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Seconds with a fraction, as the JSON protocols write a time.
pub(crate) fn epoch_seconds(millis: u64) -> serde_json::Value {
    // A time of this millennium is far below 2^53, where a double is exact.
    #[expect(clippy::cast_precision_loss, reason = "exact up to the year 287396")]
    let seconds = millis as f64 / 1000.0;
    serde_json::Value::from(seconds)
}

const MILLIS_PER_DAY: u64 = 86_400_000;

fn clock(millis: u64) -> (u64, u64, u64) {
    let seconds = millis % MILLIS_PER_DAY / 1000;
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_both_forms() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(iso8601(951_782_400_007), "2000-02-29T00:00:00.007Z");
        assert_eq!(iso8601(1_795_390_883_123), "2026-11-22T23:41:23.123Z");
        assert_eq!(
            http_date(1_795_390_883_123),
            "Sun, 22 Nov 2026 23:41:23 GMT"
        );
    }
}
