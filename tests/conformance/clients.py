#!/usr/bin/env python3
"""Tests unmodified AWS clients on `cargo sandbox serve`: every operation that it serves, paginators, waiters and errors.

Needs the AWS CLI on the PATH and boto3 (requirements-clients.txt). SANDBOX_BIN names the binary; without it
`cargo run` builds one. Prints `N passed, N failed`; exits with 1 when something failed.
"""

import base64
import io
import json
import os
import re
import subprocess
import sys
import time
import traceback
import urllib.request
from pathlib import Path

import boto3
import botocore.exceptions
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
SPEED = 120
# Seconds of real time; at the speed above the longest is more than half an hour of virtual time.
START_LIMIT, RELEASE_LIMIT, POLL = 600, 120, 0.5

CHECKS = []
CLUSTER, WEB, PIPELINE = "apps", "web", "slipway-web"


def check(function):
    CHECKS.append(function)
    return function


class Server:
    """The sandbox, on a free port."""

    def __init__(self, *arguments):
        binary = os.environ.get("SANDBOX_BIN")
        command = [binary] if binary else ["cargo", "run", "--quiet", "--package", "sandbox", "--"]
        command += ["serve", "--port", "0", "--speed", str(SPEED), *arguments]
        self.log = open(os.environ.get("SANDBOX_LOG", os.devnull), "w+")
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        if not found:
            raise SystemExit(f"the sandbox did not start: {first!r}")
        self.url = found.group(0)
        self.lines = []

    def environment(self):
        own = {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "any",
               "AWS_SECRET_ACCESS_KEY": "any", "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true",
               "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        return {**{k: v for k, v in os.environ.items() if not k.startswith("AWS_")}, **own}

    def stop(self):
        """Stops the sandbox as Ctrl-C does; returns its console's output."""
        self.process.send_signal(2)
        console = self.process.communicate(timeout=30)[0]
        return self.process.returncode, console


SERVER = None


def client(service):
    return boto3.client(service, endpoint_url=SERVER.url, region_name="eu-west-1", aws_access_key_id="any",
                        aws_secret_access_key="any", config=Config(retries={"max_attempts": 2}))


def cli(*arguments):
    """The JSON output of the AWS CLI."""
    done = subprocess.run(["aws", *arguments, "--output", "json"], env=SERVER.environment(), capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr.strip()
    return json.loads(done.stdout) if done.stdout.strip() else None


def cli_error(*arguments):
    done = subprocess.run(["aws", *arguments], env=SERVER.environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode != 0, done.stdout
    return done.stderr.strip()


def error(code, call, /, **arguments):
    """The message of the error with which a call must end."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as refused:
        assert refused.response["Error"]["Code"] == code, refused.response["Error"]
        return refused.response["Error"]["Message"]
    raise AssertionError(f"expected {code}, found a success")


def modelled(service, name, call, /, **arguments):
    """A call must end with an exception class of the service's own model."""
    try:
        call(**arguments)
    except getattr(service.exceptions, name):
        return
    raise AssertionError(f"expected {name}, found a success")


def all_pages(service, operation, member, size, /, **arguments):
    """All items of a paginator; with a page size, if the operation takes one, it must find the same."""
    paginator = service.get_paginator(operation)
    config = {"PageSize": size} if size else {}
    one = list(paginator.paginate(**arguments, PaginationConfig=config).search(member))
    once = list(paginator.paginate(**arguments).search(member))
    assert one == once, f"{operation}: {len(one)} by pages of {size}, {len(once)} at once"
    return once


def manifest(name, behaviour=None):
    document = {"schemaVersion": 2, "config": {"digest": name}}
    if behaviour:
        document["annotations"] = {"sandbox.behaviour": behaviour}
    return json.dumps(document)


def newest_execution(digest):
    """The newest ended execution for a digest, within a limit of real time."""
    deadline = time.monotonic() + RELEASE_LIMIT
    while time.monotonic() < deadline:
        listed = cli("codepipeline", "list-pipeline-executions", "--pipeline-name", PIPELINE)
        for summary in listed["pipelineExecutionSummaries"]:
            revisions = [revision.get("revisionId") for revision in summary.get("sourceRevisions", [])]
            if digest in revisions and summary["status"] not in ("InProgress", "Stopping"):
                return summary
        time.sleep(POLL)
    raise AssertionError(f"no execution for {digest} ended within {RELEASE_LIMIT} s")


def record(execution):
    """The ledger's record of an execution, once it is closed."""
    dynamodb = client("dynamodb")
    table = ledger()
    deadline = time.monotonic() + RELEASE_LIMIT
    while time.monotonic() < deadline:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                if item["pk"]["S"] == f"execution#{execution}" and item.get("state", {}).get("S") == "closed":
                    return item
        time.sleep(POLL)
    raise AssertionError(f"the record of {execution} was not closed within {RELEASE_LIMIT} s")


def ledger():
    found = client("cloudformation").describe_stack_resources(StackName="slipway", LogicalResourceId="LedgerTable")
    return found["StackResources"][0]["PhysicalResourceId"]


def listener():
    found = client("cloudformation").describe_stack_resources(StackName="web")["StackResources"]
    return next(it["PhysicalResourceId"] for it in found if it["ResourceType"].endswith("::Listener"))


def target_group():
    return client("elbv2").describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]


# The main use.


@check
def push_by_cli_is_deployed():
    pushed = cli("ecr", "put-image", "--repository-name", WEB, "--image-tag", "1.0.0", "--image-manifest", manifest("1.0.0"))
    digest = pushed["image"]["imageId"]["imageDigest"]
    summary = newest_execution(digest)
    assert summary["status"] == "Succeeded", summary
    closed = record(summary["pipelineExecutionId"])
    assert closed["outcome"]["S"] == "deployed", closed
    service = cli("ecs", "describe-services", "--cluster", CLUSTER, "--services", WEB)["services"][0]
    assert (service["runningCount"], len(service["deployments"])) == (service["desiredCount"], 1), service
    definition = cli("ecs", "describe-task-definition", "--task-definition", service["taskDefinition"])["taskDefinition"]
    assert definition["containerDefinitions"][0]["image"].endswith(digest), definition
    health = cli("elbv2", "describe-target-health", "--target-group-arn", target_group())["TargetHealthDescriptions"]
    healthy = [it for it in health if it["TargetHealth"]["State"] == "healthy"]
    assert len(healthy) == service["desiredCount"], health


@check
def a_broken_image_is_rolled_back():
    before = client("ecs").describe_services(cluster=CLUSTER, services=[WEB])["services"][0]["taskDefinition"]
    pushed = client("ecr").put_image(repositoryName=WEB, imageTag="1.1.0", imageManifest=manifest("1.1.0", "never-healthy"))
    summary = newest_execution(pushed["image"]["imageId"]["imageDigest"])
    assert summary["status"] == "Failed", summary
    closed = record(summary["pipelineExecutionId"])
    assert closed["outcome"]["S"] == "rolled-back", closed
    after = client("ecs").describe_services(cluster=CLUSTER, services=[WEB])["services"][0]["taskDefinition"]
    assert before == after, (before, after)


# Each service: its operations, through the commands of the guide and through boto3.


@check
def ecs_clusters():
    ecs = client("ecs")
    assert cli("ecs", "list-clusters")["clusterArns"] == all_pages(ecs, "list_clusters", "clusterArns", 1)
    cluster = ecs.describe_clusters(clusters=[CLUSTER, "none"])
    assert cluster["clusters"][0]["activeServicesCount"] == 4 and cluster["failures"][0]["reason"] == "MISSING"
    instances = all_pages(ecs, "list_container_instances", "containerInstanceArns", 1, cluster=CLUSTER)
    assert len(instances) == 2, instances
    described = ecs.describe_container_instances(cluster=CLUSTER, containerInstances=instances)
    assert sorted(it["containerInstanceArn"] for it in described["containerInstances"]) == sorted(instances)
    assert ecs.create_cluster(clusterName="other")["cluster"]["status"] == "ACTIVE"


@check
def ecs_services():
    ecs = client("ecs")
    arns = all_pages(ecs, "list_services", "serviceArns", 1, cluster=CLUSTER)
    assert len(arns) == 4, arns
    service = ecs.describe_services(cluster=CLUSTER, services=[WEB], include=["TAGS"])["services"][0]
    assert service["status"] == "ACTIVE" and service["createdAt"].year == 2026
    ecs.tag_resource(resourceArn=service["serviceArn"], tags=[{"key": "by", "value": "hand"}])
    assert {"key": "by", "value": "hand"} in ecs.list_tags_for_resource(resourceArn=service["serviceArn"])["tags"]
    ecs.untag_resource(resourceArn=service["serviceArn"], tagKeys=["by"])
    modelled(ecs, "ClusterNotFoundException", ecs.describe_services, cluster="none", services=["web"])
    modelled(ecs, "ServiceNotFoundException", ecs.update_service, cluster=CLUSTER, service="none")
    assert "ClusterNotFoundException" in cli_error("ecs", "list-services", "--cluster", "none")


@check
def ecs_tasks():
    ecs = client("ecs")
    tasks = all_pages(ecs, "list_tasks", "taskArns", 1, cluster=CLUSTER, serviceName=WEB)
    assert len(tasks) == 2, tasks
    described = ecs.describe_tasks(cluster=CLUSTER, tasks=tasks)["tasks"]
    assert {it["lastStatus"] for it in described} == {"RUNNING"}, described
    stopped = ecs.stop_task(cluster=CLUSTER, task=tasks[0], reason="tried")["task"]
    assert (stopped["desiredStatus"], stopped["stoppedReason"]) == ("STOPPED", "tried"), stopped
    ecs.get_waiter("tasks_stopped").wait(cluster=CLUSTER, tasks=[tasks[0]], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    ecs.get_waiter("services_stable").wait(cluster=CLUSTER, services=[WEB], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    running = ecs.list_tasks(cluster=CLUSTER, serviceName=WEB)["taskArns"]
    ecs.get_waiter("tasks_running").wait(cluster=CLUSTER, tasks=running, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    modelled(ecs, "InvalidParameterException", ecs.stop_task, cluster=CLUSTER, task="none")


@check
def ecs_task_definitions_and_a_service_of_ones_own():
    ecs = client("ecs")
    definition = dict(family="own", networkMode="awsvpc", cpu="256", memory="512", requiresCompatibilities=["FARGATE"],
                      containerDefinitions=[{"name": "app", "image": "public.ecr.aws/nginx/nginx:1"}])
    registered = [ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"] for _ in range(2)]
    assert all_pages(ecs, "list_task_definitions", "taskDefinitionArns", 1, familyPrefix="own") == registered
    assert "own" in all_pages(ecs, "list_task_definition_families", "families", 1)
    assert ecs.describe_task_definition(taskDefinition="own")["taskDefinition"]["revision"] == 2
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d"]}}
    ecs.create_service(cluster=CLUSTER, serviceName="own", taskDefinition="own:1", desiredCount=1, launchType="FARGATE",
                       networkConfiguration=network)
    cli("ecs", "wait", "services-stable", "--cluster", CLUSTER, "--services", "own")
    updated = ecs.update_service(cluster=CLUSTER, service="own", taskDefinition="own:2")["service"]
    assert updated["taskDefinition"] == registered[1]
    ecs.delete_service(cluster=CLUSTER, service="own", force=True)
    ecs.get_waiter("services_inactive").wait(cluster=CLUSTER, services=["own"],
                                             WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert ecs.deregister_task_definition(taskDefinition="own:2")["taskDefinition"]["status"] == "INACTIVE"
    modelled(ecs, "ClientException", ecs.describe_task_definition, taskDefinition="none")


@check
def elbv2_reads():
    elb = client("elbv2")
    balancers = all_pages(elb, "describe_load_balancers", "LoadBalancers[].LoadBalancerArn", 1)
    listeners = all_pages(elb, "describe_listeners", "Listeners[].ListenerArn", 1, LoadBalancerArn=balancers[0])
    groups = all_pages(elb, "describe_target_groups", "TargetGroups[].TargetGroupArn", 1)
    rules = cli("elbv2", "describe-rules", "--listener-arn", listeners[0])["Rules"]
    assert rules[-1]["Priority"] == "default" and rules[-1]["IsDefault"] is True, rules
    assert len(all_pages(elb, "describe_rules", "Rules[].RuleArn", 1, ListenerArn=listeners[0])) == len(rules)
    assert elb.describe_target_health(TargetGroupArn=groups[0])["TargetHealthDescriptions"]
    tags = elb.describe_tags(ResourceArns=[balancers[0], listeners[0], groups[0]])["TagDescriptions"]
    assert [it["ResourceArn"] for it in tags] == [balancers[0], listeners[0], groups[0]]
    elb.describe_target_group_attributes(TargetGroupArn=groups[0])
    elb.describe_load_balancer_attributes(LoadBalancerArn=balancers[0])
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=balancers)
    elb.get_waiter("target_in_service").wait(TargetGroupArn=groups[0], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    modelled(elb, "TargetGroupNotFoundException", elb.describe_target_health, TargetGroupArn=groups[0] + "0")
    modelled(elb, "LoadBalancerNotFoundException", elb.describe_load_balancers, Names=["none"])
    assert "RuleNotFound" in cli_error("elbv2", "describe-rules", "--rule-arns", listeners[0] + "/none")


@check
def elbv2_changes():
    elb = client("elbv2")
    group = target_group()
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 7}]}}]
    rules = elb.describe_rules(ListenerArn=listener())["Rules"]
    for rule in [it for it in rules if not it["IsDefault"]]:
        changed = elb.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)["Rules"][0]
        assert changed["Actions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"] == 7, changed
        elb.modify_rule(RuleArn=rule["RuleArn"], Actions=rule["Actions"])
    defaults = elb.describe_listeners(ListenerArns=[listener()])["Listeners"][0]["DefaultActions"]
    changed = elb.modify_listener(ListenerArn=listener(), DefaultActions=actions)["Listeners"][0]
    assert changed["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"] == 7, changed
    elb.modify_listener(ListenerArn=listener(), DefaultActions=defaults)
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.9.9.9", "Port": 8080}])
    found = elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "10.9.9.9"}])["TargetHealthDescriptions"]
    assert found[0]["Target"]["Port"] == 8080, found
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "10.9.9.9", "Port": 8080}])
    modelled(elb, "RuleNotFoundException", elb.modify_rule, RuleArn=listener() + "/none", Actions=actions)


