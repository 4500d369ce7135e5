//! A server as a process with all that it starts: CPU, memory, the end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::load::Http;

/// A running server. Dropped, it and its children are gone.
#[derive(Debug)]
pub struct Server {
    child: Child,
    started: Instant,
}

/// What a process or a tree of them used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    pub cpu: Duration,
    pub resident_mib: f64,
}

impl Server {
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let log = std::fs::File::create(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        Ok(Self {
            child,
            started: Instant::now(),
        })
    }

    /// Asks until a request is answered with 200. Gives the time since the start.
    pub fn first_answer(&mut self, to: SocketAddr, path: &str) -> Result<Duration> {
        loop {
            let answered = Http::get(to, path).and_then(|mut http| http.exchange());
            if matches!(answered, Ok((200, _))) {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended: {status}");
            }
            if self.started.elapsed() > Duration::from_secs(120) {
                bail!("no answer in two minutes: {answered:?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The process itself, and all that descend from it.
    pub fn used(&self) -> Result<(Used, Used)> {
        let table = processes()?;
        let own = table.get(&self.child.id()).context("the server is gone")?.1;
        let mut tree = Used::default();
        for (id, (_, used)) in &table {
            if descends(&table, *id, self.child.id()) {
                tree.cpu += used.cpu;
                tree.resident_mib += used.resident_mib;
            }
        }
        Ok((own, tree))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Ok(table) = processes() else { return };
        let root = self.child.id();
        let tree: Vec<u32> = table
            .keys()
            .copied()
            .filter(|id| descends(&table, *id, root))
            .collect();
        // Each by its own number: the root first, so that it starts nothing anew.
        for id in std::iter::once(root).chain(tree) {
            drop(
                Command::new("kill")
                    .args(["-KILL", &id.to_string()])
                    .stderr(Stdio::null())
                    .status(),
            );
        }
        drop(self.child.wait());
    }
}

fn descends(table: &BTreeMap<u32, (u32, Used)>, mut id: u32, root: u32) -> bool {
    while id != root {
        match table.get(&id) {
            Some((parent, _)) if *parent != id => id = *parent,
            _ => return false,
        }
    }
    true
}

/// Every process: its parent and what it used.
fn processes() -> Result<BTreeMap<u32, (u32, Used)>> {
    let mut table = BTreeMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may end while it is looked at.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else {
            continue;
        };
        let Some((_, fields)) = stat.rsplit_once(") ") else {
            continue;
        };
        let fields: Vec<u64> = fields
            .split(' ')
            .map(|field| field.parse().unwrap_or(0))
            .collect();
        let (Some(parent), Some(ticks), Some(pages)) = (
            fields.get(1),
            fields
                .get(11)
                .zip(fields.get(12))
                .map(|(user, system)| user + system),
            fields.get(21),
        ) else {
            continue;
        };
        let used = Used {
            // A tick is a hundredth of a second on every Linux that runs Lambda's binaries.
            cpu: Duration::from_millis(ticks * 10),
            resident_mib: *pages as f64 * 4096.0 / 1024.0 / 1024.0,
        };
        table.insert(id, (u32::try_from(*parent)?, used));
    }
    Ok(table)
}
