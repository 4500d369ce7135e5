//! What a rule is, and what it sees of a statement.

use std::ops::Range;

use super::algorithm::{self, AlgorithmClass, Effect};
use super::context::{LintContext, Measured, TableSize};
use super::finding::Fix;
use super::reader::{Alter, AlterForm, Clause, Read, TableName, Token};
use super::schema::{Schema, Table};
use crate::script::{Phase, Script, Statement};

/// Below this a table is rewritten within a second or so, and the rules about waiting are silent.
pub(super) const SMALL_TABLE_BYTES: u64 = 16 * 1024 * 1024;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It loses data, fails, or stops the application.
    Error,
    /// It may be meant so.
    Warning,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// The servers that a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Servers {
    /// All.
    All,
    /// MySQL and Aurora MySQL: what MariaDB takes and they do not.
    MySql,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// A number for it that never changes: `MY002`.
    pub code: &'static str,
    /// Its name, as in `-- dayspring: allow drop-column REASON`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The servers that it is about.
    pub servers: Servers,
    /// What it forbids, in one line.
    pub title: &'static str,
    /// Why.
    pub why: &'static str,
    /// What to do instead.
    pub safe_way: &'static str,
    /// What it says and what it does not.
    pub example: Example,
    /// Looks at one statement; nothing for the rules about the comments that silence others.
    pub(super) check: Option<fn(&Site<'_>, &mut Vec<Report>)>,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Rule {}

/// Scripts that show a rule. Each is the newest script (`v2.sql`) of a project, or several after lines
/// `-- file: NAME`; `<|` and `|>` stand around the place of the finding.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// What ran before, as `v1.sql`.
    pub applied: &'static str,
    /// What the rule finds.
    pub bad: &'static str,
    /// What it has nothing against.
    pub good: &'static str,
}

/// What a rule found.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) notes: Vec<String>,
    pub(super) help: Option<String>,
    pub(super) fix: Option<Fix>,
}

impl Report {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}

/// A statement that is about to run, and what is known around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) context: &'a LintContext,
    pub(super) script: &'a Script,
    pub(super) statement: &'a Statement,
    pub(super) tokens: &'a [Token<'a>],
    pub(super) read: &'a Read,
    /// The tables before it.
    pub(super) schema: &'a Schema,
    /// Whether every statement is about to run: the database is an empty one, unless it is asked.
    pub(super) is_first_run: bool,
}

impl<'a> Site<'a> {
    pub(super) fn table(&self, name: &TableName) -> Option<&'a Table> {
        self.schema.table(name)
    }

    /// Whether rows of the table may be in use: it was not made by the statements that are about to run.
    pub(super) fn is_in_use(&self, name: &TableName) -> bool {
        self.table(name).is_none_or(|table| !table.is_new)
    }

    /// Whether the table is not there, as far as can be known: no script creates it before, and the database that was
    /// asked has none, or is new.
    pub(super) fn is_absent(&self, name: &TableName) -> bool {
        let sizes = &self.context.table_sizes;
        let has_none = if sizes.is_empty() {
            self.is_first_run
        } else {
            self.size_of(name).is_none()
        };
        self.table(name).is_none() && has_none
    }

    /// Whether the statement has IF EXISTS.
    pub(super) fn says_if_exists(&self) -> bool {
        self.tokens
            .windows(2)
            .any(|pair| pair[0].is("IF") && pair[1].is("EXISTS"))
    }

    /// Whether the table is known to be so small that its rows are rewritten at once.
    pub(super) fn is_small(&self, name: &TableName) -> bool {
        self.size_of(name)
            .is_some_and(|size| size.bytes <= SMALL_TABLE_BYTES)
    }

    pub(super) fn size_of(&self, name: &TableName) -> Option<TableSize> {
        self.context.table_sizes.get(&name.name.key()).copied()
    }

    /// The change of a table whose rows may be in use.
    pub(super) fn alter_in_use(&self) -> Option<&'a Alter> {
        match self.read {
            Read::Alter(alter) if self.is_in_use(&alter.table) => Some(alter),
            _ => None,
        }
    }

    /// The change of a table that is in use and may be large.
    pub(super) fn alter_of_large(&self) -> Option<&'a Alter> {
        self.alter_in_use()
            .filter(|alter| !self.is_small(&alter.table))
    }

    /// The clauses of the change of a table that is in use, whatever its size.
    pub(super) fn clauses_in_use(&self) -> impl Iterator<Item = &'a Clause> {
        self.alter_in_use()
            .into_iter()
            .flat_map(|alter| &alter.clauses)
    }

    pub(super) fn is_contract(&self) -> bool {
        self.script.id.phase == Phase::Contract
    }

    pub(super) fn text(&self, span: Range<usize>) -> &'a str {
        self.script.text.get(span).unwrap_or_default()
    }

    /// From the first word of the statement to its n-th.
    pub(super) fn first_words(&self, count: usize) -> Range<usize> {
        let last = self.tokens.iter().take(count).next_back();
        self.statement.span.start..last.map_or(self.statement.span.end, Token::end)
    }

    /// What a server said about this statement when it was asked.
    pub(super) fn measured(&self) -> Option<&'a Measured> {
        self.context
            .measured
            .get(&(self.script.id, self.statement.number))
    }

    /// How the whole change runs: as the server said, else as the manual does.
    pub(super) fn effect(&self, alter: &Alter) -> Effect {
        let table = self.table(&alter.table);
        algorithm::effect_of(alter, table, self.context.target, self.measured())
    }

    /// How one clause runs. A statement of one clause runs as the server said.
    pub(super) fn clause_effect(&self, alter: &Alter, clause: &Clause) -> Effect {
        if alter.clauses.len() == 1 {
            return self.effect(alter);
        }
        algorithm::effect_in(alter, clause, self.table(&alter.table), self.context.target)
    }

    /// The class of a change and where it is known from, and how large the table is, where that is known.
    pub(super) fn class_note(&self, class: AlgorithmClass) -> String {
        let class = self.class_and_source(class);
        match self.read {
            Read::Alter(alter) => match self.size_of(&alter.table) {
                Some(size) => format!("{class}; `{}` has {size}", alter.table.text()),
                None => class,
            },
            _ => class,
        }
    }

    fn class_and_source(&self, class: AlgorithmClass) -> String {
        match self.measured() {
            Some(measured) if measured.decides => {
                format!("it runs with ALGORITHM={class}, {} says", measured.server)
            }
            Some(measured) => format!(
                "it runs with ALGORITHM={class}, from the manual; {} takes {}",
                measured.server, measured.class
            ),
            None => format!("it runs with ALGORITHM={class}, from the manual"),
        }
    }
}

/// The words that ask for an algorithm, as the statement's form wants them.
pub(super) fn algorithm_words(form: AlterForm, words: &[&str]) -> String {
    match form {
        AlterForm::AlterTable => words.iter().map(|word| format!(", {word}")).collect(),
        AlterForm::CreateIndex | AlterForm::DropIndex => {
            words.iter().map(|word| format!(" {word}")).collect()
        }
    }
}
