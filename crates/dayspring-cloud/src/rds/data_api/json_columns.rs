//! Which columns MySQL would call JSON. MariaDB keeps them as LONGTEXT with the check `json_valid(column)`, and its
//! result's metadata does not tell.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn};

use super::column;
use super::words::Checked;

/// Tables whose columns are remembered; more than that and all are forgotten.
const TABLES_MAX: usize = 10_000;

type Names = Arc<HashSet<String>>;

/// The names of the JSON columns of the tables that were asked for.
#[derive(Debug, Default)]
pub(super) struct JsonColumns {
    // Never held across an await.
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    tables: HashMap<(String, String), Names>,
    /// How often all was forgotten: what was asked for before that may be of a table as it was.
    changes: u64,
}

impl JsonColumns {
    /// For each column whether it is one.
    pub(super) async fn of(
        &self,
        columns: &[Column],
        connection: impl AsyncFnOnce() -> Option<Conn>,
    ) -> Vec<bool> {
        let wanted: HashSet<(String, String)> = columns
            .iter()
            .filter(|column| column::may_be_json(column))
            .map(table)
            .collect();
        // What is found out is used from here: somebody else's change of a schema may make all be forgotten meanwhile.
        let mut found: HashMap<(String, String), Names> = HashMap::new();
        let mut missing = Vec::new();
        for table in wanted {
            match self.known(&table) {
                Some(names) => {
                    found.insert(table, names);
                }
                None => missing.push(table),
            }
        }
        if !missing.is_empty()
            && let Some(mut connection) = connection().await
        {
            for table in missing {
                if let Ok(names) = self.ask(&mut connection, &table).await {
                    found.insert(table, names);
                }
            }
            // All that was asked for has been answered.
            drop(connection.disconnect().await);
        }
        columns
            .iter()
            .map(|column| {
                column::may_be_json(column)
                    && found
                        .get(&table(column))
                        .is_some_and(|names| names.contains(&*column.org_name_str()))
            })
            .collect()
    }

    /// Whether the column whose check failed is one.
    pub(super) async fn has(
        &self,
        checked: &Checked,
        connection: impl AsyncFnOnce() -> Option<Conn>,
    ) -> bool {
        let table = (checked.schema.clone(), checked.table.clone());
        let mut names = self.known(&table);
        if names.is_none()
            && let Some(mut connection) = connection().await
        {
            names = self.ask(&mut connection, &table).await.ok();
            // It has answered, or it is gone.
            drop(connection.disconnect().await);
        }
        names.is_some_and(|names| names.contains(&checked.column))
    }

    /// Tables may look different now.
    pub(super) fn forget(&self) {
        let mut memory = self.lock();
        memory.tables.clear();
        memory.changes += 1;
    }

    async fn ask(
        &self,
        connection: &mut Conn,
        table: &(String, String),
    ) -> mysql_async::Result<Names> {
        let changes = self.lock().changes;
        let names = Arc::new(ask(connection, table).await?);
        self.remember(table, &names, changes);
        Ok(names)
    }

    fn known(&self, table: &(String, String)) -> Option<Names> {
        self.lock().tables.get(table).cloned()
    }

    /// `changes`: how often all had been forgotten when it was asked for.
    fn remember(&self, table: &(String, String), names: &Names, changes: u64) {
        let mut memory = self.lock();
        if memory.changes != changes {
            return;
        }
        if memory.tables.len() >= TABLES_MAX {
            memory.tables.clear();
        }
        memory.tables.insert(table.clone(), Arc::clone(names));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().expect("nothing panics while it is held")
    }
}

fn table(column: &Column) -> (String, String) {
    (
        column.schema_str().into_owned(),
        column.org_table_str().into_owned(),
    )
}

async fn ask(
    connection: &mut Conn,
    (schema, table): &(String, String),
) -> mysql_async::Result<HashSet<String>> {
    let clauses: Vec<String> = connection
        .exec(
            "SET STATEMENT lock_wait_timeout = 1 FOR SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema = ? AND table_name = ?",
            (schema, table),
        )
        .await?;
    Ok(clauses
        .iter()
        .filter_map(|clause| json_column(clause))
        .collect())
}

/// ``json_valid(`name`)`` to `name`.
fn json_column(clause: &str) -> Option<String> {
    let name = clause.strip_prefix("json_valid(`")?.strip_suffix("`)")?;
    Some(name.replace("``", "`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_before_a_change_is_not_remembered_after_it() {
        let columns = JsonColumns::default();
        let table = ("blog".to_owned(), "posts".to_owned());
        let names: Names = Arc::new(HashSet::from(["tags".to_owned()]));
        columns.remember(&table, &names, 0);
        assert_eq!(columns.known(&table), Some(Arc::clone(&names)));
        columns.forget();
        assert_eq!(columns.known(&table), None);
        columns.remember(&table, &names, 0);
        assert_eq!(columns.known(&table), None);
        columns.remember(&table, &names, 1);
        assert_eq!(columns.known(&table), Some(names));
    }

    #[test]
    fn the_check_names_its_column() {
        assert_eq!(json_column("json_valid(`a``b`)").as_deref(), Some("a`b"));
        assert_eq!(json_column("`a` > 1"), None);
    }
}
