//! What the scripts make of the database, as far as rules ask: tables with their columns, indexes and foreign keys. The
//! scripts are replayed in order; a table that none of them creates is not known, and no rule guesses what it holds.

use std::collections::BTreeMap;

use super::algorithm::{AlgorithmClass, effect_of, moves_columns};
use super::context::Target;
use super::reader::{
    Alter, ClauseKind, Column, CreateTable, Element, ForeignKey, Index, IndexKind, InlineKey,
    KeyPart, Name, Read, TableName,
};

/// A table, as the scripts so far have made it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    /// Whether the statements that are looked at create it: no row of it is in use yet.
    pub(super) is_new: bool,
    /// Whether all of its columns are known; those of a SELECT are not.
    pub(super) is_complete: bool,
    pub(super) columns: Vec<Column>,
    pub(super) indexes: Vec<Index>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) engine: Option<String>,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) is_compressed: bool,
    /// How many times its columns changed by ALGORITHM=INSTANT since its rows were last written anew.
    pub(super) row_versions: u32,
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        let key = name.to_lowercase();
        self.columns.iter().find(|column| column.name.key() == key)
    }

    pub(super) fn index(&self, name: &str) -> Option<&Index> {
        let key = name.to_lowercase();
        self.indexes
            .iter()
            .find(|index| index.name.as_ref().is_some_and(|found| found.key() == key))
    }

    pub(super) fn has_primary_key(&self) -> bool {
        self.indexes
            .iter()
            .any(|index| index.kind == IndexKind::Primary)
            || self
                .columns
                .iter()
                .any(|column| column.key == Some(InlineKey::Primary))
    }

    /// The columns of every index in order, those of inline keys too.
    pub(super) fn index_columns(&self) -> Vec<Vec<String>> {
        let listed = self.indexes.iter().filter_map(|index| {
            let columns = index.columns()?;
            Some(columns.into_iter().map(|(name, _)| name).collect())
        });
        let inline = self
            .columns
            .iter()
            .filter(|column| column.key.is_some())
            .map(|column| vec![column.name.key()]);
        listed.chain(inline).collect()
    }

    /// Whether a unique index or key makes it impossible that two rows are alike in these columns.
    pub(super) fn is_unique_by(&self, columns: &[(String, Option<u64>)]) -> bool {
        let listed = self.indexes.iter().filter(|index| index.is_unique());
        let inline = self
            .columns
            .iter()
            .filter(|column| column.key.is_some())
            .map(|column| vec![(column.name.key(), None)]);
        listed
            .filter_map(Index::columns)
            .chain(inline)
            .any(|unique| implies(&unique, columns))
    }

    /// The character set of a column's texts, where it is known.
    pub(super) fn charset_of(&self, column: &Column) -> Option<String> {
        let of_collation = |collation: &str| collation.split('_').next().map(str::to_lowercase);
        let own = &column.data_type;
        own.charset
            .as_ref()
            .map(|name| name.key())
            .or_else(|| of_collation(&own.collation.as_ref()?.text))
            .or_else(|| self.charset.clone())
            .or_else(|| of_collation(self.collation.as_ref()?))
    }

    /// The collation of a column's texts, where a definition says it.
    pub(super) fn said_collation(&self, column: &Column) -> Option<String> {
        let own = &column.data_type;
        match (&own.collation, &own.charset) {
            (Some(name), _) => Some(name.key()),
            (None, Some(_)) => None,
            (None, None) => self.collation.clone(),
        }
    }

    /// The collation of a column's texts: MySQL 8.0's own where nothing is said.
    pub(super) fn collation_of(&self, column: &Column) -> String {
        self.said_collation(column).unwrap_or_else(|| {
            let charset = self.charset_of(column);
            match charset.as_deref() {
                None | Some("utf8mb4") => "utf8mb4_0900_ai_ci".to_owned(),
                Some("utf8" | "utf8mb3") => "utf8mb3_general_ci".to_owned(),
                Some("latin1") => "latin1_swedish_ci".to_owned(),
                Some(other) => format!("{other}_general_ci"),
            }
        })
    }

    pub(super) fn is_innodb(&self) -> bool {
        let engine = self.engine.as_deref();
        engine.is_none_or(|engine| engine.eq_ignore_ascii_case("innodb"))
    }

    /// Whether a column is part of the primary key.
    pub(super) fn is_in_primary_key(&self, column: &Column) -> bool {
        let primary = |index: &&Index| index.kind == IndexKind::Primary;
        column.key == Some(InlineKey::Primary)
            || self
                .indexes
                .iter()
                .filter(primary)
                .any(|index| index.has(column))
    }

    /// Whether a column is part of an index, of those whose names count.
    pub(super) fn is_indexed(&self, column: &Column, counts: impl Fn(&Name) -> bool) -> bool {
        let counts = |name: Option<&Name>| name.is_none_or(&counts);
        column.key.is_some() && counts(Some(&column.name))
            || self
                .indexes
                .iter()
                .any(|index| counts(index.name.as_ref()) && index.has(column))
            || self
                .foreign_keys
                .iter()
                .any(|key| key.columns.iter().any(|part| part.is(column)))
    }

    /// Whether it is known that neither an index nor a foreign key has the name: a constraint of it is a check.
    pub(super) fn has_no_key_of_name(&self, name: &Name) -> bool {
        let inline = |column: &Column| column.key.is_some() && column.name.is(name);
        let foreign = |key: &ForeignKey| key.name.as_ref().is_none_or(|found| found.is(name));
        self.is_complete
            && self.index(&name.text).is_none()
            && !name.text.eq_ignore_ascii_case("primary")
            && !self.columns.iter().any(inline)
            && !self.foreign_keys.iter().any(foreign)
    }

    /// The most bytes that a character of a column takes: 4 where nothing is said, as MySQL 8.0's default utf8mb4.
    pub(super) fn bytes_per_character(&self, column: &Column) -> u64 {
        if column.data_type.name == "VARBINARY" {
            return 1;
        }
        match self.charset_of(column).as_deref() {
            Some("latin1" | "ascii" | "binary" | "latin2" | "cp1252") => 1,
            Some("ucs2" | "gbk" | "sjis" | "big5") => 2,
            Some("utf8" | "utf8mb3") => 3,
            Some(_) | None => 4,
        }
    }
}

