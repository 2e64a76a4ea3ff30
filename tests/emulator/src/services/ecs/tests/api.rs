use super::*;

#[test]
fn what_does_not_exist_has_its_own_error() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    assert_eq!(
        world.err(
            "DescribeServices",
            json!({"cluster": "none", "services": ["web"]})
        ),
        "ClusterNotFoundException: Cluster not found."
    );
    assert_eq!(
        world.err(
            "UpdateService",
            json!({"cluster": "main", "service": "web"})
        ),
        "ServiceNotFoundException: Service not found."
    );
    assert_eq!(
        world.err(
            "ListTasks",
            json!({"cluster": "main", "serviceName": "web"})
        ),
        "ServiceNotFoundException: Service not found."
    );
    assert_eq!(
        world.err("StartTask", json!({})),
        "UnknownOperationException: the sandbox does not serve StartTask"
    );
}

#[test]
fn missing_services_are_failures() {
    let mut world = World::new(1);
    let answer = world.ok(
        "DescribeServices",
        json!({"cluster": "main", "services": ["web"]}),
    );

    assert_eq!(
        answer["failures"],
        json!([{"arn": "arn:aws:ecs:eu-west-1:111122223333:service/main/web", "reason": "MISSING"}])
    );

    let eleven: Vec<String> = (0..11).map(|number| format!("s{number}")).collect();
    let error = world.err(
        "DescribeServices",
        json!({"cluster": "main", "services": eleven}),
    );
    assert_eq!(
        error,
        "InvalidParameterException: service names can have at most 10 items."
    );
}

#[test]
fn a_service_needs_what_its_definition_needs() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let mut refusal = |member: &str, value: Value| {
        let mut request = world.balanced(1);
        request[member] = value;
        world
            .err("CreateService", request)
            .trim_start_matches("InvalidParameterException: ")
            .to_owned()
    };

    assert_eq!(
        refusal("networkConfiguration", json!(null)),
        "Network Configuration must be provided when networkMode 'awsvpc' is specified."
    );
    assert_eq!(
        refusal("launchType", json!("EC2")),
        "Task definition does not support launch_type EC2."
    );
    assert_eq!(
        refusal("taskDefinition", json!("web:9")),
        "ClientException: TaskDefinition not found."
    );
    assert_eq!(
        refusal("desiredCount", json!(-1)),
        "desiredCount cannot be negative."
    );
    assert!(refusal("desiredCount", json!("1")).starts_with("SerializationException"));
}

#[test]
fn a_service_needs_a_target_group_with_a_load_balancer() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let lonely = text(
        &elb::create_target_group(
            &mut world.aws,
            &json!({"Name": "lonely", "TargetType": "ip"}),
        )
        .unwrap()["Arn"],
    );
    let mut refusal = |group: &str, container: &str, port: u16| {
        let mut request = world.balanced(1);
        request["loadBalancers"] =
            json!([{"targetGroupArn": group, "containerName": container, "containerPort": port}]);
        world.err("CreateService", request)
    };
    let expected = format!(
        "InvalidParameterException: The target group with targetGroupArn {lonely} does not have \
         an associated load balancer."
    );

    assert_eq!(refusal(&lonely, "app", 80), expected);

    let group = World::new(1).target_group;
    assert_eq!(
        refusal(&group, "db", 80),
        "InvalidParameterException: The container db does not exist in the task definition."
    );
    assert_eq!(
        refusal(&group, "app", 81),
        "InvalidParameterException: The container app did not have a container port 81 defined."
    );
}

#[test]
fn a_new_definition_keeps_the_container_and_the_port_of_the_load_balancer() {
    let mut world = World::new(1);
    let served = world.fargate("nginx:1");
    let request = world.balanced(1);
    world.ok("CreateService", request);
    let definition = world.aws.ecs.request_of(&served).unwrap().clone();

    let mut refusal = |member: &str, value: Value| {
        let mut changed = definition.clone();
        changed["containerDefinitions"][0][member] = value;
        world.ok("RegisterTaskDefinition", changed);
        let update = json!({"cluster": "main", "service": "web", "taskDefinition": "web"});
        world.err("UpdateService", update)
    };
    assert_eq!(
        refusal("name", json!("web")),
        "InvalidParameterException: The container app does not exist in the task definition."
    );
    assert_eq!(
        refusal("portMappings", json!([{"containerPort": 8080}])),
        "InvalidParameterException: The container app did not have a container port 80 defined."
    );
}

#[test]
fn unknown_members_of_a_service_are_kept() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let mut request = world.balanced(0);
    request["memberOfTomorrow"] = json!({"a": 1});
    world.ok("CreateService", request.clone());

    assert_eq!(world.service()["memberOfTomorrow"], json!({"a": 1}));
    assert_eq!(
        world.err("CreateService", request),
        "InvalidParameterException: Creation of service was not idempotent."
    );
}

#[test]
fn an_inactive_definition_cannot_be_deployed() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    world.fargate("nginx:2");
    world.ok(
        "DeregisterTaskDefinition",
        json!({"taskDefinition": "web:2"}),
    );

    let request = world.balanced(0);
    let created = world.ok("CreateService", request);
    assert!(
        text(&created["service"]["taskDefinition"]).ends_with("web:1"),
        "the family means its newest ACTIVE revision"
    );

    let update = |revision: u32| {
        json!({
            "cluster": "main", "service": "web",
            "taskDefinition": format!("web:{revision}"),
        })
    };
    assert_eq!(
        world.err("UpdateService", update(2)),
        "ClientException: TaskDefinition is inactive"
    );
    assert_eq!(
        world.err("UpdateService", update(3)),
        "ClientException: TaskDefinition not found."
    );
}

