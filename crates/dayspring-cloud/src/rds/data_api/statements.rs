//! Statements that were read: each text once, with a word to the user where Aurora would not take it as it is taken here.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use dayspring_dialect::{Found, Treatment};

use super::statement::{Multiple, Statement};
use crate::parity::Notices;

/// Texts that are remembered; more than that and all are forgotten.
const STATEMENTS_MAX: usize = 1000;

/// A longer text is read anew each time: it is hardly one that comes often.
const REMEMBERED_BYTES_MAX: usize = 16 * 1024;

/// Statements that were warned of and are not again.
const TOLD_MAX: usize = 10_000;

/// How much of a statement a warning shows.
const SHOWN_CHARACTERS_MAX: usize = 120;

/// The statements of one cluster.
#[derive(Debug)]
pub(super) struct Statements {
    notices: Notices,
    // Never held across an await.
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    read: HashMap<Box<str>, Arc<Statement>>,
    told: HashSet<Box<str>>,
}

impl Statements {
    pub(super) fn new(notices: Notices) -> Self {
        Self {
            notices,
            table: Mutex::default(),
        }
    }

    /// Reads a statement of MySQL's, for a server of MariaDB's where `translate` says so.
    ///
    /// # Errors
    ///
    /// There is more than one statement.
    pub(super) fn read(&self, sql: &str, translate: bool) -> Result<Arc<Statement>, Multiple> {
        if let Some(statement) = self.table().read.get(sql) {
            return Ok(Arc::clone(statement));
        }
        let (statement, found) = Statement::parse(sql, translate)?;
        self.tell(sql, &found);
        let statement = Arc::new(statement);
        if sql.len() <= REMEMBERED_BYTES_MAX {
            let mut table = self.table();
            if table.read.len() >= STATEMENTS_MAX {
                table.read.clear();
            }
            table.read.insert(sql.into(), Arc::clone(&statement));
        }
        Ok(statement)
    }

    fn tell(&self, sql: &str, found: &[Found]) {
        let warnings: Vec<String> = found
            .iter()
            .filter_map(|found| warning(sql, found))
            .collect();
        if warnings.is_empty() {
            return;
        }
        let mut table = self.table();
        if table.told.len() < TOLD_MAX && table.told.insert(shortened(sql).into()) {
            drop(table);
            for warning in warnings {
                self.notices.say(warning);
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().expect("nothing panics while it is held")
    }
}

fn warning(sql: &str, found: &Found) -> Option<String> {
    let construct = found.construct;
    let what = match construct.treatment {
        Treatment::Translated { .. } => return None,
        Treatment::Warned { .. } => "MariaDB takes this here, and Aurora does not",
        Treatment::Refused => "Aurora takes this, and MariaDB does not",
    };
    Some(format!(
        "`{}`: {what}: {}; here: {}; on Aurora: {} [docs/mysql8.md: {}]",
        shortened(sql),
        construct.title,
        construct.mariadb,
        construct.aurora,
        construct.id
    ))
}

/// The beginning of a statement on one line.
fn shortened(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_aurora_takes_otherwise_is_told_of_once() {
        let (notices, mut warnings) = Notices::new();
        let statements = Statements::new(notices);
        for _ in 0..3 {
            statements
                .read("DELETE FROM post\n WHERE id = :id RETURNING title", true)
                .unwrap();
        }
        insta::assert_snapshot!(
            warnings.try_recv().unwrap(),
            @"`DELETE FROM post WHERE id = :id RETURNING title`: MariaDB takes this here, and Aurora does not: `INSERT`, `REPLACE`, `DELETE ... RETURNING`; here: rows of what was changed; on Aurora: syntax error [docs/mysql8.md: returning]"
        );
        assert!(warnings.try_recv().is_err());
        statements.read("select a->'$.b' from t", true).unwrap();
        assert!(warnings.try_recv().is_err());
        statements.read("table t", true).unwrap();
        statements
            .read("select 1 from t, lateral (select 1) as u", true)
            .unwrap();
        assert!(
            warnings
                .try_recv()
                .unwrap()
                .contains("Aurora takes this, and MariaDB does not")
        );
    }

    #[test]
    fn a_server_of_mysql_s_gets_what_was_sent_and_nobody_is_told() {
        let (notices, mut warnings) = Notices::new();
        let statements = Statements::new(notices);
        let sql = "select a->'$.b' from t, lateral (select 1) as u";
        assert_eq!(statements.read(sql, false).unwrap().sql, sql);
        assert!(warnings.try_recv().is_err());
    }
}
