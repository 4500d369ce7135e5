//! Tests that look at all rules at once, or at what lies between them.

mod algorithm;
mod cases;
mod real;

use std::collections::BTreeSet;
use std::path::Path;

use super::example::{Project, context_of};
use super::*;

fn scripts(applied: &str, text: &str) -> Scripts {
    Project::new(applied, text).scripts().unwrap()
}

fn found_in(applied: &str, text: &str) -> Vec<Finding> {
    lint(&scripts(applied, text), &LintContext::default())
}

#[track_caller]
fn check(applied: &str, text: &str, expected: &[&str]) {
    let found: Vec<String> = found_in(applied, text)
        .iter()
        .map(|finding| {
            format!(
                "{} at {}:{}",
                finding.rule.name, finding.place.line, finding.place.column
            )
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn every_bad_example_gives_exactly_its_rule_at_the_marked_place() {
    for rule in rules() {
        let project = Project::new(rule.example.applied, rule.example.bad);
        let findings = project.lint(&context_of(rule)).unwrap();
        let names: Vec<&str> = findings.iter().map(|finding| finding.rule.name).collect();
        assert_eq!(names, [rule.name], "{}", render_text(&findings));
        assert_eq!(
            Some(&findings[0].span),
            project.marked.as_ref(),
            "{}",
            render_text(&findings)
        );
    }
}

/// The table that the local cloud warns by.
#[test]
fn what_the_local_cloud_warns_of_is_found_by_the_rule_that_its_row_names() {
    use dayspring_dialect::{Treatment, constructs};

    for construct in constructs() {
        let Treatment::Warned { lint, .. } = construct.treatment else {
            continue;
        };
        let applied = if construct.before.is_empty() {
            "SELECT 1;"
        } else {
            construct.before
        };
        let found = found_in(applied, &format!("{};", construct.example));
        assert!(
            found.iter().any(|finding| finding.rule.name == lint),
            "{}: {}",
            construct.id,
            render_text(&found)
        );
    }
}

#[test]
fn no_good_example_gives_a_finding() {
    for rule in rules() {
        let project = Project::new(rule.example.applied, rule.example.good);
        let findings = project.lint(&context_of(rule)).unwrap();
        assert!(
            findings.is_empty(),
            "{}:\n{}",
            rule.name,
            render_text(&findings)
        );
    }
}

#[test]
fn every_fix_takes_its_finding_away_and_brings_no_other() {
    let mut fixed_rules = 0;
    for rule in rules() {
        let mut project = Project::new(rule.example.applied, rule.example.bad);
        let findings = project.lint(&context_of(rule)).unwrap();
        let fixes: Vec<&Fix> = findings
            .iter()
            .filter_map(|finding| finding.fix.as_ref())
            .collect();
        if fixes.is_empty() {
            continue;
        }
        let (_, text) = project.files.last_mut().unwrap();
        *text = apply_fixes(text, fixes);
        let findings = project.lint(&context_of(rule)).unwrap();
        assert!(
            findings.is_empty(),
            "{}:\n{}",
            rule.name,
            render_text(&findings)
        );
        fixed_rules += 1;
    }
    assert!(fixed_rules >= 10, "{fixed_rules}");
}

#[test]
fn no_rule_of_mariadb_says_anything_about_scripts_for_mariadb() {
    for rule in rules().iter().filter(|rule| rule.servers == Servers::MySql) {
        let mut context = context_of(rule);
        context.target = Target::MariaDb;
        let findings = Project::new(rule.example.applied, rule.example.bad)
            .lint(&context)
            .unwrap();
        assert!(
            findings.iter().all(|finding| finding.rule != *rule),
            "{}",
            rule.name
        );
    }
}

#[test]
fn rules_have_names_and_codes_of_their_own_in_order() {
    let codes: Vec<&str> = rules().iter().map(|rule| rule.code).collect();
    let names: BTreeSet<&str> = rules().iter().map(|rule| rule.name).collect();
    assert!(codes.is_sorted_by(|one, other| one < other));
    assert_eq!(names.len(), codes.len());
    for rule in rules() {
        let is_fragment = |text: &str| !text.is_empty() && !text.ends_with('.');
        assert!(
            is_fragment(rule.title) && is_fragment(rule.safe_way),
            "{}",
            rule.name
        );
        assert!(rule.why.ends_with('.'), "{}", rule.name);
        assert_eq!(find_rule(rule.name), Some(*rule));
        assert_eq!(find_rule(&rule.code.to_lowercase()), Some(*rule));
    }
}

#[test]
fn the_documentation_is_what_the_rules_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lint");
    let update = std::env::var_os("DAYSPRING_UPDATE_DOCS").is_some();
    for (name, expected) in [
        ("README.md", render_table(rules())),
        ("rules.md", render_rules(rules())),
    ] {
        let path = folder.join(name);
        if update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &expected).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "docs/lint/{name} is not what the rules say: DAYSPRING_UPDATE_DOCS=1 cargo test -p dayspring-migrate documentation"
        );
    }
}

