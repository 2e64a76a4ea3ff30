"""AWS STS and IAM: the caller and roles."""

from client_checks import check, server
from client_checks.calls import all_pages, cli, client, modelled


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
def another_account_and_region():
    other = server.Server("--empty", "--account", "444455556666", "--region", "us-west-2")
    try:
        sts, ecs = (client(service, other.url, "us-west-2") for service in ("sts", "ecs"))
        assert sts.get_caller_identity()["Account"] == "444455556666"
        cluster = ecs.create_cluster(clusterName="own")["cluster"]["clusterArn"]
        assert cluster == "arn:aws:ecs:us-west-2:444455556666:cluster/own", cluster
    finally:
        other.stop()
