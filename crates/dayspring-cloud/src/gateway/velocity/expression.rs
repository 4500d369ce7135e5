//! References and the expressions within directives.

use super::parse::{DEPTH_MAX, parse_within};
use super::syntax::{Expression, Node, Operator, Reference, Step, Unreadable};

/// A text and how far it is read.
pub(super) struct Expressions<'a> {
    text: &'a str,
    at: usize,
    /// Where the text begins in the whole template.
    offset: usize,
    depth: usize,
}

/// Operators by how tightly they bind, the loosest first; each with the word that stands for it.
const LEVELS: [&[(&str, Operator)]; 4] = [
    &[
        ("==", Operator::Equal),
        ("eq", Operator::Equal),
        ("!=", Operator::Unequal),
        ("ne", Operator::Unequal),
    ],
    &[
        ("<=", Operator::LessOrEqual),
        ("le", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("ge", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        ("lt", Operator::Less),
        (">", Operator::Greater),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Plus), ("-", Operator::Minus)],
    &[
        ("*", Operator::Times),
        ("/", Operator::Over),
        ("%", Operator::Modulo),
    ],
];

impl<'a> Expressions<'a> {
    pub(super) fn new(text: &'a str, offset: usize, depth: usize) -> Self {
        Self {
            text,
            at: 0,
            offset,
            depth,
        }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// So many bytes, as far as there are so many.
    pub(super) fn take(&mut self, bytes: usize) -> &'a str {
        let taken = self.rest().get(..bytes).unwrap_or_else(|| self.rest());
        self.at += taken.len();
        taken
    }

    pub(super) fn unreadable(&self, reason: &str) -> Unreadable {
        Unreadable {
            at: self.offset + self.at,
            reason: reason.to_owned(),
        }
    }

    /// Goes a level deeper, where that is allowed.
    pub(super) fn enter(&mut self) -> Result<(), Unreadable> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.unreadable("the template is nested too deeply"));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// `( $target = value )`
    pub(super) fn assignment(&mut self) -> Result<(Reference, Expression), Unreadable> {
        self.expect("(")?;
        self.blank();
        let target = self.reference()?;
        let target = target.ok_or_else(|| self.unreadable("`#set` needs a reference to set"))?;
        if matches!(target.steps.last(), Some(Step::Call { .. })) {
            return Err(self.unreadable("what a method gives cannot be set"));
        }
        self.expect("=")?;
        let value = self.expression()?;
        self.expect(")")?;
        Ok((target, value))
    }

    /// `( condition )`
    pub(super) fn condition(&mut self) -> Result<Expression, Unreadable> {
        self.expect("(")?;
        let condition = self.expression()?;
        self.expect(")")?;
        Ok(condition)
    }

    /// `( $name in list )`
    pub(super) fn iteration(&mut self) -> Result<(String, Expression), Unreadable> {
        self.expect("(")?;
        self.blank();
        let name = match self.reference()? {
            Some(Reference { name, steps, .. }) if steps.is_empty() => name,
            _ => {
                return Err(
                    self.unreadable("`#foreach` needs a name, as in `#foreach($item in $list)`")
                );
            }
        };
        self.blank();
        if !self.word("in") {
            return Err(self.unreadable("`in` is missing"));
        }
        let list = self.expression()?;
        self.expect(")")?;
        Ok((name, list))
    }

    /// `None`: the dollar sign is a text.
    pub(super) fn reference(&mut self) -> Result<Option<Reference>, Unreadable> {
        let at = self.offset + self.at;
        let Some(after) = self.rest().strip_prefix('$') else {
            return Ok(None);
        };
        let (after, quiet) = after
            .strip_prefix('!')
            .map_or((after, false), |after| (after, true));
        let (after, formal) = after
            .strip_prefix('{')
            .map_or((after, false), |after| (after, true));
        let name = identifier(after);
        if name.is_empty() {
            return Ok(None);
        }
        self.take(1 + usize::from(quiet) + usize::from(formal) + name.len());
        let mut steps = Vec::new();
        loop {
            let rest = self.rest();
            let property = rest.strip_prefix('.').map(identifier).unwrap_or_default();
            if !property.is_empty() {
                let at = self.offset + self.at;
                self.take(1 + property.len());
                steps.push(if self.rest().starts_with('(') {
                    Step::Call {
                        method: property.to_owned(),
                        arguments: self.arguments()?,
                        at,
                    }
                } else {
                    Step::Property(property.to_owned())
                });
            } else if rest.starts_with('[') {
                self.take(1);
                let index = self.expression()?;
                self.expect("]")?;
                steps.push(Step::Index(index));
            } else {
                break;
            }
        }
        if formal && !self.sign("}") {
            return Err(self.unreadable("`}` is missing after this reference"));
        }
        Ok(Some(Reference {
            name: name.to_owned(),
            steps,
            quiet,
            at,
        }))
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, Unreadable> {
        self.expect("(")?;
        self.list_until(")", Self::expression)
    }

    /// What is between here and a sign, with commas between.
    fn list_until<T>(
        &mut self,
        end: &str,
        each: fn(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Unreadable> {
        let mut found = Vec::new();
        self.blank();
        if self.sign(end) {
            return Ok(found);
        }
        loop {
            found.push(each(self)?);
            self.blank();
            if self.sign(end) {
                return Ok(found);
            }
            self.expect(",")?;
        }
    }

    fn expression(&mut self) -> Result<Expression, Unreadable> {
        self.enter()?;
        let expression = self.any()?;
        self.leave();
        Ok(expression)
    }

    fn any(&mut self) -> Result<Expression, Unreadable> {
        self.joined(&["||", "or"], Self::all, Expression::Any)
    }

    fn all(&mut self) -> Result<Expression, Unreadable> {
        self.joined(&["&&", "and"], |scan| scan.chain(0), Expression::All)
    }

    fn joined(
        &mut self,
        signs: &[&str],
        part: fn(&mut Self) -> Result<Expression, Unreadable>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression, Unreadable> {
        let first = part(self)?;
        let mut others = Vec::new();
        loop {
            self.blank();
            let Some(sign) = signs.iter().find(|sign| self.is_at(sign)) else {
                break;
            };
            self.take(sign.len());
            others.push(part(self)?);
        }
        if others.is_empty() {
            return Ok(first);
        }
        others.insert(0, first);
        Ok(join(others))
    }

    fn chain(&mut self, level: usize) -> Result<Expression, Unreadable> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let first = self.chain(level + 1)?;
        let mut rest = Vec::new();
        loop {
            self.blank();
            let Some((sign, operator)) = operators.iter().find(|(sign, _)| self.is_at(sign)) else {
                break;
            };
            let is_number =
                rest.is_empty() && matches!(first, Expression::Integer(_) | Expression::Float(_));
            if *sign == "-"
                && is_number
                && self
                    .rest()
                    .as_bytes()
                    .get(1)
                    .is_some_and(u8::is_ascii_digit)
            {
                return Err(self.unreadable(
                    "to Velocity this is a negative number; write a space after the minus",
                ));
            }
            self.take(sign.len());
            rest.push((*operator, self.chain(level + 1)?));
        }
        Ok(if rest.is_empty() {
            first
        } else {
            Expression::Chain(Box::new(first), rest)
        })
    }

    /// Whether an operator comes next; one that is a word ends where the word does.
    fn is_at(&self, sign: &str) -> bool {
        if sign.starts_with(|first: char| first.is_ascii_alphabetic()) {
            identifier(self.rest()) == sign
        } else {
            self.rest().starts_with(sign)
        }
    }

    fn unary(&mut self) -> Result<Expression, Unreadable> {
        self.blank();
        let is_not = self.sign("!") || self.word("not");
        if !is_not {
            return self.primary();
        }
        self.enter()?;
        let denied = self.unary()?;
        self.leave();
        Ok(Expression::Not(Box::new(denied)))
    }

    fn primary(&mut self) -> Result<Expression, Unreadable> {
        self.blank();
        let rest = self.rest();
        match rest.chars().next() {
            Some('(') => self.condition(),
            Some('[') => {
                self.take(1);
                self.list_or_range()
            }
            Some('{') => {
                self.take(1);
                let entries = self.list_until("}", Self::entry)?;
                Ok(Expression::Map(entries))
            }
            Some('\'') => Ok(Expression::Text(self.quoted('\'')?.1)),
            Some('"') => {
                let (at, text) = self.quoted('"')?;
                let nodes = parse_within(&text, at, self.depth + 1)?;
                Ok(match nodes.as_slice() {
                    [] => Expression::Text(text),
                    [Node::Text(plain)] => Expression::Text(plain.clone()),
                    _ => Expression::Template(nodes),
                })
            }
            Some('$') => self
                .reference()?
                .map(Expression::Reference)
                .ok_or_else(|| self.unreadable("this is no reference")),
            Some(first) if first == '-' || first.is_ascii_digit() => self.number(),
            _ if self.word("true") => Ok(Expression::Bool(true)),
            _ if self.word("false") => Ok(Expression::Bool(false)),
            _ => Err(self.unreadable("a value is missing here")),
        }
    }

    fn entry(&mut self) -> Result<(Expression, Expression), Unreadable> {
        let key = self.expression()?;
        self.expect(":")?;
        Ok((key, self.expression()?))
    }

    fn list_or_range(&mut self) -> Result<Expression, Unreadable> {
        self.blank();
        if self.sign("]") {
            return Ok(Expression::List(Vec::new()));
        }
        let first = self.expression()?;
        self.blank();
        if self.sign("..") {
            let last = self.expression()?;
            self.expect("]")?;
            return Ok(Expression::Range(Box::new(first), Box::new(last)));
        }
        let mut items = vec![first];
        if self.sign("]") {
            return Ok(Expression::List(items));
        }
        self.expect(",")?;
        items.extend(self.list_until("]", Self::expression)?);
        Ok(Expression::List(items))
    }

    /// The text between two quotes, with its place; a quote within it is written twice.
    fn quoted(&mut self, quote: char) -> Result<(usize, String), Unreadable> {
        let at = self.offset + self.at + 1;
        let mut text = String::new();
        let mut ahead = self.rest().char_indices().skip(1).peekable();
        while let Some((index, letter)) = ahead.next() {
            if letter != quote {
                text.push(letter);
            } else if ahead.next_if(|(_, next)| *next == quote).is_some() {
                text.push(quote);
            } else {
                self.take(index + 1);
                return Ok((at, text));
            }
        }
        Err(self.unreadable("the quote does not end"))
    }

    fn number(&mut self) -> Result<Expression, Unreadable> {
        let rest = self.rest();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let sign = usize::from(rest.starts_with('-'));
        let mut end = sign + digits(rest.get(sign..).unwrap_or_default());
        let fraction = rest
            .get(end..)
            .and_then(|rest| rest.strip_prefix('.'))
            .map_or(0, digits);
        if fraction > 0 {
            end += 1 + fraction;
        }
        let text = rest.get(..end).unwrap_or_default();
        let number = if fraction > 0 {
            text.parse().ok().map(Expression::Float)
        } else {
            text.parse().ok().map(Expression::Integer)
        };
        let number = number.ok_or_else(|| self.unreadable("this is no number"))?;
        self.take(end);
        Ok(number)
    }

    fn blank(&mut self) {
        let rest = self.rest();
        self.take(rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len());
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.take(sign.len());
        }
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = identifier(self.rest()) == word;
        if found {
            self.take(word.len());
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Unreadable> {
        self.blank();
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.unreadable(&format!("`{sign}` is missing here")))
        }
    }
}

/// The name at the begin of a text, or nothing. A hyphen belongs to it.
fn identifier(text: &str) -> &str {
    if !text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        return "";
    }
    let end = text
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '-')
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}
