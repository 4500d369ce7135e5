//! How a server carries out a change of a table.
//!
//! The answers are those of MySQL's manual ('Online DDL Operations', dev.mysql.com/doc/refman/8.0/en/
//! innodb-online-ddl-operations.html, and ALTER TABLE, 'Performance and Space Requirements'). A server that is asked
//! knows better, so [`LintContext::measured`](super::LintContext::measured) comes first where it is given.

use std::fmt;

use super::context::{Measured, Target};
use super::reader::{
    Alter, Clause, ClauseKind, Column, DataType, DefaultKind, Index, IndexKind, Position,
};
use super::schema::Table;

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
    pub(super) fn corrected(self, measured: Option<&Measured>) -> Self {
        match measured {
            Some(measured) if measured.decides => Self {
                class: measured.class,
                rebuilds: self.rebuilds && measured.class > AlgorithmClass::Instant,
                lets_write: measured.class < AlgorithmClass::Copy,
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

/// The whole statement runs as its costliest clause does.
pub(super) fn effect_of(alter: &Alter, table: Option<&Table>, target: Target) -> Effect {
    let effects = alter
        .clauses
        .iter()
        .map(|clause| effect_in(alter, clause, table, target));
    let mut whole = effects.fold(INSTANT, |one, other| Effect {
        class: one.class.max(other.class),
        rebuilds: one.rebuilds || other.rebuilds,
        lets_write: one.lets_write && other.lets_write,
    });
    // A column comes or goes in place only by a rebuild.
    whole.rebuilds |= whole.class > AlgorithmClass::Instant
        && has(alter, |kind| {
            matches!(
                kind,
                ClauseKind::AddColumn { .. } | ClauseKind::DropColumn(_)
            )
        });
    whole
}

fn has(alter: &Alter, is: impl Fn(&ClauseKind) -> bool) -> bool {
    alter.clauses.iter().any(|clause| is(&clause.kind))
}

/// How the manual says that one clause of a statement runs.
pub(super) fn effect_in(
    alter: &Alter,
    clause: &Clause,
    table: Option<&Table>,
    target: Target,
) -> Effect {
    let adds_key = || {
        has(
            alter,
            |kind| matches!(kind, ClauseKind::AddIndex(index) if index.kind == IndexKind::Primary),
        )
    };
    match clause.kind {
        // By itself it copies the table; together with a new key it rebuilds it.
        ClauseKind::DropPrimaryKey if adds_key() => REBUILD,
        _ => effect(clause, table, target),
    }
}

fn effect(clause: &Clause, table: Option<&Table>, target: Target) -> Effect {
    let effect = effect_by_kind(clause, table, target);
    let has_words = table.is_some_and(|table| {
        table
            .indexes
            .iter()
            .any(|index| index.kind == IndexKind::Fulltext)
    });
    let is_column = matches!(
        clause.kind,
        ClauseKind::AddColumn { .. } | ClauseKind::DropColumn(_)
    );
    // Columns of a table with a FULLTEXT index neither come nor go instantly.
    if has_words && is_column && effect.class < AlgorithmClass::Copy {
        return REBUILD_BLOCKS;
    }
    effect
}

fn effect_by_kind(clause: &Clause, table: Option<&Table>, target: Target) -> Effect {
    match &clause.kind {
        ClauseKind::AddColumn { column, position } => add_column(column, position.as_ref(), target),
        ClauseKind::DropColumn(name) => {
            let generated = table
                .and_then(|table| table.column(&name.text))
                .and_then(|column| column.generated.as_ref());
            match generated {
                Some(generated) if !generated.stored => INSTANT,
                Some(_) | None if target.is_before(8, 0, 29) => REBUILD,
                Some(_) | None => INSTANT,
            }
        }
        ClauseKind::ChangeColumn {
            old,
            column,
            position,
        } => match table.and_then(|table| Some((table, table.column(&old.text)?))) {
            Some((table, before)) => change_column(table, before, column, position.is_some()),
            None => UNKNOWN,
        },
        ClauseKind::RenameColumn { .. } if target.is_before(8, 0, 28) => INPLACE,
        ClauseKind::RenameColumn { .. }
        | ClauseKind::SetDefault { .. }
        | ClauseKind::RenameTable(_) => INSTANT,
        ClauseKind::AddIndex(index) => add_index(index),
        ClauseKind::DropPrimaryKey => COPY,
        ClauseKind::DropIndex(_)
        | ClauseKind::RenameIndex { .. }
        | ClauseKind::IndexVisibility { .. }
        | ClauseKind::DropForeignKey(_)
        | ClauseKind::DropConstraint(_)
        | ClauseKind::EnforceCheck { enforced: false }
        | ClauseKind::Option => INPLACE,
        // In place only while foreign_key_checks is 0.
        ClauseKind::AddForeignKey(_) => COPY,
        ClauseKind::AddCheck(check) if !check.enforced => INPLACE,
        ClauseKind::AddCheck(_)
        | ClauseKind::EnforceCheck { enforced: true }
        | ClauseKind::ConvertCharset { .. } => COPY,
        ClauseKind::Engine(name) => {
            let before = table.and_then(|table| table.engine.as_deref());
            let stays = name.key() == "innodb"
                && before.is_none_or(|before| before.eq_ignore_ascii_case("innodb"));
            if stays { REBUILD } else { COPY }
        }
        ClauseKind::Rebuild | ClauseKind::DefaultCharset => REBUILD,
        ClauseKind::EmptyPartition | ClauseKind::Other => UNKNOWN,
    }
}

fn add_column(column: &Column, position: Option<&Position>, target: Target) -> Effect {
    let computed = column
        .default
        .as_ref()
        .is_some_and(|default| matches!(default.kind, DefaultKind::Expression | DefaultKind::Call));
    let checked = column.check.as_ref().is_some_and(|check| check.enforced);
    let stored = column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored);
    if computed || stored || checked {
        COPY
    } else if column.auto_increment {
        REBUILD_BLOCKS
    } else if column.key.is_some() || position.is_some() && target.is_before(8, 0, 29) {
        REBUILD
    } else {
        INSTANT
    }
}

fn add_index(index: &Index) -> Effect {
    match index.kind {
        IndexKind::Plain | IndexKind::Unique => INPLACE,
        IndexKind::Primary => REBUILD,
        IndexKind::Fulltext | IndexKind::Spatial => INPLACE_BLOCKS,
    }
}

fn change_column(table: &Table, before: &Column, after: &Column, moves: bool) -> Effect {
    if before.generated.is_some() || after.generated.is_some() {
        return UNKNOWN;
    }
    let of_type = match compare_types(table, before, after) {
        TypeChange::None => INSTANT,
        TypeChange::EnumGrows => INSTANT,
        TypeChange::VarcharGrows => INPLACE,
        TypeChange::VarcharCrosses255 { .. }
        | TypeChange::Narrows
        | TypeChange::EnumChanges
        | TypeChange::Charset
        | TypeChange::Other => COPY,
    };
    let rebuilds = before.not_null != after.not_null || moves;
    if rebuilds && of_type.class < AlgorithmClass::Copy {
        REBUILD
    } else {
        of_type
    }
}

/// What becomes of a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeChange {
    None,
    VarcharGrows,
    /// Its longest value took one byte for its length, and takes two.
    VarcharCrosses255 {
        before: u64,
        after: u64,
    },
    /// Some values of the old type have no place in the new one.
    Narrows,
    /// Members are appended.
    EnumGrows,
    /// Members go, or change their places.
    EnumChanges,
    Charset,
    Other,
}

/// Compares two definitions of a column.
pub(super) fn compare_types(table: &Table, before: &Column, after: &Column) -> TypeChange {
    let (old, new) = (&before.data_type, &after.data_type);
    if old.is_any(&["ENUM", "SET"]) && old.name == new.name {
        return if new.arguments == old.arguments {
            TypeChange::None
        } else if new.arguments.starts_with(&old.arguments) {
            TypeChange::EnumGrows
        } else {
            TypeChange::EnumChanges
        };
    }
    if narrows(old, new) {
        return TypeChange::Narrows;
    }
    if old.name != new.name || old.unsigned != new.unsigned {
        return TypeChange::Other;
    }
    // A definition that no longer says the character set gives the column the table's.
    if let (true, Some(before), Some(after)) = (
        new.holds_text(),
        table.charset_of(before),
        table.charset_of(after),
    ) && before != after
    {
        return TypeChange::Charset;
    }
    if old.is_any(&["VARCHAR", "VARBINARY"]) {
        return varchar(table, before, after);
    }
    // Display widths of integers are only shown.
    if old.integer_bytes().is_some() || old.arguments == new.arguments {
        TypeChange::None
    } else {
        TypeChange::Other
    }
}

fn varchar(table: &Table, before: &Column, after: &Column) -> TypeChange {
    let (Some(old), Some(new)) = (before.data_type.length(), after.data_type.length()) else {
        return TypeChange::Other;
    };
    let old_bytes = old.saturating_mul(table.bytes_per_character(before));
    let new_bytes = new.saturating_mul(table.bytes_per_character(after));
    if old == new {
        TypeChange::None
    } else if old_bytes <= 255 && new_bytes > 255 {
        TypeChange::VarcharCrosses255 {
            before: old_bytes,
            after: new_bytes,
        }
    } else {
        TypeChange::VarcharGrows
    }
}

fn narrows(old: &DataType, new: &DataType) -> bool {
    if let (Some(one), Some(other)) = (old.integer_bytes(), new.integer_bytes()) {
        return other < one
            || !old.unsigned && new.unsigned
            || old.unsigned && !new.unsigned && other == one;
    }
    if let (Some((_, one)), Some((_, other))) = (old.blob_bytes(), new.blob_bytes()) {
        return other < one;
    }
    if old.blob_bytes().is_some() {
        return new.is_any(&["VARCHAR", "CHAR", "VARBINARY", "BINARY", "ENUM", "SET"]);
    }
    if old.name == "DOUBLE" && new.name == "FLOAT" || old.name == "DATETIME" && new.name == "DATE" {
        return true;
    }
    if old.name == "DECIMAL" && new.name == "DECIMAL" {
        let digits = |data_type: &DataType| -> (u64, u64) {
            let at = |index: usize| {
                data_type
                    .arguments
                    .get(index)
                    .and_then(|text| text.parse().ok())
            };
            let scale: u64 = at(1).unwrap_or(0);
            (at(0).unwrap_or(10_u64).saturating_sub(scale), scale)
        };
        let (one, other) = (digits(old), digits(new));
        return other.0 < one.0 || other.1 < one.1;
    }
    let sized = ["VARCHAR", "CHAR", "VARBINARY", "BINARY", "BIT"];
    if old.is_any(&sized) && new.is_any(&sized) {
        return new.length().unwrap_or(1) < old.length().unwrap_or(1);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::context::MySqlVersion;
    use super::super::reader::{Read, read, read_tokens};
    use super::super::schema::Schema;
    use super::*;

    const TABLE: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, i INT NOT NULL, s VARCHAR(50), \
                         l VARCHAR(50) CHARACTER SET latin1, e ENUM('a', 'b'), v INT AS (i + 1))";

    #[track_caller]
    fn check(target: Target, clause: &str, expected: &str) {
        check_for(TABLE, target, clause, expected);
    }

    #[track_caller]
    fn check_for(table: &str, target: Target, clause: &str, expected: &str) {
        let sql = format!("ALTER TABLE t {clause}");
        let mut schema = Schema::default();
        schema.apply(&read(&read_tokens(table, 0)), false);
        let Read::Alter(alter) = read(&read_tokens(&sql, 0)) else {
            panic!("{sql} was not read");
        };
        let effect = effect_of(&alter, schema.table(&alter.table), target);
        let mut found = effect.class.to_string();
        if effect.class == AlgorithmClass::Inplace {
            found.push_str(if effect.rebuilds { " rebuild" } else { "" });
            found.push_str(if effect.lets_write { "" } else { " shared" });
        }
        assert_eq!(found, expected, "{clause}");
    }

    // The rows of the tables in 'Online DDL Operations' of MySQL 8.0's manual.
    #[test]
    fn the_classes_are_those_of_the_manual() {
        for (clause, expected) in [
            ("ADD COLUMN a INT", "INSTANT"),
            ("ADD COLUMN a INT NOT NULL DEFAULT 1 AFTER id", "INSTANT"),
            ("ADD COLUMN a INT AS (i * 2) VIRTUAL", "INSTANT"),
            ("ADD COLUMN a INT AS (i * 2) STORED", "COPY"),
            ("ADD COLUMN a CHAR(36) DEFAULT (uuid())", "COPY"),
            ("ADD COLUMN a INT CHECK (a > 0)", "COPY"),
            (
                "ADD COLUMN a BIGINT AUTO_INCREMENT UNIQUE",
                "INPLACE rebuild shared",
            ),
            ("DROP COLUMN i", "INSTANT"),
            ("RENAME COLUMN i TO j", "INSTANT"),
            ("CHANGE i j INT NOT NULL", "INSTANT"),
            ("ALTER COLUMN i SET DEFAULT 1", "INSTANT"),
            ("ALTER COLUMN i DROP DEFAULT", "INSTANT"),
            ("MODIFY i BIGINT NOT NULL", "COPY"),
            ("MODIFY i INT", "INPLACE rebuild"),
            ("MODIFY s VARCHAR(50) NOT NULL", "INPLACE rebuild"),
            ("MODIFY s VARCHAR(50) AFTER id", "INPLACE rebuild"),
            ("MODIFY s VARCHAR(63)", "INPLACE"),
            ("MODIFY s VARCHAR(64)", "COPY"),
            ("MODIFY s VARCHAR(40)", "COPY"),
            ("MODIFY l VARCHAR(255) CHARACTER SET latin1", "INPLACE"),
            ("MODIFY l VARCHAR(256) CHARACTER SET latin1", "COPY"),
            ("MODIFY l VARCHAR(50) CHARACTER SET utf8mb4", "COPY"),
            ("MODIFY l VARCHAR(50) COLLATE latin1_bin", "INSTANT"),
            ("MODIFY v INT AS (i + 2)", "unknown"),
            ("MODIFY e ENUM('a', 'b', 'c')", "INSTANT"),
            ("MODIFY e ENUM('b', 'a')", "COPY"),
            ("ADD INDEX x (i)", "INPLACE"),
            ("ADD UNIQUE x (i)", "INPLACE"),
            ("ADD FULLTEXT x (s)", "INPLACE shared"),
            ("DROP INDEX x", "INPLACE"),
            ("RENAME INDEX x TO y", "INPLACE"),
            ("DROP PRIMARY KEY", "COPY"),
            ("DROP PRIMARY KEY, ADD PRIMARY KEY (i)", "INPLACE rebuild"),
            ("ADD CONSTRAINT f FOREIGN KEY (i) REFERENCES u (id)", "COPY"),
            ("DROP FOREIGN KEY f", "INPLACE"),
            ("ADD CONSTRAINT c CHECK (i > 0)", "COPY"),
            ("ADD CONSTRAINT c CHECK (i > 0) NOT ENFORCED", "INPLACE"),
            ("CONVERT TO CHARACTER SET utf8mb4", "COPY"),
            ("ENGINE=InnoDB", "INPLACE rebuild"),
            ("ENGINE=MyISAM", "COPY"),
            ("FORCE", "INPLACE rebuild"),
            ("COMMENT='x'", "INPLACE"),
            ("RENAME TO u", "INSTANT"),
            ("ADD COLUMN a INT, ADD INDEX x (i)", "INPLACE rebuild"),
            ("ALTER COLUMN i SET DEFAULT 1, ADD INDEX x (i)", "INPLACE"),
            ("REORGANIZE PARTITION p INTO (PARTITION q)", "unknown"),
        ] {
            check(Target::AURORA_MYSQL_3, clause, expected);
        }
    }

    #[test]
    fn no_column_of_a_table_with_a_fulltext_index_is_instant() {
        let table = TABLE.replace("e ENUM", "FULLTEXT (s), e ENUM");
        check_for(
            &table,
            Target::AURORA_MYSQL_3,
            "ADD COLUMN a INT",
            "INPLACE rebuild shared",
        );
        check_for(
            &table,
            Target::AURORA_MYSQL_3,
            "ALTER COLUMN i SET DEFAULT 1",
            "INSTANT",
        );
    }

    #[test]
    fn older_versions_do_less_at_once() {
        let old = Target::MySql(MySqlVersion::new(8, 0, 27));
        check(old, "ADD COLUMN a INT", "INSTANT");
        check(old, "ADD COLUMN a INT FIRST", "INPLACE rebuild");
        check(old, "DROP COLUMN i", "INPLACE rebuild");
        check(old, "DROP COLUMN v", "INSTANT");
        check(old, "RENAME COLUMN i TO j", "INPLACE");
    }
}
