//! What a container may do on its host: rights, devices, namespaces and parameters of the kernel.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::fields::Fields;
use super::left_out::shown;

/// Capabilities of the ECS API: KernelCapabilities.
const CAPABILITIES: [&str; 38] = [
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "SYSLOG",
    "WAKE_ALARM",
];

/// The only capability that Fargate adds (ECS API: KernelCapabilities).
const ON_FARGATE: &str = "SYS_PTRACE";

/// Parameters of the namespaces that ECS sets (ECS API: SystemControl).
const CONTROLS: [&str; 10] = [
    "fs.mqueue.",
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shm_rmid_forced",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "net.",
];

/// How the security options of ECS begin (ECS API: ContainerDefinition, `dockerSecurityOptions`).
const SECURITY: [&str; 3] = ["apparmor:", "credentialspec:", "label:"];

pub(super) fn convert(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    for (name, member) in [
        ("Privileged", "privileged"),
        ("ReadonlyRootfs", "readonlyRootFilesystem"),
        ("Init", "initProcessEnabled"),
    ] {
        let field = host.at(name);
        let flag = host.flag(name)?;
        draft.put(member, flag, &field, "true");
    }

    capabilities(host, draft)?;
    devices(host, draft)?;
    gpus(host, draft)?;
    security(host, draft)?;
    controls(host, draft)?;
    namespaces(host, draft)?;
    hidden_paths(host, draft);
    runtime(host, draft)
}

fn capabilities(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let mut all = Map::new();
    for (name, member) in [("CapAdd", "add"), ("CapDrop", "drop")] {
        let field = host.at(name);
        let mut kept = Vec::new();

        for given in host
            .texts(name)?
            .into_iter()
            .filter(|given| !given.is_empty())
        {
            let upper = given.to_ascii_uppercase();
            let capability = upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned();
            let is_added = member == "add";
            if !CAPABILITIES.contains(&capability.as_str()) {
                draft.leave(
                    field.as_str(),
                    capability,
                    "ECS does not know this capability",
                );
            } else if draft.place.is_fargate && is_added && capability != ON_FARGATE {
                let reason = format!("Fargate adds {ON_FARGATE} only");
                draft.leave(field.as_str(), capability, reason);
            } else {
                kept.push(capability);
            }
        }
        kept.sort();
        match draft.place.refusal("capabilities") {
            _ if kept.is_empty() => {}
            Some(reason) => draft.leave(field, "a list", reason),
            None => {
                all.insert(member.to_owned(), json!(kept));
            }
        }
    }
    draft.put("capabilities", all, "", "");
    Ok(())
}

fn devices(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    const PERMISSIONS: [(char, &str); 3] = [('r', "read"), ('w', "write"), ('m', "mknod")];

    let field = host.at("Devices");
    let mut list = Vec::new();
    for mut device in host.objects("Devices")? {
        let letters = device.text("CgroupPermissions")?;
        let permissions: Vec<&str> = PERMISSIONS
            .iter()
            .filter(|(letter, _)| letters.contains(*letter))
            .map(|(_, word)| *word)
            .collect();

        let mut made = json!({
            "hostPath": device.text("PathOnHost")?,
            "containerPath": device.text("PathInContainer")?,
        });
        if !permissions.is_empty() {
            made["permissions"] = json!(permissions);
        }
        list.push(made);
        draft.leave_rest(&mut device);
    }

    list.sort_by_key(Value::to_string);
    draft.put("devices", list, &field, "a list");
    Ok(())
}

/// A number of GPUs, of all requests together. Others are requested by names that an instance of ECS
/// does not know.
fn gpus(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let mut gpus = 0;
    let mut first = None;
    for mut request in host.objects("DeviceRequests")? {
        let count = request.number("Count")?;
        let kinds = request.take("Capabilities");
        let kinds = kinds.as_array().into_iter().flatten();
        let is_gpu = kinds
            .flat_map(|all| all.as_array().into_iter().flatten())
            .any(|kind| kind == "gpu");

        let field = request.at("Count");
        if is_gpu && count > 0 {
            gpus = count.saturating_add(gpus);
            first.get_or_insert(field);
        } else {
            let reason = "ECS takes a number of GPUs; give `resourceRequirements`";
            draft.leave(field, count.to_string(), reason);
        }
        request.take("Driver");
        draft.leave_rest(&mut request);
    }

    if let Some(field) = first {
        let made = json!([{"type": "GPU", "value": gpus.to_string()}]);
        draft.put("resourceRequirements", made, &field, &gpus.to_string());
    }
    Ok(())
}

