//! All tests in one run, closed by one line that counts them.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::install::Judges;
use crate::{cargo, say};

pub(crate) fn run(root: &Path, judges: &Judges, arguments: &[String]) -> Result<()> {
    let mut command = cargo();
    command
        .current_dir(root)
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .args(arguments)
        .env("DAYSPRING_CFN_LINT", &judges.cfn_lint)
        .env("DAYSPRING_PYTHON", &judges.python)
        .env("DAYSPRING_NODE_MODULES", &judges.node_modules)
        .env("DAYSPRING_COMMANDS", &judges.commands)
        .env("DAYSPRING_CDK", &judges.cdk)
        .env("DAYSPRING_SECURITY_PYTHON", &judges.security_python)
        .env("DAYSPRING_CFN_GUARD", &judges.guard)
        .env("DAYSPRING_CFN_GUARD_RULES", &judges.guard_rules)
        .stdout(Stdio::piped());
    if let Some(modules) = &judges.node_client {
        command.env("DAYSPRING_NODE_RIC", modules);
    }
    let mut child = command.spawn().context("cannot start cargo")?;
    let output = child
        .stdout
        .take()
        .expect("standard output was asked for as a pipe");
    let mut total = Count::default();
    let mut terminal = std::io::stdout().lock();
    for line in BufReader::new(output).split(b'\n') {
        // A test that fails may show bytes that are no text.
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(terminal, "{line}")?;
        if let Some(count) = Count::parse(&line) {
            total.add(&count);
        }
    }
    let status = child.wait()?;
    writeln!(
        terminal,
        "\n{} passed, {} failed, {} skipped",
        total.passed, total.failed, total.ignored
    )?;
    if !status.success() {
        say("the tests failed");
        bail!("cargo test: {status}");
    }
    Ok(())
}

#[derive(Default, Debug, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Count {
    /// `test result: ok. 3 passed; 0 failed; 0 ignored; ...`
    fn parse(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let number = |word: &str| {
            let count = counts.split("; ").find(|part| part.ends_with(word))?;
            count.split(' ').next()?.parse().ok()
        };
        Some(Self {
            passed: number(" passed")?,
            failed: number(" failed")?,
            ignored: number(" ignored")?,
        })
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_line_is_counted() {
        let line = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(
            Count::parse(line),
            Some(Count {
                passed: 3,
                failed: 1,
                ignored: 2
            })
        );
        assert_eq!(Count::parse("test one ... ok"), None);
    }
}
