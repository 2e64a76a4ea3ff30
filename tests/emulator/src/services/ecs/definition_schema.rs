//! The members of RegisterTaskDefinition with their types, as aws-sdk-ecs 1.157 has them.

use super::input::InputType::{self, Boolean, Integer, List, Object, Text, Texts};

const NAMED_VALUE: InputType = Object(&[("name", Text), ("value", Text)]);
const SECRET: InputType = Object(&[("name", Text), ("valueFrom", Text)]);
const TEXT_LIST: InputType = List(&Text);

pub(super) const TAGS: InputType = List(&Object(&[("key", Text), ("value", Text)]));

const MAPPING: InputType = Object(&[
    ("containerPort", Integer),
    ("containerPortRange", Text),
    ("hostPort", Integer),
    ("protocol", Text),
    ("name", Text),
    ("appProtocol", Text),
]);

const LINUX_PARAMETERS: InputType = Object(&[
    (
        "capabilities",
        Object(&[("add", TEXT_LIST), ("drop", TEXT_LIST)]),
    ),
    (
        "devices",
        List(&Object(&[
            ("hostPath", Text),
            ("containerPath", Text),
            ("permissions", TEXT_LIST),
        ])),
    ),
    ("initProcessEnabled", Boolean),
    ("sharedMemorySize", Integer),
    (
        "tmpfs",
        List(&Object(&[
            ("containerPath", Text),
            ("size", Integer),
            ("mountOptions", TEXT_LIST),
        ])),
    ),
    ("maxSwap", Integer),
    ("swappiness", Integer),
]);

const HEALTH_CHECK: InputType = Object(&[
    ("command", TEXT_LIST),
    ("interval", Integer),
    ("timeout", Integer),
    ("retries", Integer),
    ("startPeriod", Integer),
]);

const LOG_CONFIGURATION: InputType = Object(&[
    ("logDriver", Text),
    ("options", Texts),
    ("secretOptions", List(&SECRET)),
]);

pub(super) const CONTAINER: InputType = Object(&[
    ("name", Text),
    ("image", Text),
    ("cpu", Integer),
    ("memory", Integer),
    ("memoryReservation", Integer),
    ("essential", Boolean),
    ("environment", List(&NAMED_VALUE)),
    (
        "environmentFiles",
        List(&Object(&[("value", Text), ("type", Text)])),
    ),
    ("secrets", List(&SECRET)),
    ("command", TEXT_LIST),
    ("entryPoint", TEXT_LIST),
    ("links", TEXT_LIST),
    ("portMappings", List(&MAPPING)),
    (
        "mountPoints",
        List(&Object(&[
            ("sourceVolume", Text),
            ("containerPath", Text),
            ("readOnly", Boolean),
        ])),
    ),
    (
        "volumesFrom",
        List(&Object(&[("sourceContainer", Text), ("readOnly", Boolean)])),
    ),
    (
        "dependsOn",
        List(&Object(&[("containerName", Text), ("condition", Text)])),
    ),
    (
        "systemControls",
        List(&Object(&[("namespace", Text), ("value", Text)])),
    ),
    (
        "resourceRequirements",
        List(&Object(&[("value", Text), ("type", Text)])),
    ),
    (
        "restartPolicy",
        Object(&[
            ("enabled", Boolean),
            ("ignoredExitCodes", List(&Integer)),
            ("restartAttemptPeriod", Integer),
        ]),
    ),
    ("linuxParameters", LINUX_PARAMETERS),
    ("dockerLabels", Texts),
    ("healthCheck", HEALTH_CHECK),
    ("logConfiguration", LOG_CONFIGURATION),
    (
        "firelensConfiguration",
        Object(&[("type", Text), ("options", Texts)]),
    ),
    (
        "repositoryCredentials",
        Object(&[("credentialsParameter", Text)]),
    ),
    (
        "ulimits",
        List(&Object(&[
            ("name", Text),
            ("softLimit", Integer),
            ("hardLimit", Integer),
        ])),
    ),
    (
        "extraHosts",
        List(&Object(&[("hostname", Text), ("ipAddress", Text)])),
    ),
    ("dnsServers", TEXT_LIST),
    ("dnsSearchDomains", TEXT_LIST),
    ("dockerSecurityOptions", TEXT_LIST),
    ("credentialSpecs", TEXT_LIST),
    ("user", Text),
    ("workingDirectory", Text),
    ("hostname", Text),
    ("versionConsistency", Text),
    ("privileged", Boolean),
    ("readonlyRootFilesystem", Boolean),
    ("interactive", Boolean),
    ("pseudoTerminal", Boolean),
    ("disableNetworking", Boolean),
    ("startTimeout", Integer),
    ("stopTimeout", Integer),
]);

const VOLUME: InputType = Object(&[
    ("name", Text),
    ("configuredAtLaunch", Boolean),
    ("host", Object(&[("sourcePath", Text)])),
    (
        "dockerVolumeConfiguration",
        Object(&[
            ("scope", Text),
            ("autoprovision", Boolean),
            ("driver", Text),
            ("driverOpts", Texts),
            ("labels", Texts),
        ]),
    ),
    (
        "efsVolumeConfiguration",
        Object(&[
            ("fileSystemId", Text),
            ("rootDirectory", Text),
            ("transitEncryption", Text),
            ("transitEncryptionPort", Integer),
            (
                "authorizationConfig",
                Object(&[("accessPointId", Text), ("iam", Text)]),
            ),
        ]),
    ),
    (
        "s3filesVolumeConfiguration",
        Object(&[
            ("fileSystemArn", Text),
            ("rootDirectory", Text),
            ("transitEncryptionPort", Integer),
            ("accessPointArn", Text),
        ]),
    ),
    (
        "fsxWindowsFileServerVolumeConfiguration",
        Object(&[
            ("fileSystemId", Text),
            ("rootDirectory", Text),
            (
                "authorizationConfig",
                Object(&[("credentialsParameter", Text), ("domain", Text)]),
            ),
        ]),
    ),
]);

pub(super) const DEFINITION: InputType = Object(&[
    ("family", Text),
    ("taskRoleArn", Text),
    ("executionRoleArn", Text),
    ("networkMode", Text),
    ("cpu", Text),
    ("memory", Text),
    ("pidMode", Text),
    ("ipcMode", Text),
    ("requiresCompatibilities", TEXT_LIST),
    ("containerDefinitions", List(&CONTAINER)),
    ("volumes", List(&VOLUME)),
    (
        "placementConstraints",
        List(&Object(&[("type", Text), ("expression", Text)])),
    ),
    (
        "proxyConfiguration",
        Object(&[
            ("type", Text),
            ("containerName", Text),
            ("properties", List(&NAMED_VALUE)),
        ]),
    ),
    (
        "inferenceAccelerators",
        List(&Object(&[("deviceName", Text), ("deviceType", Text)])),
    ),
    (
        "runtimePlatform",
        Object(&[("cpuArchitecture", Text), ("operatingSystemFamily", Text)]),
    ),
    ("ephemeralStorage", Object(&[("sizeInGiB", Integer)])),
    ("enableFaultInjection", Boolean),
    ("tags", TAGS),
]);
