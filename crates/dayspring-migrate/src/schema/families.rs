//! An object as it is compared: what only the family of its server makes of it is put aside where the other is of the other
//! family.

use std::collections::BTreeMap;

use super::canonical::Family;
use super::{Object, Part};

/// What a table has that names no collation, on MySQL 8 and on MariaDB, and what the one's becomes on the other.
const USUAL_COLLATIONS: [&str; 4] = [
    "utf8mb4_0900_ai_ci",
    "utf8mb4_general_ci",
    "utf8mb4_uca1400_ai_ci",
    "utf8mb4_uca1400_nopad_ai_ci",
];

/// MariaDB's collations that take the place of MySQL's.
const COLLATIONS: [(&str, &str); 3] = [
    ("utf8mb4_uca1400_nopad_as_ci", "utf8mb4_0900_as_ci"),
    ("utf8mb4_uca1400_nopad_as_cs", "utf8mb4_0900_as_cs"),
    ("utf8mb4_nopad_bin", "utf8mb4_0900_bin"),
];

/// An object's parts with their definitions.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) parts: BTreeMap<Part, String>,
    pub(super) columns: Vec<String>,
}

impl Seen {
    /// For a server of the same family.
    pub(super) fn by_its_like(object: &Object) -> Self {
        Self::with(object, str::to_owned)
    }

    /// For a server of the other family.
    pub(super) fn by_the_other(object: &Object, family: Family) -> Self {
        let mut seen = Self::with(object, usual_collation);
        if let Some(collation) = seen.parts.get_mut(&Part::Property("collation")) {
            *collation = usual_collation(collation);
        }
        if let Some(routine) = seen.parts.get_mut(&Part::Definition)
            && routine.starts_with('(')
        {
            // MariaDB has no such type, and keeps it for the columns of tables alone in mind.
            *routine = routine.replace(" JSON", " LONGTEXT");
        }
        if family == Family::MariaDb {
            for (part, clause) in &mut seen.parts {
                // What NOT ENFORCED becomes there.
                if let (Part::Check(_), Some(never)) = (part, clause.strip_suffix(" or 1")) {
                    *clause = format!("{never} NOT ENFORCED");
                }
            }
        }
        seen
    }

    fn with(object: &Object, collation_as: impl Fn(&str) -> String) -> Self {
        let of_table = object
            .parts
            .get(&Part::Property("collation"))
            .map(|collation| collation_as(collation));
        let definition = |part: &Part, text: &String| {
            let own = match part {
                Part::Column(name) => object.collations.get(name),
                _ => None,
            };
            let own = own.map(|own| collation_as(own));
            match own.filter(|own| of_table.as_ref() != Some(own)) {
                // A character set stands for the collation that it has by itself.
                Some(own) if own.contains('_') => {
                    text.replacen('\u{0}', &format!(" COLLATE {own}"), 1)
                }
                Some(own) => text.replacen('\u{0}', &format!(" CHARACTER SET {own}"), 1),
                None => text.replacen('\u{0}', "", 1),
            }
        };
        Self {
            parts: object
                .parts
                .iter()
                .map(|(part, text)| (part.clone(), definition(part, text)))
                .collect(),
            columns: object.columns.clone(),
        }
    }
}

fn usual_collation(name: &str) -> String {
    let of_mysql = COLLATIONS.iter().find(|(mariadb, _)| *mariadb == name);
    if USUAL_COLLATIONS.contains(&name) {
        "utf8mb4".to_owned()
    } else {
        of_mysql.map_or(name, |(_, mysql)| mysql).to_owned()
    }
}

/// Gives checks and foreign keys that only one side has the names of their likes on the other, where a server made one of
/// the two names: MySQL's is `post_chk_1`, MariaDB's `CONSTRAINT_1`, the column's, or that of the foreign key's index.
pub(super) fn pair_named_by_servers(table: &str, one: &mut Seen, other: &mut Seen) {
    let only = |here: &Seen, there: &Seen| -> Vec<Part> {
        let is_paired = |part: &&Part| {
            matches!(part, Part::Check(_) | Part::ForeignKey(_)) && !there.parts.contains_key(*part)
        };
        here.parts.keys().filter(is_paired).cloned().collect()
    };
    let mut candidates = only(other, one);
    for part in only(one, other) {
        let is_like = |candidate: &Part| {
            std::mem::discriminant(candidate) == std::mem::discriminant(&part)
                && one.parts.get(&part) == other.parts.get(candidate)
                && (is_of_server(table, &part, one) || is_of_server(table, candidate, other))
        };
        let Some(at) = candidates.iter().position(is_like) else {
            continue;
        };
        let like = candidates.swap_remove(at);
        if let Some(definition) = other.parts.remove(&like) {
            other.parts.insert(part, definition);
        }
    }
}

