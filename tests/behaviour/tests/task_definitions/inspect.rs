//! What `docker inspect` prints as the base of a release: each file is converted and registered, or
//! refused with the reason.
//!
//! `SLIPWAY_CORPUS` names folders with a folder `docker-inspect`, whose files are used besides the
//! project's own examples. Forms of files that neither has are written here.

use std::collections::BTreeMap;

use behaviour::{
    account, change_parameters, corpus, failure, jobs, newest, only_register, update_pipeline,
    without_mark, zipped,
};
use emulator::Aws;
use emulator::codepipeline::ReportContent;
use emulator::ecs;
use serde_json::{Value, json};
use slipway::limits::SECRET_CHARS;
use slipway::task_definition::{BaseFile, TaskDefinition, container_images, set_images};
use slipway::text;

use super::{IMAGE, PIPELINE, pushed};

const OWN: &str = "../sandbox/examples/docker-inspect";

/// What the page counter runs.
fn running() -> TaskDefinition {
    let named = json!({"taskDefinition": "page-counter"});
    let described = ecs::call(&mut account(), "DescribeTaskDefinition", &named);
    TaskDefinition::from_value(described.expect("it is there")).expect("a task definition")
}

/// Definitions that run where the rules of ECS differ: the page counter's, one in each network
/// mode, and one on Fargate with members that only ECS has.
fn places() -> Vec<(String, TaskDefinition)> {
    let of = |value: Value| TaskDefinition::from_value(value).expect("a task definition");
    let mut places = vec![("page counter".to_owned(), running())];
    for mode in ["awsvpc", "bridge", "host", "none"] {
        let task = json!({
            "family": "web", "networkMode": mode, "cpu": "256", "memory": "512",
            "containerDefinitions": [{"name": "web", "image": "web:1"}],
        });
        places.push((mode.to_owned(), of(task)));
    }

    let needs = json!([{"containerName": "envoy", "condition": "HEALTHY"}]);
    let log = json!({"logDriver": "awsfirelens"});
    let ports = [
        ("AppPorts", "80"),
        ("ProxyIngressPort", "15000"),
        ("ProxyEgressPort", "15001"),
    ];
    let ports = ports.map(|(name, value)| json!({"name": name, "value": value}));
    let on_fargate = json!({
        "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "executionRoleArn": "exec",
        "proxyConfiguration": {
            "type": "APPMESH", "containerName": "envoy", "properties": ports,
        },
        "containerDefinitions": [
            {"name": "web", "image": "web:1", "dependsOn": needs, "logConfiguration": log},
            {"name": "envoy", "image": "a:1", "healthCheck": {"command": ["CMD", "true"]}},
            {"name": "router", "image": "a:1", "firelensConfiguration": {"type": "fluentbit"}},
        ],
    });
    let registered = ecs::call(&mut account(), "RegisterTaskDefinition", &on_fargate);
    assert!(registered.is_ok(), "{registered:?}");
    places.push(("Fargate".to_owned(), of(on_fargate)));
    places
}

/// The files of the corpus, and forms that others have.
fn files() -> Vec<(String, Vec<u8>)> {
    let read = |file: &std::path::PathBuf| {
        let bytes = std::fs::read(file).expect("a file that can be read");
        (file.display().to_string(), bytes)
    };
    let mut files: Vec<_> = corpus::files("docker-inspect", OWN)
        .iter()
        .map(read)
        .collect();

    let units = of_compose().to_string();
    let units = units.encode_utf16().flat_map(u16::to_le_bytes);
    let in_utf_16: Vec<u8> = [0xff, 0xfe].into_iter().chain(units).collect();
    files.push(("Compose in UTF-16".to_owned(), in_utf_16));
    for (name, file) in [
        ("awslogs", with_awslogs()),
        ("Podman", of_podman()),
        ("Swarm", of_swarm()),
        ("Windows", of_windows()),
        (
            "an image without a configuration",
            json!([{"Id": "sha256:1", "RepoTags": ["scratch:1"], "Config": null, "Os": "linux"}]),
        ),
    ] {
        files.push((name.to_owned(), file.to_string().into_bytes()));
    }
    files
}

