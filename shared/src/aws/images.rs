//! Images in Amazon ECR: tags resolved to digests, because a tag can be moved and a digest cannot.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::{Builder, Region};
use aws_sdk_ecr::types::ImageIdentifier;

use super::{AwsError, Sdk};
use crate::image::ImageReference;
use crate::job::{Failure, FailureType, StepError};

#[derive(Clone, Debug)]
pub struct Images {
    sdk: Sdk,
}

impl Images {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self { sdk: sdk.clone() }
    }

    /// The same image by its digest, proven to be in its repository. Images of other registries are answered as they are.
    ///
    /// # Errors
    /// RevisionUnavailable when the repository or the image is not there.
    pub async fn resolve(&self, image: &ImageReference) -> Result<ImageReference, StepError> {
        const OPERATION: &str = "ecr:DescribeImages";
        let Some(place) = image.ecr() else {
            return Ok(image.clone());
        };
        let config = Builder::from(&self.sdk.config)
            .region(Region::new(place.region))
            .build();
        let id = ImageIdentifier::builder().set_image_digest(image.digest.clone());
        let tag = image.tag.clone().unwrap_or_else(|| "latest".to_owned());
        let id = if image.digest.is_none() {
            id.image_tag(tag)
        } else {
            id
        };
        let request = Client::from_conf(config)
            .describe_images()
            .registry_id(place.registry_id)
            .repository_name(place.repository);
        let answer = match request
            .image_ids(id.build())
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))
        {
            Ok(answer) => answer,
            Err(error)
                if ["ImageNotFoundException", "RepositoryNotFoundException"]
                    .contains(&error.code.as_str()) =>
            {
                let message = format!(
                    "image {image} cannot be deployed: {}; push it first, or correct the reference",
                    error.message
                );
                return Err(Failure {
                    kind: FailureType::RevisionUnavailable,
                    message,
                }
                .into());
            }
            Err(error) => return Err(error.into()),
        };
        let digest = answer
            .image_details()
            .first()
            .and_then(|detail| detail.image_digest());
        let digest = digest
            .ok_or_else(|| AwsError::unexpected(OPERATION, format!("no digest for {image}")))?;
        Ok(image.pinned(digest))
    }
}
