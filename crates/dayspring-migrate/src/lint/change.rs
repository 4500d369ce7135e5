//! What a plan can say about a change of a table: how it runs, and who waits for it.

use std::fmt;

use super::algorithm::{AlgorithmClass, effect_of};
use super::context::{LintContext, TableSize};
use super::reader::{Read, read, read_tokens};
use super::schema::Schema;
use crate::script::{ScriptId, Scripts};

/// How a server carries out a statement that changes a table which is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The statement's script.
    pub script: ScriptId,
    /// Its number in its script.
    pub number: usize,
    /// The table.
    pub table: String,
    /// The algorithm.
    pub class: AlgorithmClass,
    /// Whether every row is written anew.
    pub rebuilds: bool,
    /// Whether others can write to the table meanwhile.
    pub lets_write: bool,
    /// How large the table is, where that is known.
    pub size: Option<TableSize>,
    /// The server that said so, with its version; none where it is from the manual.
    pub server: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.class == AlgorithmClass::Unknown {
            return write!(f, "changes `{}` in a way that is not known", self.table);
        }
        f.write_str(self.class.name())?;
        if self.rebuilds {
            write!(f, ", rewrites `{}`", self.table)?;
            if let Some(size) = self.size {
                write!(f, " of {size}")?;
            }
        }
        if !self.lets_write {
            f.write_str(", writers wait")?;
        }
        match &self.server {
            Some(server) => write!(f, " ({server})"),
            None => f.write_str(" (from the manual)"),
        }
    }
}

/// The changes among the statements that are about to run, in the order of the scripts. Those of tables that the same
/// statements create are left out: nobody waits for them.
#[must_use]
pub fn changes(scripts: &Scripts, context: &LintContext) -> Vec<Change> {
    let mut schema = Schema::default();
    let mut changes = Vec::new();
    for script in super::in_order(scripts, context) {
        for statement in &script.statements {
            let read = read(&read_tokens(
                script.text_of(statement),
                statement.span.start,
            ));
            let number = statement.number;
            let is_pending = context.applied.is_pending(scripts, script.id, number);
            if let Read::Alter(alter) = &read
                && is_pending
            {
                let table = schema.table(&alter.table);
                let measured = context.measured.get(&(script.id, number));
                let effect = effect_of(alter, table, context.target, measured);
                if table.is_none_or(|table| !table.is_new) {
                    changes.push(Change {
                        script: script.id,
                        number,
                        table: alter.table.text().to_owned(),
                        class: effect.class,
                        rebuilds: effect.rebuilds,
                        lets_write: effect.lets_write,
                        size: context.table_sizes.get(&alter.table.name.key()).copied(),
                        server: measured
                            .filter(|measured| measured.decides)
                            .map(|measured| measured.server.clone()),
                    });
                }
            }
            schema.apply(&read, is_pending);
        }
    }
    changes
}
