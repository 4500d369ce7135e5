//! More of what Aurora takes and MariaDB has nothing for: accounts, variables, tables' options, the server's own tables.

use super::expressions::{zone, zones};
use super::refused::refused;
use crate::Construct;
use crate::labels::items;
use crate::lexer::TokenKind;
use crate::text::Match;

const TABLE: &str = "CREATE TABLE post (id INT PRIMARY KEY, title VARCHAR(99), views INT);";

/// Variables of MySQL 8.0 that a client may set or read. `max_execution_time` has a row of its own.
const VARIABLES: [&str; 16] = [
    "CONNECTION_MEMORY_LIMIT",
    "DEFAULT_COLLATION_FOR_UTF8MB4",
    "INFORMATION_SCHEMA_STATS_EXPIRY",
    "INNODB_DDL_BUFFER_SIZE",
    "INNODB_DDL_THREADS",
    "INNODB_PARALLEL_READ_THREADS",
    "INTERNAL_TMP_MEM_STORAGE_ENGINE",
    "PRINT_IDENTIFIED_WITH_AS_HEX",
    "RANGE_OPTIMIZER_MAX_MEM_SIZE",
    "SESSION_TRACK_GTIDS",
    "SHOW_CREATE_TABLE_VERBOSITY",
    "SQL_GENERATE_INVISIBLE_PRIMARY_KEY",
    "SQL_REQUIRE_PRIMARY_KEY",
    "SUPER_READ_ONLY",
    "USE_SECONDARY_ENGINE",
    "WINDOWING_USE_HIGH_PRECISION",
];

/// Privileges that have names of their own (MySQL 8.0, "Dynamic Privilege Descriptions") and may be granted on Aurora.
const PRIVILEGES: [&str; 12] = [
    "APPLICATION_PASSWORD_ADMIN",
    "BACKUP_ADMIN",
    "CONNECTION_ADMIN",
    "FLUSH_OPTIMIZER_COSTS",
    "FLUSH_STATUS",
    "FLUSH_TABLES",
    "FLUSH_USER_RESOURCES",
    "ROLE_ADMIN",
    "SESSION_VARIABLES_ADMIN",
    "SET_USER_ID",
    "SHOW_ROUTINE",
    "XA_RECOVER_ADMIN",
];

/// Options of a table that MariaDB does not read.
const OPTIONS: [&str; 6] = [
    "AUTOEXTEND_SIZE",
    "ENCRYPTION",
    "ENGINE_ATTRIBUTE",
    "SECONDARY_ENGINE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "TABLESPACE",
];

/// Tables and columns in which MySQL describes itself.
const CATALOG: [&str; 14] = [
    "COLUMN_STATISTICS",
    "DATA_LOCKS",
    "DATA_LOCK_WAITS",
    "INNODB_COLUMNS",
    "INNODB_INDEXES",
    "INNODB_TABLES",
    "INNODB_TABLESPACES",
    "IS_VISIBLE",
    "SRS_ID",
    "ST_GEOMETRY_COLUMNS",
    "ST_SPATIAL_REFERENCE_SYSTEMS",
    "ENFORCED",
    "USER_ATTRIBUTES",
    "REPLICA_HOST_STATUS",
];

