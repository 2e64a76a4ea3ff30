//! What a container runtime pulls: a repository holds signatures, charts, build caches and models
//! too, some of which differ from an image only in the media types of their layers.
//!
//! An index is always taken for one of images.

use serde_json::Value;

/// The media types of the configuration of an image.
const CONFIGURATIONS: [&str; 5] = [
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/octet-stream",
    "application/json",
    "text/html",
];

/// What those of its layers begin with.
const LAYERS: [&str; 4] = [
    "application/vnd.docker.image.rootfs.",
    "application/vnd.docker.container.image.rootfs.",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
];

/// The media type for which a runtime refuses a manifest: that of its configuration, or that of its
/// first layer if it has none of an image.
pub(super) fn unsupported(manifest: &str) -> Option<String> {
    let manifest: Value = serde_json::from_str(manifest).ok()?;
    let config = manifest["config"]["mediaType"].as_str();
    if let Some(config) = config.filter(|given| !CONFIGURATIONS.contains(given)) {
        return Some(config.to_owned());
    }

    let layers = manifest["layers"].as_array()?;
    let mut kinds = layers
        .iter()
        .filter_map(|layer| layer["mediaType"].as_str());
    let first = kinds.clone().next()?;
    let is_image = kinds.any(|kind| LAYERS.iter().any(|prefix| kind.starts_with(prefix)));
    (!is_image).then(|| first.to_owned())
}
