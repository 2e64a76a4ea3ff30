//! Images that a run pushes: what they are is in their manifests, so that ECR computes the digests.

use emulator::{Aws, ecr};
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// An image, or something that cannot run, as it was pushed.
#[derive(Clone, Debug)]
pub(crate) struct Pushed {
    pub(crate) digest: String,
    pub(crate) manifest: String,
}

/// What a manifest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Image,
    Chart,
}

impl Content {
    fn config(self) -> &'static str {
        match self {
            Self::Image => "application/vnd.docker.container.image.v1+json",
            Self::Chart => "application/vnd.cncf.helm.config.v1+json",
        }
    }
}

/// Pushes something new with a tag. `number` makes it another one than all before.
pub(crate) fn push(
    aws: &mut Aws,
    repository: &str,
    tag: &str,
    content: Content,
    number: u64,
) -> Result<Pushed, String> {
    let blob = |kind: u8| format!("sha256:{kind:02x}{number:062x}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": content.config(), "size": 7023, "digest": blob(1)},
        "layers": [{"mediaType": LAYER, "size": 32654, "digest": blob(2)}],
    });
    put(aws, repository, tag, &manifest.to_string())
}

/// Gives a manifest a tag.
pub(crate) fn put(
    aws: &mut Aws,
    repository: &str,
    tag: &str,
    manifest: &str,
) -> Result<Pushed, String> {
    let input: Value = json!({
        "repositoryName": repository, "imageTag": tag, "imageManifest": manifest,
    });
    let put = ecr::call(aws, "PutImage", &input).map_err(|error| error.to_string())?;
    let digest = put["image"]["imageId"]["imageDigest"].as_str();
    Ok(Pushed {
        digest: digest.unwrap_or_default().to_owned(),
        manifest: manifest.to_owned(),
    })
}
