//! The classes of statements as a table for `docs/exactly-once.md`: what the engine says of an example of each.

use std::path::Path;

use super::{Analysis, Class, Recovery, analyse};

/// Statements of one kind.
struct Kind {
    what: &'static str,
    example: &'static str,
    /// Why what the class says of it is right.
    because: &'static str,
}

const KINDS: [Kind; 54] = [
    kind(
        "rows of InnoDB",
        "INSERT INTO t VALUES (1)",
        "one transaction",
    ),
    kind(
        "rows of a file of the server",
        "LOAD DATA INFILE 'f' INTO TABLE t",
        "one transaction",
    ),
    kind(
        "a look at rows, a function that writes",
        "SELECT f(1)",
        "what the function writes is in the transaction; DDL and COMMIT are forbidden in it (MySQL 1422)",
    ),
    kind(
        "a plan that is carried out",
        "ANALYZE UPDATE t SET n = n + 1",
        "the statement inside counts",
    ),
    kind(
        "settings for one statement",
        "SET STATEMENT lock_wait_timeout = 1 FOR UPDATE t SET n = 1",
        "the statement inside counts",
    ),
    kind(
        "what the statement before did",
        "INSERT INTO u VALUES (LAST_INSERT_ID())",
        "commits with the statement before it, or is refused where that cannot be",
    ),
    kind(
        "a variable filled on the way",
        "SELECT @n := MAX(n) FROM t",
        "commits with what follows, or that is refused",
    ),
    kind(
        "settings of the session",
        "SET sql_mode = 'ANSI'",
        "no effect outside the session",
    ),
    kind(
        "the default database",
        "USE other",
        "no effect outside the session",
    ),
    kind(
        "a variable with a constant",
        "SET @a = 1",
        "no effect outside the session",
    ),
    kind(
        "a variable filled from the data",
        "SET @id = LAST_INSERT_ID()",
        "what wants it commits with it, or is refused; where a function writes, the second time is undone",
    ),
    kind(
        "a query into a variable",
        "SELECT COUNT(*) INTO @n FROM t",
        "as before",
    ),
    kind(
        "prepared statements",
        "PREPARE s FROM 'SELECT 1'",
        "no effect outside the session",
    ),
    kind("a new table", "CREATE TABLE t (id INT)", "it exists or not"),
    kind(
        "a new table that may be there",
        "CREATE TABLE IF NOT EXISTS t (id INT)",
        "the second time does nothing",
    ),
    kind(
        "a table like another",
        "CREATE TABLE t LIKE u",
        "it exists or not",
    ),
    kind(
        "a table of rows",
        "CREATE TABLE t AS SELECT 1 AS n",
        "it exists or not; if the server was started again since, it is in doubt, because MariaDB keeps it without its rows",
    ),
    kind(
        "a table of rows in another engine",
        "CREATE TABLE t ENGINE = MyISAM AS SELECT 1 AS n",
        "",
    ),
    kind(
        "a table in another's place",
        "CREATE OR REPLACE TABLE t (id INT)",
        "",
    ),
    kind(
        "columns, indexes, constraints",
        "ALTER TABLE t ADD COLUMN n INT, ADD INDEX (n)",
        "all clauses or none; also where the second time would make another index",
    ),
    kind(
        "an index",
        "CREATE INDEX i ON t (n)",
        "the table's definition",
    ),
    kind(
        "a change that shows nothing",
        "ALTER TABLE t ENGINE = InnoDB",
        "unchanged is taken for not applied, and the second time changes nothing either",
    ),
    kind(
        "a counter",
        "ALTER TABLE t AUTO_INCREMENT = 100",
        "as before: InnoDB never counts below the rows",
    ),
    kind(
        "a column dropped and added",
        "ALTER TABLE t DROP COLUMN c, ADD COLUMN c INT",
        "",
    ),
    kind(
        "columns that trade names and places",
        "ALTER TABLE t CHANGE a b INT AFTER id, CHANGE b a INT FIRST",
        "",
    ),
    kind(
        "more partitions",
        "ALTER TABLE t ADD PARTITION PARTITIONS 2",
        "their number is in the definition",
    ),
    kind(
        "an exchanged partition",
        "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u",
        "",
    ),
    kind("an emptied table", "TRUNCATE t", ""),
    kind(
        "an emptied partition",
        "ALTER TABLE t TRUNCATE PARTITION p",
        "",
    ),
    kind("a dropped table", "DROP TABLE t", "it exists or not"),
    kind(
        "several dropped tables",
        "DROP TABLE t, u",
        "all, none, or in MariaDB some: then the rest is dropped",
    ),
    kind(
        "tables that may be missing",
        "DROP TABLE IF EXISTS t",
        "the second time does nothing",
    ),
    kind(
        "renamed tables",
        "RENAME TABLE t TO old, new TO t",
        "the names that are new and gone show it, though `t` may look as before",
    ),
    kind("swapped tables", "RENAME TABLE a TO x, b TO a, x TO b", ""),
    kind("a temporary table", "CREATE TEMPORARY TABLE t (id INT)", ""),
    kind("tables' files", "ALTER TABLE t IMPORT TABLESPACE", ""),
    kind("databases", "CREATE DATABASE d", "it exists or not"),
    kind(
        "views",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "the second time makes the same",
    ),
    kind(
        "stored programs",
        "CREATE PROCEDURE p() SELECT 1",
        "it exists or not",
    ),
    kind(
        "triggers",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 1",
        "it exists or not",
    ),
    kind(
        "events",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        "it exists or not",
    ),
    kind(
        "events that end",
        "CREATE EVENT e ON SCHEDULE AT '2037-01-01' DO SELECT 1",
        "",
    ),
    kind("what may or may not commit", "CALL p()", ""),
    kind("accounts", "CREATE USER u", ""),
    kind(
        "accounts that may be there",
        "CREATE USER IF NOT EXISTS u",
        "the second time does nothing",
    ),
    kind(
        "an account's definition",
        "ALTER USER u IDENTIFIED BY 'x'",
        "the second time makes the same",
    ),
    kind(
        "rights given",
        "GRANT SELECT ON t TO u",
        "the second time does nothing",
    ),
    kind("rights taken", "REVOKE SELECT ON t FROM u", ""),
    kind(
        "a setting of the server",
        "SET GLOBAL long_query_time = 1",
        "the second time makes the same",
    ),
    kind(
        "a computed setting of the server",
        "SET GLOBAL a = @@GLOBAL.a + 1",
        "",
    ),
    kind(
        "statistics and caches",
        "ANALYZE TABLE t",
        "the second time does nothing",
    ),
    kind("transactions", "COMMIT", ""),
    kind("locks", "LOCK TABLES t WRITE", ""),
    kind(
        "the journal's own tables",
        "DELETE FROM dayspring_statement",
        "",
    ),
];