/// Whether rows that are never alike in `some` columns are never alike in `more`.
pub(super) fn implies(some: &[(String, Option<u64>)], more: &[(String, Option<u64>)]) -> bool {
    some.iter().all(|(name, prefix)| {
        more.iter()
            .any(|(other, cut)| other == name && (cut.is_none() || cut == prefix))
    })
}

/// All known tables.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema {
    tables: BTreeMap<String, Table>,
}

impl Schema {
    pub(super) fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.get(&self.key_of(name)?)
    }

    /// The key under which a table is known. `post` and `blog.post` are one table, unless there are several `post`.
    fn key_of(&self, name: &TableName) -> Option<String> {
        let key = name.key();
        if self.tables.contains_key(&key) {
            return Some(key);
        }
        let bare = name.name.key();
        let suffix = format!(".{bare}");
        let mut same = self.tables.keys().filter(|known| match name.schema {
            Some(_) => **known == bare,
            None => known.ends_with(&suffix),
        });
        let found = same.next()?.clone();
        same.next().is_none().then_some(found)
    }

    /// Replays a statement.
    pub(super) fn apply(&mut self, read: &Read, is_pending: bool) {
        match read {
            Read::CreateTable(create) => self.create(create, is_pending),
            Read::Alter(alter) => self.alter(alter),
            Read::Rename(pairs) => {
                for (old, new) in pairs {
                    self.rename(old, new);
                }
            }
            Read::DropTable(tables) => {
                for table in tables {
                    if let Some(key) = self.key_of(table) {
                        self.tables.remove(&key);
                    }
                }
            }
            Read::DropDatabase(name) => {
                let prefix = format!("{}.", name.key());
                self.tables.retain(|key, _| !key.starts_with(&prefix));
            }
            Read::Truncate(_) | Read::Rows(_) | Read::Other => {}
        }
    }

    fn rename(&mut self, old: &TableName, new: &TableName) {
        let key = self.key_of(old);
        if let Some(mut table) = key.and_then(|key| self.tables.remove(&key)) {
            new.text().clone_into(&mut table.name);
            self.tables.insert(new.key(), table);
        }
    }

    fn create(&mut self, create: &CreateTable, is_pending: bool) {
        let key = create.table.key();
        // IF NOT EXISTS keeps the older one.
        if self.tables.contains_key(&key) && create.or_replace.is_none() {
            return;
        }
        let like = create.like.as_ref().and_then(|like| self.table(like));
        let table = match like.cloned() {
            Some(like) => Table {
                name: create.table.text().to_owned(),
                is_new: is_pending,
                foreign_keys: Vec::new(),
                row_versions: 0,
                ..like
            },
            None => table_of(create, is_pending),
        };
        self.tables.insert(key, table);
    }

    fn alter(&mut self, alter: &Alter) {
        let key = self.key_of(&alter.table);
        let Some(table) = key.and_then(|key| self.tables.get_mut(&key)) else {
            return;
        };
        let row_versions = row_versions_after(table, alter);
        for clause in &alter.clauses {
            change(table, &clause.kind);
        }
        table.row_versions = row_versions;
        if let Some(new) = alter.clauses.iter().find_map(|clause| match &clause.kind {
            ClauseKind::RenameTable(new) => Some(new),
            _ => None,
        }) {
            self.rename(&alter.table, new);
        }
    }
}

