//! An expression with the parentheses that it needs, and no others.
//!
//! MySQL prints parentheses around each operation, MariaDB those that it takes to be needed. So an expression is read by the
//! precedence that both manuals give (<https://dev.mysql.com/doc/refman/8.4/en/operator-precedence.html>,
//! <https://mariadb.com/docs/server/reference/sql-structure/operators/operator-precedence>, read 2026-11-23) and written
//! again with what that precedence asks for. AND in AND and OR in OR are one list, as MySQL prints them, and what the two
//! servers rewrite has one form (`meaning`). Queries are read as far as views have them (`query`). Where the manuals leave
//! doubt, or a token is met that is not known here (`||`, `->`, an assignment), nothing is said of the whole text.

mod call;
mod meaning;
mod query;

use crate::lexer::{self, Token, TokenKind};

/// How strongly an operator binds: the order of the manuals, from the weakest.
type Level = u8;

const OR: Level = 1;
const XOR: Level = 2;
const AND: Level = 3;
const NOT: Level = 4;
/// `=`, LIKE, IN, BETWEEN and IS: between two of these parentheses are always written, and asked for.
const COMPARISON: Level = 5;
const BIT_OR: Level = 6;
const BIT_AND: Level = 7;
const SHIFT: Level = 8;
const SUM: Level = 9;
const PRODUCT: Level = 10;
const BIT_XOR: Level = 11;
const SIGN: Level = 12;
const COLLATE: Level = 13;
/// A name, a literal, a call, what stands in parentheses.
const WHOLE: Level = 14;

/// Parentheses within parentheses: what a server printed has fewer.
const DEPTH_MAX: usize = 200;

/// Words that are no names: an operator, or the beginning of what is not read here.
const RESERVED: [&str; 66] = [
    "all",
    "and",
    "any",
    "as",
    "asc",
    "between",
    "binary",
    "both",
    "by",
    "case",
    "collate",
    "cross",
    "desc",
    "distinct",
    "div",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "for",
    "force",
    "from",
    "group",
    "having",
    "ignore",
    "in",
    "inner",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "match",
    "member",
    "mod",
    "natural",
    "not",
    "on",
    "or",
    "order",
    "over",
    "partition",
    "regexp",
    "right",
    "rlike",
    "rollup",
    "select",
    "some",
    "sounds",
    "then",
    "trailing",
    "true",
    "union",
    "use",
    "using",
    "when",
    "where",
    "with",
    "xor",
];

/// Whether a name is taken for something else where it stands without backticks.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// An expression as a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// A name or a literal.
    Atom(String),
    /// What is written between marks of its own: a call, a list, CASE.
    Enclosed(Vec<Part>),
    Operation {
        level: Level,
        parts: Vec<Part>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Written as it stands.
    Text(String),
    /// An operand, and what it must bind as strongly as to stand without parentheses.
    Operand(Level, Node),
}

/// The expression with the parentheses that it needs; nothing where it cannot be read.
pub(super) fn with_needed_parentheses(text: &str) -> Option<String> {
    let mut reader = Reader::of(text);
    let (node, _) = reader.expression(OR)?;
    reader.written(&node)
}

/// As [`with_needed_parentheses`], of the query of a view with these columns. MySQL keeps the names of the query beside them.
pub(super) fn query_with_needed_parentheses(text: &str, columns: Vec<String>) -> Option<String> {
    let mut reader = Reader::of(text);
    reader.columns = columns;
    let node = Node::Enclosed(reader.query()?);
    reader.written(&node)
}

fn write(node: &Node, least: Level, out: &mut String) {
    match node {
        Node::Atom(text) => out.push_str(text),
        Node::Enclosed(parts) => write_parts(parts, out),
        Node::Operation { level, parts } if *level < least => {
            out.push('(');
            write_parts(parts, out);
            out.push(')');
        }
        Node::Operation { parts, .. } => write_parts(parts, out),
    }
}

fn write_parts(parts: &[Part], out: &mut String) {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Operand(least, node) => write(node, *least, out),
        }
    }
}

