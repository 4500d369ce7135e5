//! A template's text into its pieces, as Velocity 1.7 cuts it: directives, comments, references, and which white space
//! around them is not written. What Velocity has and API Gateway's users do not need is refused by its name.
//!
//! White space, as the engine itself was seen to treat it: a directive's `)`, `#else` and `#end` take the line's rest with
//! them where it is blank; `#set` takes the blanks before it only where another piece ends right before them.

use super::expression::Expressions;
use super::syntax::{Node, Unreadable};

/// Directives and quotes within each other. No template comes near it, and the stack holds it.
pub(super) const DEPTH_MAX: usize = 64;

/// Directives that Velocity has and this cloud does not.
const REFUSED: [&str; 5] = ["define", "evaluate", "include", "macro", "parse"];

/// What ends a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Text,
    ElseIf,
    Else,
    End,
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, Unreadable> {
    parse_within(text, 0, 0)
}

/// A template within a template: `offset` is its place in the whole.
pub(super) fn parse_within(
    text: &str,
    offset: usize,
    depth: usize,
) -> Result<Vec<Node>, Unreadable> {
    let mut parser = Parser {
        scan: Expressions::new(text, offset, depth),
    };
    let (nodes, ending) = parser.block()?;
    match ending {
        Ending::Text => Ok(nodes),
        Ending::ElseIf | Ending::Else | Ending::End => Err(parser
            .scan
            .unreadable("there is no #if or #foreach that this could belong to")),
    }
}

struct Parser<'a> {
    scan: Expressions<'a>,
}