const POST: &str =
    "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50) NOT NULL, body TEXT);";

#[test]
fn a_table_of_the_same_scripts_is_exempt() {
    check(
        "SELECT 1;",
        "CREATE TABLE a (id BIGINT PRIMARY KEY, b INT);\nALTER TABLE a DROP COLUMN b;\nTRUNCATE a;\nDROP TABLE a;",
        &["undecidable at 3:1"],
    );
    check(
        POST,
        "RENAME TABLE post TO _old_post;\nDROP TABLE _old_post;",
        &["rename-table at 1:14"],
    );
}

#[test]
fn a_table_that_no_script_creates_is_taken_for_one_in_use() {
    check(POST, "DROP TABLE elsewhere;", &["drop-table at 1:12"]);
    check(POST, "ALTER TABLE elsewhere MODIFY a BIGINT NOT NULL;", &[]);
}

#[test]
fn applied_statements_are_not_looked_at() {
    let scripts = scripts(POST, "DROP TABLE post;\nDROP TABLE other;");
    let ids: Vec<_> = scripts.iter().map(|script| script.id).collect();
    let count = |applied: Applied| {
        let context = LintContext {
            applied,
            ..LintContext::default()
        };
        lint(&scripts, &context).len()
    };
    assert_eq!(count(Applied::AllButNewest), 2);
    assert_eq!(count(Applied::scripts(ids.clone())), 0);
    assert_eq!(
        count(Applied::Counted([(ids[0], 1), (ids[1], 1)].into())),
        1
    );
    assert_eq!(count(Applied::scripts([ids[0]])), 2);
    // Then `post` is new, and only `other` is in use.
    assert_eq!(count(Applied::nothing()), 1);
}

#[test]
fn an_allow_silences_its_rule_for_one_statement() {
    check(
        POST,
        "-- dayspring: allow drop-table,MY005 it is empty\nDROP TABLE post;\nDROP TABLE other;",
        &["unused-allow at 1:32", "drop-table at 3:12"],
    );
    check(
        POST,
        "DROP -- dayspring: allow drop-table\nTABLE post;",
        &["allow-without-reason at 1:6"],
    );
    check(
        POST,
        "SELECT 1;\n-- dayspring: allow drop-table late\n",
        &["unused-allow at 2:21"],
    );
    check(
        POST,
        "/* é */ -- x\n# dayspring: allow drop-table why\r\nDROP TABLE post;",
        &[],
    );
}

