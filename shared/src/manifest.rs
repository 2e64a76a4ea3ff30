//! Which manifests of a repository are container images: a repository also holds signatures,
//! attestations, SBOMs, build caches and charts, pushed like images and often with a tag.
//!
//! Never calls a registry, and never judges a manifest of which nothing is known. A manifest with
//! the media types of an image is one: nothing in it shows that it is a cached layer of Kaniko or a
//! cache image of buildpacks, whose tags and manifests an image can have too.

use serde_json::Value;

use crate::image::short_digest;

/// The media types of one image (github.com/distribution/distribution and
/// github.com/opencontainers/image-spec).
const IMAGES: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];

/// The media types of an image for several architectures.
const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// The media types of the configuration of an image: what Amazon ECR states as an image's artifact
/// media type.
const CONFIGURATIONS: [&str; 2] = [
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
];

/// What the media types of the layers of an image begin with (github.com/opencontainers/image-spec:
/// `media-types.md`; github.com/distribution/distribution).
const LAYERS: [&str; 2] = [
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.",
];

/// What a registry states about a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    pub media_type: Option<String>,
    /// What the manifest holds. An index has none.
    pub artifact_type: Option<String>,
    pub tags: Vec<String>,
}

/// The architectures that an image's manifest lists, such as `amd64`; none for one image, which
/// names its own in its configuration only. Attestations in an index are of the platform `unknown`
/// (github.com/opencontainers/image-spec: `image-index.md`; docs.docker.com/build/metadata).
#[must_use]
pub fn architectures(manifest: &str) -> Vec<String> {
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    let listed = manifest["manifests"].as_array().into_iter().flatten();
    let architectures = listed.filter_map(|one| one["platform"]["architecture"].as_str());
    architectures
        .filter(|architecture| *architecture != "unknown")
        .map(ToOwned::to_owned)
        .collect()
}

/// Why what a manifest contains cannot run as a container, or `None` if nothing proves it: a
/// signature or an attestation can have the configuration of an image, and a list of referrers the
/// media type of an index.
#[must_use]
pub fn why_not_an_image(manifest: &str) -> Option<String> {
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    let all_are_foreign = |member: &str, is_foreign: fn(&Value) -> bool| {
        let items = manifest[member].as_array()?;
        let is_sure = !items.is_empty() && items.iter().all(is_foreign);
        is_sure.then(|| items[0].clone())
    };

    let layer = all_are_foreign("layers", is_foreign_layer).map(|layer| {
        format!(
            "its layers are `{}`; expected those of a container image",
            text(&layer["mediaType"])
        )
    });
    layer.or_else(|| {
        let referrer = all_are_foreign("manifests", is_artifact)?;
        Some(format!(
            "it lists `{}`; expected container images",
            text(&referrer["artifactType"])
        ))
    })
}

fn is_foreign_layer(layer: &Value) -> bool {
    let media_type = layer["mediaType"].as_str();
    media_type.is_some_and(|given| !LAYERS.iter().any(|prefix| given.starts_with(prefix)))
}

/// Whether an index lists something else than an image. Each descriptor of referrers has the type
/// of the artifact (github.com/opencontainers/distribution-spec: Listing Referrers).
fn is_artifact(descriptor: &Value) -> bool {
    let artifact = text(&descriptor["artifactType"]);
    !artifact.is_empty() && !CONFIGURATIONS.contains(&artifact) && descriptor["platform"].is_null()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Manifest {
    /// Whether it may be the list of what refers to an image: an index whose tag is the image's
    /// digest (github.com/opencontainers/distribution-spec, referrers tag schema). An image for
    /// several architectures can have such a tag too.
    fn may_list_referrers(&self) -> bool {
        let is_index = self.media_type.as_deref() == Some(INDEXES[0]);
        is_index && self.tags.iter().any(|tag| is_digest_tag(tag))
    }

    /// Whether only its content shows that it is not an image: an attestation has the configuration
    /// that OCI gives images, and may be copied to any tag (github.com/sigstore/cosign:
    /// `cosign attest`).
    #[must_use]
    pub fn needs_reading(&self) -> bool {
        self.artifact_type.as_deref() == Some(CONFIGURATIONS[1]) || self.may_list_referrers()
    }

    /// Why the manifest cannot run as a container, or `None` if nothing prevents it.
    #[must_use]
    pub fn why_not_runnable(&self) -> Option<String> {
        let of_another = self.tags.iter().find_map(|tag| attached_to(tag));
        let is_attached = self.tags.iter().all(|tag| attached_to(tag).is_some());
        let named = of_another.filter(|_| is_attached).map(|digest| {
            format!(
                "tag `{}` is the name of a signature, attestation or SBOM of image {}",
                self.tags[0],
                short_digest(&digest)
            )
        });

        named.or_else(|| self.foreign_type())
    }

    fn foreign_type(&self) -> Option<String> {
        let stated = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());

        if let Some(media_type) = stated(&self.media_type)
            && !IMAGES.contains(&&*media_type)
            && !INDEXES.contains(&&*media_type)
        {
            return Some(format!(
                "its manifest is `{media_type}`; expected a container image"
            ));
        }

        let artifact = stated(&self.artifact_type)?;
        let is_image = CONFIGURATIONS.contains(&&*artifact) || INDEXES.contains(&&*artifact);
        (!is_image).then(|| format!("it holds `{artifact}`; expected a container image"))
    }
}

