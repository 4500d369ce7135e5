//! A schema from `information_schema`, over any session.

use std::collections::{BTreeMap, BTreeSet};

use super::canonical::{self, Family};
use super::diff::HIDDEN;
use super::literal;
use super::{ObjectKind, Part, Schema, is_journal};
use crate::error::Error;
use crate::session::{Row, Session, Value};

/// Rows asked for at once: a page of columns with long comments stays below the Data API's 1 MiB for a result.
const PAGE_ROWS: usize = 500;

/// Reads what the session's database holds: about a dozen queries, more for more than five hundred of anything.
///
/// # Errors
/// What the session says, and no selected database.
pub async fn read_schema<S: Session>(session: &mut S) -> Result<Schema, Error> {
    let sql = "SELECT DATABASE(), VERSION(), default_character_set_name, default_collation_name \
               FROM information_schema.schemata WHERE schema_name = DATABASE()";
    let rows = session.query(sql, &[]).await.map_err(failed)?;
    let Some(row) = rows.first() else {
        return Err(Error::NoDatabase);
    };
    let family = if text(row, 1).contains("MariaDB") {
        Family::MariaDb
    } else {
        Family::MySql
    };
    let mut reader = Reader {
        session,
        database: text(row, 0),
        family,
        collations: BTreeMap::new(),
        of_views: BTreeMap::new(),
        schema: Schema {
            server: text(row, 1),
            charset: text(row, 2),
            collation: text(row, 3),
            family,
            ..Schema::default()
        },
    };
    reader.read().await?;
    Ok(reader.schema)
}

fn failed(source: crate::session::SessionError) -> Error {
    Error::session("reading the schema", source)
}

struct Reader<'a, S> {
    session: &'a mut S,
    database: String,
    family: Family,
    /// The character sets by the collation that each has unless another is named.
    collations: BTreeMap<String, String>,
    /// The columns of what is no table.
    of_views: BTreeMap<String, Vec<String>>,
    schema: Schema,
}

