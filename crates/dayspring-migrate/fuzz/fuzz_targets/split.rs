//! What holds for the splitter on any text. `cargo +nightly fuzz run split` in the crate's folder; its dictionary is
//! `fuzz/split.dict`.
#![no_main]

use dayspring_migrate::{Digest, Piece, pieces, split};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    let statements = match split(source) {
        Ok(statements) => statements,
        Err(error) => {
            assert!(source.get(error.start..error.end).is_some(), "{error:?}");
            assert!(!error.kind.help().is_empty());
            return;
        }
    };
    let mut joined = String::with_capacity(source.len());
    for piece in pieces(source, &statements) {
        let (Piece::Gap(text) | Piece::Statement(text)) = piece;
        joined.push_str(text);
    }
    assert_eq!(joined, source);

    let (mut end, mut line, mut counted) = (0, 1, 0);
    for statement in &statements {
        assert!(end <= statement.start && statement.start < statement.end);
        end = statement.end;
        line += source[counted..statement.start].matches('\n').count();
        counted = statement.start;
        assert_eq!(statement.line, line);
        let text = &source[statement.start..statement.end];
        assert_ne!(Digest::of_tokens(text), Digest::of_tokens(""), "a statement has a token");
    }
    // With the delimiter and the modes of a script's beginning, a statement alone is one statement. (`a--` before a
    // delimiter is `a - -`; at the end of a file it is `a` and a comment.)
    let lower = source.to_ascii_lowercase();
    if !lower.contains("delimiter") && !lower.contains("sql_mode") {
        for statement in &statements {
            let text = &source[statement.start..statement.end];
            if text.ends_with("--") {
                continue;
            }
            let alone = split(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(alone.len(), 1, "{text:?}");
            assert_eq!((alone[0].start, alone[0].end), (0, text.len()), "{text:?}");
        }
    }
});
