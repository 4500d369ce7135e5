//! The clusters that were made, as they are kept between runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use super::mariadb::Account;
use super::{Cluster, ClusterSpec};
use crate::state::{StateError, StateFile};

/// A cluster with its instances.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) spec: ClusterSpec,
    pub(super) cluster: Cluster,
    pub(super) master: Master,
    pub(super) instances: BTreeSet<String>,
}

/// The master user, whose password a start of the server sets again.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Master {
    pub(super) username: String,
    pub(super) password: String,
}

impl std::fmt::Debug for Master {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Master")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl Master {
    pub(super) fn account(&self) -> Account {
        Account {
            user: self.username.clone(),
            password: self.password.clone(),
        }
    }
}

/// All records, in memory and in a file.
#[derive(Debug)]
pub(super) struct Store {
    file: StateFile,
    // Never held across an await.
    records: Mutex<BTreeMap<String, Record>>,
}

impl Store {
    pub(super) fn open(folder: &Path) -> Result<Self, StateError> {
        let file = StateFile::new(folder.join("clusters.json"));
        let records = Mutex::new(file.load()?);
        Ok(Self { file, records })
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.lock().values().cloned().collect()
    }

    pub(super) fn record(&self, identifier: &str) -> Option<Record> {
        self.lock().get(identifier).cloned()
    }

    /// What is wanted of a record.
    pub(super) fn look<T>(&self, identifier: &str, look: impl FnOnce(&Record) -> T) -> Option<T> {
        self.lock().get(identifier).map(look)
    }

    /// The cluster that has the instance.
    pub(super) fn of_instance(&self, instance: &str) -> Option<Record> {
        self.lock()
            .values()
            .find(|record| record.instances.contains(instance))
            .cloned()
    }

    /// Adds or replaces a record.
    pub(super) fn put(&self, record: Record) -> Result<(), StateError> {
        let mut records = self.lock();
        records.insert(record.spec.identifier.clone(), record);
        self.file.save(&*records)
    }

    pub(super) fn remove(&self, identifier: &str) -> Result<(), StateError> {
        let mut records = self.lock();
        records.remove(identifier);
        self.file.save(&*records)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        self.records
            .lock()
            .expect("nothing panics while it is held")
    }
}
