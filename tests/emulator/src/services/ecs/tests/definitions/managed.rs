use super::details::refused;
use super::*;

fn managed() -> Value {
    let mut definition = plain();
    definition["requiresCompatibilities"] = json!(["MANAGED_INSTANCES"]);
    definition
}

#[test]
fn without_a_network_mode_tasks_of_managed_instances_have_an_interface() {
    assert_eq!(
        refused(managed(), json!({}), json!({ "links": ["app"] })),
        client("Links are not supported when networkMode=awsvpc.")
    );
    assert_eq!(
        refused(managed(), json!({ "networkMode": "bridge" }), json!({})),
        client("Tasks using Managed Instances do not support networkMode=bridge.")
    );
    for mode in ["awsvpc", "host", "none"] {
        let mut definition = managed();
        definition["networkMode"] = json!(mode);
        World::new(1).ok("RegisterTaskDefinition", definition);
    }
}

#[test]
fn managed_instances_have_four_log_drivers_and_no_volumes_of_docker() {
    let logging = |driver: &str| json!({ "logConfiguration": { "logDriver": driver } });
    assert_eq!(
        refused(managed(), json!({}), logging("gelf")),
        client(
            "gelf is not a valid log driver. Must be one of \
             [awslogs,splunk,awsfirelens,json-file]"
        )
    );
    let volume = json!({ "name": "data", "dockerVolumeConfiguration": { "scope": "shared" } });
    assert_eq!(
        refused(managed(), json!({ "volumes": [volume] }), json!({})),
        client("Tasks using Managed Instances do not support dockerVolumeConfiguration")
    );

    let mut definition = managed();
    definition["containerDefinitions"][0]["logConfiguration"] =
        logging("json-file")["logConfiguration"].clone();
    World::new(1).ok("RegisterTaskDefinition", definition);
}
