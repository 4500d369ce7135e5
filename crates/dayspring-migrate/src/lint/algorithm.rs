//! How a server carries out a change of a table.
//!
//! The answers are those of MySQL's manual ('Online DDL Operations', dev.mysql.com/doc/refman/8.0/en/
//! innodb-online-ddl-operations.html, and ALTER TABLE, 'Performance and Space Requirements'). Where the manual is silent or
//! says more than the server does, they are those of MySQL 9.7.4, which was asked about each (2026-11-23). A server that is
//! asked knows better, so [`LintContext::measured`](super::LintContext::measured) comes first where it is given.

use std::fmt;

use super::context::{Measured, Target};
use super::reader::{
    Alter, Clause, ClauseKind, Column, DefaultKind, Index, IndexKind, InlineKey, Name,
    PartitionWork, Position,
};
use super::schema::Table;
use super::type_change::{TypeChange, compare_types};

/// The algorithm by which a server changes a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlgorithmClass {
    /// Only the definition changes.
    Instant,
    /// Readers and writers go on; the work may be as long as the table.
    Inplace,
    /// Every row is copied, and nobody writes meanwhile.
    Copy,
    /// It is not known.
    Unknown,
}

impl AlgorithmClass {
    /// The word for it after `ALGORITHM=`; `unknown` where there is none.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Instant => "INSTANT",
            Self::Inplace => "INPLACE",
            Self::Copy => "COPY",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for AlgorithmClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How one clause is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) class: AlgorithmClass,
    /// Whether every row is written anew.
    pub(super) rebuilds: bool,
    /// Whether it can run with LOCK=NONE.
    pub(super) lets_write: bool,
}

impl Effect {
    /// What the manual says, corrected by a server that was asked, if it is of the right kind.
    fn corrected(self, measured: Option<&Measured>) -> Self {
        match measured {
            Some(measured) if measured.decides => Self {
                class: measured.class,
                rebuilds: match measured.class {
                    AlgorithmClass::Instant => false,
                    AlgorithmClass::Copy | AlgorithmClass::Unknown => true,
                    AlgorithmClass::Inplace => {
                        self.rebuilds && self.class < AlgorithmClass::Unknown
                    }
                },
                lets_write: measured.lets_write,
            },
            Some(_) | None => self,
        }
    }
}

const INSTANT: Effect = Effect {
    class: AlgorithmClass::Instant,
    rebuilds: false,
    lets_write: true,
};
const INPLACE: Effect = Effect {
    class: AlgorithmClass::Inplace,
    rebuilds: false,
    lets_write: true,
};
const REBUILD: Effect = Effect {
    rebuilds: true,
    ..INPLACE
};
const INPLACE_BLOCKS: Effect = Effect {
    lets_write: false,
    ..INPLACE
};
const REBUILD_BLOCKS: Effect = Effect {
    lets_write: false,
    ..REBUILD
};
const COPY: Effect = Effect {
    class: AlgorithmClass::Copy,
    rebuilds: true,
    lets_write: false,
};
const UNKNOWN: Effect = Effect {
    class: AlgorithmClass::Unknown,
    ..COPY
};

/// The whole statement runs as its costliest clause does, but for columns that come or go together with other work.
/// What a server says that was asked comes first, if it is of the right kind.
pub(super) fn effect_of(
    alter: &Alter,
    table: Option<&Table>,
    target: Target,
    measured: Option<&Measured>,
) -> Effect {
    let effects = alter
        .clauses
        .iter()
        .map(|clause| effect_by_itself(alter, clause, table, target));
    let mut whole = effects.fold(INSTANT, |one, other| Effect {
        class: one.class.max(other.class),
        rebuilds: one.rebuilds || other.rebuilds,
        lets_write: one.lets_write && other.lets_write,
    });
    whole.rebuilds |= whole.class > AlgorithmClass::Instant && moves_columns(alter, table);
    let mut whole =
        settled(with_virtual_columns(whole, alter, table), alter, table).corrected(measured);
    whole.rebuilds |= whole.class > AlgorithmClass::Instant && moves_columns(alter, table);
    whole
}

/// How one clause of a statement runs.
pub(super) fn effect_in(
    alter: &Alter,
    clause: &Clause,
    table: Option<&Table>,
    target: Target,
) -> Effect {
    settled(effect_by_itself(alter, clause, table, target), alter, table)
}

