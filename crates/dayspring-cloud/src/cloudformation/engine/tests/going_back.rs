//! What is asked of an operation that runs or failed, and what an update is not allowed to do.

use super::*;
use crate::cloudformation::operations::NewChangeSet;
use crate::cloudformation::stack::ChangeSetKind;

/// A cloud whose stack stands as [`before`] says.
fn standing(folder: &TempDir, fake: &Fake) -> Cloud {
    let cloud = Cloud::on(folder, fake);
    cloud.create(&before());
    cloud.finish();
    cloud
}

impl Cloud {
    /// Goes on until a call was made.
    fn until_called(&self, call: &str) {
        self.runtime.block_on(async {
            while !self
                .fake
                .things
                .lock()
                .unwrap()
                .calls
                .contains(&call.to_owned())
            {
                tokio::task::yield_now().await;
            }
        });
    }

    fn update_with(&self, template: &Value, how: Update) {
        let _context = self.runtime.enter();
        self.service
            .update_stack("blog", wish(template), how)
            .unwrap();
        self.finish();
    }

    /// Why the stack's events say that something failed or went back.
    fn reasons(&self, status: &str) -> Vec<String> {
        self.stack()
            .events
            .iter()
            .filter(|event| event.status == status)
            .filter_map(|event| event.reason.clone())
            .collect()
    }
}

#[test]
fn an_update_that_is_cancelled_goes_back() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = standing(&folder, &fake);
    let refused = cloud.service.cancel_update("blog").unwrap_err();
    insta::assert_snapshot!(refused.message, @"CancelUpdateStack cannot be called from current stack status");
    fake.calls();
    let gate = fake.hold("create A");
    cloud.update(&after());
    cloud.until_called("create A");
    cloud.service.cancel_update("blog").unwrap();
    gate.notify_one();
    cloud.finish();
    assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(
        cloud.reasons("UPDATE_ROLLBACK_IN_PROGRESS"),
        ["User Initiated"]
    );
    assert_eq!(shape(&fake), shape_of(&[&before()]));
}

#[test]
fn a_stack_that_is_deleted_while_it_is_made_leaves_nothing() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = Cloud::on(&folder, &fake);
    let gate = fake.hold("create A");
    cloud.create(&before());
    cloud.until_called("create A");
    cloud.delete();
    assert_eq!(cloud.status(), "DELETE_IN_PROGRESS");
    gate.notify_one();
    cloud.finish();
    assert_eq!(cloud.status(), "DELETE_COMPLETE");
    assert!(fake.there().is_empty());
}

#[test]
fn a_rollback_that_failed_goes_on_when_it_is_asked_to() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = standing(&folder, &fake);
    fake.refuse(&[("update C", 1), ("update Beside", 2)]);
    cloud.update(&after());
    cloud.finish();
    assert_eq!(cloud.status(), "UPDATE_ROLLBACK_FAILED");
    let refused = cloud
        .service
        .update_stack("blog", wish(&after()), Update::default())
        .unwrap_err();
    assert!(
        refused
            .message
            .ends_with("is in UPDATE_ROLLBACK_FAILED state and can not be updated.")
    );
    // It is known after a restart too.
    drop(cloud);
    let cloud = Cloud::on(&folder, &fake);
    {
        let _context = cloud.runtime.enter();
        cloud.service.continue_rollback("blog", &[]).unwrap();
    }
    cloud.finish();
    assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(shape(&fake), shape_of(&[&before()]));
    let refused = cloud.service.continue_rollback("blog", &[]).unwrap_err();
    assert!(
        refused
            .message
            .ends_with("is in UPDATE_ROLLBACK_COMPLETE state and can not be rolled back.")
    );
}

#[test]
fn what_cannot_be_brought_back_can_be_skipped() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = standing(&folder, &fake);
    fake.refuse(&[("update C", 1), ("update Beside", 2)]);
    cloud.update(&after());
    cloud.finish();
    let skip = |id: &str| {
        let _context = cloud.runtime.enter();
        cloud.service.continue_rollback("blog", &[id.to_owned()])
    };
    assert!(
        skip("A")
            .unwrap_err()
            .message
            .contains("[A] is not a resource")
    );
    skip("Beside").unwrap();
    cloud.finish();
    assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE");
    let beside = fake.there().into_values().find(|(id, _)| id == "Beside");
    assert_eq!(beside.unwrap().1["Value"], "2");
}