fn is_of_server(table: &str, part: &Part, of: &Seen) -> bool {
    let (name, given) = match part {
        Part::Check(name) => (name, "_chk_"),
        Part::ForeignKey(name) => (name, "_ibfk_"),
        _ => return false,
    };
    let is_numbered = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|number| number.parse::<u32>().is_ok())
    };
    is_numbered(&format!("{table}{given}"))
        || is_numbered("CONSTRAINT_")
        || of.columns.contains(name)
}

#[cfg(test)]
mod tests {
    use super::super::{ObjectKind, Schema, diff};
    use super::*;

    fn post(family: Family, collation: &str, parts: &[(Part, &str)]) -> Schema {
        let mut schema = Schema {
            family,
            ..Schema::default()
        };
        let table = schema.object(ObjectKind::Table, "post");
        let collation = (Part::Property("collation"), collation);
        for (part, definition) in parts.iter().cloned().chain([collation]) {
            if let Part::Column(name) = &part {
                table.columns.push(name.clone());
                table
                    .collations
                    .insert(name.clone(), "utf8mb4_bin".to_owned());
            }
            table.parts.insert(part, definition.to_owned());
        }
        schema
    }

    #[track_caller]
    fn check(live: &Schema, scripts: &Schema, expected: &str) {
        let said: Vec<String> = diff(live, scripts)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(said.join("\n"), expected);
    }

    fn column() -> (Part, &'static str) {
        (Part::Column("a".to_owned()), "VARCHAR(9)\u{0} NULL")
    }

    #[test]
    fn names_that_servers_give_make_no_difference_between_families() {
        let of_mysql = [
            column(),
            (Part::Check("post_chk_1".to_owned()), "a > 0"),
            (Part::Check("post_chk_2".to_owned()), "a > 1"),
            (Part::Check("mine".to_owned()), "a > 2"),
            (Part::Check("off".to_owned()), "a > 3 NOT ENFORCED"),
            (
                Part::ForeignKey("post_ibfk_1".to_owned()),
                "(a) REFERENCES b (id)",
            ),
        ];
        let of_mariadb = [
            column(),
            (Part::Check("CONSTRAINT_1".to_owned()), "a > 1"),
            (Part::Check("a".to_owned()), "a > 0"),
            (Part::Check("mine".to_owned()), "a > 2"),
            (Part::Check("off".to_owned()), "a > 3 or 1"),
            (Part::ForeignKey("by_a".to_owned()), "(a) REFERENCES b (id)"),
        ];
        let mysql = post(Family::MySql, "utf8mb4", &of_mysql);
        let mariadb = post(Family::MariaDb, "utf8mb4_uca1400_nopad_ai_ci", &of_mariadb);
        check(&mysql, &mariadb, "");
        check(&mariadb, &mysql, "");
        // Of one family each name counts.
        let other_name = post(
            Family::MySql,
            "utf8mb4",
            &[column(), (Part::Check("post_chk_7".to_owned()), "a > 0")],
        );
        let name = post(
            Family::MySql,
            "utf8mb4",
            &[column(), (Part::Check("post_chk_1".to_owned()), "a > 0")],
        );
        check(
            &name,
            &other_name,
            "table post: check post_chk_1 a > 0: the scripts have none\n\
             table post: check post_chk_7 a > 0: is missing",
        );
        // And those that people gave do between families.
        let mine = post(
            Family::MariaDb,
            "utf8mb4",
            &[column(), (Part::Check("mine".to_owned()), "a > 0")],
        );
        let yours = post(
            Family::MySql,
            "utf8mb4",
            &[column(), (Part::Check("yours".to_owned()), "a > 0")],
        );
        check(
            &mine,
            &yours,
            "table post: check mine a > 0: the scripts have none\n\
             table post: check yours a > 0: is missing",
        );
    }

    #[test]
    fn usual_collations_are_one_between_families_alone() {
        let general = |family| post(family, "utf8mb4_general_ci", &[column()]);
        let own = |family| post(family, "utf8mb4", &[column()]);
        check(&general(Family::MySql), &own(Family::MariaDb), "");
        check(&own(Family::MySql), &general(Family::MariaDb), "");
        check(
            &general(Family::MySql),
            &own(Family::MySql),
            "table post: collation: utf8mb4_general_ci, the scripts say utf8mb4",
        );
        let sharp = post(Family::MariaDb, "utf8mb4_uca1400_nopad_as_cs", &[]);
        check(&post(Family::MySql, "utf8mb4_0900_as_cs", &[]), &sharp, "");
        check(
            &post(Family::MySql, "utf8mb4_bin", &[column()]),
            &own(Family::MariaDb),
            "table post: collation: utf8mb4_bin, the scripts say utf8mb4\n\
             table post: column a: VARCHAR(9) NULL, the scripts say VARCHAR(9) COLLATE utf8mb4_bin NULL",
        );
    }
}
