use super::*;

/// Numbers and lists that have bounds.
mod bounds;
/// Roles, credentials, the proxy and Fargate.
mod details;
/// Where the output of containers goes.
mod logs;
/// Amazon ECS Managed Instances.
mod managed;
/// Network modes and ports.
mod network;
/// Links, dependencies and volumes of other containers.
mod references;
/// Members of other types than those of the API.
mod types;
/// Volumes and their mounts.
mod volumes;

pub(super) fn plain() -> Value {
    json!({
        "family": "web",
        "containerDefinitions": [{"name": "app", "image": "nginx:1", "memory": 128}],
    })
}

pub(super) fn fargate() -> Value {
    json!({
        "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{"name": "app", "image": "nginx:1"}],
    })
}

/// Changes one place of a definition and returns the refusal.
pub(super) fn refusal(mut definition: Value, pointer: &str, value: Value) -> String {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    definition
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(member.to_owned(), value);
    World::new(1).err("RegisterTaskDefinition", definition)
}

/// Where the output goes, with the options that ECS needs on Fargate.
pub(super) fn awslogs() -> Value {
    json!({"logDriver": "awslogs", "options": {
        "awslogs-group": "web", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "web",
    }})
}

/// A refusal in the words of ECS.
pub(super) fn client(message: &str) -> String {
    format!("ClientException: {message}")
}

#[test]
fn unknown_fields_survive() {
    let mut world = World::new(1);
    let mut definition = plain();
    definition["fieldOfTomorrow"] = json!({"deep": [1, {"x": 0}]});
    definition["containerDefinitions"][0]["alsoNew"] = json!(true);
    world.ok("RegisterTaskDefinition", definition);
    let answer = world.ok("DescribeTaskDefinition", json!({"taskDefinition": "web:1"}));

    assert_eq!(
        answer["taskDefinition"]["fieldOfTomorrow"],
        json!({"deep": [1, {"x": 0}]})
    );
    assert_eq!(
        answer["taskDefinition"]["containerDefinitions"][0]["alsoNew"],
        json!(true)
    );
}

