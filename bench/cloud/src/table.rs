//! A line of the table for each server, and what the lines say of each other.

use std::time::Duration;

use anyhow::Result;

use crate::Options;
use crate::load::{self, Caller, Measured, Until};
use crate::process::Server;

/// What was measured of a server.
#[derive(Debug, Clone)]
pub struct Row {
    one: Measured,
    sixteen: Measured,
    /// Milliseconds a request: of the server's process, and of all that it started.
    cpu: (f64, f64),
}

pub fn head() {
    println!(
        "{:<40} {:>8} | {:>8} {:>7} {:>7} | {:>8} {:>7} {:>8} | {:>6} {:>6} | {:>6} {:>6}",
        "",
        "first",
        "1: req/s",
        "p50",
        "p99",
        "16: rq/s",
        "p50",
        "p99",
        "CPU ms",
        "tree",
        "MiB",
        "after"
    );
}

/// How long a server is asked before anything is counted, so that its processes and connections are there.
pub const WARM: Until = Until::Elapsed(Duration::from_secs(1));

/// Measures at one connection and at sixteen, and prints a line.
pub fn row<C: Caller + 'static>(
    options: &Options,
    name: &str,
    server: &Server,
    first: Duration,
    connect: &dyn Fn() -> Result<C>,
) -> Result<Row> {
    let duration = Until::Elapsed(Duration::from_secs(options.seconds));
    load::run(callers(16, connect)?, WARM)?;
    let idle = server.used()?;
    let one = load::run(callers(1, connect)?, duration)?;
    let sixteen = load::run(callers(16, connect)?, duration)?;
    let after = server.used()?;
    let requests = (one.requests + sixteen.requests) as f64;
    let cpu = |before: Duration, after: Duration| millis(after.saturating_sub(before)) / requests;
    let speed =
        |measured: &Measured| format!("{:>8.0} {:>7.2}", measured.per_second, millis(measured.p50));
    let cpu = (cpu(idle.0.cpu, after.0.cpu), cpu(idle.1.cpu, after.1.cpu));
    println!(
        "{name:<40} {:>8} | {} {:>7.2} | {} {:>8.2} | {:>6.3} {:>6.3} | {:>6.1} {:>6.1}",
        if first.is_zero() {
            String::new()
        } else {
            format!("{:.0} ms", millis(first))
        },
        speed(&one),
        millis(one.p99),
        speed(&sixteen),
        millis(sixteen.p99),
        cpu.0,
        cpu.1,
        idle.0.resident_mib,
        after.0.resident_mib,
    );
    Ok(Row { one, sixteen, cpu })
}

pub fn callers<C: Caller + 'static>(
    count: usize,
    connect: &dyn Fn() -> Result<C>,
) -> Result<Vec<Box<dyn Caller>>> {
    (0..count)
        .map(|_| connect().map(|caller| Box::new(caller) as Box<dyn Caller>))
        .collect()
}

type Figure = fn(&Row) -> f64;

/// What our rows are beside theirs of the same round.
pub fn ratios(pairs: &[(Row, Row)]) {
    let figures: [(&str, Figure); 4] = [
        ("requests, one connection", |row| row.one.per_second),
        ("requests, sixteen", |row| row.sixteen.per_second),
        ("CPU", |row| row.cpu.0),
        ("CPU with the function's", |row| row.cpu.1),
    ];
    for (name, figure) in figures {
        let mut found: Vec<f64> = pairs
            .iter()
            .map(|(ours, theirs)| figure(ours) / figure(theirs))
            .collect();
        found.sort_by(f64::total_cmp);
        if let (Some(least), Some(most)) = (found.first(), found.last()) {
            let median = (found[(found.len() - 1) / 2] + found[found.len() / 2]) / 2.0;
            println!("  {name:<24} {median:.2} ({least:.2} to {most:.2})");
        }
    }
}

pub fn machine() -> Result<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |name| name.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "{model}, {cores} cores, load average {load} before the first measurement"
    ))
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