@check
def scaling_of_a_service():
    scaling = client("application-autoscaling")
    about = {"ServiceNamespace": "ecs", "ResourceId": f"service/{CLUSTER}/{WEB}", "ScalableDimension": "ecs:service:DesiredCount"}
    modelled(scaling, "ObjectNotFoundException", scaling.deregister_scalable_target, **about)
    arn = scaling.register_scalable_target(**about, MinCapacity=1, MaxCapacity=4)["ScalableTargetARN"]
    scaling.register_scalable_target(**about, SuspendedState={"DynamicScalingInSuspended": True})
    described = cli("application-autoscaling", "describe-scalable-targets", "--service-namespace", "ecs",
                    "--resource-ids", about["ResourceId"])["ScalableTargets"][0]
    assert (described["ScalableTargetARN"], described["MinCapacity"], described["MaxCapacity"]) == (arn, 1, 4), described
    assert described["SuspendedState"]["DynamicScalingInSuspended"] is True, described
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    scaling.put_scaling_policy(**about, PolicyName="cpu", PolicyType="TargetTrackingScaling",
                               TargetTrackingScalingPolicyConfiguration={"TargetValue": 50.0, "PredefinedMetricSpecification": metric})
    names = all_pages(scaling, "describe_scaling_policies", "ScalingPolicies[].PolicyName", 1, ServiceNamespace="ecs")
    assert names == ["cpu", "cpu", "cpu"], names
    assert "less than minimum" in error("ValidationException", scaling.register_scalable_target, **about, MinCapacity=5)
    scaling.delete_scaling_policy(**about, PolicyName="cpu")
    scaling.deregister_scalable_target(**about)
    left = all_pages(scaling, "describe_scalable_targets", "ScalableTargets", 1, ServiceNamespace="ecs")
    assert about["ResourceId"] not in [target["ResourceId"] for target in left] and len(left) == 2, left


