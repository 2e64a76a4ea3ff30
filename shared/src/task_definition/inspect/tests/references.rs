//! What the running containers refer to and the file has removed or changed.

use super::*;

/// A running container with these members.
fn before(name: &str, members: Value) -> Value {
    let mut container = members;
    container["name"] = json!(name);
    container["image"] = json!("a:1");
    container
}

/// What runs on Fargate: these containers, with these members of the task.
fn task(containers: Value, members: Value) -> TaskDefinition {
    let mut task = json!({
        "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "containerDefinitions": containers,
    });
    let task_members = task.as_object_mut().expect("an object");
    task_members.extend(members.as_object().expect("an object").clone());
    running(task)
}

/// A container of the file with these members of `Config` and `HostConfig`.
fn given(name: &str, config: Value, host: Value) -> Value {
    let mut file = container(config, host);
    file["Id"] = json!("");
    file["Name"] = json!(format!("/{name}"));
    file
}

/// The containers that are made, without name and image, and what is listed.
fn settled(file: &Value, running: &TaskDefinition) -> (Vec<Value>, Vec<String>) {
    let parsed = parse(file, running);
    let mut made = containers(&parsed);
    for container in &mut made {
        let members = container.as_object_mut().expect("an object");
        members.retain(|name, _| !["name", "image"].contains(&name.as_str()));
    }
    (made, listed(&parsed))
}

/// A dependency on `db`.
fn on_db(condition: &str) -> Value {
    json!([{"containerName": "db", "condition": condition}])
}

/// What is kept of a dependency of `web` on `db`, which has a health check, and what is listed.
fn kept(file: &Value, condition: &str) -> (Value, Vec<String>) {
    let check = json!({"command": ["CMD", "true"]});
    let both = json!([
        before("web", json!({"dependsOn": on_db(condition)})),
        before("db", json!({"healthCheck": check})),
    ]);
    let (made, listed) = settled(file, &task(both, json!({})));
    let web = made.last().expect("a container");
    (web["dependsOn"].clone(), listed)
}

#[test]
fn a_dependency_has_its_other_end() {
    let web = given("web", json!({}), json!({}));
    let db = given("db", json!({}), json!({}));
    let off = given("db", json!({"Healthcheck": {"Test": ["NONE"]}}), json!({}));
    let field = "containerDefinitions.web.dependsOn.db";

    let both = json!([web, db]);
    assert_eq!(kept(&both, "HEALTHY"), (on_db("HEALTHY"), Vec::new()));

    let without_check = json!([web, off]);
    let listed = format!("{field} (HEALTHY): this container has no health check; START is set");
    assert_eq!(
        kept(&without_check, "HEALTHY"),
        (on_db("START"), vec![listed])
    );
    assert_eq!(kept(&without_check, "START"), (on_db("START"), Vec::new()));

    let listed = vec![
        "containerDefinitions.db (a container): it is not in the file: it is removed".to_owned(),
        format!("{field} (START): the file does not have this container"),
    ];
    assert_eq!(kept(&json!([web]), "START"), (Value::Null, listed));
}

/// What runs: `web`, whose output goes through `log`.
fn routed() -> TaskDefinition {
    let log = json!({"logConfiguration": {"logDriver": "awsfirelens"}});
    let router = json!({"firelensConfiguration": {"type": "fluentbit"}});
    task(
        json!([before("web", log), before("log", router)]),
        json!({}),
    )
}

#[test]
fn the_users_of_a_log_router_are_left_out_with_it() {
    let web = given("web", json!({}), json!({}));
    let router = given("log", json!({}), json!({}));

    let (made, listed) = settled(&json!([web, router]), &routed());
    assert_eq!(
        made,
        [
            json!({"firelensConfiguration": {"type": "fluentbit"}}),
            json!({"logConfiguration": {"logDriver": "awsfirelens"}}),
        ]
    );
    assert_eq!(listed, [""; 0]);

    let (made, listed) = settled(&web, &routed());
    assert_eq!(made, [json!({})]);
    assert_eq!(
        listed,
        [
            "containerDefinitions.log (a container): it is not in the file: it is removed",
            "containerDefinitions.web.logConfiguration (awsfirelens): the file does not have the \
             container that routes logs",
        ]
    );
}

