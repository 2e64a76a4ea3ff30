//! Command, environment, labels, the end of a container, and its health check.

use super::*;

const SECOND: u64 = 1_000_000_000;

#[test]
fn the_process_of_a_container_is_that_of_docker() {
    check_rows(&[
        (
            json!({"Cmd": ["run", "", "-v"]}),
            json!({}),
            json!({"command": ["run", "", "-v"]}),
        ),
        (
            json!({"Entrypoint": "tini"}),
            json!({}),
            json!({"entryPoint": ["tini"]}),
        ),
        (
            json!({"Cmd": null, "Entrypoint": []}),
            json!(null),
            json!({}),
        ),
        (
            json!({"User": "app:app", "WorkingDir": "/srv", "Tty": true, "OpenStdin": true}),
            json!({}),
            json!({
                "interactive": true, "pseudoTerminal": true, "user": "app:app",
                "workingDirectory": "/srv",
            }),
        ),
        (
            json!({"Hostname": "web.example"}),
            json!({}),
            json!({"hostname": "web.example"}),
        ),
        // Docker's own names.
        (json!({"Hostname": "26cda334329b"}), json!({}), json!({})),
        (json!({"Hostname": "0123456789ab"}), json!({}), json!({})),
        (
            json!({"StopTimeout": 90}),
            json!({}),
            json!({"stopTimeout": 90}),
        ),
        (
            json!({"StopSignal": "SIGTERM", "ArgsEscaped": true}),
            json!({}),
            json!({}),
        ),
    ]);
}

#[test]
fn the_command_stands_for_an_entry_point_that_was_cleared() {
    check_rows(&[
        (
            json!({"Cmd": ["sh", "-c", "run"], "Entrypoint": []}),
            json!({}),
            json!({"entryPoint": ["sh", "-c", "run"]}),
        ),
        (
            json!({"Cmd": ["run"], "Entrypoint": null}),
            json!({}),
            json!({"command": ["run"]}),
        ),
    ]);
}

#[test]
fn what_ecs_does_not_set_of_a_process_is_listed() {
    check_listed(&[
        (
            json!({"StopSignal": "SIGQUIT"}),
            json!({}),
            &["web.Config.StopSignal (SIGQUIT): ECS sends the signal of the image's STOPSIGNAL"],
        ),
        (
            json!({"StopTimeout": -1}),
            json!({}),
            &["web.Config.StopTimeout (-1): ECS ends a container after a time"],
        ),
        (
            json!({"Domainname": "example.org", "AttachStdout": true, "NewIn2031": {"a": 1}}),
            json!({"NewIn2032": "x", "AutoRemove": true}),
            &[
                "web.Config.AttachStdout (true): it is of the client that started the container",
                "web.Config.Domainname (a text): ECS has no such setting",
                "web.Config.NewIn2031 (an object of 1): ECS has no such setting",
                "web.HostConfig.AutoRemove (true): the ECS agent removes stopped containers itself",
                "web.HostConfig.NewIn2032 (a text): ECS has no such setting",
            ],
        ),
    ]);
}

#[test]
fn variables_and_labels_are_in_the_order_of_their_names() {
    let (web, listed) = on_bridge(
        json!({
            "Env": ["PORT=80", "LEVEL=debug", "EMPTY=", "URL=a=b", "PORT=81", "BARE", "=C:=C:\\"],
            "Labels": {
                "team": "web", "com.docker.compose.project": "a", "com.docker.compose.oneoff": "b",
                "app": "",
            },
        }),
        json!({}),
    );

    assert_eq!(
        web.to_string(),
        json!({
            "dockerLabels": {"app": "", "team": "web"},
            "environment": [
                {"name": "EMPTY", "value": ""}, {"name": "LEVEL", "value": "debug"},
                {"name": "PORT", "value": "81"}, {"name": "URL", "value": "a=b"},
            ],
        })
        .to_string()
    );
    assert_eq!(
        listed,
        [
            "web.Config.Env[5] (a text): a variable of ECS has a name and a value",
            "web.Config.Env[6] (a text): a variable of ECS has a name and a value",
            "web.Config.Labels.com.docker.compose.* (labels: 2): Docker Compose writes them for \
             itself",
        ]
    );
}

