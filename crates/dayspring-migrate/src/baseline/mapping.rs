//! Which script is which migration of another tool's history.

use super::{Entry, History, Objection, Reach};
use crate::script::{Phase, Script, ScriptId, Scripts};

/// Revisions and timestamps are looked for in names only from this length on: `1` is in many.
const WORD_CHARS_MIN: usize = 4;

/// A migration and its script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The history's row.
    pub entry: Entry,
    /// The script, if there is one.
    pub script: Option<ScriptId>,
}

/// Finds the script of each entry: by its number; else by its name (`create users` is `v1_create_users.sql`); else by
/// its number or revision as a word of the script's name (`v5_ae1027a6acf_add_email.sql`).
#[must_use]
pub fn match_history(history: &History, scripts: &Scripts) -> Vec<Match> {
    history
        .entries
        .iter()
        .map(|entry| Match {
            entry: entry.clone(),
            script: match entry.reach {
                Reach::Nothing => None,
                Reach::One | Reach::UpTo => find(entry, scripts),
            },
        })
        .collect()
}

fn find(entry: &Entry, scripts: &Scripts) -> Option<ScriptId> {
    let expand = || scripts.of_phase(Phase::Expand);
    let number: Option<u64> = entry.version.parse().ok();
    let (name, word) = (normal(&entry.name), normal(&entry.version));
    let by_number = expand().find(|script| Some(script.id.version.number()) == number);
    let by_name = || {
        let mut named = expand().filter(|script| !name.is_empty() && name_of(script) == name);
        // Two of one name decide nothing.
        named.next().filter(|_| named.next().is_none())
    };
    let by_word = || {
        let is_word = |script: &&Script| {
            word.len() >= WORD_CHARS_MIN
                && format!("_{}_", name_of(script)).contains(&format!("_{word}_"))
        };
        expand().find(is_word)
    };
    by_number
        .or_else(by_name)
        .or_else(by_word)
        .map(|script| script.id)
}

/// The part of a script's file name after its number.
fn name_of(script: &Script) -> String {
    let file = script.path.rsplit('/').next().unwrap_or(&script.path);
    let stem = file.strip_suffix(".sql").unwrap_or(file);
    normal(stem.split_once('_').map_or("", |(_, name)| name))
}

fn normal(name: &str) -> String {
    name.chars()
        .map(|char| {
            if char.is_alphanumeric() {
                char.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect()
}

/// The last script that a history says is applied, all before it being applied too.
///
/// # Errors
/// A migration that is no script, and a script between those of the history that is not in it.
pub fn end_of_history(
    history: &History,
    matches: &[Match],
    scripts: &Scripts,
) -> Result<ScriptId, Objection> {
    let tool = history.tool.name();
    let mut newest = None;
    let mut covered_to = None;
    for found in matches {
        let Some(id) = found.script else {
            if found.entry.reach == Reach::Nothing {
                continue;
            }
            return Err(Objection::Unmatched {
                tool,
                entry: in_words(&found.entry),
            });
        };
        newest = newest.max(Some(id));
        if found.entry.reach == Reach::UpTo {
            covered_to = covered_to.max(Some(id));
        }
    }
    let Some(newest) = newest else {
        return Err(Objection::NoHistory {
            tool,
            table: history.tool.table(),
            problem: "has no numbered migration",
        });
    };
    let hole = scripts.of_phase(Phase::Expand).find(|script| {
        script.id < newest
            && Some(script.id) > covered_to
            && !matches.iter().any(|found| found.script == Some(script.id))
    });
    match hole {
        Some(script) => Err(Objection::Hole {
            tool,
            path: script.path.clone(),
        }),
        None => Ok(newest),
    }
}

fn in_words(entry: &Entry) -> String {
    if entry.name.is_empty() {
        format!("`{}`", entry.version)
    } else {
        format!("`{}` (`{}`)", entry.version, entry.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Tool;

    fn scripts(names: &[&str]) -> Scripts {
        Scripts::parse("s", names.iter().map(|name| (*name, "SELECT 1"))).unwrap()
    }

    #[track_caller]
    fn check(names: &[&str], entries: &[(&str, &str, Reach)], expected: &str) {
        let entries = entries.iter().map(|(version, name, reach)| Entry {
            version: (*version).to_owned(),
            name: (*name).to_owned(),
            reach: *reach,
        });
        let history = History {
            tool: Tool::Flyway,
            entries: entries.collect(),
        };
        let scripts = scripts(names);
        let matches = match_history(&history, &scripts);
        let found = match end_of_history(&history, &matches, &scripts) {
            Ok(id) => id.to_string(),
            Err(objection) => objection.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn migrations_are_found_by_number_name_or_word() {
        let names = [
            "v1_users.sql",
            "v2_add_email.sql",
            "v3_ae1027a6acf_posts.sql",
        ];
        check(
            &names,
            &[("1", "x", Reach::One), ("2", "y", Reach::One)],
            "v2",
        );
        check(
            &names,
            &[
                ("20230101", "users", Reach::One),
                ("20230102", "Add email", Reach::One),
            ],
            "v2",
        );
        check(&names, &[("ae1027a6acf", "", Reach::UpTo)], "v3");
        check(&names, &[("2", "", Reach::UpTo)], "v2");
        check(
            &names,
            &[
                ("1", "<< Flyway Baseline >>", Reach::UpTo),
                ("2", "", Reach::One),
                ("", "report", Reach::Nothing),
            ],
            "v2",
        );
    }

    #[test]
    fn what_does_not_fit_is_objected_to() {
        let names = ["v1_users.sql", "v2_add_email.sql", "v3_posts.sql"];
        check(
            &names,
            &[("1", "", Reach::One), ("3", "", Reach::One)],
            "the history of flyway has no `s/v2_add_email.sql`, and has later ones",
        );
        check(
            &names,
            &[("7", "other", Reach::One)],
            "no script is flyway's migration `7` (`other`)",
        );
        check(
            &names,
            &[("", "report", Reach::Nothing)],
            "there is no history of flyway: the table `flyway_schema_history` has no numbered migration",
        );
    }
}
