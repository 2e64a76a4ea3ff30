"""CloudFormation: stacks and change sets."""

from pathlib import Path

from client_checks import check, server
from client_checks.account import BUCKET, CLUSTER
from client_checks.calls import all_pages, cli, cli_error, client, error, modelled, run


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
    template = str(server.ROOT / "infra/service.yaml")
    deploy = ["aws", "cloudformation", "deploy", "--stack-name", "deployed", "--template-file", template, "--capabilities",
              "CAPABILITY_IAM", "--parameter-overrides", "Name=deployed", "VpcId=vpc-0a1b2c3d", f"Cluster={CLUSTER}",
              "Subnets=subnet-0a1b2c3d,subnet-1b2c3d4e", "LoadBalanced=no", "DesiredCount=1"]
    refused = cli_error(*(word for word in deploy[1:] if word not in ("--capabilities", "CAPABILITY_IAM")))
    assert "InsufficientCapabilities" in refused, refused
    first = run(*deploy)
    assert first.returncode == 0 and "Successfully created/updated stack" in first.stdout, first
    again = run(*deploy)
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
def updates_keep_template_values_and_tags():
    template = """
Parameters: {Name: {Type: String}, Days: {Type: Number, Default: 7}}
Resources: {Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref Name, RetentionInDays: !Ref Days}}}
"""
    cloudformation = client("cloudformation")
    about = dict(StackName="kept", ChangeSetName="kept")
    cloudformation.create_change_set(**about, ChangeSetType="CREATE", TemplateBody=template,
                                     Parameters=[{"ParameterKey": "Name", "ParameterValue": "kept"}])
    cloudformation.execute_change_set(**about)

    def tags():
        return cloudformation.describe_stacks(StackName="kept")["Stacks"][0]["Tags"]

    update = ["cloudformation", "update-stack", "--stack-name", "kept", "--use-previous-template", "--parameters",
              "ParameterKey=Name,UsePreviousValue=true", "--tags", "Key=team,Value=shop"]
    cli(*update)
    cli("cloudformation", "wait", "stack-update-complete", "--stack-name", "kept")
    assert tags() == [{"Key": "team", "Value": "shop"}], tags()
    assert "No updates are to be performed" in cli_error(*update)
    kept = [{"ParameterKey": "Name", "UsePreviousValue": True}]
    days = {"ParameterKey": "Days", "ParameterValue": "14"}
    cloudformation.update_stack(StackName="kept", UsePreviousTemplate=True, Parameters=[*kept, days])
    assert tags() == [{"Key": "team", "Value": "shop"}], tags()
    cloudformation.update_stack(StackName="kept", UsePreviousTemplate=True, Parameters=[*kept, days], Tags=[])
    assert tags() == [], tags()
    error("ValidationError", cloudformation.update_stack, StackName="none", UsePreviousTemplate=True)
    cloudformation.delete_stack(StackName="kept")


@check
def change_sets_are_made_once():
    cloudformation = client("cloudformation")
    client("s3").put_object(Bucket=BUCKET, Key="once.yaml", Body=b"""
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: once}}}
""")
    request = dict(StackName="once", ChangeSetName="once", ChangeSetType="CREATE", ClientToken="t",
                   TemplateURL=f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/once.yaml")
    first = cloudformation.create_change_set(**request)
    assert cloudformation.create_change_set(**request)["Id"] == first["Id"]
    error("AlreadyExistsException", cloudformation.create_change_set, **{**request, "ClientToken": "u"})
    cloudformation.delete_change_set(StackName="once", ChangeSetName="once")
    modelled(cloudformation, "ChangeSetNotFoundException", cloudformation.describe_change_set, StackName="once",
             ChangeSetName="once")
    url = request["TemplateURL"].replace("once.yaml", "none.yaml")
    assert "S3 error" in error("ValidationError", cloudformation.create_change_set, **{**request, "TemplateURL": url})


@check
def a_stack_that_fails_is_deleted_and_made_again():
    template = """
Parameters: {Cluster: {Type: String}}
Resources:
  Repository: {Type: AWS::ECR::Repository, DeletionPolicy: RetainExceptOnCreate, Properties: {RepositoryName: again}}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties: {Family: again, ContainerDefinitions: [{Name: web, Image: nginx, Memory: 128}]}
  Service:
    Type: AWS::ECS::Service
    DependsOn: Repository
    Properties: {Cluster: !Ref Cluster, ServiceName: again, TaskDefinition: !Ref Definition, DesiredCount: 0}
"""
    cloudformation = client("cloudformation")

    def deployed(cluster):
        parameters = [{"ParameterKey": "Cluster", "ParameterValue": cluster}]
        about = dict(StackName="again", ChangeSetName=cluster)
        cloudformation.create_change_set(**about, ChangeSetType="CREATE", TemplateBody=template, Parameters=parameters)
        cloudformation.get_waiter("change_set_create_complete").wait(**about)
        cloudformation.execute_change_set(**about)
        return cloudformation.describe_stacks(StackName="again")["Stacks"][0]["StackStatus"]

    assert deployed("none") == "ROLLBACK_COMPLETE"
    modelled(client("ecr"), "RepositoryNotFoundException", client("ecr").describe_repositories, repositoryNames=["again"])
    cloudformation.delete_stack(StackName="again")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="again")
    assert deployed(CLUSTER) == "CREATE_COMPLETE"
    cli("cloudformation", "delete-stack", "--stack-name", "again")
    cli("cloudformation", "wait", "stack-delete-complete", "--stack-name", "again")
    assert client("ecr").describe_repositories(repositoryNames=["again"])["repositories"], "retained"