#[test]
fn a_log_router_without_users_is_left_out() {
    let options = json!({"splunk-token": "hush", "splunk-url": "https://splunk.example.org"});
    let log = json!({"LogConfig": {"Type": "splunk", "Config": options}});
    let web = given("web", json!({}), log);
    let router = given("log", json!({}), json!({}));

    let (made, listed) = settled(&json!([web, router]), &routed());
    assert_eq!(made[0], json!({}));
    assert_eq!(made[1]["logConfiguration"]["logDriver"], "splunk");
    assert_eq!(
        listed,
        [
            "containerDefinitions.log.firelensConfiguration (a router of logs): no container of the \
             file has the log driver awsfirelens"
        ]
    );
}

#[test]
fn a_proxy_without_its_container_is_left_out() {
    let envoy = json!([before("web", json!({})), before("envoy", json!({}))]);
    let proxy = json!({"type": "APPMESH", "containerName": "envoy"});
    let meshed = task(envoy, json!({"proxyConfiguration": proxy}));
    let web = given("web", json!({}), json!({}));
    let kept = given("envoy", json!({}), json!({}));
    let proxy_of = |file: &Value| {
        let parsed = parse(file, &meshed);
        let text = parsed.definition.text();
        let definition: Value = serde_json::from_str(&text).expect("JSON");
        (definition["proxyConfiguration"].clone(), listed(&parsed))
    };

    assert_eq!(proxy_of(&json!([web, kept])), (proxy, Vec::new()));
    assert_eq!(
        proxy_of(&web),
        (
            Value::Null,
            vec![
                "containerDefinitions.envoy (a container): it is not in the file: it is removed"
                    .to_owned(),
                "proxyConfiguration (envoy): the file does not have this container".to_owned(),
            ]
        )
    );
}

#[test]
fn a_task_has_an_essential_container() {
    let sidecar = before("side", json!({"essential": false}));
    let both = task(json!([before("web", json!({})), sidecar]), json!({}));
    let web = given("web", json!({}), json!({}));
    let side = given("side", json!({}), json!({}));

    assert_eq!(
        settled(&json!([web, side]), &both),
        (vec![json!({"essential": false}), json!({})], Vec::new())
    );
    assert_eq!(
        settled(&side, &both),
        (
            vec![json!({})],
            vec![
                "containerDefinitions.web (a container): it is not in the file: it is removed"
                    .to_owned(),
                "containerDefinitions.side.essential (false): ECS needs an essential container, \
                 and the file does not have it"
                    .to_owned(),
            ]
        )
    );
}

#[test]
fn a_name_of_a_port_is_given_once_and_listed_if_its_port_is_gone() {
    let ports = json!([
        {"containerPort": 80, "hostPort": 8081, "protocol": "tcp", "name": "http"},
        {"containerPort": 90, "name": "admin", "appProtocol": "http"},
    ]);
    let running = running(json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 128, "portMappings": ports},
    ]}));
    let twice = json!([{"HostPort": "8080"}, {"HostPort": "8081"}]);
    let (web, listed) = on(
        &running,
        json!({}),
        json!({"PortBindings": {"80/tcp": twice}}),
    );

    assert_eq!(
        web["portMappings"],
        json!([
            {"containerPort": 80, "hostPort": 8080, "protocol": "tcp"},
            {"containerPort": 80, "hostPort": 8081, "protocol": "tcp", "name": "http"},
        ])
    );
    assert_eq!(
        listed,
        [
            "containerDefinitions.web.portMappings.admin (a name): the file does not have its port: \
             it is removed"
        ]
    );
}
