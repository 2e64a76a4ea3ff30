//! Where the tasks of a service run, and which members of a container definition ECS does not take
//! there.

use serde_json::Value;

use super::super::definition::TaskDefinition;

/// Members that have no effect or are refused on Windows
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html), all of
/// `linuxParameters` besides.
const NOT_ON_WINDOWS: [&str; 10] = [
    "disableNetworking",
    "dnsSearchDomains",
    "dnsServers",
    "extraHosts",
    "links",
    "privileged",
    "readonlyRootFilesystem",
    "systemControls",
    "ulimits",
    "user",
];

/// The members of `linuxParameters`
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html).
pub(super) const LINUX_PARAMETERS: [&str; 7] = [
    "capabilities",
    "devices",
    "initProcessEnabled",
    "maxSwap",
    "sharedMemorySize",
    "swappiness",
    "tmpfs",
];

/// Members that Fargate does not take
/// (docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html).
const NOT_ON_FARGATE: [&str; 7] = [
    "devices",
    "dockerSecurityOptions",
    "maxSwap",
    "privileged",
    "resourceRequirements",
    "sharedMemorySize",
    "swappiness",
];

/// Members that a task with a network interface of its own cannot have
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).
const NOT_IN_AWSVPC: [&str; 6] = [
    "disableNetworking",
    "dnsSearchDomains",
    "dnsServers",
    "extraHosts",
    "hostname",
    "links",
];

/// Members that a task without a network cannot have (the same page).
const NOT_WITHOUT_NETWORK: [&str; 2] = ["links", "portMappings"];

/// Whether an operating system of ECS is one of Windows (ECS API: RuntimePlatform).
pub(super) fn is_windows(system: &str) -> bool {
    system.starts_with("WINDOWS")
}

#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) is_fargate: bool,
    /// Whether tasks run on Amazon ECS Managed Instances.
    pub(super) is_managed: bool,
    pub(super) is_windows: bool,
    mode: String,
    ipc_mode: String,
}

impl Place {
    pub(super) fn from_definition(definition: &TaskDefinition) -> Self {
        let system = definition.operating_system();
        let ipc_mode = definition.0.get("ipcMode").and_then(Value::as_str);
        Self {
            is_fargate: definition.is_for_fargate(),
            is_managed: definition.is_for_managed_instances(),
            is_windows: system.is_some_and(is_windows),
            mode: definition.network_mode().unwrap_or("awsvpc").to_owned(),
            ipc_mode: ipc_mode.unwrap_or_default().to_owned(),
        }
    }

    /// Why a parameter of the kernel cannot be set for a container, if it is the instance's (ECS
    /// API: SystemControl).
    pub(super) fn refusal_of_control(&self, name: &str) -> Option<&'static str> {
        let is_of_network = name.starts_with("net.");
        if is_of_network && self.mode == "host" {
            Some("in the network mode `host` it is the instance's")
        } else if !is_of_network && self.ipc_mode == "host" {
            Some("with the `ipcMode` of the running definition it is the instance's")
        } else {
            None
        }
    }

    /// Whether the port of a container is the port of its host, so that there is no other to give.
    pub(super) fn has_own_ports(&self) -> bool {
        ["awsvpc", "host"].contains(&self.mode.as_str())
    }

    /// Whether ECS maps ranges of ports (ECS API: PortMapping, `containerPortRange`).
    pub(super) fn has_port_ranges(&self) -> bool {
        ["awsvpc", "bridge"].contains(&self.mode.as_str())
    }

    /// The network mode of the tasks.
    pub(super) fn mode(&self) -> &str {
        &self.mode
    }

    /// Why a member cannot be set here, if it cannot.
    pub(super) fn refusal(&self, member: &str) -> Option<String> {
        let is_linux = LINUX_PARAMETERS.contains(&member);
        if self.is_windows && (is_linux || NOT_ON_WINDOWS.contains(&member)) {
            return Some("ECS does not take it for Windows containers".to_owned());
        }
        if self.is_fargate && NOT_ON_FARGATE.contains(&member) {
            return Some("Fargate does not take it".to_owned());
        }
        // github.com/terraform-aws-modules/terraform-aws-ecs/issues/317
        if self.is_fargate && self.is_windows && member == "restartPolicy" {
            return Some("Fargate does not restart Windows containers".to_owned());
        }

        let is_refused = match self.mode.as_str() {
            "awsvpc" => NOT_IN_AWSVPC.contains(&member),
            "bridge" => false,
            "none" => NOT_WITHOUT_NETWORK.contains(&member),
            _ => member == "links",
        };
        is_refused.then(|| format!("the network mode `{}` does not take it", self.mode))
    }
}
