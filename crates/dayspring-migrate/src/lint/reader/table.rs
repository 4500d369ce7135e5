//! CREATE, ALTER and DROP of tables and indexes.

use std::ops::Range;

use super::column::{read_column, read_default, read_foreign_key};
use super::cursor::{Cursor, Name, TableName, Token, cut_at_commas, span_of};
use super::index::{IndexKind, read_index, read_parts_and_options};
use super::{
    Alter, AlterForm, Check, Clause, ClauseKind, CreateTable, Element, PartitionWork, Read,
    TableOptions,
};

/// Reads what follows CREATE.
pub(super) fn read_create(mut cursor: Cursor<'_, '_>) -> Option<Read> {
    let start = cursor.peek()?.start;
    let or_replace = cursor
        .take_all(&["OR", "REPLACE"])
        .then(|| start..cursor.end_of_last());
    if cursor.take("TABLE") {
        return read_create_table(cursor, or_replace);
    }
    cursor.take_any(&["ONLINE", "OFFLINE"]);
    let kind = take_index_kind(&mut cursor);
    if !cursor.take("INDEX") {
        return None;
    }
    let condition = cursor.take_condition();
    let name_at = cursor.end_of_last();
    let name = cursor.name()?;
    if cursor.take("USING") {
        cursor.next();
    }
    if !cursor.take("ON") {
        return None;
    }
    let table = cursor.table_name()?;
    let wait = take_wait(&mut cursor);
    let index = read_parts_and_options(&mut cursor, kind, Some(name), start, name_at)?;
    let span = index.span.clone();
    let clause = Clause {
        kind: ClauseKind::AddIndex(index),
        condition,
        span,
    };
    Some(finish(
        AlterForm::CreateIndex,
        table,
        vec![clause],
        wait,
        cursor,
    ))
}

fn take_index_kind(cursor: &mut Cursor<'_, '_>) -> IndexKind {
    if cursor.take("UNIQUE") {
        IndexKind::Unique
    } else if cursor.take("FULLTEXT") {
        IndexKind::Fulltext
    } else if cursor.take("SPATIAL") {
        IndexKind::Spatial
    } else {
        IndexKind::Plain
    }
}

/// `WAIT n` and `NOWAIT`, which MariaDB takes after a table's name.
fn take_wait(cursor: &mut Cursor<'_, '_>) -> Option<Range<usize>> {
    let start = cursor.peek()?.start;
    let found = if cursor.take("WAIT") {
        cursor.next();
        true
    } else {
        cursor.take("NOWAIT")
    };
    found.then(|| start..cursor.end_of_last())
}

/// CREATE and DROP INDEX take ALGORITHM and LOCK without commas.
fn finish(
    form: AlterForm,
    table: TableName,
    clauses: Vec<Clause>,
    wait: Option<Range<usize>>,
    mut cursor: Cursor<'_, '_>,
) -> Read {
    let mut alter = Alter {
        form,
        table,
        clauses,
        algorithm: None,
        lock: None,
        condition: None,
        wait,
        end: cursor.end_of_last(),
    };
    while cursor.peek().is_some() {
        if !read_algorithm(&mut cursor, &mut alter) {
            cursor.next();
        }
    }
    alter.end = cursor.end_of_last();
    Read::Alter(alter)
}

fn read_algorithm(cursor: &mut Cursor<'_, '_>, alter: &mut Alter) -> bool {
    if cursor.take("ALGORITHM") {
        cursor.take_mark('=');
        alter.algorithm = cursor.name();
    } else if cursor.take("LOCK") {
        cursor.take_mark('=');
        alter.lock = cursor.name();
    } else {
        return false;
    }
    true
}

