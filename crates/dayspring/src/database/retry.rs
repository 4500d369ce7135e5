//! What to do after a call failed: a decision over values, so that every case stands in a table of tests.
//!
//! The rule: a statement is sent again only when it is certain that it had no effect, or when it only reads. A write
//! whose answer was lost is [`Decision::Doubtful`] and stays so: sending it again could do it twice, and calling it
//! failed could make someone else do it twice.

use std::time::Duration;

use crate::error::MySqlError;

/// An error that the service answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError {
    /// The service answered with an error.
    Answered(ServiceError),
    /// The call never left this process.
    NotSent(String),
    /// The call was sent and no whole answer came.
    Lost(String),
    /// An answer came, saying that it worked, and could not be read.
    Unreadable(String),
}

/// Whether sending a call twice could matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing (a SELECT outside a transaction, the begin of a transaction), or nothing the second time.
    Read,
    /// It may change something.
    Write,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send it again after a pause.
    Retry(Duration),
    /// It had no effect, and sending it again would not help or there is no time left.
    GiveUp,
    /// It may have had its effect. Nobody may send it again without looking.
    Doubtful,
}

/// A paused Aurora Serverless v2 cluster takes about 15 s to resume, and 30 s and more after a day asleep
/// (Aurora User Guide, "Scaling to zero ACUs with automatic pause and resume", read 2026-11-22). Where no deadline
/// ends the waiting, this many attempts do: about two minutes.
const RESUME_ATTEMPTS_MAX: u32 = 27;
const RESUME_PAUSES: [u64; 4] = [1, 2, 3, 5];

const THROTTLE_ATTEMPTS_MAX: u32 = 7;
const READ_ATTEMPTS_MAX: u32 = 3;
const CONNECT_ATTEMPTS_MAX: u32 = 3;

/// What must be left after a pause for another attempt to be worth it.
const ATTEMPT_MIN: Duration = Duration::from_millis(500);

/// Decides what follows a failed call. `attempt` is the number of attempts made (1 after the first), `left` the time
/// until the caller must answer, or `None` where nothing presses.
pub(crate) fn after(
    error: &CallError,
    effect: Effect,
    attempt: u32,
    left: Option<Duration>,
) -> Decision {
    let plan = match error {
        CallError::NotSent(_) => retry(attempt, CONNECT_ATTEMPTS_MAX, doubling(attempt, 100)),
        CallError::Lost(_) | CallError::Unreadable(_) => unknown(effect, attempt),
        CallError::Answered(error) if is_resuming(error) => {
            retry(attempt, RESUME_ATTEMPTS_MAX, resume_pause(attempt))
        }
        CallError::Answered(error) if is_throttled(error) => {
            retry(attempt, THROTTLE_ATTEMPTS_MAX, doubling(attempt, 100))
        }
        // Stopped by the service after 45 s; whether it was really undone, nobody says.
        CallError::Answered(error) if error.kind == "StatementTimeoutException" => match effect {
            Effect::Read => Decision::GiveUp,
            Effect::Write => Decision::Doubtful,
        },
        CallError::Answered(error) if error.status >= 500 || is_lost(error) => {
            unknown(effect, attempt)
        }
        CallError::Answered(_) => Decision::GiveUp,
    };
    match (plan, left) {
        (Decision::Retry(pause), Some(left)) if pause + ATTEMPT_MIN > left => Decision::GiveUp,
        (plan, _) => plan,
    }
}

/// The cluster was paused at 0 ACU, and this call has woken it.
pub(crate) fn is_resuming(error: &ServiceError) -> bool {
    error.kind == "DatabaseResumingException"
}

/// Refused for the rate of calls: it was not run.
pub(crate) fn is_throttled(error: &ServiceError) -> bool {
    error.status == 429
        || error.kind.contains("Throttl")
        || error.kind == "TooManyRequestsException"
}

/// Whether an answer says only that the connection between the Data API and the database ended (a failover, a restart, a
/// KILL), and so nothing of what became of the statement: shutdown, the connections that MariaDB and MySQL end, and what
/// a driver says itself, in words without a code (`Communications link failure`) or with an SQLSTATE of the class 08,
/// `connection exception` (<https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>, read
/// 2026-11-23).
pub(crate) fn is_lost(error: &ServiceError) -> bool {
    if error.kind != "DatabaseErrorException" {
        return false;
    }
    match MySqlError::parse(&error.message) {
        Some(mysql) => match mysql.code {
            1053 | 1927 | 2006 | 2013 | 3169 | 4031 => true,
            // A packet that is too large (1153) is of that class too, and refused.
            0 | 1158..=1161 => mysql.sql_state.starts_with("08"),
            _ => false,
        },
        // The Data API's own: the transaction is busy or gone.
        None => !error.message.starts_with("Transaction "),
    }
}

/// Whether a statement only reads, by its first word. `WITH` may begin an UPDATE, so it counts as a write.
pub(crate) fn effect_of(sql: &str) -> Effect {
    let word: String = sql
        .trim_start_matches(|c: char| c.is_whitespace() || c == '(')
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    match word.as_str() {
        "SELECT" | "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" | "VALUES" | "TABLE" => Effect::Read,
        _ => Effect::Write,
    }
}

fn unknown(effect: Effect, attempt: u32) -> Decision {
    match effect {
        Effect::Read => retry(attempt, READ_ATTEMPTS_MAX, doubling(attempt, 200)),
        Effect::Write => Decision::Doubtful,
    }
}

fn retry(attempt: u32, attempts_max: u32, pause: Duration) -> Decision {
    if attempt < attempts_max {
        Decision::Retry(pause)
    } else {
        Decision::GiveUp
    }
}

