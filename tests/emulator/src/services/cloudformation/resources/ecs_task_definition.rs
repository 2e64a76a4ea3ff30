//! ECS task definitions: every change is a new revision, and the old one is deregistered.

use serde_json::json;

use super::ecs::{LOG_CONFIGURATION, PLACEMENT_CONSTRAINTS, SECRETS};
use super::{Made, ResourceType, Update, Wish, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema::Kind::{
    self, Boolean, Integer, List, Map as Entries, Object, Text,
};
use crate::cloudformation::schema::{TAGS, TEXTS, may, need, to_api};
use crate::cloudformation::stack::StackResource;
use crate::ecs;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECS::TaskDefinition",
    properties: TASK_DEFINITION,
    create,
    update: Update::Replace,
    delete,
}];

const PAIRS: Kind = List(&Object(&[may("Name", Text), may("Value", Text)]));
const LINUX_PARAMETERS: Kind = Object(&[
    may(
        "Capabilities",
        Object(&[may("Add", TEXTS), may("Drop", TEXTS)]),
    ),
    may(
        "Devices",
        List(&Object(&[
            may("ContainerPath", Text),
            may("HostPath", Text),
            may("Permissions", TEXTS),
        ])),
    ),
    may("InitProcessEnabled", Boolean),
    may("MaxSwap", Integer),
    may("SharedMemorySize", Integer),
    may("Swappiness", Integer),
    may(
        "Tmpfs",
        List(&Object(&[
            may("ContainerPath", Text),
            may("MountOptions", TEXTS),
            need("Size", Integer),
        ])),
    ),
]);
const PORT_MAPPING: Kind = Object(&[
    may("AppProtocol", Text),
    may("ContainerPort", Integer),
    may("ContainerPortRange", Text),
    may("HostPort", Integer),
    may("Name", Text),
    may("Protocol", Text),
]);
const HEALTH_CHECK: Kind = Object(&[
    may("Command", TEXTS),
    may("Interval", Integer),
    may("Retries", Integer),
    may("StartPeriod", Integer),
    may("Timeout", Integer),
]);
const CONTAINER: Kind = Object(&[
    may("Command", TEXTS),
    may("Cpu", Integer),
    may("CredentialSpecs", TEXTS),
    may(
        "DependsOn",
        List(&Object(&[
            may("Condition", Text),
            may("ContainerName", Text),
        ])),
    ),
    may("DisableNetworking", Boolean),
    may("DnsSearchDomains", TEXTS),
    may("DnsServers", TEXTS),
    may("DockerLabels", Entries(&Text)),
    may("DockerSecurityOptions", TEXTS),
    may("EntryPoint", TEXTS),
    may("Environment", PAIRS),
    may(
        "EnvironmentFiles",
        List(&Object(&[may("Type", Text), may("Value", Text)])),
    ),
    may("Essential", Boolean),
    may(
        "ExtraHosts",
        List(&Object(&[may("Hostname", Text), may("IpAddress", Text)])),
    ),
    may(
        "FirelensConfiguration",
        Object(&[may("Options", Entries(&Text)), may("Type", Text)]),
    ),
    may("HealthCheck", HEALTH_CHECK),
    may("Hostname", Text),
    need("Image", Text),
    may("Interactive", Boolean),
    may("Links", TEXTS),
    may("LinuxParameters", LINUX_PARAMETERS),
    may("LogConfiguration", LOG_CONFIGURATION),
    may("Memory", Integer),
    may("MemoryReservation", Integer),
    may(
        "MountPoints",
        List(&Object(&[
            may("ContainerPath", Text),
            may("ReadOnly", Boolean),
            may("SourceVolume", Text),
        ])),
    ),
    need("Name", Text),
    may("PortMappings", List(&PORT_MAPPING)),
    may("Privileged", Boolean),
    may("PseudoTerminal", Boolean),
    may("ReadonlyRootFilesystem", Boolean),
    may(
        "RepositoryCredentials",
        Object(&[may("CredentialsParameter", Text)]),
    ),
    may(
        "ResourceRequirements",
        List(&Object(&[need("Type", Text), need("Value", Text)])),
    ),
    may(
        "RestartPolicy",
        Object(&[
            may("Enabled", Boolean),
            may("IgnoredExitCodes", List(&Integer)),
            may("RestartAttemptPeriod", Integer),
        ]),
    ),
    may("Secrets", SECRETS),
    may("StartTimeout", Integer),
    may("StopTimeout", Integer),
    may(
        "SystemControls",
        List(&Object(&[may("Namespace", Text), may("Value", Text)])),
    ),
    may(
        "Ulimits",
        List(&Object(&[
            need("HardLimit", Integer),
            need("Name", Text),
            need("SoftLimit", Integer),
        ])),
    ),
    may("User", Text),
    may("VersionConsistency", Text),
    may(
        "VolumesFrom",
        List(&Object(&[
            may("ReadOnly", Boolean),
            may("SourceContainer", Text),
        ])),
    ),
    may("WorkingDirectory", Text),
]);
const DOCKER_VOLUME: Kind = Object(&[
    may("Autoprovision", Boolean),
    may("Driver", Text),
    may("DriverOpts", Entries(&Text)),
    may("Labels", Entries(&Text)),
    may("Scope", Text),
]);
const EFS_VOLUME: Kind = Object(&[
    may(
        "AuthorizationConfig",
        Object(&[may("AccessPointId", Text), may("IAM", Text).api("iam")]),
    ),
    need("FilesystemId", Text).api("fileSystemId"),
    may("RootDirectory", Text),
    may("TransitEncryption", Text),
    may("TransitEncryptionPort", Integer),
]);
const VOLUME: Kind = Object(&[
    may("ConfiguredAtLaunch", Boolean),
    may("DockerVolumeConfiguration", DOCKER_VOLUME),
    may("EFSVolumeConfiguration", EFS_VOLUME).api("efsVolumeConfiguration"),
    may("Host", Object(&[may("SourcePath", Text)])),
    may("Name", Text),
]);
const PROXY: Kind = Object(&[
    need("ContainerName", Text),
    may("ProxyConfigurationProperties", PAIRS).api("properties"),
    may("Type", Text),
]);
const TASK_DEFINITION: Kind = Object(&[
    may("ContainerDefinitions", List(&CONTAINER)),
    may("Cpu", Text),
    may("EnableFaultInjection", Boolean),
    may("EphemeralStorage", Object(&[may("SizeInGiB", Integer)])),
    may("ExecutionRoleArn", Text),
    may("Family", Text),
    may("IpcMode", Text),
    may("Memory", Text),
    may("NetworkMode", Text),
    may("PidMode", Text),
    may("PlacementConstraints", PLACEMENT_CONSTRAINTS),
    may("ProxyConfiguration", PROXY),
    may("RequiresCompatibilities", TEXTS),
    may(
        "RuntimePlatform",
        Object(&[
            may("CpuArchitecture", Text),
            may("OperatingSystemFamily", Text),
        ]),
    ),
    may("Tags", TAGS),
    may("TaskRoleArn", Text),
    may("Volumes", List(&VOLUME)),
]);

fn create(aws: &mut Aws, wish: &Wish) -> Result<Made, Problem> {
    let mut input = to_api(&wish.properties, TASK_DEFINITION);
    input["family"] = json!(wish.name(aws, "Family"));
    let answer = ecs::call(aws, "RegisterTaskDefinition", &input)?;
    let arn = answered(&answer, "/taskDefinition/taskDefinitionArn")?;
    Ok(Made::new(arn, json!({ "TaskDefinitionArn": arn })))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(ecs::call(
        aws,
        "DeregisterTaskDefinition",
        &json!({ "taskDefinition": old.physical_id }),
    ))
}
