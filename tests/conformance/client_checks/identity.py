"""AWS STS and IAM: the caller and roles."""

import json

import boto3

from client_checks import check, server
from client_checks.calls import all_pages, cli, client, error, modelled


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
def sessions():
    template = {"Resources": {"Trusted": {"Type": "AWS::IAM::Role", "Properties": {
        "RoleName": "trusted",
        "AssumeRolePolicyDocument": {"Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"},
            "Condition": {"StringEquals": {"sts:ExternalId": "team"}}}]}}}}}
    cloudformation = client("cloudformation")
    changes = cloudformation.create_change_set(
        StackName="trusted", ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"])
    cloudformation.execute_change_set(ChangeSetName=changes["Id"])
    role, sts = "arn:aws:iam::111122223333:role/trusted", client("sts")
    session = sts.assume_role(RoleArn=role, RoleSessionName="own", ExternalId="team")
    keys = session["Credentials"]
    own = boto3.client("sts", endpoint_url=server.SERVER.url, region_name="eu-west-1", aws_access_key_id=keys["AccessKeyId"],
                       aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    assert own.get_caller_identity()["Arn"] == session["AssumedRoleUser"]["Arn"]
    error("AccessDenied", sts.assume_role, RoleArn=role, RoleSessionName="own")
    error("ValidationError", sts.assume_role, RoleArn=role, RoleSessionName="own", ExternalId="team", DurationSeconds=7200)


@check
def another_account_and_region():
    other = server.Server("--empty", "--account", "444455556666", "--region", "us-west-2")
    try:
        sts, ecs = (client(service, other.url, "us-west-2") for service in ("sts", "ecs"))
        assert sts.get_caller_identity()["Account"] == "444455556666"
        cluster = ecs.create_cluster(clusterName="own")["cluster"]["clusterArn"]
        assert cluster == "arn:aws:ecs:us-west-2:444455556666:cluster/own", cluster
    finally:
        other.stop()
