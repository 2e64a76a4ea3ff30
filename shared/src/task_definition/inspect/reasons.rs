//! Why a member of `docker inspect` has no counterpart in a task definition.

/// Members with a reason of their own. Any other is one that ECS, or this version, does not know.
const REASONS: [(&str, &str); 18] = [
    ("AttachStderr", OF_CLIENT),
    ("AttachStdin", OF_CLIENT),
    ("AttachStdout", OF_CLIENT),
    (
        "AutoRemove",
        "the ECS agent removes stopped containers itself",
    ),
    ("CgroupParent", "the ECS agent sets it itself"),
    ("ConsoleSize", OF_CLIENT),
    ("ContainerIDFile", OF_CLIENT),
    ("DnsOptions", "ECS sets servers and search domains only"),
    (
        "GroupAdd",
        "ECS sets a user and a group only; give both in `User`",
    ),
    (
        "Isolation",
        "ECS runs Windows containers in process isolation",
    ),
    ("MacAddress", "ECS gives addresses itself"),
    ("OnBuild", OF_BUILDS),
    ("Shell", OF_BUILDS),
    ("StartInterval", "ECS checks at one interval"),
    ("StdinOnce", OF_CLIENT),
    ("UTSMode", "the network mode of the task decides it"),
    ("UsernsMode", "the container instance decides it"),
    ("VolumeDriver", "each volume has a driver of its own"),
];

const OF_CLIENT: &str = "it is of the client that started the container";
const OF_BUILDS: &str = "only builds of images use it";

pub(super) fn reason_of(member: &str) -> &'static str {
    let known = REASONS.iter().find(|(name, _)| *name == member);
    known.map_or("ECS has no such setting", |(_, reason)| *reason)
}
