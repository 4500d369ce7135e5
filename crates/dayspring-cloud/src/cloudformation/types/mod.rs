//! The resource types that this cloud has: a file each, with the properties it knows, what a change of each does, and
//! what `Ref` and `Fn::GetAtt` give. Property lists and replacement rules follow CloudFormation's template reference.

mod api_gateway_account;
mod api_gateway_deployment;
mod api_gateway_gateway_response;
mod api_gateway_method;
mod api_gateway_resource;
mod api_gateway_rest_api;
mod api_gateway_stage;
mod custom_resource;
mod ec2_security_group;
mod ec2_subnet;
mod ec2_vpc;
mod iam_role;
mod inline_code;
mod lambda_alias;
mod lambda_function;
mod lambda_layer_version;
mod lambda_permission;
mod lambda_version;
mod logs_log_group;
mod properties;
mod rds_db_cluster;
mod rds_db_cluster_parameter_group;
mod rds_db_instance;
mod rds_db_subnet_group;
mod recorded;
mod responses;
mod s3_bucket;
mod secrets_manager_secret;
mod ssm_parameter;
mod unsupported;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::provider::{Existing, Failure, Provider, Provisioned, Request, Schema};
use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::lambda::Lambda;
use crate::logs::Logs;
use crate::parity::Notices;
use crate::rds::Rds;
use crate::s3::S3;
use crate::secrets::Secrets;
use crate::ssm::Ssm;
use crate::world::World;
use properties::Reader;
use recorded::Recorded;
pub(crate) use responses::{BYTES_MAX as RESPONSE_BYTES_MAX, PATH as RESPONSE_PATH, Responses};

/// The services that the resource types are made in.
#[derive(Debug, Clone)]
pub(crate) struct Types {
    pub(crate) identity: Identity,
    pub(crate) world: World,
    /// `http://HOST:PORT` of this cloud: where custom resources send their answers.
    pub(crate) endpoint_url: String,
    pub(crate) lambda: Lambda,
    pub(crate) gateway: Gateway,
    pub(crate) rds: Rds,
    pub(crate) logs: Logs,
    pub(crate) s3: S3,
    pub(crate) ssm: Ssm,
    pub(crate) secrets: Secrets,
    pub(crate) responses: Responses,
    pub(crate) notices: Notices,
}

/// A resource type of this cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Vpc,
    Subnet,
    SecurityGroup,
    DbSubnetGroup,
    DbClusterParameterGroup,
    DbCluster,
    DbInstance,
    LayerVersion,
    Function,
    Version,
    Alias,
    Permission,
    Role,
    LogGroup,
    RestApi,
    Resource,
    Method,
    Deployment,
    Stage,
    GatewayResponse,
    Account,
    Bucket,
    Parameter,
    Secret,
    Custom,
    Recorded(Recorded),
}

impl Kind {
    fn parse(name: &str) -> Option<Self> {
        let kind = match name {
            "AWS::EC2::VPC" => Self::Vpc,
            "AWS::EC2::Subnet" => Self::Subnet,
            "AWS::EC2::SecurityGroup" => Self::SecurityGroup,
            "AWS::RDS::DBSubnetGroup" => Self::DbSubnetGroup,
            "AWS::RDS::DBClusterParameterGroup" => Self::DbClusterParameterGroup,
            "AWS::RDS::DBCluster" => Self::DbCluster,
            "AWS::RDS::DBInstance" => Self::DbInstance,
            "AWS::Lambda::LayerVersion" => Self::LayerVersion,
            "AWS::Lambda::Function" => Self::Function,
            "AWS::Lambda::Version" => Self::Version,
            "AWS::Lambda::Alias" => Self::Alias,
            "AWS::Lambda::Permission" => Self::Permission,
            "AWS::IAM::Role" => Self::Role,
            "AWS::Logs::LogGroup" => Self::LogGroup,
            "AWS::ApiGateway::RestApi" => Self::RestApi,
            "AWS::ApiGateway::Resource" => Self::Resource,
            "AWS::ApiGateway::Method" => Self::Method,
            "AWS::ApiGateway::Deployment" => Self::Deployment,
            "AWS::ApiGateway::Stage" => Self::Stage,
            "AWS::ApiGateway::GatewayResponse" => Self::GatewayResponse,
            "AWS::ApiGateway::Account" => Self::Account,
            "AWS::SecretsManager::Secret" => Self::Secret,
            "AWS::CloudFormation::CustomResource" => Self::Custom,
            "AWS::S3::Bucket" => Self::Bucket,
            "AWS::SSM::Parameter" => Self::Parameter,
            other if other.len() > 8 && other.starts_with("Custom::") => Self::Custom,
            other => Self::Recorded(Recorded::parse(other)?),
        };
        Some(kind)
    }

