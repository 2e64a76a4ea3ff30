//! The digest of an image that an operator names.

use aws_sdk_ecr::types::ImageIdentifier;

use super::{Images, described, is_missing};
use crate::aws::AwsError;
use crate::image::is_digest;

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
        let request = self.clients.ecr().describe_images();
        let request = request.repository_name(repository).image_ids(id.build());
        match described(request, tag_or_digest).await {
            Ok(found) => Ok(found.image_digest().map(ToOwned::to_owned)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
