//! What is pushed about an image and cannot run: a signature, an attestation, or an artifact that
//! refers to it.

use serde_json::{Value, json};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a tool pushes about an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artifact {
    /// Under a tag made of the image's digest, as cosign does; the manifest is one of an image.
    Signature,
    /// The same, with another ending of its tag.
    Attestation,
    /// Without a tag: its manifest names the image as its subject, as notation does.
    Referrer,
}

impl Artifact {
    pub(super) const ALL: [Self; 3] = [Self::Signature, Self::Attestation, Self::Referrer];

    /// The tag under which it is pushed.
    pub(super) fn tag(self, digest: &str) -> Option<String> {
        let ending = match self {
            Self::Signature => "sig",
            Self::Attestation => "att",
            Self::Referrer => return None,
        };
        Some(format!("{}.{ending}", digest.replace(':', "-")))
    }

    /// Its manifest, for the image of a digest.
    pub(super) fn manifest(self, digest: &str) -> Value {
        let part = |kind: &str| json!({"mediaType": kind, "size": 250, "digest": digest});
        let mut manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST});

        let (of_config, of_layer) = match self {
            Self::Signature => (
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.dev.cosign.simplesigning.v1+json",
            ),
            Self::Attestation => (
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.dsse.envelope.v1+json",
            ),
            Self::Referrer => {
                manifest["artifactType"] = json!("application/vnd.cncf.notary.signature");
                manifest["subject"] = part(OCI_MANIFEST);
                ("application/vnd.oci.empty.v1+json", "application/jose+json")
            }
        };
        manifest["config"] = part(of_config);
        manifest["layers"] = json!([part(of_layer)]);
        manifest
    }

    /// A word for it, for counting.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "push a signature",
            Self::Attestation => "push an attestation",
            Self::Referrer => "push a referrer",
        }
    }
}
