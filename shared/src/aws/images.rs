//! Images in Amazon ECR: tags resolved to digests, because a tag can be moved and a digest cannot.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::{Builder, Region};
use aws_sdk_ecr::types::ImageIdentifier;

use super::{AwsError, Sdk};
use crate::image::ImageReference;
use crate::job::{Failure, FailureType, StepError};

/// Error codes for an image that does not exist.
const MISSING: [&str; 2] = ["ImageNotFoundException", "RepositoryNotFoundException"];

#[derive(Clone, Debug)]
pub struct Images {
    sdk: Sdk,
}

impl Images {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self { sdk: sdk.clone() }
    }

    /// The same image by its digest, proven to be in its repository. An image of another registry
    /// is returned unchanged.
    ///
    /// # Errors
    /// RevisionUnavailable if the repository or the image does not exist.
    pub async fn resolve(&self, image: &ImageReference) -> Result<ImageReference, StepError> {
        const OPERATION: &str = "ecr:DescribeImages";

        let Some(repository) = image.ecr() else {
            return Ok(image.clone());
        };

        // The image can be in another region and account than the function.
        let config = Builder::from(&self.sdk.config)
            .region(Region::new(repository.region))
            .build();
        let request = Client::from_conf(config)
            .describe_images()
            .registry_id(repository.registry_id)
            .repository_name(repository.repository)
            .image_ids(identifier(image));

        let found = match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
            Ok(found) => found,
            Err(error) if MISSING.contains(&error.code.as_str()) => {
                return Err(unavailable(image, &error).into());
            }
            Err(error) => return Err(error.into()),
        };
        let digest = found
            .image_details()
            .first()
            .and_then(|detail| detail.image_digest())
            .ok_or_else(|| AwsError::unexpected(OPERATION, format!("no digest for {image}")))?;
        Ok(image.pinned(digest))
    }
}

/// The digest if the reference has one, otherwise its tag, as Docker reads references.
fn identifier(image: &ImageReference) -> ImageIdentifier {
    let id = ImageIdentifier::builder().set_image_digest(image.digest.clone());
    if image.digest.is_none() {
        let tag = image.tag.clone().unwrap_or_else(|| "latest".to_owned());
        id.image_tag(tag).build()
    } else {
        id.build()
    }
}

fn unavailable(image: &ImageReference, error: &AwsError) -> Failure {
    Failure {
        kind: FailureType::RevisionUnavailable,
        cause: None,
        message: format!(
            "image {image} cannot be deployed: {}; push it first, or correct the reference",
            error.message
        ),
    }
}