@check
def codepipeline_reads():
    codepipeline = client("codepipeline")
    assert PIPELINE in all_pages(codepipeline, "list_pipelines", "pipelines[].name", 1)
    pipeline = cli("codepipeline", "get-pipeline", "--name", PIPELINE)
    assert pipeline["pipeline"]["pipelineType"] == "V2"
    codepipeline.list_tags_for_resource(resourceArn=pipeline["metadata"]["pipelineArn"])
    state = cli("codepipeline", "get-pipeline-state", "--name", PIPELINE)
    assert [it["stageName"] for it in state["stageStates"]] == [it["name"] for it in pipeline["pipeline"]["stages"]]
    executions = all_pages(codepipeline, "list_pipeline_executions", "pipelineExecutionSummaries[].pipelineExecutionId", 1,
                           pipelineName=PIPELINE)
    found = codepipeline.get_pipeline_execution(pipelineName=PIPELINE, pipelineExecutionId=executions[0])
    assert found["pipelineExecution"]["pipelineExecutionId"] == executions[0]
    actions = all_pages(codepipeline, "list_action_executions", "actionExecutionDetails[].actionExecutionId", 1,
                        pipelineName=PIPELINE)
    listed = cli("codepipeline", "list-action-executions", "--pipeline-name", PIPELINE, "--filter",
                 f"pipelineExecutionId={executions[0]}")["actionExecutionDetails"]
    assert listed and {it["actionExecutionId"] for it in listed} <= set(actions), listed
    modelled(codepipeline, "PipelineNotFoundException", codepipeline.get_pipeline, name="none")
    modelled(codepipeline, "PipelineExecutionNotFoundException", codepipeline.get_pipeline_execution,
             pipelineName=PIPELINE, pipelineExecutionId="00000000-0000-4000-8000-000000000000")