const fn kind(what: &'static str, example: &'static str, because: &'static str) -> Kind {
    Kind {
        what,
        example,
        because,
    }
}

fn render(kind: &Kind) -> String {
    let analysis = analyse(kind.example, None);
    let because = match &analysis.class {
        Class::Refused(why) | Class::Schema(Recovery::Undecidable(why)) => {
            assert!(kind.because.is_empty(), "{}: the code says why", kind.what);
            why
        }
        Class::Data | Class::Session { .. } | Class::Schema(_) => {
            assert!(!kind.because.is_empty(), "{}", kind.what);
            kind.because
        }
    };
    format!(
        "| {} | `{}` | {} | {because} |\n",
        kind.what,
        kind.example,
        treatment(&analysis)
    )
}

fn treatment(analysis: &Analysis) -> &'static str {
    match &analysis.class {
        Class::Data if analysis.memory.binds() => "with its record, bound",
        Class::Data => "with its record",
        Class::Session {
            depends_on_data: true,
        } => "said again, bound",
        Class::Session {
            depends_on_data: false,
        } => "said again",
        Class::Schema(Recovery::Fingerprint) => "compared",
        Class::Schema(Recovery::Idempotent) => "run again",
        Class::Schema(Recovery::Verify(_) | Recovery::Undecidable(_)) => "asked",
        Class::Refused(_) => "refused",
    }
}

const BEGIN: &str = "<!-- The table is made from the code: DAYSPRING_UPDATE_DOCS=1 cargo test -p dayspring-migrate catalogue -->\n";
const END: &str = "<!-- The end of the table. -->\n";

fn page() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exactly-once.md")
}

#[test]
fn the_table_of_classes_is_what_the_code_says() {
    let mut table =
        format!("{BEGIN}\n| statements | for example | | why |\n| --- | --- | --- | --- |\n");
    table.extend(KINDS.iter().map(render));
    table.push('\n');
    let found = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = found.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{table}{END}{after}");
    if std::env::var_os("DAYSPRING_UPDATE_DOCS").is_some() {
        std::fs::write(page(), &expected).unwrap();
    }
    let found = std::fs::read_to_string(page()).unwrap();
    assert!(
        found == expected,
        "docs/exactly-once.md is not what the code says: DAYSPRING_UPDATE_DOCS=1 cargo test -p dayspring-migrate catalogue"
    );
}

#[test]
fn every_treatment_of_the_table_is_explained_in_its_page() {
    let page = std::fs::read_to_string(page()).unwrap();
    for kind in &KINDS {
        let treatment = treatment(&analyse(kind.example, None));
        let word = treatment.split(',').next().unwrap_or_default();
        assert!(page.contains(&format!("- **{word}**")), "{word}");
    }
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let page = std::fs::read_to_string(page()).unwrap();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut count = 0;
    for name in page.split('`').skip(1).step_by(2) {
        let Some((module, test)) = name.split_once("::") else {
            continue;
        };
        if !test
            .chars()
            .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')
        {
            continue;
        }
        count += 1;
        let is_there = ["dayspring-migrate", "dayspring", "dayspring-cli"]
            .iter()
            .any(|name| {
                let tests = crates.join(name).join("tests/it");
                [tests.clone(), tests.join("migrate")].iter().any(|folder| {
                    let file = folder.join(format!("{module}.rs"));
                    let text = std::fs::read_to_string(file).unwrap_or_default();
                    text.contains(&format!("fn {test}("))
                })
            });
        assert!(is_there, "{name}");
    }
    assert!(count > 30, "{count}");
}
