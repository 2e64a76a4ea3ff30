"""ecs-deploy: a tool by others that deploys, scales, runs tasks and rolls back."""

import re

from client_checks import check
from client_checks.account import CLUSTER, NETWORK, WEB
from client_checks.calls import client, run

NAME = "by-ecs-deploy"


def service_now():
    return client("ecs").describe_services(cluster=CLUSTER, services=[NAME])["services"][0]


def ecs_deploy(*arguments, status=0):
    """The output of ecs-deploy. Seconds of its own are minutes here."""
    done = run("ecs", *arguments)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


@check
def ecs_deploy_deploys_scales_runs_and_rolls_back():
    ecs = client("ecs")
    role = "arn:aws:iam::111122223333:role/tasks"
    definition = dict(family=NAME, networkMode="awsvpc", cpu="256", memory="512", requiresCompatibilities=["FARGATE"],
                      taskRoleArn=role, executionRoleArn=role,
                      containerDefinitions=[{"name": "app", "image": "public.ecr.aws/nginx/nginx:1"}])
    revisions = [ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]]
    ecs.create_service(cluster=CLUSTER, serviceName=NAME, taskDefinition=NAME, desiredCount=2, launchType="FARGATE",
                       networkConfiguration=NETWORK)
    ecs.get_waiter("services_stable").wait(cluster=CLUSTER, services=[NAME], WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    printed = ecs_deploy("deploy", CLUSTER, NAME, "--image", "app", "public.ecr.aws/nginx/nginx:2", "--timeout", "60")
    assert "Deployment successful" in printed and "Successfully deregistered revision: 1" in printed, printed
    service = service_now()
    assert (service["runningCount"], len(service["deployments"])) == (2, 1), service
    revisions.append(service["taskDefinition"])
    assert revisions[1].endswith(f"{NAME}:2"), revisions
    described = [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in revisions]
    assert [it["status"] for it in described] == ["INACTIVE", "ACTIVE"], described
    assert described[1]["containerDefinitions"][0]["image"].endswith(":2"), described
    assert "image" in ecs_deploy("diff", NAME, "1", "2")

    printed = ecs_deploy("scale", CLUSTER, NAME, "3", "--timeout", "60")
    assert "Scaling successful" in printed and service_now()["runningCount"] == 3, printed
    printed = ecs_deploy("run", CLUSTER, NAME, "1", "--launchtype", "FARGATE", "--subnet", "subnet-0a1b2c3d",
                         "--securitygroup", "sg-0a1b2c3d", "--command", "app", "migrate now")
    assert f"Successfully started 1 instances of task: {NAME}:2" in printed, printed
    task = re.search(r"arn:aws:ecs:\S+:task/\S+", printed).group(0)
    task = ecs.describe_tasks(cluster=CLUSTER, tasks=[task])["tasks"][0]
    assert task["startedBy"] == "ECS Deploy" and task["group"] == f"family:{NAME}", task
    assert task["overrides"]["containerOverrides"] == [{"name": "app", "command": ["migrate", "now"]}], task
    ecs.stop_task(cluster=CLUSTER, task=task["taskArn"])

    # An image that cannot be pulled, in a service without a circuit breaker: it is ecs-deploy that goes back.
    missing = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/{WEB}:none"
    printed = ecs_deploy("deploy", CLUSTER, NAME, "--image", "app", missing, "--timeout", "5", "--rollback", status=1)
    assert "Rollback successful" in printed and "has been rolled back to previous" in printed, printed
    service = service_now()
    assert (service["taskDefinition"], service["runningCount"], len(service["deployments"])) == (revisions[1], 3, 1), service
    last = ecs.describe_task_definition(taskDefinition=f"{NAME}:3")["taskDefinition"]
    assert last["status"] == "INACTIVE", last
    history = ecs.list_service_deployments(cluster=CLUSTER, service=NAME)["serviceDeployments"]
    assert [it["status"] for it in history] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL", "SUCCESSFUL"], history

    ecs.delete_service(cluster=CLUSTER, service=NAME, force=True)
    ecs.get_waiter("services_inactive").wait(cluster=CLUSTER, services=[NAME], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
