"""Amazon ECS: clusters, services, tasks and task definitions."""

from client_checks import check
from client_checks.account import CLUSTER, NETWORK, WEB
from client_checks.calls import all_pages, cli, cli_error, client, modelled


@check
def ecs_clusters():
    ecs = client("ecs")
    assert cli("ecs", "list-clusters")["clusterArns"] == all_pages(ecs, "list_clusters", "clusterArns", 1)
    cluster = ecs.describe_clusters(clusters=[CLUSTER, "none"])
    assert cluster["clusters"][0]["activeServicesCount"] == 4 and cluster["failures"][0]["reason"] == "MISSING"
    instances = all_pages(ecs, "list_container_instances", "containerInstanceArns", 1, cluster=CLUSTER)
    assert len(instances) == 2, instances
    described = ecs.describe_container_instances(cluster=CLUSTER, containerInstances=instances)
    assert sorted(it["containerInstanceArn"] for it in described["containerInstances"]) == sorted(instances)
    assert ecs.create_cluster(clusterName="other")["cluster"]["status"] == "ACTIVE"


@check
def ecs_services():
    ecs = client("ecs")
    arns = all_pages(ecs, "list_services", "serviceArns", 1, cluster=CLUSTER)
    assert len(arns) == 4, arns
    service = ecs.describe_services(cluster=CLUSTER, services=[WEB], include=["TAGS"])["services"][0]
    assert service["status"] == "ACTIVE" and service["createdAt"].year == 2026
    ecs.tag_resource(resourceArn=service["serviceArn"], tags=[{"key": "by", "value": "hand"}])
    assert {"key": "by", "value": "hand"} in ecs.list_tags_for_resource(resourceArn=service["serviceArn"])["tags"]
    ecs.untag_resource(resourceArn=service["serviceArn"], tagKeys=["by"])
    modelled(ecs, "ClusterNotFoundException", ecs.describe_services, cluster="none", services=["web"])
    modelled(ecs, "ServiceNotFoundException", ecs.update_service, cluster=CLUSTER, service="none")
    assert "ClusterNotFoundException" in cli_error("ecs", "list-services", "--cluster", "none")


@check
def ecs_tasks():
    ecs = client("ecs")
    tasks = all_pages(ecs, "list_tasks", "taskArns", 1, cluster=CLUSTER, serviceName=WEB)
    assert len(tasks) == 2, tasks
    described = ecs.describe_tasks(cluster=CLUSTER, tasks=tasks)["tasks"]
    assert {it["lastStatus"] for it in described} == {"RUNNING"}, described
    stopped = ecs.stop_task(cluster=CLUSTER, task=tasks[0], reason="tried")["task"]
    assert (stopped["desiredStatus"], stopped["stoppedReason"]) == ("STOPPED", "tried"), stopped
    ecs.get_waiter("tasks_stopped").wait(cluster=CLUSTER, tasks=[tasks[0]], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    ecs.get_waiter("services_stable").wait(cluster=CLUSTER, services=[WEB], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    running = ecs.list_tasks(cluster=CLUSTER, serviceName=WEB)["taskArns"]
    ecs.get_waiter("tasks_running").wait(cluster=CLUSTER, tasks=running, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    modelled(ecs, "InvalidParameterException", ecs.stop_task, cluster=CLUSTER, task="none")


@check
def ecs_task_definitions_and_a_service_of_ones_own():
    ecs = client("ecs")
    definition = dict(family="own", networkMode="awsvpc", cpu="256", memory="512", requiresCompatibilities=["FARGATE"],
                      containerDefinitions=[{"name": "app", "image": "public.ecr.aws/nginx/nginx:1"}])
    registered = [ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"] for _ in range(2)]
    assert all_pages(ecs, "list_task_definitions", "taskDefinitionArns", 1, familyPrefix="own") == registered
    assert "own" in all_pages(ecs, "list_task_definition_families", "families", 1)
    assert ecs.describe_task_definition(taskDefinition="own")["taskDefinition"]["revision"] == 2
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d"]}}
    ecs.create_service(cluster=CLUSTER, serviceName="own", taskDefinition="own:1", desiredCount=1, launchType="FARGATE",
                       networkConfiguration=network)
    cli("ecs", "wait", "services-stable", "--cluster", CLUSTER, "--services", "own")
    updated = ecs.update_service(cluster=CLUSTER, service="own", taskDefinition="own:2")["service"]
    assert updated["taskDefinition"] == registered[1]
    ecs.delete_service(cluster=CLUSTER, service="own", force=True)
    ecs.get_waiter("services_inactive").wait(cluster=CLUSTER, services=["own"],
                                             WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert ecs.deregister_task_definition(taskDefinition="own:2")["taskDefinition"]["status"] == "INACTIVE"
    modelled(ecs, "ClientException", ecs.describe_task_definition, taskDefinition="none")


@check
def ecs_tasks_without_a_service():
    ecs = client("ecs")
    definition = ecs.describe_services(cluster=CLUSTER, services=[WEB])["services"][0]["taskDefinition"]
    request = dict(cluster=CLUSTER, taskDefinition=definition, launchType="FARGATE", networkConfiguration=NETWORK,
                   startedBy="hand", clientToken="once")
    ran = ecs.run_task(**request)
    assert ran["failures"] == [] and ran["tasks"][0]["group"].startswith("family:"), ran
    task = ran["tasks"][0]["taskArn"]
    assert ecs.run_task(**request)["tasks"][0]["taskArn"] == task, "a retry starts no second task"
    modelled(ecs, "ConflictException", ecs.run_task, **{**request, "count": 2})
    ecs.get_waiter("tasks_running").wait(cluster=CLUSTER, tasks=[task], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert cli("ecs", "list-tasks", "--cluster", CLUSTER, "--started-by", "hand")["taskArns"] == [task]
    ecs.stop_task(cluster=CLUSTER, task=task)
    cli("ecs", "wait", "tasks-stopped", "--cluster", CLUSTER, "--tasks", task)


@check
def ecs_service_deployments():
    ecs = client("ecs")
    listed = cli("ecs", "list-service-deployments", "--cluster", CLUSTER, "--service", WEB)["serviceDeployments"]
    assert listed and {it["status"] for it in listed} <= {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL"}, listed
    first = ecs.list_service_deployments(cluster=CLUSTER, service=WEB, maxResults=1)
    assert first["serviceDeployments"][0]["serviceDeploymentArn"] == listed[0]["serviceDeploymentArn"], first
    assert ("nextToken" in first) == (len(listed) > 1), first
    arns = [it["serviceDeploymentArn"] for it in listed][:19]
    described = ecs.describe_service_deployments(serviceDeploymentArns=[*arns, "none"])
    assert [it["serviceDeploymentArn"] for it in described["serviceDeployments"]] == arns, described
    assert described["failures"] == [{"arn": "none", "reason": "MISSING"}], described
    newest = described["serviceDeployments"][0]
    revisions = [newest["targetServiceRevision"], *newest["sourceServiceRevisions"]]
    assert sum(it["runningTaskCount"] for it in revisions) == 2 and newest["finishedAt"].year == 2026, newest
    modelled(ecs, "ServiceNotFoundException", ecs.list_service_deployments, cluster=CLUSTER, service="none")
