//! Log groups on disk: an index of groups and streams, and a file of events per group, one JSON object a line.
//!
//! In memory a group holds its newest events, within [`EVENTS_MAX`] and [`BYTES_MAX`]. Its file is appended to, and
//! rewritten with what is in memory once it is as much larger again, so that a function that prints without end fills
//! neither the memory nor the disk.
//!
//! Readers are answered from memory, so that the file may be behind it: [`Store::write_behind`].

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::error::AwsError;
use crate::http::encode_percent;
use crate::state::{StateError, StateFile};
use crate::world::World;

/// How many events a group keeps.
pub(super) const EVENTS_MAX: usize = 10_000;

/// How many bytes of messages a group keeps. A message has at most 256 KiB.
pub(super) const BYTES_MAX: usize = 4 * 1024 * 1024;

/// How large a group's file grows before it is written anew. JSON may take six bytes for one, so that what is in memory
/// can be longer than [`BYTES_MAX`] there.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// How many streams a group keeps. Each process of a function has one.
const STREAMS_MAX: usize = 1000;

/// How far a file may be behind: what a cloud that is killed may lose of its logs.
const BEHIND_MAX: Duration = Duration::from_millis(50);

/// And in bytes.
const BEHIND_BYTES_MAX: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    file: StateFile,
    world: World,
    groups: Mutex<BTreeMap<String, Group>>,
    /// Told when there is something to write, once somebody writes behind.
    behind: OnceLock<Arc<Notify>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Group {
    /// Milliseconds since 1970, as every time here.
    pub(super) created: u64,
    pub(super) retention_days: Option<u64>,
    pub(super) streams: BTreeMap<String, Stream>,
    #[serde(skip)]
    pub(super) events: VecDeque<Event>,
    #[serde(skip)]
    next_id: u64,
    /// Of all messages in `events`.
    #[serde(skip)]
    bytes: usize,
    #[serde(skip)]
    bytes_in_file: u64,
    /// What the file does not have yet.
    #[serde(skip)]
    unwritten: Vec<u8>,
    #[serde(skip)]
    file: Option<File>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Stream {
    pub(super) created: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    /// Grows with every event of the group.
    pub(super) id: u64,
    pub(super) stream: String,
    pub(super) at: u64,
    pub(super) ingested: u64,
    pub(super) message: String,
}

impl Store {
    pub(super) fn open(folder: PathBuf, world: World) -> Result<Self, StateError> {
        let file = StateFile::new(folder.join("index.json"));
        let mut groups: BTreeMap<String, Group> = file.load()?;
        for (name, group) in &mut groups {
            // A last line that was cut when the process died is not an event.
            let text = std::fs::read_to_string(events_path(&folder, name)).unwrap_or_default();
            group.bytes_in_file = u64::try_from(text.len()).unwrap_or(u64::MAX);
            for line in text.lines() {
                if let Ok(event) = serde_json::from_str::<Event>(line) {
                    group.next_id = event.id + 1;
                    group.push(event);
                }
            }
            if !text.is_empty() && !text.ends_with('\n') {
                rewrite(&folder, name, group);
            }
        }
        Ok(Self {
            folder,
            file,
            world,
            groups: Mutex::new(groups),
            behind: OnceLock::new(),
        })
    }

    /// Takes the files off the way of whoever logs: from now on they are written within [`BEHIND_MAX`], and when the
    /// store goes.
    pub(super) fn write_behind(self: &Arc<Self>) {
        let behind = Arc::new(Notify::new());
        if self.behind.set(Arc::clone(&behind)).is_err() {
            return;
        }
        let store = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                behind.notified().await;
                tokio::time::sleep(BEHIND_MAX).await;
                match store.upgrade() {
                    Some(store) => store.write_all(),
                    None => return,
                }
            }
        });
    }

    /// Writes what the files do not have yet.
    pub(super) fn write_all(&self) {
        for (name, group) in &mut *self.lock() {
            group.write(&self.folder, name);
        }
    }

    /// Looks at all groups.
    pub(super) fn read<T>(&self, look: impl FnOnce(&BTreeMap<String, Group>) -> T) -> T {
        look(&self.lock())
    }

    /// Whether the group was new.
    pub(super) fn ensure_group(&self, name: &str) -> Result<bool, AwsError> {
        let created = self.world.now_millis();
        self.change(|groups| {
            let new = !groups.contains_key(name);
            groups.entry(name.to_owned()).or_insert_with(|| Group {
                created,
                ..Group::default()
            });
            new
        })
    }

    /// Whether the stream was new. Its group comes into being when it is missing.
    pub(super) fn ensure_stream(&self, group: &str, stream: &str) -> Result<bool, AwsError> {
        let created = self.world.now_millis();
        self.change(|groups| {
            let group = groups.entry(group.to_owned()).or_insert_with(|| Group {
                created,
                ..Group::default()
            });
            let new = !group.streams.contains_key(stream);
            group
                .streams
                .entry(stream.to_owned())
                .or_insert(Stream { created });
            group.forget_old_streams();
            new
        })
    }

    pub(super) fn set_retention(&self, name: &str, days: Option<u64>) -> Result<(), AwsError> {
        self.change(|groups| {
            if let Some(group) = groups.get_mut(name) {
                group.retention_days = days;
            }
        })
    }

    /// Whether the group was there.
    pub(super) fn delete_group(&self, name: &str) -> Result<bool, AwsError> {
        let was_there = self.change(|groups| groups.remove(name).is_some())?;
        std::fs::remove_file(events_path(&self.folder, name)).ok();
        Ok(was_there)
    }

    pub(super) fn append(
        &self,
        group_name: &str,
        stream: &str,
        events: impl IntoIterator<Item = (u64, String)>,
    ) {
        let ingested = self.world.now_millis();
        let mut groups = self.lock();
        let known = groups.get(group_name);
        if known.is_none_or(|group| !group.streams.contains_key(stream)) {
            drop(groups);
            // A log line must not fail the function that wrote it; the events themselves are appended below.
            self.ensure_stream(group_name, stream).ok();
            groups = self.lock();
            groups.entry(group_name.to_owned()).or_default();
        }
        let Some(group) = groups.get_mut(group_name) else {
            return;
        };
        let first = group.unwritten.is_empty();
        let before = group.unwritten.len();
        for (at, message) in events {
            let event = Event {
                id: group.next_id,
                stream: stream.to_owned(),
                at,
                ingested,
                message,
            };
            group.next_id += 1;
            serde_json::to_writer(&mut group.unwritten, &event).expect("an event is plain data");
            group.unwritten.push(b'\n');
            group.push(event);
        }
        let added = group.unwritten.len() - before;
        group.bytes_in_file = group
            .bytes_in_file
            .saturating_add(u64::try_from(added).unwrap_or(u64::MAX));
        if group.bytes_in_file > FILE_BYTES_MAX {
            rewrite(&self.folder, group_name, group);
            return;
        }
        match self.behind.get() {
            Some(behind) if group.unwritten.len() < BEHIND_BYTES_MAX => {
                if first {
                    behind.notify_one();
                }
            }
            _ => group.write(&self.folder, group_name),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Group>) -> T,
    ) -> Result<T, AwsError> {
        let mut groups = self.lock();
        let result = change(&mut groups);
        self.file.save(&*groups)?;
        Ok(result)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.write_all();
        if let Some(behind) = self.behind.get() {
            behind.notify_one();
        }
    }
}

