//! Which manifests of a repository are container images: a repository also holds signatures,
//! attestations, SBOMs, build caches and charts, pushed like images and often with a tag.
//!
//! Never calls a registry, and never judges a manifest of which nothing is known.

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

impl Manifest {
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

/// The digest of the image to which a tag attaches something, if the tag is of that kind:
/// `sha256-<64 hex digits>` alone (github.com/opencontainers/distribution-spec, referrers tag
/// schema) or with a suffix such as `.sig`, `.att` or `.sbom`. Cosign's own suffixes can come with
/// a prefix (github.com/sigstore/cosign, `--attachment-tag-prefix`).
fn attached_to(tag: &str) -> Option<String> {
    const HEX_DIGITS: usize = 64;
    const PREFIXED: [&str; 3] = [".sig", ".att", ".sbom"];

    let (prefix, rest) = tag.split_once("sha256-")?;
    let hex = rest.get(..HEX_DIGITS)?;
    let suffix = &rest[HEX_DIGITS..];
    let is_hex = hex.bytes().all(|b| b.is_ascii_hexdigit());

    let is_attached = if prefix.is_empty() {
        suffix.is_empty() || suffix.starts_with('.')
    } else {
        PREFIXED.contains(&suffix)
    };
    (is_hex && is_attached).then(|| format!("sha256:{hex}"))
}

#[cfg(test)]
mod tests {
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
    fn a_tag_of_another_image_s_digest_is_an_attachment_whatever_its_type() {
        let hex = "0a".repeat(32);
        for suffix in ["", ".sig", ".att", ".sbom", ".cosign.bundle"] {
            let tag = format!("sha256-{hex}{suffix}");
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

        for tag in [
            format!("sha256-{hex}0"),
            format!("build-sha256-{hex}"),
            format!("build-sha256-{hex}.1"),
        ] {
            let runs = manifest(OCI_IMAGE, OCI_CONFIG, &[&tag]);
            assert_eq!(runs.why_not_runnable(), None, "{tag}");
        }
    }

    #[test]
    fn an_attachment_of_cosign_can_have_a_prefix() {
        let hex = "0a".repeat(32);
        for tag in [
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
    }
}