@check
def codepipeline_changes():
    codepipeline = client("codepipeline")
    definition = codepipeline.get_pipeline(name=PIPELINE)["pipeline"]
    definition.pop("version")
    created = codepipeline.create_pipeline(pipeline={**definition, "name": "own"}, tags=[{"key": "a", "value": "b"}])
    assert created["pipeline"]["version"] == 1
    assert codepipeline.update_pipeline(pipeline={**definition, "name": "own"})["pipeline"]["version"] == 2
    arn = codepipeline.get_pipeline(name="own")["metadata"]["pipelineArn"]
    assert codepipeline.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "b"}]
    stage = definition["stages"][1]["name"]
    codepipeline.disable_stage_transition(pipelineName="own", stageName=stage, transitionType="Inbound", reason="tried")
    state = codepipeline.get_pipeline_state(name="own")["stageStates"][1]["inboundTransitionState"]
    assert (state["enabled"], state["disabledReason"]) == (False, "tried"), state
    codepipeline.enable_stage_transition(pipelineName="own", stageName=stage, transitionType="Inbound")
    started = codepipeline.start_pipeline_execution(name="own")["pipelineExecutionId"]
    try:
        codepipeline.stop_pipeline_execution(pipelineName="own", pipelineExecutionId=started, abandon=True)
    except codepipeline.exceptions.PipelineExecutionNotStoppableException:
        pass
    modelled(codepipeline, "StageNotFoundException", codepipeline.retry_stage_execution, pipelineName="own",
             stageName="none", pipelineExecutionId=started, retryMode="FAILED_ACTIONS")
    for call, more in [(codepipeline.put_job_success_result, {}),
                       (codepipeline.put_job_failure_result, {"failureDetails": {"type": "JobFailed", "message": "m"}})]:
        modelled(codepipeline, "JobNotFoundException", call, jobId="00000000-0000-4000-8000-000000000000", **more)
    try:
        codepipeline.put_approval_result(pipelineName="own", stageName=stage, actionName="none", token="none",
                                         result={"summary": "s", "status": "Approved"})
    except botocore.exceptions.ClientError as refused:
        assert refused.response["Error"]["Code"] in ("ActionNotFoundException", "ValidationException"), refused
    codepipeline.delete_pipeline(name="own")
    modelled(codepipeline, "PipelineNotFoundException", codepipeline.get_pipeline_state, name="own")


