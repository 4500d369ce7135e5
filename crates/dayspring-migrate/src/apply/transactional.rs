//! Whether what a data statement writes can share a transaction with its journal row.
//!
//! Only InnoDB's rows can. The server is asked for the engine of each table that a statement names as written, once
//! until the next schema statement. A view, a trigger and a stored function write what the statement does not name:
//! where one is in play, and there are tables of other engines at all, the stored texts are followed, and a table whose
//! name occurs in them counts as written. What is found so runs by itself if a comment says how it is recovered, and is
//! refused if not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Run, Stop};
use crate::error::Error;
use crate::lexer;
use crate::refusal::Refusal;
use crate::script::{Script, Statement};
use crate::session::{Row, Session, Value};
use crate::statement::{Analysis, ObjectKind, used_database};

/// Names that are asked for at once.
const NAMES_MAX: usize = 50;

/// The server's own databases, in which nobody migrates.
const OWN_SCHEMAS: &str = "('mysql', 'sys', 'information_schema', 'performance_schema')";

/// A database and a name in it.
type Name = (String, String);

/// What is known of the tables and functions of the server.
#[derive(Debug, Default)]
pub(super) struct Known {
    tables: BTreeMap<Name, Table>,
    /// Stored functions.
    functions: Option<BTreeSet<Name>>,
    /// Tables of other engines, and the texts through which they may be written.
    others: Option<Others>,
}

