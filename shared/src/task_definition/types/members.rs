//! The members that RegisterTaskDefinition takes, with their types, as aws-sdk-ecs 1.157 has them.
//!
//! Never complete: a member that ECS gets later has no type here, and is passed on unchecked.

use MemberType::{Flag, List, Number, Object, Text, Texts};

/// The type of a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum MemberType {
    Text,
    Number,
    Flag,
    /// Strings under names of any kind.
    Texts,
    List(&'static Self),
    Object(&'static [(&'static str, Self)]),
}

const NAMED_VALUE: MemberType = Object(&[("name", Text), ("value", Text)]);
const SECRET: MemberType = Object(&[("name", Text), ("valueFrom", Text)]);
const TEXT_LIST: MemberType = List(&Text);

const MAPPING: MemberType = Object(&[
    ("containerPort", Number),
    ("containerPortRange", Text),
    ("hostPort", Number),
    ("protocol", Text),
    ("name", Text),
    ("appProtocol", Text),
]);

const HEALTH_CHECK: MemberType = Object(&[
    ("command", TEXT_LIST),
    ("interval", Number),
    ("timeout", Number),
    ("retries", Number),
    ("startPeriod", Number),
]);

const LOG_CONFIGURATION: MemberType = Object(&[
    ("logDriver", Text),
    ("options", Texts),
    ("secretOptions", List(&SECRET)),
]);

const CAPABILITIES: MemberType = Object(&[("add", TEXT_LIST), ("drop", TEXT_LIST)]);
const DEVICE: MemberType = Object(&[
    ("hostPath", Text),
    ("containerPath", Text),
    ("permissions", TEXT_LIST),
]);
const TMPFS: MemberType = Object(&[
    ("containerPath", Text),
    ("size", Number),
    ("mountOptions", TEXT_LIST),
]);
const LINUX_PARAMETERS: MemberType = Object(&[
    ("capabilities", CAPABILITIES),
    ("devices", List(&DEVICE)),
    ("initProcessEnabled", Flag),
    ("sharedMemorySize", Number),
    ("tmpfs", List(&TMPFS)),
    ("maxSwap", Number),
    ("swappiness", Number),
]);

const DEPENDENCY: MemberType = Object(&[("containerName", Text), ("condition", Text)]);
const ENVIRONMENT_FILE: MemberType = Object(&[("value", Text), ("type", Text)]);
const HOST: MemberType = Object(&[("hostname", Text), ("ipAddress", Text)]);
const MOUNT: MemberType = Object(&[
    ("sourceVolume", Text),
    ("containerPath", Text),
    ("readOnly", Flag),
]);
const MOUNTS_OF: MemberType = Object(&[("sourceContainer", Text), ("readOnly", Flag)]);
const REQUIREMENT: MemberType = Object(&[("value", Text), ("type", Text)]);
const RESTART_POLICY: MemberType = Object(&[
    ("enabled", Flag),
    ("ignoredExitCodes", List(&Number)),
    ("restartAttemptPeriod", Number),
]);
const SYSTEM_CONTROL: MemberType = Object(&[("namespace", Text), ("value", Text)]);
const ULIMIT: MemberType = Object(&[("name", Text), ("softLimit", Number), ("hardLimit", Number)]);

