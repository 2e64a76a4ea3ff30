//! Images in Amazon ECR: tags resolved to digests, because a tag can be moved and a digest cannot.

mod digest;

use std::fmt::Display;
use std::sync::Arc;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::{Builder, Region};
use aws_sdk_ecr::operation::batch_get_image::builders::BatchGetImageFluentBuilder;
use aws_sdk_ecr::operation::describe_images::builders::DescribeImagesFluentBuilder;
use aws_sdk_ecr::types::{
    DescribeImagesFilter, ImageDetail, ImageIdentifier, ImageStatus, ImageStatusFilter,
};

use super::clients::Clients;
use super::{AwsError, ErrorKind, Sdk};
use crate::image::{EcrRepository, ImageReference};
use crate::job::{Failure, FailureType, StepError};
use crate::manifest::{Manifest, ManifestKind, not_runnable};
use crate::observed::image::NotPullable;

const OPERATION: &str = "ecr:DescribeImages";

/// The error code for an image that does not exist.
const NO_IMAGE: &str = "ImageNotFoundException";

/// Error codes for an image that does not exist, or cannot exist.
const MISSING: [&str; 2] = [NO_IMAGE, "RepositoryNotFoundException"];

#[derive(Clone, Debug)]
pub struct Images {
    clients: Arc<Clients>,
}

/// An image that can be pulled.
#[derive(Clone, Debug)]
pub struct FoundImage {
    /// By its digest, if it is in Amazon ECR.
    pub image: ImageReference,
    /// What its manifest is, or why that could not be read.
    pub kind: Result<ManifestKind, AwsError>,
}

impl Images {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
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

        let (pinned, stated) = self.find(&repository, image).await?;
        let request = self.request(&repository, &pinned);
        match why_not_runnable(&stated, request, &pinned).await? {
            Some(reason) => Err(not_runnable(&pinned, &reason).into()),
            None => Ok(pinned),
        }
    }

    /// The same as [`resolve`](Self::resolve), with what the manifest of the image is. It is read
    /// once, and always. Nothing is known of an image of another registry.
    ///
    /// # Errors
    /// As of [`resolve`](Self::resolve).
    pub async fn inspect(&self, image: &ImageReference) -> Result<FoundImage, StepError> {
        let Some(repository) = image.ecr() else {
            return Ok(FoundImage {
                image: image.clone(),
                kind: Ok(ManifestKind::Image),
            });
        };

        let (pinned, _) = self.find(&repository, image).await?;
        let kind = match text(self.request(&repository, &pinned)).await {
            Ok(text) => Ok(kind(&pinned, &text)?),
            Err(error) => Err(error),
        };
        Ok(FoundImage {
            image: pinned,
            kind,
        })
    }

    /// The image by its digest, which is there and active, and what ECR states about its manifest.
    async fn find(
        &self,
        repository: &EcrRepository,
        image: &ImageReference,
    ) -> Result<(ImageReference, Manifest), StepError> {
        let detail = match self.describe(repository, image).await {
            Err(error) if is_missing(&error) => {
                return Err(unavailable(image, &missing(image, &error)).into());
            }
            described => described?,
        };
        check_pullable(image, repository, &detail)?;

        let digest = detail
            .image_digest()
            .ok_or_else(|| AwsError::unexpected(OPERATION, format!("no digest for {image}")))?;
        Ok((image.pinned(digest), manifest(&detail)))
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

    /// Why a digest of a repository in the function's own account and region cannot run, where what
    /// is stated about its manifest leaves that open; `None` if nothing proves it.
    ///
    /// # Errors
    /// If the call fails, and is not denied.
    pub async fn why_not_runnable(
        &self,
        repository: &str,
        digest: &str,
        stated: &Manifest,
    ) -> Result<Option<String>, AwsError> {
        why_not_runnable(stated, self.own_request(repository, digest), digest).await
    }

    /// What ECR states about a digest of a repository in the function's own account and region.
    ///
    /// # Errors
    /// If the call fails or the image does not exist.
    pub async fn manifest(&self, repository: &str, digest: &str) -> Result<Manifest, AwsError> {
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let request = self
            .clients
            .ecr()
            .describe_images()
            .repository_name(repository)
            .image_ids(id);
        Ok(manifest(&described(request, digest).await?))
    }

    /// An image in the function's own account and region, as `name` in errors; none if it is not
    /// there.
    async fn own(
        &self,
        repository: &str,
        id: ImageIdentifier,
        name: &str,
    ) -> Result<Option<ImageDetail>, AwsError> {
        let request = self.clients.ecr().describe_images();
        let request = request.repository_name(repository).image_ids(id);
        match described(request, name).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
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
            .image_ids(identifier(image));
        described(request, image).await
    }

    /// The request for the manifest of an image.
    fn request(
        &self,
        repository: &EcrRepository,
        image: &ImageReference,
    ) -> BatchGetImageFluentBuilder {
        self.client_of(repository)
            .batch_get_image()
            .registry_id(&repository.registry_id)
            .repository_name(&repository.repository)
            .image_ids(identifier(image))
    }

    /// The image can be in another region and account than the function.
    fn client_of(&self, repository: &EcrRepository) -> Client {
        let config = &self.clients.config;
        let region = Region::new(repository.region.clone());

        if config.region() == Some(&region) {
            self.clients.ecr().clone()
        } else {
            Client::from_conf(Builder::from(config).region(region).build())
        }
    }
}