#[test]
fn what_was_left_as_it_failed_can_be_rolled_back_or_updated_from_there() {
    let disabled = || Update {
        disable_rollback: true,
        ..Update::default()
    };
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = standing(&folder, &fake);
    fake.refuse(&[("update C", 1), ("update C", 2)]);
    cloud.update_with(&after(), disabled());
    assert_eq!(cloud.status(), "UPDATE_FAILED");
    // A second failure does not make the first one's remains the state to go back to.
    cloud.update_with(&after(), disabled());
    assert_eq!(cloud.status(), "UPDATE_FAILED");
    {
        let _context = cloud.runtime.enter();
        cloud.service.roll_back_stack("blog").unwrap();
    }
    cloud.finish();
    assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(shape(&fake), shape_of(&[&before()]));

    fake.refuse(&[("update C", 1)]);
    cloud.update_with(&after(), disabled());
    cloud.update_with(&after(), Update::default());
    assert_eq!(cloud.status(), "UPDATE_COMPLETE");
    assert_eq!(shape(&fake), shape_of(&[&before(), &after()]));

    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = Cloud::on(&folder, &fake);
    fake.refuse(&[("create B", 1)]);
    cloud.create_with(&before(), OnFailure::DoNothing);
    cloud.finish();
    assert_eq!(cloud.status(), "CREATE_FAILED");
    {
        let _context = cloud.runtime.enter();
        cloud.service.roll_back_stack("blog").unwrap();
    }
    cloud.finish();
    assert_eq!(cloud.status(), "ROLLBACK_COMPLETE");
    assert!(fake.there().is_empty());
}

#[test]
fn a_stack_policy_keeps_resources_from_being_replaced_or_deleted() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = standing(&folder, &fake);
    let denying = |action: &str, id: &str| {
        json!({"Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": action, "Principal": "*", "Resource": format!("LogicalResourceId/{id}")},
        ]})
        .to_string()
    };
    let policy = denying("Update:Replace", "A");
    cloud.service.set_policy("blog", Some(policy)).unwrap();
    cloud.update_with(&after(), Update::default());
    assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE");
    assert!(cloud.reasons("UPDATE_FAILED").contains(&"Action denied by stack policy: Statement [#2] does not allow [Update:Replace] for resource [LogicalResourceId/A]".to_owned()));
    assert_eq!(shape(&fake), shape_of(&[&before()]));

    let for_once = |policy: String| Update {
        policy_during_update: Some(policy),
        ..Update::default()
    };
    cloud.update_with(&after(), for_once(denying("Update:Delete", "Gone")));
    assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE");
    assert!(cloud.reasons("UPDATE_FAILED").contains(&"Action denied by stack policy: Statement [#2] does not allow [Update:Delete] for resource [LogicalResourceId/Gone]".to_owned()));

    cloud.update_with(&after(), for_once(denying("Update:Modify", "Nothing")));
    assert_eq!(cloud.status(), "UPDATE_COMPLETE");
    assert_eq!(shape(&fake), shape_of(&[&before(), &after()]));
}

#[test]
fn a_failed_update_keeps_what_it_made_only_where_the_policy_says_retain() {
    for (policy, kept) in [("Retain", true), ("RetainExceptOnCreate", false)] {
        let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cloud = standing(&folder, &fake);
        let mut template = before();
        template["Resources"]["New"] = thing(json!({}));
        template["Resources"]["New"]["DeletionPolicy"] = policy.into();
        template["Resources"]["Late"] = thing(json!({"Uses": {"Ref": "New"}}));
        fake.refuse(&[("create Late", 1)]);
        cloud.update(&template);
        cloud.finish();
        assert_eq!(cloud.status(), "UPDATE_ROLLBACK_COMPLETE");
        let there = fake.there().into_values().any(|(id, _)| id == "New");
        assert_eq!(there, kept, "{policy}");
    }
}

#[test]
fn a_change_set_is_executed_once_and_not_after_another_update() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let cloud = standing(&folder, &fake);
    let make = |name: &str| {
        let new = NewChangeSet {
            stack: "blog".to_owned(),
            name: name.to_owned(),
            kind: ChangeSetKind::Update,
            description: None,
            on_failure: None,
            include_values: false,
            wish: wish(&after()),
        };
        cloud.service.create_change_set(new).unwrap();
    };
    let execute = |name: &str| {
        let _context = cloud.runtime.enter();
        cloud.service.execute_change_set(name, Some("blog"), false)
    };
    let of = |name: &str| {
        let (_, set) = cloud.service.find_change_set(name, Some("blog")).unwrap();
        set.execution.name()
    };
    make("first");
    let mut other = after();
    other["Resources"]["Beside"]["Properties"]["Value"] = "3".into();
    cloud.update_with(&other, Update::default());
    assert_eq!(of("first"), "OBSOLETE");
    let refused = execute("first").unwrap_err();
    assert_eq!(refused.kind, "InvalidChangeSetStatus");
    assert!(
        refused
            .message
            .ends_with("cannot be executed in its current execution status of [OBSOLETE]")
    );

    make("second");
    make("third");
    execute("second").unwrap();
    let refused = execute("second").unwrap_err();
    assert!(
        refused.message.ends_with("[EXECUTE_IN_PROGRESS]"),
        "{}",
        refused.message
    );
    assert_eq!(execute("third").unwrap_err().kind, "ChangeSetNotFound");
    cloud.finish();
    assert_eq!(of("second"), "EXECUTE_COMPLETE");
}
