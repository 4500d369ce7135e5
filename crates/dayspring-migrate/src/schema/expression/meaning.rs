//! What two servers write in two ways and means the same: MySQL rewrites more of an expression when it reads it, MariaDB when
//! it prints it. Each pair was seen on MySQL 9.7.4 and MariaDB 10.11.

use super::{COMPARISON, NOT, Node, OR, Part, text};

/// Functions by the name that MariaDB prints, and the one that MySQL does.
const FUNCTIONS: [(&str, &str); 22] = [
    ("character_length", "char_length"),
    ("current_timestamp", "now"),
    ("json_detailed", "json_pretty"),
    ("lcase", "lower"),
    ("localtime", "now"),
    ("localtimestamp", "now"),
    ("octet_length", "length"),
    ("st_geometrycollectionfromtext", "st_geomcollfromtext"),
    ("st_geometrycollectionfromwkb", "st_geomcollfromwkb"),
    ("st_geometryfromtext", "st_geomfromtext"),
    ("st_geometryfromwkb", "st_geomfromwkb"),
    ("st_linestringfromtext", "st_linefromtext"),
    ("st_linestringfromwkb", "st_linefromwkb"),
    ("st_multilinestringfromtext", "st_mlinefromtext"),
    ("st_multilinestringfromwkb", "st_mlinefromwkb"),
    ("st_multipointfromtext", "st_mpointfromtext"),
    ("st_multipointfromwkb", "st_mpointfromwkb"),
    ("st_multipolygonfromtext", "st_mpolyfromtext"),
    ("st_multipolygonfromwkb", "st_mpolyfromwkb"),
    ("st_polygonfromtext", "st_polyfromtext"),
    ("st_polygonfromwkb", "st_polyfromwkb"),
    ("ucase", "upper"),
];

/// The name of a function in its one spelling.
pub(super) fn function(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match FUNCTIONS.iter().find(|(one, _)| *one == lower) {
        Some((_, canonical)) => (*canonical).to_owned(),
        None => name.to_owned(),
    }
}

/// A call whose last argument is what the function takes without it. The language of DATE_FORMAT is that of a server whose
/// `lc_time_names` nobody set.
pub(super) fn without_usual_argument(function: &str, parts: &mut Vec<Part>) {
    let (others, usual) = match function {
        "week" => (1, "0"),
        "lag" | "lead" => (1, "1"),
        "date_format" => (2, "'en_US'"),
        _ => return,
    };
    // The name, and then arguments with commas between.
    let len = 2 * others;
    let is_usual = parts.len() == len + 2
        && matches!(parts.last(), Some(Part::Operand(_, Node::Atom(last))) if last == usual);
    if is_usual {
        parts.truncate(len);
    }
}

/// A literal in its one spelling: `true` is 1, and `x'41'` is `0x41`.
pub(super) fn atom(written: &str) -> String {
    let lower = written.to_ascii_lowercase();
    let digits = lower
        .strip_prefix("x'")
        .and_then(|rest| rest.strip_suffix('\''))
        .or_else(|| lower.strip_prefix("0x"));
    match (lower.as_str(), digits) {
        ("true", _) => "1".to_owned(),
        ("false", _) => "0".to_owned(),
        (_, Some(digits)) => format!("0x{}", digits.to_ascii_uppercase()),
        _ => written.to_owned(),
    }
}

/// `0 = a` is `a = 0`: MySQL writes NOT and the truth of a number so.
pub(super) fn compared(operator: &str, left: Node, right: Node) -> (Node, Node) {
    let is_zero = |node: &Node| *node == Node::Atom("0".to_owned());
    if ["=", "<>"].contains(&operator) && is_zero(&left) && !is_zero(&right) {
        (right, left)
    } else {
        (left, right)
    }
}

/// Where only the truth of it matters, `a <> 0` is `a`.
pub(super) fn truth(node: Node) -> Node {
    match node {
        Node::Operation {
            level: COMPARISON,
            parts,
        } => match <[Part; 3]>::try_from(parts) {
            Ok(
                [
                    Part::Operand(_, of),
                    Part::Text(operator),
                    Part::Operand(_, Node::Atom(zero)),
                ],
            ) if operator == " <> " && zero == "0" => of,
            Ok(parts) => Node::Operation {
                level: COMPARISON,
                parts: parts.into(),
            },
            Err(parts) => Node::Operation {
                level: COMPARISON,
                parts,
            },
        },
        node => node,
    }
}

