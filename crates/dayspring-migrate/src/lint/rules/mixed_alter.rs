//! MY015: a cheap change waits for a costly one.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY015",
    name: "mixed-alter",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "clauses of one ALTER TABLE run as the costliest of them",
    why: "One clause that has to be done in place makes the others so: a column that would be added instantly then rebuilds \
          the table. One clause that copies makes all copy.",
    safe_way: "write an ALTER TABLE for each algorithm, the instant ones first",
    example: Example {
        applied: "CREATE TABLE post (id BIGINT PRIMARY KEY, title VARCHAR(50));",
        bad: "ALTER TABLE post <|ADD COLUMN views BIGINT|>, ADD INDEX by_title (title), ALGORITHM=INPLACE, LOCK=NONE;",
        good: "ALTER TABLE post ADD COLUMN views BIGINT, ALGORITHM=INSTANT;\n\
               ALTER TABLE post ADD INDEX by_title (title), ALGORITHM=INPLACE, LOCK=NONE;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some(alter) = site.alter_of_large() else {
        return;
    };
    let class = |clause: &Clause| site.clause_effect(alter, clause).class;
    let classes = || alter.clauses.iter().map(class);
    let (Some(cheapest), Some(costliest)) = (classes().min(), classes().max()) else {
        return;
    };
    if cheapest == costliest || costliest == AlgorithmClass::Unknown {
        return;
    }
    let clause = alter
        .clauses
        .iter()
        .find(|clause| class(clause) == cheapest);
    let other = alter
        .clauses
        .iter()
        .find(|clause| class(clause) == costliest);
    if let (Some(clause), Some(other)) = (clause, other) {
        let words: Vec<&str> = site
            .text(other.span.clone())
            .split_whitespace()
            .take(2)
            .collect();
        let message = format!(
            "this would be {cheapest} by itself, and `{} ...` makes it {costliest}",
            words.join(" ")
        );
        found.push(Report::new(clause.span.clone(), message).note("classes from the manual"));
    }
}
