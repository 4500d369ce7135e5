//! The engine over a world that fails, or ends, at every one of its calls in turn.

mod going_back;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::cloudformation::goal::Wish;
use crate::cloudformation::interruptions::Deletion;
use crate::cloudformation::operations::Update;
use crate::cloudformation::provider::{
    Attributes, Change, Existing, Failure, Properties, Provider, Provisioned, Request, Schema,
};
use crate::cloudformation::stack::Stack;
use crate::cloudformation::{Service, Sources, engine::OnFailure};
use crate::identity::Identity;
use crate::world::World;

static THING: Schema = Schema {
    properties: Properties::Known(&[
        ("Value", Change::InPlace),
        ("Size", Change::Replaces),
        ("Uses", Change::InPlace),
    ]),
    attributes: Attributes::Known(&["Arn", "Value"]),
};

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    /// The call is refused.
    Fails,
    /// The process ends before anything happened.
    EndsBefore,
    /// It happened, and the process ends before it hears so.
    EndsAfter,
}

#[derive(Debug, Default)]
struct Things {
    /// By physical id: logical id and properties.
    there: BTreeMap<String, (String, Map<String, Value>)>,
    calls: Vec<String>,
    made: u32,
    mishap: Option<(usize, Mishap)>,
    /// Calls that are refused: the n-th of a name, counted from 1.
    refused: Vec<(&'static str, usize)>,
    /// A call that waits until it is let go.
    held: Option<(&'static str, Arc<tokio::sync::Notify>)>,
}

/// A world of things.
#[derive(Debug, Clone, Default)]
struct Fake {
    things: Arc<Mutex<Things>>,
}

impl Fake {
    fn mishap(&self, at: usize, mishap: Mishap) {
        let mut things = self.things.lock().unwrap();
        things.calls.clear();
        things.mishap = Some((at, mishap));
    }

    fn refuse(&self, calls: &[(&'static str, usize)]) {
        let mut things = self.things.lock().unwrap();
        things.calls.clear();
        things.refused = calls.to_vec();
    }

    /// Has a call wait until the gate is notified.
    fn hold(&self, call: &'static str) -> Arc<tokio::sync::Notify> {
        let gate = Arc::new(tokio::sync::Notify::new());
        self.things.lock().unwrap().held = Some((call, Arc::clone(&gate)));
        gate
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.things.lock().unwrap().calls)
    }

    fn there(&self) -> BTreeMap<String, (String, Map<String, Value>)> {
        self.things.lock().unwrap().there.clone()
    }

    /// Makes a call: the effect happens, or the mishap that is set for it.
    async fn call<T>(
        &self,
        name: &str,
        request: &Request,
        effect: impl FnOnce(&mut Things) -> T,
    ) -> Result<T, Failure> {
        let call = format!("{name} {}", request.logical_id);
        let held = {
            let mut things = self.things.lock().unwrap();
            things.calls.push(call.clone());
            let held = things.held.take_if(|(held, _)| *held == call);
            held.map(|(_, gate)| gate)
        };
        if let Some(gate) = held {
            gate.notified().await;
        }
        let (result, mishap) = {
            let mut things = self.things.lock().unwrap();
            let number = things.calls.len() - 1;
            let times = things.calls.iter().filter(|past| **past == call).count();
            if things.refused.contains(&(call.as_str(), times)) {
                return Err(Failure::new("the world said no"));
            }
            let mishap = things
                .mishap
                .filter(|(at, _)| *at == number)
                .map(|(_, mishap)| mishap);
            let result = match mishap {
                Some(Mishap::Fails | Mishap::EndsBefore) => None,
                Some(Mishap::EndsAfter) | None => Some(effect(&mut things)),
            };
            (result, mishap)
        };
        match (mishap, result) {
            (None, Some(result)) => Ok(result),
            (Some(Mishap::EndsBefore | Mishap::EndsAfter), _) => std::future::pending().await,
            _ => Err(Failure::new("the world said no")),
        }
    }
}

impl Provider for Fake {
    fn type_names(&self) -> &'static [&'static str] {
        &[]
    }

    fn schema(&self, type_name: &str) -> Option<&'static Schema> {
        (type_name == "Fake::Thing").then_some(&THING)
    }

    async fn create(&self, request: Request) -> Result<Provisioned, Failure> {
        self.call("create", &request, |things| {
            things.made += 1;
            let id = format!("{}-{}", request.logical_id, things.made);
            things.there.insert(
                id.clone(),
                (request.logical_id.clone(), request.properties.clone()),
            );
            describe(id, &request)
        })
        .await
    }

    async fn update(&self, request: Request, before: Existing) -> Result<Provisioned, Failure> {
        self.call("update", &request, |things| {
            let id = before.physical_id;
            things.there.insert(
                id.clone(),
                (request.logical_id.clone(), request.properties.clone()),
            );
            describe(id, &request)
        })
        .await
    }

    async fn delete(
        &self,
        request: Request,
        before: Existing,
        snapshot: bool,
    ) -> Result<(), Failure> {
        let name = if snapshot { "snapshot" } else { "delete" };
        self.call(name, &request, |things| {
            things.there.remove(&before.physical_id);
        })
        .await
    }
}

fn describe(id: String, request: &Request) -> Provisioned {
    let value = request.properties.get("Value").cloned();
    Provisioned {
        attributes: BTreeMap::from([
            ("Arn".to_owned(), Value::from(format!("arn:{id}"))),
            ("Value".to_owned(), value.unwrap_or(Value::from("none"))),
        ]),
        physical_id: id,
        no_echo: false,
    }
}

/// A cloud of things on a folder.
struct Cloud {
    runtime: tokio::runtime::Runtime,
    service: Service<Fake>,
    fake: Fake,
}

impl Cloud {
    fn on(folder: &TempDir, fake: &Fake) -> Self {
        let path: &Path = folder.path();
        let (identity, world) = (Identity::default(), World::real());
        let sources = Sources {
            ssm: crate::ssm::Ssm::open(path, identity.clone(), world).unwrap(),
            secrets: crate::secrets::Secrets::open(path, identity.clone(), world).unwrap(),
            s3: crate::s3::S3::open(path.join("s3"), identity.clone(), world).unwrap(),
            url_suffix: "localhost:3000".to_owned(),
        };
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            service: Service::with(path, fake.clone(), sources, identity, world).unwrap(),
            fake: fake.clone(),
        }
    }