/// Two containers of Docker Compose, which publish one port at two addresses.
fn of_compose() -> Value {
    let one = |name: &str, address: &str, links: Value| {
        let bindings = json!([{"HostIp": address, "HostPort": "8080"}]);
        let network = json!({"Links": links, "Aliases": [name, format!("shop-{name}-1")]});
        json!({
            "Id": format!("{name}0123456789ab"), "Name": format!("/shop-{name}-1"),
            "Config": {"Image": "redis:7", "Hostname": "front", "Cmd": ["run"], "Entrypoint": []},
            "HostConfig": {
                "NetworkMode": "shop_default", "NanoCpus": 200_000_000, "Memory": 1_073_741_824,
                "MemoryReservation": 402_653_184, "PortBindings": {"80/tcp": bindings},
                "Dns": ["10.0.0.2"], "DnsSearch": ["example.org"], "ExtraHosts": ["up:10.0.0.7"],
            },
            "NetworkSettings": {"Networks": {"shop_default": network}},
        })
    };
    json!([
        one(
            "web",
            "127.0.0.1",
            json!(["shop-db-1:db", "shop-gone-1:gone"])
        ),
        one("db", "127.0.0.2", json!(null)),
    ])
}

/// A container with more options of `awslogs` than ECS takes, without a network.
fn with_awslogs() -> Value {
    let options = json!({
        "awslogs-group": "web", "awslogs-region": "eu-west-1", "awslogs-endpoint": "example.org",
        "awslogs-create-group": "false", "tag": "web",
    });
    json!({
        "Name": "/web",
        "Config": {
            "Image": "redis:7", "NetworkDisabled": true, "StopTimeout": 1,
            "ExposedPorts": {"80/tcp": {}, "70-90/tcp": {}},
        },
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "awslogs", "Config": options}},
    })
}

fn of_podman() -> Value {
    json!([{
        "Id": "1d2f3a4b5c6d", "Path": "tini", "Args": ["--", "/entry.sh", "run"],
        "ImageName": "docker.io/library/redis:7", "Name": "redis",
        "Config": {
            "Image": "docker.io/library/redis:7", "Entrypoint": "tini -- /entry.sh",
            "Cmd": ["run"], "StopSignal": 15, "StopTimeout": 10, "Umask": "0022",
            "CreateCommand": ["podman", "run", "redis"], "Hostname": "1d2f3a4b5c6d",
        },
        "HostConfig": {
            "Binds": ["data:/data:rw,rprivate,nosuid,nodev,rbind"], "CapAdd": [], "CapDrop": ["CAP_MKNOD"],
            "NetworkMode": "pasta", "Runtime": "crun", "ShmSize": 65_536_000, "UTSMode": "private",
            "LogConfig": {"Type": "journald", "Config": null, "Path": "", "Size": "0B"},
        },
        "Mounts": [{
            "Type": "volume", "Name": "data", "Source": "/x", "Destination": "/data", "RW": true,
            "Driver": "local", "Mode": "", "Options": ["nosuid", "nodev", "rbind"],
        }],
    }])
}

fn of_swarm() -> Value {
    json!([{
        "Id": "9f86d081884c", "Name": "/shop_web.1.x4kq0v7", "Platform": "linux",
        "Config": {
            "Image": "redis:7", "Entrypoint": null, "Labels": {
                "com.docker.stack.namespace": "shop", "com.docker.swarm.service.name": "shop_web",
            },
        },
        "HostConfig": {"Isolation": "default", "Mounts": [
            {"Type": "volume", "Source": "my.data", "Target": "/data"},
        ]},
    }])
}

fn of_windows() -> Value {
    json!([{
        "Id": "5a19974dfc68", "Name": "/iis", "Platform": "windows",
        "Config": {
            "Image": "mcr.microsoft.com/windows/servercore/iis:ltsc2022", "User": "ContainerUser",
            "Entrypoint": [r"C:\ServiceMonitor.exe", "w3svc"], "ExposedPorts": {"80/tcp": {}},
        },
        "HostConfig": {
            "Binds": [r"C:\data:C:\data"], "Isolation": "process", "NetworkMode": "nat",
            "Dns": ["10.0.0.2"], "RestartPolicy": {"Name": "always"}, "ConsoleSize": [50, 120],
        },
    }])
}

