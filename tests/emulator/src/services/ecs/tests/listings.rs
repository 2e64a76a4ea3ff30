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