    fn schema(self) -> &'static Schema {
        match self {
            Self::Vpc => &ec2_vpc::SCHEMA,
            Self::Subnet => &ec2_subnet::SCHEMA,
            Self::SecurityGroup => &ec2_security_group::SCHEMA,
            Self::DbSubnetGroup => &rds_db_subnet_group::SCHEMA,
            Self::DbClusterParameterGroup => &rds_db_cluster_parameter_group::SCHEMA,
            Self::DbCluster => &rds_db_cluster::SCHEMA,
            Self::DbInstance => &rds_db_instance::SCHEMA,
            Self::LayerVersion => &lambda_layer_version::SCHEMA,
            Self::Function => &lambda_function::SCHEMA,
            Self::Version => &lambda_version::SCHEMA,
            Self::Alias => &lambda_alias::SCHEMA,
            Self::Permission => &lambda_permission::SCHEMA,
            Self::Role => &iam_role::SCHEMA,
            Self::LogGroup => &logs_log_group::SCHEMA,
            Self::RestApi => &api_gateway_rest_api::SCHEMA,
            Self::Resource => &api_gateway_resource::SCHEMA,
            Self::Method => &api_gateway_method::SCHEMA,
            Self::Deployment => &api_gateway_deployment::SCHEMA,
            Self::Stage => &api_gateway_stage::SCHEMA,
            Self::GatewayResponse => &api_gateway_gateway_response::SCHEMA,
            Self::Account => &api_gateway_account::SCHEMA,
            Self::Bucket => &s3_bucket::SCHEMA,
            Self::Parameter => &ssm_parameter::SCHEMA,
            Self::Secret => &secrets_manager_secret::SCHEMA,
            Self::Custom => &custom_resource::SCHEMA,
            Self::Recorded(recorded) => recorded.schema(),
        }
    }
}

/// The names of the types, for whoever wrote one wrongly.
const NAMES: &[&str] = &[
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::CloudFormation::CustomResource",
    "AWS::EC2::FlowLog",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::ECR::Repository",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBSubnetGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
];