/// The table that a CREATE TABLE defines.
pub(super) fn table_of(create: &CreateTable, is_pending: bool) -> Table {
    let options = &create.options;
    let mut table = Table {
        name: create.table.text().to_owned(),
        is_new: is_pending,
        is_complete: !create.selects && create.like.is_none(),
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        engine: options.engine.as_ref().map(|name| name.text.clone()),
        charset: options.charset.as_ref().map(|name| name.key()),
        collation: options.collation.as_ref().map(|name| name.key()),
        is_compressed: options.is_compressed,
        row_versions: 0,
    };
    for element in &create.elements {
        match element {
            Element::Column(column) => table.columns.push(column.as_ref().clone()),
            Element::Index(index) => add_index(&mut table, index),
            Element::ForeignKey(key) => table.foreign_keys.push(key.clone()),
            Element::Check(_) => {}
            Element::Other => table.is_complete = false,
        }
    }
    table
}

fn add_index(table: &mut Table, index: &Index) {
    let mut index = index.clone();
    // MySQL names it after its first column.
    if index.name.is_none() {
        index.name = index.parts.first().and_then(|part| part.column.clone());
    }
    table.indexes.push(index);
    keep_primary_key_not_null(table);
}

/// The columns of a primary key are NOT NULL, whether their definitions say so or not.
fn keep_primary_key_not_null(table: &mut Table) {
    let is_key = |column: &Column| table.is_in_primary_key(column);
    let keys: Vec<bool> = table.columns.iter().map(is_key).collect();
    for (column, is_key) in table.columns.iter_mut().zip(keys) {
        column.not_null |= is_key;
    }
}

/// The column leaves its indexes too, and an index without columns goes (dev.mysql.com/doc/refman/8.0/en/alter-table.html).
fn drop_column(table: &mut Table, name: &Name) {
    table.columns.retain(|column| !column.name.is(name));
    for index in &mut table.indexes {
        let goes = |part: &KeyPart| part.column.as_ref().is_some_and(|found| found.is(name));
        index.parts.retain(|part| !goes(part));
    }
    table.indexes.retain(|index| !index.parts.is_empty());
}

