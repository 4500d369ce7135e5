//! How many megabytes a second does the splitter cut, and how does that compare with what others do with the same text?
//! `cargo run --release -- [MEGABYTES]`; ../README.md has the last figures.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod dump;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use dayspring_migrate::{Digest, StatementSpan, analyse, split};
use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::Tokenizer;

const RUNS: usize = 7;

fn main() {
    let megabytes: usize = std::env::args().nth(1).map_or(100, |argument| {
        argument
            .parse()
            .expect("the argument is a number of megabytes")
    });
    let dump = dump::make(megabytes << 20);
    let text = dump.text.as_str();
    let before = memory_peak_kb();
    let statements = split(text).expect("the dump is sound");
    let after = memory_peak_kb();
    assert_eq!(statements.len(), dump.statements, "each statement is found");
    println!(
        "{} MB, {} statements; the first split adds {} kB to the process's peak",
        text.len() >> 20,
        statements.len(),
        after.saturating_sub(before)
    );

    let split_rate = measure("dayspring split", text.len(), || {
        split(text).map_or(0, |found| found.len())
    });
    let show = |rate: f64| format!("(split is {:.2} times as fast)", split_rate / rate);
    let scan = measure("a loop over each byte: count `;`", text.len(), || {
        text.bytes()
            .map(std::hint::black_box)
            .filter(|&byte| byte == b';')
            .count()
    });
    println!("  {}", show(scan));
    let part = first(text, &statements, 20 << 20);
    measure("dayspring Digest::of_bytes (SHA-256)", text.len(), || {
        usize::from(Digest::of_bytes(text.as_bytes()).to_string().len() == 64)
    });
    measure("dayspring Digest::of_tokens", bytes(part), || {
        part.iter()
            .filter(|s| {
                Digest::of_tokens(&text[s.start..s.end])
                    .to_string()
                    .is_empty()
            })
            .count()
    });
    measure("dayspring split, digest and analyse", bytes(part), || {
        let end = part.last().map_or(0, |s| s.end);
        split(&text[..end]).map_or(0, |statements| {
            let digested = statements
                .iter()
                .map(|s| Digest::of_tokens(&text[s.start..s.end]));
            let analysed = statements
                .iter()
                .map(|s| analyse(&text[s.start..s.end], None));
            digested
                .zip(analysed)
                .map(|(_, analysis)| analysis.touched.len())
                .sum()
        })
    });
    let small = first(text, &statements, 5 << 20);
    let rate = measure(
        "sqlparser Tokenizer, statement by statement",
        bytes(small),
        || {
            small
                .iter()
                .map(|s| {
                    Tokenizer::new(&MySqlDialect {}, &text[s.start..s.end])
                        .tokenize()
                        .map_or(0, |tokens| tokens.len())
                })
                .sum()
        },
    );
    println!("  {}", show(rate));
    let end = first(text, &statements, 200 << 10)
        .last()
        .map_or(0, |s| s.end);
    match python(&text[..end.min(300 << 10)]) {
        Some(rate) => println!(
            "{:46}{rate:9.2} MB/s  {}",
            "Python sqlparse.split",
            show(rate)
        ),
        None => println!(
            "Python sqlparse.split: not here (pip install sqlparse; PYTHON names another python3)"
        ),
    }
}

/// The median rate of several runs in megabytes (2^20 bytes) a second, printed with its spread.
fn measure(name: &str, bytes: usize, run: impl Fn() -> usize) -> f64 {
    let mut rates: Vec<f64> = (0..RUNS)
        .map(|_| {
            let (cpu, start) = (cpu_seconds(), Instant::now());
            std::hint::black_box(run());
            let wall = start.elapsed().as_secs_f64();
            let seconds = cpu_seconds()
                .zip(cpu)
                .map_or(wall, |(end, start)| end - start);
            bytes as f64 / (1 << 20) as f64 / seconds
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let median = rates[RUNS / 2];
    println!(
        "{name:46}{median:9.1} MB/s  ({:.1} to {:.1})",
        rates[0],
        rates[RUNS - 1]
    );
    median
}

/// This thread's time on a core, where the system tells it, so that a busy machine changes the figures little.
fn cpu_seconds() -> Option<f64> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = times.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

fn first<'a>(text: &str, statements: &'a [StatementSpan], bytes: usize) -> &'a [StatementSpan] {
    let limit = bytes.min(text.len());
    let count = statements.partition_point(|statement| statement.end <= limit);
    &statements[..count.max(1)]
}

fn bytes(statements: &[StatementSpan]) -> usize {
    statements
        .iter()
        .map(|statement| statement.end - statement.start)
        .sum()
}

fn memory_peak_kb() -> usize {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}

/// The rate of one run, timed inside Python without its start.
fn python(text: &str) -> Option<f64> {
    const SCRIPT: &str = "import sys, time, sqlparse\n\
        try:\n    from sqlparse.engine import grouping\n    grouping.MAX_GROUPING_TOKENS = None\nexcept Exception:\n    pass\n\
        text = sys.stdin.buffer.read().decode()\nstart = time.process_time()\nsqlparse.split(text)\n\
        print(time.process_time() - start)\n";
    let program = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut child = Command::new(program)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let seconds: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(text.len() as f64 / (1 << 20) as f64 / seconds)
}