const CONTAINER: MemberType = Object(&[
    ("name", Text),
    ("image", Text),
    (
        "repositoryCredentials",
        Object(&[("credentialsParameter", Text)]),
    ),
    ("cpu", Number),
    ("memory", Number),
    ("memoryReservation", Number),
    ("links", TEXT_LIST),
    ("portMappings", List(&MAPPING)),
    ("essential", Flag),
    ("restartPolicy", RESTART_POLICY),
    ("entryPoint", TEXT_LIST),
    ("command", TEXT_LIST),
    ("environment", List(&NAMED_VALUE)),
    ("environmentFiles", List(&ENVIRONMENT_FILE)),
    ("mountPoints", List(&MOUNT)),
    ("volumesFrom", List(&MOUNTS_OF)),
    ("linuxParameters", LINUX_PARAMETERS),
    ("secrets", List(&SECRET)),
    ("dependsOn", List(&DEPENDENCY)),
    ("startTimeout", Number),
    ("stopTimeout", Number),
    ("versionConsistency", Text),
    ("hostname", Text),
    ("user", Text),
    ("workingDirectory", Text),
    ("disableNetworking", Flag),
    ("privileged", Flag),
    ("readonlyRootFilesystem", Flag),
    ("dnsServers", TEXT_LIST),
    ("dnsSearchDomains", TEXT_LIST),
    ("extraHosts", List(&HOST)),
    ("dockerSecurityOptions", TEXT_LIST),
    ("interactive", Flag),
    ("pseudoTerminal", Flag),
    ("dockerLabels", Texts),
    ("ulimits", List(&ULIMIT)),
    ("logConfiguration", LOG_CONFIGURATION),
    ("healthCheck", HEALTH_CHECK),
    ("systemControls", List(&SYSTEM_CONTROL)),
    ("resourceRequirements", List(&REQUIREMENT)),
    (
        "firelensConfiguration",
        Object(&[("type", Text), ("options", Texts)]),
    ),
    ("credentialSpecs", TEXT_LIST),
]);

const OF_DOCKER: MemberType = Object(&[
    ("scope", Text),
    ("autoprovision", Flag),
    ("driver", Text),
    ("driverOpts", Texts),
    ("labels", Texts),
]);
const OF_EFS: MemberType = Object(&[
    ("fileSystemId", Text),
    ("rootDirectory", Text),
    ("transitEncryption", Text),
    ("transitEncryptionPort", Number),
    (
        "authorizationConfig",
        Object(&[("accessPointId", Text), ("iam", Text)]),
    ),
]);
const OF_S3: MemberType = Object(&[
    ("fileSystemArn", Text),
    ("rootDirectory", Text),
    ("transitEncryptionPort", Number),
    ("accessPointArn", Text),
]);
const OF_WINDOWS: MemberType = Object(&[
    ("fileSystemId", Text),
    ("rootDirectory", Text),
    (
        "authorizationConfig",
        Object(&[("credentialsParameter", Text), ("domain", Text)]),
    ),
]);
const VOLUME: MemberType = Object(&[
    ("name", Text),
    ("host", Object(&[("sourcePath", Text)])),
    ("dockerVolumeConfiguration", OF_DOCKER),
    ("efsVolumeConfiguration", OF_EFS),
    ("s3filesVolumeConfiguration", OF_S3),
    ("fsxWindowsFileServerVolumeConfiguration", OF_WINDOWS),
    ("configuredAtLaunch", Flag),
]);

const ACCELERATOR: MemberType = Object(&[("deviceName", Text), ("deviceType", Text)]);
const CONSTRAINT: MemberType = Object(&[("type", Text), ("expression", Text)]);
const PROXY: MemberType = Object(&[
    ("type", Text),
    ("containerName", Text),
    ("properties", List(&NAMED_VALUE)),
]);
const TAG: MemberType = Object(&[("key", Text), ("value", Text)]);

/// A task definition.
pub(super) const DEFINITION: MemberType = Object(&[
    ("family", Text),
    ("taskRoleArn", Text),
    ("executionRoleArn", Text),
    ("networkMode", Text),
    ("containerDefinitions", List(&CONTAINER)),
    ("volumes", List(&VOLUME)),
    ("placementConstraints", List(&CONSTRAINT)),
    ("requiresCompatibilities", TEXT_LIST),
    ("cpu", Text),
    ("memory", Text),
    ("tags", List(&TAG)),
    ("pidMode", Text),
    ("ipcMode", Text),
    ("proxyConfiguration", PROXY),
    ("inferenceAccelerators", List(&ACCELERATOR)),
    ("ephemeralStorage", Object(&[("sizeInGiB", Number)])),
    (
        "runtimePlatform",
        Object(&[("cpuArchitecture", Text), ("operatingSystemFamily", Text)]),
    ),
    ("enableFaultInjection", Flag),
]);

impl MemberType {
    /// As messages name it.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Text => "a string",
            Number => "a whole number",
            Flag => "true or false",
            Texts | Object(_) => "an object",
            List(_) => "a list",
        }
    }
}