fn read_create_table(mut cursor: Cursor<'_, '_>, or_replace: Option<Range<usize>>) -> Option<Read> {
    cursor.take_condition();
    let table = cursor.table_name()?;
    let mut create = CreateTable {
        table,
        or_replace,
        elements: Vec::new(),
        options: TableOptions::default(),
        like: None,
        selects: false,
    };
    if cursor.take("LIKE") {
        create.like = cursor.table_name();
        return Some(Read::CreateTable(create));
    }
    if let Some(inner) = cursor.clone_parens_unless_select() {
        if inner.first().is_some_and(|token| token.is("LIKE")) {
            create.like = Cursor::new(&inner[1..]).table_name();
            return Some(Read::CreateTable(create));
        }
        cursor.parens();
        create.elements = cut_at_commas(inner)
            .into_iter()
            .filter_map(read_element)
            .collect();
    }
    while let Some(token) = cursor.peek() {
        if token.is_any(&["SELECT", "WITH", "VALUES"]) || token.is_mark('(') {
            create.selects = true;
            break;
        }
        if token.is("PARTITION") {
            break;
        }
        if !read_table_option(&mut cursor, &mut create.options) {
            cursor.next();
        }
    }
    Some(Read::CreateTable(create))
}

impl<'t, 'a> Cursor<'t, 'a> {
    /// The parenthesis that stands here, if it holds definitions and not `CREATE TABLE t (SELECT ...)`.
    fn clone_parens_unless_select(&self) -> Option<&'t [Token<'a>]> {
        let inner = Self::new(self.rest()).parens()?;
        let selects = inner
            .first()
            .is_some_and(|token| token.is_any(&["SELECT", "WITH"]));
        (!selects).then_some(inner)
    }
}

fn read_table_option(cursor: &mut Cursor<'_, '_>, options: &mut TableOptions) -> bool {
    if cursor.take("ENGINE") {
        options.engine = cursor.value();
    } else if cursor.take("CHARSET") || cursor.take_all(&["CHARACTER", "SET"]) {
        options.charset = cursor.value();
    } else if cursor.take("COLLATE") {
        options.collation = cursor.value();
    } else if cursor.take("ROW_FORMAT") {
        options.is_compressed |= cursor
            .value()
            .is_some_and(|name| name.key() == "compressed");
    } else if cursor.take("KEY_BLOCK_SIZE") {
        options.is_compressed = true;
    } else {
        return false;
    }
    true
}

fn read_element(tokens: &[Token<'_>]) -> Option<Element> {
    let mut cursor = Cursor::new(tokens);
    if let Some(kind) = read_constraint(&mut cursor) {
        return Some(match kind {
            ClauseKind::AddIndex(index) => Element::Index(index),
            ClauseKind::AddForeignKey(key) => Element::ForeignKey(key),
            ClauseKind::AddCheck(check) => Element::Check(check),
            _ => Element::Other,
        });
    }
    let is_period =
        tokens.first()?.is("PERIOD") && tokens.get(1).is_some_and(|next| next.is("FOR"));
    if is_period {
        return Some(Element::Other);
    }
    Some(match read_column(tokens) {
        Some((column, _)) => Element::Column(Box::new(column)),
        None => Element::Other,
    })
}

/// An index, foreign key or check, with its CONSTRAINT name. The cursor moves only if there is one.
fn read_constraint(cursor: &mut Cursor<'_, '_>) -> Option<ClauseKind> {
    let start = cursor.peek()?.start;
    let mut ahead = *cursor;
    let mut symbol = None;
    if ahead.take("CONSTRAINT") {
        ahead.take_condition();
        let is_named = ahead
            .peek()
            .is_some_and(|token| !token.is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]));
        symbol = if is_named { ahead.name() } else { None };
    }
    let kind = if ahead.take_all(&["FOREIGN", "KEY"]) {
        ClauseKind::AddForeignKey(read_foreign_key(&mut ahead, symbol, start)?)
    } else if ahead.is("CHECK") && ahead.rest().get(1)?.is_mark('(') {
        ahead.next();
        ahead.parens();
        let enforced = !ahead.take_all(&["NOT", "ENFORCED"]);
        ahead.take("ENFORCED");
        ClauseKind::AddCheck(Check {
            name: symbol,
            enforced,
            span: start..ahead.end_of_last(),
        })
    } else if ahead.take_all(&["PRIMARY", "KEY"]) {
        ClauseKind::AddIndex(read_index(&mut ahead, IndexKind::Primary, symbol, start)?)
    } else {
        let index_kind = take_index_kind(&mut ahead);
        // A column may have the name `key` or `index` only in backticks.
        if !ahead.take_any(&["KEY", "INDEX"]) && index_kind == IndexKind::Plain {
            return None;
        }
        ClauseKind::AddIndex(read_index(&mut ahead, index_kind, symbol, start)?)
    };
    *cursor = ahead;
    Some(kind)
}

