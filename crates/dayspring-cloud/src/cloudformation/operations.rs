//! What the operations of the API do: the checks that AWS makes first, the records, and the start of what takes time.

use std::collections::{BTreeMap, VecDeque};

use super::Service;
use super::change_set;
use super::engine::{OnFailure, Run};
use super::goal::{Goal, Wish};
use super::hidden::Hidden;
use super::ledger::{self, News, STACK_TYPE};
use super::policy::StackPolicy;
use super::provider::Provider;
use super::stack::{ChangeSet, ChangeSetKind, Execution, Stack, StackStatus};
use super::template::invalid;
use crate::error::AwsError;

/// What AWS says of a change set without changes.
pub(super) const NO_CHANGES: &str = "The submitted information didn't contain changes. Submit different information to create a change set.";

/// How many deleted stacks are remembered.
const DELETED_MAX: usize = 20;

/// What `CreateChangeSet` is asked for.
#[derive(Debug)]
pub(super) struct NewChangeSet {
    pub(super) stack: String,
    pub(super) name: String,
    pub(super) kind: ChangeSetKind,
    pub(super) description: Option<String>,
    pub(super) on_failure: Option<String>,
    pub(super) include_values: bool,
    pub(super) wish: Wish,
}

/// How `UpdateStack` is to go about it.
#[derive(Debug, Default)]
pub(super) struct Update {
    pub(super) previous_template: bool,
    pub(super) disable_rollback: bool,
    /// The stack's policy from now on.
    pub(super) policy: Option<String>,
    pub(super) policy_during_update: Option<String>,
}

impl<P: Provider> Service<P> {
    /// Makes a change set, and for a new stack its record. Gives the ids of both.
    pub(super) fn create_change_set(
        &self,
        new: NewChangeSet,
    ) -> Result<(String, String), AwsError> {
        check_name(&new.stack, "stackName")?;
        check_name(&new.name, "changeSetName")?;
        let world = self.engine.ledger.world;
        let (existing, exports) = self
            .engine
            .ledger
            .read(|stacks| (stacks.find(&new.stack).cloned(), stacks.exports()));
        let stack = match (new.kind, existing) {
            (ChangeSetKind::Create, Some(stack))
                if stack.status == StackStatus::ReviewInProgress =>
            {
                stack
            }
            (ChangeSetKind::Create, Some(stack)) => {
                return Err(invalid(format!(
                    "Stack [{}] already exists and cannot be created again with the changeSet [{}].",
                    stack.name, new.name
                )));
            }
            (ChangeSetKind::Create, None) => {
                self.new_stack(&new.stack, StackStatus::ReviewInProgress)
            }
            (ChangeSetKind::Update, Some(stack))
                if stack.status == StackStatus::ReviewInProgress =>
            {
                return Err(not_found(&new.stack));
            }
            (ChangeSetKind::Update, Some(stack)) => {
                if !stack.status.is_updatable() {
                    return Err(in_state(&stack));
                }
                stack
            }
            (ChangeSetKind::Update, None) => return Err(not_found(&new.stack)),
        };
        if stack.change_set(&new.name).is_some() {
            return Err(AwsError::bad_request(
                "AlreadyExistsException",
                format!("ChangeSet {} already exists", new.name),
            ));
        }
        let mut wish = new.wish;
        wish.previous.clone_from(&stack.parameters);
        let engine = &self.engine;
        let goal = Goal::new(wish, &engine.surroundings, &engine.provider, &exports)?;
        let mut changes = change_set::plan(
            &goal,
            &stack,
            &engine.surroundings,
            &engine.provider,
            &exports,
        )?;
        let hidden = Hidden::of(stack.parameters.iter().chain(&goal.parameters));
        changes.iter_mut().for_each(|change| change.hide(&hidden));
        let unchanged =
            new.kind == ChangeSetKind::Update && changes.is_empty() && is_same(&stack, &goal);
        let id = engine.surroundings.identity.arn(
            "cloudformation",
            &format!("changeSet/{}/{}", new.name, world.uuid()),
        );
        let set = ChangeSet {
            id: id.clone(),
            name: new.name,
            description: new.description,
            created: world.now_millis(),
            kind: new.kind,
            failure: unchanged.then(|| NO_CHANGES.to_owned()),
            execution: Execution::Available,
            template: goal.text,
            parameters: goal.parameters,
            tags: goal.tags,
            capabilities: goal.capabilities,
            role_arn: goal.role_arn,
            on_failure: new.on_failure,
            include_values: new.include_values,
            changes,
        };
        let stack_id = stack.id.clone();
        engine.ledger.change(|stacks| {
            let is_new = !stacks.by_id.contains_key(&stack.id);
            let stack = stacks.by_id.entry(stack.id.clone()).or_insert(stack);
            if is_new {
                push_stack_event(stack, world, None);
            }
            stack.change_sets.push(set);
        })?;
        Ok((id, stack_id))
    }