/// The same file with its items in the opposite order, if it has several.
fn reversed(bytes: &[u8]) -> Vec<u8> {
    let text = text::utf8(bytes).expect("a text");
    match serde_json::from_slice(&text).expect("JSON") {
        Value::Array(mut items) => {
            items.reverse();
            Value::Array(items).to_string().into_bytes()
        }
        item => item.to_string().into_bytes(),
    }
}

/// The values of variables that are long enough to be secrets, and are nowhere else in the file.
fn secrets(bytes: &[u8]) -> Vec<String> {
    let text = text::utf8(bytes).expect("a text");
    let mut items = match serde_json::from_slice(&text).expect("JSON") {
        Value::Array(items) => items,
        item => vec![item],
    };

    let mut variables = Vec::new();
    for item in &mut items {
        if let Some(config) = item.get_mut("Config") {
            variables.push(config["Env"].take());
        }
    }
    let rest = Value::Array(items).to_string();
    let texts = variables.iter().filter_map(Value::as_array).flatten();
    texts
        .filter_map(|variable| variable.as_str()?.split_once('='))
        .map(|(_, value)| value.to_owned())
        .filter(|value| value.len() >= SECRET_CHARS && !rest.contains(value))
        .collect()
}

#[test]
fn every_file_is_converted_to_what_ecs_registers_or_refused_with_the_reason() {
    for (place, running) in places() {
        let mut converted = 0;
        for (name, bytes) in files() {
            let _unrecorded = corpus::unrecorded(&name);
            let name = format!("{name} ({place})");
            match BaseFile::parse(&bytes, &running) {
                Ok(file) => {
                    check(&name, &bytes, &running, &file);
                    converted += 1;
                }
                Err(why) => assert!(why.contains("expected"), "{name}: {why}"),
            }
        }
        println!("{place}: {converted} files converted");
        assert!(converted > 0);
    }
}

/// Checks that a file is converted the same in another order, lists no secret, and that ECS takes
/// the definition.
fn check(name: &str, bytes: &[u8], running: &TaskDefinition, file: &BaseFile) {
    let again = BaseFile::parse(&reversed(bytes), running);
    assert_eq!(again.as_ref(), Ok(file), "{name}");
    let listed: Vec<String> = file.left_out.iter().map(ToString::to_string).collect();
    let listed = listed.join("\n");
    for secret in secrets(bytes) {
        assert!(!listed.contains(&secret), "{name}: {listed}");
    }

    let placeholders = container_images(&file.definition).into_iter();
    let placeholders = placeholders.filter(|(_, image)| image.starts_with('<'));
    let images: BTreeMap<_, _> = placeholders
        .map(|(name, _)| (name, IMAGE.to_owned()))
        .collect();
    let wanted = set_images(&file.definition, &images).expect("every container has an image");
    let wanted: Value = serde_json::from_str(&wanted.text()).expect("JSON");
    let registered = ecs::call(&mut account(), "RegisterTaskDefinition", &wanted);
    assert!(registered.is_ok(), "{name}: {registered:?} of {wanted}");
}

#[test]
fn every_file_as_an_artifact_ends_like_its_conversion() {
    let running = running();
    for (name, bytes) in files() {
        let _unrecorded = corpus::unrecorded(&name);
        let read = BaseFile::parse(&bytes, &running);
        let first = read
            .as_ref()
            .ok()
            .map(|file| container_images(&file.definition)[0].0.clone());
        let key = first.unwrap_or_else(|| "web".to_owned());

        let after = released(&bytes, &key);
        let execution = newest(&after, PIPELINE);
        let mut all = jobs(&after, &execution.id, "begin-release");
        all.extend(jobs(&after, &execution.id, "register-task-definition"));
        let failed = all.iter().find_map(|job| failure(job));

        match (read, failed) {
            (Err(why), Some((kind, message))) => {
                assert_eq!(kind, "ConfigurationError", "{name}: {message}");
                assert!(message.contains(&why), "{name}: {message} instead of {why}");
            }
            (Ok(file), None) => {
                let sent = after.ecs.request_of("page-counter:2").expect("registered");
                let images = BTreeMap::from([(key, IMAGE.to_owned())]);
                let wanted = set_images(&file.definition, &images).expect("it was registered");
                let wanted: Value = serde_json::from_str(&wanted.text()).expect("JSON");
                let sent = without_mark(sent).0;
                assert_eq!(
                    sent["containerDefinitions"], wanted["containerDefinitions"],
                    "{name}"
                );
            }
            // Another container has an image that no registry can have.
            (Ok(_), Some((kind, message))) => {
                assert_eq!(kind, "ConfigurationError", "{name}: {message}");
                assert!(message.contains("expected"), "{name}: {message}");
            }
            (Err(why), None) => panic!("{name} was registered, and should be refused: {why}"),
        }
    }
}

