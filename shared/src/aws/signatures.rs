//! Signatures of images: whether a repository has one of an image. Whose it is and whether it is
//! valid is not checked.

use std::sync::Arc;

use aws_sdk_ecr::types::{ImageIdentifier, ImageReferrer, SubjectIdentifier};

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, Sdk};
use crate::limits::REFERRERS_PAGE;

/// The types of artifacts that are signatures: of Notation, which managed signing of Amazon ECR
/// makes too, and of cosign with the referrers of OCI 1.1 (github.com/notaryproject/specifications:
/// signature-specification; github.com/sigstore/cosign: pkg/types/media.go).
const SIGNATURES: [&str; 2] = [
    "application/vnd.cncf.notary.signature",
    "application/vnd.dev.cosign.artifact.sig.v1+json",
];

/// How the type of a bundle of Sigstore begins, which is a signature or an attestation.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.";

/// The annotations of a bundle (github.com/sigstore/cosign: specs/BUNDLE_SPEC.md), with what those
/// of a signature have.
const OF_BUNDLES: [(&str, &str); 2] = [
    ("dev.sigstore.bundle.content", "message-signature"),
    (
        "dev.sigstore.bundle.predicateType",
        "https://sigstore.dev/cosign/sign/v1",
    ),
];

/// The error code for a tag that does not exist.
const NO_IMAGE: &str = "ImageNotFoundException";

#[derive(Clone, Debug)]
pub struct Signatures {
    clients: Arc<Clients>,
}

impl Signatures {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// Whether a repository in the function's own account and region has a signature of a digest:
    /// one that refers to it, or one under the tag that cosign gives it.
    ///
    /// # Errors
    /// If a call fails, or there are too many artifacts.
    pub async fn is_signed(&self, repository: &str, digest: &str) -> Result<bool, AwsError> {
        if self.has_referrer(repository, digest).await? {
            return Ok(true);
        }
        self.has_tag(repository, &digest.replace(':', "-")).await
    }

    async fn has_referrer(&self, repository: &str, digest: &str) -> Result<bool, AwsError> {
        const OPERATION: &str = "ecr:ListImageReferrers";
        let subject = SubjectIdentifier::builder().image_digest(digest).build();
        let subject = subject.map_err(|e| AwsError::unexpected(OPERATION, e.to_string()))?;
        let mut pages = Pages::new(OPERATION);

        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .ecr()
                .list_image_referrers()
                .repository_name(repository)
                .subject_id(subject.clone())
                .max_results(REFERRERS_PAGE)
                .set_next_token(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;
            if page.referrers().iter().any(is_signature) {
                return Ok(true);
            }
            pages.go_on(page.next_token);
        }
        Ok(false)
    }

    /// Whether there is the tag of a signature, which cosign makes of the digest.
    async fn has_tag(&self, repository: &str, attached: &str) -> Result<bool, AwsError> {
        const OPERATION: &str = "ecr:DescribeImages";
        let tag = format!("{attached}.sig");
        let request = self
            .clients
            .ecr()
            .describe_images()
            .repository_name(repository)
            .image_ids(ImageIdentifier::builder().image_tag(tag).build());
        match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
            Ok(found) => Ok(!found.image_details().is_empty()),
            Err(error) if error.code == NO_IMAGE => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn is_signature(referrer: &ImageReferrer) -> bool {
    let artifact = referrer.artifact_type().unwrap_or_default();
    let has = |(name, value): &(&str, &str)| {
        let annotations = referrer.annotations();
        annotations.is_some_and(|all| all.get(*name).is_some_and(|found| found == value))
    };
    SIGNATURES.contains(&artifact) || artifact.starts_with(BUNDLE) && OF_BUNDLES.iter().any(has)
}
