//! One container or image of a file.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::types::type_of;
use super::peers::Peer;
use super::volumes::legal_name;
use crate::image::ImageReference;

/// The label that Docker Swarm gives a container of a service.
const SWARM_SERVICE: &str = "com.docker.swarm.service.name";

/// The label that the agent of ECS gives a container: its name in the task definition.
const ECS_CONTAINER: &str = "com.amazonaws.ecs.container-name";

/// How the names of the agent's own containers begin, such as the one that holds the network of a
/// task (docs.aws.amazon.com/AmazonECS/latest/developerguide, task-metadata-endpoint-v4-examples).
const OF_AGENT: &str = "~internal~";

const EXPECTED: &str = "expected what `docker inspect` prints of a container or an image";

/// Members of which a container or an image has one or more, and nothing else that Docker inspects.
const MARKS: [&str; 5] = [
    "Config",
    "ContainerConfig",
    "HostConfig",
    "RepoDigests",
    "RepoTags",
];

/// Members that an image has and a container does not have.
const OF_IMAGES: [&str; 4] = ["ContainerConfig", "RepoDigests", "RepoTags", "RootFS"];

/// What a container is for, as `Platform` of a container or `Os` of an image has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContainerSystem {
    Linux,
    Windows,
}

pub(super) struct InspectedItem {
    pub(super) is_image: bool,
    /// The operating system that it is for, if that is stated.
    pub(super) system: Option<ContainerSystem>,
    /// Whether it only holds the network of a pod of Podman, or of a task.
    pub(super) is_infra: bool,
    /// Whether the agent of ECS has started it.
    pub(super) is_of_ecs: bool,
    /// How others of the file refer to it, and its name in the task definition.
    pub(super) peer: Peer,
    /// The id of a container's image.
    image_id: String,
    /// References by which a registry or Docker knows the image; the first one is the best.
    references: Vec<String>,
    pub(super) members: Map<String, Value>,
}

/// Whether a value is of containers or images, in a list as the command line prints it, or one as
/// the API returns it.
pub(crate) fn is_inspect(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_item),
        other => is_item(other),
    }
}

fn is_item(value: &Value) -> bool {
    MARKS.iter().any(|mark| value.get(mark).is_some())
        && value.get("containerDefinitions").is_none()
        && value.get("taskDefinition").is_none()
}

/// # Errors
/// If one of the values is of something else, or has no name.
pub(super) fn items(value: Value) -> Result<Vec<InspectedItem>, String> {
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    values
        .into_iter()
        .enumerate()
        .map(|(at, value)| item(at, value))
        .collect()
}

fn item(at: usize, value: Value) -> Result<InspectedItem, String> {
    let is_known = is_item(&value);
    let members = match value {
        Value::Object(members) if is_known => members,
        Value::Object(_) => {
            return Err(format!(
                "`[{at}]` has neither `Config` nor `HostConfig`; {EXPECTED}"
            ));
        }
        other => return Err(format!("`[{at}]` is {}; {EXPECTED}", type_of(&other))),
    };

    let is_image = !members.contains_key("HostConfig")
        && OF_IMAGES.iter().any(|member| members.contains_key(*member));
    let text = |member: &str| {
        members
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let docker_name = text("Name").trim_start_matches('/').to_owned();
    let references = references(&members, is_image);
    let of_ecs = label(&members, ECS_CONTAINER);
    let is_of_agent = of_ecs.is_some_and(|name| name.starts_with(OF_AGENT));
    let given = of_ecs.or_else(|| swarm_service(&members, &docker_name));
    let name = name(at, given.unwrap_or(&docker_name), &references)?;

    Ok(InspectedItem {
        is_image,
        system: match (text("Platform"), text("Os")) {
            ("windows", _) | (_, "windows") => Some(ContainerSystem::Windows),
            ("linux", _) | (_, "linux") => Some(ContainerSystem::Linux),
            _ => None,
        },
        is_infra: members.get("IsInfra") == Some(&Value::Bool(true)) || is_of_agent,
        is_of_ecs: of_ecs.is_some(),
        peer: Peer {
            docker_name,
            id: text("Id").to_owned(),
            name,
            mounted: destinations(&members),
        },
        image_id: text("Image").to_owned(),
        references,
        members,
    })
}

/// The references of the image, without ids and without the words for an image that has no name.
fn references(members: &Map<String, Value>, is_image: bool) -> Vec<String> {
    let list = |member: &str| {
        let items = members.get(member).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        let mut texts: Vec<String> = texts.map(ToOwned::to_owned).collect();
        texts.sort();
        texts
    };
    let of_container = members.get("Config").and_then(|config| config.get("Image"));
    let mut all = if is_image {
        [list("RepoTags"), list("RepoDigests")].concat()
    } else {
        Vec::from_iter(of_container.and_then(Value::as_str).map(ToOwned::to_owned))
    };

    all.retain(|reference| !is_id(reference) && ImageReference::parse(reference).is_ok());
    all
}

/// Whether a text is the id of an image, which no registry knows.
fn is_id(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    hex.len() >= 12 && hex.len() <= 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The name of the container, or else of its image.
fn name(at: usize, docker_name: &str, references: &[String]) -> Result<String, String> {
    if !docker_name.is_empty() {
        return Ok(legal_name(docker_name));
    }

    let image = references
        .first()
        .and_then(|it| ImageReference::parse(it).ok());
    let image = image.ok_or_else(|| {
        format!(
            "`[{at}]` has no name: `Name` is missing, and no reference is in `Config.Image`, \
             `RepoTags` or `RepoDigests`; expected one of them; name the container, or tag the \
             image"
        )
    })?;
    let last = image.name.rsplit('/').next().unwrap_or_default();
    Ok(legal_name(last))
}

fn label<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let labels = members.get("Config")?.get("Labels")?;
    labels.get(name)?.as_str()
}

/// The service of a container of Docker Swarm, whose own name has an id: `shop_web.1.x4kq…`.
fn swarm_service<'a>(members: &'a Map<String, Value>, docker_name: &str) -> Option<&'a str> {
    let service = label(members, SWARM_SERVICE)?;
    let rest = docker_name.strip_prefix(service)?;
    rest.starts_with('.').then_some(service)
}