    fn create(&self, template: &Value) {
        self.create_with(template, OnFailure::Rollback);
    }

    fn create_with(&self, template: &Value, on_failure: OnFailure) {
        let _context = self.runtime.enter();
        self.service
            .create_stack("blog", wish(template), on_failure, None)
            .unwrap();
    }

    fn update(&self, template: &Value) {
        let _context = self.runtime.enter();
        self.service
            .update_stack("blog", wish(template), Update::default())
            .unwrap();
    }

    fn delete(&self) {
        let _context = self.runtime.enter();
        self.service
            .delete_stack("blog", &Deletion::default())
            .unwrap();
    }

    /// Waits until nothing is under way.
    fn finish(&self) {
        self.runtime.block_on(async {
            let tasks = std::mem::take(&mut *self.service.tasks.lock().unwrap());
            tasks.join_all().await;
        });
    }

    /// Goes on until the fake's mishap has happened, and ends as a process does.
    fn end_at_mishap(self) {
        self.runtime.block_on(async {
            loop {
                let reached = {
                    let things = self.fake.things.lock().unwrap();
                    things.mishap.is_none_or(|(at, _)| things.calls.len() > at)
                };
                if reached {
                    break;
                }
                tokio::task::yield_now().await;
            }
            // What ran beside it comes to its end or to a stop.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            self.service.shut_down().await;
        });
    }

    fn stack(&self) -> Stack {
        self.service.engine.ledger.read(|stacks| {
            stacks
                .by_id
                .values()
                .find(|stack| stack.name == "blog")
                .cloned()
                .unwrap()
        })
    }

    fn status(&self) -> &'static str {
        self.stack().status.name()
    }

    /// The events, oldest first: `LOGICAL STATUS`.
    fn events(&self) -> Vec<String> {
        self.stack()
            .events
            .iter()
            .map(|event| format!("{} {}", event.logical_id, event.status))
            .collect()
    }
}

fn wish(template: &Value) -> Wish {
    Wish {
        text: template.to_string(),
        ..Wish::default()
    }
}

fn thing(properties: Value) -> Value {
    json!({"Type": "Fake::Thing", "Properties": properties})
}

