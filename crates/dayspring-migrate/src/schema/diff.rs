//! What is different between a live schema and the one that scripts make.

use std::fmt;

use super::canonical::Family;
use super::families::{Seen, pair_named_by_servers};
use super::{Name, ObjectKind, Part, Schema};

/// How much of a long definition is shown.
const SHOWN_CHARS_MAX: usize = 160;

/// How much stands before the first difference of two long definitions.
const BEFORE_CHARS: usize = 40;

/// The definition of what the server hides from a user who lacks a right: SHOW VIEW, or `SHOW_ROUTINE` for the routines of
/// others.
pub(super) const HIDDEN: &str = "hidden from this database user";

/// One thing that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What kind of object it is about.
    pub kind: ObjectKind,
    /// The object's name.
    pub name: String,
    /// The part of it, or nothing where the whole object is on one side only.
    pub part: Option<Part>,
    /// What the live schema has: the part's definition. Empty for a whole object, `None` where it has nothing.
    pub live: Option<String>,
    /// What the scripts make.
    pub scripts: Option<String>,
}

impl Difference {
    /// Whether there may be none, since a server shows no triggers, events and routines to a user who has no right to them.
    #[must_use]
    pub fn may_be_hidden(&self) -> bool {
        let is_left_out = matches!(
            self.kind,
            ObjectKind::Trigger | ObjectKind::Event | ObjectKind::Procedure | ObjectKind::Function
        );
        match &self.live {
            None => self.part.is_none() && is_left_out,
            Some(live) => live == HIDDEN,
        }
    }
}

/// Compares. The differences are ordered by kind of object, name and part. Between MySQL and MariaDB nothing is a difference
/// that only the servers make: their usual collations, and the names that they give what has none.
#[must_use]
pub fn diff(live: &Schema, scripts: &Schema) -> Vec<Difference> {
    let mut names: Vec<&Name> = live.objects.keys().chain(scripts.objects.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let mut differences = Vec::new();
    for name in names {
        match (live.objects.get(name), scripts.objects.get(name)) {
            (Some(of_live), Some(of_scripts)) => {
                let seen = |object, family: Family, other: Family| {
                    if family == other {
                        Seen::by_its_like(object)
                    } else {
                        Seen::by_the_other(object, family)
                    }
                };
                let mut here = seen(of_live, live.family, scripts.family);
                let mut there = seen(of_scripts, scripts.family, live.family);
                if live.family != scripts.family {
                    pair_named_by_servers(&name.name, &mut here, &mut there);
                }
                diff_object(name, &here, &there, &mut differences);
            }
            (live, scripts) => differences.push(difference(
                name,
                None,
                live.map(|_| String::new()),
                scripts.map(|_| String::new()),
            )),
        }
    }
    differences
}

fn difference(
    name: &Name,
    part: Option<&Part>,
    live: Option<String>,
    scripts: Option<String>,
) -> Difference {
    Difference {
        kind: name.kind,
        name: name.name.clone(),
        part: part.cloned(),
        live,
        scripts,
    }
}

fn diff_object(name: &Name, live: &Seen, scripts: &Seen, differences: &mut Vec<Difference>) {
    let mut parts: Vec<&Part> = live.parts.keys().chain(scripts.parts.keys()).collect();
    parts.sort_unstable();
    parts.dedup();
    for part in parts {
        let (live, scripts) = (live.parts.get(part), scripts.parts.get(part));
        if live != scripts {
            differences.push(difference(
                name,
                Some(part),
                live.cloned(),
                scripts.cloned(),
            ));
        }
    }
    let (here, there) = (common(live, scripts), common(scripts, live));
    if here != there {
        differences.push(difference(
            name,
            Some(&Part::ColumnOrder),
            Some(here.join(", ")),
            Some(there.join(", ")),
        ));
    }
}

/// The columns of one that the other has too, in the order of the one.
fn common<'a>(one: &'a Seen, other: &Seen) -> Vec<&'a str> {
    one.columns
        .iter()
        .filter(|column| other.columns.contains(column))
        .map(String::as_str)
        .collect()
}

