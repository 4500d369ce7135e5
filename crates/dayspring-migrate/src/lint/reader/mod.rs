//! Reads the clauses of the statements that rules are about. It knows enough of the grammar for the rules and no more;
//! what it cannot read is [`Clause::Other`] or [`Read::Other`], about which no rule says anything.

mod column;
mod cursor;
mod index;
mod table;

use std::ops::Range;

pub(super) use column::{Column, DataType, Default, DefaultKind, ForeignKey, InlineKey, Position};
pub(super) use cursor::{Cursor, Name, TableName, Token, outside_parens, read_tokens};
pub(super) use index::{Index, IndexKind, KeyPart};

/// A statement, read.
#[derive(Debug, Clone)]
pub(super) enum Read {
    CreateTable(CreateTable),
    /// ALTER TABLE, CREATE INDEX and DROP INDEX: they all change a table.
    Alter(Alter),
    Rename(Vec<(TableName, TableName)>),
    DropTable(Vec<TableName>),
    DropDatabase(Name),
    Truncate(TableName),
    Rows(Rows),
    Other,
}

/// CREATE TABLE.
#[derive(Debug, Clone)]
pub(super) struct CreateTable {
    pub(super) table: TableName,
    pub(super) or_replace: Option<Range<usize>>,
    pub(super) elements: Vec<Element>,
    pub(super) options: TableOptions,
    pub(super) like: Option<TableName>,
    /// Whether columns come from a SELECT.
    pub(super) selects: bool,
}

/// A part of a table's definition.
#[derive(Debug, Clone)]
pub(super) enum Element {
    Column(Box<Column>),
    Index(Index),
    ForeignKey(ForeignKey),
    Check(Check),
    /// PERIOD FOR and the like.
    Other,
}

/// A check of a table.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub(super) name: Option<Name>,
    pub(super) enforced: bool,
    pub(super) span: Range<usize>,
}

/// What stands behind a table's definition, as far as rules are about it.
#[derive(Debug, Clone, Default)]
pub(super) struct TableOptions {
    pub(super) engine: Option<Name>,
    pub(super) charset: Option<Name>,
    pub(super) collation: Option<Name>,
    /// ROW_FORMAT=COMPRESSED, or a KEY_BLOCK_SIZE, which means it.
    pub(super) is_compressed: bool,
}

/// How a change of a table was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlterForm {
    AlterTable,
    CreateIndex,
    DropIndex,
}

/// A change of a table.
#[derive(Debug, Clone)]
pub(super) struct Alter {
    pub(super) form: AlterForm,
    pub(super) table: TableName,
    pub(super) clauses: Vec<Clause>,
    /// `ALGORITHM=...`: the word, and where the clause stands.
    pub(super) algorithm: Option<Name>,
    pub(super) lock: Option<Name>,
    /// `ALTER TABLE IF EXISTS`.
    pub(super) condition: Option<Range<usize>>,
    /// `WAIT n` or `NOWAIT`.
    pub(super) wait: Option<Range<usize>>,
    /// One past its last byte.
    pub(super) end: usize,
}

/// One clause of a change.
#[derive(Debug, Clone)]
pub(super) struct Clause {
    pub(super) kind: ClauseKind,
    /// IF EXISTS and IF NOT EXISTS, which only MariaDB knows here.
    pub(super) condition: Option<Range<usize>>,
    pub(super) span: Range<usize>,
}

/// What a clause does.
#[derive(Debug, Clone)]
pub(super) enum ClauseKind {
    AddColumn {
        column: Column,
        position: Option<Position>,
    },
    DropColumn(Name),
    /// MODIFY and CHANGE; the name is the old one.
    ChangeColumn {
        old: Name,
        column: Column,
        position: Option<Position>,
    },
    RenameColumn {
        old: Name,
        new: Name,
    },
    SetDefault {
        column: Name,
        default: Option<Default>,
    },
    AddIndex(Index),
    DropIndex(Name),
    DropPrimaryKey,
    RenameIndex {
        old: Name,
        new: Name,
    },
    IndexVisibility {
        index: Name,
        visible: bool,
        /// Where `IGNORED` stands, MariaDB's word for it.
        ignored: Option<Range<usize>>,
    },
    AddForeignKey(ForeignKey),
    DropForeignKey(Name),
    AddCheck(Check),
    /// DROP CHECK and DROP CONSTRAINT.
    DropConstraint(Name),
    EnforceCheck {
        enforced: bool,
    },
    RenameTable(TableName),
    Partitions(PartitionWork),
    ConvertCharset {
        charset: Name,
        collation: Option<Name>,
    },
    Engine(Name),
    /// FORCE, ROW_FORMAT: the rows are written anew.
    Rebuild,
    /// The character set and the collation of columns to come.
    DefaultCharset {
        charset: Option<Name>,
        collation: Option<Name>,
    },
    /// ALTER COLUMN ... SET VISIBLE and INVISIBLE.
    ColumnVisibility,
    /// COMMENT, AUTO_INCREMENT, STATS_...: only the definition changes.
    Option,
    Other,
}

