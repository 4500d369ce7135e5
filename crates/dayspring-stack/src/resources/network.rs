//! The network that a cluster must stand in, though nobody visits it there.
//!
//! Functions reach the database through the Data API, which is an AWS endpoint, so they stay outside of the network, and it needs
//! no gateway, no NAT and no route: isolated subnets in two zones, and a security group that lets nothing in.

use serde_json::json;

use crate::logical_id::LogicalId;
use crate::project::Stage;
use crate::resources::{log_group, role};
use crate::template::{Named, Resource, attribute, reference};

pub(crate) fn resources(stage: &Stage) -> Vec<Named> {
    let vpc = LogicalId::fixed("Vpc");
    let name = stage.stack_name();
    let mut resources = vec![(
        vpc.clone(),
        Resource::new(
            "AWS::EC2::VPC",
            json!({
                "CidrBlock": stage.network.cidr.to_string(),
                "EnableDnsHostnames": true,
                "EnableDnsSupport": true,
                "Tags": [{ "Key": "Name", "Value": name }],
            }),
        ),
    )];
    for (id, zone) in subnets(stage).into_iter().zip(0_u8..) {
        let subnet = Resource::new(
            "AWS::EC2::Subnet",
            json!({
                "VpcId": reference(&vpc),
                "AvailabilityZone": { "Fn::Select": [zone, { "Fn::GetAZs": "" }] },
                "CidrBlock": stage.network.cidr.part(zone).to_string(),
                "MapPublicIpOnLaunch": false,
                "Tags": [{ "Key": "Name", "Value": format!("{name}-{}", zone + 1) }],
            }),
        );
        resources.push((id, subnet));
    }
    let nobody = "127.0.0.1/32";
    let group = Resource::new(
        "AWS::EC2::SecurityGroup",
        json!({
            "GroupDescription": format!("The database of {name}: no way in, no way out"),
            "VpcId": reference(&vpc),
            // Without a rule AWS would add one that allows everything.
            "SecurityGroupEgress": [{
                "CidrIp": nobody,
                "IpProtocol": "-1",
                "Description": "Nothing leaves",
            }],
        }),
    );
    resources.push((security_group(), group));
    if !stage.development {
        resources.extend(flow_log(stage, &vpc));
    }
    resources
}

/// The record of who spoke to whom in the network, which should stay empty.
fn flow_log(stage: &Stage, vpc: &LogicalId) -> [Named; 3] {
    let logs = LogicalId::fixed("FlowLogs");
    let writer = LogicalId::fixed("FlowLogRole");
    let name = format!("/aws/vpc/{}", stage.stack_name());
    let flow_log = Resource::new(
        "AWS::EC2::FlowLog",
        json!({
            "ResourceId": reference(vpc),
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogGroupName": reference(&logs),
            "DeliverLogsPermissionArn": attribute(&writer, "Arn"),
        }),
    );
    [
        log_group(stage, logs.clone(), &name, stage.migrator.log_retention),
        (writer, role::flow_log_role(&logs)),
        (LogicalId::fixed("FlowLog"), flow_log),
    ]
}

/// The subnets, one in a zone.
pub(crate) fn subnets(stage: &Stage) -> Vec<LogicalId> {
    ["Subnet1", "Subnet2", "Subnet3"]
        .into_iter()
        .take(stage.network.zones.into())
        .map(LogicalId::fixed)
        .collect()
}

pub(crate) fn security_group() -> LogicalId {
    LogicalId::fixed("SecurityGroup")
}