fn has(alter: &Alter, is: impl Fn(&ClauseKind) -> bool) -> bool {
    alter.clauses.iter().any(|clause| is(&clause.kind))
}

/// Whether a column comes or goes that is kept in the rows: in place that is done only by a rebuild.
pub(super) fn moves_columns(alter: &Alter, table: Option<&Table>) -> bool {
    has(alter, |kind| match kind {
        ClauseKind::AddColumn { column, .. } => !is_virtual(column),
        ClauseKind::DropColumn(name) => !drops_virtual(name, table),
        _ => false,
    })
}

fn is_virtual(column: &Column) -> bool {
    column
        .generated
        .as_ref()
        .is_some_and(|generated| !generated.stored)
}

fn drops_virtual(name: &Name, table: Option<&Table>) -> bool {
    table
        .and_then(|table| table.column(&name.text))
        .is_some_and(is_virtual)
}

/// A virtual column comes or goes in place only by itself, or with plain indexes.
fn with_virtual_columns(whole: Effect, alter: &Alter, table: Option<&Table>) -> Effect {
    let adds = has(
        alter,
        |kind| matches!(kind, ClauseKind::AddColumn { column, .. } if is_virtual(column)),
    );
    let drops = has(
        alter,
        |kind| matches!(kind, ClauseKind::DropColumn(name) if drops_virtual(name, table)),
    );
    let adds_others = has(
        alter,
        |kind| matches!(kind, ClauseKind::AddColumn { column, .. } if !is_virtual(column)),
    );
    if !adds && !drops || whole.class >= AlgorithmClass::Copy {
        return whole;
    }
    if whole.class == AlgorithmClass::Instant {
        return if drops && adds_others { COPY } else { whole };
    }
    let adds_index = has(alter, |kind| matches!(kind, ClauseKind::AddIndex(_)));
    let others = has(alter, |kind| match kind {
        ClauseKind::AddColumn { column, .. } => !is_virtual(column) || column.key.is_some(),
        ClauseKind::DropColumn(name) => !drops_virtual(name, table),
        ClauseKind::AddIndex(index) => index.kind != IndexKind::Plain,
        ClauseKind::DropIndex(_) | ClauseKind::SetDefault { .. } => false,
        _ => true,
    });
    match (others, adds && adds_index) {
        (true, _) => COPY,
        (false, true) => INPLACE_BLOCKS,
        (false, false) => INPLACE,
    }
}

/// What a table's own kind makes of an effect.
fn settled(effect: Effect, alter: &Alter, table: Option<&Table>) -> Effect {
    let Some(table) = table else { return effect };
    let stays = |index: &&Index| {
        let name = index.name.as_ref();
        !has(
            alter,
            |kind| matches!(kind, ClauseKind::DropIndex(gone) if name.is_some_and(|name| name.is(gone))),
        )
    };
    let has_kind = |kind| {
        let mut left = table.indexes.iter().filter(stays);
        left.any(|index| index.kind == kind)
    };
    let changes_rows =
        effect.rebuilds || has(alter, |kind| matches!(kind, ClauseKind::AddIndex(_)));
    if effect.class >= AlgorithmClass::Copy {
        effect
    } else if !table.is_innodb() && (changes_rows || moves_columns(alter, Some(table))) {
        COPY
    } else if effect.rebuilds && has_kind(IndexKind::Fulltext) {
        // 'InnoDB presently supports one FULLTEXT index creation at a time', error 1846.
        COPY
    } else if effect.rebuilds && has_kind(IndexKind::Spatial) {
        REBUILD_BLOCKS
    } else if effect.class == AlgorithmClass::Instant
        && has_kind(IndexKind::Fulltext)
        && moves_columns(alter, Some(table))
    {
        // No column that is kept comes or goes instantly, and no rebuild is done in place.
        COPY
    } else if effect.class == AlgorithmClass::Instant
        && table.is_compressed
        && moves_columns(alter, Some(table))
    {
        REBUILD
    } else {
        effect
    }
}