/// A chain A, B, C, something beside it, and something that goes.
fn before() -> Value {
    json!({"Resources": {
        "A": thing(json!({"Value": "1", "Size": "s"})),
        "B": thing(json!({"Uses": {"Ref": "A"}})),
        "C": thing(json!({"Uses": {"Fn::GetAtt": ["B", "Arn"]}, "Value": "1"})),
        "Beside": thing(json!({"Value": "1"})),
        "Gone": thing(json!({"Uses": {"Ref": "Beside"}})),
    }, "Outputs": {"A": {"Value": {"Ref": "A"}}}})
}

/// A is replaced, so B is changed in place; C and Beside are changed in place; Gone goes and New comes.
fn after() -> Value {
    json!({"Resources": {
        "A": thing(json!({"Value": "1", "Size": "l"})),
        "B": thing(json!({"Uses": {"Ref": "A"}})),
        "C": thing(json!({"Uses": {"Fn::GetAtt": ["B", "Arn"]}, "Value": "2"})),
        "Beside": thing(json!({"Value": "2"})),
        "New": thing(json!({"Uses": {"Ref": "C"}})),
    }, "Outputs": {"A": {"Value": {"Ref": "A"}}}})
}

/// What is there, without the ids' numbers.
fn shape(fake: &Fake) -> Vec<(String, String)> {
    let strip = |text: &str| -> String {
        text.chars()
            .filter(|character| !character.is_ascii_digit())
            .collect()
    };
    let mut shape: Vec<(String, String)> = fake
        .there()
        .into_values()
        .map(|(id, properties)| {
            let value = properties
                .get("Value")
                .map(ToString::to_string)
                .unwrap_or_default();
            (
                id,
                format!("{value} {}", strip(&Value::Object(properties).to_string())),
            )
        })
        .collect();
    shape.sort();
    shape
}

fn shape_of(templates: &[&Value]) -> Vec<(String, String)> {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = Cloud::on(&folder, &fake);
    cloud.create(templates[0]);
    cloud.finish();
    for template in &templates[1..] {
        cloud.update(template);
        cloud.finish();
    }
    shape(&fake)
}

#[test]
fn a_stack_is_made_in_order_and_deleted_in_reverse() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = Cloud::on(&folder, &fake);
    cloud.create(&before());
    cloud.finish();
    assert_eq!(cloud.status(), "CREATE_COMPLETE");
    let calls = fake.calls();
    let at = |call: &str| calls.iter().position(|made| made == call).unwrap();
    assert!(
        at("create A") < at("create B") && at("create B") < at("create C"),
        "{calls:?}"
    );
    assert!(at("create Beside") < at("create Gone"), "{calls:?}");
    assert_eq!(
        cloud.stack().outputs[0].value,
        cloud.stack().resources["A"].physical_id.clone().unwrap()
    );

    cloud.delete();
    cloud.finish();
    assert_eq!(cloud.status(), "DELETE_COMPLETE");
    assert!(fake.there().is_empty());
    let calls = fake.calls();
    let at = |call: &str| calls.iter().position(|made| made == call).unwrap();
    assert!(
        at("delete C") < at("delete B") && at("delete B") < at("delete A"),
        "{calls:?}"
    );
}

#[test]
fn an_update_touches_only_what_changed_and_deletes_last() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = Cloud::on(&folder, &fake);
    cloud.create(&before());
    cloud.finish();
    fake.calls();
    cloud.update(&after());
    cloud.finish();
    assert_eq!(cloud.status(), "UPDATE_COMPLETE");
    let mut calls = fake.calls();
    let deletions = calls.split_off(5);
    calls.sort();
    assert_eq!(
        calls,
        [
            "create A",
            "create New",
            "update B",
            "update Beside",
            "update C"
        ]
    );
    assert_eq!(deletions.len(), 2, "{deletions:?}");
    assert!(
        deletions
            .iter()
            .all(|call| call == "delete A" || call == "delete Gone")
    );
    assert!(cloud.stack().leftovers.is_empty());

    cloud.update(&json!({"Resources": after()["Resources"]}));
    cloud.finish();
    assert_eq!(fake.calls(), Vec::<String>::new());
    assert!(cloud.stack().outputs.is_empty());
}

