"""What the sandbox has deployed, and what a release leaves."""

import json
import time

from client_checks.calls import client

CLUSTER, WEB, PIPELINE = "apps", "web", "slipway-web"
# Takes the templates that tools upload.
BUCKET = "page-counter-config"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]}}
# Seconds of real time; at the speed of the server the longest is more than half an hour of virtual time.
RELEASE_LIMIT, POLL = 120, 0.5


def manifest(name, behaviour=None):
    document = {"schemaVersion": 2, "config": {"digest": name}}
    if behaviour:
        document["annotations"] = {"sandbox.behaviour": behaviour}
    return json.dumps(document)


def newest_execution(digest, url=None):
    """The newest ended execution for a digest, within a limit of real time."""
    deadline = time.monotonic() + RELEASE_LIMIT
    while time.monotonic() < deadline:
        listed = client("codepipeline", url).list_pipeline_executions(pipelineName=PIPELINE)
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


def push(digest):
    """The ledger's claim or refusal of a pushed digest, once there is one."""
    key = {"pk": {"S": f"push#{PIPELINE}"}, "sk": {"S": digest}}
    table = ledger()
    deadline = time.monotonic() + RELEASE_LIMIT
    while time.monotonic() < deadline:
        found = client("dynamodb").get_item(TableName=table, Key=key)
        if "Item" in found:
            return found["Item"]
        time.sleep(POLL)
    raise AssertionError(f"the ledger has nothing of {digest} after {RELEASE_LIMIT} s")


def ledger():
    found = client("cloudformation").describe_stack_resources(StackName="slipway", LogicalResourceId="LedgerTable")
    return found["StackResources"][0]["PhysicalResourceId"]


def listener():
    found = client("cloudformation").describe_stack_resources(StackName="web")["StackResources"]
    return next(it["PhysicalResourceId"] for it in found if it["ResourceType"].endswith("::Listener"))


def target_group():
    return client("elbv2").describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