/// Runs the pipeline's first two steps with this file as `inspect.json` in its Config artifact.
fn released(bytes: &[u8], key: &str) -> Aws {
    let mut aws = account();
    aws.s3
        .put(
            "page-counter-config",
            "config.zip",
            zipped("inspect.json", bytes),
        )
        .expect("the bucket is there");
    let file = json!("Config::inspect.json");
    only_register(
        &mut aws,
        PIPELINE,
        json!({"images": {key: IMAGE}, "taskdef": file}),
    );
    let changed = update_pipeline(&mut aws, PIPELINE, |pipeline| {
        change_parameters(pipeline, "begin-release", |parameters| {
            parameters.insert("taskdef".to_owned(), file);
        });
    });
    changed.expect("a legal pipeline");

    pushed(aws, "1.0.0")
}

#[test]
fn a_file_of_two_containers_is_registered_with_the_new_image_and_its_summary_counts_the_rest() {
    let file = json!([
        {"Name": "/redis", "Config": {"Image": "redis:7"}, "HostConfig": {}},
        {"Name": "/frontend", "Config": {"Image": "page-counter", "Env": ["TOKEN=hush7hush7"]},
         "HostConfig": {
            "Links": ["/redis:/frontend/redis"], "OomScoreAdj": 7, "CpuShares": 64,
            "PortBindings": {"5001/tcp": [{"HostIp": "", "HostPort": "80"}]},
        }},
    ]);
    let after = released(file.to_string().as_bytes(), "frontend");
    let request = after.ecs.request_of("page-counter:2").expect("registered");
    let mut sent = without_mark(request).0;

    // It is not in the file, and stays as it runs.
    let log = sent["containerDefinitions"][0]["logConfiguration"]["logDriver"].clone();
    assert_eq!(log, "awslogs");
    let frontend = sent["containerDefinitions"][0].as_object_mut();
    frontend
        .expect("an object")
        .shift_remove("logConfiguration");
    assert_eq!(
        sent["containerDefinitions"],
        json!([
            {
                "name": "frontend", "image": IMAGE,
                "cpu": 64,
                "environment": [{"name": "TOKEN", "value": "hush7hush7"}],
                "links": ["redis"],
                "portMappings": [{"containerPort": 5001, "hostPort": 80, "protocol": "tcp"}],
            },
            {"name": "redis", "image": "redis:7"},
        ])
    );
    assert_eq!(
        (&sent["family"], &sent["networkMode"]),
        (&json!("page-counter"), &json!("bridge"))
    );

    let summary = summary(&after);
    assert!(
        summary.contains(
            "; 1 setting of docker inspect has no counterpart: frontend.HostConfig.OomScoreAdj"
        ),
        "{summary}"
    );
    assert!(!summary.contains("hush7"), "{summary}");
}

/// The last summary of register-task-definition.
fn summary(aws: &Aws) -> String {
    let execution = newest(aws, PIPELINE);
    let jobs = jobs(aws, &execution.id, "register-task-definition");
    let reports = jobs.iter().flat_map(|job| &job.reports);
    let mut summaries = reports.filter_map(|report| match &report.content {
        ReportContent::Success { summary, .. } => summary.clone(),
        ReportContent::Failure { .. } => None,
    });
    summaries.next_back().expect("a report with a summary")
}
