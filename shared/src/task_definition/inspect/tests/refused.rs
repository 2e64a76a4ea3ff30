//! Files that no task definition can be made of.

use super::*;

/// Checks for each file the reason for which it is refused, which repeats no secret.
fn check_refused(rows: &[(Value, &str)]) {
    for (file, expected) in rows {
        let read = BaseFile::parse(file.to_string().as_bytes(), &on_instances());
        let refusal = read.expect_err("refused");
        assert!(
            refusal.contains(expected),
            "{refusal} instead of {expected}"
        );
        assert!(!refusal.contains("hush"), "{refusal}");
    }
}

fn plain() -> Value {
    container(json!({}), json!({}))
}

fn with_config(config: Value) -> Value {
    container(config, json!({}))
}

fn with_host(host: Value) -> Value {
    container(json!({}), host)
}

#[test]
fn what_is_no_container_and_no_image_is_refused() {
    check_refused(&[
        (
            json!([]),
            "the list is empty: not an object; expected {\"family\"",
        ),
        (
            json!([{"name": "web", "imageUri": "a"}]),
            "or what `docker inspect` prints",
        ),
        (
            json!([plain(), {"Driver": "local", "Mountpoint": "/x"}]),
            "`[1]` has neither `Config` nor `HostConfig`; expected what `docker inspect` prints",
        ),
        (
            json!([plain(), 7]),
            "`[1]` is a whole number; expected what",
        ),
        (
            json!({"Config": {"Cmd": ["a"]}}),
            "`[0]` has no name: `Name` is missing",
        ),
        (
            json!({"RepoTags": ["<none>:<none>"], "Config": {}}),
            "`[0]` has no name",
        ),
        (
            json!([plain(), plain()]),
            "two containers have the name `web`; expected a name for each",
        ),
    ]);
}

#[test]
fn a_value_of_another_type_is_refused_with_both_types() {
    check_refused(&[
        (
            with_config(json!({"Cmd": 7})),
            "`web.Config.Cmd` is a whole number; expected a list of strings",
        ),
        (
            with_config(json!({"Env": ["A=1", {"B": 2}]})),
            "`web.Config.Env[1]` is an object; expected a string",
        ),
        (
            with_host(json!({"Memory": "64m"})),
            "`web.HostConfig.Memory` is a string; expected a whole number",
        ),
        (
            with_host(json!({"Memory": -5})),
            "`web.HostConfig.Memory` is -5; expected 0 or more",
        ),
        (
            with_config(json!({"Tty": "yes"})),
            "`web.Config.Tty` is a string; expected true or false",
        ),
        (
            with_host(json!([])),
            "`web.HostConfig` is a list; expected an object",
        ),
        (
            with_config(json!({"Labels": {"a": 1}})),
            "`web.Config.Labels.a` is a whole number; expected a string",
        ),
    ]);
}

#[test]
fn what_ecs_could_not_run_is_refused_with_the_field() {
    let pipe = r"\\.\pipe\docker_engine";
    let mut with_pipe = plain();
    with_pipe["Mounts"] = json!([{"Type": "npipe", "Source": pipe, "Destination": pipe}]);

    check_refused(&[
        (
            with_config(json!({"ExposedPorts": {"0/tcp": {}}})),
            "`web.Config.ExposedPorts` has the port `0/tcp`; expected a port of 1 to 65535",
        ),
        (
            with_host(json!({"PortBindings": {"70000/tcp": null}})),
            "`web.HostConfig.PortBindings` has the port `70000/tcp`; expected",
        ),
        (
            with_host(json!({"PortBindings": {"80/tcp": [{"HostPort": "http"}]}})),
            "`web.HostConfig.PortBindings.80/tcp[0].HostPort` is `http`; expected a port",
        ),
        (
            with_config(json!({"Healthcheck": {"Test": ["curl hush"]}})),
            "`web.Config.Healthcheck.Test` has no command; expected CMD or CMD-SHELL with one",
        ),
        (
            with_host(json!({"RestartPolicy": {"Name": "often"}})),
            "`web.HostConfig.RestartPolicy.Name` is `often`; expected no, always",
        ),
        (
            with_pipe,
            "`web.Mounts[0].Destination` is a named pipe of Windows; expected a directory",
        ),
        (
            with_host(json!({"Binds": ["a:b:c:d"]})),
            "`web.HostConfig.Binds` has an entry of 4 parts; expected source:destination:options",
        ),
    ]);
}

#[test]
fn a_container_for_another_operating_system_is_refused() {
    let refusal = |platform: &str, running: &TaskDefinition| {
        let mut file = plain();
        file["Platform"] = json!(platform);
        BaseFile::parse(file.to_string().as_bytes(), running).err()
    };
    let linux = json!({"runtimePlatform": {"operatingSystemFamily": "LINUX"}});
    let on_linux = with(&on_instances(), &linux);
    let on_windows = with(&on_instances(), &of_windows());

    let why = "`web` is a container for Linux, and the running definition has the operating \
               system WINDOWS_SERVER_2022_CORE; expected a container for Windows";
    assert_eq!(refusal("linux", &on_windows).as_deref(), Some(why));
    let why = "`web` is a container for Windows, and the running definition has the operating \
               system LINUX; expected a container for Linux";
    for running in [&on_linux, &on_fargate()] {
        assert_eq!(refusal("windows", running).as_deref(), Some(why));
    }

    for (platform, running) in [
        ("windows", &on_windows),
        ("linux", &on_linux),
        ("", &on_windows),
        ("windows", &on_instances()),
    ] {
        assert_eq!(refusal(platform, running), None, "{platform}");
    }
}

#[test]
fn a_file_with_more_containers_than_a_task_can_have_is_refused() {
    let many = |count: usize| {
        let named = (0..count).map(|number| {
            let mut named = plain();
            named["Name"] = json!(format!("/web-{number}"));
            named
        });
        Value::Array(named.collect())
    };
    let why = "the file has 11 containers; expected at most 10, which a task definition can have";
    check_refused(&[(many(11), why)]);
    assert_eq!(containers(&parse(&many(10), &on_instances())).len(), 10);
}

#[test]
fn a_text_that_is_not_json_is_refused_with_its_place() {
    for text in ["", "[{\"Config\": {}}", "Error: No such object: web\n[]"] {
        let read = BaseFile::parse(text.as_bytes(), &on_instances());
        let refusal = read.expect_err("refused");
        assert!(refusal.starts_with("not JSON: "), "{refusal}");
    }
}

#[test]
fn a_task_definition_is_read_as_before() {
    let text = br#"{"family": "web", "Config": {}, "containerDefinitions": [
        {"name": "web", "image": "<IMAGE>"}]}"#;
    let file = BaseFile::parse(text, &on_instances()).expect("a task definition");

    assert_eq!(
        file.definition,
        TaskDefinition::parse(text).expect("a task definition")
    );
    assert_eq!(
        (file.left_out, file.definition.family()),
        (Vec::new(), "web")
    );
}