#[test]
fn a_creation_that_fails_anywhere_leaves_nothing() {
    for at in 0..5 {
        let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cloud = Cloud::on(&folder, &fake);
        fake.mishap(at, Mishap::Fails);
        cloud.create(&before());
        cloud.finish();
        assert_eq!(cloud.status(), "ROLLBACK_COMPLETE", "call {at}");
        assert!(fake.there().is_empty(), "call {at}");
        let events = cloud.events();
        assert!(
            events.iter().any(|event| event.ends_with(" CREATE_FAILED")),
            "{events:?}"
        );
        assert!(
            events.contains(&"blog ROLLBACK_IN_PROGRESS".to_owned()),
            "{events:?}"
        );
    }
}

#[test]
fn an_update_that_fails_anywhere_leaves_what_was_there() {
    for at in 0..5 {
        let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cloud = Cloud::on(&folder, &fake);
        cloud.create(&before());
        cloud.finish();
        let (things, stack) = (fake.there(), cloud.stack());
        fake.mishap(at, Mishap::Fails);
        cloud.update(&after());
        cloud.finish();
        assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE", "call {at}");
        assert_eq!(fake.there(), things, "call {at}");
        let now = cloud.stack();
        assert_eq!(now.template, stack.template);
        assert_eq!(now.outputs, stack.outputs);
        assert!(now.leftovers.is_empty());
        for (id, resource) in &stack.resources {
            assert_eq!(
                now.resources[id].physical_id, resource.physical_id,
                "call {at}"
            );
            assert_eq!(
                now.resources[id].properties, resource.properties,
                "call {at}"
            );
            assert_eq!(
                now.resources[id].attributes, resource.attributes,
                "call {at}"
            );
        }
        assert_eq!(now.resources.len(), stack.resources.len());

        // And it can be updated again.
        fake.things.lock().unwrap().mishap = None;
        cloud.update(&after());
        cloud.finish();
        assert_eq!(cloud.status(), "UPDATE_COMPLETE");
        assert_eq!(shape(&fake), shape_of(&[&before(), &after()]));
    }
}

#[test]
fn a_creation_that_the_process_does_not_live_to_finish_goes_on_with_an_update() {
    for at in 0..5 {
        for (mishap, orphans) in [(Mishap::EndsBefore, 0), (Mishap::EndsAfter, 1)] {
            let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
            let cloud = Cloud::on(&folder, &fake);
            fake.mishap(at, mishap);
            cloud.create(&before());
            cloud.end_at_mishap();

            fake.things.lock().unwrap().mishap = None;
            let cloud = Cloud::on(&folder, &fake);
            assert_eq!(cloud.status(), "CREATE_FAILED", "call {at}");
            assert!(
                cloud
                    .stack()
                    .status_reason
                    .unwrap()
                    .contains("ended while this operation")
            );
            cloud.update(&before());
            cloud.finish();
            assert_eq!(cloud.status(), "UPDATE_COMPLETE", "call {at} {mishap:?}");
            // What was made and not heard of cannot be known.
            assert_eq!(fake.there().len(), 5 + orphans, "call {at} {mishap:?}");
            cloud.delete();
            cloud.finish();
            assert_eq!(fake.there().len(), orphans, "call {at} {mishap:?}");
        }
    }
}

#[test]
fn an_update_that_the_process_does_not_live_to_finish_goes_on_with_the_next() {
    // Five calls forward, two deletions.
    for at in 0..7 {
        for mishap in [Mishap::EndsBefore, Mishap::EndsAfter] {
            let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
            let cloud = Cloud::on(&folder, &fake);
            cloud.create(&before());
            cloud.finish();
            fake.mishap(at, mishap);
            cloud.update(&after());
            cloud.end_at_mishap();

            let made_unheard = mishap == Mishap::EndsAfter
                && fake.things.lock().unwrap().calls[at].starts_with("create");
            fake.things.lock().unwrap().mishap = None;
            let cloud = Cloud::on(&folder, &fake);
            let expected = if at < 5 {
                "UPDATE_FAILED"
            } else {
                "UPDATE_COMPLETE"
            };
            assert_eq!(cloud.status(), expected, "call {at} {mishap:?}");
            // A change of the template, so that there is one where the update was complete.
            let mut goal = after();
            goal["Description"] = json!("again");
            cloud.update(&goal);
            cloud.finish();
            assert_eq!(cloud.status(), "UPDATE_COMPLETE", "call {at} {mishap:?}");
            if made_unheard {
                assert_eq!(fake.there().len(), 6, "call {at} {mishap:?}");
            } else {
                assert_eq!(
                    shape(&fake),
                    shape_of(&[&before(), &after()]),
                    "call {at} {mishap:?}"
                );
            }
        }
    }
}