fn effect_by_itself(
    alter: &Alter,
    clause: &Clause,
    table: Option<&Table>,
    target: Target,
) -> Effect {
    let adds_key = || {
        has(alter, |kind| match kind {
            ClauseKind::AddIndex(index) => index.kind == IndexKind::Primary,
            ClauseKind::AddColumn { column, .. } => column.key == Some(InlineKey::Primary),
            _ => false,
        })
    };
    let drops_index = |name: &Name| {
        has(
            alter,
            |kind| matches!(kind, ClauseKind::DropIndex(gone) if gone.is(name)),
        )
    };
    match &clause.kind {
        ClauseKind::AddColumn { column, position } => {
            add_column(column, position.as_ref(), table, target)
        }
        ClauseKind::DropColumn(name) => drop_column(name, table, target, adds_key()),
        ClauseKind::ChangeColumn {
            old,
            column,
            position,
        } => match table.and_then(|table| Some((table, table.column(&old.text)?))) {
            Some((table, before)) => {
                let is_indexed = table.is_indexed(before, |name| !drops_index(name));
                change_column(table, before, column, position.is_some(), is_indexed)
            }
            None => UNKNOWN,
        },
        ClauseKind::RenameColumn { .. } if target.is_before(8, 0, 28) => INPLACE,
        ClauseKind::RenameColumn { .. }
        | ClauseKind::SetDefault { .. }
        | ClauseKind::ColumnVisibility
        | ClauseKind::EnforceCheck { enforced: false }
        | ClauseKind::RenameTable(_) => INSTANT,
        ClauseKind::AddIndex(index) => add_index(index, alter, table),
        // By itself it copies the table; together with a new key it rebuilds it.
        ClauseKind::DropPrimaryKey if adds_key() => REBUILD,
        ClauseKind::DropPrimaryKey => COPY,
        ClauseKind::DropConstraint(name)
            if table.is_some_and(|table| table.has_no_key_of_name(name)) =>
        {
            INSTANT
        }
        ClauseKind::DropIndex(_)
        | ClauseKind::RenameIndex { .. }
        | ClauseKind::IndexVisibility { .. }
        | ClauseKind::DropForeignKey(_)
        | ClauseKind::DropConstraint(_)
        | ClauseKind::DefaultCharset { .. }
        | ClauseKind::Option
        | ClauseKind::Partitions(PartitionWork::Add | PartitionWork::Empty) => INPLACE,
        // In place only while foreign_key_checks is 0.
        ClauseKind::AddForeignKey(_) => COPY,
        ClauseKind::AddCheck(check) if !check.enforced => INSTANT,
        ClauseKind::AddCheck(_) | ClauseKind::EnforceCheck { enforced: true } => COPY,
        ClauseKind::ConvertCharset { charset, collation } => {
            convert(table, charset, collation.as_ref())
        }
        ClauseKind::Engine(name) => {
            let stays = name.key() == "innodb" && table.is_none_or(Table::is_innodb);
            if stays { REBUILD } else { COPY }
        }
        ClauseKind::Rebuild => REBUILD,
        ClauseKind::Partitions(PartitionWork::Rewrite) => REBUILD_BLOCKS,
        ClauseKind::Partitions(PartitionWork::Whole) => COPY,
        ClauseKind::Partitions(PartitionWork::Other) | ClauseKind::Other => UNKNOWN,
    }
}

fn add_column(
    column: &Column,
    position: Option<&Position>,
    table: Option<&Table>,
    target: Target,
) -> Effect {
    let computed = column
        .default
        .as_ref()
        .is_some_and(|default| matches!(default.kind, DefaultKind::Expression | DefaultKind::Call));
    let checked = column.check.as_ref().is_some_and(|check| check.enforced);
    let stored = column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored);
    // From 9.0 on the key is made; before, the word is passed over.
    let refers = column.references.is_some() && !target.is_before(9, 0, 0) && target.is_mysql();
    if is_virtual(column) {
        let has_others = table.is_some_and(|table| table.columns.iter().any(is_virtual));
        let moves_others = position.is_some() && has_others;
        return if checked || column.key.is_some() || moves_others {
            COPY
        } else {
            INSTANT
        };
    }
    // A row has no value for it that the server would take: it looks whether there is a row.
    let wants_no_row = column.not_null
        && column.default.is_none()
        && !column.auto_increment
        && column.data_type.is_any(&NO_IMPLICIT_DEFAULT);
    if computed || stored || checked || refers {
        COPY
    } else if column.auto_increment {
        REBUILD_BLOCKS
    } else if column.key.is_some()
        || wants_no_row
        || position.is_some() && target.is_before(8, 0, 29)
    {
        REBUILD
    } else {
        INSTANT
    }
}

/// The types whose implicit default is no value of them in strict mode: zero dates, and no place at all.
const NO_IMPLICIT_DEFAULT: [&str; 10] = [
    "DATE",
    "DATETIME",
    "GEOMETRY",
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
];

