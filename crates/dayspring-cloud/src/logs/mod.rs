//! CloudWatch Logs: groups, streams and events, kept in files, and the wire protocol (`FilterLogEvents`, ...).

mod store;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::identity::Identity;
use crate::protocol::json::{self, Input};
use crate::state::StateError;
use crate::world::World;

/// The log store. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Logs {
    store: Arc<store::Store>,
    identity: Identity,
    #[cfg(test)]
    _scratch: Option<Arc<tempfile::TempDir>>,
}

impl Logs {
    /// Opens the store on its folder: groups and the newest events of the last run are there again.
    pub(crate) fn open(
        folder: PathBuf,
        identity: Identity,
        world: World,
    ) -> Result<Self, StateError> {
        Ok(Self {
            store: Arc::new(store::Store::open(folder, world)?),
            identity,
            #[cfg(test)]
            _scratch: None,
        })
    }

    /// Has the files written a moment after the events come. Only within a runtime.
    pub(crate) fn write_behind(&self) {
        self.store.write_behind();
    }

    /// Writes what the files do not have yet.
    pub(crate) fn write_all(&self) {
        self.store.write_all();
    }

    /// A store on a private folder that goes away with it.
    #[cfg(test)]
    pub(crate) fn scratch() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut logs =
            Self::open(folder.path().to_owned(), Identity::default(), World::real()).unwrap();
        logs._scratch = Some(folder);
        logs
    }

    /// Appends lines to a stream; group and stream come into being when they are missing. `at` is in milliseconds
    /// since 1970.
    pub(crate) fn put(
        &self,
        group: &str,
        stream: &str,
        at: u64,
        lines: impl IntoIterator<Item = impl Into<String>>,
    ) {
        let lines = lines.into_iter().map(|line| (at, line.into()));
        self.store.append(group, stream, lines);
    }

    /// Makes a group. It may be there already: what a function wrote before its group was declared stays.
    pub(crate) fn create_group(
        &self,
        name: &str,
        retention_days: Option<u64>,
    ) -> Result<(), AwsError> {
        self.store.ensure_group(name)?;
        self.store.set_retention(name, retention_days)
    }

    /// Forgets a group and its events. Deleting what is not there is no error.
    pub(crate) fn delete_group(&self, name: &str) -> Result<(), AwsError> {
        self.store.delete_group(name).map(|_| ())
    }

    /// Answers the JSON API.
    pub(crate) fn answer(&self, call: &Call) -> Answer {
        let result = Input::parse(call).and_then(|input| {
            wire::dispatch(&self.store, &self.identity, json::operation(call), &input)
        });
        json::respond(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_makes_its_group_and_stream() {
        let logs = Logs::scratch();
        logs.put("/aws/lambda/f", "stream", 7, ["one", "two"]);
        let messages: Vec<String> = logs.store.read(|groups| {
            let group = &groups["/aws/lambda/f"];
            assert!(group.streams.contains_key("stream"));
            group
                .events
                .iter()
                .map(|event| event.message.clone())
                .collect()
        });
        assert_eq!(messages, ["one", "two"]);
        logs.delete_group("/aws/lambda/f").unwrap();
        assert!(logs.store.read(std::collections::BTreeMap::is_empty));
    }
}