#[test]
fn answers_have_defaults_filled_in() {
    let mut world = World::new(1);
    let mut definition = fargate();
    definition["containerDefinitions"][0]["portMappings"] = json!([{"containerPort": 80}]);
    let answer = world.ok("RegisterTaskDefinition", definition)["taskDefinition"].clone();
    let container = &answer["containerDefinitions"][0];

    assert_eq!(container["cpu"], 0);
    assert_eq!(container["essential"], true);
    assert_eq!(
        container["portMappings"],
        json!([{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}])
    );

    for list in [
        "environment",
        "mountPoints",
        "volumesFrom",
        "systemControls",
    ] {
        assert_eq!(container[list], json!([]), "{list}");
    }
    assert_eq!(
        (&answer["volumes"], &answer["placementConstraints"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(answer["compatibilities"], json!(["EC2", "FARGATE"]));
    assert_eq!(
        (&answer["revision"], &answer["status"]),
        (&json!(1), &json!("ACTIVE"))
    );
}

#[test]
fn definitions_are_found_by_family_revision_and_arn() {
    let mut world = World::new(1);
    let arns: Vec<String> = (0..3).map(|_| world.fargate("nginx:1")).collect();
    world.ok(
        "DeregisterTaskDefinition",
        json!({"taskDefinition": "web:3"}),
    );

    let mut found = |name: &str| {
        text(
            &world.ok("DescribeTaskDefinition", json!({"taskDefinition": name}))["taskDefinition"]
                ["taskDefinitionArn"],
        )
    };
    assert_eq!(found("web"), arns[1], "the newest ACTIVE revision");
    assert_eq!(found("web:1"), arns[0]);
    assert_eq!(
        found(&arns[2]),
        arns[2],
        "an INACTIVE revision can be described"
    );
    assert_eq!(
        world.err("DescribeTaskDefinition", json!({"taskDefinition": "web:4"})),
        "ClientException: Unable to describe task definition."
    );
}

#[test]
fn tags_are_returned_beside_the_definition_when_included() {
    let mut world = World::new(1);
    let mut definition = plain();
    definition["tags"] = json!([{"key": "a", "value": "b"}]);
    world.ok("RegisterTaskDefinition", definition);

    assert!(
        world
            .ok("DescribeTaskDefinition", json!({"taskDefinition": "web"}))
            .get("tags")
            .is_none()
    );

    let answer = world.ok(
        "DescribeTaskDefinition",
        json!({"taskDefinition": "web", "include": ["TAGS"]}),
    );
    assert_eq!(answer["tags"], json!([{"key": "a", "value": "b"}]));
    assert!(answer["taskDefinition"].get("tags").is_none());
}

#[test]
fn wrong_definitions_are_refused() {
    assert_eq!(
        refusal(plain(), "/family", json!("a b")),
        client("Family contains invalid characters.")
    );
    assert_eq!(
        refusal(plain(), "/containerDefinitions", json!([])),
        client("Container list cannot be empty.")
    );
    assert_eq!(
        refusal(plain(), "/containerDefinitions/0/name", json!("")),
        client("Container.name should not be null or empty.")
    );
    assert_eq!(
        refusal(plain(), "/containerDefinitions/0/image", json!(null)),
        client("Container.image should not be null or empty.")
    );

    let twice = json!([
        {"name": "app", "image": "a", "memory": 9},
        {"name": "app", "image": "b", "memory": 9},
    ]);
    assert!(refusal(plain(), "/containerDefinitions", twice).contains("unique"));
    assert_eq!(
        refusal(plain(), "/containerDefinitions/0/memory", json!(null)),
        client(
            "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' \
             must be specified."
        )
    );
    assert!(
        refusal(plain(), "/containerDefinitions/0/essential", json!(false)).contains("essential")
    );
    assert_eq!(
        refusal(plain(), "/containerDefinitions/0/image", json!("web:<tag>")),
        client("Container.image contains invalid characters.")
    );

    let large = "x".repeat(64 * 1024);
    assert!(refusal(plain(), "/containerDefinitions/0/command", json!([large])).contains("65536"));
}

#[test]
fn links_dependencies_and_secrets_need_what_they_refer_to() {
    assert!(refusal(plain(), "/containerDefinitions/0/links", json!(["db"])).contains("link"));
    assert_eq!(
        refusal(
            plain(),
            "/containerDefinitions/0/dependsOn",
            json!([{"containerName": "db", "condition": "START"}])
        ),
        client("Cannot depend on container + 'db' because it does not exist")
    );
    assert!(
        refusal(
            plain(),
            "/containerDefinitions/0/secrets",
            json!([{"name": "A", "valueFrom": "b"}])
        )
        .contains("'executionRoleArn'")
    );
}

#[test]
fn a_secret_shares_its_name_with_no_other_variable() {
    let secret = json!({"name": "A", "valueFrom": "b"});
    assert_eq!(
        refusal(
            plain(),
            "/containerDefinitions/0/secrets",
            json!([secret, secret])
        ),
        client("Duplicate secret names found: A. Each secret name must be unique.")
    );

    let mut both = plain();
    both["containerDefinitions"][0]["environment"] = json!([{"name": "A", "value": "c"}]);
    assert_eq!(
        refusal(both, "/containerDefinitions/0/secrets", json!([secret])),
        client(
            "The secret name must be unique and not shared with any new or existing environment \
             variables set on the container, such as 'A'."
        )
    );
}

#[test]
fn fargate_has_rules_of_its_own() {
    assert_eq!(
        refusal(fargate(), "/networkMode", json!("bridge")),
        client("Fargate only supports network mode ‘awsvpc’.")
    );
    assert_eq!(
        refusal(fargate(), "/containerDefinitions/0/memory", json!(1024)),
        client("The 'memory' setting for container 'app' is greater than for the task.")
    );

    let private = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:1";
    for (at, value, what) in [
        (
            "/containerDefinitions/0/image",
            json!(private),
            "ECR images",
        ),
        (
            "/containerDefinitions/0/logConfiguration",
            awslogs(),
            "log driver awslogs",
        ),
    ] {
        assert_eq!(
            refusal(fargate(), at, value),
            client(&format!(
                "Fargate requires task definition to have execution role ARN to support {what}."
            ))
        );
    }

    let ports = json!([{"containerPort": 80, "hostPort": 8080}]);
    assert_eq!(
        refusal(fargate(), "/containerDefinitions/0/portMappings", ports),
        client(
            "When networkMode=awsvpc, the host ports and container ports in port mappings must \
             match."
        )
    );
}

#[test]
fn fargate_needs_a_size_that_it_offers() {
    assert_eq!(
        refusal(fargate(), "/cpu", json!(null)),
        client("Fargate requires that 'cpu' be defined at the task level.")
    );
    assert!(
        refusal(fargate(), "/memory", json!("4096"))
            .contains("No Fargate configuration exists for given values: 256 CPU, 4096 memory.")
    );

    for (cpu, memory, fits) in [
        ("256", "2048", true),
        (".5 vCPU", "4 GB", true),
        ("512", "5120", false),
        ("1024", "3000", false),
        ("8192", "16384", true),
        ("32 vCPU", "244GB", true),
        ("32768", "65536", false),
        ("100", "512", false),
    ] {
        assert_eq!(
            super::definition_rules::fits_fargate(cpu, memory),
            fits,
            "{cpu} {memory}"
        );
    }
}

#[test]
fn types_of_known_fields_are_checked() {
    assert_eq!(
        refusal(plain(), "/containerDefinitions/0/cpu", json!("256")),
        "SerializationException: STRING_VALUE cannot be converted to Integer"
    );
    assert_eq!(
        refusal(plain(), "/cpu", json!(256)),
        "SerializationException: NUMBER_VALUE cannot be converted to String"
    );
    assert_eq!(
        refusal(plain(), "/tags", json!({"Env": "prod"})),
        "SerializationException: Expected list or null"
    );
    assert!(
        refusal(
            plain(),
            "/containerDefinitions/0/environment",
            json!({"A": "b"})
        )
        .starts_with("SerializationException")
    );
    assert!(
        refusal(
            plain(),
            "/containerDefinitions/0/environment",
            json!([{"name": "A", "value": 1}])
        )
        .starts_with("SerializationException")
    );
}

#[test]
fn registering_has_a_bucket_of_twenty_and_one_per_second() {
    let mut world = World::new(1);
    for _ in 0..20 {
        world.ok("RegisterTaskDefinition", plain());
    }
    assert_eq!(
        world.err("RegisterTaskDefinition", plain()),
        "ThrottlingException: Rate exceeded"
    );

    world.aws.now += 1000;
    world.ok("RegisterTaskDefinition", plain());
    world.err("RegisterTaskDefinition", plain());
}

#[test]
fn definitions_are_listed_by_family_status_order_and_page() {
    let mut world = World::new(1);
    let arns: Vec<String> = (0..3).map(|_| world.fargate("nginx:1")).collect();
    world.ok(
        "DeregisterTaskDefinition",
        json!({"taskDefinition": "web:2"}),
    );

    let mut list = |input: Value| world.ok("ListTaskDefinitions", input);
    assert_eq!(
        list(json!({"familyPrefix": "web", "sort": "DESC"}))["taskDefinitionArns"],
        json!([arns[2], arns[0]])
    );
    assert_eq!(
        list(json!({"status": "INACTIVE"}))["taskDefinitionArns"],
        json!([arns[1]])
    );
    assert_eq!(
        list(json!({"familyPrefix": "we"}))["taskDefinitionArns"],
        json!([])
    );

    let first = list(json!({"maxResults": 1}));
    assert_eq!(first["taskDefinitionArns"], json!([arns[0]]));

    let second = list(json!({"maxResults": 1, "nextToken": first["nextToken"]}));
    assert_eq!(
        (&second["taskDefinitionArns"], second.get("nextToken")),
        (&json!([arns[2]]), None)
    );
}