impl Provider for Types {
    fn type_names(&self) -> &'static [&'static str] {
        NAMES
    }

    fn schema(&self, type_name: &str) -> Option<&'static Schema> {
        Kind::parse(type_name).map(Kind::schema)
    }

    fn unsupported(&self, type_name: &str, properties: &Map<String, Value>) -> Option<String> {
        unsupported::unsupported(type_name, properties)
    }

    async fn create(&self, request: Request) -> Result<Provisioned, Failure> {
        let kind = Kind::parse(&request.type_name).ok_or_else(|| unknown(&request))?;
        self.tell(&request);
        match kind {
            Kind::Vpc => ec2_vpc::put(self, &request, None),
            Kind::Subnet => ec2_subnet::put(self, &request, None),
            Kind::SecurityGroup => ec2_security_group::put(self, &request, None),
            Kind::DbSubnetGroup => rds_db_subnet_group::put(self, &request, None),
            Kind::DbClusterParameterGroup => {
                rds_db_cluster_parameter_group::put(self, &request, None)
            }
            Kind::Role => iam_role::put(self, &request, None),
            Kind::Account => api_gateway_account::put(self, &request, None),
            Kind::Permission => lambda_permission::put(self, &request, None),
            Kind::LogGroup => logs_log_group::put(self, &request, None),
            Kind::DbCluster => rds_db_cluster::create(self, &request).await,
            Kind::DbInstance => rds_db_instance::create(self, &request),
            Kind::LayerVersion => lambda_layer_version::create(self, &request),
            Kind::Function => lambda_function::put(self, &request, None).await,
            Kind::Version => lambda_version::create(self, &request).await,
            Kind::Alias => lambda_alias::put(self, &request, None).await,
            Kind::RestApi => api_gateway_rest_api::create(self, &request),
            Kind::Resource => api_gateway_resource::create(self, &request),
            Kind::Method => api_gateway_method::put(self, &request),
            Kind::Deployment => api_gateway_deployment::create(self, &request),
            Kind::Stage => api_gateway_stage::put(self, &request),
            Kind::GatewayResponse => api_gateway_gateway_response::put(self, &request),
            Kind::Bucket => s3_bucket::put(self, &request, None),
            Kind::Parameter => ssm_parameter::put(self, &request, None),
            Kind::Secret => secrets_manager_secret::create(self, &request),
            Kind::Custom => custom_resource::create(self, &request).await,
            Kind::Recorded(recorded) => recorded.put(self, &request, None),
        }
    }

    async fn update(&self, request: Request, before: Existing) -> Result<Provisioned, Failure> {
        let kind = Kind::parse(&request.type_name).ok_or_else(|| unknown(&request))?;
        self.tell(&request);
        match kind {
            Kind::Vpc => ec2_vpc::put(self, &request, Some(before)),
            Kind::Subnet => ec2_subnet::put(self, &request, Some(before)),
            Kind::SecurityGroup => ec2_security_group::put(self, &request, Some(before)),
            Kind::DbSubnetGroup => rds_db_subnet_group::put(self, &request, Some(before)),
            Kind::DbClusterParameterGroup => {
                rds_db_cluster_parameter_group::put(self, &request, Some(before))
            }
            Kind::Role => iam_role::put(self, &request, Some(before)),
            Kind::Account => api_gateway_account::put(self, &request, Some(before)),
            Kind::Permission => lambda_permission::put(self, &request, Some(before)),
            Kind::LogGroup => logs_log_group::put(self, &request, Some(before)),
            Kind::DbCluster => rds_db_cluster::update(self, &request, before).await,
            Kind::Function => lambda_function::put(self, &request, Some(before)).await,
            Kind::Alias => lambda_alias::put(self, &request, Some(before)).await,
            Kind::RestApi => api_gateway_rest_api::update(self, &request, before),
            Kind::Method => api_gateway_method::put(self, &request),
            Kind::Stage => api_gateway_stage::put(self, &request),
            Kind::GatewayResponse => api_gateway_gateway_response::put(self, &request),
            Kind::Bucket => s3_bucket::put(self, &request, Some(before)),
            Kind::Parameter => ssm_parameter::put(self, &request, Some(before)),
            Kind::Secret => secrets_manager_secret::update(self, &request, before),
            Kind::Custom => custom_resource::update(self, &request, before).await,
            Kind::Recorded(recorded) => recorded.put(self, &request, Some(before)),
            // What matters of these cannot change in place; the rest is recorded.
            Kind::DbInstance
            | Kind::LayerVersion
            | Kind::Version
            | Kind::Resource
            | Kind::Deployment => Ok(unchanged(before)),
        }
    }

    async fn delete(
        &self,
        request: Request,
        before: Existing,
        snapshot: bool,
    ) -> Result<(), Failure> {
        let kind = Kind::parse(&request.type_name).ok_or_else(|| unknown(&request))?;
        match kind {
            Kind::Vpc
            | Kind::Subnet
            | Kind::SecurityGroup
            | Kind::DbSubnetGroup
            | Kind::DbClusterParameterGroup
            | Kind::Role
            | Kind::Account
            | Kind::Permission
            | Kind::Recorded(_) => Ok(()),
            Kind::Bucket => forgive_missing(self.s3.delete_bucket(&before.physical_id)),
            Kind::Parameter => {
                self.ssm.delete_parameter(&before.physical_id)?;
                Ok(())
            }
            Kind::LogGroup => Ok(self.logs.delete_group(&before.physical_id)?),
            Kind::DbCluster => Ok(self
                .rds
                .delete_cluster(&before.physical_id, snapshot)
                .await?),
            Kind::DbInstance => Ok(self.rds.delete_instance(&before.physical_id)?),
            Kind::LayerVersion => Ok(self.lambda.delete_layer_version(&before.physical_id)?),
            Kind::Function => Ok(self.lambda.delete_function(&before.physical_id).await?),
            Kind::Version => Ok(self.lambda.delete_version(&before.physical_id).await?),
            Kind::Alias => Ok(self.lambda.delete_alias(&before.physical_id).await?),
            Kind::RestApi => forgive_missing(self.gateway.delete_rest_api(&before.physical_id)),
            Kind::Resource => {
                let api = Reader::new(&before.properties).text("RestApiId")?;
                forgive_missing(self.gateway.delete_resource(&api, &before.physical_id))
            }
            Kind::Method => api_gateway_method::delete(self, &before),
            Kind::Deployment => {
                let api = Reader::new(&before.properties).text("RestApiId")?;
                // What knew of it in this stack is gone by now. A stage that still points at it was made in the moment
                // in which an earlier run was killed, and is in no record.
                self.gateway
                    .delete_stages_of(&api, &before.physical_id)
                    .and_then(|()| self.gateway.delete_deployment(&api, &before.physical_id))
                    .map_or_else(|error| forgive_missing(Err(error)), Ok)
            }
            Kind::Stage => {
                let api = Reader::new(&before.properties).text("RestApiId")?;
                forgive_missing(self.gateway.delete_stage(&api, &before.physical_id))
            }
            Kind::GatewayResponse => {
                let reader = Reader::new(&before.properties);
                let (api, kind) = (reader.text("RestApiId")?, reader.text("ResponseType")?);
                forgive_missing(self.gateway.delete_gateway_response(&api, &kind))
            }
            Kind::Secret => {
                self.secrets.delete(&before.physical_id);
                Ok(())
            }
            Kind::Custom => custom_resource::delete(self, &request, before).await,
        }
    }
}

