//! Manifests of images, and of what is pushed like one.

use serde_json::json;

use super::*;

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

fn manifest(media_type: &str, artifact_type: &str, tags: &[&str]) -> Manifest {
    Manifest {
        media_type: Some(media_type.to_owned()),
        artifact_type: Some(artifact_type.to_owned()),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    }
}

#[test]
fn an_index_lists_architectures_and_an_image_does_not() {
    let index = r#"{"manifests": [
        {"platform": {"architecture": "arm64", "os": "linux"}},
        {"platform": {"architecture": "unknown", "os": "unknown"}},
        {"digest": "sha256:00"}
    ]}"#;
    assert_eq!(
        ManifestKind::read(index),
        Ok(ManifestKind::Index(vec!["arm64".to_owned()]))
    );

    let unnamed = r#"{"manifests": [{"digest": "sha256:00"}]}"#;
    let image = r#"{"config": {"digest": "sha256:00"}}"#;
    for other in [unnamed, image, "[]", "no JSON", ""] {
        assert_eq!(
            ManifestKind::read(other),
            Ok(ManifestKind::Image),
            "{other}"
        );
    }
}

#[test]
fn images_and_indexes_run_and_so_does_what_nothing_is_known_of() {
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    let list = "application/vnd.docker.distribution.manifest.list.v2+json";
    let index = "application/vnd.oci.image.index.v1+json";

    for runs in [
        manifest(OCI_IMAGE, OCI_CONFIG, &["1.0"]),
        manifest(docker, CONFIGURATIONS[0], &["1.0"]),
        manifest(index, "", &["1.0"]),
        manifest(index, index, &["1.0"]),
        manifest(list, "", &[]),
        manifest(docker, "application/octet-stream", &["1.0"]),
        manifest(docker, "application/json", &["1.0"]),
        manifest(docker, "text/html", &["1.0"]),
        manifest(
            "application/vnd.docker.distribution.manifest.v1+json",
            "",
            &["1.0"],
        ),
        manifest(
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            "",
            &["1.0"],
        ),
        Manifest::default(),
    ] {
        assert_eq!(runs.why_not_runnable(), None, "{runs:?}");
    }
}

#[test]
fn other_artifacts_do_not_run_and_the_reason_names_their_type() {
    for artifact in [
        "application/vnd.buildkit.cacheconfig.v0",
        "application/vnd.cncf.helm.config.v1+json",
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.in-toto+json",
        "application/vnd.oci.empty.v1+json",
        "application/vnd.unknown.config.v1+json",
        "application/vnd.wasm.config.v0+json",
        "application/vnd.cncf.flux.config.v1+json",
        "application/spdx+json",
    ] {
        let why = manifest(OCI_IMAGE, artifact, &["1.0"]).why_not_runnable();
        let expected = format!("it holds `{artifact}`; expected a container image");
        assert_eq!(why, Some(expected));
    }

    let artifact = "application/vnd.oci.artifact.manifest.v1+json";
    let why = manifest(artifact, "", &["1.0"]).why_not_runnable();
    let expected = format!("its manifest is `{artifact}`; expected a container image");
    assert_eq!(why, Some(expected));
}

#[test]
fn a_tag_with_a_suffix_of_cosign_is_an_attachment_whatever_its_type() {
    let hex = "0a".repeat(32);
    for tag in [
        format!("sha256-{hex}.sig"),
        format!("sha256-{hex}.att"),
        format!("sha256-{hex}.sbom"),
        format!("import-sha256-{hex}.sig"),
        format!("nginx-att-sha256-{hex}.att"),
        format!("sbom-sha256-{hex}.sbom"),
    ] {
        let why = manifest(OCI_IMAGE, OCI_CONFIG, &[&tag]).why_not_runnable();
        let expected = format!(
            "tag `{tag}` is the name of a signature, attestation or SBOM of image \
             sha256:0a0a0a0a0a0a"
        );
        assert_eq!(why, Some(expected));
    }

    let tag = format!("sha256-{hex}.sig");
    for tags in [
        vec!["1.0", tag.as_str()],
        vec!["sha256-0a.sig"],
        vec!["v1.sig"],
    ] {
        let runs = manifest(OCI_IMAGE, OCI_CONFIG, &tags);
        assert_eq!(runs.why_not_runnable(), None, "{tags:?}");
    }
}

#[test]
fn the_tag_of_a_content_hash_is_that_of_an_image() {
    let hex = "0a".repeat(32);
    for tag in [
        hex.clone(),
        format!("sha256-{hex}"),
        format!("sha256-{hex}0"),
        format!("sha256-{hex}.1"),
        format!("build-sha256-{hex}"),
    ] {
        for (media_type, artifact) in [(OCI_IMAGE, OCI_CONFIG), (INDEXES[0], "")] {
            let image = manifest(media_type, artifact, &[&tag]);
            assert_eq!(image.why_not_runnable(), None, "{image:?}");
        }
    }
}

#[test]
fn only_an_image_of_the_first_version_of_docker_needs_no_reading() {
    for (media_type, artifact, expected) in [
        (OCI_IMAGE, OCI_CONFIG, true),
        (IMAGES[0], "application/octet-stream", true),
        (IMAGES[0], CONFIGURATIONS[0], true),
        (INDEXES[0], "", true),
        (INDEXES[1], "", true),
        (IMAGES[2], "", false),
        (IMAGES[3], "", false),
    ] {
        let found = manifest(media_type, artifact, &["1.0"]);
        assert_eq!(found.needs_reading(), expected, "{found:?}");
    }
    assert!(!Manifest::default().needs_reading());
}