#[test]
fn policies_decide_what_is_deleted() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = Cloud::on(&folder, &fake);
    let with = |policy: &str| {
        let mut thing = thing(json!({"Size": "s"}));
        thing["DeletionPolicy"] = json!(policy);
        thing["UpdateReplacePolicy"] = json!("Snapshot");
        thing
    };
    let template = json!({"Resources": {
        "Keep": with("Retain"), "Except": with("RetainExceptOnCreate"), "Snap": with("Snapshot"),
    }});
    cloud.create(&template);
    cloud.finish();
    fake.calls();
    let mut replaced = template.clone();
    replaced["Resources"]["Keep"]["Properties"]["Size"] = json!("l");
    cloud.update(&replaced);
    cloud.finish();
    assert_eq!(fake.calls(), ["create Keep", "snapshot Keep"]);
    cloud.delete();
    cloud.finish();
    assert_eq!(fake.calls(), ["snapshot Snap"]);
    assert_eq!(fake.there().len(), 2);
    assert!(cloud.events().contains(&"Keep DELETE_SKIPPED".to_owned()));
}

#[test]
fn what_cannot_be_deleted_keeps_what_it_depends_on() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = Cloud::on(&folder, &fake);
    cloud.create(&before());
    cloud.finish();
    // C is the first of its chain to go.
    fake.calls();
    fake.mishap(1, Mishap::Fails);
    cloud.delete();
    cloud.finish();
    assert_eq!(cloud.status(), "DELETE_FAILED");
    let failed = cloud.stack();
    let kept: Vec<&String> = failed.resources.keys().collect();
    let reason = failed.status_reason.clone().unwrap();
    assert!(
        reason.starts_with("The following resource(s) failed to delete: ["),
        "{reason}"
    );
    assert!(!kept.is_empty());
    for resource in failed.resources.values() {
        for need in &resource.depends_on {
            assert!(failed.resources.contains_key(need), "{kept:?}");
        }
    }
    fake.things.lock().unwrap().mishap = None;
    cloud.delete();
    cloud.finish();
    assert_eq!(cloud.status(), "DELETE_COMPLETE");
    assert!(fake.there().is_empty());
}

#[test]
fn a_failed_creation_is_kept_or_deleted_where_that_is_asked_for() {
    for (on_failure, status, there) in [
        (OnFailure::DoNothing, "CREATE_FAILED", 0),
        (OnFailure::Delete, "DELETE_COMPLETE", 0),
    ] {
        let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cloud = Cloud::on(&folder, &fake);
        fake.mishap(0, Mishap::Fails);
        let template = json!({"Resources": {"A": thing(json!({}))}});
        cloud.create_with(&template, on_failure);
        cloud.finish();
        assert_eq!(cloud.status(), status);
        assert_eq!(fake.there().len(), there);
    }
}

#[test]
fn an_export_that_is_in_use_stays() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = Cloud::on(&folder, &fake);
    let exporting = json!({"Resources": {"A": thing(json!({}))},
        "Outputs": {"A": {"Value": {"Ref": "A"}, "Export": {"Name": "a"}}}});
    cloud.create(&exporting);
    cloud.finish();
    let importing = json!({"Resources": {"B": thing(json!({"Uses": {"Fn::ImportValue": "a"}}))}});
    {
        let _context = cloud.runtime.enter();
        cloud
            .service
            .create_stack("user", wish(&importing), OnFailure::Rollback, None)
            .unwrap();
    }
    cloud.finish();
    let refused = cloud
        .service
        .delete_stack("blog", &Deletion::default())
        .unwrap_err();
    insta::assert_snapshot!(refused.message, @"Export a cannot be deleted as it is in use by user");
    cloud.update(&json!({"Resources": exporting["Resources"]}));
    cloud.finish();
    assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE");
    let reasons: Vec<String> = cloud
        .stack()
        .events
        .into_iter()
        .filter_map(|event| event.reason)
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("Export a cannot be updated as it is in use by user")),
        "{reasons:?}"
    );
}
