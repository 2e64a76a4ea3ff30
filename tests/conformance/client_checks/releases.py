"""The main use: a pushed image is deployed, or rolled back."""

from client_checks import check
from client_checks.account import CLUSTER, WEB, manifest, newest_execution, record, target_group
from client_checks.calls import cli, client


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
