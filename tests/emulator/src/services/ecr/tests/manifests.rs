use super::*;
use crate::Quirk;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn last_event(aws: &Aws) -> &Value {
    aws.events.events.last().expect("an event")
}

fn described(aws: &mut Aws, tag: &str) -> Value {
    aws.settle_quirk(Quirk::RefusesFilterOfNamed, false);
    let input = json!({
        "imageIds": [{ "imageTag": tag }], "filter": { "imageStatus": "ANY" },
    });
    request(aws, "DescribeImages", input).expect("described")["imageDetails"][0].clone()
}

#[test]
fn another_tag_leaves_the_time_of_the_push_and_its_event_has_a_time_of_its_own() {
    let mut aws = world("MUTABLE");
    put(&mut aws, "{}", "v1").expect("pushed");
    let (pushed, first) = (
        described(&mut aws, "v1")["imagePushedAt"].clone(),
        last_event(&aws)["time"].clone(),
    );

    aws.now += 60_000;
    put(&mut aws, "{}", "v2").expect("tagged");
    assert_eq!(described(&mut aws, "v2")["imagePushedAt"], pushed);
    assert_ne!(last_event(&aws)["time"], first);
}

#[test]
fn the_event_of_a_push_and_the_description_have_what_the_manifest_has() {
    let image = json!({ "mediaType": OCI_MANIFEST, "schemaVersion": 2,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json" } });
    let chart = json!({ "mediaType": OCI_MANIFEST, "schemaVersion": 2,
        "config": { "mediaType": "application/vnd.cncf.helm.config.v1+json" } });
    let bundle = json!({ "mediaType": OCI_MANIFEST, "schemaVersion": 2,
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json" } });
    let index = json!({ "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [] });

    for (manifest, artifact) in [
        (image, json!("application/vnd.oci.image.config.v1+json")),
        (chart, json!("application/vnd.cncf.helm.config.v1+json")),
        (
            bundle,
            json!("application/vnd.dev.sigstore.bundle.v0.3+json"),
        ),
        (index, Value::Null),
    ] {
        let mut aws = world("MUTABLE");
        put(&mut aws, &manifest.to_string(), "v1").expect("put");

        let detail = last_event(&aws)["detail"].clone();
        assert_eq!(detail["manifest-media-type"], manifest["mediaType"]);
        assert_eq!(detail["artifact-media-type"], artifact);

        let described = described(&mut aws, "v1");
        assert_eq!(described["imageManifestMediaType"], manifest["mediaType"]);
        assert_eq!(described["artifactMediaType"], artifact);
        assert_eq!(described["imageStatus"], "ACTIVE");
    }
}

#[test]
fn what_has_the_configuration_or_the_layers_of_no_image_is_not_pulled() {
    const IMAGE: &str = "application/vnd.docker.container.image.v1+json";
    const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    const MODEL: &str = "application/vnd.ollama.image.model";
    const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    const MODEL_CONFIG: &str = "application/vnd.cncf.model.config.v1+json";
    const GGUF: &str = "application/vnd.docker.ai.gguf.v3";
    let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web:v1";

    for (config, layers, refused) in [
        (IMAGE, vec![LAYER], None),
        (IMAGE, vec![], None),
        (IMAGE, vec![MODEL, OCI_LAYER], None),
        (
            IMAGE,
            vec![MODEL, "application/vnd.ollama.image.params"],
            Some(MODEL),
        ),
        (IMAGE, vec![GGUF], Some(GGUF)),
        (MODEL_CONFIG, vec![OCI_LAYER], Some(MODEL_CONFIG)),
    ] {
        let layers: Vec<Value> = layers
            .iter()
            .map(|kind| json!({ "mediaType": kind }))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": config}, "layers": layers,
        });
        let mut aws = world("MUTABLE");
        put(&mut aws, &manifest.to_string(), "v1").expect("put");

        let found = behaviour(&aws, host);
        match refused {
            None => assert_eq!(found, Ok(Behaviour::Healthy), "{manifest}"),
            Some(kind) => {
                let error = found.expect_err("not an image");
                let end = format!(": unsupported media type {kind}");
                assert!(error.ends_with(&end), "{error}");
            }
        }
    }
}

#[test]
fn a_replica_emits_the_documented_event_and_no_push() {
    let mut aws = world("MUTABLE");
    let digest =
        replicate(&mut aws, "team/web", "v1", Behaviour::Healthy, "us-west-2").expect("replicated");

    assert_eq!(aws.events.events.len(), 1);
    let event = last_event(&aws);
    assert_eq!(event["detail-type"], "ECR Replication Action");
    assert_eq!(
        event["resources"],
        json!(["arn:aws:ecr:eu-west-1:111122223333:repository/team/web"])
    );
    let documented = json!({
        "result": "SUCCESS",
        "repository-name": "team/web",
        "image-digest": digest,
        "source-account": "111122223333",
        "action-type": "REPLICATE",
        "source-region": "us-west-2",
        "image-tag": "v1",
    });
    assert_eq!(event["detail"], documented);
}

#[test]
fn an_archived_image_is_described_and_not_pulled_until_it_is_restored() {
    let mut aws = world("MUTABLE");
    let digest = push(&mut aws, "team/web", "v1", Behaviour::Healthy).expect("pushed");
    let image = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web@{digest}");
    let moved = |aws: &mut Aws, class: &str| {
        let members = json!({ "imageId": { "imageDigest": digest }, "targetStorageClass": class });
        request(aws, "UpdateImageStorageClass", members).expect("moved")["imageStatus"].clone()
    };

    assert_eq!(moved(&mut aws, "ARCHIVE"), "ARCHIVED");
    let detail = &last_event(&aws)["detail"];
    assert_eq!(detail["action-type"], "UPDATE_STORAGE_CLASS");
    assert_eq!(detail["target-storage-class"], "ARCHIVE");
    assert_eq!(described(&mut aws, "v1")["imageStatus"], "ARCHIVED");
    assert!(behaviour(&aws, &image).is_err());

    assert_eq!(moved(&mut aws, "STANDARD"), "ACTIVE");
    assert_eq!(behaviour(&aws, &image), Ok(Behaviour::Healthy));
}

#[test]
fn images_are_described_by_status_and_without_one_if_they_are_active() {
    let mut aws = world("MUTABLE");
    let archived = push(&mut aws, "team/web", "v1", Behaviour::Healthy).expect("pushed");
    let active = push(&mut aws, "team/web", "v2", Behaviour::Healthy).expect("pushed");
    let id = json!({ "imageDigest": archived });
    let members = json!({ "imageId": id, "targetStorageClass": "ARCHIVE" });
    request(&mut aws, "UpdateImageStorageClass", members).expect("moved");

    let mut listed = |filter: Value| {
        let found = request(&mut aws, "DescribeImages", json!({ "filter": filter }));
        let found = found.expect("described")["imageDetails"].clone();
        let digests = found.as_array().expect("a list").iter();
        digests
            .map(|detail| detail["imageDigest"].as_str().expect("a digest").to_owned())
            .collect::<BTreeSet<String>>()
    };
    let both = BTreeSet::from([archived.clone(), active.clone()]);
    assert_eq!(listed(json!({})), BTreeSet::from([active.clone()]));
    assert_eq!(
        listed(json!({ "imageStatus": "ARCHIVED" })),
        BTreeSet::from([archived.clone()])
    );
    assert_eq!(
        listed(json!({ "imageStatus": "ANY", "tagStatus": "TAGGED" })),
        both
    );
    assert_eq!(
        listed(json!({ "imageStatus": "ANY", "tagStatus": "UNTAGGED" })),
        BTreeSet::new()
    );

    let wrong = json!({ "filter": { "imageStatus": "GONE" } });
    let refused = request(&mut aws, "DescribeImages", wrong).expect_err("no status");
    assert!(refused.contains("InvalidParameterException"), "{refused}");
}

/// No document states whether the status applies to images that are named, nor whether it may be
/// given with them.
#[test]
fn an_archived_image_that_is_named_is_found_by_status_or_without_one_or_not_at_all() {
    let mut aws = world("MUTABLE");
    let digest = push(&mut aws, "team/web", "v1", Behaviour::Healthy).expect("pushed");
    let id = json!({ "imageDigest": digest });
    let members = json!({ "imageId": id, "targetStorageClass": "ARCHIVE" });
    request(&mut aws, "UpdateImageStorageClass", members).expect("moved");

    let missing = "ImageNotFoundException";
    let refused = "InvalidParameterException";
    for (any_status, refuses, [without, with]) in [
        (false, false, [missing, "ARCHIVED"]),
        (true, false, ["ARCHIVED", "ARCHIVED"]),
        (false, true, [missing, refused]),
        (true, true, ["ARCHIVED", refused]),
    ] {
        aws.settle_quirk(Quirk::DescribesNamedOfAnyStatus, any_status);
        aws.settle_quirk(Quirk::RefusesFilterOfNamed, refuses);
        for (filter, expected) in [
            (Value::Null, without),
            (json!({ "imageStatus": "ANY" }), with),
        ] {
            let mut input = json!({ "imageIds": [id] });
            if !filter.is_null() {
                input["filter"] = filter;
            }
            let found = request(&mut aws, "DescribeImages", input);
            let found = found.map(|found| found["imageDetails"][0]["imageStatus"].to_string());
            let found = found.unwrap_or_else(|refusal| refusal);
            assert!(found.contains(expected), "{any_status} {refuses}: {found}");
        }
    }
}

#[test]
fn a_registry_has_a_second_host_for_both_versions_of_ip() {
    let mut aws = world("MUTABLE");
    push(&mut aws, "team/web", "v1", Behaviour::Exits).expect("pushed");
    let at = |host: &str, tag: &str| behaviour(&aws, &format!("{host}/team/web:{tag}"));

    let host = "111122223333.dkr-ecr.eu-west-1.on.aws";
    assert_eq!(at(host, "v1"), Ok(Behaviour::Exits));
    assert!(at(host, "v2").is_err());

    let elsewhere = "111122223333.dkr-ecr.us-east-1.on.aws";
    assert_eq!(at(elsewhere, "v2"), Ok(Behaviour::Healthy));
}

#[test]
fn a_registry_has_the_port_of_https_and_no_other() {
    let mut aws = world("MUTABLE");
    push(&mut aws, "team/web", "v1", Behaviour::Exits).expect("pushed");
    let at = |port: &str, tag: &str| {
        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
        behaviour(&aws, &format!("{host}{port}/team/web:{tag}"))
    };

    for port in ["", ":443"] {
        assert_eq!(at(port, "v1"), Ok(Behaviour::Exits), "{port}");
        assert!(at(port, "v2").is_err(), "{port}");
    }
    let refused = at(":8443", "v1").expect_err("no registry");
    assert!(refused.contains("i/o timeout"), "{refused}");
}

#[test]
fn an_image_that_is_deleted_is_gone_and_reported() {
    let mut aws = world("MUTABLE");
    let digest = push(&mut aws, "team/web", "v1", Behaviour::Healthy).expect("pushed");
    let first_pushed = aws.now;
    let whole = Held {
        digest: digest.clone(),
        first_pushed,
        tags: vec!["v1".to_owned()],
    };
    assert_eq!(held(&aws, "team/web"), [whole]);

    delete(&mut aws, "team/web", &digest).expect("deleted");
    assert!(held(&aws, "team/web").is_empty());
    let event = aws.events.events.last().expect("an event");
    assert_eq!(event["detail"]["action-type"], "DELETE");
    assert_eq!(event["detail"]["image-digest"], digest);
    assert_eq!(event["detail"]["image-tag"], "v1");
    let again = delete(&mut aws, "team/web", &digest).expect_err("it is gone");
    assert_eq!(again.code, "ImageNotFoundException");
}

#[test]
fn what_refers_to_an_image_is_listed_with_its_annotations() {
    let mut aws = world("MUTABLE");
    let digest = push(&mut aws, "team/web", "v1", Behaviour::Healthy).expect("pushed");
    let signature = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.cncf.notary.signature",
        "subject": {"digest": digest}, "annotations": {"io.cncf.notary": "[]"},
    });
    let manifest = signature.to_string();
    request(&mut aws, "PutImage", json!({ "imageManifest": manifest })).expect("stored");

    let listed = |aws: &mut Aws, digest: &str| {
        let subject = json!({ "subjectId": {"imageDigest": digest} });
        let listed = request(aws, "ListImageReferrers", subject).expect("listed");
        listed["referrers"].clone()
    };
    let found = listed(&mut aws, &digest);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    let artifact = json!("application/vnd.cncf.notary.signature");
    assert_eq!(found[0]["artifactType"], artifact);
    assert_eq!(found[0]["annotations"]["io.cncf.notary"], json!("[]"));
    let signature = found[0]["digest"].as_str().expect("a digest").to_owned();
    assert_eq!(listed(&mut aws, &signature), json!([]));
}
