use super::*;

/// A one-off task of `web:1` on Fargate.
fn one_off(more: &[(&str, Value)]) -> Value {
    let mut request = json!({
        "cluster": "main", "taskDefinition": "web", "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    });
    for (member, value) in more {
        request[member] = value.clone();
    }
    request
}

fn described(world: &mut World, task: &Value) -> Value {
    let request = json!({"cluster": "main", "tasks": [task]});
    world.ok("DescribeTasks", request)["tasks"][0].clone()
}

#[test]
fn a_task_runs_without_a_service_and_nothing_replaces_it() {
    let mut world = World::new(1);
    let definition = world.fargate("nginx:1");
    let ran = world.ok("RunTask", one_off(&[("startedBy", json!("hand"))]));
    let task = &ran["tasks"][0];
    assert_eq!(
        (&task["group"], &task["startedBy"], &task["lastStatus"]),
        (&json!("family:web"), &json!("hand"), &json!("PROVISIONING"))
    );
    assert_eq!(
        (&task["taskDefinitionArn"], &ran["failures"]),
        (&json!(definition), &json!([]))
    );

    world.run(120, |_| {});
    let arn = task["taskArn"].clone();
    assert_eq!(described(&mut world, &arn)["lastStatus"], "RUNNING");
    let by_hand = json!({"cluster": "main", "startedBy": "hand"});
    assert_eq!(world.ok("ListTasks", by_hand)["taskArns"], json!([arn]));

    world.ok("StopTask", json!({"cluster": "main", "task": arn}));
    world.run(120, |_| {});
    assert_eq!(described(&mut world, &arn)["lastStatus"], "STOPPED");
    let running = world.ok("ListTasks", json!({"cluster": "main"}));
    assert_eq!(running["taskArns"], json!([]));
}

#[test]
fn a_task_that_ends_has_the_exit_code_of_its_container() {
    let mut world = World::new(1);
    world.fargate("fate.test/exits");
    let ran = world.ok("RunTask", one_off(&[]));
    world.run(120, |_| {});

    let task = described(&mut world, &ran["tasks"][0]["taskArn"]);
    assert_eq!(
        (&task["stopCode"], &task["containers"][0]["exitCode"]),
        (&json!("EssentialContainerExited"), &json!(1))
    );
    assert!(task.get("startedBy").is_none());
}

#[test]
fn a_task_whose_command_ends_has_the_exit_code_of_the_command() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    for (command, exit_code) in [("migrate up", 0), ("migrate wrong", 3)] {
        let end = CommandEnd {
            after_secs: 20,
            exit_code,
        };
        world.aws.ecs.commands.insert(command.to_owned(), end);
    }
    let mut ended = |command: &str| {
        let words: Vec<&str> = command.split(' ').collect();
        let overrides = json!({"containerOverrides": [{"name": "app", "command": words}]});
        let ran = world.ok("RunTask", one_off(&[("overrides", overrides)]));
        world.run(240, |_| {});
        let task = described(&mut world, &ran["tasks"][0]["taskArn"]);
        let of_container = &task["containers"][0]["exitCode"];
        json!([task["lastStatus"], task["stopCode"], of_container])
    };

    let exited = "EssentialContainerExited";
    assert_eq!(ended("migrate up"), json!(["STOPPED", exited, 0]));
    assert_eq!(ended("migrate wrong"), json!(["STOPPED", exited, 3]));
    assert_eq!(ended("serve"), json!(["RUNNING", null, null]));
}

#[test]
fn the_same_client_token_starts_no_second_task() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let request = one_off(&[("clientToken", json!("t"))]);
    let first = world.ok("RunTask", request.clone());
    assert_eq!(world.ok("RunTask", request.clone()), first);

    let other = one_off(&[("clientToken", json!("t")), ("count", json!(2))]);
    let refused = world.call("RunTask", other).unwrap_err();
    assert_eq!(refused.code, "ConflictException");
    assert_eq!(
        refused.members,
        [(
            "resourceIds".to_owned(),
            json!([first["tasks"][0]["taskArn"]])
        )]
    );

    world.aws.now += 24 * 3600 * 1000;
    let later = world.ok("RunTask", request);
    assert_ne!(later["tasks"][0]["taskArn"], first["tasks"][0]["taskArn"]);
}

#[test]
fn overrides_name_containers_of_the_definition() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let mut run = |name: &str| {
        let overrides = json!({"containerOverrides": [{"name": name, "command": ["migrate"]}]});
        world.call("RunTask", one_off(&[("overrides", overrides)]))
    };

    let ran = run("app").unwrap();
    assert_eq!(
        ran["tasks"][0]["overrides"],
        json!({
            "containerOverrides": [{"name": "app", "command": ["migrate"]}],
            "inferenceAcceleratorOverrides": [],
        })
    );
    assert_eq!(
        run("db").unwrap_err().to_string(),
        "InvalidParameterException: Override for container named db is not a container in the \
         TaskDefinition."
    );
}

