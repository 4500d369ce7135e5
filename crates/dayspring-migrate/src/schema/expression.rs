//! An expression with the parentheses that it needs, and no others.
//!
//! MySQL prints parentheses around each operation, MariaDB those that it takes to be needed. So an expression is read by the
//! precedence that both manuals give (<https://dev.mysql.com/doc/refman/8.4/en/operator-precedence.html>,
//! <https://mariadb.com/docs/server/reference/sql-structure/operators/operator-precedence>, read 2026-11-23) and written
//! again with what that precedence asks for. Nothing is moved or calculated; AND in AND and OR in OR are one list, as MySQL
//! prints them. Where the manuals leave doubt, or a token is met that is not known here (a subquery, OVER, `||`, `->`, an
//! assignment), nothing is said of the whole expression.

use super::canonical::needs_space;
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
const RESERVED: [&str; 37] = [
    "all", "and", "any", "as", "between", "binary", "both", "by", "case", "collate", "distinct",
    "div", "else", "end", "escape", "exists", "from", "in", "interval", "is", "leading", "like",
    "match", "member", "not", "or", "over", "regexp", "rlike", "select", "some", "sounds", "then",
    "trailing", "using", "when", "xor",
];

/// Words behind which a call goes on in a way of its own.
const TAILS: [&str; 6] = ["as", "from", "order", "returning", "separator", "using"];

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
    let mut reader = Reader {
        tokens: lexer::significant(text).collect(),
        at: 0,
        depth: 0,
    };
    let (node, _) = reader.expression(OR)?;
    if reader.at < reader.tokens.len() {
        return None;
    }
    let mut written = String::new();
    write(&node, OR, &mut written);
    Some(written)
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
            node => parts.push(Part::Operand(level + 1, node)),
        }
    }
    Node::Operation { level, parts }
}

fn prefixed(level: Level, operator: &str, operand: Node) -> Node {
    let least = if level == NOT { COMPARISON } else { WHOLE };
    Node::Operation {
        level,
        parts: vec![text(operator), Part::Operand(least, operand)],
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
}

impl<'a> Reader<'a> {
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

    /// An expression of operators that bind at least so strongly, and how strongly it binds as it is written.
    fn expression(&mut self, least: Level) -> Option<(Node, Level)> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let (mut left, mut written) = self.operand(least)?;
        while let Some((level, operator, tokens)) = self.operator() {
            if level < least {
                break;
            }
            self.at += tokens;
            if level == COMPARISON && written == COMPARISON {
                return None;
            }
            left = self.operation(level, &operator, left)?;
            written = level;
        }
        self.depth -= 1;
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
                "is" | "like" | "regexp" | "rlike" | "in" | "between" => COMPARISON,
                "not" => {
                    let next = next?.text.to_ascii_lowercase();
                    let is_known =
                        ["like", "regexp", "rlike", "in", "between"].contains(&next.as_str());
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
                parts.extend(self.list()?);
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
                let (right, _) = self.expression(least)?;
                // LIKE with an ESCAPE is not read: its word would be left over.
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
            return Some((prefixed(NOT, "not ", operand), NOT));
        }
        if token.kind == TokenKind::Punctuation && ["-", "~", "!"].contains(&token.text) {
            self.at += 1;
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return None;
            }
            let (operand, _) = self.operand(SIGN)?;
            self.depth -= 1;
            let node = match token.text {
                // It binds as a sign does, and says what NOT says.
                "!" => prefixed(NOT, "not ", operand),
                sign => prefixed(SIGN, sign, operand),
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
            TokenKind::Word if RESERVED.iter().any(|word| token.is(word)) => None,
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
                    return self.atom(format!("{}{between}{}", token.text, next.text));
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

    fn call(&mut self, name: &str) -> Option<Node> {
        self.at += 1;
        let mut parts = vec![text(format!("{name}("))];
        if self.take_mark(')') {
            parts.push(text(")"));
            return Some(Node::Enclosed(parts));
        }
        loop {
            let (node, _) = self.expression(OR)?;
            parts.push(Part::Operand(OR, node));
            if TAILS
                .iter()
                .any(|word| self.peek().is_some_and(|token| token.is(word)))
            {
                parts.push(text(self.tail()?));
            }
            if self.take_mark(')') {
                parts.push(text(")"));
                return Some(Node::Enclosed(parts));
            }
            if !self.take_mark(',') {
                return None;
            }
            parts.push(text(", "));
        }
    }

    /// What stands up to the parenthesis that closes the call, as it is.
    fn tail(&mut self) -> Option<String> {
        let mut written = " ".to_owned();
        let mut previous = None;
        let mut open = 0_usize;
        loop {
            let token = self.peek()?;
            if token.is_mark('(') {
                open += 1;
            } else if token.is_mark(')') {
                if open == 0 {
                    return Some(written);
                }
                open -= 1;
            }
            if needs_space(previous, token) {
                written.push(' ');
            }
            written.push_str(token.text);
            previous = Some(token);
            self.at += 1;
        }
    }

    fn case(&mut self) -> Option<Node> {
        let mut parts = vec![text("case")];
        if !self.peek()?.is("when") {
            parts.push(text(" "));
            parts.push(Part::Operand(OR, self.expression(OR)?.0));
        }
        let mut has_branch = false;
        while self.take_word("when") {
            has_branch = true;
            parts.push(text(" when "));
            parts.push(Part::Operand(OR, self.expression(OR)?.0));
            if !self.take_word("then") {
                return None;
            }
            parts.push(text(" then "));
            parts.push(Part::Operand(OR, self.expression(OR)?.0));
        }
        if self.take_word("else") {
            parts.push(text(" else "));
            parts.push(Part::Operand(OR, self.expression(OR)?.0));
        }
        if !(has_branch && self.take_word("end")) {
            return None;
        }
        parts.push(text(" end"));
        Some(Node::Enclosed(parts))
    }

    /// `INTERVAL 1 DAY`; the function of that name is not read.
    fn interval(&mut self) -> Option<Node> {
        let (amount, _) = self.operand(WHOLE)?;
        let unit = self.peek()?;
        let is_unit = unit.kind == TokenKind::Word && !RESERVED.iter().any(|word| unit.is(word));
        if !is_unit {
            return None;
        }
        self.at += 1;
        Some(Node::Enclosed(vec![
            text("interval "),
            Part::Operand(WHOLE, amount),
            text(format!(" {}", unit.text.to_ascii_lowercase())),
        ]))
    }
}

#[cfg(test)]
mod tests;