    /// Starts what a change set says.
    pub(super) fn execute_change_set(
        &self,
        set: &str,
        stack: Option<&str>,
        disable_rollback: bool,
    ) -> Result<(), AwsError> {
        let (stack, set) = self.find_change_set(set, stack)?;
        if let Some(failure) = &set.failure {
            return Err(AwsError::bad_request(
                "InvalidChangeSetStatus",
                format!(
                    "ChangeSet [{}] cannot be executed in its current status of [FAILED]: {failure}",
                    set.id
                ),
            ));
        }
        check_executable(&set)?;
        let wish = Wish {
            text: set.template.clone(),
            given: Vec::new(),
            previous: Vec::new(),
            tags: set.tags.clone(),
            capabilities: set.capabilities.clone(),
            role_arn: set.role_arn.clone(),
        }
        .with_parameters(&set.parameters);
        let goal = self.goal(wish)?;
        let on_failure = match set.on_failure.as_deref() {
            _ if disable_rollback => OnFailure::DoNothing,
            Some("DO_NOTHING") => OnFailure::DoNothing,
            Some("DELETE") => OnFailure::Delete,
            _ => OnFailure::Rollback,
        };
        let policy = read_policy(stack.policy.as_deref())?;
        self.begin(
            &stack.id,
            Beginning {
                kind: set.kind,
                goal,
                on_failure,
                set: Some(&set.id),
                policy,
            },
        )
    }

    pub(super) fn create_stack(
        &self,
        name: &str,
        wish: Wish,
        on_failure: OnFailure,
        policy: Option<String>,
    ) -> Result<String, AwsError> {
        check_name(name, "stackName")?;
        read_policy(policy.as_deref())?;
        if self
            .engine
            .ledger
            .read(|stacks| stacks.live(name).is_some())
        {
            return Err(AwsError::bad_request(
                "AlreadyExistsException",
                format!("Stack [{name}] already exists"),
            ));
        }
        let goal = self.goal(wish)?;
        let mut stack = self.new_stack(name, StackStatus::ReviewInProgress);
        stack.policy = policy;
        let id = stack.id.clone();
        self.engine
            .ledger
            .change(|stacks| stacks.by_id.insert(id.clone(), stack))?;
        self.begin(
            &id,
            Beginning {
                kind: ChangeSetKind::Create,
                goal,
                on_failure,
                set: None,
                policy: None,
            },
        )?;
        Ok(id)
    }

    pub(super) fn update_stack(
        &self,
        name: &str,
        mut wish: Wish,
        how: Update,
    ) -> Result<String, AwsError> {
        let (stack, exports) = self
            .engine
            .ledger
            .read(|stacks| (stacks.find(name).cloned(), stacks.exports()));
        let stack = stack.ok_or_else(|| not_found(name))?;
        if !stack.status.is_updatable() {
            return Err(in_state(&stack));
        }
        if how.previous_template {
            wish.text.clone_from(&stack.template);
        }
        wish.previous.clone_from(&stack.parameters);
        let goal = self.goal(wish)?;
        let engine = &self.engine;
        let changes = change_set::plan(
            &goal,
            &stack,
            &engine.surroundings,
            &engine.provider,
            &exports,
        )?;
        if changes.is_empty() && is_same(&stack, &goal) {
            return Err(invalid("No updates are to be performed."));
        }
        let policy = how.policy.as_deref().or(stack.policy.as_deref());
        let policy = read_policy(how.policy_during_update.as_deref().or(policy))?;
        if how.policy.is_some() {
            self.set_policy(&stack.id, how.policy)?;
        }
        let on_failure = if how.disable_rollback {
            OnFailure::DoNothing
        } else {
            OnFailure::Rollback
        };
        self.begin(
            &stack.id,
            Beginning {
                kind: ChangeSetKind::Update,
                goal,
                on_failure,
                set: None,
                policy,
            },
        )?;
        Ok(stack.id)
    }

    pub(super) fn delete_change_set(&self, set: &str, stack: Option<&str>) -> Result<(), AwsError> {
        self.engine.ledger.change(|stacks| {
            if stack.is_some_and(|stack| stacks.find(stack).is_none()) {
                return Err(not_found(stack.unwrap_or_default()));
            }
            for candidate in stacks.by_id.values_mut() {
                if stack.is_none_or(|stack| candidate.name == stack || candidate.id == stack) {
                    candidate
                        .change_sets
                        .retain(|known| known.name != set && known.id != set);
                }
            }
            Ok(())
        })?
    }