impl Types {
    /// Warns of what AWS would do otherwise.
    fn tell(&self, request: &Request) {
        self.notices
            .resource(&request.type_name, &request.logical_id, &request.properties);
    }
}

/// Whether a resource type of this cloud has the property.
#[cfg(test)]
pub(crate) fn knows_property(type_name: &str, property: &str) -> bool {
    Kind::parse(type_name).is_some_and(|kind| kind.schema().change(property).is_some())
}

/// A resource whose physical id and attributes stay as they are.
fn unchanged(before: Existing) -> Provisioned {
    Provisioned {
        physical_id: before.physical_id,
        attributes: before.attributes,
        no_echo: false,
    }
}

fn provisioned<const N: usize>(
    physical_id: impl Into<String>,
    attributes: [(&str, &str); N],
) -> Provisioned {
    Provisioned {
        physical_id: physical_id.into(),
        attributes: attributes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect::<BTreeMap<_, _>>(),
        no_echo: false,
    }
}

/// The name that CloudFormation gives to a resource without one: `STACK-LOGICALID-12CHARACTERS`, shortened in the
/// first two parts to fit.
fn generated_name(world: World, request: &Request, length_max: usize) -> String {
    let prefix = format!("{}-{}", request.stack_name, request.logical_id);
    let prefix: String = prefix.chars().take(length_max - 13).collect();
    format!("{}-{}", prefix.trim_end_matches('-'), world.capitals(12))
}

/// What is to be deleted and is not there is deleted.
fn forgive_missing(result: Result<(), crate::error::AwsError>) -> Result<(), Failure> {
    match result {
        Err(error) if error.status == ::http::StatusCode::NOT_FOUND => Ok(()),
        other => Ok(other?),
    }
}

fn unknown(request: &Request) -> Failure {
    Failure::new(format!(
        "this cloud does not have the resource type {}",
        request.type_name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_name_ends_in_twelve_characters_and_fits() {
        let request = Request {
            stack_id: String::new(),
            stack_name: "a-very-long-stack-name-of-a-project-prod".to_owned(),
            logical_id: "AnEvenLongerLogicalIdOfAFunction".to_owned(),
            type_name: String::new(),
            properties: serde_json::Map::new(),
        };
        let name = generated_name(World::real(), &request, 64);
        assert_eq!(name.len(), 64);
        assert!(name.starts_with("a-very-long-stack-name-of-a-project-prod-AnEvenLon"));
    }

    #[test]
    fn every_type_of_the_list_has_a_schema_and_others_are_unknown() {
        assert_eq!(
            Kind::parse("Custom::DayspringMigration"),
            Some(Kind::Custom)
        );
        for name in NAMES {
            assert!(Kind::parse(name).is_some(), "{name}");
        }
        // And the other way round: every name that these files match is in the list.
        let sources = [include_str!("mod.rs"), include_str!("recorded.rs")];
        let matched = sources
            .iter()
            .flat_map(|source| source.lines())
            .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => "))
            .map(|(name, _)| name);
        for name in matched {
            assert!(NAMES.contains(&name), "{name}");
        }
        assert_eq!(Kind::parse("Custom::"), None);
        assert_eq!(Kind::parse("AWS::EC2::NatGateway"), None);
    }
}