impl Known {
    /// Forgets what a schema statement may have changed.
    pub(super) fn forget(&mut self, analysis: &Analysis) {
        self.tables.clear();
        self.others = None;
        let is_function = |touched: &crate::Touched| touched.object.kind == ObjectKind::Function;
        if analysis.is_opaque || analysis.touched.iter().any(is_function) {
            self.functions = None;
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Table {
    /// InnoDB's, and nothing happens behind it; or there is no such table.
    Plain,
    /// A view, or a table with triggers.
    Indirect,
    /// Of this other engine.
    Other(String),
}

#[derive(Debug, Default)]
struct Others {
    /// Tables in lower case, with their engines.
    tables: BTreeMap<Name, String>,
    /// A trigger by its table, a routine and a view by their names, in lower case, with the text where it is shown.
    texts: Vec<(Name, Option<String>)>,
}

/// What keeps a statement from a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    table: String,
    engine: String,
}

impl<S: Session> Run<'_, S> {
    /// How many of the statements, from the first, can share a transaction with their journal rows; and what keeps the
    /// next one from it.
    pub(super) async fn shared(
        &mut self,
        script: &Script,
        statements: &[Statement],
    ) -> Result<(usize, Option<Obstacle>), Stop> {
        let Some(first) = statements.first() else {
            return Ok((0, None));
        };
        let mut schema = self.schema_at(script, first.number);
        let mut written: Vec<(String, Vec<Name>)> = Vec::with_capacity(statements.len());
        for statement in statements {
            if let Some(used) = used_database(script.text_of(statement)) {
                schema = used;
            }
            let names = statement.analysis.written.iter().map(|object| {
                let schema = object.schema.as_ref().unwrap_or(&schema);
                (schema.clone(), object.name.clone())
            });
            let names = names.collect();
            written.push((schema.clone(), names));
        }
        self.ask_for_tables(&written).await?;
        self.ask_for_functions().await?;
        for (index, (statement, (schema, written))) in statements.iter().zip(&written).enumerate() {
            let text = script.text_of(statement);
            let obstacle = self.obstacle(schema, text, written).await?;
            if obstacle.is_some() {
                return Ok((index, obstacle));
            }
        }
        Ok((statements.len(), None))
    }

    /// Refuses a statement that cannot share a transaction and does not say how it is recovered.
    pub(super) fn refuse_obstacle(
        &self,
        script: &Script,
        statement: &Statement,
        obstacle: Obstacle,
    ) -> Stop {
        Error::from(Box::new(Refusal::NotTransactional {
            place: Box::new(script.place_of(statement)),
            table: obstacle.table,
            engine: obstacle.engine,
        }))
        .into()
    }

    async fn ask_for_tables(&mut self, written: &[(String, Vec<Name>)]) -> Result<(), Stop> {
        let unknown: BTreeSet<&Name> = written
            .iter()
            .flat_map(|(_, names)| names)
            .filter(|name| !self.known.tables.contains_key(*name))
            .collect();
        let unknown: Vec<&Name> = unknown.into_iter().collect();
        for names in unknown.chunks(NAMES_MAX) {
            let mut selects = Vec::with_capacity(names.len());
            let mut parameters: Vec<(String, Value)> = Vec::with_capacity(names.len() * 2);
            for (index, (schema, name)) in names.iter().enumerate() {
                selects.push(format!(
                    "SELECT t.table_schema, t.table_name, CAST(t.engine AS CHAR), \
                     EXISTS (SELECT 1 FROM information_schema.triggers g \
                     WHERE g.event_object_schema = :s{index} AND g.event_object_table = :n{index}) \
                     FROM information_schema.tables t WHERE t.table_schema = :s{index} AND t.table_name = :n{index}"
                ));
                parameters.push((format!("s{index}"), Value::Text(schema.clone())));
                parameters.push((format!("n{index}"), Value::Text(name.clone())));
            }
            let parameters: Vec<(&str, Value)> = parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect();
            let rows = self
                .session
                .query(&selects.join(" UNION ALL "), &parameters)
                .await
                .map_err(failed)?;
            for name in names {
                self.known.tables.insert((*name).clone(), Table::Plain);
            }
            self.known.tables.extend(rows.iter().filter_map(read_table));
        }
        Ok(())
    }

    /// Whether a stored function may be called in a text.
    pub(super) fn calls_function(&self, schema: &str, sql: &str) -> bool {
        let functions = self.known.functions.as_ref();
        functions.is_some_and(|functions| {
            !functions.is_empty()
                && names(sql, schema)
                    .iter()
                    .any(|name| functions.contains(name))
        })
    }

    pub(super) async fn ask_for_functions(&mut self) -> Result<(), Stop> {
        if self.known.functions.is_some() {
            return Ok(());
        }
        let sql = format!(
            "SELECT routine_schema, routine_name FROM information_schema.routines \
             WHERE routine_type = 'FUNCTION' AND routine_schema NOT IN {OWN_SCHEMAS}"
        );
        let rows = self.session.query(&sql, &[]).await.map_err(failed)?;
        self.known.functions = Some(rows.iter().filter_map(name).collect());
        Ok(())
    }

    async fn obstacle(
        &mut self,
        schema: &str,
        sql: &str,
        written: &[Name],
    ) -> Result<Option<Obstacle>, Stop> {
        let mut from = BTreeSet::new();
        for name in written {
            match self.known.tables.get(name) {
                Some(Table::Other(engine)) => {
                    return Ok(Some(Obstacle {
                        table: name.1.clone(),
                        engine: engine.clone(),
                    }));
                }
                Some(Table::Indirect) => {
                    from.insert(in_lower_case(&name.0, &name.1));
                }
                Some(Table::Plain) | None => {}
            }
        }
        if let Some(functions) = self
            .known
            .functions
            .as_ref()
            .filter(|known| !known.is_empty())
        {
            from.extend(
                names(sql, schema)
                    .into_iter()
                    .filter(|name| functions.contains(name)),
            );
        }
        if from.is_empty() {
            return Ok(None);
        }
        self.ask_for_others().await?;
        let others = self.known.others.as_ref();
        Ok(others.and_then(|others| others.reached_from(from)))
    }

    async fn ask_for_others(&mut self) -> Result<(), Stop> {
        if self.known.others.is_some() {
            return Ok(());
        }
        let sql = format!(
            "SELECT table_schema, table_name, CAST(engine AS CHAR) FROM information_schema.tables WHERE table_type = 'BASE TABLE' \
             AND COALESCE(engine, '') <> 'InnoDB' AND table_schema NOT IN {OWN_SCHEMAS}"
        );
        let rows = self.session.query(&sql, &[]).await.map_err(failed)?;
        let mut others = Others::default();
        for row in &rows {
            if let Some(name) = name(row) {
                let engine = text(row, 2).unwrap_or("another engine");
                others.tables.insert(name, engine.to_owned());
            }
        }
        if !others.tables.is_empty() {
            for (columns, from) in [
                (
                    "trigger_schema, event_object_table, CAST(action_statement AS CHAR)",
                    "triggers WHERE trigger_schema",
                ),
                (
                    "routine_schema, routine_name, CAST(routine_definition AS CHAR)",
                    "routines WHERE routine_schema",
                ),
                (
                    "table_schema, table_name, CAST(view_definition AS CHAR)",
                    "views WHERE table_schema",
                ),
            ] {
                let sql =
                    format!("SELECT {columns} FROM information_schema.{from} NOT IN {OWN_SCHEMAS}");
                let rows = self.session.query(&sql, &[]).await.map_err(failed)?;
                others.texts.extend(rows.iter().filter_map(|row| {
                    let body = text(row, 2).filter(|body| !body.is_empty());
                    Some((name(row)?, body.map(str::to_owned)))
                }));
            }
        }
        self.known.others = Some(others);
        Ok(())
    }
}

impl Others {
    /// A table of another engine whose name occurs in the texts that begin at these names. What a text holds that the
    /// account is not shown may be any of them.
    fn reached_from(&self, from: BTreeSet<Name>) -> Option<Obstacle> {
        let mut passed = from.clone();
        let mut waiting: VecDeque<Name> = from.into_iter().collect();
        while let Some(name) = waiting.pop_front() {
            for ((schema, _), text) in self.texts.iter().filter(|(of, _)| *of == name) {
                let found = match text {
                    Some(text) => names(text, schema),
                    None => self.tables.keys().cloned().collect(),
                };
                for name in found {
                    if let Some(engine) = self.tables.get(&name) {
                        return Some(Obstacle {
                            table: name.1,
                            engine: engine.clone(),
                        });
                    }
                    if passed.insert(name.clone()) {
                        waiting.push_back(name);
                    }
                }
            }
        }
        None
    }
}

/// Whatever may be a name in a text, in lower case; where it names no database, it is of `schema`.
fn names(sql: &str, schema: &str) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    let mut of: Option<String> = None;
    let mut follows_dot = false;
    for token in lexer::executed(sql) {
        if token.is_mark('.') {
            follows_dot = true;
            continue;
        }
        let Some(name) = token.name() else {
            of = None;
            follows_dot = false;
            continue;
        };
        if let (true, Some(of)) = (follows_dot, &of) {
            found.push(in_lower_case(of, &name));
        }
        found.push(in_lower_case(schema, &name));
        of = Some(name);
        follows_dot = false;
    }
    found
}

