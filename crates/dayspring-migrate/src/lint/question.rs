//! What can be asked of a scratch server: how it would carry a change out.

use super::LintContext;
use super::algorithm::AlgorithmClass;
use super::reader::{AlterForm, Read, read, read_tokens};
use super::rule::algorithm_words;
use super::schema::Schema;
use crate::script::{ScriptId, Scripts};

/// A statement whose class a scratch server can say. The statements before it are run there first; then the variants are
/// tried in order, and the first that is accepted has the class. Its effect is then in place, so the statement itself is
/// not run again; where none is accepted, it is run as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The statement's script.
    pub script: ScriptId,
    /// Its number in its script.
    pub number: usize,
    /// The statement with each algorithm, the cheapest first.
    pub variants: Vec<Variant>,
}

/// A statement that names its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The algorithm.
    pub class: AlgorithmClass,
    /// Whether others can write to the table meanwhile.
    pub lets_write: bool,
    /// The statement.
    pub sql: String,
}

/// The questions about the statements that are about to run. What comes back belongs into [`LintContext::measured`].
/// Statements that name an algorithm themselves are not asked about, nor those about tables that the same statements
/// create.
#[must_use]
pub fn questions(scripts: &Scripts, context: &LintContext) -> Vec<Question> {
    let mut schema = Schema::default();
    let mut questions = Vec::new();
    for script in super::in_order(scripts, context) {
        for statement in &script.statements {
            let sql = script.text_of(statement);
            let read = read(&read_tokens(sql, statement.span.start));
            let number = statement.number;
            let is_pending = context.applied.is_pending(scripts, script.id, number);
            if let Read::Alter(alter) = &read
                && is_pending
                && schema.table(&alter.table).is_none_or(|table| !table.is_new)
                && alter.algorithm.is_none()
                && !alter.clauses.is_empty()
                && !sql.ends_with("*/")
            {
                questions.push(Question {
                    script: script.id,
                    number,
                    variants: variants(alter.form, sql),
                });
            }
            schema.apply(&read, is_pending);
        }
    }
    questions
}

fn variants(form: AlterForm, sql: &str) -> Vec<Variant> {
    [
        (
            AlgorithmClass::Instant,
            true,
            &["ALGORITHM=INSTANT"] as &[&str],
        ),
        (
            AlgorithmClass::Inplace,
            true,
            &["ALGORITHM=INPLACE", "LOCK=NONE"],
        ),
        (AlgorithmClass::Inplace, false, &["ALGORITHM=INPLACE"]),
        (AlgorithmClass::Copy, false, &["ALGORITHM=COPY"]),
    ]
    .into_iter()
    .map(|(class, lets_write, words)| Variant {
        class,
        lets_write,
        sql: format!("{sql}{}", algorithm_words(form, words)),
    })
    .collect()
}
