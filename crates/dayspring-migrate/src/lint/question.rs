//! What can be asked of a scratch server: how it would carry a change out.

use super::LintContext;
use super::algorithm::AlgorithmClass;
use super::reader::{AlterForm, Read, read, read_tokens};
use super::rule::algorithm_words;
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
    pub variants: Vec<(AlgorithmClass, String)>,
}

/// The questions about the statements that are about to run. What comes back belongs into [`LintContext::measured`].
/// Statements that name an algorithm themselves are not asked about.
#[must_use]
pub fn questions(scripts: &Scripts, context: &LintContext) -> Vec<Question> {
    let mut questions = Vec::new();
    for script in scripts.iter() {
        for statement in &script.statements {
            if !context
                .applied
                .is_pending(scripts, script.id, statement.number)
            {
                continue;
            }
            let sql = script.text_of(statement);
            let Read::Alter(alter) = read(&read_tokens(sql, 0)) else {
                continue;
            };
            if alter.algorithm.is_some() || alter.clauses.is_empty() || sql.ends_with("*/") {
                continue;
            }
            questions.push(Question {
                script: script.id,
                number: statement.number,
                variants: variants(alter.form, sql),
            });
        }
    }
    questions
}

fn variants(form: AlterForm, sql: &str) -> Vec<(AlgorithmClass, String)> {
    [
        (AlgorithmClass::Instant, &["ALGORITHM=INSTANT"] as &[&str]),
        (AlgorithmClass::Inplace, &["ALGORITHM=INPLACE", "LOCK=NONE"]),
        (AlgorithmClass::Copy, &["ALGORITHM=COPY"]),
    ]
    .into_iter()
    .map(|(class, words)| (class, format!("{sql}{}", algorithm_words(form, words))))
    .collect()
}