fn security(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let field = host.at("SecurityOpt");
    let mut kept = Vec::new();

    for option in host.texts("SecurityOpt")? {
        let form = option.replacen('=', ":", 1);
        if form == "no-new-privileges" || form == "no-new-privileges:true" {
            kept.push("no-new-privileges".to_owned());
        } else if SECURITY.iter().any(|start| form.starts_with(start)) {
            kept.push(form);
        } else {
            // Without a kind, the whole option could be a secret.
            let kind = form.split_once(':').map_or("a text", |(kind, _)| kind);
            draft.leave(field.as_str(), kind, "ECS does not take this option");
        }
    }

    kept.sort();
    kept.dedup();
    // What follows a kind can be a secret, as in `credentialspec`.
    let mut kinds: Vec<&str> = kept.iter().filter_map(|it| it.split(':').next()).collect();
    kinds.dedup();
    let shown = kinds.join(", ");
    draft.put("dockerSecurityOptions", kept, &field, &shown);
    Ok(())
}

fn controls(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let place = host.at("Sysctls");
    let mut list = Vec::new();

    for (name, value) in host.options("Sysctls")? {
        let reason = if CONTROLS.iter().any(|start| name.starts_with(start)) {
            draft.place.refusal_of_control(&name)
        } else {
            Some("ECS sets parameters of the network and of IPC")
        };
        match reason {
            Some(reason) => draft.leave(format!("{place}.{name}"), "a text", reason),
            None => list.push(json!({"namespace": name, "value": value})),
        }
    }
    draft.put("systemControls", list, &place, "a list");
    Ok(())
}

/// `PidMode` and `IpcMode`, which ECS has for all containers of a task together.
fn namespaces(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    const MODES: [(&str, &str, [&str; 3]); 2] = [
        ("IpcMode", "ipcMode", ["", "private", "shareable"]),
        ("PidMode", "pidMode", ["", "private", "private"]),
    ];

    for (name, member, own) in MODES {
        let field = host.at(name);
        let mode = host.text(name)?;
        if own.contains(&mode.as_str()) {
            continue;
        }

        if mode == "host" && !draft.place.is_fargate && !draft.place.is_windows {
            draft.of_task.insert(member, field);
        } else {
            let word = mode.split(':').next().unwrap_or_default();
            let reason = format!("ECS has it for the task; set `{member}` in the task definition");
            draft.leave(field, word, reason);
        }
    }

    let field = host.at("CgroupnsMode");
    let mode = host.text("CgroupnsMode")?;
    if !mode.is_empty() && mode != "private" {
        draft.leave(field, mode, "the container instance decides it");
    }
    Ok(())
}

/// Paths that Docker hides or protects in every container, unless another list was given.
fn hidden_paths(host: &mut Fields, draft: &mut Draft) {
    for name in ["MaskedPaths", "ReadonlyPaths"] {
        let field = host.at(name);
        let has_list = host.has(name);
        let given = host.take(name);
        let paths = given.as_array().into_iter().flatten();
        let is_own = paths
            .filter_map(Value::as_str)
            .all(|path| path.starts_with("/proc/") || path.starts_with("/sys/"));

        let is_off = has_list && given.as_array().is_some_and(Vec::is_empty);
        if !is_own || is_off {
            draft.leave(field, shown(&given), "ECS keeps the paths of Docker");
        }
    }
}

/// The runtime, unless it is Docker's own, by the names that it had.
fn runtime(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let field = host.at("Runtime");
    let runtime = host.text("Runtime")?;
    if !["", "runc", "io.containerd.runc.v2"].contains(&runtime.as_str()) {
        draft.leave(field, runtime, "the container instance chooses the runtime");
    }
    Ok(())
}