#[test]
fn a_restart_policy_has_a_counterpart_but_for_its_count() {
    let enabled = json!({"restartPolicy": {"enabled": true}});
    check_rows(&[
        (
            json!({}),
            json!({"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}}),
            json!({}),
        ),
        (
            json!({}),
            json!({"RestartPolicy": {"Name": "always"}}),
            enabled.clone(),
        ),
        (
            json!({}),
            json!({"RestartPolicy": {"Name": "unless-stopped"}}),
            enabled,
        ),
    ]);

    let policy = json!({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}});
    let (web, listed) = on_bridge(json!({}), policy);
    assert_eq!(
        web["restartPolicy"],
        json!({"enabled": true, "ignoredExitCodes": [0]})
    );
    assert_eq!(
        listed,
        ["web.HostConfig.RestartPolicy.MaximumRetryCount (5): ECS does not count restarts"]
    );
}

#[test]
fn of_a_restart_policy_that_is_off_or_not_taken_everything_is_listed() {
    check_listed(&[(
        json!({}),
        json!({"RestartPolicy": {"Name": "no", "MaximumRetryCount": 3, "NewIn2031": 1}}),
        &[
            "web.HostConfig.RestartPolicy.MaximumRetryCount (3): ECS does not count restarts",
            "web.HostConfig.RestartPolicy.NewIn2031 (1): ECS has no such setting",
        ],
    )]);

    let mut on_windows = container(json!({}), json!({"RestartPolicy": {"Name": "always"}}));
    on_windows["Platform"] = json!("windows");
    let file = parse(&on_windows, &with(&on_fargate(), &of_windows()));
    assert_eq!(
        containers(&file),
        [json!({"name": "web", "image": "web:2"})]
    );
    assert_eq!(
        listed(&file),
        ["web.HostConfig.RestartPolicy.Name (always): Fargate does not restart Windows containers"]
    );
}

#[test]
fn times_of_a_health_check_become_seconds() {
    let test = json!(["CMD-SHELL", "curl -f localhost || exit 1"]);
    let check = json!({"Healthcheck": {
        "Test": test, "Interval": 10 * SECOND, "Timeout": 2_500_000_000_u64, "Retries": 4,
        "StartPeriod": 20 * SECOND,
    }});
    let (web, listed) = on_bridge(check, json!({}));
    assert_eq!(
        web["healthCheck"],
        json!({"command": test, "interval": 10, "startPeriod": 20, "timeout": 3, "retries": 4})
    );
    assert_eq!(listed, [""; 0]);

    // Docker waits 30 s for a test if nothing is given, and ECS 5 s.
    let (web, _) = on_bridge(json!({"Healthcheck": {"Test": test}}), json!({}));
    assert_eq!(web["healthCheck"], json!({"command": test, "timeout": 30}));
}

#[test]
fn a_health_check_beyond_the_bounds_of_ecs_is_moved_to_them_and_listed() {
    let check = json!({"Healthcheck": {
        "Test": ["CMD", "true"], "Interval": 2 * SECOND, "Timeout": 90 * SECOND, "Retries": 20,
        "StartPeriod": 400 * SECOND, "StartInterval": SECOND,
    }});
    let (web, listed) = on_bridge(check, json!({}));

    assert_eq!(
        web["healthCheck"],
        json!({
            "command": ["CMD", "true"], "interval": 5, "startPeriod": 300, "timeout": 60,
            "retries": 10,
        })
    );
    assert_eq!(
        listed,
        [
            "web.Config.Healthcheck.Interval (2): ECS takes 5 to 300; 5 is set",
            "web.Config.Healthcheck.StartPeriod (400): ECS takes 0 to 300; 300 is set",
            "web.Config.Healthcheck.Timeout (90): ECS takes 2 to 60; 60 is set",
            "web.Config.Healthcheck.Retries (20): ECS takes 1 to 10; 10 is set",
            "web.Config.Healthcheck.StartInterval (1000000000): ECS checks at one interval",
        ]
    );
}

#[test]
fn a_health_check_that_is_off_or_inherited_is_none_of_ecs() {
    check_rows(&[
        (
            json!({"Healthcheck": {"Test": ["NONE"]}}),
            json!({}),
            json!({}),
        ),
        (
            json!({"Healthcheck": {"Test": [], "Interval": 0}}),
            json!({}),
            json!({}),
        ),
    ]);
    check_listed(&[
        (
            json!({"Healthcheck": {"Interval": 7}}),
            json!({}),
            &[
                "web.Config.Healthcheck.Interval (7): ECS does not run the check of an image; it \
                 needs a test",
            ],
        ),
        (
            json!({"Healthcheck": {"Test": ["NONE"], "Retries": 3, "StartPeriod": 0}}),
            json!({}),
            &["web.Config.Healthcheck.Retries (3): the check is off"],
        ),
    ]);
}

#[test]
fn a_time_to_stop_is_within_the_bounds_of_where_the_tasks_run() {
    for (running, given, taken, bounds) in [
        (on_fargate(), 0, 2, "2 to 120"),
        (on_fargate(), 1, 2, "2 to 120"),
        (on_fargate(), 2, 2, ""),
        (on_fargate(), 120, 120, ""),
        (on_fargate(), 121, 120, "2 to 120"),
        (on_instances(), 0, 0, ""),
        (on_instances(), 600, 600, ""),
        (
            on_instances(),
            2_147_483_648_u64,
            2_147_483_647,
            "0 to 2147483647",
        ),
    ] {
        let made = on(&running, json!({"StopTimeout": given}), json!({}));
        let listed = match bounds {
            "" => Vec::new(),
            bounds => vec![format!(
                "web.Config.StopTimeout ({given}): ECS takes {bounds} s; {taken} is set"
            )],
        };
        assert_eq!(made, (json!({"stopTimeout": taken}), listed), "{given}");
    }
}

#[test]
fn the_name_of_the_machine_is_not_that_of_the_container() {
    let of_host = json!({"family": "web", "networkMode": "host", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 128},
    ]});
    let config = json!({"Hostname": "build-server"});
    let made = on(&running(of_host), config, json!({"NetworkMode": "host"}));
    assert_eq!(
        made,
        (
            json!({}),
            vec![
                "web.Config.Hostname (build-server): in the network `host` it is the machine's"
                    .to_owned()
            ]
        )
    );
}
