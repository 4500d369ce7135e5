//! The stacks of this cloud, in memory and in their file.

use std::sync::{Mutex, PoisonError};

use super::stack::{Event, Stack, Stacks};
use crate::state::{StateError, StateFile};
use crate::world::World;

/// The type that a stack's own events carry.
pub(super) const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

/// Why a stack failed whose operation the process did not live to finish.
const CUT: &str = "The local cloud ended while this operation was under way. What was provisioned until then is recorded; update or delete the stack to go on.";

#[derive(Debug)]
pub(super) struct Ledger {
    file: StateFile,
    stacks: Mutex<Stacks>,
    pub(super) world: World,
}

/// What an event says.
#[derive(Debug, Default)]
pub(super) struct News<'a> {
    pub(super) logical_id: &'a str,
    pub(super) type_name: &'a str,
    pub(super) physical_id: Option<&'a str>,
    pub(super) status: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) properties: Option<String>,
}

impl Ledger {
    /// Opens the stacks of the last run. An operation that was cut by its end is a failure now, and says so.
    pub(super) fn open(file: StateFile, world: World) -> Result<Self, StateError> {
        let mut stacks: Stacks = file.load()?;
        for stack in stacks.by_id.values_mut() {
            let Some(status) = stack.status.after_cut() else {
                continue;
            };
            for resource in stack.resources.values_mut() {
                if let Some(kind) = resource.status.strip_suffix("_IN_PROGRESS") {
                    resource.status = format!("{kind}_FAILED");
                    resource.status_reason = Some(CUT.to_owned());
                }
            }
            stack.status = status;
            stack.status_reason = Some(CUT.to_owned());
            stack.close_change_set();
            let (name, id) = (stack.name.clone(), stack.id.clone());
            push(
                stack,
                world,
                &News {
                    logical_id: &name,
                    type_name: STACK_TYPE,
                    physical_id: Some(&id),
                    status: status.name(),
                    reason: Some(CUT),
                    properties: None,
                },
            );
        }
        Ok(Self {
            file,
            stacks: Mutex::new(stacks),
            world,
        })
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&Stacks) -> T) -> T {
        look(&self.stacks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the stacks and writes them to their file.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Stacks) -> T) -> Result<T, StateError> {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut stacks);
        self.file.save(&*stacks)?;
        Ok(result)
    }

    /// Changes one stack and writes it to the file. Used by operations under way: where the file cannot be written the
    /// operation goes on in memory, and the next change writes all of it.
    pub(super) fn stack<T>(&self, id: &str, change: impl FnOnce(&mut Stack) -> T) -> Option<T> {
        self.change_stack(id, change, true)
    }

    /// Changes one stack in memory. It reaches the file with the next change.
    pub(super) fn stack_in_memory(&self, id: &str, change: impl FnOnce(&mut Stack)) {
        self.change_stack(id, change, false);
    }

    /// Adds an event that changes nothing else. It reaches the file with the next change.
    pub(super) fn tell(&self, id: &str, news: &News<'_>) {
        self.change_stack(id, |stack| push(stack, self.world, news), false);
    }

    fn change_stack<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Stack) -> T,
        save: bool,
    ) -> Option<T> {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        let result = stacks.by_id.get_mut(id).map(change);
        if save {
            self.file.save(&*stacks).ok();
        }
        result
    }
}

/// Adds an event to a stack.
pub(super) fn push(stack: &mut Stack, world: World, news: &News<'_>) {
    // Those who follow a stack sort its events by time: no two have the same.
    let after = stack.events.back().map_or(0, |last| last.at + 1);
    stack.push_event(Event {
        id: world.uuid(),
        at: world.now_millis().max(after),
        logical_id: news.logical_id.to_owned(),
        physical_id: news.physical_id.map(str::to_owned),
        type_name: news.type_name.to_owned(),
        status: news.status.to_owned(),
        reason: news.reason.map(str::to_owned),
        properties: news.properties.clone(),
        token: None,
    });
}