fn in_lower_case(schema: &str, name: &str) -> Name {
    (schema.to_lowercase(), name.to_lowercase())
}

/// The name in a row's first two columns.
fn name(row: &Row) -> Option<Name> {
    Some(in_lower_case(text(row, 0)?, text(row, 1)?))
}

fn read_table(row: &Row) -> Option<((String, String), Table)> {
    let table = match (text(row, 2), row.get(3)) {
        (Some("InnoDB"), Some(Value::Long(0))) => Table::Plain,
        // A view has no engine.
        (Some("InnoDB") | None, _) => Table::Indirect,
        (Some(engine), _) => Table::Other(engine.to_owned()),
    };
    Some(((text(row, 0)?.to_owned(), text(row, 1)?.to_owned()), table))
}

fn text(row: &Row, column: usize) -> Option<&str> {
    match row.get(column)? {
        Value::Text(text) => Some(text),
        Value::Null | Value::Long(_) => None,
    }
}

fn failed(source: crate::SessionError) -> Stop {
    Error::session("looking at the tables that a statement writes", source).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_followed_to_a_table_of_another_engine() {
        let name = |name: &str| ("a".to_owned(), name.to_owned());
        let text = |of: &str, text: &str| (name(of), Some(text.to_owned()));
        let others = Others {
            tables: BTreeMap::from([(name("m"), "MyISAM".to_owned())]),
            texts: vec![
                text("t", "SET NEW.n = f(NEW.n)"),
                text("f", "BEGIN INSERT INTO `M` VALUES (x); RETURN x; END"),
                text("g", "RETURN g(x)"),
                (name("hidden"), None),
            ],
        };
        let from = |of: &str| others.reached_from(BTreeSet::from([name(of)]));
        assert_eq!(from("t").unwrap().table, "m");
        assert_eq!(from("hidden").unwrap().engine, "MyISAM");
        assert_eq!(from("g"), None);
        assert_eq!(from("m"), None, "a name alone writes nothing");
    }
}