/// NOT of it, within the comparison where it has a place for it.
pub(super) fn negated(node: Node) -> Node {
    match node {
        Node::Operation {
            level: COMPARISON,
            mut parts,
        } => {
            if let Some(Part::Text(operator)) = parts.get_mut(1)
                && let Some(opposite) = opposite(operator)
            {
                *operator = opposite.to_owned();
                return Node::Operation {
                    level: COMPARISON,
                    parts,
                };
            }
            not(Node::Operation {
                level: COMPARISON,
                parts,
            })
        }
        node => not(node),
    }
}

fn not(node: Node) -> Node {
    Node::Operation {
        level: NOT,
        parts: vec![text("not "), Part::Operand(COMPARISON, truth(node))],
    }
}

fn opposite(operator: &str) -> Option<&'static str> {
    const OPPOSITES: [(&str, &str); 8] = [
        (" like ", " not like "),
        (" regexp ", " not regexp "),
        (" in ", " not in "),
        (" between ", " not between "),
        (" = ", " <> "),
        (" < ", " >= "),
        (" > ", " <= "),
        (" is null", " is not null"),
    ];
    OPPOSITES.iter().find_map(|(one, other)| {
        if *one == operator {
            Some(*other)
        } else if *other == operator {
            Some(*one)
        } else {
            None
        }
    })
}

/// What a call means that is written otherwise too.
pub(super) fn called(function: &str, parts: Vec<Part>) -> Node {
    match (function, parts.as_slice()) {
        (
            "regexp_like",
            [
                _,
                Part::Operand(_, of),
                Part::Text(_),
                Part::Operand(_, pattern),
                _,
            ],
        ) => super::binary(COMPARISON, "regexp", of.clone(), pattern.clone()),
        // MySQL writes down how it goes about WITH ROLLUP.
        (
            "rollup_sum_switcher" | "rollup_group_item",
            [_, Part::Operand(_, of), ..] | [_, _, Part::Operand(_, of), ..],
        ) => of.clone(),
        // What the functions of MySQL become on MariaDB, which has none such.
        ("any_value", [_, Part::Operand(_, of), _]) => of.clone(),
        ("json_extract", [_, Part::Operand(_, of), _, Part::Operand(_, path), _])
            if is_atom(path, "'$'") =>
        {
            Node::Enclosed(vec![
                text("cast("),
                Part::Operand(OR, of.clone()),
                text(" as json)"),
            ])
        }
        ("unhex", [_, Part::Operand(_, inner), _]) => match arguments(inner, "replace(").as_slice()
        {
            [uuid, dash, nothing] if is_atom(dash, "'-'") && is_atom(nothing, "''") => {
                call_of_one("uuid_to_bin", (*uuid).clone())
            }
            _ => Node::Enclosed(parts),
        },
        ("lower", [_, Part::Operand(_, inner), _]) => {
            match arguments(inner, "regexp_replace(").as_slice() {
                [digits, groups, _] if is_atom(groups, UUID_DIGITS) => {
                    match arguments(digits, "hex(").as_slice() {
                        [bytes] => call_of_one("bin_to_uuid", (*bytes).clone()),
                        _ => Node::Enclosed(parts),
                    }
                }
                _ => Node::Enclosed(parts),
            }
        }
        _ => Node::Enclosed(parts),
    }
}

const UUID_DIGITS: &str = "'^(.{8})(.{4})(.{4})(.{4})(.{12})$'";

fn is_atom(node: &Node, written: &str) -> bool {
    matches!(node, Node::Atom(text) if text == written)
}

/// The arguments of a call that is written so up to them; none of any other.
fn arguments<'a>(node: &'a Node, opening: &str) -> Vec<&'a Node> {
    match node {
        Node::Enclosed(parts) if matches!(parts.first(), Some(Part::Text(text)) if text == opening) =>
        {
            let operands = parts.iter().filter_map(|part| match part {
                Part::Operand(_, node) => Some(node),
                Part::Text(_) => None,
            });
            operands.collect()
        }
        _ => Vec::new(),
    }
}

fn call_of_one(function: &str, argument: Node) -> Node {
    Node::Enclosed(vec![
        text(format!("{function}(")),
        Part::Operand(OR, argument),
        text(")"),
    ])
}