/// Why a manifest cannot run, which is read only if what is stated about it leaves that open.
/// Without the permission to read it nothing is known: what cannot run fails in its release, which
/// is rolled back.
async fn why_not_runnable(
    stated: &Manifest,
    request: BatchGetImageFluentBuilder,
    image: impl Display,
) -> Result<Option<String>, AwsError> {
    if !stated.needs_reading() {
        return Ok(None);
    }

    match text(request).await {
        Ok(text) => Ok(ManifestKind::read(&text).err()),
        // Neither shows whether the manifest may be read: a later call does.
        Err(error) if error.kind == ErrorKind::Busy || error.kind == ErrorKind::Credentials => {
            Err(error)
        }
        Err(error) => {
            tracing::warn!(%image, %error, "the manifest is not read: it may not be an image");
            Ok(None)
        }
    }
}

/// What the manifest of an image is. Refuses one that cannot run.
fn kind(image: &ImageReference, manifest: &str) -> Result<ManifestKind, Failure> {
    ManifestKind::read(manifest).map_err(|reason| not_runnable(image, &reason))
}

/// The manifest that a request names, as JSON; empty if there is none.
async fn text(request: BatchGetImageFluentBuilder) -> Result<String, AwsError> {
    let found = request
        .send()
        .await
        .map_err(AwsError::from_sdk("ecr:BatchGetImage"))?;
    let manifest = found
        .images()
        .first()
        .and_then(|found| found.image_manifest());
    Ok(manifest.unwrap_or_default().to_owned())
}

/// The image that a request names. Without a status ECR describes active images only, and an
/// archived one would be missing (Amazon ECR API: DescribeImagesFilter). No document states that a
/// request which names its image may have a status too: the image is looked for without one first.
async fn described(
    request: DescribeImagesFluentBuilder,
    image: impl Display,
) -> Result<ImageDetail, AwsError> {
    let active = first_of(request.clone()).await;
    let is_absent = match &active {
        Ok(found) => found.is_none(),
        Err(error) => error.code == NO_IMAGE,
    };

    let found = if is_absent {
        let of_any_status = DescribeImagesFilter::builder()
            .image_status(ImageStatusFilter::Any)
            .build();
        match first_of(request.filter(of_any_status)).await {
            Err(refusal) if refusal.kind == ErrorKind::Rejected => active,
            found => found,
        }
    } else {
        active
    };
    found?.ok_or_else(|| AwsError::unexpected(OPERATION, format!("no digest for {image}")))
}

/// The first image that a request finds.
async fn first_of(request: DescribeImagesFluentBuilder) -> Result<Option<ImageDetail>, AwsError> {
    let found = request
        .send()
        .await
        .map_err(AwsError::from_sdk(OPERATION))?;
    let details = found.image_details.unwrap_or_default();
    Ok(details.into_iter().next())
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

/// What ECR states about the manifest of an image.
pub(super) fn manifest(detail: &ImageDetail) -> Manifest {
    Manifest {
        media_type: detail.image_manifest_media_type().map(ToOwned::to_owned),
        artifact_type: detail.artifact_media_type().map(ToOwned::to_owned),
        tags: detail.image_tags().to_vec(),
    }
}

/// Whether ECS can pull what ECR describes.
fn check_pullable(
    image: &ImageReference,
    repository: &EcrRepository,
    detail: &ImageDetail,
) -> Result<(), StepError> {
    if let Some(reason) = manifest(detail).why_not_runnable() {
        return Err(not_runnable(image, &reason).into());
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

/// A repository of a pull through cache holds an image only after its first pull by a tag.
fn missing(image: &ImageReference, error: &AwsError) -> String {
    let pull = match image.digest {
        None => format!("pull: run docker pull {image}"),
        Some(_) => "pull by a tag".to_owned(),
    };
    format!(
        "{}; push it first, or correct the reference; an image of a pull through cache is cached \
         by its first {pull}",
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