@check
def ecr_repositories_and_images():
    ecr = client("ecr")
    assert ecr.create_repository(repositoryName="own", tags=[{"Key": "a", "Value": "b"}])["repository"]["repositoryUri"]
    for number in range(3):
        ecr.put_image(repositoryName="own", imageTag=f"v{number}", imageManifest=manifest(f"own {number}"))
    assert "own" in all_pages(ecr, "describe_repositories", "repositories[].repositoryName", 1)
    details = cli("ecr", "describe-images", "--repository-name", "own")["imageDetails"]
    assert len(details) == 3 == len(all_pages(ecr, "describe_images", "imageDetails[].imageDigest", 1, repositoryName="own"))
    image = ecr.batch_get_image(repositoryName="own", imageIds=[{"imageTag": "v0"}, {"imageTag": "none"}])
    assert json.loads(image["images"][0]["imageManifest"]) == json.loads(manifest("own 0"))
    assert image["failures"][0]["failureCode"] == "ImageNotFound"
    token = ecr.get_authorization_token()["authorizationData"][0]
    assert base64.b64decode(token["authorizationToken"]).startswith(b"AWS:")
    modelled(ecr, "RepositoryNotFoundException", ecr.describe_images, repositoryName="none")
    modelled(ecr, "ImageNotFoundException", ecr.describe_images, repositoryName="own", imageIds=[{"imageTag": "none"}])
    modelled(ecr, "RepositoryNotEmptyException", ecr.delete_repository, repositoryName="own")
    ecr.delete_repository(repositoryName="own", force=True)