#[test]
fn an_allow_for_the_file_silences_its_rule_in_every_statement() {
    check(
        POST,
        "-- dayspring: allow-file drop-table,no-algorithm all of it is old\n\nDROP TABLE post;\nDROP TABLE other;",
        &["unused-allow at 1:37"],
    );
    check(
        POST,
        "DROP TABLE post;\n-- dayspring: allow-file drop-table it goes\nDROP TABLE other;\n",
        &[],
    );
    check(
        POST,
        "-- dayspring: allow-file drop-table\nDROP TABLE post;\n-- dayspring: allow-file drop-tabel x\n",
        &["allow-without-reason at 1:1", "unknown-rule at 3:26"],
    );
}

#[test]
fn a_project_may_make_more_or_less_of_a_rule() {
    let scripts = scripts(
        POST,
        "DROP TABLE post;\nDELETE FROM other;\nTRUNCATE cache;",
    );
    let context = LintContext {
        levels: [
            ("drop-table", Level::Warn),
            ("unbounded-rows", Level::Deny),
            ("truncate", Level::Allow),
            ("undecidable", Level::Allow),
            ("mixed-script", Level::Allow),
        ]
        .into(),
        ..LintContext::default()
    };
    let found: Vec<String> = lint(&scripts, &context)
        .iter()
        .map(|finding| format!("{}[{}]", finding.severity.name(), finding.rule.name))
        .collect();
    assert_eq!(found, ["warning[drop-table]", "error[unbounded-rows]"]);
}

#[test]
fn an_allow_behind_a_statement_is_told() {
    check(
        POST,
        "DROP TABLE post; -- dayspring: allow drop-table it is empty\nSELECT 1;",
        &["drop-table at 1:12", "unused-allow at 1:18"],
    );
}

#[test]
fn a_contract_script_that_is_about_to_run_comes_after_the_others() {
    let files = [
        ("v1.sql", POST),
        (
            "v2.contract.sql",
            "ALTER TABLE post DROP COLUMN body, ALGORITHM=INSTANT;",
        ),
        ("v3.sql", "ALTER TABLE post MODIFY body MEDIUMTEXT;"),
    ];
    let scripts = Scripts::parse("", files).unwrap();
    let first = scripts.iter().next().unwrap().id;
    let context = LintContext {
        applied: Applied::scripts([first]),
        ..LintContext::default()
    };
    let names: Vec<&str> = lint(&scripts, &context)
        .iter()
        .map(|finding| finding.rule.name)
        .collect();
    assert_eq!(names, ["change-type"]);
}

#[test]
fn a_table_is_one_with_and_without_its_database() {
    check(
        "CREATE TABLE blog.post (id BIGINT PRIMARY KEY, a INT);",
        "ALTER TABLE post MODIFY a BIGINT;",
        &["change-type at 1:18"],
    );
    check(
        "SELECT 1;",
        "CREATE TABLE copy LIKE elsewhere;\nDROP TABLE blog.copy;",
        &[],
    );
}

#[test]
fn a_directive_of_the_engine_and_an_allow_stand_together() {
    check(
        POST,
        "-- dayspring: idempotent\n-- dayspring: allow truncate it is a cache\nTRUNCATE post;",
        &[],
    );
}

#[test]
fn a_small_table_may_be_copied() {
    let scripts = scripts(
        POST,
        "ALTER TABLE post MODIFY title VARCHAR(100) NOT NULL, ADD INDEX t (title);",
    );
    let mut context = LintContext::default();
    assert_eq!(lint(&scripts, &context).len(), 2);
    let size = TableSize {
        rows: 1000,
        bytes: 1 << 20,
    };
    context.table_sizes.insert("post".to_owned(), size);
    assert_eq!(lint(&scripts, &context).len(), 0);
}

#[test]
fn a_comment_about_a_table_that_is_small_here_is_of_use() {
    let text = "-- dayspring: allow change-type it is small everywhere\nALTER TABLE post MODIFY title TEXT NOT NULL, ALGORITHM=COPY;";
    let scripts = scripts(POST, text);
    let mut context = LintContext::default();
    assert_eq!(lint(&scripts, &context).len(), 0);
    let size = TableSize {
        rows: 1000,
        bytes: 1 << 20,
    };
    context.table_sizes.insert("post".to_owned(), size);
    assert_eq!(lint(&scripts, &context).len(), 0);
}

