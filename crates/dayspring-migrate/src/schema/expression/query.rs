//! Queries, as servers print those of views: SELECT with its clauses, joins, subqueries, UNION and its like, WITH, windows.
//!
//! <https://dev.mysql.com/doc/refman/8.4/en/select.html>, read 2026-11-23. Keywords are written in lower case; parentheses
//! are kept where they group joins and queries, and written as needed in expressions.

use super::{Node, OR, Part, Reader, is_reserved, text};
use crate::lexer::TokenKind;

/// What a query may continue with after a whole one.
const SETS: [&str; 3] = ["union", "except", "intersect"];

impl Reader<'_> {
    fn is_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is(word))
    }

    /// The query in parentheses of which the first one was read, with both of them; nothing where none begins here.
    pub(super) fn subquery(&mut self) -> Option<Option<Vec<Part>>> {
        (self.is_word("select") || self.is_word("with")).then(|| {
            let mut parts = vec![text("(")];
            parts.extend(self.query()?);
            parts.push(text(")"));
            self.take_mark(')').then_some(parts)
        })
    }

    /// EXISTS and its query, in which MariaDB prints LIMIT 1.
    pub(super) fn exists(&mut self) -> Option<Node> {
        if !self.take_mark('(') {
            return None;
        }
        let mut parts = vec![text("exists(")];
        parts.extend(self.query()?);
        if let [.., Part::Text(limit), Part::Operand(_, Node::Atom(one))] = parts.as_slice()
            && limit == " limit "
            && one == "1"
        {
            parts.truncate(parts.len() - 2);
        }
        parts.push(text(")"));
        self.take_mark(')').then_some(Node::Enclosed(parts))
    }

    pub(super) fn query(&mut self) -> Option<Vec<Part>> {
        self.deeper(Self::query_within)
    }

    fn query_within(&mut self) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        if self.is_word("with") {
            let columns = std::mem::take(&mut self.columns);
            self.at += 1;
            parts.push(text("with "));
            if self.take_word("recursive") {
                parts.push(text("recursive "));
            }
            loop {
                parts.push(text(self.name()?));
                if self.take_mark('(') {
                    parts.extend(self.list()?);
                }
                if !(self.take_word("as") && self.take_mark('(')) {
                    return None;
                }
                parts.push(text(" as "));
                parts.extend(self.subquery()??);
                if !self.take_mark(',') {
                    break;
                }
                parts.push(text(", "));
            }
            parts.push(text(" "));
            self.columns = columns;
        }
        parts.extend(self.first_term()?);
        while let Some(set) = SETS.into_iter().find(|word| self.take_word(word)) {
            parts.push(text(format!(" {set} ")));
            if self.take_word("all") {
                parts.push(text("all "));
            } else {
                self.take_word("distinct");
            }
            parts.extend(self.term()?);
        }
        self.ends(&mut parts)?;
        Some(parts)
    }

    /// As [`Self::term`]. MySQL prints parentheses around the first ones of several, which are taken together without them.
    fn first_term(&mut self) -> Option<Vec<Part>> {
        let term = self.term()?;
        let is_of_one_row = |part: &Part| matches!(part, Part::Text(words) if [" order by ", " limit "].contains(&words.as_str()));
        let (Some(Part::Text(open)), false) = (term.first(), term.iter().any(is_of_one_row)) else {
            return Some(term);
        };
        let is_followed = ["union", "except"].iter().any(|word| self.is_word(word));
        if open != "(" || !is_followed {
            return Some(term);
        }
        let last = term.len() - 1;
        Some(term.into_iter().take(last).skip(1).collect())
    }

    fn term(&mut self) -> Option<Vec<Part>> {
        if self.take_mark('(') {
            return self.subquery()?;
        }
        self.select()
    }

    fn select(&mut self) -> Option<Vec<Part>> {
        if !self.take_word("select") {
            return None;
        }
        let mut parts = vec![text("select ")];
        for word in ["distinct", "straight_join"] {
            if self.take_word(word) {
                parts.push(text(format!("{word} ")));
            }
        }
        let mut columns = std::mem::take(&mut self.columns).into_iter();
        let mut aliases = Vec::new();
        loop {
            let (node, _) = self.expression(OR)?;
            parts.push(Part::Operand(OR, node.clone()));
            let alias = if self.take_word("as") {
                Some(self.name()?)
            } else {
                None
            };
            if let Some(name) = columns.next().or_else(|| alias.clone()) {
                parts.push(text(format!(" AS {name}")));
            }
            aliases.extend(alias.map(|alias| (alias, node)));
            if !self.take_mark(',') {
                break;
            }
            parts.push(text(", "));
        }
        if self.take_word("from") {
            parts.push(text(" from "));
            parts.extend(self.tables()?);
        }
        for word in ["where", "group", "having"] {
            if !self.take_word(word) {
                continue;
            }
            parts.push(text(format!(" {word} ")));
            if word != "group" {
                parts.push(Part::Operand(OR, self.expression(OR)?.0));
                continue;
            }
            if !self.take_word("by") {
                return None;
            }
            parts.push(text("by "));
            let groups = self.expressions()?;
            parts.extend(without_aliases(groups, &aliases));
            if self.take_word("with") {
                if !self.take_word("rollup") {
                    return None;
                }
                parts.push(text(" with rollup"));
            }
        }
        let mut ends = Vec::new();
        self.ends(&mut ends)?;
        parts.extend(without_aliases(ends, &aliases));
        Some(parts)
    }

    /// ORDER BY and LIMIT.
    fn ends(&mut self, parts: &mut Vec<Part>) -> Option<()> {
        if self.take_word("order") {
            if !self.take_word("by") {
                return None;
            }
            parts.push(text(" order by "));
            parts.extend(self.expressions()?);
        }
        if self.take_word("limit") {
            parts.push(text(" limit "));
            parts.extend(self.expressions()?);
        }
        Some(())
    }

    /// Some expressions, each with its direction.
    fn expressions(&mut self) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        loop {
            parts.push(Part::Operand(OR, self.expression(OR)?.0));
            self.take_word("asc");
            if self.take_word("desc") {
                parts.push(text(" desc"));
            }
            if !self.take_mark(',') {
                return Some(parts);
            }
            parts.push(text(", "));
        }
    }

    fn tables(&mut self) -> Option<Vec<Part>> {
        let mut parts = self.joined_tables()?;
        while self.take_mark(',') {
            parts.push(text(", "));
            parts.extend(self.joined_tables()?);
        }
        Some(parts)
    }

    fn joined_tables(&mut self) -> Option<Vec<Part>> {
        let mut parts = self.table()?;
        loop {
            let mut words = Vec::new();
            for word in [
                "natural",
                "inner",
                "cross",
                "left",
                "right",
                "outer",
                "join",
                "straight_join",
            ] {
                if self.take_word(word) {
                    words.push(word);
                }
            }
            if words.is_empty() {
                return Some(parts);
            }
            // What these say beside JOIN is nothing.
            words.retain(|word| !["inner", "cross", "outer"].contains(word));
            parts.push(text(format!(" {} ", words.join(" "))));
            parts.extend(self.table()?);
            if self.take_word("on") {
                parts.push(text(" on "));
                parts.push(Part::Operand(OR, self.expression(OR)?.0));
            } else if self.take_word("using") {
                parts.push(text(" using "));
                if !self.take_mark('(') {
                    return None;
                }
                parts.extend(self.list()?);
            }
        }
    }

    fn table(&mut self) -> Option<Vec<Part>> {
        self.deeper(Self::table_within)
    }

    fn table_within(&mut self) -> Option<Vec<Part>> {
        let mut parts = if self.take_mark('(') {
            match self.subquery() {
                Some(query) => query?,
                None => {
                    let mut parts = vec![text("(")];
                    parts.extend(self.tables()?);
                    parts.push(text(")"));
                    return self.take_mark(')').then_some(parts);
                }
            }
        } else {
            let mut name = self.name()?;
            while self.take_mark('.') {
                name.push('.');
                name.push_str(&self.name()?);
            }
            vec![text(name)]
        };
        self.take_word("as");
        if let Some(alias) = self.name() {
            parts.push(text(format!(" {alias}")));
        }
        for hint in ["use", "force", "ignore"] {
            while self.take_word(hint) {
                if !(self.take_word("index") && self.take_mark('(')) {
                    return None;
                }
                parts.push(text(format!(" {hint} index ")));
                parts.extend(self.list()?);
            }
        }
        Some(parts)
    }

    /// A name, where one comes next.
    fn name(&mut self) -> Option<String> {
        let token = self.peek()?;
        let is_name = match token.kind {
            TokenKind::Word => !is_reserved(token.text) && !token.is("straight_join"),
            TokenKind::Name => true,
            _ => false,
        };
        if !is_name {
            return None;
        }
        self.at += 1;
        Some(token.text.to_owned())
    }

    /// A call with the window that it looks through, if it has one.
    pub(super) fn over(&mut self, call: Node) -> Option<Node> {
        if !self.take_word("over") {
            return Some(call);
        }
        if !self.take_mark('(') {
            return None;
        }
        let mut parts = vec![Part::Operand(OR, call), text(" over (")];
        if self.take_word("partition") {
            if !self.take_word("by") {
                return None;
            }
            parts.push(text("partition by "));
            parts.extend(self.expressions()?);
            if self.is_word("order") {
                parts.push(text(" "));
            }
        }
        if self.take_word("order") {
            if !self.take_word("by") {
                return None;
            }
            parts.push(text("order by "));
            parts.extend(self.expressions()?);
        }
        while let Some(token) = self.peek() {
            self.at += 1;
            if token.is_mark(')') {
                parts.push(text(")"));
                return Some(Node::Enclosed(parts));
            }
            if token.is_mark('(') {
                return None;
            }
            parts.push(text(format!(" {}", token.text.to_ascii_lowercase())));
        }
        None
    }
}

/// What GROUP BY and ORDER BY name by the names of the query, as MariaDB prints it: in full.
fn without_aliases(parts: Vec<Part>, aliases: &[(String, Node)]) -> Vec<Part> {
    let in_full = |part| match part {
        Part::Operand(least, Node::Atom(name)) => {
            let named = aliases.iter().find(|(alias, _)| *alias == name);
            Part::Operand(
                least,
                named.map_or(Node::Atom(name), |(_, node)| node.clone()),
            )
        }
        part => part,
    };
    parts.into_iter().map(in_full).collect()
}
