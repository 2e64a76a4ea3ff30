//! Rights, devices, namespaces and parameters of the kernel.

use super::*;

#[test]
fn rights_and_devices_have_counterparts() {
    check_rows(&[
        (
            json!({}),
            json!({"Privileged": true, "ReadonlyRootfs": true, "Init": true}),
            json!({
                "linuxParameters": {"initProcessEnabled": true},
                "privileged": true,
                "readonlyRootFilesystem": true,
            }),
        ),
        (
            json!({}),
            json!({"CapAdd": ["NET_ADMIN", "CAP_CHOWN", ""], "CapDrop": ["all"]}),
            json!({"linuxParameters": {"capabilities": {
                "add": ["CHOWN", "NET_ADMIN"], "drop": ["ALL"],
            }}}),
        ),
        (
            json!({}),
            json!({"Devices": [
                {"PathOnHost": "/dev/b", "PathInContainer": "/dev/c", "CgroupPermissions": "rm"},
                {"PathOnHost": "/dev/a", "PathInContainer": "/dev/a", "CgroupPermissions": ""},
            ]}),
            json!({"linuxParameters": {"devices": [
                {"hostPath": "/dev/a", "containerPath": "/dev/a"},
                {"hostPath": "/dev/b", "containerPath": "/dev/c", "permissions": ["read", "mknod"]},
            ]}}),
        ),
        (
            json!({}),
            json!({"DeviceRequests": [
                {"Driver": "nvidia", "Count": 2, "DeviceIDs": null, "Capabilities": [["gpu"]]},
            ]}),
            json!({"resourceRequirements": [{"type": "GPU", "value": "2"}]}),
        ),
    ]);
}

#[test]
fn options_and_parameters_have_counterparts() {
    check_rows(&[
        (
            json!({}),
            json!({"SecurityOpt": [
                "label=type:a", "no-new-privileges:true", "no-new-privileges", "apparmor:web",
            ]}),
            json!({"dockerSecurityOptions": ["apparmor:web", "label:type:a", "no-new-privileges"]}),
        ),
        (
            json!({}),
            json!({"Sysctls": {"net.core.somaxconn": "1024", "kernel.msgmax": "1"}}),
            json!({"systemControls": [
                {"namespace": "kernel.msgmax", "value": "1"},
                {"namespace": "net.core.somaxconn", "value": "1024"},
            ]}),
        ),
        // What Docker does in every container.
        (
            json!({}),
            json!({
                "IpcMode": "shareable", "PidMode": "", "CgroupnsMode": "private", "Runtime": "runc",
                "MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": ["/proc/sys"],
            }),
            json!({}),
        ),
    ]);
}

#[test]
fn what_ecs_does_not_set_in_the_kernel_is_listed() {
    check_listed(&[
        (
            json!({}),
            json!({"CapAdd": ["BPF"], "SecurityOpt": ["seccomp=unconfined"], "UTSMode": "host"}),
            &[
                "web.HostConfig.CapAdd (BPF): ECS does not know this capability",
                "web.HostConfig.SecurityOpt (seccomp): ECS does not take this option",
                "web.HostConfig.UTSMode (a text): the network mode of the task decides it",
            ],
        ),
        (
            json!({}),
            json!({
                "Sysctls": {"vm.swappiness": "1"}, "PidMode": "container:db", "MaskedPaths": [],
                "Runtime": "nvidia", "GroupAdd": ["audio"],
            }),
            &[
                "web.HostConfig.Sysctls.vm.swappiness (a text): ECS sets parameters of the network \
                 and of IPC",
                "web.HostConfig.PidMode (container): ECS has it for the task; set `pidMode` in the \
                 task definition",
                "web.HostConfig.MaskedPaths (a list of 0): ECS keeps the paths of Docker",
                "web.HostConfig.Runtime (nvidia): the container instance chooses the runtime",
                "web.HostConfig.GroupAdd (a list of 1): ECS sets a user and a group only; give both \
                 in `User`",
            ],
        ),
    ]);
}

#[test]
fn the_namespaces_of_the_host_are_those_of_the_task() {
    let file = parse(
        &container(json!({}), json!({"PidMode": "host"})),
        &on_instances(),
    );
    let text = file.definition.text();
    assert!(text.contains(r#""pidMode":"host""#), "{text}");
    assert_eq!(listed(&file), [""; 0]);
}

#[test]
fn fargate_and_windows_take_less() {
    let host = json!({
        "Privileged": true, "CapAdd": ["SYS_PTRACE", "NET_RAW"], "ShmSize": 1_048_576,
        "PidMode": "host", "SecurityOpt": ["no-new-privileges"],
    });
    let (web, left_out) = on(&on_fargate(), json!({}), host);
    assert_eq!(
        web,
        json!({"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}}})
    );
    assert_eq!(
        left_out,
        [
            "web.HostConfig.ShmSize (1048576): Fargate does not take it",
            "web.HostConfig.Privileged (true): Fargate does not take it",
            "web.HostConfig.CapAdd (NET_RAW): Fargate adds SYS_PTRACE only",
            "web.HostConfig.SecurityOpt (no-new-privileges): Fargate does not take it",
            "web.HostConfig.PidMode (host): ECS has it for the task; set `pidMode` in the task \
             definition",
        ]
    );

    let mut of_windows = container(
        json!({"User": "ContainerUser", "Cmd": ["cmd"]}),
        json!({"Isolation": "hyperv", "Dns": ["10.0.0.2"], "Init": true}),
    );
    of_windows["Platform"] = json!("windows");
    let file = parse(&of_windows, &on_instances());
    assert_eq!(
        containers(&file),
        [json!({"name": "web", "image": "web:2", "command": ["cmd"], "memory": 128})]
    );
    let reason = "ECS does not take it for Windows containers";
    assert_eq!(
        listed(&file),
        [
            format!("web.Config.User (ContainerUser): {reason}"),
            format!("web.HostConfig.Init (true): {reason}"),
            format!("web.HostConfig.Dns (10.0.0.2): {reason}"),
            "web.HostConfig.Isolation (a text): ECS runs Windows containers in process isolation"
                .to_owned(),
        ]
    );
}

#[test]
fn of_a_security_option_only_its_kind_is_listed() {
    let host = json!({"SecurityOpt": [
        "credentialspec=raw://{hush}", "label:user:hush", "label:role:hush", "hush", "seccomp={hush}",
    ]});
    let (_, listed) = on(&on_fargate(), json!({}), host);
    assert_eq!(
        listed,
        [
            "web.HostConfig.SecurityOpt (a text): ECS does not take this option",
            "web.HostConfig.SecurityOpt (seccomp): ECS does not take this option",
            "web.HostConfig.SecurityOpt (credentialspec, label): Fargate does not take it",
        ]
    );
}

#[test]
fn capabilities_that_windows_does_not_take_are_listed_by_their_own_field() {
    let reason = "ECS does not take it for Windows containers";
    let fields = |host: Value| {
        let mut file = container(json!({}), host);
        file["Platform"] = json!("windows");
        listed(&parse(&file, &on_instances()))
    };

    assert_eq!(
        fields(json!({"CapDrop": ["ALL"]})),
        [format!("web.HostConfig.CapDrop (a list): {reason}")]
    );
    assert_eq!(
        fields(json!({"CapAdd": ["CHOWN"], "CapDrop": ["ALL"]})),
        [
            format!("web.HostConfig.CapAdd (a list): {reason}"),
            format!("web.HostConfig.CapDrop (a list): {reason}"),
        ]
    );
}