impl<S: Session> Reader<'_, S> {
    async fn read(&mut self) -> Result<(), Error> {
        self.read_collations().await?;
        self.read_tables().await?;
        let documents = self.read_checks().await?;
        self.read_columns(&documents).await?;
        self.read_indexes().await?;
        self.read_foreign_keys().await?;
        self.read_partitions().await?;
        self.read_views().await?;
        self.read_routines().await?;
        self.read_triggers().await?;
        self.read_events().await
    }

    /// All rows of a query. It must be ordered, and its only parameter is the database.
    async fn rows(&mut self, sql: &str) -> Result<Vec<Row>, Error> {
        let database = [("database", Value::Text(self.database.clone()))];
        let parameters = if sql.contains(":database") {
            database.as_slice()
        } else {
            &[]
        };
        let mut all = Vec::new();
        loop {
            let page = format!("{sql} LIMIT {PAGE_ROWS} OFFSET {}", all.len());
            let rows = self
                .session
                .query(&page, parameters)
                .await
                .map_err(failed)?;
            let is_last = rows.len() < PAGE_ROWS;
            all.extend(rows);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// An expression that the server keeps with a table.
    fn stored(&self, told: &str) -> String {
        match self.family {
            Family::MariaDb => canonical::expression(told, &self.database),
            Family::MySql => {
                canonical::expression(&literal::expression_of_mysql(told), &self.database)
            }
        }
    }

    async fn read_collations(&mut self) -> Result<(), Error> {
        let sql = "SELECT default_collate_name, character_set_name FROM information_schema.character_sets \
                   ORDER BY character_set_name";
        for row in self.rows(sql).await? {
            self.collations.insert(text(&row, 0), text(&row, 1));
        }
        Ok(())
    }

    /// A collation's name; the character set's name for the one that it has by itself, which differs between servers.
    fn collation(&self, name: &str) -> String {
        let canonical = self
            .collations
            .get(name)
            .cloned()
            .unwrap_or_else(|| name.to_owned());
        match canonical.strip_prefix("utf8_") {
            Some(rest) => format!("utf8mb3_{rest}"),
            None if canonical == "utf8" => "utf8mb3".to_owned(),
            None => canonical,
        }
    }

    async fn read_tables(&mut self) -> Result<(), Error> {
        let sql = "SELECT table_name, table_type, engine, table_collation, create_options, table_comment \
                   FROM information_schema.tables WHERE table_schema = :database ORDER BY CAST(table_name AS BINARY)";
        for row in self.rows(sql).await? {
            let name = text(&row, 0);
            if is_journal(&name) {
                self.schema.left_out.push(name);
                continue;
            }
            match text(&row, 1).as_str() {
                "VIEW" | "SYSTEM VIEW" => {}
                "SEQUENCE" => {
                    self.schema.object(ObjectKind::Sequence, &name);
                }
                kind => {
                    let is_versioned = kind == "SYSTEM VERSIONED";
                    let collation = self.collation(&text(&row, 3));
                    let mut options = canonical::options(&text(&row, 4));
                    if is_versioned {
                        options = format!("WITH SYSTEM VERSIONING {options}")
                            .trim()
                            .to_owned();
                    }
                    let comment = text(&row, 5);
                    let table = self.schema.object(ObjectKind::Table, &name);
                    table.parts.insert(Part::Property("engine"), text(&row, 2));
                    table.parts.insert(Part::Property("collation"), collation);
                    if !options.is_empty() {
                        table.parts.insert(Part::Property("options"), options);
                    }
                    if !comment.is_empty() {
                        let comment = literal::quoted(&comment);
                        table.parts.insert(Part::Property("comment"), comment);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the checks, but for those that MariaDB adds to a column of JSON: the tables and columns of those.
    async fn read_checks(&mut self) -> Result<BTreeSet<(String, String)>, Error> {
        let sql = match self.family {
            Family::MariaDb => {
                "SELECT table_name, constraint_name, check_clause, 'YES' FROM information_schema.check_constraints \
                 WHERE constraint_schema = :database ORDER BY CAST(table_name AS BINARY), constraint_name"
            }
            Family::MySql => {
                "SELECT t.table_name, t.constraint_name, c.check_clause, t.enforced \
                 FROM information_schema.table_constraints t JOIN information_schema.check_constraints c \
                 ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name \
                 WHERE t.constraint_schema = :database AND t.constraint_type = 'CHECK' \
                 ORDER BY CAST(t.table_name AS BINARY), t.constraint_name"
            }
        };
        let mut documents = BTreeSet::new();
        for row in self.rows(sql).await? {
            let (table, name) = (text(&row, 0), text(&row, 1));
            let mut clause = self.stored(&text(&row, 2));
            if self.family == Family::MariaDb && clause == format!("json_valid({name})") {
                documents.insert((table, name));
                continue;
            }
            if text(&row, 3) == "NO" {
                clause.push_str(" NOT ENFORCED");
            }
            if let Some(table) = self.schema.known(ObjectKind::Table, &table) {
                // MariaDB lets a check of a column, which has the column's name, and one of the table have the same name.
                let of_name = table.parts.entry(Part::Check(name)).or_default();
                if !of_name.is_empty() {
                    of_name.push_str(" and also ");
                }
                of_name.push_str(&clause);
            }
        }
        Ok(documents)
    }

    async fn read_columns(&mut self, documents: &BTreeSet<(String, String)>) -> Result<(), Error> {
        let reference_system = match self.family {
            Family::MySql => "srs_id",
            Family::MariaDb => "NULL",
        };
        let sql = format!(
            "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, collation_name, \
             generation_expression, column_comment, {reference_system} FROM information_schema.columns \
             WHERE table_schema = :database ORDER BY CAST(table_name AS BINARY), ordinal_position"
        );
        for row in self.rows(&sql).await? {
            let (table, name) = (text(&row, 0), text(&row, 1));
            let is_document = documents.contains(&(table.clone(), name.clone()));
            let collation = self.collation(&text(&row, 6));
            let definition = self.column(&row, is_document);
            let Some(table) = self.schema.known(ObjectKind::Table, &table) else {
                self.of_views.entry(table).or_default().push(name);
                continue;
            };
            if !collation.is_empty() && !is_document {
                table.collations.insert(name.clone(), collation);
            }
            table.columns.push(name.clone());
            table.parts.insert(Part::Column(name), definition);
        }
        Ok(())
    }

    /// A column's definition, with a NUL where its collation may stand.
    fn column(&self, row: &Row, is_document: bool) -> String {
        let column_type = if is_document {
            "JSON".to_owned()
        } else {
            canonical::column_type(&text(row, 2))
        };
        let extra = text(row, 5);
        let mut definition = format!("{column_type}\u{0}");
        let reference_system = text(row, 9);
        if !reference_system.is_empty() {
            definition.push_str(&format!(" SRID {reference_system}"));
        }
        let generated = text(row, 7);
        if !generated.is_empty() {
            let expression = self.stored(&generated);
            let kind = if extra.to_ascii_uppercase().contains("VIRTUAL") {
                "VIRTUAL"
            } else {
                "STORED"
            };
            definition.push_str(&format!(" AS ({expression}) {kind}"));
        }
        definition.push_str(if text(row, 3) == "YES" {
            " NULL"
        } else {
            " NOT NULL"
        });
        let told = match row.get(4) {
            Some(Value::Null) | None => None,
            Some(_) => Some(text(row, 4)),
        };
        if generated.is_empty()
            && let Some(default) =
                canonical::default(self.family, told.as_deref(), &extra, &column_type)
        {
            definition.push_str(&format!(" DEFAULT {default}"));
        }
        let extra = canonical::extra(&extra);
        if !extra.is_empty() {
            definition.push_str(&format!(" {extra}"));
        }
        let comment = text(row, 8);
        if !comment.is_empty() {
            definition.push_str(&format!(" COMMENT {}", literal::quoted(&comment)));
        }
        definition
    }

    async fn read_indexes(&mut self) -> Result<(), Error> {
        let sql = "SELECT UPPER(column_name) FROM information_schema.columns \
                   WHERE UPPER(table_schema) = 'INFORMATION_SCHEMA' AND UPPER(table_name) = 'STATISTICS' \
                   ORDER BY ordinal_position";
        let known = self.rows(sql).await?;
        let has = |name: &str| known.iter().any(|row| text(row, 0) == name);
        let expression = if has("EXPRESSION") {
            "expression"
        } else {
            "NULL"
        };
        let hidden = match (has("IS_VISIBLE"), has("IGNORED")) {
            (true, _) => "is_visible = 'NO'",
            (_, true) => "ignored = 'YES'",
            _ => "0",
        };
        let sql = format!(
            "SELECT table_name, index_name, non_unique, index_type, column_name, sub_part, collation, index_comment, \
             {expression}, {hidden} FROM information_schema.statistics WHERE table_schema = :database \
             ORDER BY CAST(table_name AS BINARY), index_name, seq_in_index"
        );
        let rows = self.rows(&sql).await?;
        for index in rows.chunk_by(|one, other| one[..2] == other[..2]) {
            let Some(first) = index.first() else {
                continue;
            };
            let columns: Vec<String> = index.iter().map(|row| self.index_column(row)).collect();
            let kind = match (text(first, 3).as_str(), text(first, 2).as_str()) {
                ("FULLTEXT", _) => "FULLTEXT ",
                ("SPATIAL", _) => "SPATIAL ",
                (_, "0") if text(first, 1) != "PRIMARY" => "UNIQUE ",
                _ => "",
            };
            let mut definition = format!("{kind}({})", columns.join(", "));
            if text(first, 3) == "HASH" {
                definition.push_str(" USING HASH");
            }
            if text(first, 9) == "1" {
                definition.push_str(" INVISIBLE");
            }
            let comment = text(first, 7);
            if !comment.is_empty() {
                definition.push_str(&format!(" COMMENT {}", literal::quoted(&comment)));
            }
            if let Some(table) = self.schema.known(ObjectKind::Table, &text(first, 0)) {
                let name = Part::Index(text(first, 1));
                table.parts.insert(name, definition);
            }
        }
        Ok(())
    }

    fn index_column(&self, row: &Row) -> String {
        let expression = text(row, 8);
        let mut column = if expression.is_empty() {
            text(row, 4)
        } else {
            format!("({})", self.stored(&expression))
        };
        let length = text(row, 5);
        if !length.is_empty() && text(row, 3) != "SPATIAL" {
            column.push_str(&format!("({length})"));
        }
        if text(row, 6) == "D" {
            column.push_str(" DESC");
        }
        column
    }

    async fn read_foreign_keys(&mut self) -> Result<(), Error> {
        let sql = "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, \
                   k.referenced_table_name, k.referenced_column_name, r.update_rule, r.delete_rule \
                   FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r \
                   ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name \
                   AND r.table_name = k.table_name WHERE k.table_schema = :database \
                   AND k.referenced_table_name IS NOT NULL \
                   ORDER BY CAST(k.table_name AS BINARY), k.constraint_name, k.ordinal_position";
        let rows = self.rows(sql).await?;
        for key in rows.chunk_by(|one, other| one[..2] == other[..2]) {
            let Some(first) = key.first() else {
                continue;
            };
            let column = |at| {
                let columns: Vec<String> = key.iter().map(|row| text(row, at)).collect();
                columns.join(", ")
            };
            let mut parent = text(first, 4);
            if text(first, 3) != self.database {
                parent = format!("{}.{parent}", text(first, 3));
            }
            let definition = format!(
                "({}) REFERENCES {parent} ({}){}{}",
                column(2),
                column(5),
                canonical::rule("UPDATE", &text(first, 6)),
                canonical::rule("DELETE", &text(first, 7)),
            );
            if let Some(table) = self.schema.known(ObjectKind::Table, &text(first, 0)) {
                table
                    .parts
                    .insert(Part::ForeignKey(text(first, 1)), definition);
            }
        }
        Ok(())
    }

    async fn read_partitions(&mut self) -> Result<(), Error> {
        let sql = "SELECT table_name, partition_method, partition_expression, subpartition_method, \
                   subpartition_expression, partition_name, subpartition_name, partition_description, \
                   partition_comment \
                   FROM information_schema.partitions WHERE table_schema = :database AND partition_name IS NOT NULL \
                   ORDER BY CAST(table_name AS BINARY), partition_ordinal_position, subpartition_ordinal_position";
        let rows = self.rows(sql).await?;
        for partitions in rows.chunk_by(|one, other| one[0] == other[0]) {
            let Some(first) = partitions.first() else {
                continue;
            };
            let expression = |at| canonical::expression(&text(first, at), &self.database);
            let mut definition = format!("{} ({})", text(first, 1), expression(2));
            if !text(first, 3).is_empty() {
                definition.push_str(&format!(", then {} ({})", text(first, 3), expression(4)));
            }
            let named: Vec<String> = partitions
                .iter()
                .map(|row| {
                    let name = [text(row, 5), text(row, 6)].join(" ");
                    let mut said = format!("{} {}", name.trim(), text(row, 7));
                    if !text(row, 8).is_empty() {
                        said.push_str(&format!(" COMMENT {}", literal::quoted(&text(row, 8))));
                    }
                    said.trim().to_owned()
                })
                .collect();
            definition.push_str(&format!(": {}", named.join(", ")));
            if let Some(table) = self.schema.known(ObjectKind::Table, &text(first, 0)) {
                table.parts.insert(Part::Property("partitions"), definition);
            }
        }
        Ok(())
    }

    fn define(&mut self, kind: ObjectKind, name: &str, definition: String) {
        let object = self.schema.object(kind, name);
        object.parts.insert(Part::Definition, definition);
    }

    async fn read_views(&mut self) -> Result<(), Error> {
        let sql = "SELECT table_name, view_definition, check_option, security_type FROM information_schema.views \
                   WHERE table_schema = :database ORDER BY CAST(table_name AS BINARY)";
        for row in self.rows(sql).await? {
            if text(&row, 1).is_empty() {
                self.define(ObjectKind::View, &text(&row, 0), HIDDEN.to_owned());
                continue;
            }
            let columns = self.of_views.remove(&text(&row, 0)).unwrap_or_default();
            let mut definition = canonical::query(&text(&row, 1), &self.database, &columns);
            if text(&row, 2) != "NONE" {
                definition.push_str(&format!(" WITH {} CHECK OPTION", text(&row, 2)));
            }
            if text(&row, 3) != "DEFINER" {
                definition.push_str(&format!(" SQL SECURITY {}", text(&row, 3)));
            }
            self.define(ObjectKind::View, &text(&row, 0), definition);
        }
        Ok(())
    }

    async fn read_routines(&mut self) -> Result<(), Error> {
        let sql = "SELECT specific_name, routine_type, COALESCE(parameter_mode, ''), COALESCE(parameter_name, ''), \
                   dtd_identifier, character_set_name FROM information_schema.parameters WHERE specific_schema = :database \
                   ORDER BY routine_type, specific_name, ordinal_position";
        let mut parameters: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for row in self.rows(sql).await? {
            let charset = match text(&row, 5).as_str() {
                "" => String::new(),
                charset if charset == self.schema.charset => String::new(),
                "utf8" => "CHARSET utf8mb3".to_owned(),
                charset => format!("CHARSET {charset}"),
            };
            let parts = [
                text(&row, 2),
                text(&row, 3),
                canonical::column_type(&text(&row, 4)),
                charset,
            ];
            let said: Vec<&str> = parts
                .iter()
                .map(String::as_str)
                .filter(|part| !part.is_empty())
                .collect();
            // What a function returns has no name, and comes first.
            let said = if text(&row, 3).is_empty() {
                format!("RETURNS {}", said.join(" "))
            } else {
                said.join(" ")
            };
            parameters
                .entry((text(&row, 1), text(&row, 0)))
                .or_default()
                .push(said);
        }
        let sql = "SELECT routine_type, specific_name, routine_definition, is_deterministic, sql_data_access, \
                   security_type, routine_comment FROM information_schema.routines WHERE routine_schema = :database \
                   AND routine_type IN ('PROCEDURE', 'FUNCTION') ORDER BY routine_type, specific_name";
        for row in self.rows(sql).await? {
            let name = text(&row, 1);
            let kind = if text(&row, 0) == "FUNCTION" {
                ObjectKind::Function
            } else {
                ObjectKind::Procedure
            };
            if matches!(row.get(2), Some(Value::Null)) {
                self.define(kind, &name, HIDDEN.to_owned());
                continue;
            }
            let of_routine = parameters.get(&(text(&row, 0), name.clone()));
            let mut definition = format!(
                "({})",
                of_routine.map_or(String::new(), |all| all.join(", "))
            );
            if text(&row, 3) == "YES" {
                definition.push_str(" DETERMINISTIC");
            }
            if text(&row, 4) != "CONTAINS SQL" {
                definition.push_str(&format!(" {}", text(&row, 4)));
            }
            if text(&row, 5) != "DEFINER" {
                definition.push_str(&format!(" SQL SECURITY {}", text(&row, 5)));
            }
            let comment = text(&row, 6);
            if !comment.is_empty() {
                definition.push_str(&format!(" COMMENT {}", literal::quoted(&comment)));
            }
            let body = canonical::body(&text(&row, 2), &self.database);
            definition.push_str(&format!(" {body}"));
            self.define(kind, &name, definition);
        }
        Ok(())
    }

    async fn read_triggers(&mut self) -> Result<(), Error> {
        let sql = "SELECT trigger_name, action_timing, event_manipulation, event_object_table, action_order, \
                   action_statement FROM information_schema.triggers WHERE trigger_schema = :database \
                   ORDER BY trigger_name";
        for row in self.rows(sql).await? {
            let order = match text(&row, 4).as_str() {
                "" | "0" | "1" => String::new(),
                order => format!(" number {order}"),
            };
            let definition = format!(
                "{} {} ON {}{order} {}",
                text(&row, 1),
                text(&row, 2),
                text(&row, 3),
                canonical::body(&text(&row, 5), &self.database)
            );
            self.define(ObjectKind::Trigger, &text(&row, 0), definition);
        }
        Ok(())
    }

    /// When an event begins is the moment of its creation unless it is told, and both look alike.
    async fn read_events(&mut self) -> Result<(), Error> {
        let sql = "SELECT event_name, event_type, interval_value, interval_field, status, on_completion, \
                   event_definition, event_comment FROM information_schema.events WHERE event_schema = :database ORDER BY event_name";
        for row in self.rows(sql).await? {
            let schedule = if text(&row, 1) == "RECURRING" {
                format!("EVERY {} {}", text(&row, 2), text(&row, 3))
            } else {
                "ONCE".to_owned()
            };
            let kept = match text(&row, 5).as_str() {
                "PRESERVE" => " ON COMPLETION PRESERVE",
                _ => "",
            };
            let status = match text(&row, 4).as_str() {
                "ENABLED" => "",
                _ => " DISABLED",
            };
            let comment = match text(&row, 7) {
                comment if comment.is_empty() => String::new(),
                comment => format!(" COMMENT {}", literal::quoted(&comment)),
            };
            let body = canonical::body(&text(&row, 6), &self.database);
            let definition = format!("{schedule}{kept}{status}{comment} {body}");
            self.define(ObjectKind::Event, &text(&row, 0), definition);
        }
        Ok(())
    }
}

/// A value as text; nothing for NULL.
fn text(row: &Row, at: usize) -> String {
    match row.get(at) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Long(number)) => number.to_string(),
        Some(Value::Null) | None => String::new(),
    }
}
