use super::details::refused;
use super::*;

fn logging(driver: &str, options: Value) -> Value {
    json!({ "logConfiguration": { "logDriver": driver, "options": options } })
}

#[test]
fn a_log_driver_has_the_options_that_it_needs_and_no_others() {
    for (driver, options, words) in [
        (
            "awslogs",
            json!({}),
            "Log driver awslogs requires options: awslogs-region, awslogs-group",
        ),
        (
            "awslogs",
            json!({ "awslogs-region": "eu-west-1" }),
            "Log driver awslogs requires options: awslogs-group",
        ),
        (
            "awslogs",
            json!({ "awslogs-region": "eu-west-1", "awslogs-group": "" }),
            "Log driver awslogs option 'awslogs-group' should not be null or empty.",
        ),
        (
            "awslogs",
            json!({
                "awslogs-region": "eu-west-1", "awslogs-group": "web", "tag": "web",
                "awslogs-endpoint": "https://logs.example.org",
            }),
            "Log driver awslogs disallows options: tag, awslogs-endpoint",
        ),
        (
            "awslogs",
            json!({
                "awslogs-region": "eu-west-1", "awslogs-group": "web",
                "awslogs-create-group": "false",
            }),
            "Log driver awslogs option 'awslogs-create-group' should only be set to 'true', else \
             omit option.",
        ),
        (
            "splunk",
            json!({ "splunk-url": "https://splunk.example.org" }),
            "Log driver splunk requires options: splunk-token",
        ),
    ] {
        let refusal = refused(plain(), json!({}), logging(driver, options));
        assert_eq!(refusal, client(words));
    }
}

#[test]
fn a_log_driver_takes_its_own_options() {
    for configuration in [
        json!({ "logDriver": "awslogs", "options": {
            "awslogs-region": "eu-west-1", "awslogs-group": "web", "awslogs-create-group": "true",
            "mode": "non-blocking", "max-buffer-size": "4m",
        } }),
        json!({
            "logDriver": "splunk", "options": { "splunk-url": "https://splunk.example.org" },
            "secretOptions": [{ "name": "splunk-token", "valueFrom": "arn:aws:ssm:token" }],
        }),
        json!({ "logDriver": "json-file", "options": { "max-size": "10m" } }),
    ] {
        let mut definition = plain();
        definition["containerDefinitions"][0]["logConfiguration"] = configuration;
        World::new(1).ok("RegisterTaskDefinition", definition);
    }
}

#[test]
fn on_fargate_a_log_stream_has_a_prefix() {
    let mut configuration = awslogs();
    let options = configuration["options"].as_object_mut().expect("options");
    options.shift_remove("awslogs-stream-prefix");
    let members = json!({ "executionRoleArn": "exec" });
    let of_container = json!({ "logConfiguration": configuration });

    assert_eq!(
        refused(fargate(), members, of_container.clone()),
        client(
            "Fargate requires log configuration options to include awslogs-stream-prefix to \
             support log driver awslogs."
        )
    );
    let mut definition = plain();
    definition["containerDefinitions"][0]["logConfiguration"] =
        of_container["logConfiguration"].clone();
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn a_log_router_and_containers_that_use_it_need_each_other() {
    assert_eq!(
        refused(plain(), json!({}), logging("awsfirelens", json!({}))),
        client(
            "When awsfirelens log driver is specified in log configuration, a firelens \
             configuration object must be configured in one of the containers."
        )
    );
    let router = json!({ "firelensConfiguration": { "type": "fluentbit" } });
    assert_eq!(
        refused(plain(), json!({}), router.clone()),
        client(
            "When a firelensConfiguration object is specified, at least one container has to be \
             configured with the awsfirelens log driver."
        )
    );

    let mut definition = plain();
    let mut other = router;
    other["name"] = json!("router");
    other["image"] = json!("fluent-bit:1");
    other["memory"] = json!(64);
    let containers = definition["containerDefinitions"].as_array_mut();
    let containers = containers.expect("containers");
    containers[0]["logConfiguration"] = json!({ "logDriver": "awsfirelens" });
    containers.push(other);
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn fargate_has_three_log_drivers_and_reads_no_file_of_s3_for_a_router() {
    assert_eq!(
        refused(fargate(), json!({}), logging("json-file", json!({}))),
        client("json-file is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]")
    );

    let routed = |mut definition: Value, file: &str| {
        let mut container = definition["containerDefinitions"][0].clone();
        container["name"] = json!("router");
        container["firelensConfiguration"] = json!({ "type": "fluentbit", "options": {
            "config-file-type": "s3", "config-file-value": file,
        } });
        let containers = definition["containerDefinitions"].as_array_mut();
        let containers = containers.expect("containers");
        containers[0]["logConfiguration"] = json!({ "logDriver": "awsfirelens" });
        containers.push(container);
        definition
    };
    let file = "arn:aws:s3:::bucket/extra.conf";
    assert_eq!(
        World::new(1).err("RegisterTaskDefinition", routed(fargate(), file)),
        client("Fargate launch type does not support FirelensConfiguration config file from 's3'")
    );
    assert_eq!(
        World::new(1).err(
            "RegisterTaskDefinition",
            routed(plain(), "s3://bucket/extra.conf")
        ),
        client("Invalid arn syntax.")
    );
    World::new(1).ok("RegisterTaskDefinition", routed(plain(), file));
}