/// Reads what follows ALTER TABLE.
pub(super) fn read_alter(mut cursor: Cursor<'_, '_>) -> Option<Read> {
    let condition = cursor.take_condition();
    let table = cursor.table_name()?;
    let wait = take_wait(&mut cursor);
    let mut alter = Alter {
        form: AlterForm::AlterTable,
        table,
        clauses: Vec::new(),
        algorithm: None,
        lock: None,
        condition,
        wait,
        end: cursor
            .rest()
            .last()
            .map_or(cursor.end_of_last(), Token::end),
    };
    for part in cut_at_commas(cursor.rest()) {
        let mut cursor = Cursor::new(part);
        // It is the last of a statement, and its commas are its own.
        if let Some(work) = read_partition_work(cursor) {
            let start = part.first().map_or(alter.end, |token| token.start);
            alter.clauses.push(Clause {
                kind: ClauseKind::Partitions(work),
                condition: None,
                span: start..alter.end,
            });
            break;
        }
        if read_algorithm(&mut cursor, &mut alter) {
            continue;
        }
        if let Some(span) = span_of(part) {
            read_clauses(part, span, &mut alter.clauses);
        }
    }
    Some(Read::Alter(alter))
}

/// Reads one clause, which `ADD (a INT, b INT)` makes two.
fn read_clauses(tokens: &[Token<'_>], span: Range<usize>, clauses: &mut Vec<Clause>) {
    let mut cursor = Cursor::new(tokens);
    if cursor.take("ADD") {
        cursor.take("COLUMN");
        let condition = cursor.take_condition();
        if let Some(inner) = cursor.parens() {
            for part in cut_at_commas(inner) {
                let kind = match read_element(part) {
                    Some(Element::Column(column)) => ClauseKind::AddColumn {
                        column: *column,
                        position: None,
                    },
                    Some(Element::Index(index)) => ClauseKind::AddIndex(index),
                    Some(Element::ForeignKey(key)) => ClauseKind::AddForeignKey(key),
                    Some(Element::Check(check)) => ClauseKind::AddCheck(check),
                    Some(Element::Other) | None => ClauseKind::Other,
                };
                clauses.push(Clause {
                    kind,
                    condition: condition.clone(),
                    span: span_of(part).unwrap_or(span.clone()),
                });
            }
            return;
        }
    }
    let mut condition = None;
    let kind = read_clause(Cursor::new(tokens), &mut condition).unwrap_or(ClauseKind::Other);
    clauses.push(Clause {
        kind,
        condition,
        span,
    });
}

fn read_clause(
    mut cursor: Cursor<'_, '_>,
    condition: &mut Option<Range<usize>>,
) -> Option<ClauseKind> {
    let first = cursor.next()?;
    if first.is("ADD") {
        read_add(cursor, condition)
    } else if first.is("DROP") {
        read_drop_clause(cursor, condition)
    } else if first.is("MODIFY") {
        cursor.take("COLUMN");
        *condition = cursor.take_condition();
        let (column, position) = read_column(cursor.rest())?;
        Some(ClauseKind::ChangeColumn {
            old: column.name.clone(),
            column,
            position,
        })
    } else if first.is("CHANGE") {
        cursor.take("COLUMN");
        *condition = cursor.take_condition();
        let old = cursor.name()?;
        let (column, position) = read_column(cursor.rest())?;
        Some(ClauseKind::ChangeColumn {
            old,
            column,
            position,
        })
    } else if first.is("RENAME") {
        read_rename_clause(cursor, condition)
    } else if first.is("ALTER") {
        read_alter_clause(cursor, condition)
    } else if first.is("CONVERT") {
        if !cursor.take("TO") || !(cursor.take("CHARSET") || cursor.take_all(&["CHARACTER", "SET"]))
        {
            return None;
        }
        let charset = cursor.value()?;
        let collation = if cursor.take("COLLATE") {
            cursor.value()
        } else {
            None
        };
        Some(ClauseKind::ConvertCharset { charset, collation })
    } else if first.is("ENGINE") {
        Some(ClauseKind::Engine(cursor.value()?))
    } else if first.is_any(&["FORCE", "ROW_FORMAT", "KEY_BLOCK_SIZE"]) {
        Some(ClauseKind::Rebuild)
    } else if first.is_any(&["DEFAULT", "CHARSET", "CHARACTER", "COLLATE"]) {
        let mut options = TableOptions::default();
        let mut all = Cursor::new(cursor.all());
        while all.peek().is_some() {
            if !read_table_option(&mut all, &mut options) {
                all.next();
            }
        }
        Some(ClauseKind::DefaultCharset {
            charset: options.charset,
            collation: options.collation,
        })
    } else if first.is_any(&[
        "COMMENT",
        "AUTO_INCREMENT",
        "STATS_PERSISTENT",
        "STATS_AUTO_RECALC",
        "STATS_SAMPLE_PAGES",
        "AVG_ROW_LENGTH",
        "CHECKSUM",
        "DELAY_KEY_WRITE",
        "MAX_ROWS",
        "MIN_ROWS",
        "PACK_KEYS",
    ]) {
        Some(ClauseKind::Option)
    } else {
        None
    }
}

/// What a clause does to partitions, if it is about them.
fn read_partition_work(mut cursor: Cursor<'_, '_>) -> Option<PartitionWork> {
    let first = cursor.next()?;
    if first.is("REMOVE") && cursor.is("PARTITIONING") || first.is("PARTITION") && cursor.is("BY") {
        return Some(PartitionWork::Whole);
    }
    if !cursor.take("PARTITION") {
        return None;
    }
    cursor.take_condition();
    cursor.take_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    Some(if first.is("ADD") {
        match cursor.peek()? {
            // Of a HASH or KEY they have names and no values.
            next if next.is_mark('(') && cursor.rest().iter().any(|token| token.is("VALUES")) => {
                PartitionWork::Add
            }
            next if next.is_mark('(') || next.is("PARTITIONS") => PartitionWork::Rewrite,
            // A column may have the name.
            _ => return None,
        }
    } else if first.is_any(&["DROP", "TRUNCATE"]) {
        PartitionWork::Empty
    } else if first.is_any(&["REORGANIZE", "REBUILD", "COALESCE"]) {
        PartitionWork::Rewrite
    } else {
        PartitionWork::Other
    })
}

fn read_add(
    mut cursor: Cursor<'_, '_>,
    condition: &mut Option<Range<usize>>,
) -> Option<ClauseKind> {
    if let Some(kind) = read_constraint(&mut cursor) {
        *condition = condition_in(cursor);
        return Some(kind);
    }
    cursor.take("COLUMN");
    if cursor.is("PARTITION") || cursor.is("SYSTEM") || cursor.is("PERIOD") {
        return None;
    }
    *condition = cursor.take_condition();
    let (column, position) = read_column(cursor.rest())?;
    Some(ClauseKind::AddColumn { column, position })
}

/// `ADD INDEX IF NOT EXISTS`: the words stand among those that were passed.
fn condition_in(cursor: Cursor<'_, '_>) -> Option<Range<usize>> {
    let mut passed = Cursor::new(cursor.all());
    while passed.peek().is_some_and(|token| !token.is_mark('(')) {
        if let Some(found) = passed.take_condition() {
            return Some(found);
        }
        passed.next();
    }
    None
}

fn read_drop_clause(
    mut cursor: Cursor<'_, '_>,
    condition: &mut Option<Range<usize>>,
) -> Option<ClauseKind> {
    let mut named = |cursor: &mut Cursor<'_, '_>| -> Option<Name> {
        *condition = cursor.take_condition();
        cursor.name()
    };
    if cursor.take_all(&["PRIMARY", "KEY"]) {
        Some(ClauseKind::DropPrimaryKey)
    } else if cursor.take_all(&["FOREIGN", "KEY"]) {
        Some(ClauseKind::DropForeignKey(named(&mut cursor)?))
    } else if cursor.take_any(&["INDEX", "KEY"]) {
        Some(ClauseKind::DropIndex(named(&mut cursor)?))
    } else if cursor.take_any(&["CONSTRAINT", "CHECK"]) {
        Some(ClauseKind::DropConstraint(named(&mut cursor)?))
    } else if cursor.is("SYSTEM") {
        None
    } else {
        cursor.take("COLUMN");
        Some(ClauseKind::DropColumn(named(&mut cursor)?))
    }
}

fn read_rename_clause(
    mut cursor: Cursor<'_, '_>,
    condition: &mut Option<Range<usize>>,
) -> Option<ClauseKind> {
    let of_column = cursor.take("COLUMN");
    if of_column || cursor.take_any(&["INDEX", "KEY"]) {
        *condition = cursor.take_condition();
        let old = cursor.name()?;
        if !cursor.take("TO") {
            return None;
        }
        let new = cursor.name()?;
        return Some(if of_column {
            ClauseKind::RenameColumn { old, new }
        } else {
            ClauseKind::RenameIndex { old, new }
        });
    }
    cursor.take_any(&["TO", "AS"]);
    cursor.take_mark('=');
    Some(ClauseKind::RenameTable(cursor.table_name()?))
}

fn read_alter_clause(
    mut cursor: Cursor<'_, '_>,
    condition: &mut Option<Range<usize>>,
) -> Option<ClauseKind> {
    if cursor.take_any(&["INDEX", "KEY"]) {
        *condition = cursor.take_condition();
        let index = cursor.name()?;
        let start = cursor.peek()?.start;
        let negated = cursor.take("NOT");
        let ignored = cursor.take("IGNORED").then(|| start..cursor.end_of_last());
        let visible = ignored.is_some() && negated || cursor.take("VISIBLE");
        return Some(ClauseKind::IndexVisibility {
            index,
            visible,
            ignored,
        });
    }
    if cursor.take_any(&["CHECK", "CONSTRAINT"]) {
        cursor.name()?;
        return Some(ClauseKind::EnforceCheck {
            enforced: !cursor.take("NOT"),
        });
    }
    cursor.take("COLUMN");
    *condition = cursor.take_condition();
    let column = cursor.name()?;
    let default = if cursor.take_all(&["SET", "DEFAULT"]) {
        read_default(&mut cursor)
    } else if cursor.take_all(&["DROP", "DEFAULT"]) {
        None
    } else if cursor.take("SET") {
        return Some(ClauseKind::ColumnVisibility);
    } else {
        return None;
    };
    Some(ClauseKind::SetDefault { column, default })
}

/// Reads what follows DROP.
pub(super) fn read_drop(mut cursor: Cursor<'_, '_>) -> Option<Read> {
    let start = cursor.end_of_last() - "DROP".len();
    if cursor.take_any(&["TABLE", "TABLES"]) {
        cursor.take_condition();
        let mut tables = Vec::new();
        loop {
            tables.push(cursor.table_name()?);
            if !cursor.take_mark(',') {
                return Some(Read::DropTable(tables));
            }
        }
    }
    if cursor.take_any(&["DATABASE", "SCHEMA"]) {
        cursor.take_condition();
        return Some(Read::DropDatabase(cursor.name()?));
    }
    if !cursor.take("INDEX") {
        return None;
    }
    let condition = cursor.take_condition();
    let name = cursor.name()?;
    let clause = Clause {
        span: start..name.span.end,
        kind: ClauseKind::DropIndex(name),
        condition,
    };
    if !cursor.take("ON") {
        return None;
    }
    let table = cursor.table_name()?;
    let wait = take_wait(&mut cursor);
    Some(finish(
        AlterForm::DropIndex,
        table,
        vec![clause],
        wait,
        cursor,
    ))
}