/// What is done to the partitions of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartitionWork {
    /// ADD PARTITION of a RANGE or LIST: no row moves.
    Add,
    /// DROP and TRUNCATE PARTITION.
    Empty,
    /// REORGANIZE, REBUILD, COALESCE, and ADD PARTITION of a HASH or KEY: the rows of some partitions move.
    Rewrite,
    /// PARTITION BY and REMOVE PARTITIONING.
    Whole,
    /// EXCHANGE, ANALYZE, CHECK, ...
    Other,
}

/// INSERT, REPLACE, UPDATE and DELETE.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) verb: RowsVerb,
    /// The table, where there is one only.
    pub(super) table: Option<TableName>,
    pub(super) is_bounded: bool,
    /// The word RETURNING.
    pub(super) returning: Option<Range<usize>>,
}

/// What is done to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowsVerb {
    Insert,
    Update,
    Delete,
}

impl RowsVerb {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// Reads a statement from its tokens.
pub(super) fn read(tokens: &[Token<'_>]) -> Read {
    read_known(tokens).unwrap_or(Read::Other)
}

fn read_known(tokens: &[Token<'_>]) -> Option<Read> {
    let mut cursor = Cursor::new(tokens);
    let first = cursor.next()?;
    if first.is("CREATE") {
        table::read_create(cursor)
    } else if first.is("ALTER") {
        cursor.take_any(&["ONLINE", "OFFLINE"]);
        cursor.take("IGNORE");
        cursor.take("TABLE").then(|| table::read_alter(cursor))?
    } else if first.is("DROP") {
        table::read_drop(cursor)
    } else if first.is("RENAME") {
        cursor
            .take_any(&["TABLE", "TABLES"])
            .then(|| read_rename(cursor))?
    } else if first.is("TRUNCATE") {
        cursor.take("TABLE");
        Some(Read::Truncate(cursor.table_name()?))
    } else {
        read_rows(tokens)
    }
}

fn read_rename(mut cursor: Cursor<'_, '_>) -> Option<Read> {
    cursor.take_condition();
    let mut pairs = Vec::new();
    loop {
        let old = cursor.table_name()?;
        if !cursor.take("TO") {
            return None;
        }
        pairs.push((old, cursor.table_name()?));
        if !cursor.take_mark(',') {
            return Some(Read::Rename(pairs));
        }
    }
}

fn read_rows(tokens: &[Token<'_>]) -> Option<Read> {
    let outside: Vec<&Token<'_>> = outside_parens(tokens).collect();
    let at = if outside.first()?.is("WITH") {
        outside
            .iter()
            .position(|token| token.is_any(&["UPDATE", "DELETE"]))?
    } else {
        0
    };
    let verb = match outside[at] {
        token if token.is_any(&["INSERT", "REPLACE"]) => RowsVerb::Insert,
        token if token.is("UPDATE") => RowsVerb::Update,
        token if token.is("DELETE") => RowsVerb::Delete,
        _ => return None,
    };
    let begin = tokens
        .iter()
        .position(|token| token.start == outside[at].start)?;
    let mut cursor = Cursor::new(&tokens[begin + 1..]);
    while cursor.take_any(&[
        "LOW_PRIORITY",
        "HIGH_PRIORITY",
        "DELAYED",
        "QUICK",
        "IGNORE",
        "INTO",
        "FROM",
    ]) {}
    let table = cursor.table_name();
    let has = |word: &str| outside[at..].iter().any(|token| token.is(word));
    let joins = has("JOIN") || has("USING");
    Some(Read::Rows(Rows {
        verb,
        table: table.filter(|_| !joins),
        is_bounded: verb == RowsVerb::Insert || has("WHERE") || has("LIMIT") || joins,
        returning: outside[at..]
            .iter()
            .skip(1)
            .find(|token| token.is("RETURNING"))
            .map(|token| token.span()),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_text(sql: &str) -> Read {
        read(&read_tokens(sql, 0))
    }

    #[track_caller]
    fn clauses(sql: &str) -> Vec<String> {
        let Read::Alter(alter) = read_text(sql) else {
            panic!("{sql} is no change of a table");
        };
        alter
            .clauses
            .iter()
            .map(|clause| sql[clause.span.clone()].to_owned())
            .collect()
    }

    #[test]
    fn a_table_is_read_with_all_that_it_holds() {
        let sql = "CREATE TABLE IF NOT EXISTS b.`post` (id SERIAL, `title` VARCHAR(80) CHARACTER SET latin1 NOT NULL \
                   DEFAULT 'x' COMMENT 'a, b', n INT(11) UNSIGNED DEFAULT -1, at DATETIME DEFAULT CURRENT_TIMESTAMP(3) \
                   ON UPDATE NOW(3), u CHAR(36) DEFAULT (uuid()), CONSTRAINT k UNIQUE (title(10)), KEY (n, at), \
                   CONSTRAINT f FOREIGN KEY (n) REFERENCES other (id) ON DELETE CASCADE, CHECK (n > 0) NOT ENFORCED) \
                   ENGINE=InnoDB DEFAULT CHARSET = utf8mb4 COLLATE utf8mb4_bin";
        let Read::CreateTable(create) = read_text(sql) else {
            panic!("not read");
        };
        assert_eq!(create.table.key(), "b.post");
        assert_eq!(create.elements.len(), 9);
        let columns: Vec<&Column> = create
            .elements
            .iter()
            .filter_map(|element| match element {
                Element::Column(column) => Some(column.as_ref()),
                _ => None,
            })
            .collect();
        assert!(columns[0].auto_increment && columns[0].data_type.unsigned);
        assert!(columns[1].not_null && columns[1].comment);
        assert_eq!(
            columns[1].data_type.charset.as_ref().unwrap().text,
            "latin1"
        );
        assert_eq!(columns[2].data_type.length(), Some(11));
        assert_eq!(
            &sql[columns[2].default.as_ref().unwrap().span.clone()],
            "-1"
        );
        assert!(columns[3].on_update);
        assert_eq!(
            columns[4].default.as_ref().unwrap().kind,
            DefaultKind::Expression
        );
        assert_eq!(create.options.collation.unwrap().text, "utf8mb4_bin");
        assert_eq!(create.options.charset.unwrap().text, "utf8mb4");
    }

    #[test]
    fn the_clauses_of_an_alter_are_cut_at_their_commas() {
        assert_eq!(
            clauses(
                "ALTER TABLE t ADD (a INT, b DECIMAL(1,2)), DROP c, ALGORITHM=INSTANT, ADD UNIQUE KEY u (a, b)"
            ),
            [
                "a INT",
                "b DECIMAL(1,2)",
                "DROP c",
                "ADD UNIQUE KEY u (a, b)"
            ]
        );
        assert_eq!(
            clauses("CREATE UNIQUE INDEX i USING BTREE ON t (a) LOCK=NONE").len(),
            1
        );
        assert_eq!(clauses("DROP INDEX i ON t"), ["DROP INDEX i"]);
    }

    #[test]
    fn rows_are_bounded_by_a_where_of_their_own() {
        let bounded = |sql: &str| match read_text(sql) {
            Read::Rows(rows) => rows.is_bounded,
            _ => panic!("{sql}"),
        };
        assert!(!bounded(
            "UPDATE t SET a = (SELECT b FROM u WHERE u.id = 1)"
        ));
        assert!(bounded(
            "WITH x AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM x)"
        ));
        assert!(bounded("DELETE FROM t LIMIT 10"));
        assert!(!bounded("DELETE FROM t"));
    }

    fn sql_like() -> impl Strategy<Value = String> {
        let word = prop::sample::select(vec![
            "CREATE",
            "TABLE",
            "ALTER",
            "ADD",
            "DROP",
            "COLUMN",
            "INDEX",
            "(",
            ")",
            ",",
            "a",
            "`b`",
            "'c'",
            "INT",
            "VARCHAR",
            "(10)",
            "DEFAULT",
            "NOT",
            "NULL",
            "AFTER",
            "FIRST",
            "CONSTRAINT",
            "FOREIGN",
            "KEY",
            "CHECK",
            "REFERENCES",
            "MODIFY",
            "CHANGE",
            "RENAME",
            "TO",
            "ON",
            "=",
            "ENGINE",
            "UPDATE",
            "SET",
            "WHERE",
            "WITH",
            "AS",
            "/*!80000",
            "*/",
            "/*M!",
            "CHARACTER",
            "ENUM",
            "UNIQUE",
            "PRIMARY",
            "CONVERT",
            "IF",
            "EXISTS",
            ".",
            "-",
            "@",
            "ALGORITHM",
            "é",
        ]);
        prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(sql in "\\PC{0,80}") {
            read_text(&sql);
        }

        #[test]
        fn any_heap_of_keywords_is_read_without_a_panic(sql in sql_like()) {
            read_text(&sql);
            read_text(&format!("ALTER TABLE t {sql}"));
            read_text(&format!("CREATE TABLE t ({sql}"));
        }
    }
}
