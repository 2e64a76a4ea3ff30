//! Which manifests of a repository are container images: a repository also holds signatures,
//! attestations, SBOMs, build caches, charts and models, pushed like images and often with a tag.
//!
//! Never calls a registry, and never judges a manifest of which nothing is known. A manifest with
//! the media types of an image is one: nothing in it shows that it is a cached layer of Kaniko or a
//! cache image of buildpacks, whose tags and manifests an image can have too.

use serde_json::Value;

use crate::image::{ImageReference, short_digest};
use crate::job::Failure;

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
/// media type. Old clients wrote the last three, which Docker runs (github.com/moby/moby:
/// `distribution/registry.go`).
const CONFIGURATIONS: [&str; 5] = [
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/octet-stream",
    "application/json",
    "text/html",
];

/// What the media types of the images of Docker's first version begin with.
const OF_FIRST_VERSION: &str = "application/vnd.docker.distribution.manifest.v1+";

/// What the media types of the layers of an image begin with (github.com/opencontainers/image-spec:
/// `media-types.md`; github.com/distribution/distribution: `manifest/schema2` and `schema1`).
const LAYERS: [&str; 3] = [
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
    "application/vnd.docker.container.image.rootfs.",
];

/// The operating systems of tasks
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html), and one that is
/// not stated.
const SYSTEMS: [&str; 4] = ["linux", "windows", "unknown", ""];

/// What a registry states about a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    pub media_type: Option<String>,
    /// What the manifest holds. An index has none.
    pub artifact_type: Option<String>,
    pub tags: Vec<String>,
}

/// What a manifest that can run as a container is, from what it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestKind {
    /// One image, which names its architecture in its configuration only; or nothing shows what it
    /// is.
    Image,
    /// An image for several architectures: those that it lists, such as `amd64`, at least one.
    Index(Vec<String>),
}

impl ManifestKind {
    /// What a manifest is, given as JSON.
    ///
    /// # Errors
    /// Why it cannot run as a container, if something proves it.
    pub fn read(manifest: &str) -> Result<Self, String> {
        let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
        if let Some(reason) = why_not_an_image(&manifest) {
            return Err(reason);
        }

        let architectures = architectures(&manifest);
        if architectures.is_empty() {
            Ok(Self::Image)
        } else {
            Ok(Self::Index(architectures))
        }
    }

    /// The architectures for which an image is built, if none of them is this one; `None` also if
    /// its manifest names no architecture.
    #[must_use]
    pub fn built_for_others(&self, architecture: &str) -> Option<&[String]> {
        match self {
            Self::Image => None,
            Self::Index(listed) => {
                let fits = listed.iter().any(|one| one == architecture);
                (!fits).then_some(listed.as_slice())
            }
        }
    }
}

/// The architectures that a manifest lists. Attestations in an index are of the platform `unknown`
/// (github.com/opencontainers/image-spec: `image-index.md`; docs.docker.com/build/metadata).
fn architectures(manifest: &Value) -> Vec<String> {
    let listed = manifest["manifests"].as_array().into_iter().flatten();
    let architectures = listed.filter_map(|one| one["platform"]["architecture"].as_str());
    architectures
        .filter(|architecture| *architecture != "unknown")
        .map(ToOwned::to_owned)
        .collect()
}

/// Why what a manifest contains cannot run as a container, or `None` if nothing proves it: a
/// signature, an attestation or a model can have the configuration of an image, and a build cache
/// or a list of referrers the media type of an index.
fn why_not_an_image(manifest: &Value) -> Option<String> {
    let configuration = text(&manifest["config"]["mediaType"]);
    if is_foreign(configuration) {
        return Some(held(configuration));
    }
    foreign_layers(manifest).or_else(|| foreign_list(manifest))
}

fn foreign_layers(manifest: &Value) -> Option<String> {
    let layers = manifest["layers"].as_array()?;
    let first = layers.first()?;
    layers.iter().all(is_foreign_layer).then(|| {
        format!(
            "its layers are `{}`; expected those of a container image",
            text(&first["mediaType"])
        )
    })
}

