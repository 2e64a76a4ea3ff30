//! Mounts: binds, volumes of Docker, memory, and what other containers mount.
//!
//! Never repeats the options of a volume driver in what is listed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::binds;
use super::draft::Draft;
use super::fields::Fields;
use super::mount::{Mount, place_of, trimmed};
use super::peers::Peers;
use super::volumes::Volumes;

/// Directories that one host alone has, by how they begin: Docker Desktop has those of its user in
/// a machine of its own (github.com/docker/for-win/issues/2620 and 14390), and the ECS agent mounts
/// what it writes about each container, the files of FireLens and ECS Exec, and volumes of EBS
/// (docs.aws.amazon.com/AmazonECS/latest/developerguide, container-metadata;
/// github.com/aws/amazon-ecs-agent).
const OF_ONE_HOST: [(&str, &str); 7] = [
    ("/host_mnt/", OF_DESKTOP),
    ("/run/desktop/mnt/host/", OF_DESKTOP),
    ("/run/host-services/", OF_DESKTOP),
    ("/mnt/ecs/ebs/", OF_AGENT),
    ("/var/lib/ecs/data/", OF_AGENT),
    ("/var/lib/ecs/deps/", OF_AGENT),
    ("/var/log/ecs/exec/", OF_AGENT),
];

const OF_DESKTOP: &str = "it is a directory of Docker Desktop, which no instance has";

const OF_AGENT: &str = "the ECS agent mounts it itself";

/// Files that Docker makes for each container. nerdctl prints them as mounts
/// (github.com/containerd/nerdctl, pkg/containerutil).
const OF_NETWORK: [&str; 3] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// What is mounted into a container.
pub(super) fn convert(
    container: &mut Fields,
    (config, host): (&mut Fields, &mut Fields),
    (peers, volumes): (&Peers, &mut Volumes),
    draft: &mut Draft,
) -> Result<(), String> {
    let taken = from_others(host, peers, draft)?;

    let mut all = binds::mounted(container, host, draft)?;
    for destination in config.entries("Volumes")?.into_keys() {
        all.push(Mount {
            field: config.at("Volumes"),
            kind: "volume".to_owned(),
            destination: trimmed(&destination).to_owned(),
            ..Mount::default()
        });
    }

    let mut mounts = BTreeMap::new();
    for mount in all {
        // The first one is what the container has, and the others are what was requested.
        let place = place_of(&mount.destination, draft.place.is_windows);
        mounts.entry(place).or_insert(mount);
    }

    let mut points = Vec::new();
    for (place, mount) in mounts {
        if !taken.contains(&place) {
            points.extend(point(mount, volumes, draft)?);
        }
    }
    draft.put("mountPoints", points, "", "");
    Ok(())
}

/// `VolumesFrom`, with the places where these volumes are mounted.
fn from_others(
    host: &mut Fields,
    peers: &Peers,
    draft: &mut Draft,
) -> Result<BTreeSet<String>, String> {
    let field = host.at("VolumesFrom");
    let mut taken = BTreeSet::new();
    let mut list = Vec::new();

    for entry in host.texts("VolumesFrom")? {
        let (source, mode) = entry.split_once(':').unwrap_or((entry.as_str(), ""));
        let Some(peer) = peers.find(source) else {
            draft.leave(
                field.as_str(),
                source,
                "the file does not have this container",
            );
            continue;
        };

        let mut from = json!({"sourceContainer": peer.name});
        if mode.split(',').any(|word| word == "ro") {
            from["readOnly"] = json!(true);
        }
        let is_windows = draft.place.is_windows;
        taken.extend(peer.mounted.iter().map(|path| place_of(path, is_windows)));
        list.push(from);
    }
    draft.put("volumesFrom", list, &field, "a list");
    Ok(taken)
}

