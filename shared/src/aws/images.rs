//! Images in Amazon ECR: tags resolved to digests, because a tag can be moved and a digest cannot.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::{Builder, Region};
use aws_sdk_ecr::types::{
    DescribeImagesFilter, ImageDetail, ImageIdentifier, ImageStatus, ImageStatusFilter,
};

use super::{AwsError, Sdk};
use crate::image::{EcrRepository, ImageReference};
use crate::job::{Failure, FailureType, StepError};
use crate::manifest::Manifest;

const OPERATION: &str = "ecr:DescribeImages";

/// Error codes for an image that does not exist.
const MISSING: [&str; 2] = ["ImageNotFoundException", "RepositoryNotFoundException"];

/// Why Amazon ECS could not pull an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPullable {
    /// ECR has no such repository or image. A pull through cache imports it when it is pulled.
    Missing,
    /// It is in the archive; the command that restores it.
    Archived(String),
}

#[derive(Clone, Debug)]
pub struct Images {
    sdk: Sdk,
}

impl Images {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self { sdk: sdk.clone() }
    }

    /// The same image by its digest, proven to be in its repository and to be an image that can be
    /// pulled. An image of another registry is returned unchanged.
    ///
    /// # Errors
    /// RevisionUnavailable if the repository or the image does not exist or is archived,
    /// ConfigurationError if it is not a container image.
    pub async fn resolve(&self, image: &ImageReference) -> Result<ImageReference, StepError> {
        let Some(repository) = image.ecr() else {
            return Ok(image.clone());
        };

        let detail = match self.describe(&repository, image).await {
            Err(error) if is_missing(&error) => {
                return Err(unavailable(image, &missing(image, &error)).into());
            }
            described => described?,
        };
        check(image, &repository, &detail)?;

        let digest = detail
            .image_digest()
            .ok_or_else(|| AwsError::unexpected(OPERATION, format!("no digest for {image}")))?;
        Ok(image.pinned(digest))
    }

    /// Why an image could not be pulled. Nothing is known of images of other registries.
    ///
    /// # Errors
    /// If the call fails; Busy while the image is being restored from the archive.
    pub async fn not_pullable(
        &self,
        image: &ImageReference,
    ) -> Result<Option<NotPullable>, StepError> {
        let Some(repository) = image.ecr() else {
            return Ok(None);
        };

        let detail = match self.describe(&repository, image).await {
            Err(error) if is_missing(&error) => return Ok(Some(NotPullable::Missing)),
            described => described?,
        };
        Ok(archived(image, &repository, &detail)?.map(NotPullable::Archived))
    }

    /// The manifest of an image, as JSON; `None` for an image of another registry, or without one.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn manifest_text(&self, image: &ImageReference) -> Result<Option<String>, AwsError> {
        let Some(repository) = image.ecr() else {
            return Ok(None);
        };

        let request = self
            .client_of(&repository)
            .batch_get_image()
            .registry_id(&repository.registry_id)
            .repository_name(&repository.repository)
            .image_ids(identifier(image));
        let found = request
            .send()
            .await
            .map_err(AwsError::from_sdk("ecr:BatchGetImage"))?;
        let manifest = found
            .images()
            .first()
            .and_then(|found| found.image_manifest());
        Ok(manifest.map(ToOwned::to_owned))
    }

    /// What ECR states about a digest of a repository in the function's own account and region.
    ///
    /// # Errors
    /// If the call fails or the image does not exist.
    pub async fn manifest(&self, repository: &str, digest: &str) -> Result<Manifest, AwsError> {
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let request = Client::new(&self.sdk.service)
            .describe_images()
            .repository_name(repository)
            .image_ids(id)
            .filter(of_any_status());
        let found = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;

        found
            .image_details()
            .first()
            .map(manifest)
            .ok_or_else(|| AwsError::unexpected(OPERATION, format!("no details of {digest}")))
    }

    async fn describe(
        &self,
        repository: &EcrRepository,
        image: &ImageReference,
    ) -> Result<ImageDetail, AwsError> {
        let request = self
            .client_of(repository)
            .describe_images()
            .registry_id(&repository.registry_id)
            .repository_name(&repository.repository)
            .image_ids(identifier(image))
            .filter(of_any_status());

        let found = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        found
            .image_details
            .and_then(|details| details.into_iter().next())
            .ok_or_else(|| AwsError::unexpected(OPERATION, format!("no digest for {image}")))
    }

    /// The image can be in another region and account than the function.
    fn client_of(&self, repository: &EcrRepository) -> Client {
        let config = Builder::from(&self.sdk.service)
            .region(Region::new(repository.region.clone()))
            .build();
        Client::from_conf(config)
    }
}

/// Without a status ECR describes active images only, and an archived one would be missing (Amazon
/// ECR API: DescribeImagesFilter).
fn of_any_status() -> DescribeImagesFilter {
    DescribeImagesFilter::builder()
        .image_status(ImageStatusFilter::Any)
        .build()
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

fn manifest(detail: &ImageDetail) -> Manifest {
    Manifest {
        media_type: detail.image_manifest_media_type().map(ToOwned::to_owned),
        artifact_type: detail.artifact_media_type().map(ToOwned::to_owned),
        tags: detail.image_tags().to_vec(),
    }
}

/// Whether ECS can pull what ECR describes.
fn check(
    image: &ImageReference,
    repository: &EcrRepository,
    detail: &ImageDetail,
) -> Result<(), StepError> {
    if let Some(reason) = manifest(detail).why_not_runnable() {
        return Err(Failure::configuration(format!(
            "image {image} cannot run: {reason}; release the digest of an image"
        ))
        .into());
    }

    match archived(image, repository, detail)? {
        Some(restore) => {
            let why = format!(
                "it is archived and cannot be pulled; restore it with {restore}, or push it again"
            );
            Err(unavailable(image, &why).into())
        }
        None => Ok(()),
    }
}

/// The command that restores an image from the archive, if it is there.
fn archived(
    image: &ImageReference,
    repository: &EcrRepository,
    detail: &ImageDetail,
) -> Result<Option<String>, StepError> {
    match detail.image_status() {
        Some(ImageStatus::Archived) => {
            let digest = detail.image_digest().unwrap_or("<digest>");
            Ok(Some(format!(
                "aws ecr update-image-storage-class --region {} --repository-name {} --image-id \
                 imageDigest={digest} --target-storage-class STANDARD",
                repository.region, repository.repository
            )))
        }
        Some(ImageStatus::Activating) => Err(StepError::Busy(format!(
            "image {image} is being restored from the archive; waiting until it is active"
        ))),
        _ => Ok(None),
    }
}

fn is_missing(error: &AwsError) -> bool {
    MISSING.contains(&error.code.as_str())
}

/// A repository of a pull through cache holds an image only after its first pull.
fn missing(image: &ImageReference, error: &AwsError) -> String {
    format!(
        "{}; push it first, or correct the reference; an image of a pull through cache is cached \
         by its first pull: run docker pull {image}",
        error.message
    )
}

fn unavailable(image: &ImageReference, why: &str) -> Failure {
    Failure {
        kind: FailureType::RevisionUnavailable,
        cause: None,
        message: format!("image {image} cannot be deployed: {why}"),
    }
}
