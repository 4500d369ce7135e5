//! What holds for every script, with scripts that are made up.

use dayspring_migrate::{Piece, pieces, split};
use proptest::prelude::*;

use crate::sql_text::{Bodies, script};

#[path = "../../../../bench/split/src/dump.rs"]
mod dump;

/// Text that has everything of importance to the splitter in it, in no order.
const SOUP: &str = "([a-z ;'\"`\\n\\r\\t#*/!$()@:.,=-]|BEGIN|END|IF|CASE|THEN|LOOP|DECLARE|HANDLER FOR|AS |SET sql_mode=|CREATE |PROCEDURE p\\(\\) |TRIGGER t FOR EACH ROW |EVENT e DO |DELIMITER |\\nuse |//|/\\*!|/\\*M!1|/\\*\\+|\\*/|\\$\\$|é|🌅|\\\\|\\\\N|\u{feff}|\\x00|ANSI_QUOTES){0,60}";

fn texts(source: &str) -> Vec<&str> {
    let statements = split(source).unwrap();
    statements.iter().map(|s| &source[s.start..s.end]).collect()
}

fn check_any(source: &str) -> Result<(), TestCaseError> {
    let statements = match split(source) {
        Ok(statements) => statements,
        Err(error) => {
            prop_assert!(error.start <= error.end && error.end <= source.len());
            prop_assert!(source.get(error.start..error.end).is_some(), "{error:?}");
            return Ok(());
        }
    };
    let joined: String = pieces(source, &statements)
        .iter()
        .map(|piece| match piece {
            Piece::Gap(text) | Piece::Statement(text) => *text,
        })
        .collect();
    prop_assert_eq!(&joined, source);
    let mut end = 0;
    for statement in &statements {
        prop_assert!(end <= statement.start && statement.start < statement.end);
        end = statement.end;
        let text = &source[statement.start..statement.end];
        prop_assert_eq!(
            text,
            text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}'])
        );
        let line = 1 + source[..statement.start].matches('\n').count();
        prop_assert_eq!(statement.line, line);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn statements_and_gaps_of_any_text_join_back_to_it(source in ".{0,200}") {
        check_any(&source)?;
    }

    #[test]
    fn statements_and_gaps_of_anything_like_sql_join_back_to_it(source in SOUP) {
        check_any(&source)?;
    }

    #[test]
    fn a_script_that_was_put_together_comes_apart_the_same(seed: u64, length in 0usize..30) {
        let script = script(seed, length, Bodies::WithoutDelimiter);
        prop_assert_eq!(texts(&script.text), script.statements);
        check_any(&script.text)?;
    }

    #[test]
    fn a_statement_alone_is_one_statement(seed: u64) {
        for statement in script(seed, 20, Bodies::WithoutDelimiter).statements {
            prop_assert_eq!(texts(&statement), [statement.as_str()]);
            let between = format!("SELECT 1;\n{statement};\nSELECT 2");
            prop_assert_eq!(texts(&between), ["SELECT 1", statement.as_str(), "SELECT 2"]);
        }
    }

    #[test]
    fn two_scripts_one_after_the_other_are_both_lists(a: u64, b: u64) {
        let [a, b] = [a, b].map(|seed| script(seed, 12, Bodies::WithoutDelimiter));
        let both = format!("{}{}", a.text, b.text);
        prop_assert_eq!(texts(&both), [a.statements, b.statements].concat());
    }
}

/// A file of one line must not be searched to its end at each statement: in linear time this takes milliseconds, in
/// quadratic time an hour.
#[test]
fn a_long_line_takes_linear_time() {
    for text in [
        "USE a;",
        "--x\n",
        "a;",
        "delimiter ;\n",
        "'",
        "/*",
        "/*!",
        "CREATE PROCEDURE p() AS $a$ ",
        "#\n",
        "SET sql_mode='';",
        "\"\"",
        "/**/",
        "BEGIN NOT ATOMIC ",
        "CREATE PROCEDURE p() CASE ",
    ] {
        drop(split(&text.repeat(200_000)));
    }
}

#[test]
fn a_dump_as_mysqldump_writes_it_comes_apart_into_its_statements() {
    let dump = dump::make(1 << 20);
    assert_eq!(split(&dump.text).unwrap().len(), dump.statements);
}