@check
def events_rules():
    events = client("events")
    rules = cli("events", "list-rules", "--name-prefix", "slipway-")["Rules"]
    assert rules and all_pages(events, "list_rules", "Rules[].Name", 1, NamePrefix="slipway-") == [it["Name"] for it in rules]
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:slipway-roll-back"
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["own"]}))
    events.put_targets(Rule="own", Targets=[{"Id": "one", "Arn": arn}])
    events.disable_rule(Name="own")
    listed = events.list_rules(NamePrefix="own")["Rules"]
    assert [it["State"] for it in listed] == ["DISABLED"], listed
    modelled(events, "InvalidEventPatternException", events.put_rule, Name="bad", EventPattern="{")
    modelled(events, "ResourceNotFoundException", events.disable_rule, Name="none")
    error("ValidationException", events.delete_rule, Name="own")
    events.remove_targets(Rule="own", Ids=["one"])
    events.delete_rule(Name="own")


@check
def dynamodb_items():
    dynamodb = client("dynamodb")
    assert cli("dynamodb", "scan", "--table-name", ledger())["Items"]
    key_schema = [{"AttributeName": "k", "KeyType": "HASH"}]
    table = dict(TableName="own", BillingMode="PAY_PER_REQUEST", KeySchema=key_schema,
                 AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    dynamodb.create_table(**table)
    key = {"k": {"S": "k1"}}
    dynamodb.put_item(TableName="own", Item={**key, "n": {"N": "9.0"}})
    assert dynamodb.get_item(TableName="own", Key=key)["Item"]["n"]["N"] == "9"
    values = {":k": {"S": "k1"}}
    query = dict(TableName="own", KeyConditionExpression="k = :k", ExpressionAttributeValues=values)
    assert len(all_pages(dynamodb, "query", "Items[]", None, **query)) == 1
    scan = dict(TableName="own", FilterExpression="begins_with(k, :k)", ExpressionAttributeValues=values)
    assert len(all_pages(dynamodb, "scan", "Items[]", None, **scan)) == 1
    condition = {"TableName": "own", "Item": key, "ConditionExpression": "attribute_not_exists(k)"}
    modelled(dynamodb, "ConditionalCheckFailedException", dynamodb.put_item, **condition)
    modelled(dynamodb, "TransactionCanceledException", dynamodb.transact_write_items, TransactItems=[{"Put": condition}])
    dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": "own", "Key": key}}])
    assert "Item" not in dynamodb.get_item(TableName="own", Key=key)
    modelled(dynamodb, "ResourceNotFoundException", dynamodb.get_item, TableName="none", Key=key)
    modelled(dynamodb, "ResourceInUseException", dynamodb.create_table, **table)
    dynamodb.delete_table(TableName="own")
    resource = boto3.resource("dynamodb", endpoint_url=SERVER.url, region_name="eu-west-1", aws_access_key_id="any",
                              aws_secret_access_key="any")
    assert resource.Table(ledger()).scan()["Count"] > 0


@check
def cloudformation_reads():
    cloudformation = client("cloudformation")
    stacks = cli("cloudformation", "describe-stacks")["Stacks"]
    assert {"slipway", "web", "page-counter"} <= {it["StackName"] for it in stacks}
    assert len(all_pages(cloudformation, "describe_stacks", "Stacks[].StackId", None)) == len(stacks)
    described = cloudformation.describe_stack_resources(StackName="slipway")["StackResources"]
    assert "LedgerTable" in [it["LogicalResourceId"] for it in described], described
    cloudformation.get_waiter("stack_create_complete").wait(StackName="web")
    assert "does not exist" in error("ValidationError", cloudformation.describe_stacks, StackName="none")


@check
def stacks_by_deploy():
    template = str(ROOT / "infra/service.yaml")
    deploy = ["aws", "cloudformation", "deploy", "--stack-name", "deployed", "--template-file", template, "--capabilities",
              "CAPABILITY_IAM", "--parameter-overrides", "Name=deployed", "VpcId=vpc-0a1b2c3d", f"Cluster={CLUSTER}",
              "Subnets=subnet-0a1b2c3d,subnet-1b2c3d4e", "LoadBalanced=no", "DesiredCount=1"]
    refused = cli_error(*(word for word in deploy[1:] if word not in ("--capabilities", "CAPABILITY_IAM")))
    assert "InsufficientCapabilities" in refused, refused
    run = lambda command: subprocess.run(command, env=SERVER.environment(), capture_output=True, text=True, timeout=120)
    first = run(deploy)
    assert first.returncode == 0 and "Successfully created/updated stack" in first.stdout, first
    again = run(deploy)
    assert "No changes to deploy" in again.stdout + again.stderr, again
    cli("ecs", "wait", "services-stable", "--cluster", CLUSTER, "--services", "deployed")
    cloudformation = client("cloudformation")
    kept = [{"ParameterKey": it["ParameterKey"], "UsePreviousValue": True}
            for it in cloudformation.describe_stacks(StackName="deployed")["Stacks"][0]["Parameters"]]
    for parameter in kept:
        if parameter["ParameterKey"] == "DesiredCount":
            parameter.update(ParameterValue="2", UsePreviousValue=False)
    cloudformation.create_change_set(StackName="deployed", ChangeSetName="two", TemplateBody=Path(template).read_text(),
                                     Parameters=kept, Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("change_set_create_complete").wait(StackName="deployed", ChangeSetName="two")
    modelled(cloudformation, "ChangeSetNotFoundException", cloudformation.describe_change_set, StackName="deployed",
             ChangeSetName="none")


@check
def lambda_functions():
    functions = client("lambda")
    sweep = "slipway-roll-back"
    event = {"detail-type": "nothing of ours", "source": "own", "detail": {}}
    accepted = functions.invoke(FunctionName=sweep, InvocationType="Event", Payload=json.dumps(event))
    assert accepted["StatusCode"] == 202, accepted
    assert functions.invoke(FunctionName=sweep, InvocationType="DryRun")["StatusCode"] == 204
    answered = functions.invoke(FunctionName=sweep, Payload=json.dumps(event))
    payload = json.loads(answered["Payload"].read())
    assert answered["StatusCode"] == 200 and answered["ExecutedVersion"] == "$LATEST", answered
    assert "FunctionError" not in answered or "errorMessage" in payload, payload
    modelled(functions, "ResourceNotFoundException", functions.invoke, FunctionName="none")
    modelled(functions, "InvalidRequestContentException", functions.invoke, FunctionName=sweep, Payload="{")


@check
def s3_objects():
    s3 = client("s3")
    bucket = "page-counter-config"
    version = s3.put_object(Bucket=bucket, Key="b c&d", Body=b"one")["VersionId"]
    s3.put_object(Bucket=bucket, Key="b c&d", Body=b"two")
    assert s3.get_object(Bucket=bucket, Key="b c&d")["Body"].read() == b"two"
    assert s3.get_object(Bucket=bucket, Key="b c&d", VersionId=version)["Body"].read() == b"one"
    s3.upload_fileobj(io.BytesIO(b"x" * 100_000), bucket, "large")
    assert len(s3.get_object(Bucket=bucket, Key="large")["Body"].read()) == 100_000
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "large"})
    assert len(urllib.request.urlopen(url, timeout=10).read()) == 100_000
    modelled(s3, "NoSuchKey", s3.get_object, Bucket=bucket, Key="none")
    modelled(s3, "NoSuchBucket", s3.put_object, Bucket="none", Key="k")