fn foreign_list(manifest: &Value) -> Option<String> {
    let listed = manifest["manifests"].as_array()?;
    let artifacts: Vec<&str> = listed.iter().map(artifact).collect::<Option<_>>()?;
    // BuildKit lists the layers of a cache before its configuration.
    let last = artifacts.last().map(|last| format!("`{last}`"));
    Some(format!(
        "it lists {}; expected container images",
        last.as_deref().unwrap_or("nothing")
    ))
}

/// The refusal of an image that cannot run for this reason.
#[must_use]
pub fn not_runnable(image: &ImageReference, reason: &str) -> Failure {
    Failure::configuration(format!(
        "image {image} cannot run: {reason}; release the digest of an image"
    ))
}

fn is_foreign_layer(layer: &Value) -> bool {
    let media_type = layer["mediaType"].as_str();
    media_type.is_some_and(|given| !LAYERS.iter().any(|prefix| given.starts_with(prefix)))
}

/// What an index lists, if it is something else than an image. Each descriptor of referrers has the
/// type of the artifact (github.com/opencontainers/distribution-spec: Listing Referrers), those of
/// a build cache are of no manifests (github.com/moby/buildkit: `cache/remotecache/v1`), and an
/// attestation is of the platform `unknown/unknown` (docs.docker.com/build/metadata). A module of
/// WebAssembly is of an operating system of its own.
fn artifact(descriptor: &Value) -> Option<&str> {
    let artifact = text(&descriptor["artifactType"]);
    if is_foreign(artifact) && descriptor["platform"].is_null() {
        return Some(artifact);
    }

    let media_type = text(&descriptor["mediaType"]);
    if !media_type.is_empty() && !is_manifest(media_type) {
        return Some(media_type);
    }
    let system = text(&descriptor["platform"]["os"]);
    let mut systems = SYSTEMS.iter();
    if !systems.any(|known| system.eq_ignore_ascii_case(known)) {
        return Some(system);
    }
    let is_unknown = |member: &str| descriptor["platform"][member] == "unknown";
    (is_unknown("os") && is_unknown("architecture")).then_some("unknown/unknown")
}

/// Whether this is stated as the content of a manifest, and is not that of an image.
fn is_foreign(content: &str) -> bool {
    !content.is_empty() && !CONFIGURATIONS.contains(&content)
}

/// Whether this is the media type of an image, for one architecture or for several.
fn is_manifest(media_type: &str) -> bool {
    IMAGES.contains(&media_type) || INDEXES.contains(&media_type)
}

fn held(content: &str) -> String {
    format!("it holds `{content}`; expected a container image")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Manifest {
    /// Whether only its content shows that it is not an image: an attestation has the configuration
    /// that OCI gives images, and may be copied to any tag (github.com/sigstore/cosign:
    /// `cosign attest`), a model of Ollama that of Docker (github.com/containers/image/pull/2539),
    /// and an index can list anything. In an image of Docker's first version nothing shows it.
    #[must_use]
    pub fn needs_reading(&self) -> bool {
        let media_type = self.media_type.as_deref();
        media_type.is_some_and(|known| is_manifest(known) && !known.starts_with(OF_FIRST_VERSION))
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
            && !is_manifest(&media_type)
        {
            return Some(format!(
                "its manifest is `{media_type}`; expected a container image"
            ));
        }

        let artifact = stated(&self.artifact_type)?;
        let is_image = !is_foreign(&artifact) || INDEXES.contains(&&*artifact);
        (!is_image).then(|| held(&artifact))
    }
}

/// The digest of the image to which cosign attaches something under a tag, if the tag is of that
/// kind: `sha256-<64 hex digits>` with one of three suffixes, and maybe with a prefix
/// (github.com/sigstore/cosign: `pkg/oci/remote`, `--attachment-tag-prefix`). Without a suffix it
/// is the tag of a list of referrers, or that of an image by the hash of its content.
fn attached_to(tag: &str) -> Option<String> {
    const SUFFIXES: [&str; 3] = [".sig", ".att", ".sbom"];

    let attached = SUFFIXES
        .iter()
        .find_map(|suffix| tag.strip_suffix(suffix))?;
    let (_, hex) = attached.split_once("sha256-")?;
    is_sha256(hex).then(|| format!("sha256:{hex}"))
}

fn is_sha256(hex: &str) -> bool {
    const HEX_DIGITS: usize = 64;
    hex.len() == HEX_DIGITS && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
