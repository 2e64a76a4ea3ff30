use super::*;

fn with(volumes: Value) -> Value {
    let mut definition = plain();
    definition["volumes"] = volumes;
    definition
}

fn efs(configuration: Value) -> Value {
    let mut of_system = json!({ "fileSystemId": "fs-12345678" });
    let members = of_system.as_object_mut().expect("an object");
    members.extend(configuration.as_object().expect("members").clone());
    with(json!([{ "name": "files", "efsVolumeConfiguration": of_system }]))
}

#[test]
fn a_volume_has_a_name_of_its_own() {
    for (volumes, words) in [
        (
            json!([{ "host": {} }]),
            "volume.name should not be null or empty.",
        ),
        (
            json!([{ "name": "var.run" }]),
            "volume.name contains invalid characters.",
        ),
        (
            json!([{ "name": "data" }, { "name": "data" }]),
            "Volume names must be unique within a task definition: 'data'",
        ),
    ] {
        let refused = World::new(1).err("RegisterTaskDefinition", with(volumes));
        assert_eq!(refused, client(words));
    }
}

#[test]
fn a_volume_is_of_one_kind() {
    let of_two = "When the volume parameter is specified, only one volume configuration type \
                  should be used.";
    let system = json!({ "fileSystemId": "fs-12345678" });
    for (mut volume, words) in [
        (
            json!({ "host": { "sourcePath": "/a" }, "efsVolumeConfiguration": system }),
            of_two,
        ),
        (
            json!({ "dockerVolumeConfiguration": {}, "efsVolumeConfiguration": system }),
            of_two,
        ),
        (
            json!({ "host": { "sourcePath": "" } }),
            "host.sourcePath should not be blank.",
        ),
    ] {
        volume["name"] = json!("files");
        let refused = World::new(1).err("RegisterTaskDefinition", with(json!([volume])));
        assert_eq!(refused, client(words));
    }

    let described = json!([{
        "name": "files", "host": null, "dockerVolumeConfiguration": null,
        "fsxWindowsFileServerVolumeConfiguration": null, "efsVolumeConfiguration": system,
    }]);
    let registered = World::new(1).ok("RegisterTaskDefinition", with(described));
    let rooted = json!({ "fileSystemId": "fs-12345678", "rootDirectory": "/" });
    assert_eq!(
        registered["taskDefinition"]["volumes"],
        json!([{ "name": "files", "efsVolumeConfiguration": rooted }])
    );
}

#[test]
fn files_of_efs_are_encrypted_where_they_are_authorized() {
    let point = |mut configuration: Value| {
        configuration["authorizationConfig"] = json!({ "accessPointId": "fsap-1" });
        configuration
    };
    let iam = json!({ "iam": "ENABLED" });
    for (configuration, words) in [
        (
            json!({ "fileSystemId": "" }),
            "EFS file system ID should not be null or empty.",
        ),
        (
            point(json!({ "transitEncryption": "ENABLED", "rootDirectory": "/data" })),
            "When using an EFS access point, the root directory must either be set to \"/\" or be \
             omitted.",
        ),
        (
            point(json!({ "rootDirectory": "/" })),
            "EFS access point requires TransitEncryption to be enabled.",
        ),
        (
            json!({ "authorizationConfig": iam, "transitEncryption": "DISABLED" }),
            "EFS IAM authorization requires TransitEncryption to be enabled.",
        ),
        (
            json!({ "authorizationConfig": iam, "transitEncryption": "ENABLED" }),
            "EFS IAM authorization requires a task role.",
        ),
        (
            json!({ "transitEncryptionPort": 2999 }),
            "TransitEncryptionPort requires that TransitEncryption is enabled.",
        ),
    ] {
        let refused = World::new(1).err("RegisterTaskDefinition", efs(configuration));
        assert_eq!(refused, client(words));
    }

    let mut definition = efs(json!({
        "transitEncryption": "ENABLED", "rootDirectory": "/", "transitEncryptionPort": 2999,
        "authorizationConfig": { "accessPointId": "fsap-1", "iam": "ENABLED" },
    }));
    definition["taskRoleArn"] = json!("task");
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn what_is_mounted_is_a_volume_of_the_task() {
    let mount = json!([{ "sourceVolume": "data", "containerPath": "/data" }]);
    assert_eq!(
        refusal(plain(), "/containerDefinitions/0/mountPoints", mount),
        client("Unknown volume 'data'.")
    );

    let at_launch = json!([{ "name": "data", "configuredAtLaunch": true }]);
    assert_eq!(
        refusal(plain(), "/volumes", at_launch),
        client("Volumes [data] are not referenced by any of the containers")
    );
}
