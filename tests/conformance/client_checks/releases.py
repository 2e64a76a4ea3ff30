"""The main use: a pushed image is deployed, or rolled back."""

import json

from client_checks import check, server
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


@check
def an_image_that_is_replicated_is_deployed():
    # With a second account regions are apart.
    other = server.Server("--second-account", "444455556666")
    try:
        far = client("ecr", other.url, "us-west-2")
        rules = [{
            "destinations": [{"region": "eu-west-1", "registryId": "111122223333"}],
            "repositoryFilters": [{"filter": WEB, "filterType": "PREFIX_MATCH"}],
        }]
        far.put_replication_configuration(replicationConfiguration={"rules": rules})
        assert far.describe_registry()["replicationConfiguration"]["rules"] == rules
        far.create_repository(repositoryName=WEB)
        pushed = far.put_image(repositoryName=WEB, imageTag="1.2.0", imageManifest=manifest("1.2.0"))
        digest = pushed["image"]["imageId"]["imageDigest"]

        summary = newest_execution(digest, other.url)
        assert summary["status"] == "Succeeded", summary
        ecs = client("ecs", other.url)
        service = ecs.describe_services(cluster=CLUSTER, services=[WEB])["services"][0]
        definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        image = definition["containerDefinitions"][0]["image"]
        assert image.endswith(digest) and ".eu-west-1." in image, image
    finally:
        other.stop()
