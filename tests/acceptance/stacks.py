"""Everything that a run deploys, and its removal.

Every name begins with the prefix, so removal needs nothing but the prefix: it lists what the
stacks hold, deletes them, and then what they retain. A stack that no run has made is left alone:
the name of its last change set shows it.
"""

import json
from pathlib import Path

from botocore.exceptions import ClientError, WaiterError

from account import POLL, Failed, expect, is_missing, unless_missing

ROOT = Path(__file__).resolve().parents[2]
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
# What the templates retain when their stack is deleted.
RETAINED = ("AWS::S3::Bucket", "AWS::ECR::Repository", "AWS::DynamoDB::Table")
CONTAINER = "web"
CHANGE_SET = "slipway-acceptance"
COLOURS = ("blue", "green")
# The weights of the records as their template has them.
RECORD_WEIGHTS = {"blue": 100, "green": 0}


class Stacks:
    """`network` is the pair of a VPC's id and a list of subnet ids."""

    def __init__(self, account, prefix, network, functions_template):
        self.account, self.prefix, self.network = account, prefix, network
        self.functions_template = functions_template
        self.cloudformation = account.client("cloudformation")
        self.cluster = prefix
        self.web, self.shop = f"{prefix}-web", f"{prefix}-shop"
        self.web_pipeline, self.shop_pipeline = f"{self.web}-pipeline", f"{self.shop}-pipeline"
        # A pair of which each service has a load balancer of its own, behind two records.
        self.site = f"{prefix}-site"
        self.site_pipeline, self.site_records = f"{self.site}-pipeline", f"{self.site}-records"
        self.site_zone, self.record_name = f"{self.site}-zone", f"site.{prefix}.test"
        # The bucket with the template of the functions.
        self.templates = f"{prefix}-templates"
        # What questions make, or would make if AWS did not refuse it.
        self.wrong, self.probe, self.none = (f"{prefix}-{it}" for it in ("wrong", "probe", "none"))

    # ---- deployment ----

    def deploy_functions(self):
        """Their template is too long for a request, as `sam package` writes it."""
        bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain",
                  "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
        bucket = self.create_small(self.templates, bucket, {"Ref": "It"})
        template = Path(self.functions_template).read_bytes()
        self.account.client("s3").put_object(Bucket=bucket, Key="functions.yaml", Body=template)
        url = f"https://{bucket}.s3.{self.account.region}.amazonaws.com/functions.yaml"
        return self.create(self.prefix, url, {})

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

    def deploy_site(self):
        """The outputs of both services by colour, and the id of the zone as `zone`."""
        template, made = ROOT / "infra/service.yaml", {}
        for colour in COLOURS:
            name = f"{self.site}-{colour}"
            values = {**self.service_values(name), "DesiredCount": "0"}
            if colour == "blue":
                values["DesiredCount"] = "1"
            else:
                values["RepositoryName"] = made["blue"]["RepositoryName"]
            made[colour] = self.create(name, template, values)

        zone = {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": f"{self.prefix}.test"}}
        zone = self.create_small(self.site_zone, zone, {"Ref": "It"})
        values = {"HostedZoneId": zone, "Name": self.record_name}
        values |= {f"{colour.title()}DnsName": made[colour]["LoadBalancerDnsName"]
                   for colour in COLOURS}
        records = ROOT / "tests/sandbox/examples/dns/records.yaml"
        self.create(self.site_records, records, values)
        return {**made, "zone": zone}

    def deploy_site_pipeline(self, site):
        values = self.pipeline_values(self.site_pipeline, self.site, site["blue"])
        values |= {"HostedZoneId": site["zone"], "RecordName": self.record_name,
                   "RecordType": "CNAME", "TaskRoleArns": site_roles(site), "Shift": "listed",
                   "Steps": "50,100", "StepMinutes": "1", "BakeMinutes": "2", "DrainMinutes": "1"}
        return self.create(self.site_pipeline, ROOT / "infra/pipelines/dns.yaml", values)

    def service_values(self, name):
        vpc, subnets = self.network
        return {"Name": name, "Cluster": self.cluster, "VpcId": vpc, "Subnets": ",".join(subnets),
                "AssignPublicIp": "ENABLED", "ContainerName": CONTAINER, "ContainerPort": "80",
                "ClientCidr": "10.0.0.0/8", "DeregistrationDelaySeconds": "10"}

    def deploy_web_pipeline(self, web):
        """The only one that finds the roles of its tasks."""
        values = self.pipeline_values(self.web_pipeline, self.web, web)
        return self.create(self.web_pipeline, ROOT / "infra/pipelines/in-place.yaml", values)

    def deploy_shop_pipeline(self, shop):
        values = self.pipeline_values(self.shop_pipeline, self.shop, shop)
        values |= {"Rule": shop["ProductionRuleArn"], "Shift": "linear", "StepPercent": "25",
                   "StepMinutes": "2", "BakeMinutes": "2", "DrainMinutes": "1",
                   "TaskRoleArns": task_roles(shop),
                   "ScalableTargetArns": self.scalable_targets()}
        return self.create(self.shop_pipeline, ROOT / "infra/pipelines/blue-green.yaml", values)

    def scalable_targets(self):
        """The ARNs of the scalable targets of the pair, which no stack exports."""
        scaling = self.account.client("application-autoscaling")
        ids = [f"service/{self.cluster}/{self.shop}-{colour}" for colour in ("blue", "green")]
        found = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=ids)
        return ",".join(it["ScalableTargetARN"] for it in found["ScalableTargets"])

    def pipeline_values(self, pipeline, service, outputs):
        return {"PipelineName": pipeline, "FunctionsStack": self.prefix, "Cluster": self.cluster,
                "Service": service, "Repository": outputs["RepositoryName"],
                "ContainerName": CONTAINER, "DeadlineMinutes": "15"}

    def create(self, name, template, values):
        """The outputs of a new stack, from a file or from the URL of a template."""
        status = self.try_create(name, template, values)
        expect(status == "CREATE_COMPLETE", f"{name}: {status}: {self.failures(name)}")
        return self.outputs(name)

    def create_small(self, name, resource, value):
        """One value of a new stack of one resource, `It`."""
        body = {"Resources": {"It": resource}, "Outputs": {"Value": {"Value": value}}}
        status = self.change(name, ChangeSetType="CREATE", TemplateBody=json.dumps(body))
        expect(status == "CREATE_COMPLETE", f"{name}: {status}: {self.failures(name)}")
        return self.outputs(name)["Value"]

    def try_create(self, name, template, values):
        """The status in which the creation of a stack ends."""
        parameters = [{"ParameterKey": key, "ParameterValue": value}
                      for key, value in values.items()]
        is_url = str(template).startswith("https://")
        source = ({"TemplateURL": template} if is_url
                  else {"TemplateBody": Path(template).read_text()})
        return self.change(name, ChangeSetType="CREATE", **source, Parameters=parameters)

    def change(self, name, look=None, **members):
        """The status in which a stack is after a change; `look` is called each second meanwhile."""
        about = {"StackName": name, "ChangeSetName": CHANGE_SET}
        change_set = self.cloudformation.create_change_set(
            **about, **members, Capabilities=CAPABILITIES)["Id"]
        try:
            self.cloudformation.get_waiter("change_set_create_complete").wait(
                **about, WaiterConfig={"Delay": max(1, int(POLL * self.account.pace / 2))})
        except WaiterError as failed:
            # One that failed would keep its name.
            self.cloudformation.delete_change_set(**about)
            raise Failed(f"{name}: {failed.last_response.get('StatusReason', failed)}") from failed
        self.cloudformation.execute_change_set(**about)

        def ended():
            if look:
                look()
            return self.ended(name, change_set)

        return self.account.wait(f"the change of {name}", 60, ended, poll=1 if look else POLL)

    def kept(self, name, but=None):
        """Parameters that keep their values, all of a stack or all but one."""
        return [{"ParameterKey": it["ParameterKey"], "UsePreviousValue": True}
                for it in self.described(name).get("Parameters", []) if it["ParameterKey"] != but]

    def ended(self, name, change_set=None):
        """The status of a stack, once nothing changes any more, and a change set has begun."""
        stack = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        begun = change_set in (None, stack.get("ChangeSetId"))
        status = stack["StackStatus"]
        return status if begun and not status.endswith("_IN_PROGRESS") else None

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
        pipelines = [self.site_pipeline, self.shop_pipeline, self.web_pipeline]
        site = [self.site_records, self.site_zone, f"{self.site}-green", f"{self.site}-blue"]
        return [self.wrong, self.probe, self.none, *pipelines, *site, self.shop, self.web,
                self.prefix, self.templates]

    def existing(self):
        """What has a name of this run already."""
        stacks = [f"stack {name}" for name in self.names() if self.described(name)]
        clusters = self.account.client("ecs").describe_clusters(clusters=[self.cluster])["clusters"]
        pages = self.account.client("ecr").get_paginator("describe_repositories").paginate()
        repositories = [it["repositoryName"] for page in pages for it in page["repositories"]
                        if it["repositoryName"].startswith(f"{self.prefix}-")]
        return (stacks + [f"repository {name}" for name in repositories]
                + [f"cluster {it['clusterName']}" for it in clusters if it["status"] != "INACTIVE"])

    def described(self, name):
        """A stack that is there, or None."""
        found = unless_missing(self.cloudformation.describe_stacks, StackName=name)
        return found["Stacks"][0] if found else None

    def remove(self):
        """Removes everything that has the prefix; the messages of what could not be removed."""
        steps = [("records", self.reset_records, None)]
        for name in self.names():
            retained = [(kind, physical) for _, physical, kind in self.resources(name)
                        if kind in RETAINED]
            steps.append((f"stack {name}", self.delete_stack, name))
            # At once, because only the stack has their names.
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
        return left + [f"{it} is still there" for it in self.existing()]

    def delete_stack(self, name):
        stack = self.described(name)
        if stack and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
            made = f":changeSet/{CHANGE_SET}/" in stack.get("ChangeSetId", "")
            expect(made, "not made by a run; delete it yourself")
            # A stack that is being updated, after Ctrl-C, is not deleted.
            self.account.wait(f"the update of {name}", 60, lambda: self.is_deletable(name))
        self.cloudformation.delete_stack(StackName=name)

        def gone():
            stack = self.described(name)
            status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
            if status == "DELETE_FAILED":
                raise Failed(f"{status}: {stack.get('StackStatusReason')}")
            return status == "DELETE_COMPLETE"

        self.account.wait(f"the deletion of {name}", 60, gone)

    def is_deletable(self, name):
        status = self.described(name)["StackStatus"]
        return not (status.startswith("UPDATE_") and status.endswith("_IN_PROGRESS"))

    def reset_records(self, _):
        """Gives records the weights of their stack: CloudFormation may delete no others."""
        for _, zone, _ in self.resources(self.site_zone, "AWS::Route53::HostedZone"):
            changes = [{"Action": "UPSERT", "ResourceRecordSet": {
                **it, "Weight": RECORD_WEIGHTS[it["SetIdentifier"]]}} for it in self.records(zone)]
            if changes:
                self.account.client("route53").change_resource_record_sets(
                    HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def records(self, zone):
        """The records of the site."""
        found = self.account.client("route53").list_resource_record_sets(HostedZoneId=zone)
        return [it for it in found["ResourceRecordSets"] if it["Name"] == f"{self.record_name}."]

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
                self.account.pause(1)

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


def site_roles(site):
    return ",".join(task_roles(site[colour]) for colour in COLOURS)