#[test]
fn tags_are_added_replaced_and_listed() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let mut request = world.balanced(0);
    request["tags"] = json!([{"key": "a", "value": "1"}]);
    let arn = text(&world.ok("CreateService", request)["service"]["serviceArn"]);
    world.ok(
        "TagResource",
        json!({
            "resourceArn": arn,
            "tags": [{"key": "a", "value": "2"}, {"key": "b", "value": "3"}],
        }),
    );

    let tags = json!([{"key": "a", "value": "2"}, {"key": "b", "value": "3"}]);
    assert_eq!(
        world.ok("ListTagsForResource", json!({"resourceArn": arn}))["tags"],
        tags
    );
    assert!(world.service().get("tags").is_none());
    assert_eq!(
        world.ok(
            "DescribeServices",
            json!({"cluster": "main", "services": [arn], "include": ["TAGS"]})
        )["services"][0]["tags"],
        tags
    );
    assert!(
        world
            .err(
                "TagResource",
                json!({"resourceArn": format!("{arn}x"), "tags": []})
            )
            .contains("inactive or does not exist")
    );
}

#[test]
fn tasks_are_listed_and_described() {
    let mut world = World::new(1);
    let definition = world.fargate("nginx:1");
    let request = world.balanced(3);
    world.ok("CreateService", request);
    world.run(120, |_| {});
    let listed = world.ok(
        "ListTasks",
        json!({"cluster": "main", "serviceName": "web", "maxResults": 2}),
    );

    assert_eq!(listed["taskArns"].as_array().map(Vec::len), Some(2));

    let rest = world.ok(
        "ListTasks",
        json!({
            "cluster": "main", "family": "web", "maxResults": 2, "nextToken": listed["nextToken"],
        }),
    );
    assert_eq!(rest["taskArns"].as_array().map(Vec::len), Some(1));
    assert!(rest.get("nextToken").is_none());

    let described = world.ok(
        "DescribeTasks",
        json!({"cluster": "main", "tasks": [listed["taskArns"][0], "none"]}),
    );
    let task = &described["tasks"][0];
    assert_eq!(
        (&task["lastStatus"], &task["group"]),
        (&json!("RUNNING"), &json!("service:web"))
    );
    assert_eq!(task["taskDefinitionArn"], json!(definition));
    assert!(text(&task["startedBy"]).starts_with("ecs-svc/"));
    assert_eq!(described["failures"][0]["reason"], "MISSING");
}

#[test]
fn a_deleted_service_drains_and_is_inactive() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let request = world.balanced(1);
    world.ok("CreateService", request);
    world.run(120, |_| {});
    let delete = |force: bool| json!({"cluster": "main", "service": "web", "force": force});

    assert_eq!(
        world.err("DeleteService", delete(false)),
        "InvalidParameterException: The service cannot be stopped while the primary deployment is \
         scaled above 0."
    );
    assert_eq!(
        world.ok("DeleteService", delete(true))["service"]["status"],
        "DRAINING"
    );

    world.run(120, |_| {});
    assert_eq!(world.service()["status"], "INACTIVE");
    assert_eq!(
        world.err(
            "UpdateService",
            json!({"cluster": "main", "service": "web"})
        ),
        "ServiceNotActiveException: Service was not ACTIVE."
    );
    assert_eq!(
        world.ok("ListServices", json!({"cluster": "main"}))["serviceArns"],
        json!([])
    );
}

#[test]
fn changing_services_and_reading_have_buckets_of_their_own() {
    let mut world = World::new(1);
    let update = json!({"cluster": "main", "service": "none"});
    let refused =
        |world: &mut World, operation: &str, input: &Value, size: u32, per_second: u32| {
            for _ in 0..size {
                assert!(
                    !world
                        .err(operation, input.clone())
                        .starts_with("Throttling")
                );
            }
            assert_eq!(
                world.err(operation, input.clone()),
                "ThrottlingException: Rate exceeded"
            );

            world.aws.now += 1000;
            for _ in 0..per_second {
                assert!(
                    !world
                        .err(operation, input.clone())
                        .starts_with("Throttling")
                );
            }
            assert_eq!(
                world.err(operation, input.clone()),
                "ThrottlingException: Rate exceeded"
            );
        };
    refused(&mut world, "UpdateService", &update, 50, 5);
    refused(
        &mut world,
        "DescribeServices",
        &json!({"cluster": "none"}),
        100,
        20,
    );
}

#[test]
fn only_an_empty_cluster_is_deleted() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    world.ok("CreateCluster", json!({"clusterName": "empty"}));
    let deleted = world.ok("DeleteCluster", json!({"cluster": "empty"}));
    assert_eq!(deleted["cluster"]["status"], "INACTIVE");
    assert_eq!(
        world.err("DeleteCluster", json!({"cluster": "empty"})),
        "ClusterNotFoundException: Cluster not found."
    );

    let service = json!({"cluster": "main", "service": "web", "force": true});
    let main = json!({"cluster": "main"});
    let request = world.balanced(1);
    world.ok("CreateService", request);
    let in_use = "ClusterContainsServicesException: The Cluster cannot be deleted while Services \
                  are active.";
    assert_eq!(world.err("DeleteCluster", main.clone()), in_use);
    world.ok("DeleteService", service);
    let refused = world.err("DeleteCluster", main.clone());
    assert_eq!(refused, in_use, "the service drains");
    world.run(600, |_| {});
    world.ok("DeleteCluster", main);

    world.ok("CreateCluster", json!({"clusterName": "used"}));
    crate::ecs::add_container_instances(&mut world.aws, "used", 1);
    assert_eq!(
        world.err("DeleteCluster", json!({"cluster": "used"})),
        "ClusterContainsContainerInstancesException: The Cluster cannot be deleted while Container \
         Instances are active or draining."
    );
}
