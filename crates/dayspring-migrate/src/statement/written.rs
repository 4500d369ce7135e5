//! The tables whose rows a data statement says it writes. What its triggers and functions write it does not say.

use super::{Object, ObjectKind};
use crate::lexer::Token;

/// Reads the head of a data statement, up to where its values begin. More names than are written may be found (those of
/// a join), never fewer.
pub(super) fn written<'a>(
    keyword: &str,
    tokens: &mut dyn Iterator<Item = Token<'a>>,
) -> Vec<Object> {
    match keyword {
        "INSERT" | "REPLACE" => {
            let mut head: Vec<Token<'a>> = Vec::new();
            while let Some(token) = tokens.next() {
                let is_option = ["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"]
                    .iter()
                    .any(|word| token.is(word));
                if is_option {
                    continue;
                }
                // `name`, `.`, `name` at most.
                head.push(token);
                head.extend(tokens.take(2));
                break;
            }
            names(&head).into_iter().take(1).collect()
        }
        "UPDATE" => names(&until(tokens, "SET")),
        "DELETE" => names(&until(tokens, "WHERE")),
        "LOAD" => {
            let all: Vec<Token<'a>> = tokens.collect();
            let table = all.iter().position(|token| token.is("TABLE"));
            let after = table.and_then(|at| all.get(at + 1..)).unwrap_or_default();
            names(after).into_iter().take(1).collect()
        }
        // A common table expression before an UPDATE or DELETE: its names are taken for written too.
        "WITH" => {
            let all: Vec<Token<'a>> = tokens.collect();
            let writes = all
                .iter()
                .any(|token| token.is("UPDATE") || token.is("DELETE"));
            if writes { names(&all) } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

fn until<'a>(tokens: &mut dyn Iterator<Item = Token<'a>>, keyword: &str) -> Vec<Token<'a>> {
    tokens.take_while(|token| !token.is(keyword)).collect()
}

/// Every `name` and `database.name`.
fn names(tokens: &[Token<'_>]) -> Vec<Object> {
    let mut found: Vec<Object> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let Some(name) = token.name() else { continue };
        let qualified = match (tokens.get(at), tokens.get(at + 1)) {
            (Some(dot), Some(second)) if dot.is_mark('.') => second.name(),
            _ => None,
        };
        let object = match qualified {
            Some(second) => {
                at += 2;
                Object {
                    kind: ObjectKind::Table,
                    schema: Some(name),
                    name: second,
                }
            }
            None => Object {
                kind: ObjectKind::Table,
                schema: None,
                name,
            },
        };
        if !found.contains(&object) {
            found.push(object);
        }
    }
    found
}