fn text(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

fn binary(level: Level, operator: &str, left: Node, right: Node) -> Node {
    let (left, right) = match level {
        XOR => (meaning::truth(left), meaning::truth(right)),
        _ => meaning::compared(operator, left, right),
    };
    let (of_left, of_right) = match level {
        COMPARISON => (level + 1, level + 1),
        _ => (level, level + 1),
    };
    Node::Operation {
        level,
        parts: vec![
            Part::Operand(of_left, left),
            text(format!(" {operator} ")),
            Part::Operand(of_right, right),
        ],
    }
}

/// AND or OR of two: those of the same kind in it are of one list with it, in their order.
fn joined(level: Level, operator: &str, left: Node, right: Node) -> Node {
    let mut parts: Vec<Part> = Vec::new();
    for node in [left, right] {
        if !parts.is_empty() {
            parts.push(text(format!(" {operator} ")));
        }
        match node {
            Node::Operation {
                level: of_node,
                parts: of_list,
            } if of_node == level => parts.extend(of_list),
            node => parts.push(Part::Operand(level + 1, meaning::truth(node))),
        }
    }
    Node::Operation { level, parts }
}

fn signed(sign: &str, operand: Node) -> Node {
    Node::Operation {
        level: SIGN,
        parts: vec![text(sign), Part::Operand(WHOLE, operand)],
    }
}

/// Whether a quoted token ends before the text does.
fn is_closed(quoted: &str) -> bool {
    let quote = quoted.chars().next();
    quoted.len() > 1 && quoted.chars().next_back() == quote
}

struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    /// The names of what the next SELECT gives, if they are not its own.
    columns: Vec<String>,
}

