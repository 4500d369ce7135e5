//! What an expression has between marks of its own: calls, CASE, INTERVAL.

use super::super::canonical::needs_space;
use super::{Node, OR, Part, Reader, WHOLE, is_reserved, meaning, text};
use crate::lexer::{Token, TokenKind};

/// Reserved words that are functions too.
const FUNCTIONS: [&str; 3] = ["left", "mod", "right"];

/// Words behind which a call goes on in a way of its own.
const TAILS: [&str; 6] = ["as", "from", "order", "returning", "separator", "using"];

impl Reader<'_> {
    pub(super) fn is_function(&self, token: Token<'_>) -> bool {
        FUNCTIONS.iter().any(|name| token.is(name))
            && self.peek().is_some_and(|next| next.is_mark('('))
    }

    pub(super) fn call(&mut self, name: &str) -> Option<Node> {
        self.at += 1;
        let name = meaning::function(name);
        let mut parts = vec![text(format!("{name}("))];
        if self.take_mark(')') {
            parts.push(text(")"));
            return self.over(Node::Enclosed(parts));
        }
        if self.take_word("distinct") {
            parts.push(text("distinct "));
        } else if name == "trim" {
            // BOTH is what is done without a word.
            self.take_word("both");
            for word in ["leading", "trailing"] {
                if self.take_word(word) {
                    parts.push(text(format!("{word} ")));
                }
            }
        }
        loop {
            let (node, _) = self.expression(OR)?;
            parts.push(Part::Operand(OR, node));
            if TAILS
                .iter()
                .any(|word| self.peek().is_some_and(|token| token.is(word)))
            {
                let tail = self.tail()?;
                if !(name == "json_value" && tail == " returning char(512)") {
                    parts.push(text(tail));
                }
            }
            if self.take_mark(')') {
                meaning::without_usual_argument(&name, &mut parts);
                parts.push(text(")"));
                return self.over(meaning::called(&name, parts));
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

    pub(super) fn case(&mut self) -> Option<Node> {
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
    pub(super) fn interval(&mut self) -> Option<Node> {
        let (amount, _) = self.operand(WHOLE)?;
        let unit = self.peek()?;
        let is_unit = unit.kind == TokenKind::Word && !is_reserved(unit.text);
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
