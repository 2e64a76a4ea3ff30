//! What ECS fills in when it returns a definition, and which empty members it refuses.

use super::definitions::{client, fargate, plain, refusal};
use super::*;
use crate::iam::{Principal, Session};

#[test]
fn a_definition_shows_who_registered_it() {
    let mut world = World::new(1);
    let role = "arn:aws:iam::111122223333:role/teams/deploy";
    world.aws.iam.principal = Principal::Session(Session::of(role, "slipway-web"));
    world.ok("RegisterTaskDefinition", plain());
    world.aws.iam.principal = Principal::default();
    world.ok("RegisterTaskDefinition", plain());

    let family = plain()["family"].as_str().expect("a family").to_owned();
    for (revision, registrant) in [
        (
            1,
            "arn:aws:sts::111122223333:assumed-role/deploy/slipway-web",
        ),
        (2, "arn:aws:iam::111122223333:user/operator"),
    ] {
        let input = json!({"taskDefinition": format!("{family}:{revision}")});
        let described = world.ok("DescribeTaskDefinition", input);
        assert_eq!(described["taskDefinition"]["registeredBy"], registrant);
    }
}

#[test]
fn sizes_are_answered_in_units_and_health_checks_and_volumes_with_their_defaults() {
    let mut world = World::new(1);
    let mut definition = fargate();
    definition["cpu"] = json!(".25 vCPU");
    definition["memory"] = json!("0.5GB");
    definition["containerDefinitions"][0]["healthCheck"] = json!({"command": ["CMD", "true"]});
    definition["volumes"] = json!([
        {"name": "files", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}, {"name": "scratch"},
    ]);
    let answer = world.ok("RegisterTaskDefinition", definition)["taskDefinition"].clone();

    assert_eq!(
        (&answer["cpu"], &answer["memory"]),
        (&json!("256"), &json!("512"))
    );
    assert_eq!(
        answer["containerDefinitions"][0]["healthCheck"],
        json!({"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3})
    );
    assert_eq!(
        answer["volumes"],
        json!([
            {
                "name": "files",
                "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/"},
            },
            {"name": "scratch"},
        ])
    );
    assert_eq!(answer["enableFaultInjection"], json!(false));
}

#[test]
fn an_empty_list_of_tags_is_refused_although_it_is_answered() {
    let mut world = World::new(1);
    world.ok("RegisterTaskDefinition", plain());
    let included = json!({"taskDefinition": "web", "include": ["TAGS"]});

    assert_eq!(
        world.ok("DescribeTaskDefinition", included)["tags"],
        json!([])
    );
    assert_eq!(
        refusal(plain(), "/tags", json!([])),
        "ClientException: Tags can not be empty."
    );
    for key in ["aws:cloudformation:stack-name", "AWS:a"] {
        let tags = json!([{"key": key, "value": "web"}]);
        let message = refusal(plain(), "/tags", tags);
        assert!(message.contains("aws:"), "{message}");
    }
}

#[test]
fn a_definition_has_at_most_50_tags() {
    let tags = |count: u32| -> Value {
        let tag = |number| json!({"key": format!("tag{number}"), "value": "x"});
        (0..count).map(tag).collect()
    };

    let mut most = plain();
    most["tags"] = tags(50);
    World::new(1).ok("RegisterTaskDefinition", most);
    assert_eq!(
        refusal(plain(), "/tags", tags(51)),
        "InvalidParameterException: Tags can have at most 50 items."
    );
}

#[test]
fn words_of_an_enumeration_are_refused_when_they_are_empty_or_unknown() {
    assert_eq!(
        refusal(plain(), "/requiresCompatibilities", json!(["FARGAT"])),
        "ClientException: FARGAT is not a valid value for requiresCompatibilities. The value must \
         be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]"
    );
    assert_eq!(
        refusal(plain(), "/pidMode", json!("")),
        "ClientException:  is not a valid value for pidMode. The value must be one of [task,host]"
    );
    assert_eq!(
        refusal(plain(), "/taskRoleArn", json!("")),
        "ClientException: Role is not valid"
    );

    let mapping = json!([{"containerPort": 80, "appProtocol": ""}]);
    let of_no_family = json!({"operatingSystemFamily": ""});
    let credentials = json!({"credentialsParameter": ""});
    for (pointer, value) in [
        ("/ipcMode", json!("private")),
        ("/ipcMode", json!("")),
        ("/networkMode", json!("nat")),
        ("/runtimePlatform", of_no_family),
        (
            "/runtimePlatform",
            json!({"operatingSystemFamily": "linux"}),
        ),
        ("/containerDefinitions/0/versionConsistency", json!("")),
        ("/containerDefinitions/0/portMappings", mapping),
        ("/containerDefinitions/0/repositoryCredentials", credentials),
    ] {
        let message = refusal(plain(), pointer, value);
        assert!(message.starts_with("ClientException: "), "{message}");
    }

    // The empty value of a variable is a value.
    let mut definition = plain();
    definition["containerDefinitions"][0]["environment"] = json!([{"name": "A", "value": ""}]);
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn words_of_the_items_of_lists_are_refused_as_well() {
    let device = json!({"devices": [{"hostPath": "/dev/a", "permissions": ["read", ""]}]});
    for (pointer, value, member) in [
        (
            "/placementConstraints",
            json!([{"type": "", "expression": "task:group == a"}]),
            "type",
        ),
        (
            "/containerDefinitions/0/linuxParameters",
            device,
            "permissions",
        ),
        (
            "/containerDefinitions/0/resourceRequirements",
            json!([{"type": "", "value": "1"}]),
            "type",
        ),
        (
            "/containerDefinitions/0/environmentFiles",
            json!([{"type": "", "value": "arn:aws:s3:::a/b.env"}]),
            "type",
        ),
        (
            "/containerDefinitions/0/firelensConfiguration",
            json!({"type": ""}),
            "type",
        ),
        (
            "/containerDefinitions/0/logConfiguration",
            json!({"logDriver": ""}),
            "logDriver",
        ),
    ] {
        let message = refusal(plain(), pointer, value);
        let words = client(&format!(" is not a valid value for {member}."));
        assert!(message.starts_with(&words), "{message}");
    }
}

#[test]
fn a_protocol_that_is_not_udp_is_taken_as_tcp() {
    for (given, taken) in [("udp", "udp"), ("tcp", "tcp"), ("http", "tcp"), ("", "tcp")] {
        let mut definition = plain();
        definition["containerDefinitions"][0]["portMappings"] =
            json!([{"containerPort": 80, "protocol": given}]);
        let answer = World::new(1).ok("RegisterTaskDefinition", definition);
        let container = &answer["taskDefinition"]["containerDefinitions"][0];
        assert_eq!(container["portMappings"][0]["protocol"], taken, "{given}");
    }

    let mut twice = plain();
    twice["containerDefinitions"][0]["portMappings"] = json!([
        {"containerPort": 80, "hostPort": 80, "protocol": "http"},
        {"containerPort": 81, "hostPort": 80, "protocol": "tcp"},
    ]);
    assert_eq!(
        World::new(1).err("RegisterTaskDefinition", twice),
        client("TCP host port '80' is mapped multiple times in task.")
    );
}

#[test]
fn a_key_is_that_of_one_tag() {
    let tag = json!({"key": "team", "value": "web"});
    let message = refusal(plain(), "/tags", json!([tag, tag]));
    assert!(message.contains("unique"), "{message}");
}

#[test]
fn what_was_registered_may_not_be_found_for_a_while() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    world.aws.stale.registrations = Some(std::time::Duration::from_secs(10));
    let request = world.balanced(0);
    assert_eq!(
        world.err("CreateService", request.clone()),
        "ClientException: TaskDefinition not found."
    );
    world.run(10, |_| {});
    world.ok("CreateService", request);

    world.fargate("nginx:2");
    let update = json!({"cluster": "main", "service": "web", "taskDefinition": "web:2"});
    assert_eq!(
        world.err("UpdateService", update.clone()),
        "ClientException: TaskDefinition not found."
    );
    world.run(10, |_| {});
    world.ok("UpdateService", update);
}