    pub(super) fn find_change_set(
        &self,
        set: &str,
        stack: Option<&str>,
    ) -> Result<(Stack, ChangeSet), AwsError> {
        self.engine.ledger.read(|stacks| {
            let found = match stack {
                Some(stack) => {
                    let stack = stacks.find(stack).ok_or_else(|| not_found(stack))?;
                    stack.change_set(set).map(|set| (stack, set))
                }
                None => stacks
                    .by_id
                    .values()
                    .find_map(|stack| stack.change_set(set).map(|set| (stack, set))),
            };
            found
                .map(|(stack, set)| (stack.clone(), set.clone()))
                .ok_or_else(|| {
                    AwsError::new(
                        ::http::StatusCode::NOT_FOUND,
                        "ChangeSetNotFound",
                        format!("ChangeSet [{set}] does not exist"),
                    )
                })
        })
    }

    pub(super) fn find_stack(&self, name: &str) -> Result<Stack, AwsError> {
        self.engine
            .ledger
            .read(|stacks| stacks.find(name).cloned())
            .ok_or_else(|| not_found(name))
    }

    pub(super) fn goal(&self, wish: Wish) -> Result<Goal, AwsError> {
        let exports = self.engine.ledger.read(super::stack::Stacks::exports);
        Goal::new(
            wish,
            &self.engine.surroundings,
            &self.engine.provider,
            &exports,
        )
    }

    /// Moves the stack to its first status and starts the operation.
    fn begin(&self, id: &str, beginning: Beginning<'_>) -> Result<(), AwsError> {
        let Beginning {
            kind,
            goal,
            on_failure,
            set,
            policy,
        } = beginning;
        let world = self.engine.ledger.world;
        let (mut run, hidden) = self.engine.ledger.change(|stacks| {
            let stack = stacks.by_id.get_mut(id).ok_or_else(|| not_found(id))?;
            // Whoever asked for the same a moment earlier has begun it.
            if let Some(set) = set.and_then(|set| stack.change_set(set)) {
                check_executable(set)?;
            }
            match kind {
                ChangeSetKind::Create => {
                    if stack.status != StackStatus::ReviewInProgress {
                        return Err(in_state(stack));
                    }
                    stack.status = StackStatus::CreateInProgress;
                    stack.template.clone_from(&goal.text);
                    stack.description.clone_from(&goal.template.description);
                    stack.parameters.clone_from(&goal.parameters);
                    stack.tags.clone_from(&goal.tags);
                    stack.capabilities.clone_from(&goal.capabilities);
                }
                ChangeSetKind::Update => {
                    if !stack.status.is_updatable() {
                        return Err(in_state(stack));
                    }
                    stack.status = StackStatus::UpdateInProgress;
                    stack.updated = Some(world.now_millis());
                }
            }
            stack.disable_rollback = on_failure == OnFailure::DoNothing;
            stack.status_reason = Some("User Initiated".to_owned());
            stack.change_set_id = set.map(str::to_owned);
            match set {
                // The other change sets were made against what the stack was: AWS deletes them.
                Some(set) => {
                    stack.change_sets.retain(|known| known.id == set);
                    stack
                        .change_sets
                        .iter_mut()
                        .for_each(|known| known.execution = Execution::InProgress);
                }
                None => {
                    for known in &mut stack.change_sets {
                        known.execution = Execution::Obsolete;
                        known.template.clear();
                    }
                }
            }
            push_stack_event(stack, world, Some("User Initiated"));
            let hidden = Hidden::of(stack.parameters.iter().chain(&goal.parameters));
            Ok((self.run(stack), hidden))
        })??;
        run.policy = policy.map(std::sync::Arc::new);
        run.hidden = hidden;
        self.spawn(async move {
            match kind {
                ChangeSetKind::Create => run.create(goal, on_failure).await,
                ChangeSetKind::Update => {
                    run.update(goal, on_failure == OnFailure::DoNothing).await;
                }
            }
            run.close_change_set();
        });
        Ok(())
    }

    pub(super) fn run(&self, stack: &Stack) -> Run<P> {
        Run {
            engine: std::sync::Arc::clone(&self.engine),
            stack_id: stack.id.clone(),
            stack_name: stack.name.clone(),
            policy: None,
            hidden: Hidden::of(&stack.parameters),
            ear: self.engine.running.start(&stack.id),
        }
    }

