//! What a deployment shows while it is under way: a line for each step that is done, and on a terminal a last line that says
//! what is being waited for.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::deploy::{Event, Step};
use crate::render;
use crate::ui::Ui;

/// The steps of a deployment or of a deletion.
#[derive(Debug)]
pub(crate) struct Progress {
    ui: Ui,
    begun: Instant,
    changes: Option<usize>,
    done: usize,
    /// Resources that are under way, by logical id, with the moment when that was seen.
    running: BTreeMap<String, Instant>,
    /// Where the migrator is.
    migration: Option<String>,
}

/// How many names the last line has.
const NAMES_MAX: usize = 3;

impl Progress {
    pub(crate) fn new(ui: Ui) -> Self {
        Self {
            ui,
            begun: Instant::now(),
            changes: None,
            done: 0,
            running: BTreeMap::new(),
            migration: None,
        }
    }

    pub(crate) fn show(&mut self, event: &Event) {
        self.ui.clear_line();
        match event {
            Event::UnderWay { status } => self.ui.status(
                "Following",
                &format!("what is under way there already ({status})"),
            ),
            Event::UnderWayFailed { reason } => self.ui.note(&format!("that failed: {reason}")),
            Event::Uploading { name, bytes } => self.ui.status(
                "Uploading",
                &format!("{name} ({})", render::bytes(*bytes)),
            ),
            Event::RemovingRemains => self
                .ui
                .status("Removing", "what is left of a creation that failed"),
            Event::ChangeSet { creates, changes } => self.begin(*creates, *changes),
            Event::Resource(step) => self.step(step),
            Event::Migrator(line) => {
                if let Some(line) = render::log_line("migrator", line) {
                    self.ui.detail(&line);
                    self.migration = Some(line);
                }
            }
            Event::MigratorBroken => self.ui.warning(
                "the migrator does not start, and CloudFormation waits up to an hour for its answer: \
                 `aws cloudformation cancel-update-stack` ends an update, `delete-stack` a creation",
            ),
            Event::Waiting => {}
        }
        let line = self.line();
        self.ui.last_line(&line);
    }

    /// Removes the last line.
    pub(crate) fn end(self) {
        self.ui.clear_line();
    }

    fn begin(&mut self, creates: bool, changes: usize) {
        self.changes = Some(changes);
        self.done = 0;
        let what = if creates {
            "a new stack"
        } else {
            "a change set"
        };
        let changes = render::count(changes, "change");
        self.ui.status("Executing", &format!("{what}: {changes}"));
    }

    fn step(&mut self, step: &Step) {
        if step.is_stack() {
            if step.status.ends_with("ROLLBACK_IN_PROGRESS") {
                self.ui
                    .status("RollingBack", "to what was there before, because of that");
                self.changes = None;
            }
            return;
        }
        if step.status.ends_with("_IN_PROGRESS") {
            let now = Instant::now();
            self.running.entry(step.logical_id.clone()).or_insert(now);
            return;
        }
        let took = self.running.remove(&step.logical_id);
        if step.is_migration() {
            self.migration = None;
        }
        let is_done = step.status.ends_with("_COMPLETE");
        if !is_done && !step.failed() {
            return;
        }
        self.done += 1;
        let mut line = format!(
            "{} {} ({})",
            step.status, step.logical_id, step.resource_type
        );
        if let Some(took) = took.map(|since| since.elapsed()).filter(is_long) {
            line.push_str(&format!(" in {}", render::duration(took)));
        }
        if step.failed() {
            // A migration's report is the last that is said, whole.
            if !step.is_migration()
                && let Some(first) = step
                    .reason
                    .as_deref()
                    .and_then(|reason| reason.lines().next())
            {
                line.push_str(&format!(": {first}"));
            }
            self.ui.alarm(&line);
        } else {
            self.ui.detail(&line);
        }
    }

    fn line(&self) -> String {
        let mut oldest: Vec<(&String, &Instant)> = self.running.iter().collect();
        oldest.sort_by_key(|(_, since)| **since);
        let mut names: Vec<&str> = oldest.iter().map(|(name, _)| name.as_str()).collect();
        let more = names.len().saturating_sub(NAMES_MAX);
        names.truncate(NAMES_MAX);
        let mut line = render::duration(self.begun.elapsed());
        if let Some(changes) = self.changes {
            line.push_str(&format!(", {} of {changes}", self.done.min(changes)));
        }
        if !names.is_empty() {
            line.push_str(&format!(": {}", names.join(", ")));
        }
        if more > 0 {
            line.push_str(&format!(" and {more} more"));
        }
        if let Some(migration) = &self.migration {
            line.push_str(&format!(", {migration}"));
        }
        line
    }
}

/// Worth to be said.
fn is_long(took: &std::time::Duration) -> bool {
    took.as_secs() >= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, status: &str) -> Event {
        Event::Resource(Step {
            logical_id: id.to_owned(),
            resource_type: "T".to_owned(),
            status: status.to_owned(),
            reason: None,
            at_ms: 0,
        })
    }

    #[test]
    fn the_last_line_says_what_is_waited_for() {
        let mut progress = Progress::new(Ui::new());
        let begun = progress.begun;
        progress.show(&Event::ChangeSet {
            creates: true,
            changes: 3,
        });
        for id in ["A", "B", "C", "D"] {
            progress.show(&step(id, "CREATE_IN_PROGRESS"));
        }
        progress.show(&step("A", "CREATE_COMPLETE"));
        assert!(progress.begun == begun);
        let line = progress.line();
        let (_, after_time) = line.split_once(", ").unwrap();
        assert_eq!(after_time, "1 of 3: B, C, D");
    }
}
