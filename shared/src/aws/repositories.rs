//! Repositories of Amazon ECR: where one is, and the images with tags that it has.

use std::sync::Arc;

use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, TagStatus};

use super::clients::Clients;
use super::images::manifest;
use super::pages::Pages;
use super::{AwsError, Sdk};
use crate::limits::IMAGES_PAGE;
use crate::observed::image::RepositoryImage;
use crate::timestamp::Timestamp;

#[derive(Clone, Debug)]
pub struct Repositories {
    clients: Arc<Clients>,
}

impl Repositories {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The URI of a repository in the own account and region, which begins references of images.
    ///
    /// # Errors
    /// If the call fails, or there is no such repository.
    pub async fn uri(&self, repository: &str) -> Result<String, AwsError> {
        const OPERATION: &str = "ecr:DescribeRepositories";
        let request = self
            .clients
            .ecr()
            .describe_repositories()
            .repository_names(repository);
        let found = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        let first = found.repositories().first();
        let uri = first.and_then(|repository| repository.repository_uri());
        uri.map(ToOwned::to_owned)
            .ok_or_else(|| AwsError::unexpected(OPERATION, "no URI"))
    }

    /// The active images with a tag of a repository in the function's own account and region, in no
    /// order.
    ///
    /// # Errors
    /// If a call fails, or there are too many images.
    pub async fn tagged_images(&self, repository: &str) -> Result<Vec<RepositoryImage>, AwsError> {
        const OPERATION: &str = "ecr:DescribeImages";
        let tagged = DescribeImagesFilter::builder()
            .tag_status(TagStatus::Tagged)
            .build();
        let mut images = Vec::new();
        let mut pages = Pages::new(OPERATION);

        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .ecr()
                .describe_images()
                .repository_name(repository)
                .filter(tagged.clone())
                .max_results(IMAGES_PAGE)
                .set_next_token(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;
            images.extend(page.image_details().iter().filter_map(image));
            pages.go_on(page.next_token);
        }
        Ok(images)
    }
}

/// An image, if ECR states its digest and when it was pushed.
fn image(detail: &ImageDetail) -> Option<RepositoryImage> {
    let first_pushed_at = detail.image_pushed_at()?.secs();
    Some(RepositoryImage {
        digest: detail.image_digest()?.to_owned(),
        first_pushed_at: Timestamp::from_secs(first_pushed_at).ok()?,
        manifest: manifest(detail),
    })
}