@check
def metrics():
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "orders", "Value": 3.0, "Unit": "Count"}])
    listed = []
    for _ in range(100):
        listed = cloudwatch.list_metrics(Namespace="shop")["Metrics"]
        if listed:
            break
        time.sleep(0.1)
    assert [metric["MetricName"] for metric in listed] == ["orders"], listed
    query = {"Id": "orders", "MetricStat": {"Metric": {"Namespace": "shop", "MetricName": "orders"}, "Period": 3600, "Stat": "Sum"}}
    span = {"StartTime": "2026-01-05T00:00:00Z", "EndTime": "2026-01-12T00:00:00Z"}
    [result] = cloudwatch.get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"]
    assert (result["Id"], result["Values"]) == ("orders", [3.0]), result
    error("ValidationError", cloudwatch.get_metric_data, MetricDataQueries=[{**query, "Id": "Orders"}], **span)


@check
def identity():
    assert cli("sts", "get-caller-identity")["Account"] == "111122223333"
    iam = client("iam")
    found = client("cloudformation").describe_stack_resources(StackName="slipway")["StackResources"]
    shown = 0
    for name in [it["PhysicalResourceId"] for it in found if it["ResourceType"] == "AWS::IAM::Role"]:
        assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
        for policy in all_pages(iam, "list_role_policies", "PolicyNames", 1, RoleName=name):
            assert iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]
            shown += 1
        iam.list_attached_role_policies(RoleName=name)
    assert shown
    modelled(iam, "NoSuchEntityException", iam.get_role, RoleName="none")


