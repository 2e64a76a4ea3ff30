//! Which image of a repository a tag or a digest names, since when it is there, and what it is.

use aws_sdk_ecr::operation::batch_get_image::builders::BatchGetImageFluentBuilder;
use aws_sdk_ecr::types::ImageIdentifier;

use super::{Images, text};
use crate::aws::AwsError;
use crate::image::is_digest;
use crate::manifest::ManifestKind;

impl Images {
    /// The digest that a tag of a repository in the own account and region has now, or the given
    /// digest itself; none if there is no such image.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn digest(
        &self,
        repository: &str,
        tag_or_digest: &str,
    ) -> Result<Option<String>, AwsError> {
        let id = ImageIdentifier::builder();
        let id = if is_digest(tag_or_digest) {
            id.image_digest(tag_or_digest)
        } else {
            id.image_tag(tag_or_digest)
        };
        let found = self.own(repository, id.build(), tag_or_digest).await?;
        Ok(found.and_then(|found| found.image_digest))
    }

    /// When a digest came into a repository in the function's own account and region first, in
    /// milliseconds since the Unix epoch; none if it is not there any more. Another tag does not
    /// change it.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn first_pushed_at(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Option<i64>, AwsError> {
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let found = self.own(repository, id, digest).await?;
        Ok(found.and_then(|found| found.image_pushed_at()?.to_millis().ok()))
    }

    /// What the manifest of a digest of a repository in the function's own account and region is,
    /// or why it cannot run.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn kind(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Result<ManifestKind, String>, AwsError> {
        let manifest = text(self.own_request(repository, digest)).await?;
        Ok(ManifestKind::read(&manifest))
    }

    /// The request for the manifest of a digest in the function's own account and region.
    pub(super) fn own_request(&self, repository: &str, digest: &str) -> BatchGetImageFluentBuilder {
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let request = self.clients.ecr().batch_get_image();
        request.repository_name(repository).image_ids(id)
    }
}
