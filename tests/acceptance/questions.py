"""What no document settles about AWS. Each question is one function that returns the answer.

An answer is neither right nor wrong: it goes into the report, and from there into the emulator's
rules. A question that an account cannot answer, such as a sandbox without CloudTrail, says so.
"""

import datetime
import json

from botocore.exceptions import ClientError

from stacks import ROOT

MISSING = "User is missing the following permissions"


class Questions:
    """Asked after the checks, when both services have had releases."""

    def __init__(self, stacks, releases, images, outputs):
        self.stacks, self.releases, self.images = stacks, releases, images
        self.account, self.web, self.shop = stacks.account, outputs["web"], outputs["shop"]
        self.ecs = self.account.client("ecs")

    def in_order(self):
        return [
            self.permissions_of_scalable_targets,
            self.callers_of_scalable_targets,
            self.rebalancing_and_maximum,
            self.deployment_configuration_sent_back,
            self.first_pull,
            self.signature,
            self.wrong_functions_stack,
            self.role_assumed_from_outside,
            self.live_role_that_cannot_be_passed,
            self.changed_tag_of_a_stack,
        ]

    def permissions_of_scalable_targets(self):
        """Does suspending scale-in demand permissions on alarms and services too?"""
        pipeline = self.stacks.shop_pipeline
        listed = self.account.client("codepipeline").list_pipeline_executions(pipelineName=pipeline)
        failed = [message for summary in listed["pipelineExecutionSummaries"]
                  for message in self.releases.failed_actions(pipeline, summary)]
        refused = [message for message in failed if MISSING in message]
        return f"yes: {refused[0]}" if refused else "no: every fill suspended scale-in"

    def callers_of_scalable_targets(self):
        """Which calls does Application Auto Scaling make in the name of the caller?"""
        since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)
        trail = self.account.client("cloudtrail")
        seen = set()
        for name in ("RegisterScalableTarget", "PutMetricAlarm", "DeleteAlarms", "UpdateService"):
            pages = trail.get_paginator("lookup_events").paginate(
                StartTime=since,
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])
            for event in [event for page in pages for event in page["Events"]]:
                detail = json.loads(event["CloudTrailEvent"])
                by = detail["userIdentity"].get("invokedBy") or detail.get("sourceIPAddress")
                seen.add(f"{name} by {by}: {detail.get('errorCode', 'done')}")
        return "; ".join(sorted(seen)) or "CloudTrail has nothing yet; it can be 15 minutes late"

    def rebalancing_and_maximum(self):
        """Does ECS refuse a maximum of 100 % while Availability Zone rebalancing is on?"""
        about = {"cluster": self.stacks.cluster, "service": self.stacks.web}
        before = self.releases.service(self.stacks.web)["deploymentConfiguration"]
        full = {**before, "maximumPercent": 100, "minimumHealthyPercent": 50}
        self.ecs.update_service(**about, availabilityZoneRebalancing="ENABLED")
        try:
            return refusal(self.ecs.update_service, **about, deploymentConfiguration=full)
        finally:
            self.ecs.update_service(**about, availabilityZoneRebalancing="DISABLED",
                                    deploymentConfiguration=before)

    def deployment_configuration_sent_back(self):
        """Does UpdateService take what DescribeServices returns as deployment configuration?"""
        about = {"cluster": self.stacks.cluster, "service": self.stacks.web}
        found = self.releases.service(self.stacks.web)["deploymentConfiguration"]
        answer = refusal(self.ecs.update_service, **about, deploymentConfiguration=found)
        return f"{answer}: {json.dumps(found, sort_keys=True)}"

    def first_pull(self):
        """Do tasks start while the execution role's trust names the account?"""
        found = self.releases.service(self.stacks.web)
        return f"yes: {found['runningCount']} of {found['desiredCount']} tasks run"

    def signature(self):
        """What does a pipeline do with a signature that cosign pushes?"""
        pipeline, repository = self.stacks.web_pipeline, self.web["RepositoryName"]
        images = self.account.client("ecr").describe_images(
            repositoryName=repository, imageIds=[{"imageTag": "1.0.0"}])
        tag, digest = self.images.push_signature(
            repository, images["imageDetails"][0]["imageDigest"])
        claim = self.account.wait("the note of the push", 10, lambda: self.releases.item(
            f"push#{pipeline}", digest))
        execution = self.releases.execution(pipeline, digest)
        started = execution["status"] if execution else "no execution"
        return f"{tag}: {claim.get('refusal', 'not refused')}; {started}"

    def wrong_functions_stack(self):
        """Where does a pipeline stack with an unknown functions' stack fail?"""
        name, template = self.stacks.wrong, "infra/pipelines/in-place.yaml"
        values = self.stacks.pipeline_values(name, self.stacks.web, self.web)
        values["FunctionsStack"] = f"{self.stacks.prefix}-none"
        try:
            status = self.stacks.try_create(name, ROOT / template, values)
            return f"{status}: {self.stacks.failures(name)[:1]}"
        except Exception as refused:
            return f"at the change set: {refused}"
        finally:
            self.stacks.delete_stack(name)

    def role_assumed_from_outside(self):
        """Can the caller of this run, who is none of the functions, assume a deploy role?"""
        pipeline = self.stacks.web_pipeline
        roles = {logical: physical for logical, physical, _ in
                 self.stacks.resources(pipeline, "AWS::IAM::Role")}
        role = self.account.client("iam").get_role(RoleName=roles["DeployRole"])["Role"]
        return refusal(self.account.client("sts").assume_role, RoleArn=role["Arn"],
                       RoleSessionName="acceptance",
                       ExternalId=self.account.arn("codepipeline", pipeline))

    def live_role_that_cannot_be_passed(self):
        """What ends a release whose prior revision has a role that may not be passed?"""
        service = self.releases.service(self.stacks.web)
        live = self.ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        definition = {name: value for name, value in live["taskDefinition"].items()
                      if name not in READ_ONLY and value != []}
        definition["taskRoleArn"] = self.shop["TaskRoleArn"]
        made = self.ecs.register_task_definition(**definition)["taskDefinition"]
        self.deployed(made["taskDefinitionArn"])
        digest = self.images.push(self.web["RepositoryName"], "2.0.0")
        ended = self.releases.ended(self.stacks.web_pipeline, digest)
        pipeline = self.stacks.web_pipeline
        failed = self.releases.failed_actions(pipeline, self.releases.execution(pipeline, digest))
        self.deployed(service["taskDefinition"])
        return f"{ended[1]}: {failed}"

    def deployed(self, task_definition):
        about = {"cluster": self.stacks.cluster, "service": self.stacks.web}
        self.ecs.update_service(**about, taskDefinition=task_definition)

        def steady():
            found = self.releases.service(self.stacks.web)["deployments"]
            return len(found) == 1 and found[0].get("rolloutState") == "COMPLETED"

        self.account.wait(f"the deployment of {task_definition}", 15, steady)

    def changed_tag_of_a_stack(self):
        """Does a changed tag of the pair's stack reset the weights of its rule?"""
        before = self.releases.weights(self.shop)
        kept = [{"ParameterKey": it["ParameterKey"], "UsePreviousValue": True}
                for it in self.stacks.described(self.stacks.shop)["Parameters"]]
        rule = self.account.client("elbv2").describe_rules(
            RuleArns=[self.shop["ProductionRuleArn"]])["Rules"][0]
        self.stacks.change(self.stacks.shop, UsePreviousTemplate=True, Parameters=kept,
                           Tags=[{"Key": "acceptance", "Value": "changed"}])
        after = self.releases.weights(self.shop)
        if after != before:
            self.account.client("elbv2").modify_rule(
                RuleArn=rule["RuleArn"], Actions=rule["Actions"])
        return f"{'no' if after == before else 'yes'}: {before}, then {after}"


# Members of a described task definition that RegisterTaskDefinition does not take.
READ_ONLY = ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
             "registeredAt", "registeredBy", "deregisteredAt")


def refusal(call, **arguments):
    """How AWS answers a call: `accepted`, or its error."""
    try:
        call(**arguments)
        return "accepted"
    except ClientError as refused:
        return str(refused)