impl<'a> Reader<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            tokens: lexer::significant(text).collect(),
            at: 0,
            depth: 0,
            columns: Vec::new(),
        }
    }

    /// What was read, if it was all.
    fn written(&self, node: &Node) -> Option<String> {
        if self.at < self.tokens.len() {
            return None;
        }
        let mut written = String::new();
        write(node, OR, &mut written);
        Some(written)
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn peek_after(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at + 1).copied()
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is_next);
        is_next
    }

    fn take_mark(&mut self, mark: char) -> bool {
        let is_next = self.peek().is_some_and(|token| token.is_mark(mark));
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads what is within what was begun, up to a depth.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        let read = if self.depth > DEPTH_MAX {
            None
        } else {
            read(self)
        };
        self.depth -= 1;
        read
    }

    /// An expression of operators that bind at least so strongly, and how strongly it binds as it is written.
    fn expression(&mut self, least: Level) -> Option<(Node, Level)> {
        self.deeper(|reader| reader.expression_within(least))
    }

    fn expression_within(&mut self, least: Level) -> Option<(Node, Level)> {
        let (mut left, mut written) = self.operand(least)?;
        while let Some((level, operator, tokens)) = self.operator() {
            if level < least {
                break;
            }
            self.at += tokens;
            // Both grammars take these from the left; of LIKE and its kind only the printed parentheses are believed.
            let is_chained = level == COMPARISON && written == COMPARISON;
            if is_chained && !["=", "<", "<=", "<=>", "<>", ">", ">=", "is"].contains(&&*operator) {
                return None;
            }
            left = self.operation(level, &operator, left)?;
            written = level;
        }
        Some((left, written))
    }

    /// The operator that comes next, in its one spelling, and how many tokens it has.
    fn operator(&self) -> Option<(Level, String, usize)> {
        let token = self.peek()?;
        if token.kind == TokenKind::Word {
            let word = token.text.to_ascii_lowercase();
            let next = self.peek_after();
            let level = match word.as_str() {
                "or" => OR,
                "xor" => XOR,
                "and" => AND,
                "rlike" => return Some((COMPARISON, "regexp".to_owned(), 1)),
                "is" | "like" | "regexp" | "in" | "between" => COMPARISON,
                "not" => {
                    let next = next?.text.to_ascii_lowercase();
                    let next = match next.as_str() {
                        "rlike" => "regexp",
                        next => next,
                    };
                    let is_known = ["like", "regexp", "in", "between"].contains(&next);
                    return is_known.then(|| (COMPARISON, format!("not {next}"), 2));
                }
                "div" => PRODUCT,
                "mod" => return Some((PRODUCT, "%".to_owned(), 1)),
                _ => return None,
            };
            return Some((level, word, 1));
        }
        if token.kind != TokenKind::Punctuation {
            return None;
        }
        let mut marks = String::new();
        for token in &self.tokens[self.at..] {
            let longer = format!("{marks}{}", token.text);
            let is_operator = [
                "<", "<=", "<=>", "<>", "<<", ">", ">=", ">>", "!=", "||", "&&", ":=", "->",
            ]
            .iter()
            .any(|operator| operator.starts_with(&longer));
            if token.kind != TokenKind::Punctuation || !(marks.is_empty() || is_operator) {
                break;
            }
            marks = longer;
        }
        let tokens = marks.chars().count();
        let level = match marks.as_str() {
            "=" | "<" | "<=" | "<=>" | "<>" | ">" | ">=" => COMPARISON,
            "!=" => return Some((COMPARISON, "<>".to_owned(), tokens)),
            "|" => BIT_OR,
            "&" => BIT_AND,
            "<<" | ">>" => SHIFT,
            "+" | "-" => SUM,
            "*" | "/" | "%" => PRODUCT,
            "^" => BIT_XOR,
            _ => return None,
        };
        Some((level, marks, tokens))
    }

    /// What follows an operator that was read.
    fn operation(&mut self, level: Level, operator: &str, left: Node) -> Option<Node> {
        let least = level + 1;
        match operator {
            "and" | "or" => {
                let (right, _) = self.expression(least)?;
                Some(joined(level, operator, left, right))
            }
            "is" => {
                let mut words = " is".to_owned();
                if self.take_word("not") {
                    words.push_str(" not");
                }
                let value = self.peek()?;
                self.at += 1;
                let value = ["null", "true", "false", "unknown"]
                    .into_iter()
                    .find(|word| value.is(word))?;
                let (left, value) = match value {
                    "null" => (left, value),
                    "unknown" => (meaning::truth(left), "null"),
                    _ => (meaning::truth(left), value),
                };
                words.push_str(&format!(" {value}"));
                Some(Node::Operation {
                    level,
                    parts: vec![Part::Operand(least, left), text(words)],
                })
            }
            "in" | "not in" => {
                if !self.take_mark('(') {
                    return None;
                }
                let mut parts = vec![Part::Operand(least, left), text(format!(" {operator} "))];
                parts.extend(match self.subquery() {
                    Some(query) => query?,
                    None => self.list()?,
                });
                Some(Node::Operation { level, parts })
            }
            "like" | "not like" => {
                let (pattern, _) = self.expression(least)?;
                let mut parts = vec![
                    Part::Operand(least, left),
                    text(format!(" {operator} ")),
                    Part::Operand(least, pattern),
                ];
                if self.take_word("escape") {
                    parts.push(text(" escape "));
                    parts.push(Part::Operand(WHOLE, self.whole()?));
                }
                Some(Node::Operation { level, parts })
            }
            "between" | "not between" => {
                let (from, _) = self.expression(least)?;
                if !self.take_word("and") {
                    return None;
                }
                let (to, _) = self.expression(least)?;
                Some(Node::Operation {
                    level,
                    parts: vec![
                        Part::Operand(least, left),
                        text(format!(" {operator} ")),
                        Part::Operand(least, from),
                        text(" and "),
                        Part::Operand(least, to),
                    ],
                })
            }
            _ => {
                let quantifier = ["any", "all"]
                    .into_iter()
                    .find(|word| level == COMPARISON && self.take_word(word));
                if let Some(quantifier) = quantifier {
                    if !self.take_mark('(') {
                        return None;
                    }
                    let mut parts = vec![
                        Part::Operand(least, left),
                        text(format!(" {operator} {quantifier} ")),
                    ];
                    parts.extend(self.subquery()??);
                    return Some(Node::Operation { level, parts });
                }
                let (right, _) = self.expression(least)?;
                Some(binary(level, operator, left, right))
            }
        }
    }

    /// What stands before an operator or between two.
    fn operand(&mut self, least: Level) -> Option<(Node, Level)> {
        let token = self.peek()?;
        if token.is("not") {
            if least > NOT {
                return None;
            }
            self.at += 1;
            let (operand, _) = self.expression(NOT)?;
            return Some((meaning::negated(operand), NOT));
        }
        if token.kind == TokenKind::Punctuation && ["-", "~", "!"].contains(&token.text) {
            self.at += 1;
            let (operand, _) = self.deeper(|reader| reader.operand(SIGN))?;
            let node = match token.text {
                // It binds as a sign does, and says what NOT says.
                "!" => meaning::negated(operand),
                sign => signed(sign, operand),
            };
            return Some((node, SIGN));
        }
        let node = self.whole()?;
        if !self.take_word("collate") {
            return Some((node, WHOLE));
        }
        let name = self.peek()?.name()?;
        self.at += 1;
        let node = Node::Operation {
            level: COLLATE,
            parts: vec![Part::Operand(WHOLE, node), text(format!(" collate {name}"))],
        };
        Some((node, COLLATE))
    }

    fn whole(&mut self) -> Option<Node> {
        let token = self.peek()?;
        self.at += 1;
        match token.kind {
            TokenKind::Punctuation if token.is_mark('(') => {
                if let Some(query) = self.subquery() {
                    return Some(Node::Enclosed(query?));
                }
                let parts = self.list()?;
                match <[Part; 3]>::try_from(parts) {
                    Ok([_, Part::Operand(_, inner), _]) => Some(inner),
                    Ok(parts) => Some(Node::Enclosed(parts.into())),
                    Err(parts) => Some(Node::Enclosed(parts)),
                }
            }
            TokenKind::Text | TokenKind::Name if !is_closed(token.text) => None,
            TokenKind::Text => self.atom(token.text.to_owned()),
            TokenKind::Word if token.is("case") => self.case(),
            TokenKind::Word if token.is("interval") => self.interval(),
            TokenKind::Word if token.is("true") || token.is("false") => {
                self.atom(meaning::atom(token.text))
            }
            TokenKind::Word if token.is("exists") => self.exists(),
            TokenKind::Word if is_reserved(token.text) && !self.is_function(token) => None,
            // A number with an exponent may be cut at its sign.
            TokenKind::Word
                if token.text.starts_with(|first: char| first.is_ascii_digit())
                    && token.text.ends_with(['e', 'E']) =>
            {
                None
            }
            TokenKind::Word | TokenKind::Name => {
                let next = self.peek();
                if next.is_some_and(|next| next.is_mark('(')) {
                    return self.call(token.text);
                }
                let is_typed = ["b", "date", "n", "time", "timestamp", "x"]
                    .iter()
                    .any(|word| token.is(word));
                if let (Some(next), true) = (next, is_typed)
                    && next.kind == TokenKind::Text
                {
                    self.at += 1;
                    let between = if token.text.len() == 1 { "" } else { " " };
                    let literal = format!("{}{between}{}", token.text, next.text);
                    return self.atom(meaning::atom(&literal));
                }
                if token.text.starts_with("0x") {
                    return self.atom(meaning::atom(token.text));
                }
                let mut name = token.text.to_owned();
                while self.take_mark('.') {
                    let part = self.peek()?;
                    if !matches!(part.kind, TokenKind::Word | TokenKind::Name) {
                        return None;
                    }
                    self.at += 1;
                    name.push('.');
                    name.push_str(part.text);
                }
                if name.contains('.') && self.peek().is_some_and(|next| next.is_mark('(')) {
                    return self.call(&name);
                }
                self.atom(name)
            }
            TokenKind::Punctuation
            | TokenKind::ExecutableOpen
            | TokenKind::ExecutableClose
            | TokenKind::Comment => None,
        }
    }

    /// Texts side by side are one, and are not read.
    fn atom(&self, written: String) -> Option<Node> {
        let is_text_next = self.peek().is_some_and(|next| next.kind == TokenKind::Text);
        (!is_text_next).then_some(Node::Atom(written))
    }

    /// The expressions up to the parenthesis that closes, with both parentheses.
    fn list(&mut self) -> Option<Vec<Part>> {
        let mut parts = vec![text("(")];
        loop {
            let (node, _) = self.expression(OR)?;
            parts.push(Part::Operand(OR, node));
            if self.take_mark(')') {
                parts.push(text(")"));
                return Some(parts);
            }
            if !self.take_mark(',') {
                return None;
            }
            parts.push(text(", "));
        }
    }
}

#[cfg(test)]
mod tests;