#[test]
fn a_configuration_that_is_none_of_an_image_does_not_run_whatever_the_layers() {
    let with = |config: Value| {
        let layer = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"});
        ManifestKind::read(&json!({"config": config, "layers": [layer]}).to_string())
    };
    for config in [
        "application/vnd.buildkit.cacheconfig.v0",
        "application/vnd.cncf.helm.config.v1+json",
        "application/vnd.docker.plugin.v1+json",
        "application/vnd.docker.ai.model.config.v0.1+json",
        "application/vnd.cncf.model.config.v1+json",
        "application/vnd.kitops.modelkit.config.v1+json",
        "application/vnd.wasm.config.v0+json",
        "application/vnd.oci.empty.v1+json",
    ] {
        let why = format!("it holds `{config}`; expected a container image");
        assert_eq!(with(json!({ "mediaType": config })), Err(why));
    }

    for config in CONFIGURATIONS {
        assert_eq!(
            with(json!({ "mediaType": config })),
            Ok(ManifestKind::Image)
        );
    }
    for config in [json!({}), Value::Null] {
        assert_eq!(with(config), Ok(ManifestKind::Image));
    }
}

#[test]
fn an_image_for_several_architectures_fits_one_of_them() {
    let listed = ["arm64", "arm"].map(ToOwned::to_owned);
    let index = ManifestKind::Index(listed.to_vec());
    assert_eq!(index.built_for_others("arm64"), None);
    assert_eq!(index.built_for_others("amd64"), Some(&listed[..]));
    assert_eq!(ManifestKind::Image.built_for_others("amd64"), None);
}

#[test]
fn layers_that_are_none_of_an_image_do_not_run_whatever_the_configuration() {
    let with = |layers: &Value| {
        let config = json!({"mediaType": OCI_CONFIG});
        ManifestKind::read(&json!({"config": config, "layers": layers}).to_string()).err()
    };
    for layer in [
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "application/vnd.dsse.envelope.v1+json",
        "application/vnd.in-toto+json",
        "application/vnd.ollama.image.model",
        "application/vnd.docker.ai.gguf.v3",
        "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
        "text/spdx+json",
    ] {
        let why = with(&json!([{"mediaType": layer}, {"mediaType": layer}]));
        let expected = format!("its layers are `{layer}`; expected those of a container image");
        assert_eq!(why, Some(expected));
    }

    let tar = "application/vnd.oci.image.layer.v1.tar+zstd";
    let docker = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let old = "application/vnd.docker.container.image.rootfs.diff+x-gtar";
    for layers in [
        json!([{"mediaType": "application/vnd.in-toto+json"}, {"mediaType": tar}]),
        json!([{"mediaType": docker}]),
        json!([{"mediaType": old}]),
        json!([{"digest": "sha256:00"}]),
        json!([]),
        Value::Null,
    ] {
        assert_eq!(with(&layers), None, "{layers}");
    }
    for other in ["[]", "no JSON", "{}"] {
        assert_eq!(
            ManifestKind::read(other),
            Ok(ManifestKind::Image),
            "{other}"
        );
    }
}

#[test]
fn an_index_of_artifacts_only_does_not_run() {
    let signature = json!({
        "mediaType": OCI_IMAGE, "artifactType": "application/vnd.cncf.notary.signature",
    });
    let of = |listed: Value| ManifestKind::read(&json!({ "manifests": listed }).to_string()).err();
    let why = "it lists `application/vnd.cncf.notary.signature`; expected container images";
    assert_eq!(of(json!([signature, signature])).as_deref(), Some(why));

    for image in [
        json!({"mediaType": OCI_IMAGE, "platform": {"architecture": "arm64", "os": "linux"}}),
        json!({"mediaType": OCI_IMAGE, "artifactType": OCI_CONFIG}),
        json!({"mediaType": OCI_IMAGE}),
        json!({"digest": "sha256:00"}),
    ] {
        assert_eq!(of(json!([signature, image])), None, "{image}");
    }
    let nothing = "it lists nothing; expected container images";
    assert_eq!(of(json!([])).as_deref(), Some(nothing));

    // A build cache before BuildKit 0.21.
    let cache = json!([
        {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"},
        {"mediaType": "application/vnd.buildkit.cacheconfig.v0"},
    ]);
    let why = "it lists `application/vnd.buildkit.cacheconfig.v0`; expected container images";
    assert_eq!(of(cache).as_deref(), Some(why));

    let on = |os: &str, architecture: &str| {
        let platform = json!({"os": os, "architecture": architecture});
        json!({"mediaType": OCI_IMAGE, "platform": platform})
    };
    let attestation = on("unknown", "unknown");
    let why = "it lists `unknown/unknown`; expected container images";
    assert_eq!(of(json!([attestation])).as_deref(), Some(why));
    let module = on("wasip1", "wasm");
    let why = "it lists `wasip1`; expected container images";
    assert_eq!(of(json!([module])).as_deref(), Some(why));
    for image in [
        on("linux", "arm64"),
        on("Windows", "amd64"),
        on("linux", "unknown"),
        on("unknown", "arm64"),
    ] {
        assert_eq!(of(json!([image, module, attestation])), None, "{image}");
    }

    // What runs on a platform is an image, whatever else it is called.
    let on_platform = json!({"artifactType": "application/x", "platform": {"os": "linux"}});
    assert_eq!(of(json!([on_platform])), None);
}
