"""Everything that a run deploys, and its removal.

Every name begins with the prefix, so removal needs nothing but the prefix: it lists what the
stacks hold, deletes them, and then what they retain. A stack that no run has made is left alone:
the name of its last change set shows it.
"""

import time
from pathlib import Path

from botocore.exceptions import ClientError

from account import Failed, expect, is_missing, unless_missing

ROOT = Path(__file__).resolve().parents[2]
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
# What the templates retain when their stack is deleted.
RETAINED = ("AWS::S3::Bucket", "AWS::ECR::Repository", "AWS::DynamoDB::Table")
CONTAINER = "web"
CHANGE_SET = "slipway-acceptance"


class Stacks:
    """`network` is the pair of a VPC's id and a list of subnet ids."""

    def __init__(self, account, prefix, network, functions_template):
        self.account, self.prefix, self.network = account, prefix, network
        self.functions_template = functions_template
        self.cloudformation = account.client("cloudformation")
        self.cluster = prefix
        self.web, self.shop = f"{prefix}-web", f"{prefix}-shop"
        self.web_pipeline, self.shop_pipeline = f"{self.web}-pipeline", f"{self.shop}-pipeline"
        self.wrong = f"{prefix}-wrong"

    # ---- deployment ----

    def deploy_functions(self):
        return self.create(self.prefix, self.functions_template, {})

    def create_cluster(self):
        self.account.client("ecs").create_cluster(clusterName=self.cluster)

    def deploy_web(self):
        return self.create(self.web, ROOT / "infra/service.yaml", self.web_values(self.cluster))

    def web_values(self, cluster):
        return {**self.service_values(self.web), "Cluster": cluster, "DesiredCount": "2"}

    def deploy_shop(self):
        values = {**self.service_values(self.shop), "BlueGreen": "yes", "MinCapacity": "1",
                  "MaxCapacity": "2"}
        return self.create(self.shop, ROOT / "infra/service.yaml", values)

    def service_values(self, name):
        vpc, subnets = self.network
        return {"Name": name, "Cluster": self.cluster, "VpcId": vpc, "Subnets": ",".join(subnets),
                "AssignPublicIp": "ENABLED", "ContainerName": CONTAINER, "ContainerPort": "80",
                "ClientCidr": "10.0.0.0/8", "DeregistrationDelaySeconds": "10"}

    def deploy_web_pipeline(self, web):
        values = self.pipeline_values(self.web_pipeline, self.web, web)
        return self.create(self.web_pipeline, ROOT / "infra/pipelines/in-place.yaml", values)

    def deploy_shop_pipeline(self, shop):
        values = self.pipeline_values(self.shop_pipeline, self.shop, shop)
        values |= {"Rule": shop["ProductionRuleArn"], "Shift": "linear", "StepPercent": "25",
                   "StepMinutes": "2", "BakeMinutes": "2", "DrainMinutes": "1"}
        return self.create(self.shop_pipeline, ROOT / "infra/pipelines/blue-green.yaml", values)

    def pipeline_values(self, pipeline, service, outputs):
        return {"PipelineName": pipeline, "FunctionsStack": self.prefix, "Cluster": self.cluster,
                "Service": service, "Repository": outputs["RepositoryName"],
                "ContainerName": CONTAINER, "DeadlineMinutes": "15",
                "TaskRoleArns": task_roles(outputs)}

    def create(self, name, template, values):
        """The outputs of a new stack."""
        status = self.try_create(name, template, values)
        expect(status == "CREATE_COMPLETE", f"{name}: {status}: {self.failures(name)}")
        return self.outputs(name)

    def try_create(self, name, template, values):
        """The status in which the creation of a stack ends."""
        parameters = [{"ParameterKey": key, "ParameterValue": value}
                      for key, value in values.items()]
        return self.change(name, ChangeSetType="CREATE", TemplateBody=Path(template).read_text(),
                           Parameters=parameters)

    def change(self, name, **members):
        """The status in which a stack is after a change."""
        about = {"StackName": name, "ChangeSetName": CHANGE_SET}
        self.cloudformation.create_change_set(**about, **members, Capabilities=CAPABILITIES)
        self.cloudformation.get_waiter("change_set_create_complete").wait(
            **about, WaiterConfig={"Delay": max(1, int(self.account.poll / 2))})
        self.cloudformation.execute_change_set(**about)
        return self.account.wait(f"the change of {name}", 60, lambda: self.ended(name))

    def ended(self, name):
        """The status of a stack, once nothing changes any more."""
        status = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        return None if status.endswith("_IN_PROGRESS") else status

    def failures(self, name):
        events = self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
                for event in events if event["ResourceStatus"].endswith("_FAILED")]

    def outputs(self, name):
        stack = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return {it["OutputKey"]: it["OutputValue"] for it in stack.get("Outputs", [])}

    def resources(self, name, kind=None):
        """Logical and physical ids, by type if one is given; none of a stack that is not there."""
        found = unless_missing(self.cloudformation.describe_stack_resources, StackName=name)
        return [(it["LogicalResourceId"], it["PhysicalResourceId"], it["ResourceType"])
                for it in (found or {}).get("StackResources", [])
                if it.get("PhysicalResourceId") and kind in (None, it["ResourceType"])]

    # ---- removal ----

    def names(self):
        """The stacks in the order of their removal: importers before exporters."""
        return [self.wrong, self.shop_pipeline, self.web_pipeline, self.shop, self.web, self.prefix]

    def existing(self):
        """What has a name of this run already."""
        stacks = [f"stack {name}" for name in self.names() if self.described(name)]
        clusters = self.account.client("ecs").describe_clusters(clusters=[self.cluster])["clusters"]
        return stacks + [f"cluster {it['clusterName']}" for it in clusters
                         if it["status"] != "INACTIVE"]

    def described(self, name):
        """A stack that is there, or None."""
        found = unless_missing(self.cloudformation.describe_stacks, StackName=name)
        return found["Stacks"][0] if found else None

    def remove(self):
        """Removes everything that has the prefix; the messages of what could not be removed."""
        retained = [(kind, physical) for name in self.names()
                    for _, physical, kind in self.resources(name) if kind in RETAINED]
        steps = [(f"stack {name}", self.delete_stack, name) for name in self.names()]
        steps += [(f"{kind} {physical}", self.delete_retained, (kind, physical))
                  for kind, physical in retained]
        steps += [("task definitions", self.deregister, None),
                  ("cluster", self.delete_cluster, None)]
        left = []
        for what, step, argument in steps:
            try:
                step(argument)
            except (ClientError, Failed) as error:
                left.append(f"{what}: {error}")
        return left

    def delete_stack(self, name):
        stack = self.described(name)
        if stack and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
            made = f":changeSet/{CHANGE_SET}/" in stack.get("ChangeSetId", "")
            expect(made, "not made by a run; delete it yourself")
        self.cloudformation.delete_stack(StackName=name)

        def gone():
            stack = self.described(name)
            status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
            if status == "DELETE_FAILED":
                raise Failed(f"{status}: {stack.get('StackStatusReason')}")
            return status == "DELETE_COMPLETE"

        self.account.wait(f"the deletion of {name}", 60, gone)

    def delete_retained(self, resource):
        kind, physical = resource
        if kind == "AWS::S3::Bucket":
            self.delete_bucket(physical)
        elif kind == "AWS::ECR::Repository":
            ecr = self.account.client("ecr")
            unless_missing(ecr.delete_repository, repositoryName=physical, force=True)
        else:
            self.delete_table(physical)

    def delete_table(self, table):
        dynamodb = self.account.client("dynamodb")
        unless_missing(dynamodb.update_table, TableName=table, DeletionProtectionEnabled=False)

        def deleted():
            try:
                unless_missing(dynamodb.delete_table, TableName=table)
                return True
            except dynamodb.exceptions.ResourceInUseException:
                return False

        self.account.wait(f"the deletion of {table}", 5, deleted)

    def delete_bucket(self, bucket):
        s3 = self.account.client("s3")
        while page := unless_missing(s3.list_object_versions, Bucket=bucket):
            versions = page.get("Versions", []) + page.get("DeleteMarkers", [])
            if not versions:
                unless_missing(s3.delete_bucket, Bucket=bucket)
                return
            objects = [{"Key": it["Key"], "VersionId": it["VersionId"]} for it in versions]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            expect(not answer.get("Errors"), answer.get("Errors"))

    def deregister(self, _):
        ecs = self.account.client("ecs")
        pages = ecs.get_paginator("list_task_definition_families").paginate(
            familyPrefix=f"{self.prefix}-", status="ACTIVE")
        for family in [family for page in pages for family in page["families"]]:
            arns = ecs.get_paginator("list_task_definitions").paginate(familyPrefix=family)
            for arn in [arn for page in arns for arn in page["taskDefinitionArns"]]:
                ecs.deregister_task_definition(taskDefinition=arn)
                time.sleep(self.account.poll / 10)

    def delete_cluster(self, _):
        def deleted():
            try:
                self.account.client("ecs").delete_cluster(cluster=self.cluster)
                return True
            except ClientError as error:
                if "ClusterContains" in error.response["Error"]["Code"]:
                    return False
                if is_missing(error):
                    return True
                raise

        self.account.wait("the end of the cluster's tasks", 15, deleted)


def task_roles(outputs):
    return f"{outputs['TaskRoleArn']},{outputs['ExecutionRoleArn']}"