#[test]
fn a_server_that_was_asked_knows_better_than_the_manual() {
    let scripts = scripts(POST, "ALTER TABLE post ADD CONSTRAINT c CHECK (id > 0);");
    let id = scripts.iter().next_back().unwrap().id;
    let notes = |decides: bool| {
        let measured = Measured {
            class: AlgorithmClass::Inplace,
            lets_write: true,
            server: "MariaDB 10.11.19".to_owned(),
            decides,
        };
        let context = LintContext {
            measured: [((id, 1), measured)].into(),
            ..LintContext::default()
        };
        let findings = lint(&scripts, &context);
        findings
            .iter()
            .map(|finding| format!("{}: {}", finding.rule.name, finding.notes.join("; ")))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        notes(true),
        ["no-algorithm: it runs with ALGORITHM=INPLACE, MariaDB 10.11.19 says"]
    );
    assert_eq!(
        notes(false),
        ["add-check: it runs with ALGORITHM=COPY, from the manual; MariaDB 10.11.19 takes INPLACE"]
    );
}

#[test]
fn what_a_server_says_of_waiting_and_rebuilding_is_said_on() {
    let text = "ALTER TABLE post ADD COLUMN a INT;\nALTER TABLE post ADD INDEX i ((id * 2));";
    let scripts = scripts(POST, text);
    let id = scripts.iter().next_back().unwrap().id;
    let measured = |lets_write| Measured {
        class: AlgorithmClass::Inplace,
        lets_write,
        server: "MySQL 8.0.39".to_owned(),
        decides: true,
    };
    let context = LintContext {
        measured: [((id, 1), measured(true)), ((id, 2), measured(false))].into(),
        ..LintContext::default()
    };
    let said: Vec<String> = changes(&scripts, &context)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "INPLACE, rewrites `post` (MySQL 8.0.39)",
            "INPLACE, writers wait (MySQL 8.0.39)"
        ]
    );
}

#[test]
fn a_scratch_server_is_asked_with_the_cheapest_algorithm_first() {
    let text = "ALTER TABLE post ADD COLUMN a INT;\nCREATE INDEX i ON post (a);\nDROP TABLE post;\n\
                ALTER TABLE post ADD b INT, ALGORITHM=COPY;";
    let questions = questions(&scripts(POST, text), &LintContext::default());
    let asked: Vec<&str> = questions
        .iter()
        .flat_map(|question| question.variants.iter().map(|variant| variant.sql.as_str()))
        .collect();
    assert_eq!(
        asked,
        [
            "ALTER TABLE post ADD COLUMN a INT, ALGORITHM=INSTANT",
            "ALTER TABLE post ADD COLUMN a INT, ALGORITHM=INPLACE, LOCK=NONE",
            "ALTER TABLE post ADD COLUMN a INT, ALGORITHM=INPLACE",
            "ALTER TABLE post ADD COLUMN a INT, ALGORITHM=COPY",
            "CREATE INDEX i ON post (a) ALGORITHM=INSTANT",
            "CREATE INDEX i ON post (a) ALGORITHM=INPLACE LOCK=NONE",
            "CREATE INDEX i ON post (a) ALGORITHM=INPLACE",
            "CREATE INDEX i ON post (a) ALGORITHM=COPY",
        ]
    );
}

#[test]
fn a_plan_can_say_how_each_change_runs() {
    let text = "ALTER TABLE post ADD COLUMN a INT;\nALTER TABLE post ADD b INT, ADD INDEX i (a);\n\
                ALTER TABLE post DROP PRIMARY KEY;\nALTER TABLE post EXCHANGE PARTITION p WITH TABLE q;\n\
                CREATE TABLE new (id INT PRIMARY KEY);\nALTER TABLE new ADD COLUMN a INT;";
    let changes = changes(&scripts(POST, text), &LintContext::default());
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "INSTANT (from the manual)",
            "INPLACE, rewrites `post` (from the manual)",
            "COPY, rewrites `post`, writers wait (from the manual)",
            "changes `post` in a way that is not known",
        ]
    );
}

