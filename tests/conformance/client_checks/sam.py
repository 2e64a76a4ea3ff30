"""sam deploy: stacks by change sets, from templates that it uploads."""

import os

from client_checks import check, server
from client_checks.account import BUCKET, CLUSTER
from client_checks.calls import all_pages, client, run


@check
def stacks_by_sam():
    template = str(server.ROOT / "infra/service.yaml")
    deploy = [os.environ["SAM"], "deploy", "--stack-name", "by-sam", "--template-file", template, "--s3-bucket",
              BUCKET, "--s3-prefix", "by-sam", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset",
              "--parameter-overrides", "Name=by-sam", "VpcId=vpc-0a1b2c3d", f"Cluster={CLUSTER}",
              "Subnets=subnet-0a1b2c3d,subnet-1b2c3d4e", "LoadBalanced=no", "DesiredCount=1"]
    quiet = {"SAM_CLI_TELEMETRY": "0"}
    first = run(*deploy, more=quiet)
    assert first.returncode == 0 and "Successfully created/updated stack - by-sam" in first.stdout, first
    again = run(*deploy, "--no-fail-on-empty-changeset", more=quiet)
    assert again.returncode == 0 and "No changes to deploy" in again.stdout, again
    changed = run(*deploy[:-1], "DesiredCount=2", more=quiet)
    assert changed.returncode == 0, changed
    cloudformation = client("cloudformation")
    stack = cloudformation.describe_stacks(StackName="by-sam")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stack
    events = all_pages(cloudformation, "describe_stack_events", "StackEvents[].ResourceStatus", None, StackName="by-sam")
    assert (events[0], events[-1]) == ("UPDATE_COMPLETE", "REVIEW_IN_PROGRESS"), events
    assert "PlaceholderImage" in cloudformation.get_template(StackName="by-sam")["TemplateBody"]
    service = client("ecs").describe_services(cluster=CLUSTER, services=["by-sam"])["services"][0]
    assert service["desiredCount"] == 2, service