    fn new_stack(&self, name: &str, status: StackStatus) -> Stack {
        let world = self.engine.ledger.world;
        let id = self
            .engine
            .surroundings
            .identity
            .arn("cloudformation", &format!("stack/{name}/{}", world.uuid()));
        Stack {
            id,
            name: name.to_owned(),
            description: None,
            status,
            status_reason: None,
            created: world.now_millis(),
            updated: None,
            deleted: None,
            template: String::new(),
            parameters: Vec::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
            role_arn: None,
            imports: std::collections::BTreeSet::new(),
            outputs: Vec::new(),
            resources: BTreeMap::new(),
            leftovers: Vec::new(),
            events: VecDeque::new(),
            change_sets: Vec::new(),
            change_set_id: None,
            termination_protection: false,
            disable_rollback: false,
            policy: None,
            before_update: None,
        }
    }

    pub(super) fn forget_old_stacks(&self) -> Result<(), AwsError> {
        self.engine.ledger.change(|stacks| {
            let mut deleted: Vec<(u64, String)> = stacks
                .by_id
                .values()
                .filter(|stack| stack.status == StackStatus::DeleteComplete)
                .map(|stack| (stack.deleted.unwrap_or_default(), stack.id.clone()))
                .collect();
            deleted.sort();
            let surplus = deleted.len().saturating_sub(DELETED_MAX);
            for (_, id) in &deleted[..surplus] {
                stacks.by_id.remove(id);
            }
        })?;
        Ok(())
    }
}

impl Wish {
    /// The parameters of a change set, given again.
    fn with_parameters(mut self, parameters: &[super::stack::Parameter]) -> Self {
        self.given = parameters
            .iter()
            .map(|parameter| super::goal::Given {
                key: parameter.key.clone(),
                value: Some(parameter.value.clone()),
                use_previous: false,
            })
            .collect();
        self
    }
}

/// An operation that starts.
struct Beginning<'a> {
    kind: ChangeSetKind,
    goal: Goal,
    on_failure: OnFailure,
    /// The id of the change set that is executed.
    set: Option<&'a str>,
    policy: Option<StackPolicy>,
}

fn read_policy(text: Option<&str>) -> Result<Option<StackPolicy>, AwsError> {
    text.map(StackPolicy::parse).transpose()
}

fn check_executable(set: &ChangeSet) -> Result<(), AwsError> {
    if set.execution == Execution::Available {
        return Ok(());
    }
    Err(AwsError::bad_request(
        "InvalidChangeSetStatus",
        format!(
            "ChangeSet [{}] cannot be executed in its current execution status of [{}]",
            set.id,
            set.execution.name()
        ),
    ))
}

/// Whether nothing at all would change: no resource, no output, no tag; and the stack stands as its template says.
fn is_same(stack: &Stack, goal: &Goal) -> bool {
    if !stack.status.is_settled() || stack.tags != goal.tags {
        return false;
    }
    let Ok(before) = super::template::Template::parse(&stack.template) else {
        return false;
    };
    let outputs = |template: &super::template::Template| -> Vec<String> {
        template
            .outputs
            .iter()
            .map(|(key, output)| {
                format!(
                    "{key} {} {:?} {:?} {:?}",
                    output.value, output.export, output.description, output.condition
                )
            })
            .collect()
    };
    outputs(&before) == outputs(&goal.template)
        && before.mappings == goal.template.mappings
        && before.conditions == goal.template.conditions
        && before.description == goal.template.description
        && before.metadata == goal.template.metadata
        && stack.parameters == goal.parameters
}

pub(super) fn push_stack_event(
    stack: &mut Stack,
    world: crate::world::World,
    reason: Option<&str>,
) {
    let (name, id) = (stack.name.clone(), stack.id.clone());
    let status = stack.status.name();
    ledger::push(
        stack,
        world,
        &News {
            logical_id: &name,
            type_name: STACK_TYPE,
            physical_id: Some(&id),
            status,
            reason,
            properties: None,
        },
    );
}

pub(super) fn not_found(name: &str) -> AwsError {
    invalid(format!("Stack with id {name} does not exist"))
}

pub(super) fn in_state(stack: &Stack) -> AwsError {
    invalid(format!(
        "Stack:{} is in {} state and can not be updated.",
        stack.id,
        stack.status.name()
    ))
}

/// A letter, then letters, digits and hyphens, 128 at most; or an ARN.
fn check_name(name: &str, field: &str) -> Result<(), AwsError> {
    let plain = name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain || name.starts_with("arn:") {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at '{field}' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    )))
}