fn drop_column(name: &Name, table: Option<&Table>, target: Target, adds_key: bool) -> Effect {
    let known = table.and_then(|table| Some((table, table.column(&name.text)?)));
    let Some((table, column)) = known else {
        return if target.is_before(8, 0, 29) {
            REBUILD
        } else {
            INSTANT
        };
    };
    let is_indexed = table.is_indexed(column, |_| true);
    if is_virtual(column) {
        let virtuals = table.columns.iter().filter(|column| is_virtual(column));
        return if is_indexed || virtuals.count() > 1 {
            INPLACE
        } else {
            INSTANT
        };
    }
    // Its indexes change with it.
    if table.is_in_primary_key(column) && !adds_key {
        COPY
    } else if is_indexed || target.is_before(8, 0, 29) {
        REBUILD
    } else {
        INSTANT
    }
}

fn add_index(index: &Index, alter: &Alter, table: Option<&Table>) -> Effect {
    let is_computed = index.parts.iter().any(|part| part.column.is_none());
    match index.kind {
        // An expression is a hidden virtual column.
        IndexKind::Plain if is_computed => INPLACE_BLOCKS,
        IndexKind::Unique if is_computed => COPY,
        IndexKind::Plain | IndexKind::Unique => INPLACE,
        IndexKind::Primary => REBUILD,
        IndexKind::Spatial => INPLACE_BLOCKS,
        IndexKind::Fulltext => {
            let is_fulltext = |kind: &ClauseKind| matches!(kind, ClauseKind::AddIndex(index) if index.kind == IndexKind::Fulltext);
            let added = alter.clauses.iter().map(|clause| &clause.kind);
            let is_first = table.is_none_or(|table| {
                let old = &table.indexes;
                !old.iter().any(|index| index.kind == IndexKind::Fulltext)
                    && table.column("FTS_DOC_ID").is_none()
            });
            match added.filter(|kind| is_fulltext(kind)).count() {
                2.. => COPY,
                _ if is_first => REBUILD_BLOCKS,
                _ => INPLACE_BLOCKS,
            }
        }
    }
}

fn change_column(
    table: &Table,
    before: &Column,
    after: &Column,
    moves: bool,
    is_indexed: bool,
) -> Effect {
    if before.generated.is_some() || after.generated.is_some() {
        return UNKNOWN;
    }
    let of_type = effect_of_type(compare_types(table, before, after), is_indexed);
    // A primary key is NOT NULL, whether its definition says so or not.
    let stays_not_null = before.not_null && table.is_in_primary_key(before);
    let rebuilds = before.not_null != (after.not_null || stays_not_null) || moves;
    if before.auto_increment != after.auto_increment {
        COPY
    } else if rebuilds && of_type.class < AlgorithmClass::Copy {
        REBUILD
    } else {
        of_type
    }
}

fn effect_of_type(change: TypeChange, is_indexed: bool) -> Effect {
    match change {
        TypeChange::None | TypeChange::EnumGrows => INSTANT,
        TypeChange::VarcharGrows => INPLACE,
        TypeChange::Collation | TypeChange::CharsetGrows if !is_indexed => INPLACE,
        TypeChange::VarcharCrosses255 { .. }
        | TypeChange::Narrows
        | TypeChange::EnumChanges
        | TypeChange::EnumWidens
        | TypeChange::Collation
        | TypeChange::Charset
        | TypeChange::CharsetGrows
        | TypeChange::Other => COPY,
    }
}

/// Every text of a table, converted.
fn convert(table: Option<&Table>, charset: &Name, collation: Option<&Name>) -> Effect {
    let Some(table) = table.filter(|table| table.is_complete) else {
        return COPY;
    };
    let texts = table
        .columns
        .iter()
        .filter(|column| column.data_type.holds_text());
    let effects = texts.map(|before| {
        let mut after = before.clone();
        after.data_type.charset = Some(charset.clone());
        after.data_type.collation = collation.cloned();
        let change = compare_types(table, before, &after);
        // A TEXT becomes a larger type where its characters can take more bytes.
        if before.data_type.blob_bytes().is_some() && change == TypeChange::CharsetGrows {
            return COPY;
        }
        effect_of_type(change, table.is_indexed(before, |_| true))
    });
    effects.fold(
        INPLACE,
        |one, other| {
            if other.class > one.class { other } else { one }
        },
    )
}
