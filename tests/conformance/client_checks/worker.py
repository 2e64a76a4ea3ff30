"""A job worker for custom actions, written for these checks: it polls, acknowledges and reports, as the public samples do, by
a client that speaks JSON and by one that speaks CBOR."""

import time

import botocore.session

from client_checks import check, server
from client_checks.account import BUCKET, POLL, RELEASE_LIMIT
from client_checks.calls import client, error, modelled

PROVIDER = "own-worker"
TYPE = {"category": "Build", "owner": "Custom", "provider": PROVIDER}
CBOR = "smithy-rpc-v2-cbor"


def cbor_client():
    """A client that has no other protocol to choose: without this, botocore prefers JSON."""
    session = botocore.session.get_session()
    model = session.get_component("data_loader").load_service_model("codepipeline", "service-2")
    assert CBOR in model["metadata"]["protocols"], model["metadata"]
    model["metadata"]["protocols"] = [CBOR]
    made = session.create_client("codepipeline", endpoint_url=server.SERVER.url, region_name="eu-west-1",
                                 aws_access_key_id="any", aws_secret_access_key="any")
    assert made.meta.service_model.resolved_protocol == CBOR
    return made


def create_type(codepipeline, version):
    properties = [
        {"name": "Project", "required": True, "key": True, "secret": False, "queryable": True, "type": "String"},
        {"name": "Note", "required": False, "key": False, "secret": False, "type": "String"},
    ]
    made = codepipeline.create_custom_action_type(
        category=TYPE["category"], provider=PROVIDER, version=version, configurationProperties=properties,
        settings={"entityUrlTemplate": "https://example.com/{Config:Project}"},
        inputArtifactDetails={"minimumCount": 0, "maximumCount": 1},
        outputArtifactDetails={"minimumCount": 0, "maximumCount": 0})
    assert made["actionType"]["id"] == {**TYPE, "version": version}, made
    listed = codepipeline.list_action_types(actionOwnerFilter="Custom")["actionTypes"]
    assert {**TYPE, "version": version} in [it["id"] for it in listed], listed


def pipeline(name, version, configuration):
    source = {
        "name": "Config", "outputArtifacts": [{"name": "Config"}],
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": BUCKET, "S3ObjectKey": "config.zip", "PollForSourceChanges": "false"},
    }
    build = {"name": "build", "inputArtifacts": [{"name": "Config"}], "actionTypeId": {**TYPE, "version": version},
             "configuration": configuration}
    return {
        "name": name, "roleArn": "arn:aws:iam::111122223333:role/of-no-template", "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Build", "actions": [build]}],
    }


def next_job(codepipeline, version, project):
    """The first job that a poll finds, within a limit of real time."""
    deadline = time.monotonic() + RELEASE_LIMIT
    while time.monotonic() < deadline:
        jobs = codepipeline.poll_for_jobs(actionTypeId={**TYPE, "version": version}, maxBatchSize=10,
                                          queryParam={"Project": project})["jobs"]
        if jobs:
            return jobs[0]
        time.sleep(POLL)
    raise AssertionError(f"no job for {project} within {RELEASE_LIMIT} s")


def ended(codepipeline, name):
    deadline = time.monotonic() + RELEASE_LIMIT
    while time.monotonic() < deadline:
        newest = codepipeline.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"][0]
        if newest["status"] != "InProgress":
            return newest["status"]
        time.sleep(POLL)
    raise AssertionError(f"{name} did not end within {RELEASE_LIMIT} s")


def work(codepipeline, version, name):
    """Takes the jobs of one execution: starts the work, reports progress with a token, goes on with it, and succeeds."""
    project = f"{name}-project"
    wrong = pipeline(name, version, {"Project": project, "Note2": "n"})
    modelled(codepipeline, "InvalidActionDeclarationException", codepipeline.create_pipeline, pipeline=wrong)
    codepipeline.create_pipeline(pipeline=pipeline(name, version, {"Project": project}))

    first = next_job(codepipeline, version, project)
    assert not codepipeline.poll_for_jobs(actionTypeId={**TYPE, "version": version}, queryParam={"Project": "other"})["jobs"]
    assert codepipeline.acknowledge_job(jobId=first["id"], nonce=first["nonce"])["status"] == "InProgress"
    modelled(codepipeline, "InvalidNonceException", codepipeline.acknowledge_job, jobId=first["id"], nonce=first["nonce"])
    data = first["data"]
    assert data["actionConfiguration"]["configuration"] == {"Project": project}, data
    assert data["pipelineContext"]["pipelineName"] == name and data["pipelineContext"]["pipelineExecutionId"], data
    details = codepipeline.get_job_details(jobId=first["id"])["jobDetails"]["data"]
    credentials, place = details["artifactCredentials"], details["inputArtifacts"][0]["location"]["s3Location"]
    session = botocore.session.get_session()
    s3 = session.create_client("s3", endpoint_url=server.SERVER.url, region_name="eu-west-1",
                               aws_access_key_id=credentials["accessKeyId"],
                               aws_secret_access_key=credentials["secretAccessKey"],
                               aws_session_token=credentials["sessionToken"])
    assert s3.get_object(Bucket=place["bucketName"], Key=place["objectKey"])["Body"].read()

    codepipeline.put_job_success_result(
        jobId=first["id"], continuationToken="flow-1",
        executionDetails={"summary": "Starting", "externalExecutionId": "flow-1", "percentComplete": 0})
    second = next_job(codepipeline, version, project)
    assert second["id"] != first["id"] and second["data"]["continuationToken"] == "flow-1", second["id"]
    codepipeline.acknowledge_job(jobId=second["id"], nonce=second["nonce"])
    codepipeline.put_job_success_result(
        jobId=second["id"], executionDetails={"summary": "Finishing", "externalExecutionId": "flow-1", "percentComplete": 100})
    assert ended(codepipeline, name) == "Succeeded"
    state = codepipeline.get_pipeline_state(name=name)["stageStates"][1]["actionStates"][0]["latestExecution"]
    assert (state["summary"], state["externalExecutionId"]) == ("Finishing", "flow-1"), state
    assert state["lastStatusChange"].year >= 2026, state

    codepipeline.start_pipeline_execution(name=name)
    third = next_job(codepipeline, version, project)
    codepipeline.acknowledge_job(jobId=third["id"], nonce=third["nonce"])
    codepipeline.put_job_failure_result(jobId=third["id"], failureDetails={"type": "JobFailed", "message": "as it should"})
    assert ended(codepipeline, name) == "Failed"
    modelled(codepipeline, "InvalidJobStateException", codepipeline.put_job_success_result, jobId=third["id"])
    codepipeline.delete_pipeline(name=name)


def remove_type(codepipeline, version):
    codepipeline.delete_custom_action_type(category=TYPE["category"], provider=PROVIDER, version=version)
    modelled(codepipeline, "ActionTypeNotFoundException", codepipeline.poll_for_jobs,
             actionTypeId={**TYPE, "version": version}, queryParam={"Project": "p"})


@check
def custom_actions_by_json():
    codepipeline = client("codepipeline")
    error("ValidationException", codepipeline.poll_for_jobs,
          actionTypeId={"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"})
    create_type(codepipeline, "1")
    work(codepipeline, "1", "by-json")
    remove_type(codepipeline, "1")


@check
def custom_actions_by_cbor():
    codepipeline = cbor_client()
    create_type(codepipeline, "2")
    work(codepipeline, "2", "by-cbor")
    remove_type(codepipeline, "2")
