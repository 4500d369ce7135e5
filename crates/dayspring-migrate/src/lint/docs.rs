//! The rules as documentation. `docs/lint/` holds what these functions return; a test compares them.

use super::example::{Project, context_of};
use super::render::render_without_help;
use super::rule::{Example, Rule, Servers};

/// Lines of an example's earlier scripts that are shown.
const APPLIED_LINES_MAX: usize = 6;

/// `docs/lint/README.md`: all rules in a table.
#[must_use]
pub fn render_table(rules: &[&Rule]) -> String {
    let mut text = String::from(TABLE_HEAD);
    for rule in rules {
        text.push_str(&format!(
            "| {} | [`{}`](rules.md#{}) | {} | {} |\n",
            rule.code,
            rule.name,
            rule.name,
            rule.severity.name(),
            rule.title
        ));
    }
    text
}

const TABLE_HEAD: &str = "\
# Lint

<!-- Made from the rules; DAYSPRING_UPDATE_DOCS=1 cargo test -p dayspring-migrate documentation makes it anew. -->

`dayspring migrate lint` replays all scripts into a model of the schema and looks at the statements that are about to run:
those that the journal does not have, or the newest script where no journal is at hand. A table that those statements create
is empty, so most rules have nothing to say about it. The rules about time are also silent about tables that are known to
have less than 16 MiB.

What is meant so is allowed for one statement by a comment on a line above it, by the rule's name or code, with a reason:

```sql
-- dayspring: allow drop-table nobody reads it since v12
DROP TABLE draft;
```

`-- dayspring: allow-file RULE REASON`, on a line between statements, holds for its whole script, and for a project
`dayspring.toml` says what it makes of a rule:

```toml
[lint]
allow = ['no-algorithm']   # says nothing
warn = ['drop-column']     # a warning, and the exit code stays 0
deny = ['unbounded-rows']  # an error
```

Several rules are parted by commas. A reason that is missing, a rule that there is not and a comment that silences nothing are
findings too.

How MySQL carries a change out (INSTANT, INPLACE or COPY) is taken from its manual, or from a server that was asked; the
finding says which. Where the manual is silent it is what MySQL 9.7.4 did when some 250 clauses were tried there. The rules from MY101 to MY199 are about what MariaDB accepts and MySQL does not; they are silent where the
scripts are for MariaDB.

| code | rule | severity | what it finds |
| --- | --- | --- | --- |
";

/// `docs/lint/rules.md`: every rule with its reason, its way out and its examples.
#[must_use]
pub fn render_rules(rules: &[&Rule]) -> String {
    let mut text = String::from(
        "# The rules\n\n<!-- Made from the rules; see README.md. -->\n\nEach example is a test: the first gives the finding, \
         the second gives none.\nIt is a script `v2.sql`, unless lines `-- file: NAME` say otherwise.\n",
    );
    for rule in rules {
        text.push('\n');
        text.push_str(&render_rule(rule));
    }
    text
}

/// One rule, as in `docs/lint/rules.md`; what `lint --explain RULE` prints.
#[must_use]
pub fn render_rule(rule: &Rule) -> String {
    let Example { applied, bad, good } = rule.example;
    let only = match rule.servers {
        Servers::All => "",
        Servers::MySql => ", MySQL and Aurora only",
    };
    let mut text = format!(
        "## {}\n\n{}, {}{only}: {}.\n\n{}\n\nInstead: {}.\n",
        rule.name,
        rule.code,
        rule.severity.name(),
        rule.title,
        rule.why,
        rule.safe_way
    );
    if applied != "SELECT 1;" {
        text.push_str(&format!(
            "\nAfter:\n\n```sql\n{}\n```\n",
            shortened(applied)
        ));
    }
    text.push_str(&format!(
        "\nThis is found:\n\n```sql\n{}\n```\n{}\nThis is not:\n\n```sql\n{}\n```\n",
        bad.replace("<|", "").replace("|>", "").trim_end(),
        found_in(rule, bad),
        good.trim_end()
    ));
    text
}

fn found_in(rule: &Rule, bad: &str) -> String {
    let project = Project::new(rule.example.applied, bad);
    let findings = project.lint(&context_of(rule)).unwrap_or_default();
    let shown: Vec<String> = findings
        .iter()
        .filter(|finding| Some(&finding.span) == project.marked.as_ref())
        .map(render_without_help)
        .collect();
    format!("\n```text\n{}\n```\n", shown.join("\n"))
}

fn shortened(applied: &str) -> String {
    let lines: Vec<&str> = applied.lines().collect();
    if lines.len() <= APPLIED_LINES_MAX {
        return applied.to_owned();
    }
    let shown = &lines[..APPLIED_LINES_MAX];
    format!("{}\n-- and so on, {} lines", shown.join("\n"), lines.len())
}
