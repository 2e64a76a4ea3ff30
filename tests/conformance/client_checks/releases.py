"""The main use: a pushed image is deployed, or rolled back."""

import json

from client_checks import check
from client_checks.account import CLUSTER, PIPELINE, WEB, manifest, newest_execution, push, record, target_group
from client_checks.calls import cli, client

# What cosign pushes beside an image (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md).
SIGNATURE = json.dumps({
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 233, "digest": "sha256:" + "0c" * 32},
    "layers": [{
        "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "size": 240, "digest": "sha256:" + "0d" * 32,
        "annotations": {"dev.cosignproject.cosign/signature": "MEUC"},
    }],
})


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


@check
def a_signature_starts_nothing():
    def executions():
        listed = cli("codepipeline", "list-pipeline-executions", "--pipeline-name", PIPELINE)
        return [summary["pipelineExecutionId"] for summary in listed["pipelineExecutionSummaries"]]

    before = executions()
    pushed = cli("ecr", "put-image", "--repository-name", WEB, "--image-tag", f"sha256-{'0a' * 32}.sig",
                 "--image-manifest", SIGNATURE)
    claim = push(pushed["image"]["imageId"]["imageDigest"])
    assert "signature" in claim["refusal"]["S"] and "execution" not in claim, claim
    assert executions() == before
