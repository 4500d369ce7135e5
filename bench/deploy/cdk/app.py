#!/usr/bin/env python3
"""The example's stack as a CDK program: what a user would otherwise write. Two routes, a cluster, a migration."""

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds


class Aurora(cdk.Stack):
    def __init__(self, scope, id, **more):
        super().__init__(scope, id, **more)
        vpc = ec2.Vpc(self, "VPC")
        self.cluster = rds.DatabaseCluster(
            self,
            "Cluster",
            engine=rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.VER_3_08_2),
            credentials=rds.Credentials.from_generated_secret("admin"),
            default_database_name="blog",
            enable_data_api=True,
            serverless_v2_min_capacity=0,
            serverless_v2_max_capacity=4,
            vpc=vpc,
            writer=rds.ClusterInstance.serverless_v2("Writer"),
        )
        scripts = lambda_.LayerVersion(self, "Scripts", code=lambda_.Code.from_asset("scripts"))
        migrate = function(self, "Migrate", self.cluster, layers=[scripts])
        resource = cdk.CustomResource(self, "Migration", service_token=migrate.function_arn)
        resource.node.add_dependency(self.cluster)


class Api(cdk.Stack):
    def __init__(self, scope, id, cluster, **more):
        super().__init__(scope, id, **more)
        api = apigateway.RestApi(self, "Api", deploy_options=apigateway.StageOptions(stage_name="prod"))
        posts = api.root.add_resource("posts")
        posts.add_cors_preflight(allow_origins=["*"])
        for method, name in [("GET", "GetPosts"), ("POST", "CreatePosts")]:
            posts.add_method(method, apigateway.LambdaIntegration(function(self, name, cluster)))


def function(scope, name, cluster, **more):
    made = lambda_.Function(
        scope,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="posts.handler",
        code=lambda_.Code.from_asset("functions"),
        environment={"CLUSTER_ARN": cluster.cluster_arn, "SECRET_ARN": cluster.secret.secret_arn},
        **more,
    )
    made.add_to_role_policy(iam.PolicyStatement(actions=["rds-data:*"], resources=[cluster.cluster_arn]))
    cluster.secret.grant_read(made)
    return made


app = cdk.App()
aurora = Aurora(app, "aurora")
Api(app, "api", aurora.cluster)
app.synth()