/// The digest of the image to which cosign attaches something under a tag, if the tag is of that
/// kind: `sha256-<64 hex digits>` with one of three suffixes, and maybe with a prefix
/// (github.com/sigstore/cosign: `pkg/oci/remote`, `--attachment-tag-prefix`). Without a suffix it
/// is the tag of an index, or that of an image by the hash of its content.
fn attached_to(tag: &str) -> Option<String> {
    const SUFFIXES: [&str; 3] = [".sig", ".att", ".sbom"];

    let attached = SUFFIXES
        .iter()
        .find_map(|suffix| tag.strip_suffix(suffix))?;
    let (_, hex) = attached.split_once("sha256-")?;
    is_sha256(hex).then(|| format!("sha256:{hex}"))
}

fn is_digest_tag(tag: &str) -> bool {
    tag.strip_prefix("sha256-").is_some_and(is_sha256)
}

fn is_sha256(hex: &str) -> bool {
    const HEX_DIGITS: usize = 64;
    hex.len() == HEX_DIGITS && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
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
        assert_eq!(architectures(index), ["arm64"]);

        for other in [r#"{"config": {"digest": "sha256:00"}}"#, "[]", "no JSON"] {
            assert_eq!(architectures(other), Vec::<String>::new(), "{other}");
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
    fn the_tag_of_a_content_hash_is_an_image_s_and_on_an_index_it_may_be_that_of_referrers() {
        let hex = "0a".repeat(32);
        for tag in [
            hex.clone(),
            format!("sha256-{hex}"),
            format!("sha256-{hex}0"),
            format!("sha256-{hex}.1"),
            format!("build-sha256-{hex}"),
        ] {
            let image = manifest(OCI_IMAGE, OCI_CONFIG, &[&tag]);
            assert_eq!(image.why_not_runnable(), None, "{tag}");
            assert!(!image.may_list_referrers(), "{tag}");
        }

        let tag = format!("sha256-{hex}");
        let may_list = |media_type: &str, tag: &str| {
            let index = manifest(media_type, "", &[tag]);
            assert_eq!(index.why_not_runnable(), None, "{tag}");
            index.may_list_referrers()
        };
        assert!(may_list(INDEXES[0], &tag));
        assert!(!may_list(INDEXES[1], &tag), "the schema is of OCI");
        assert!(!may_list(INDEXES[0], &hex));
        assert!(!may_list(INDEXES[0], "1.0"));
    }

    #[test]
    fn what_has_the_configuration_of_an_oci_image_or_a_tag_of_referrers_needs_reading() {
        let tag = format!("sha256-{}", "0a".repeat(32));
        for (media_type, artifact, tag, expected) in [
            (OCI_IMAGE, OCI_CONFIG, "1.0", true),
            (INDEXES[0], "", tag.as_str(), true),
            (INDEXES[0], "", "1.0", false),
            (IMAGES[0], CONFIGURATIONS[0], "1.0", false),
        ] {
            let found = manifest(media_type, artifact, &[tag]);
            assert_eq!(found.needs_reading(), expected, "{found:?}");
        }
        assert!(!Manifest::default().needs_reading());
    }

    #[test]
    fn layers_that_are_none_of_an_image_do_not_run_whatever_the_configuration() {
        let with = |layers: &Value| {
            let config = json!({"mediaType": OCI_CONFIG});
            why_not_an_image(&json!({"config": config, "layers": layers}).to_string())
        };
        for layer in [
            "application/vnd.dev.cosign.simplesigning.v1+json",
            "application/vnd.dsse.envelope.v1+json",
            "application/vnd.in-toto+json",
            "text/spdx+json",
        ] {
            let why = with(&json!([{"mediaType": layer}, {"mediaType": layer}]));
            let expected = format!("its layers are `{layer}`; expected those of a container image");
            assert_eq!(why, Some(expected));
        }

        let tar = "application/vnd.oci.image.layer.v1.tar+zstd";
        let docker = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        for layers in [
            json!([{"mediaType": "application/vnd.in-toto+json"}, {"mediaType": tar}]),
            json!([{"mediaType": docker}]),
            json!([{"digest": "sha256:00"}]),
            json!([]),
            Value::Null,
        ] {
            assert_eq!(with(&layers), None, "{layers}");
        }
        for other in ["[]", "no JSON", "{}"] {
            assert_eq!(why_not_an_image(other), None, "{other}");
        }
    }

    #[test]
    fn an_index_of_artifacts_only_does_not_run() {
        let signature = json!({
            "mediaType": OCI_IMAGE, "artifactType": "application/vnd.cncf.notary.signature",
        });
        let of = |listed: Value| why_not_an_image(&json!({ "manifests": listed }).to_string());
        let why = "it lists `application/vnd.cncf.notary.signature`; expected container images";
        assert_eq!(of(json!([signature, signature])).as_deref(), Some(why));

        for image in [
            json!({"mediaType": OCI_IMAGE, "platform": {"architecture": "arm64", "os": "linux"}}),
            json!({"mediaType": OCI_IMAGE, "artifactType": OCI_CONFIG}),
            json!({"mediaType": OCI_IMAGE}),
        ] {
            assert_eq!(of(json!([signature, image])), None, "{image}");
        }
        assert_eq!(of(json!([])), None);

        // What runs on a platform is an image, whatever else it is called.
        let on_platform = json!({"artifactType": "application/x", "platform": {"os": "linux"}});
        assert_eq!(of(json!([on_platform])), None);
    }
}