pub(super) static ROWS: &[Construct] = &[
    refused(
        "rollup-order",
        "`GROUP BY ... WITH ROLLUP ORDER BY`",
        "totals in an order",
        TABLE,
        "SELECT title, COUNT(*) FROM post GROUP BY title WITH ROLLUP ORDER BY title",
        &["ROLLUP"],
        |text| {
            text.all(&["WITH", "ROLLUP", "ORDER"])
                .map(|at| text.found(at, at + 2))
                .collect()
        },
    ),
    refused(
        "recursive-limit",
        "`LIMIT` within a recursive common table expression",
        "ends it after so many rows",
        "",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n LIMIT 5) SELECT i FROM n",
        &["RECURSIVE"],
        |text| {
            if !text.is(0, &["WITH", "RECURSIVE"]) {
                return Vec::new();
            }
            let end = items(text).first().map_or(text.len(), |(first, _)| *first);
            (2..end)
                .filter(|at| text.word(*at) == "LIMIT" && text.depth(*at) == 1)
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "json-window",
        "`JSON_ARRAYAGG(...) OVER`, `JSON_OBJECTAGG(...) OVER`",
        "documents of a window",
        TABLE,
        "SELECT JSON_ARRAYAGG(id) OVER (ORDER BY id) FROM post",
        &["JSON_ARRAYAGG", "JSON_OBJECTAGG"],
        |text| {
            ["JSON_ARRAYAGG", "JSON_OBJECTAGG"]
                .iter()
                .flat_map(|name| text.calls(name))
                .filter(|at| {
                    text.close(at + 1)
                        .is_some_and(|close| text.word(close + 1) == "OVER")
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "regexp-arguments",
        "`REGEXP_REPLACE`, `REGEXP_SUBSTR`, `REGEXP_INSTR` with a position, an occurrence or flags",
        "a match from there on, the n-th one",
        "",
        "SELECT REGEXP_SUBSTR('one two', '[a-z]+', 1, 2) AS word",
        &["REGEXP_REPLACE", "REGEXP_SUBSTR", "REGEXP_INSTR"],
        |text| {
            [
                ("REGEXP_REPLACE", 3),
                ("REGEXP_SUBSTR", 2),
                ("REGEXP_INSTR", 2),
            ]
            .iter()
            .flat_map(|(name, most)| text.calls(name).map(move |at| (at, *most)))
            .filter(|(at, most)| {
                text.close(at + 1)
                    .is_some_and(|close| text.commas(at + 1, close).len() >= *most)
            })
            .map(|(at, _)| text.found(at, at))
            .collect()
        },
    ),
    refused(
        "cast-as-year",
        "`CAST(value AS YEAR)`, `CAST(value AT TIME ZONE '+00:00' AS DATETIME)`",
        "a year, a time of that zone",
        "",
        "SELECT CAST('2020-02-03' AS YEAR) AS year",
        &["YEAR", "ZONE"],
        |text| {
            let mut found: Vec<Match> = text
                .all(&["AS", "YEAR", ")"])
                .map(|at| text.found(at, at + 1))
                .collect();
            found.extend(
                text.all(&["AT", "TIME", "ZONE"])
                    .map(|at| text.found(at, at + 2)),
            );
            found
        },
    ),
    refused(
        "time-with-zone",
        "a time with its zone: `'2020-01-01 10:00:00+02:00'`",
        "the time in the session's zone; MariaDB refuses it for a column, and forgets the zone in a `CAST`",
        "",
        "SELECT TIMESTAMP '2020-01-01 10:00:00+02:00' AS at",
        &[],
        |text| {
            (0..text.len())
                .filter(|at| text.kind(*at) == Some(TokenKind::Quoted))
                .filter(|at| is_time_with_zone(text.piece(*at)))
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "zone-by-name",
        "`SET time_zone = 'Europe/Berlin'`, `CONVERT_TZ(at, 'UTC', 'Europe/Berlin')`",
        "the time there; MariaDB's tables of zones are empty here, and `CONVERT_TZ` gives `NULL`",
        "",
        "SET time_zone = 'Europe/Berlin'",
        &["TIME_ZONE", "CONVERT_TZ"],
        |text| {
            zones(text)
                .into_iter()
                .filter(|at| zone(text, *at).contains('/'))
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "own-variable",
        "variables of MySQL: `sql_require_primary_key`, `information_schema_stats_expiry`, `innodb_ddl_threads`, ...",
        "variables",
        "",
        "SET SESSION sql_require_primary_key = ON",
        &VARIABLES,
        |text| {
            (1..text.len())
                .filter(|at| VARIABLES.contains(&text.word(*at)))
                .filter(|at| {
                    let of_server =
                        text.word(at - 1) == "." || (*at >= 2 && text.is(at - 2, &["@", "@"]));
                    of_server || (text.word(0) == "SET" && text.word(at - 1) != "@")
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "set-persist",
        "`SET PERSIST`",
        "a setting that outlives a restart; on Aurora only what a parameter group leaves free",
        "",
        "SET PERSIST max_connections = 200",
        &["PERSIST", "PERSIST_ONLY"],
        |text| {
            let is_persist = matches!(text.word(1), "PERSIST" | "PERSIST_ONLY");
            if text.word(0) == "SET" && is_persist && text.word(2) != "=" {
                vec![text.found(0, 1)]
            } else {
                Vec::new()
            }
        },
    ),
    refused(
        "account-options",
        "accounts with `PASSWORD HISTORY`, `FAILED_LOGIN_ATTEMPTS`, `RETAIN CURRENT PASSWORD`, `ATTRIBUTE`, `RANDOM PASSWORD`",
        "rules of an account",
        "CREATE USER IF NOT EXISTS dialect_writer IDENTIFIED BY 'old';",
        "ALTER USER dialect_writer FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1",
        &["USER"],
        |text| {
            if !matches!(text.word(0), "CREATE" | "ALTER") || text.word(1) != "USER" {
                return Vec::new();
            }
            let is_option = |at: &usize| {
                matches!(
                    text.word(*at),
                    "FAILED_LOGIN_ATTEMPTS" | "ATTRIBUTE" | "RETAIN" | "COMMENT"
                ) || text.is(*at, &["PASSWORD", "HISTORY"])
                    || text.is(*at, &["PASSWORD", "REUSE"])
                    || text.is(*at, &["RANDOM", "PASSWORD"])
            };
            (3..text.len())
                .find(is_option)
                .map(|at| text.found(at, at))
                .into_iter()
                .collect()
        },
    ),
    refused(
        "roles",
        "`SET ROLE DEFAULT`, `SET ROLE ALL`, `SET DEFAULT ROLE name TO account`",
        "roles of the session; MariaDB says `SET DEFAULT ROLE name FOR account`",
        "",
        "SET ROLE DEFAULT",
        &["ROLE"],
        |text| {
            let sets = text.is(0, &["SET", "ROLE"]) && matches!(text.word(2), "DEFAULT" | "ALL");
            let gives = text.is(0, &["SET", "DEFAULT", "ROLE"])
                && (3..text.len()).any(|at| text.word(at) == "TO");
            if sets || gives {
                vec![text.found(0, 2)]
            } else {
                Vec::new()
            }
        },
    ),
    refused(
        "dynamic-privilege",
        "`GRANT CONNECTION_ADMIN`, `ROLE_ADMIN`, `XA_RECOVER_ADMIN` and other privileges with an underscore",
        "privileges that are parts of what `SUPER` was",
        "CREATE USER IF NOT EXISTS dialect_writer IDENTIFIED BY 'old';",
        "GRANT CONNECTION_ADMIN ON *.* TO dialect_writer",
        &PRIVILEGES,
        |text| {
            if !matches!(text.word(0), "GRANT" | "REVOKE") {
                return Vec::new();
            }
            (1..text.len())
                .filter(|at| PRIVILEGES.contains(&text.word(*at)))
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "set-invisible",
        "`ALTER COLUMN name SET INVISIBLE`, `SET VISIBLE`",
        "whether `SELECT *` has the column",
        TABLE,
        "ALTER TABLE post ALTER COLUMN views SET INVISIBLE",
        &["VISIBLE", "INVISIBLE"],
        |text| {
            (1..text.len())
                .filter(|at| matches!(text.word(*at), "VISIBLE" | "INVISIBLE"))
                .filter(|at| text.word(at - 1) == "SET")
                .map(|at| text.found(at - 1, at))
                .collect()
        },
    ),
    refused(
        "table-options",
        "`ENCRYPTION`, `TABLESPACE`, `AUTOEXTEND_SIZE` and other options of a table",
        "where and how InnoDB stores it",
        "",
        "CREATE TABLE note (id INT PRIMARY KEY) ENCRYPTION = 'N'",
        &OPTIONS,
        |text| {
            if !matches!(text.word(0), "CREATE" | "ALTER") {
                return Vec::new();
            }
            (3..text.len())
                .filter(|at| OPTIONS.contains(&text.word(*at)) && text.depth(*at) == 0)
                .filter(|at| {
                    !matches!(
                        text.word(at - 1),
                        "COLUMN" | "ADD" | "DROP" | "RENAME" | "TO"
                    )
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
    refused(
        "ngram",
        "`FULLTEXT KEY ... WITH PARSER ngram`",
        "a full-text index of pieces of words, as for Chinese and Japanese",
        "",
        "CREATE TABLE note (id INT PRIMARY KEY, t TEXT, FULLTEXT KEY (t) WITH PARSER ngram)",
        &["PARSER"],
        |text| {
            text.all(&["WITH", "PARSER"])
                .map(|at| text.found(at, at + 1))
                .collect()
        },
    ),
    refused(
        "histogram",
        "`ANALYZE TABLE ... UPDATE HISTOGRAM ON`",
        "statistics of a column's values",
        TABLE,
        "ANALYZE TABLE post UPDATE HISTOGRAM ON views WITH 10 BUCKETS",
        &["HISTOGRAM"],
        |text| {
            text.all(&["HISTOGRAM", "ON"])
                .filter(|_| text.word(0) == "ANALYZE")
                .map(|at| text.found(at - 1, at + 1))
                .collect()
        },
    ),
    refused(
        "backup-lock",
        "`LOCK INSTANCE FOR BACKUP`, `UNLOCK INSTANCE`",
        "no change of schemas between them",
        "",
        "UNLOCK INSTANCE",
        &["INSTANCE"],
        |text| {
            if matches!(text.word(0), "LOCK" | "UNLOCK") && text.word(1) == "INSTANCE" {
                vec![text.found(0, 1)]
            } else {
                Vec::new()
            }
        },
    ),
    refused(
        "catalog",
        "`performance_schema.data_locks`, `information_schema.innodb_tables`, `statistics.is_visible`, ...",
        "what MySQL 8.0 says of itself",
        "",
        "SELECT COUNT(*) FROM information_schema.innodb_tables",
        &["INFORMATION_SCHEMA", "PERFORMANCE_SCHEMA", "SYS"],
        |text| {
            (0..text.len())
                .filter(|at| {
                    CATALOG.contains(&text.word(*at))
                        || (text.is(*at, &["SYS", "."])
                            && matches!(text.word(at.wrapping_sub(1)), "FROM" | "JOIN"))
                })
                .map(|at| text.found(at, at))
                .collect()
        },
    ),
];

/// `'2020-01-01 10:00:00+02:00'`, with fractions of a second or without.
fn is_time_with_zone(string: &str) -> bool {
    let inner = string.trim_matches(['\'', '"']);
    let shape: String = inner
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    let Some((time, zone)) = shape.rsplit_once(['+', '-']) else {
        return false;
    };
    let is_time = time
        .get(..19)
        .is_some_and(|time| matches!(time, "9999-99-99 99:99:99" | "9999-99-99T99:99:99"));
    let fraction = time.get(19..).unwrap_or_default();
    is_time
        && zone == "99:99"
        && (fraction.is_empty()
            || fraction
                .strip_prefix('.')
                .is_some_and(|rest| rest.chars().all(|c| c == '9')))
}

#[cfg(test)]
mod tests {
    use super::super::check_found;

    #[test]
    fn a_time_with_a_zone_is_told_from_other_strings() {
        for sql in [
            "SELECT '2020-01-01 10:00:00+02:00'",
            "INSERT INTO t VALUES ('2020-01-01T10:00:00.123-11:30')",
        ] {
            check_found("time-with-zone", sql, true);
        }
        for sql in [
            "SELECT '2020-01-01 10:00:00'",
            "SELECT '2020-01-01'",
            "SELECT '2020-01-01 10:00:00Z', 'é-99:99', '+02:00', ''",
        ] {
            check_found("time-with-zone", sql, false);
        }
    }

    #[test]
    fn names_are_not_options() {
        check_found("table-options", "CREATE TABLE t (encryption INT)", false);
        check_found("table-options", "ALTER TABLE t ADD encryption INT", false);
        check_found("own-variable", "SET @super_read_only = 1", false);
        check_found("own-variable", "SELECT @@super_read_only", true);
        check_found("catalog", "SELECT sys.a FROM t AS sys", false);
    }
}
