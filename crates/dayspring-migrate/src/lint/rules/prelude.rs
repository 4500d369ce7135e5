//! What most rules need.

pub(super) use std::ops::Range;

pub(super) use crate::lint::algorithm::AlgorithmClass;
pub(super) use crate::lint::finding::{Edit, Fix};
pub(super) use crate::lint::reader::{
    Alter, Clause, ClauseKind, Column, Cursor, DataType, DefaultKind, Element, ForeignKey, Index,
    IndexKind, InlineKey, KeyPart, Name, PartitionWork, Read, TableName,
};
pub(super) use crate::lint::rule::{
    Example, Report, Rule, Servers, Severity, Site, algorithm_words,
};
pub(super) use crate::lint::schema::{Table, implies};
pub(super) use crate::lint::type_change::{TypeChange, compare_types};

use crate::refusal::Refusal;

/// Two definitions of a column of a table in use.
#[derive(Debug)]
pub(super) struct ColumnChange<'a> {
    pub(super) before: &'a Column,
    pub(super) after: &'a Column,
    pub(super) kind: TypeChange,
}

/// The columns that MODIFY and CHANGE define anew, where it is known what they were.
pub(super) fn type_changes<'a>(site: &Site<'a>) -> Vec<(&'a Clause, ColumnChange<'a>)> {
    let Some(alter) = site.alter_in_use() else {
        return Vec::new();
    };
    let Some(table) = site.table(&alter.table) else {
        return Vec::new();
    };
    alter
        .clauses
        .iter()
        .filter_map(|clause| {
            let ClauseKind::ChangeColumn {
                old, column: after, ..
            } = &clause.kind
            else {
                return None;
            };
            let before = table.column(&old.text)?;
            let kind = compare_types(table, before, after);
            Some((
                clause,
                ColumnChange {
                    before,
                    after,
                    kind,
                },
            ))
        })
        .collect()
}

/// All columns that a statement defines.
pub(super) fn columns_defined<'a>(site: &Site<'a>) -> Vec<&'a Column> {
    match site.read {
        Read::CreateTable(create) => create
            .elements
            .iter()
            .filter_map(|element| match element {
                Element::Column(column) => Some(column.as_ref()),
                Element::Index(_) | Element::ForeignKey(_) | Element::Check(_) | Element::Other => {
                    None
                }
            })
            .collect(),
        Read::Alter(alter) => alter
            .clauses
            .iter()
            .filter_map(|clause| match &clause.kind {
                ClauseKind::AddColumn { column, .. } | ClauseKind::ChangeColumn { column, .. } => {
                    Some(column)
                }
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A type as a person writes it.
pub(super) fn shown(data_type: &DataType) -> String {
    let mut text = data_type.name.clone();
    if !data_type.arguments.is_empty() {
        text.push_str(&format!("({})", data_type.arguments.join(", ")));
    }
    if data_type.unsigned {
        text.push_str(" UNSIGNED");
    }
    if let Some(srid) = &data_type.srid {
        text.push_str(&format!(" SRID {srid}"));
    }
    text
}

/// What the planner would say about a statement that no migration holds.
pub(super) fn refused(site: &Site<'_>, why: &'static str) -> Report {
    let place = Box::new(site.script.place_of(site.statement));
    let refusal = Refusal::Forbidden { place, why };
    Report::new(site.statement.span.clone(), refusal.to_string()).help(refusal.help())
}