#[test]
fn what_cannot_run_is_refused() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let mut refusal = |member: &str, value: Value| {
        let refused = world.err("RunTask", one_off(&[(member, value)]));
        let (code, message) = refused.split_once(": ").unwrap();
        (code.to_owned(), message.to_owned())
    };
    let invalid = |message: &str| ("InvalidParameterException".to_owned(), message.to_owned());

    assert_eq!(
        refusal("networkConfiguration", json!(null)),
        invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    );
    assert_eq!(
        refusal("launchType", json!("EC2")),
        invalid("Task definition does not support launch_type EC2.")
    );
    assert_eq!(
        refusal("count", json!(11)),
        invalid("count must be between 1 and 10.")
    );
    assert_eq!(
        refusal("propagateTags", json!("SERVICE")).0,
        "InvalidParameterException"
    );
    assert_eq!(
        refusal("taskDefinition", json!("web:9")),
        (
            "ClientException".to_owned(),
            "TaskDefinition not found.".to_owned()
        )
    );
    assert_eq!(
        refusal("cluster", json!("none")).0,
        "ClusterNotFoundException"
    );
}

#[test]
fn instances_without_a_free_port_are_failures() {
    let mut world = World::new(1);
    world.ec2("nginx:1");
    let request = json!({"cluster": "main", "taskDefinition": "web", "count": 2});
    assert_eq!(
        world.err("RunTask", request.clone()),
        "InvalidParameterException: No Container Instances were found in your cluster."
    );

    add_container_instances(&mut world.aws, "main", 1);
    let ran = world.ok("RunTask", request);
    let instance = ran["tasks"][0]["containerInstanceArn"].clone();
    assert_eq!(ran["tasks"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        ran["failures"],
        json!([{"arn": instance, "reason": "RESOURCE:PORTS"}])
    );

    let request = json!({"cluster": "main", "taskDefinition": "web", "clientToken": "t"});
    let refused = world.ok("RunTask", request.clone());
    assert_eq!(refused["tasks"], json!([]));
    add_container_instances(&mut world.aws, "main", 1);
    assert_eq!(world.ok("RunTask", request), refused);
}

#[test]
fn an_instance_that_drains_takes_no_task_and_is_no_failure() {
    let mut world = World::new(1);
    world.ec2("nginx:1");
    add_container_instances(&mut world.aws, "main", 2);
    let instances: Vec<String> = world.aws.ecs.instances.keys().cloned().collect();
    let drain = |world: &mut World, arn: &str| {
        let input = json!({
            "cluster": "main", "containerInstances": [arn], "status": "DRAINING",
        });
        world.ok("UpdateContainerInstancesState", input);
    };

    drain(&mut world, &instances[0]);
    let request = json!({"cluster": "main", "taskDefinition": "web", "count": 2});
    let ran = world.ok("RunTask", request.clone());
    assert_eq!(ran["tasks"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        ran["failures"],
        json!([{"arn": instances[1], "reason": "RESOURCE:PORTS"}])
    );

    drain(&mut world, &instances[1]);
    assert_eq!(
        world.err("RunTask", request),
        "InvalidParameterException: No Container Instances were found in your cluster."
    );
}

#[test]
fn tasks_of_one_group_are_kept_apart_and_those_of_another_are_not() {
    let mut world = World::new(1);
    let definition = json!({
        "family": "web",
        "containerDefinitions": [{"name": "app", "image": "nginx:1", "memory": 128}],
    });
    world.ok("RegisterTaskDefinition", definition);
    add_container_instances(&mut world.aws, "main", 1);
    let mut started = |group: &str| {
        let request = json!({
            "cluster": "main", "taskDefinition": "web", "group": group,
            "placementConstraints": [{"type": "distinctInstance"}],
        });
        world.ok("RunTask", request)["tasks"]
            .as_array()
            .map(Vec::len)
    };

    assert_eq!(started("nightly"), Some(1));
    assert_eq!(started("nightly"), Some(0));
    assert_eq!(started("hourly"), Some(1));
}

#[test]
fn tags_come_from_the_request_and_from_the_definition_when_wanted() {
    let mut world = World::new(1);
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    let arn = world.fargate("nginx:1");
    world.ok(
        "TagResource",
        json!({"resourceArn": arn, "tags": [tag("a", "1"), tag("b", "2")]}),
    );
    let mut tags = |from: &str| {
        let given = json!([tag("b", "3")]);
        let more = [("tags", given), ("propagateTags", json!(from))];
        world.ok("RunTask", one_off(&more))["tasks"][0]["tags"].clone()
    };

    assert_eq!(tags("NONE"), json!([tag("b", "3")]));
    assert_eq!(
        tags("TASK_DEFINITION"),
        json!([tag("a", "1"), tag("b", "3")])
    );
}
