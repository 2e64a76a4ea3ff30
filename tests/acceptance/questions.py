"""What no document settles about AWS. Each question is one function that returns the answer.

An answer is neither right nor wrong: it goes into the report, and from there into the emulator's
rules. A sandbox answers with the emulator's rules, which settles nothing unless AWS documents them;
what it lacks to answer, such as CloudTrail, is an `OnlyInAccount`.
"""

import contextlib
import datetime
import json

from botocore.exceptions import ClientError

from account import Failed, OnlyInAccount
from stacks import CAPABILITIES, CHANGE_SET, ROOT, task_roles

SCALING = "application-autoscaling"
NOTHING_YET = "CloudTrail has nothing yet; it can be 15 minutes late"


def documented(question):
    """Marks a question to which AWS's documents have an answer, too."""
    question.is_documented = True
    return question


class Questions:
    """Asked after the checks, when both services have had releases."""

    def __init__(self, stacks, releases, images, outputs):
        self.stacks, self.releases, self.images = stacks, releases, images
        self.account, self.web, self.shop = stacks.account, outputs["web"], outputs["shop"]
        self.ecs = self.account.client("ecs")

    def in_order(self):
        return [
            self.permissions_of_scalable_targets,
            self.rebalancing_and_maximum,
            self.deployment_configuration_sent_back,
            self.first_pull,
            self.signature,
            self.wrong_functions_stack,
            self.role_assumed_from_outside,
            self.live_role_that_cannot_be_passed,
            self.rollback_that_may_not_pass_a_role,
            self.refused_previous_values,
            self.changed_tag_of_a_stack,
            # Last, because CloudTrail is late.
            self.callers_of_scalable_targets,
            self.alarms_of_scalable_targets,
        ]

    def permissions_of_scalable_targets(self):
        """Does suspending scale-in demand permissions on alarms and services too?"""
        arn = self.stacks.create_small(self.stacks.probe, PROBE, {"Fn::GetAtt": ["It", "Arn"]})

        def session():
            try:
                return self.account.client("sts").assume_role(
                    RoleArn=arn, RoleSessionName="acceptance")["Credentials"]
            except ClientError:
                return None

        # A new role and its policy take a while to be known everywhere.
        made = self.account.wait(f"a session of {arn}", 5, session)
        scaling = self.account.client_of(made, SCALING)
        # The live colour: a registration moves a count below the minimum.
        live = f"{self.stacks.shop}-{self.releases.live(self.shop)}"

        answers = []

        def answer():
            answers.append(refusal(
                scaling.register_scalable_target,
                ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount",
                ResourceId=f"service/{self.stacks.cluster}/{live}",
                SuspendedState={"DynamicScalingInSuspended": False}))
            return "AccessDenied" not in answers[-1]

        with contextlib.suppress(Failed):
            self.account.wait("the permission to register a target", 5, answer)
        return "no" if answers[-1] == ACCEPTED else f"yes: {answers[-1]}"

    def callers_of_scalable_targets(self):
        """Which calls does Application Auto Scaling make in the name of the caller?"""
        seen = set()
        for detail in self.recorded("RegisterScalableTarget", "PutMetricAlarm", "DeleteAlarms",
                                    "UpdateService"):
            by = detail["userIdentity"].get("invokedBy") or detail.get("sourceIPAddress")
            about = json.dumps(detail.get("requestParameters"), sort_keys=True)
            what = f"{detail['eventName']} of {about} by {by}"
            seen.add(f"{what}: {detail.get('errorCode', 'done')}")
        return "; ".join(sorted(seen)) or NOTHING_YET

    def alarms_of_scalable_targets(self):
        """Of which alarms does it try the permissions, if the role may change none by its name?"""
        seen = set()
        for detail in self.recorded("PutMetricAlarm", "DeleteAlarms"):
            asked = detail.get("requestParameters") or {}
            names = asked.get("alarmNames") or asked.get("alarmName") or "no name"
            seen.add(f"{detail['eventName']} of {names}: {detail.get('errorMessage', 'done')}")
        return "; ".join(sorted(seen)) or NOTHING_YET

    def recorded(self, *names):
        """The calls of these operations that CloudTrail has of this run."""
        if self.account.is_sandbox:
            raise OnlyInAccount("the emulator has no CloudTrail")
        since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3)
        events = self.account.client("cloudtrail").get_paginator("lookup_events")
        pages = [page for name in names for page in events.paginate(
            StartTime=since,
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])]
        return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]

    @documented
    def rebalancing_and_maximum(self):
        """Does ECS refuse a maximum of 100 % while Availability Zone rebalancing is on?"""
        about = {"cluster": self.stacks.cluster, "service": self.stacks.web}
        found = self.releases.service(self.stacks.web)["deploymentConfiguration"]
        before = {name: found[name] for name in ("maximumPercent", "minimumHealthyPercent")}
        full = {"maximumPercent": 100, "minimumHealthyPercent": 50}
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
        if self.account.is_sandbox:
            raise OnlyInAccount("the emulator does not evaluate what a role trusts services with")
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
        values["TaskRoleArns"] = task_roles(self.web)
        try:
            status = self.stacks.try_create(name, ROOT / template, values)
            return f"{status}: {self.stacks.failures(name)[:1]}"
        except Exception as refused:
            return f"at the change set: {refused}"
        finally:
            self.stacks.delete_stack(name)

    @documented
    def role_assumed_from_outside(self):
        """Can the caller of this run, who is none of the functions, assume a deploy role?"""
        pipeline = self.stacks.web_pipeline
        roles = {logical: physical for logical, physical, _ in
                 self.stacks.resources(pipeline, "AWS::IAM::Role")}
        role = self.account.client("iam").get_role(RoleName=roles["DeployRole"])["Role"]
        return refusal(self.account.client("sts").assume_role, RoleArn=role["Arn"],
                       RoleSessionName="acceptance",
                       ExternalId=self.account.arn("codepipeline", pipeline))

    @documented
    def live_role_that_cannot_be_passed(self):
        """What ends a release whose prior revision has a role that may not be passed?"""
        pipeline = self.stacks.web_pipeline
        service = self.releases.service(self.stacks.web)
        live = self.ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        definition = {name: value for name, value in live["taskDefinition"].items()
                      if name not in READ_ONLY and value != []}
        other = {**definition, "taskRoleArn": self.shop["TaskRoleArn"]}
        made = self.ecs.register_task_definition(**other)["taskDefinition"]
        self.ecs.register_task_definition(**definition)
        with contextlib.ExitStack() as undo:
            self.circuit_breaker(False)
            undo.callback(self.circuit_breaker, True)
            undo.callback(self.deployed, service["taskDefinition"])
            self.deployed(made["taskDefinitionArn"])
            # The newest revision has roles that may be passed: its registration does not answer the question.
            self.set_parameter(pipeline, "Base", "newest")
            undo.callback(self.set_parameter, pipeline, "Base", "running")
            digest = self.images.push(self.web["RepositoryName"], "2.0.0", good=False)
            ended = self.releases.ended(pipeline, digest)
            execution = self.releases.execution(pipeline, digest)
            failed = self.releases.failed_actions(pipeline, execution)
        return f"{ended[1]}: {failed}"

    @documented
    def rollback_that_may_not_pass_a_role(self):
        """What does a rollback that may not pass a role any more report, and how does it end?"""
        pipeline = self.stacks.web_pipeline
        before = self.releases.service(self.stacks.web)["taskDefinition"]

        def deploying():
            return self.releases.service(self.stacks.web)["taskDefinition"] != before

        def noted():
            record = self.releases.item(f"execution#{execution}", "record")
            return record.get("reason") or record.get("outcome")

        with contextlib.ExitStack() as undo:
            self.circuit_breaker(False)
            undo.callback(self.circuit_breaker, True)
            digest = self.images.push(self.web["RepositoryName"], "2.1.0", good=False)
            self.account.wait("the deployment of the broken image", 30, deploying)
            execution = self.releases.execution(pipeline, digest)["pipelineExecutionId"]
            listed = task_roles(self.web)
            with contextlib.ExitStack() as denied:
                self.set_parameter(pipeline, "TaskRoleArns", task_roles(self.shop))
                denied.callback(self.set_parameter, pipeline, "TaskRoleArns", listed)
                self.account.client("codepipeline").stop_pipeline_execution(
                    pipelineName=pipeline, pipelineExecutionId=execution,
                    abandon=True, reason="acceptance")
                found = self.account.wait("a note of the rollback", 15, noted)
            ended = self.releases.ended(pipeline, digest)
        return f"{found}; with the role again: {ended[1]}"

    def circuit_breaker(self, is_on):
        breaker = {"enable": is_on, "rollback": is_on}
        self.ecs.update_service(cluster=self.stacks.cluster, service=self.stacks.web,
                                deploymentConfiguration={"deploymentCircuitBreaker": breaker})

    def set_parameter(self, stack, name, value):
        """Changes one parameter of a stack, and nothing else."""
        given = {"ParameterKey": name, "ParameterValue": value}
        self.stacks.change(stack, UsePreviousTemplate=True,
                           Parameters=[*self.stacks.kept(stack, but=name), given])

    def deployed(self, task_definition):
        about = {"cluster": self.stacks.cluster, "service": self.stacks.web}
        self.ecs.update_service(**about, taskDefinition=task_definition)

        def steady():
            found = self.releases.service(self.stacks.web)["deployments"]
            states = [(it["taskDefinition"], it.get("rolloutState")) for it in found]
            return states == [(task_definition, "COMPLETED")]

        self.account.wait(f"the deployment of {task_definition}", 15, steady)

    def refused_previous_values(self):
        """How does CloudFormation refuse to keep what a stack does not have?"""
        cloudformation, web, none = self.stacks.cloudformation, self.stacks.web, self.stacks.none
        kept, keep = self.stacks.kept(web), {"UsePreviousTemplate": True}
        kept_name = [{"ParameterKey": "Name", "UsePreviousValue": True}]
        body = {"TemplateBody": ROOT.joinpath("infra/service.yaml").read_text()}
        update = {
            "two templates": {"StackName": web, **keep, "TemplateBody": "{}"},
            "no stack": {"StackName": none, **keep},
            "a new parameter": {"StackName": web, **keep, "Parameters": [
                *kept, {"ParameterKey": "None", "UsePreviousValue": True}]},
            "a value beside": {"StackName": web, **keep, "Parameters": [
                {**it, "ParameterValue": "other"} for it in kept]},
            "nothing new": {"StackName": web, **keep, "Parameters": kept},
        }
        create = {
            "a new stack's template": keep,
            "a new stack's values": {**body, "Parameters": kept_name},
        }
        about = {"StackName": none, "ChangeSetName": CHANGE_SET, "ChangeSetType": "CREATE"}
        answers = [(name, refusal(cloudformation.update_stack, **members,
                                  Capabilities=CAPABILITIES)) for name, members in update.items()]
        # An update that is accepted, against the expectation, must end before the next question.
        self.account.wait(f"the end of an update of {web}", 60, lambda: self.stacks.ended(web))
        answers += [(name, refusal(cloudformation.create_change_set, **about, **members))
                    for name, members in create.items()]
        return "; ".join(f"{name}: {answer}" for name, answer in answers)

    def changed_tag_of_a_stack(self):
        """Does a changed tag of the pair's stack reset the weights of its rule?"""
        before, seen = self.releases.weights(self.shop), []
        rule = self.account.client("elbv2").describe_rules(
            RuleArns=[self.shop["ProductionRuleArn"]])["Rules"][0]

        def look():
            # The sweep sets weights back within a minute: the end of the change is too late.
            weights = self.releases.weights(self.shop)
            if weights not in [before, *seen]:
                seen.append(weights)

        status = self.stacks.change(
            self.stacks.shop, look, UsePreviousTemplate=True,
            Parameters=self.stacks.kept(self.stacks.shop),
            Tags=[{"Key": "acceptance", "Value": "changed"}])
        if not seen:
            return f"no: {status} with {before} all the time"
        try:
            self.account.wait("the repair of the weights", 10,
                              lambda: self.releases.weights(self.shop) == before)
            repaired = "the sweep set them back"
        except Failed as failure:
            repaired = str(failure)
            self.account.client("elbv2").modify_rule(
                RuleArn=rule["RuleArn"], Actions=rule["Actions"])
        return f"yes: {status} with {before}, then {seen}; {repaired}"


# A role that may register scalable targets, as the documents list it, and nothing else.
PROBE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": {
                "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}}]},
        "Policies": [{"PolicyName": "Register", "PolicyDocument": {
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Resource": "*",
                "Action": f"{SCALING}:RegisterScalableTarget"}]}}],
    },
}
ACCEPTED = "accepted"
# Members of a described task definition that RegisterTaskDefinition does not take.
READ_ONLY = ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
             "registeredAt", "registeredBy", "deregisteredAt")


def refusal(call, **arguments):
    """How AWS answers a call: `accepted`, or its error."""
    try:
        call(**arguments)
        return ACCEPTED
    except ClientError as refused:
        return str(refused)