@check
def what_is_not_served_is_unknown():
    error("UnknownOperationException", client("ecs").list_attributes, targetType="container-instance")
    error("InvalidAction", client("elbv2").describe_account_limits)
    error("InvalidAction", client("cloudformation").describe_account_limits)
    error("NotImplemented", client("s3").get_bucket_acl, Bucket="page-counter-config")
    error("UnknownOperationException", client("lambda").list_layers)
    error("UnknownOperationException", client("logs").describe_log_groups)
    error("InvalidAction", client("sns").list_topics)
    error("InvalidAction", client("ec2").describe_instances)
    error("UnknownOperationException", client("batch").describe_job_queues)
    error("NotImplemented", client("route53").list_hosted_zones)
    error("UnknownOperationException", client("cloudwatch").describe_anomaly_detectors)
    assert "UnknownOperationException" in cli_error("ecs", "list-attributes", "--target-type", "container-instance")
    assert "MissingAuthenticationToken" in cli_error("ecs", "list-clusters", "--no-sign-request")


def main():
    global SERVER
    wanted = sys.argv[1:]
    passed, failed = 0, 0
    SERVER = Server()
    try:
        for function in CHECKS:
            if wanted and function.__name__ not in wanted:
                continue
            began = time.monotonic()
            try:
                function()
                passed += 1
                print(f"ok      {function.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {function.__name__}\n{traceback.format_exc()}", flush=True)
    finally:
        status, console = SERVER.stop()
    served = {" ".join(line.split()[1:3]) for line in console.splitlines() if re.match(r"\d\d:\d\d:\d\d  \S+ \S+ 2\d\d", line)}
    print(f"{len(served)} operations answered with success; the console's last line: {console.strip().splitlines()[-1]}")
    if status != 0:
        failed += 1
        print(f"FAILED  the sandbox ended with {status}")
    if not wanted and "ecs ListAttributes" not in console.split("missing:", 1)[-1]:
        failed += 1
        print("FAILED  the console does not say what is missing")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