impl Group {
    /// Brings the file up to memory. A line that cannot be written is lost to the next run alone.
    fn write(&mut self, folder: &Path, name: &str) {
        if self.unwritten.is_empty() {
            return;
        }
        if self.file.is_none() {
            self.file = File::options()
                .create(true)
                .append(true)
                .open(events_path(folder, name))
                .ok();
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.unwritten).ok();
        }
        self.unwritten.clear();
        // A burst of lines does not keep its room.
        self.unwritten.shrink_to(BEHIND_BYTES_MAX / 4);
    }

    fn push(&mut self, event: Event) {
        self.bytes += event.message.len();
        self.events.push_back(event);
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes -= oldest.message.len();
        }
    }

    /// The oldest streams go first. What they said stays among the group's events.
    fn forget_old_streams(&mut self) {
        while self.streams.len() > STREAMS_MAX {
            let oldest = self
                .streams
                .iter()
                .min_by_key(|(_, stream)| stream.created)
                .map(|(name, _)| name.clone());
            match oldest {
                Some(oldest) => self.streams.remove(&oldest),
                None => break,
            };
        }
    }
}

fn events_path(folder: &Path, group: &str) -> PathBuf {
    folder.join(format!("{}.jsonl", encode_percent(group)))
}

/// Writes the file anew from memory. Where that fails the old file stays, and it is tried again when as much as a whole
/// file has come.
fn rewrite(folder: &Path, name: &str, group: &mut Group) {
    let path = events_path(folder, name);
    let new = path.with_extension("jsonl.new");
    let mut text = Vec::new();
    for event in &group.events {
        serde_json::to_writer(&mut text, event).expect("an event is plain data");
        text.push(b'\n');
    }
    group.bytes_in_file = 0;
    group.unwritten.clear();
    if std::fs::write(&new, &text)
        .and_then(|()| std::fs::rename(&new, &path))
        .is_ok()
    {
        group.file = None;
        group.bytes_in_file = u64::try_from(text.len()).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_outlive_the_process_and_stay_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path().to_owned(), World::real()).unwrap();
        let store = open();
        let line = |number: usize| (number as u64, format!("line {number}"));
        store.append("/aws/lambda/a", "s", (0..3 * EVENTS_MAX).map(line));
        store.append("/aws/lambda/a", "s", [line(7)]);
        for store in [store, open()] {
            store.read(|groups| {
                let group = &groups["/aws/lambda/a"];
                assert_eq!(group.events.len(), EVENTS_MAX);
                assert_eq!(group.events.back().unwrap().message, "line 7");
                assert_eq!(group.next_id, 3 * EVENTS_MAX as u64 + 1);
            });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_written_behind_has_every_event_soon_and_readers_have_it_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Arc::new(Store::open(folder.path().to_owned(), World::real()).unwrap());
        let count = |store: &Store| store.read(|groups| groups["g"].events.len());
        let store = open();
        store.write_behind();
        store.append("g", "s", [(1, "one".to_owned())]);
        store.append("g", "s", [(2, "two".to_owned())]);
        assert_eq!((count(&store), count(&open())), (2, 0));
        tokio::time::sleep(2 * BEHIND_MAX).await;
        assert_eq!(count(&open()), 2);
        store.append("g", "s", [(3, "three".to_owned())]);
        drop(store);
        assert_eq!(count(&open()), 3);
    }

    #[test]
    fn a_group_is_bounded_in_bytes_in_memory_and_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned(), World::real()).unwrap();
        let long = "x".repeat(256 * 1024);
        for at in 0..200 {
            store.append("g", "s", [(at, long.clone())]);
        }
        store.read(|groups| {
            let group = &groups["g"];
            assert_eq!(group.events.len(), BYTES_MAX / long.len());
            assert_eq!(group.bytes, BYTES_MAX);
            assert_eq!(group.events.back().unwrap().at, 199);
        });
        let on_disk = std::fs::metadata(events_path(folder.path(), "g")).unwrap();
        assert!(on_disk.len() <= FILE_BYTES_MAX);
    }

    #[test]
    fn a_group_keeps_its_newest_streams() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned(), World::real()).unwrap();
        store
            .change(|groups| {
                let streams = (0..2 * STREAMS_MAX as u64)
                    .map(|created| (format!("old {created}"), Stream { created }));
                groups.entry("g".to_owned()).or_default().streams = streams.collect();
            })
            .unwrap();
        store.ensure_stream("g", "new").unwrap();
        store.read(|groups| {
            let streams = &groups["g"].streams;
            assert_eq!(streams.len(), STREAMS_MAX);
            assert!(streams.contains_key("new") && streams.contains_key("old 1999"));
            assert!(!streams.contains_key("old 1000"));
        });
    }

    #[test]
    fn a_last_line_that_was_cut_is_dropped_and_the_next_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path().to_owned(), World::real()).unwrap();
        open().append("g", "s", [(1, "one".to_owned())]);
        let path = events_path(folder.path(), "g");
        File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"id\":1,\"str")
            .unwrap();
        open().append("g", "s", [(2, "two".to_owned())]);
        open().read(|groups| {
            let messages: Vec<&str> = groups["g"]
                .events
                .iter()
                .map(|event| event.message.as_str())
                .collect();
            assert_eq!(messages, ["one", "two"]);
        });
    }
}
