//! What RegisterTaskDefinition refuses in the volumes of a task and where containers mount them.

use serde_json::Value;

use crate::ApiError;

use super::client_error;
use super::definition_rules::{check_name, list, name};
use super::input::CheckedInput;

/// What a volume can be of, besides a path of the host.
const CONFIGURATIONS: [&str; 4] = [
    "dockerVolumeConfiguration",
    "efsVolumeConfiguration",
    "fsxWindowsFileServerVolumeConfiguration",
    "s3filesVolumeConfiguration",
];

pub(super) fn check(input: &CheckedInput) -> Result<(), ApiError> {
    let volumes = input.list("volumes");
    for volume in volumes {
        if name(volume).is_empty() {
            return Err(client_error("volume.name should not be null or empty."));
        }
        check_name("volume.name", name(volume))?;
        check_kind(volume)?;
        check_efs(input, &volume["efsVolumeConfiguration"])?;
    }

    let names: Vec<&str> = volumes.iter().map(name).collect();
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(client_error(format!(
                "Volume names must be unique within a task definition: '{name}'"
            )));
        }
    }
    check_mounts(input)
}

fn check_kind(volume: &Value) -> Result<(), ApiError> {
    let path = volume["host"]["sourcePath"].as_str();
    if path == Some("") {
        return Err(client_error("host.sourcePath should not be blank."));
    }

    let is_there = |configuration: &&str| volume[*configuration].is_object();
    let configurations = CONFIGURATIONS.into_iter().filter(is_there).count();
    if configurations + usize::from(path.is_some()) > 1 {
        return Err(client_error(
            "When the volume parameter is specified, only one volume configuration type should be \
             used.",
        ));
    }
    Ok(())
}

fn check_efs(input: &CheckedInput, efs: &Value) -> Result<(), ApiError> {
    if !efs.is_object() {
        return Ok(());
    }

    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let authorization = &efs["authorizationConfig"];
    let has_access_point = !text(&authorization["accessPointId"]).is_empty();
    let has_iam = authorization["iam"] == "ENABLED";
    let is_encrypted = efs["transitEncryption"] == "ENABLED";
    let is_of_root = ["", "/"].contains(&text(&efs["rootDirectory"]).as_str());

    let refusals = [
        (
            text(&efs["fileSystemId"]).is_empty(),
            "EFS file system ID should not be null or empty.",
        ),
        (
            has_access_point && !is_of_root,
            "When using an EFS access point, the root directory must either be set to \"/\" or be \
             omitted.",
        ),
        (
            has_access_point && !is_encrypted,
            "EFS access point requires TransitEncryption to be enabled.",
        ),
        (
            has_iam && !is_encrypted,
            "EFS IAM authorization requires TransitEncryption to be enabled.",
        ),
        (
            has_iam && input.text("taskRoleArn").is_none(),
            "EFS IAM authorization requires a task role.",
        ),
        (
            efs["transitEncryptionPort"].is_number() && !is_encrypted,
            "TransitEncryptionPort requires that TransitEncryption is enabled.",
        ),
    ];
    let refused = refusals.into_iter().find(|(is_refused, _)| *is_refused);
    refused.map_or(Ok(()), |(_, words)| Err(client_error(words)))
}

fn check_mounts(input: &CheckedInput) -> Result<(), ApiError> {
    let containers = input.list("containerDefinitions").iter();
    let mounts = containers.flat_map(|container| list(container, "mountPoints"));
    let mounted: Vec<&str> = mounts
        .filter_map(|mount| mount["sourceVolume"].as_str())
        .collect();

    let volumes = input.list("volumes");
    for wanted in &mounted {
        if !volumes.iter().any(|volume| name(volume) == *wanted) {
            return Err(client_error(format!("Unknown volume '{wanted}'.")));
        }
    }
    let unused = volumes
        .iter()
        .find(|volume| volume["configuredAtLaunch"] == true && !mounted.contains(&name(volume)));
    unused.map_or(Ok(()), |volume| {
        Err(client_error(format!(
            "Volumes [{}] are not referenced by any of the containers",
            name(volume)
        )))
    })
}