/// The mount point of one mount, with its volume; none if ECS cannot mount it.
fn point(mount: Mount, volumes: &mut Volumes, draft: &mut Draft) -> Result<Option<Value>, String> {
    if mount.kind == "npipe" || mount.source.starts_with(r"\\.\pipe\") {
        return Err(format!(
            "`{}` is a named pipe of Windows; expected a directory or a volume; start the container \
             without it",
            mount.field
        ));
    }
    if mount.destination.is_empty() {
        return Err(format!(
            "`{}` has no destination; expected a path",
            mount.field
        ));
    }

    for option in &mount.options {
        draft.leave(
            mount.field.as_str(),
            option.as_str(),
            "ECS mounts without options",
        );
    }
    let Some((name, definition)) = volume(&mount, draft) else {
        return Ok(None);
    };

    let is_of_docker = definition.contains_key("dockerVolumeConfiguration");
    let given = volumes.name(&name, definition);
    if is_of_docker && given != name {
        let reason = format!("its name in ECS is `{given}`: Docker makes another volume of it");
        draft.leave(mount.field.as_str(), name, reason);
    }

    let mut point = json!({
        "sourceVolume": given,
        "containerPath": mount.destination,
    });
    if mount.read_only {
        point["readOnly"] = json!(true);
    }
    Ok(Some(point))
}

/// The volume of a mount, with the name that it should have.
fn volume(mount: &Mount, draft: &mut Draft) -> Option<(String, Map<String, Value>)> {
    let is_anonymous = mount.name.len() == 64 && mount.name.bytes().all(|b| b.is_ascii_hexdigit());
    let host = |value: Value| Map::from_iter([("host".to_owned(), value)]);

    match mount.kind.as_str() {
        "bind" => bind(mount, draft).map(|path| {
            let definition = host(json!({"sourcePath": path}));
            (mount.source.clone(), definition)
        }),
        "volume" if mount.name.is_empty() || is_anonymous => {
            let name = format!("{}/{}", draft.name, mount.destination);
            Some((name, host(json!({}))))
        }
        "volume" if draft.place.is_fargate || draft.place.is_managed => {
            let on = if draft.place.is_fargate {
                "Fargate"
            } else {
                "managed instances"
            };
            let reason = format!("on {on} a volume of Docker is empty and ends with its task");
            draft.leave(mount.field.as_str(), mount.name.as_str(), reason);
            Some((mount.name.clone(), host(json!({}))))
        }
        "volume" => {
            let driver = Some(mount.driver.as_str()).filter(|driver| !driver.is_empty());
            let volume = json!({
                "scope": "shared",
                "autoprovision": true,
                "driver": driver.unwrap_or("local"),
            });
            let definition = Map::from_iter([("dockerVolumeConfiguration".to_owned(), volume)]);
            Some((mount.name.clone(), definition))
        }
        other => {
            let reason = "ECS mounts directories, volumes and memory";
            draft.leave(mount.field.as_str(), other, reason);
            None
        }
    }
}

/// Why no other host has a directory or a file, if that is known by its path.
fn of_one_host(mount: &Mount) -> Option<&'static str> {
    if mount.source.contains("/nerdctl/") && OF_NETWORK.contains(&mount.destination.as_str()) {
        return Some("nerdctl mounts it itself, and Docker does so too");
    }
    let mut known = OF_ONE_HOST.iter();
    let found = known.find(|(start, _)| mount.source.starts_with(start));
    found.map(|(_, reason)| *reason)
}

/// The path that is bound, if the hosts of the tasks can have it.
fn bind<'a>(mount: &'a Mount, draft: &mut Draft) -> Option<&'a str> {
    let is_of_linux = mount.source.starts_with('/');
    let reason = if draft.place.is_fargate {
        "Fargate has no directories of a host"
    } else if let Some(reason) = of_one_host(mount) {
        reason
    } else if is_of_linux || draft.place.is_windows {
        return Some(&mount.source);
    } else {
        "it is a directory of Windows, and the container is for Linux"
    };

    draft.leave(mount.field.as_str(), mount.destination.as_str(), reason);
    None
}
