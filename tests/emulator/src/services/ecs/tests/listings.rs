use super::*;

#[test]
fn clusters_families_and_instances_are_listed() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    add_container_instances(&mut world.aws, "main", 2);

    assert_eq!(
        world.ok("ListClusters", json!({}))["clusterArns"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(
        world.ok("ListTaskDefinitionFamilies", json!({"familyPrefix": "w"}))["families"],
        json!(["web"])
    );
    assert_eq!(
        world.ok("ListTaskDefinitionFamilies", json!({"status": "INACTIVE"}))["families"],
        json!([])
    );

    let first = world.ok(
        "ListContainerInstances",
        json!({"cluster": "main", "maxResults": 1}),
    );
    let arn = first["containerInstanceArns"][0].clone();
    assert!(first.get("nextToken").is_some());

    let described = world.ok(
        "DescribeContainerInstances",
        json!({"cluster": "main", "containerInstances": [arn, "none"]}),
    );
    assert_eq!(
        described["containerInstances"][0]["containerInstanceArn"],
        arn
    );
    assert_eq!(described["failures"][0]["reason"], "MISSING");
}

#[test]
fn an_instance_has_the_ports_of_its_agent_and_of_its_tasks() {
    let mut world = World::new(1);
    world.ec2("nginx:1");
    add_container_instances(&mut world.aws, "main", 1);
    let instance = world.aws.ecs.instances.keys().next().cloned();
    let ports = |world: &mut World| {
        let request = json!({"cluster": "main", "containerInstances": [instance]});
        let described = world.ok("DescribeContainerInstances", request);
        let found = described["containerInstances"][0].clone();
        ["registeredResources", "remainingResources"].map(|resources| {
            assert_eq!(found[resources][0]["name"], "PORTS");
            assert_eq!(found[resources][0]["type"], "STRINGSET");
            found[resources][0]["stringSetValue"].clone()
        })
    };

    let of_agent = json!(["22", "2375", "2376", "51678", "51679"]);
    assert_eq!(ports(&mut world), [of_agent.clone(), of_agent.clone()]);

    let run = json!({"cluster": "main", "taskDefinition": "web"});
    let task = world.ok("RunTask", run)["tasks"][0]["taskArn"].clone();
    let with_task = json!(["22", "2375", "2376", "51678", "51679", "80"]);
    assert_eq!(ports(&mut world), [of_agent.clone(), with_task]);

    world.ok("StopTask", json!({"cluster": "main", "task": task}));
    world.run(120, |_| {});
    assert_eq!(ports(&mut world), [of_agent.clone(), of_agent]);
}

#[test]
fn a_port_that_the_agent_reserves_is_never_free() {
    let mut world = World::new(1);
    let definition = json!({
        "family": "ssh",
        "containerDefinitions": [{
            "name": "app", "image": "nginx:1", "memory": 128,
            "portMappings": [{"containerPort": 22, "hostPort": 22}],
        }],
    });
    world.ok("RegisterTaskDefinition", definition);
    add_container_instances(&mut world.aws, "main", 2);

    let ran = world.ok(
        "RunTask",
        json!({"cluster": "main", "taskDefinition": "ssh"}),
    );
    assert_eq!(ran["tasks"], json!([]));
    assert_eq!(ran["failures"][0]["reason"], "RESOURCE:PORTS");
}

#[test]
fn a_stopped_task_is_replaced() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let request = world.balanced(1);
    world.ok("CreateService", request);
    world.run(120, |_| {});
    let task = world.ok("ListTasks", json!({"cluster": "main"}))["taskArns"][0].clone();
    let stopped = world.ok(
        "StopTask",
        json!({"cluster": "main", "task": task, "reason": "tried"}),
    );

    assert_eq!(
        (
            &stopped["task"]["stopCode"],
            &stopped["task"]["stoppedReason"]
        ),
        (&json!("UserInitiated"), &json!("tried"))
    );

    world.run(300, |_| {});
    assert_eq!(world.service()["runningCount"], 1);
    assert_ne!(
        world.ok("ListTasks", json!({"cluster": "main"}))["taskArns"][0],
        task
    );
    assert_eq!(
        world.err("StopTask", json!({"cluster": "main", "task": "none"})),
        "InvalidParameterException: The referenced task was not found."
    );
}

#[test]
fn pages_of_a_list_are_as_short_as_the_account_is_set_to() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let request = world.balanced(3);
    world.ok("CreateService", request);
    world.run(10, |_| {});
    world.aws.pages = Some(2);

    let first = world.ok("ListTasks", json!({"cluster": "main", "maxResults": 100}));
    let rest = world.ok(
        "ListTasks",
        json!({"cluster": "main", "maxResults": 100, "nextToken": first["nextToken"]}),
    );
    let count = |page: &Value| page["taskArns"].as_array().map(Vec::len);

    assert_eq!(
        (count(&first), count(&rest), rest.get("nextToken")),
        (Some(2), Some(1), None)
    );
}