fn change(table: &mut Table, kind: &ClauseKind) {
    match kind {
        ClauseKind::AddColumn { column, .. } => table.columns.push(column.clone()),
        ClauseKind::DropColumn(name) => drop_column(table, name),
        ClauseKind::ChangeColumn { old, column, .. } => {
            rename_in_keys(table, &old.key(), column);
            if let Some(found) = table.columns.iter_mut().find(|found| found.name.is(old)) {
                // A key stays, whether the new definition says so or not.
                let key = column.key.or(found.key);
                *found = column.clone();
                found.key = key;
            }
            keep_primary_key_not_null(table);
        }
        ClauseKind::RenameColumn { old, new } => {
            if let Some(found) = table.columns.iter_mut().find(|found| found.name.is(old)) {
                found.name = new.clone();
                let found = found.clone();
                rename_in_keys(table, &old.key(), &found);
            }
        }
        ClauseKind::SetDefault { column, default } => {
            if let Some(found) = table.columns.iter_mut().find(|found| found.name.is(column)) {
                found.default.clone_from(default);
            }
        }
        ClauseKind::AddIndex(index) => add_index(table, index),
        ClauseKind::DropIndex(name) => {
            table
                .indexes
                .retain(|index| index.name.as_ref().is_none_or(|found| !found.is(name)));
            for column in &mut table.columns {
                if column.name.is(name) && column.key == Some(InlineKey::Unique) {
                    column.key = None;
                }
            }
        }
        ClauseKind::DropPrimaryKey => {
            table
                .indexes
                .retain(|index| index.kind != IndexKind::Primary);
            for column in &mut table.columns {
                if column.key == Some(InlineKey::Primary) {
                    column.key = None;
                }
            }
        }
        ClauseKind::RenameIndex { old, new } => {
            for index in &mut table.indexes {
                if index.name.as_ref().is_some_and(|found| found.is(old)) {
                    index.name = Some(new.clone());
                }
            }
        }
        ClauseKind::IndexVisibility { index, visible, .. } => {
            for found in &mut table.indexes {
                if found.name.as_ref().is_some_and(|name| name.is(index)) {
                    found.invisible = !visible;
                }
            }
        }
        ClauseKind::AddForeignKey(key) => table.foreign_keys.push(key.clone()),
        ClauseKind::DropForeignKey(name) | ClauseKind::DropConstraint(name) => {
            table
                .foreign_keys
                .retain(|key| key.name.as_ref().is_none_or(|found| !found.is(name)));
        }
        ClauseKind::ConvertCharset { charset, collation } => {
            table.charset = Some(charset.key());
            table.collation = collation.as_ref().map(|name| name.key());
            for column in &mut table.columns {
                column.data_type.charset = None;
                column.data_type.collation = None;
            }
        }
        ClauseKind::Engine(name) => table.engine = Some(name.text.clone()),
        ClauseKind::DefaultCharset { charset, collation } => {
            default_charset(table, charset, collation)
        }
        ClauseKind::AddCheck(_)
        | ClauseKind::EnforceCheck { .. }
        | ClauseKind::RenameTable(_)
        | ClauseKind::Partitions(_)
        | ClauseKind::ColumnVisibility
        | ClauseKind::Option
        | ClauseKind::Rebuild
        | ClauseKind::Other => {}
    }
}

/// A rebuild starts the count anew, and columns that come or go at once add one to it.
fn row_versions_after(table: &Table, alter: &Alter) -> u32 {
    let effect = effect_of(alter, Some(table), Target::AURORA_MYSQL_3, None);
    let asked = alter.algorithm.as_ref().map(Name::key);
    let may_be_instant = matches!(asked.as_deref(), None | Some("instant" | "default"));
    let moves = moves_columns(alter, Some(table));
    let is_known = effect.class != AlgorithmClass::Unknown;
    if is_known && effect.rebuilds || !may_be_instant && (moves || asked.as_deref() == Some("copy"))
    {
        0
    } else if moves && effect.class == AlgorithmClass::Instant {
        table.row_versions + 1
    } else {
        table.row_versions
    }
}

/// It holds for columns to come, and those that are there keep theirs.
fn default_charset(table: &mut Table, charset: &Option<Name>, collation: &Option<Name>) {
    let kept: Vec<_> = table
        .columns
        .iter()
        .map(|column| (table.charset_of(column), table.collation_of(column)))
        .collect();
    for (column, (charset, collation)) in table.columns.iter_mut().zip(kept) {
        let own = &mut column.data_type;
        if own.holds_text() {
            let name = |text: String| Name {
                text,
                span: own.span.clone(),
                quoted: false,
            };
            own.charset = own.charset.take().or_else(|| charset.map(name));
            own.collation = own.collation.take().or_else(|| Some(name(collation)));
        }
    }
    table.charset = charset.as_ref().map(Name::key);
    table.collation = collation.as_ref().map(Name::key);
}

fn rename_in_keys(table: &mut Table, old: &str, column: &Column) {
    let keys = table.foreign_keys.iter_mut().map(|key| &mut key.columns);
    let parts = table
        .indexes
        .iter_mut()
        .map(|index| &mut index.parts)
        .chain(keys);
    for part in parts.flatten() {
        if part.column.as_ref().is_some_and(|found| found.key() == old) {
            part.column = Some(column.name.clone());
        }
    }
}