#[test]
fn rules_know_the_version() {
    let scripts = scripts(
        POST,
        "ALTER TABLE post ADD COLUMN a INT FIRST, ALGORITHM=INPLACE, LOCK=NONE;",
    );
    let names = |target: Target| -> Vec<&str> {
        let context = LintContext {
            target,
            ..LintContext::default()
        };
        lint(&scripts, &context)
            .iter()
            .map(|finding| finding.rule.name)
            .collect()
    };
    assert_eq!(
        names(Target::MySql(MySqlVersion::new(8, 0, 28))),
        ["column-position"]
    );
    assert!(names(Target::AURORA_MYSQL_3).is_empty());
}

#[test]
fn a_finding_is_shown_with_its_source() {
    let findings = found_in(POST, "-- rows\nALTER TABLE post\n  DROP COLUMN body;\n");
    insta::assert_snapshot!(render_text(&findings), @r"
    warning[no-algorithm]: if `post` cannot be changed in place, the server copies it without a word
     --> v2.sql:2:1
      |
    2 | ALTER TABLE post
      | ^^^^^^^^^^^^^^^^
     note: it runs with ALGORITHM=INSTANT, from the manual
     help: say what is expected, `ALGORITHM=INSTANT` or `ALGORITHM=INPLACE, LOCK=NONE`; the statement then fails at once where it cannot be so
      fix: append `ALGORITHM=INSTANT`

    error[drop-column]: the old code still runs when `body` goes
     --> v2.sql:3:3
      |
    3 |   DROP COLUMN body;
      |   ^^^^^^^^^^^^^^^^
     help: stop using it, and drop it in a contract script (`vN.contract.sql`), which runs after the new code is live

    1 error and 1 warning; what is meant so is allowed by `-- dayspring: allow RULE REASON` above the statement
    ");
    assert_eq!(render_text(&[]), "");
}

#[test]
fn what_up_would_refuse_is_said_in_the_same_words() {
    let findings = found_in(POST, "COMMIT;\nTRUNCATE post;");
    let planned = {
        let journal = crate::Journal::default();
        crate::plan(
            &scripts("SELECT 1;", "COMMIT;"),
            &journal,
            crate::Phase::Expand,
            crate::Mode::Strict,
        )
        .unwrap_err()
    };
    assert_eq!(findings[0].rule.name, "transaction-control");
    assert_eq!(findings[0].message, planned.to_string());
    assert_eq!(findings[0].help, planned.help());
    let names: Vec<&str> = findings.iter().map(|finding| finding.rule.name).collect();
    assert_eq!(names, ["transaction-control", "undecidable", "truncate"]);
}

#[test]
fn findings_are_json_for_machines() {
    let findings = found_in(POST, "ALTER TABLE post ADD COLUMN a INT;");
    insta::assert_snapshot!(render_json(&findings), @r#"
    [
      {
        "rule": "no-algorithm",
        "code": "MY014",
        "severity": "warning",
        "message": "if `post` cannot be changed in place, the server copies it without a word",
        "notes": [
          "it runs with ALGORITHM=INSTANT, from the manual"
        ],
        "help": "say what is expected, `ALGORITHM=INSTANT` or `ALGORITHM=INPLACE, LOCK=NONE`; the statement then fails at once where it cannot be so",
        "path": "v2.sql",
        "line": 1,
        "column": 1,
        "start": 0,
        "end": 16,
        "statement": 1,
        "fix": {
          "title": "append `ALGORITHM=INSTANT`",
          "edits": [
            {
              "start": 33,
              "end": 33,
              "replacement": ", ALGORITHM=INSTANT"
            }
          ]
        }
      }
    ]
    "#);
}

#[test]
fn findings_are_annotations_for_github() {
    let findings = found_in(POST, "DROP TABLE post, `50%`;");
    insta::assert_snapshot!(render_github(&findings), @r"
    ::error file=v2.sql,line=1,col=12,title=MY001 drop-table::the rows of `post` are lost for good%0Ahelp: rename it to `_old_NAME` in a contract script (`vN.contract.sql`), and drop that one in a later script
    ::error file=v2.sql,line=1,col=18,title=MY001 drop-table::the rows of `50%25` are lost for good%0Ahelp: rename it to `_old_NAME` in a contract script (`vN.contract.sql`), and drop that one in a later script
    ");
}

mod any_text {
    use proptest::prelude::*;

    use super::*;

    const WORDS: &[&str] = &[
        "ADD",
        "DROP",
        "MODIFY",
        "CHANGE",
        "RENAME",
        "COLUMN",
        "TO",
        "title",
        "e",
        "`é`",
        "INDEX",
        "UNIQUE",
        "(title)",
        "(a INT, b UUID)",
        "INT(11)",
        "VARCHAR(99)",
        "ENUM('b')",
        "UUID",
        "NOT NULL",
        "DEFAULT",
        "'0000-00-00'",
        "uuid()",
        ",",
        ", ADD",
        "AFTER id",
        "FIRST",
        "PRIMARY KEY",
        "FOREIGN KEY",
        "REFERENCES post (id)",
        "CHECK (1)",
        "IGNORED",
        "IF NOT EXISTS",
        "IF EXISTS",
        "ALGORITHM=COPY",
        "CONVERT TO CHARACTER SET utf8",
        "ENGINE=Aria",
        "rank",
        "PARTITION p",
        "AS (1) PERSISTENT",
        "WAIT 5",
        "/*M! x */",
        "/*!80000 y */",
        "-- dayspring: allow x\n",
        "CONSTRAINT",
        "ALTER",
        "SET",
    ];

    proptest! {
        #[test]
        fn any_script_is_linted_without_a_panic(text in "[-/*`'\"();,=.a-zé \\n@#]{1,120}") {
            let files = [("v1.sql".to_owned(), text)];
            if let Ok(scripts) = Scripts::parse("", files) {
                let findings = lint(&scripts, &LintContext::default());
                assert_eq!(render_text(&findings).is_empty(), findings.is_empty());
                assert!(render_json(&findings).starts_with('['));
            }
        }

        #[test]
        fn any_heap_of_clauses_is_linted_and_mended_without_a_panic(
            words in prop::collection::vec(prop::sample::select(WORDS), 0..16),
        ) {
            let text = format!("ALTER TABLE post {}", words.join(" "));
            let applied = "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50) NOT NULL, e ENUM('a'), INDEX i (title));";
            let project = Project::new(applied, &text);
            if let Ok(findings) = project.lint(&LintContext::default()) {
                let fixes = findings.iter().filter_map(|finding| finding.fix.as_ref());
                let fixed = apply_fixes(&text, fixes);
                assert!(fixed.starts_with("ALTER TABLE post"), "{fixed}");
                assert_eq!(render_text(&findings).is_empty(), findings.is_empty());
            }
        }

        #[test]
        fn any_cut_of_the_examples_is_linted_without_a_panic(at in 0..200_usize, length in 0..200_usize) {
            for rule in rules() {
                let text: String = rule.example.bad.chars().skip(at).take(length).collect();
                let files = [("v1.sql", rule.example.applied.to_owned()), ("v2.sql", text)];
                if let Ok(scripts) = Scripts::parse("", files) {
                    let findings = lint(&scripts, &LintContext::default());
                    assert!(findings.iter().all(|finding| finding.place.line > 0));
                }
            }
        }
    }
}
