//! What the migrator is called with: CloudFormation's custom-resource request, or nothing in particular.

use dayspring_migrate::Phase;
use serde::Deserialize;

use crate::Error;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    /// CloudFormation, which waits for an answer at a URL.
    Resource(Box<ResourceRequest>),
    /// Anyone else (`dayspring`, the console): the answer is the invocation's payload.
    Direct,
}

/// CloudFormation's request
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>, read 2026-11-22).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceRequest {
    pub(crate) request_type: RequestType,
    #[serde(rename = "ResponseURL")]
    pub(crate) response_url: String,
    pub(crate) stack_id: String,
    pub(crate) request_id: String,
    pub(crate) logical_resource_id: String,
    pub(crate) physical_resource_id: Option<String>,
    #[serde(default)]
    pub(crate) resource_properties: Properties,
    /// Those before an update.
    #[serde(default)]
    pub(crate) old_resource_properties: Properties,
    /// Why the properties could not be read; they are left out then.
    #[serde(skip)]
    pub(crate) misread: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum RequestType {
    Create,
    Update,
    Delete,
}

/// The properties that matter here. `ScriptsDigest` only makes CloudFormation call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Properties {
    pub(crate) database: Option<String>,
    /// `contract` for the scripts that run when the new code is live.
    pub(crate) phase: Option<String>,
    /// The ARN of the secret with the account that the functions log in with.
    pub(crate) function_secret: Option<String>,
    /// That the database may be rebuilt from the scripts, where a statement that is applied has changed. Only a stage for
    /// development heeds it.
    pub(crate) rebuild: Option<String>,
    /// How long CloudFormation waits, in seconds: a number, or a text of one.
    pub(crate) service_timeout: Option<serde_json::Value>,
}

impl Properties {
    /// Which scripts are asked for.
    pub(crate) fn phase(&self) -> Phase {
        match self.phase.as_deref() {
            Some("contract") => Phase::Contract,
            Some(_) | None => Phase::Expand,
        }
    }
}

impl ResourceRequest {
    /// The id that the answer carries. It never changes once given: a changed id means a replacement, and a Delete of the
    /// old one.
    pub(crate) fn answered_physical_resource_id(&self) -> String {
        match (
            &self.physical_resource_id,
            &self.resource_properties.database,
        ) {
            (Some(given), _) => given.clone(),
            (None, Some(database)) => match self.resource_properties.phase() {
                Phase::Expand => format!("dayspring-migration-{database}"),
                Phase::Contract => format!("dayspring-contract-{database}"),
            },
            (None, None) => "dayspring-migration".to_owned(),
        }
    }
}

/// Reads an event. Whatever has a `ResponseURL` must be a whole request, because someone waits for its answer. Properties
/// that cannot be read, as a template written by hand may have, are no reason to leave them waiting.
pub(crate) fn parse(mut event: serde_json::Value) -> Result<Call, Error> {
    if event.get("ResponseURL").is_none() {
        return Ok(Call::Direct);
    }
    let resource = |request| Call::Resource(Box::new(request));
    let problem = match ResourceRequest::deserialize(&event) {
        Ok(request) => return Ok(resource(request)),
        Err(error) => error.to_string(),
    };
    for properties in ["ResourceProperties", "OldResourceProperties"] {
        event[properties] = serde_json::json!({});
    }
    match ResourceRequest::deserialize(&event) {
        Ok(request) => Ok(resource(ResourceRequest {
            misread: Some(problem),
            ..request
        })),
        Err(_) => Err(Error::Event { problem }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An event as CloudFormation sends it for the resource of the template.
    pub(crate) fn event(request_type: &str) -> serde_json::Value {
        let mut event = serde_json::json!({
            "RequestType": request_type,
            "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:blog-dev-Migrator-x",
            "ResponseURL": "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/arn%3Aaws%3Acloudformation%3Aeu-central-1%3A123456789012%3Astack/blog-dev/6c1d7c50%7CMigration%7C0b1c?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=5e",
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/blog-dev/6c1d7c50",
            "RequestId": "0b1c",
            "LogicalResourceId": "Migration",
            "ResourceType": "Custom::DayspringMigration",
            "ResourceProperties": {
                "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:blog-dev-Migrator-x",
                "ServiceTimeout": "3600",
                "ScriptsDigest": "9f86d081",
                "Database": "blog",
            },
        });
        if request_type != "Create" {
            event["PhysicalResourceId"] = "dayspring-migration-blog".into();
        }
        if request_type == "Update" {
            event["OldResourceProperties"] =
                serde_json::json!({"ScriptsDigest": "2c26b46b", "Database": "blog"});
        }
        event
    }

    pub(crate) fn request(request_type: &str) -> ResourceRequest {
        match parse(event(request_type)).unwrap() {
            Call::Resource(request) => *request,
            Call::Direct => panic!("the event has a ResponseURL"),
        }
    }

    #[test]
    fn each_kind_of_request_is_read_and_the_id_stays_the_same() {
        for (text, kind) in [
            ("Create", RequestType::Create),
            ("Update", RequestType::Update),
            ("Delete", RequestType::Delete),
        ] {
            let request = request(text);
            assert_eq!(request.request_type, kind);
            assert_eq!(
                request.answered_physical_resource_id(),
                "dayspring-migration-blog"
            );
        }
    }

    #[test]
    fn each_phase_is_a_resource_of_its_own() {
        let mut event = event("Create");
        event["ResourceProperties"]["Phase"] = "contract".into();
        let Ok(Call::Resource(request)) = parse(event) else {
            panic!("the event is a request");
        };
        assert_eq!(request.resource_properties.phase(), Phase::Contract);
        assert_eq!(
            request.answered_physical_resource_id(),
            "dayspring-contract-blog"
        );
    }

    #[test]
    fn an_id_that_was_given_is_kept_when_the_database_is_renamed() {
        let mut event = event("Update");
        event["ResourceProperties"]["Database"] = "other".into();
        let Ok(Call::Resource(request)) = parse(event) else {
            panic!("the event is a request");
        };
        assert_eq!(
            request.answered_physical_resource_id(),
            "dayspring-migration-blog"
        );
    }

    #[test]
    fn an_event_without_a_response_url_is_a_direct_call() {
        assert_eq!(parse(serde_json::json!({})), Ok(Call::Direct));
        assert_eq!(parse(serde_json::Value::Null), Ok(Call::Direct));
    }

    #[test]
    fn a_request_whose_properties_cannot_be_read_is_still_to_be_answered() {
        for property in ["ResourceProperties", "OldResourceProperties"] {
            let mut event = event("Update");
            event[property]["Database"] = serde_json::json!(["blog"]);
            let Ok(Call::Resource(request)) = parse(event) else {
                panic!("the event is a request");
            };
            assert_eq!(request.request_type, RequestType::Update);
            assert_eq!(
                request.misread.as_deref(),
                Some("invalid type: sequence, expected a string")
            );
        }
        assert_eq!(request("Update").misread, None);
    }

    #[test]
    fn a_broken_request_is_an_error_that_names_what_is_missing() {
        let mut event = event("Create");
        event["RequestType"] = "Replace".into();
        insta::assert_snapshot!(
            parse(event).unwrap_err(),
            @"the migrator does not understand this event: unknown variant `Replace`, expected one of `Create`, `Update`, `Delete`"
        );
    }
}