impl fmt::Display for Difference {
    /// `table users: column email: VARCHAR(254) NOT NULL, the scripts say VARCHAR(100) NULL`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.name)?;
        match &self.part {
            None | Some(Part::Definition) => {}
            Some(part) => write!(f, ": {part}")?,
        }
        let definition = |text: &str| match text {
            "" => String::new(),
            text => format!(" {}", shown(text, 0)),
        };
        match (&self.live, &self.scripts) {
            (Some(live), Some(scripts)) => {
                let from = first_difference(live, scripts);
                write!(
                    f,
                    ": {}, the scripts say {}",
                    shown(live, from),
                    shown(scripts, from)
                )
            }
            (Some(live), None) => write!(f, "{}: the scripts have none", definition(live)),
            (None, Some(scripts)) => write!(f, "{}: is missing", definition(scripts)),
            (None, None) => Ok(()),
        }
    }
}

fn first_difference(one: &str, other: &str) -> usize {
    one.chars()
        .zip(other.chars())
        .take_while(|(one, other)| one == other)
        .count()
}

/// A long text is shown from shortly before the character that matters.
fn shown(text: &str, matters: usize) -> String {
    let count = text.chars().count();
    if count <= SHOWN_CHARS_MAX {
        return text.to_owned();
    }
    let start = matters
        .saturating_sub(BEFORE_CHARS)
        .min(count.saturating_sub(SHOWN_CHARS_MAX));
    let middle: String = text.chars().skip(start).take(SHOWN_CHARS_MAX).collect();
    let before = if start > 0 { "..." } else { "" };
    let after = if start + SHOWN_CHARS_MAX < count {
        "..."
    } else {
        ""
    };
    format!("{before}{middle}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(columns: &[(&str, &str)]) -> Schema {
        let mut schema = Schema::default();
        let table = schema.object(ObjectKind::Table, "users");
        for (name, definition) in columns {
            table.columns.push((*name).to_owned());
            table
                .parts
                .insert(Part::Column((*name).to_owned()), (*definition).to_owned());
        }
        schema
    }

    #[track_caller]
    fn said(live: &Schema, scripts: &Schema) -> String {
        let lines: Vec<String> = diff(live, scripts)
            .iter()
            .map(ToString::to_string)
            .collect();
        lines.join("\n")
    }

    #[test]
    fn each_difference_is_a_sentence() {
        let mut live = users(&[
            ("id", "INT NOT NULL"),
            ("email", "VARCHAR(254) NOT NULL"),
            ("age", "INT NULL"),
        ]);
        let scripts = users(&[
            ("email", "VARCHAR(100) NULL"),
            ("id", "INT NOT NULL"),
            ("name", "TEXT NULL"),
        ]);
        assert_eq!(said(&live, &live.clone()), "");
        live.object(ObjectKind::View, "recent")
            .parts
            .insert(Part::Definition, "select 1".to_owned());
        insta::assert_snapshot!(said(&live, &scripts), @"
        table users: column age INT NULL: the scripts have none
        table users: column email: VARCHAR(254) NOT NULL, the scripts say VARCHAR(100) NULL
        table users: column name TEXT NULL: is missing
        table users: order of the columns: id, email, the scripts say email, id
        view recent: the scripts have none
        ");
        insta::assert_snapshot!(said(&scripts, &Schema::default()), @"table users: the scripts have none");
        insta::assert_snapshot!(said(&Schema::default(), &scripts), @"table users: is missing");
    }

    #[test]
    fn of_long_definitions_the_place_that_differs_is_shown() {
        let text = "a".repeat(500);
        let (live, scripts) = (format!("{text} one {text}"), format!("{text} two {text}"));
        let said = said(&users(&[("id", &live)]), &users(&[("id", &scripts)]));
        assert!(said.contains(" one ") && said.contains(" two "), "{said}");
        assert!(said.len() < 450, "{said}");
    }
}