/// The paths of what a container mounts.
fn destinations(members: &Map<String, Value>) -> BTreeSet<String> {
    let mounts = members.get("Mounts").and_then(Value::as_array);
    mounts
        .into_iter()
        .flatten()
        .filter_map(|mount| mount.get("Destination").and_then(Value::as_str))
        .map(ToOwned::to_owned)
        .collect()
}

impl InspectedItem {
    /// The image for a task definition: a placeholder if no registry has it under a name.
    pub(super) fn image(&self) -> String {
        let first = self.references.first().cloned();
        first.unwrap_or_else(|| format!("<{}>", self.peer.name))
    }

    /// Whether a container was made from this image.
    pub(super) fn is_image_of(&self, container: &Self) -> bool {
        let has_reference = |reference: &String| {
            let tagged = format!("{reference}:latest");
            self.references.contains(reference) || self.references.contains(&tagged)
        };
        self.is_image
            && !container.is_image
            && (!self.peer.id.is_empty() && self.peer.id == container.image_id
                || container.references.iter().any(has_reference))
    }

    /// Whether the container has the network of its machine.
    pub(super) fn is_in_network_of_host(&self) -> bool {
        let host = self.members.get("HostConfig");
        host.is_some_and(|host| host["NetworkMode"] == "host")
    }

    /// Why the host name of a container is not its own, if it is in the network of its machine or
    /// of another container.
    pub(super) fn shared_hostname(&self) -> Option<&'static str> {
        let mode = self.members.get("HostConfig")?.get("NetworkMode")?;
        match mode.as_str()?.split(':').next()? {
            "host" => Some("in the network `host` it is the machine's"),
            "container" => Some("in the network of another container it is that one's"),
            _ => None,
        }
    }

    /// Whether this is the host name of the container.
    pub(super) fn has_hostname(&self, name: &str) -> bool {
        let config = self.members.get("Config");
        config.is_some_and(|config| config["Hostname"] == name)
    }

    /// The words with which Docker starts a container: entry point and command.
    pub(super) fn started(&self) -> Vec<String> {
        let arguments = self.members.get("Args").and_then(Value::as_array);
        let path = self.members.get("Path").into_iter();
        path.chain(arguments.into_iter().flatten())
            .filter_map(|word| word.as_str().map(ToOwned::to_owned))
            .collect()
    }

    /// `Config`, with the health check that Podman prints beside that of an image
    /// (github.com/containers/common, libimage/inspect.go).
    pub(super) fn config(&self) -> Value {
        let mut config = self.members.get("Config").cloned().unwrap_or_default();
        let beside = self.members.get("Healthcheck").filter(|_| self.is_image);
        let is_open = config.is_null() || config.is_object();
        if let Some(check) = beside
            && is_open
            && config.get("Healthcheck").is_none()
        {
            config["Healthcheck"] = check.clone();
        }
        config
    }
}