impl Parser<'_> {
    /// Until the directive that ends the block, which is taken too.
    fn block(&mut self) -> Result<(Vec<Node>, Ending), Unreadable> {
        let mut nodes = Vec::new();
        let mut text = String::new();
        loop {
            let rest = self.scan.rest();
            let plain = rest.find(['$', '#', '\\']).unwrap_or(rest.len());
            text.push_str(self.scan.take(plain));
            let rest = self.scan.rest();
            let Some(sign) = rest.chars().next() else {
                push_text(&mut nodes, &mut text);
                return Ok((nodes, Ending::Text));
            };
            if sign == '\\' {
                self.check_escape()?;
                let run = rest.len() - rest.trim_start_matches('\\').len();
                text.push_str(self.scan.take(run));
            } else if sign == '$' {
                match self.scan.reference()? {
                    Some(reference) => {
                        push_text(&mut nodes, &mut text);
                        nodes.push(Node::Reference(reference));
                    }
                    None => text.push_str(self.scan.take(1)),
                }
            } else if rest.starts_with("##") {
                push_text(&mut nodes, &mut text);
                let line = rest.find('\n').map_or(rest.len(), |end| end + 1);
                self.scan.take(line);
            } else if rest.starts_with("#*") {
                push_text(&mut nodes, &mut text);
                self.until("*#")?;
            } else if rest.starts_with("#[[") {
                let literal = self.until("]]#")?;
                text.push_str(literal.strip_prefix("#[[").unwrap_or_default());
            } else {
                let name = directive_name(rest).unwrap_or_default();
                if name == "set" && text.chars().all(|blank| blank == ' ' || blank == '\t') {
                    text.clear();
                }
                if is_directive(name) {
                    push_text(&mut nodes, &mut text);
                    match self.directive(name.to_owned())? {
                        Ok(node) => nodes.push(node),
                        Err(ending) => return Ok((nodes, ending)),
                    }
                } else {
                    text.push_str(self.scan.take(1));
                }
            }
        }
    }

    /// A directive, or the end of the block.
    fn directive(&mut self, name: String) -> Result<Result<Node, Ending>, Unreadable> {
        if REFUSED.contains(&name.as_str()) {
            let reason = format!("this cloud does not have the directive `#{name}` of Velocity");
            return Err(self.scan.unreadable(&reason));
        }
        let braces = if self.scan.rest().starts_with("#{") {
            2
        } else {
            0
        };
        self.scan.take(1 + braces + name.len());
        let node = match name.as_str() {
            "set" => {
                let (target, value) = self.scan.assignment()?;
                self.blank_line_end();
                Node::Set { target, value }
            }
            "if" => self.deeper(Self::conditional)?,
            "foreach" => self.deeper(Self::foreach)?,
            "break" => Node::Break,
            "stop" => Node::Stop,
            "elseif" => return Ok(Err(Ending::ElseIf)),
            "else" => {
                self.blank_line_end();
                return Ok(Err(Ending::Else));
            }
            _ => {
                self.blank_line_end();
                return Ok(Err(Ending::End));
            }
        };
        Ok(Ok(node))
    }

    fn deeper(
        &mut self,
        parse: fn(&mut Self) -> Result<Node, Unreadable>,
    ) -> Result<Node, Unreadable> {
        self.scan.enter()?;
        let node = parse(self)?;
        self.scan.leave();
        Ok(node)
    }

    fn conditional(&mut self) -> Result<Node, Unreadable> {
        let mut branches = Vec::new();
        loop {
            let condition = self.scan.condition()?;
            self.blank_line_end();
            let (nodes, ending) = self.block()?;
            branches.push((condition, nodes));
            match ending {
                Ending::ElseIf => {}
                Ending::Else => {
                    let (otherwise, ending) = self.block()?;
                    if ending != Ending::End {
                        return Err(self.scan.unreadable("`#end` is missing after this #else"));
                    }
                    return Ok(Node::If {
                        branches,
                        otherwise,
                    });
                }
                Ending::End => {
                    return Ok(Node::If {
                        branches,
                        otherwise: Vec::new(),
                    });
                }
                Ending::Text => return Err(self.scan.unreadable("`#end` is missing")),
            }
        }
    }

    fn foreach(&mut self) -> Result<Node, Unreadable> {
        let (name, list) = self.scan.iteration()?;
        self.blank_line_end();
        let (body, ending) = self.block()?;
        if ending != Ending::End {
            return Err(self.scan.unreadable("`#end` is missing"));
        }
        Ok(Node::Foreach { name, list, body })
    }

    /// What is blank up to the end of the line, with the end.
    fn blank_line_end(&mut self) {
        let rest = self.scan.rest();
        let after = rest.trim_start_matches([' ', '\t']);
        let end = ["\r\n", "\n", "\r"]
            .into_iter()
            .find(|end| after.starts_with(end));
        if let Some(end) = end {
            self.scan.take(rest.len() - after.len() + end.len());
        }
    }

    /// The text up to this sign, without it; the sign is taken too.
    fn until(&mut self, sign: &str) -> Result<&str, Unreadable> {
        let Some(end) = self.scan.rest().find(sign) else {
            return Err(self
                .scan
                .unreadable(&format!("`{sign}` is missing after this")));
        };
        let taken = self.scan.take(end + sign.len());
        Ok(taken.strip_suffix(sign).unwrap_or(taken))
    }

    /// Whether Velocity writes the backslash depends on what follows being defined when the template runs.
    fn check_escape(&self) -> Result<(), Unreadable> {
        let after = self.scan.rest().trim_start_matches('\\');
        let escapes = match after.chars().next() {
            Some('$') => after
                .trim_start_matches(['$', '!', '{'])
                .starts_with(|first: char| first.is_ascii_alphabetic()),
            Some('#') => directive_name(after).is_some_and(is_directive),
            _ => false,
        };
        if escapes {
            return Err(self
                .scan
                .unreadable("this cloud does not escape references and directives with `\\`"));
        }
        Ok(())
    }
}

fn push_text(nodes: &mut Vec<Node>, text: &mut String) {
    if !text.is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
}

/// The letters after `#`, or between `#{` and `}`.
fn directive_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('#')?;
    let (name, is_braced) = name
        .strip_prefix('{')
        .map_or((name, false), |name| (name, true));
    let end = name
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .unwrap_or(name.len());
    let (name, after) = name.split_at(end);
    (!is_braced || after.starts_with('}')).then_some(name)
}

fn is_directive(name: &str) -> bool {
    let known = [
        "set", "if", "elseif", "else", "end", "foreach", "break", "stop",
    ];
    known.contains(&name) || REFUSED.contains(&name)
}