fn doubling(attempt: u32, first_ms: u64) -> Duration {
    Duration::from_millis(first_ms << attempt.saturating_sub(1).min(5))
}

fn resume_pause(attempt: u32) -> Duration {
    let index = (attempt.saturating_sub(1) as usize).min(RESUME_PAUSES.len() - 1);
    Duration::from_secs(RESUME_PAUSES[index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use Decision::{Doubtful, GiveUp};
    use Effect::{Read, Write};

    fn answered(status: u16, kind: &str) -> CallError {
        said(status, kind, "m; Error code: 1064; SQLState: 42000")
    }

    fn said(status: u16, kind: &str, message: &str) -> CallError {
        CallError::Answered(ServiceError {
            status,
            kind: kind.to_owned(),
            message: message.to_owned(),
        })
    }

    fn lost() -> CallError {
        CallError::Lost(String::new())
    }

    const fn millis(n: u64) -> Decision {
        Decision::Retry(Duration::from_millis(n))
    }

    #[track_caller]
    fn check(error: &CallError, effect: Effect, attempt: u32, expected: Decision) {
        assert_eq!(after(error, effect, attempt, None), expected);
    }

    #[test]
    fn a_resuming_database_is_waited_for_even_by_a_write() {
        let resuming = answered(400, "DatabaseResumingException");
        check(&resuming, Write, 1, millis(1000));
        check(&resuming, Write, 2, millis(2000));
        check(&resuming, Write, 4, millis(5000));
        check(&resuming, Write, 26, millis(5000));
        check(&resuming, Write, 27, GiveUp);
    }

    #[test]
    fn throttling_backs_off_and_ends() {
        for kind in ["ThrottlingException", "TooManyRequestsException"] {
            let throttled = answered(400, kind);
            check(&throttled, Write, 1, millis(100));
            check(&throttled, Write, 4, millis(800));
            check(&throttled, Write, 7, GiveUp);
        }
        check(&answered(429, "Anything"), Write, 1, millis(100));
    }

    #[test]
    fn a_write_without_an_answer_is_doubtful_and_never_sent_again() {
        for error in [
            lost(),
            CallError::Unreadable(String::new()),
            answered(500, "InternalServerErrorException"),
            answered(503, "ServiceUnavailableError"),
            answered(504, "DatabaseUnavailableException"),
            answered(400, "StatementTimeoutException"),
        ] {
            check(&error, Write, 1, Doubtful);
        }
    }

    #[test]
    fn a_lost_connection_to_the_database_is_no_refusal() {
        let said = |message| said(400, "DatabaseErrorException", message);
        for lost in [
            "Communications link failure",
            "Communications link failure; Error code: 0; SQLState: 08S01",
            "Server shutdown in progress; Error code: 1053; SQLState: 08S01",
            "Connection was killed; Error code: 1927; SQLState: 70100",
        ] {
            check(&said(lost), Write, 1, Doubtful);
            check(&said(lost), Read, 1, millis(200));
        }
        for refused in [
            "Query execution was interrupted; Error code: 1317; SQLState: 70100",
            "Got a packet bigger than 'max_allowed_packet' bytes; Error code: 1153; SQLState: 08S01",
            "Transaction is still running a query",
        ] {
            check(&said(refused), Write, 1, GiveUp);
        }
    }

    #[test]
    fn a_read_without_an_answer_is_sent_again_a_few_times() {
        for error in [
            lost(),
            answered(500, "X"),
            answered(503, "X"),
            answered(504, "X"),
        ] {
            check(&error, Read, 1, millis(200));
            check(&error, Read, 2, millis(400));
            check(&error, Read, 3, GiveUp);
        }
    }

    #[test]
    fn a_read_that_took_45_seconds_is_not_tried_again() {
        check(&answered(400, "StatementTimeoutException"), Read, 1, GiveUp);
    }

    #[test]
    fn what_was_never_sent_may_be_sent_again() {
        let error = CallError::NotSent(String::new());
        check(&error, Write, 1, millis(100));
        check(&error, Write, 2, millis(200));
        check(&error, Write, 3, GiveUp);
    }

    #[test]
    fn an_error_of_the_statement_or_of_permissions_is_final() {
        for kind in [
            "DatabaseErrorException",
            "BadRequestException",
            "ValidationException",
        ] {
            check(&answered(400, kind), Read, 1, GiveUp);
            check(&answered(400, kind), Write, 1, GiveUp);
        }
        check(&answered(403, "AccessDeniedException"), Write, 1, GiveUp);
        check(
            &answered(404, "TransactionNotFoundException"),
            Write,
            1,
            GiveUp,
        );
    }

    #[test]
    fn no_pause_goes_past_the_deadline() {
        let resuming = answered(400, "DatabaseResumingException");
        let left = |ms| Some(Duration::from_millis(ms));
        assert_eq!(after(&resuming, Write, 1, left(1500)), millis(1000));
        assert_eq!(after(&resuming, Write, 1, left(1499)), GiveUp);
        assert_eq!(after(&lost(), Write, 1, left(0)), Doubtful);
    }

    #[test]
    fn the_first_word_tells_reads_from_writes() {
        assert_eq!(effect_of("  select 1"), Read);
        assert_eq!(effect_of("(SELECT 1) UNION (SELECT 2)"), Read);
        assert_eq!(effect_of("show tables"), Read);
        assert_eq!(effect_of("selection"), Write);
        assert_eq!(effect_of("WITH a AS (SELECT 1) DELETE FROM b"), Write);
        assert_eq!(effect_of("/* SELECT */ DELETE FROM b"), Write);
        assert_eq!(effect_of(""), Write);
    }
}
