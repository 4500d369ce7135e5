//! Resources that are recorded and nothing more: what `cdk bootstrap` makes beside its bucket and its parameter, and what
//! guards a stack on AWS and has nothing to guard here.

use super::properties::Reader;
use super::{Types, generated_name, provisioned, unchanged};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

/// A type that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    BucketPolicy,
    FlowLog,
    Key,
    KeyAlias,
    ManagedPolicy,
    Policy,
    Repository,
    /// It checks the parameters and the models that methods declare; those that do are refused.
    RequestValidator,
}

const BUCKET_POLICY: Schema = Schema {
    properties: Properties::Known(&[("Bucket", Replaces), ("PolicyDocument", InPlace)]),
    attributes: Attributes::Known(&[]),
};

const FLOW_LOG: Schema = Schema {
    properties: Properties::Known(&[
        ("DeliverCrossAccountRole", Replaces),
        ("DeliverLogsPermissionArn", Replaces),
        ("DestinationOptions", Replaces),
        ("LogDestination", Replaces),
        ("LogDestinationType", Replaces),
        ("LogFormat", Replaces),
        ("LogGroupName", Replaces),
        ("MaxAggregationInterval", Replaces),
        ("ResourceId", Replaces),
        ("ResourceType", Replaces),
        ("Tags", InPlace),
        ("TrafficType", Replaces),
    ]),
    attributes: Attributes::Known(&["Id"]),
};

const KEY: Schema = Schema {
    properties: Properties::Known(&[
        ("BypassPolicyLockoutSafetyCheck", InPlace),
        ("Description", InPlace),
        ("EnableKeyRotation", InPlace),
        ("Enabled", InPlace),
        ("KeyPolicy", InPlace),
        ("KeySpec", Replaces),
        ("KeyUsage", Replaces),
        ("MultiRegion", Replaces),
        ("Origin", Replaces),
        ("PendingWindowInDays", InPlace),
        ("RotationPeriodInDays", InPlace),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["Arn", "KeyId"]),
};

const KEY_ALIAS: Schema = Schema {
    properties: Properties::Known(&[("AliasName", Replaces), ("TargetKeyId", InPlace)]),
    attributes: Attributes::Known(&[]),
};

const MANAGED_POLICY: Schema = Schema {
    properties: Properties::Known(&[
        ("Description", Replaces),
        ("Groups", InPlace),
        ("ManagedPolicyName", Replaces),
        ("Path", Replaces),
        ("PolicyDocument", InPlace),
        ("Roles", InPlace),
        ("Users", InPlace),
    ]),
    attributes: Attributes::Known(&["PolicyArn", "PolicyId"]),
};

const POLICY: Schema = Schema {
    properties: Properties::Known(&[
        ("Groups", InPlace),
        ("PolicyDocument", InPlace),
        ("PolicyName", InPlace),
        ("Roles", InPlace),
        ("Users", InPlace),
    ]),
    attributes: Attributes::Known(&["Id"]),
};

const REPOSITORY: Schema = Schema {
    properties: Properties::Known(&[
        ("EmptyOnDelete", InPlace),
        ("EncryptionConfiguration", Replaces),
        ("ImageScanningConfiguration", InPlace),
        ("ImageTagMutability", InPlace),
        ("ImageTagMutabilityExclusionFilters", InPlace),
        ("LifecyclePolicy", InPlace),
        ("RepositoryName", Replaces),
        ("RepositoryPolicyText", InPlace),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["Arn", "RepositoryUri"]),
};

const REQUEST_VALIDATOR: Schema = Schema {
    properties: Properties::Known(&[
        ("Name", Replaces),
        ("RestApiId", Replaces),
        ("ValidateRequestBody", InPlace),
        ("ValidateRequestParameters", InPlace),
    ]),
    attributes: Attributes::Known(&["RequestValidatorId"]),
};

impl Recorded {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let recorded = match name {
            "AWS::ApiGateway::RequestValidator" => Self::RequestValidator,
            "AWS::EC2::FlowLog" => Self::FlowLog,
            "AWS::ECR::Repository" => Self::Repository,
            "AWS::IAM::ManagedPolicy" => Self::ManagedPolicy,
            "AWS::IAM::Policy" => Self::Policy,
            "AWS::KMS::Alias" => Self::KeyAlias,
            "AWS::KMS::Key" => Self::Key,
            "AWS::S3::BucketPolicy" => Self::BucketPolicy,
            _ => return None,
        };
        Some(recorded)
    }

    pub(super) fn schema(self) -> &'static Schema {
        match self {
            Self::BucketPolicy => &BUCKET_POLICY,
            Self::FlowLog => &FLOW_LOG,
            Self::Key => &KEY,
            Self::KeyAlias => &KEY_ALIAS,
            Self::ManagedPolicy => &MANAGED_POLICY,
            Self::Policy => &POLICY,
            Self::Repository => &REPOSITORY,
            Self::RequestValidator => &REQUEST_VALIDATOR,
        }
    }

    pub(super) fn put(
        self,
        types: &Types,
        request: &Request,
        before: Option<Existing>,
    ) -> Result<Provisioned, Failure> {
        if let Some(before) = before {
            return Ok(unchanged(before));
        }
        let reader = Reader::new(&request.properties);
        let account = &types.identity.account;
        let named = |property: &str, length_max| -> Result<String, Failure> {
            Ok(match reader.optional_text(property)? {
                Some(name) => name,
                None => generated_name(types.world, request, length_max),
            })
        };
        match self {
            Self::BucketPolicy => Ok(provisioned(reader.text("Bucket")?, [])),
            Self::FlowLog => {
                reader.text("ResourceId")?;
                reader.text("ResourceType")?;
                let id = format!("fl-{}", types.world.hex_digits(17));
                Ok(provisioned(id.clone(), [("Id", id.as_str())]))
            }
            Self::RequestValidator => {
                reader.text("RestApiId")?;
                reader.boolean("ValidateRequestBody")?;
                reader.boolean("ValidateRequestParameters")?;
                let alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
                let id = types.world.characters(alphabet, 6);
                Ok(provisioned(id.clone(), [("RequestValidatorId", &*id)]))
            }
            Self::Key => {
                let id = types.world.uuid();
                let arn = types.identity.arn("kms", &format!("key/{id}"));
                Ok(provisioned(id.clone(), [("Arn", &*arn), ("KeyId", &id)]))
            }
            Self::KeyAlias => {
                reader.text("TargetKeyId")?;
                Ok(provisioned(reader.text("AliasName")?, []))
            }
            Self::ManagedPolicy => {
                let name = named("ManagedPolicyName", 128)?;
                let path = reader.optional_text("Path")?;
                let path = path.as_deref().unwrap_or("/");
                // IAM is global: its ARNs have no region.
                let arn = format!("arn:aws:iam::{account}:policy{path}{name}");
                let id = format!("ANPA{}", types.world.capitals(17));
                let attributes = [("PolicyArn", arn.as_str()), ("PolicyId", &id)];
                Ok(provisioned(arn.clone(), attributes))
            }
            Self::Policy => {
                reader.text("PolicyName")?;
                let id = generated_name(types.world, request, 128);
                Ok(provisioned(id.clone(), [("Id", id.as_str())]))
            }
            Self::Repository => {
                let name = named("RepositoryName", 256)?.to_lowercase();
                let arn = types.identity.arn("ecr", &format!("repository/{name}"));
                let region = &types.identity.region;
                let uri = format!("{account}.dkr.ecr.{region}.amazonaws.com/{name}");
                Ok(provisioned(name, [("Arn", &*arn), ("RepositoryUri", &uri)]))
            }
        }
    }
}
