//! The image that a release would deploy: it is in its registry, and built for the architecture of
//! the tasks.
//!
//! Only what is certain refuses a release: the manifest of one image does not name an architecture,
//! and images of other registries are not read.

use slipway::image::ImageReference;
use slipway::job::{Checks, Failure, StepError};
use slipway::manifest::architectures;
use slipway::task_definition::TaskDefinition;

use crate::BeginRelease;
use crate::preflight::NEW;

impl BeginRelease {
    pub(crate) async fn check_image(
        &self,
        checks: &mut Checks,
        given: Option<&str>,
        base: &TaskDefinition,
    ) -> Result<(), StepError> {
        let Some(given) = given else {
            checks.skip((NEW, "image"), "`image` is not given");
            return Ok(());
        };
        let found = self.find_image(given).await;
        if let Ok(image) = &found
            && image.ecr().is_none()
        {
            checks.skip((NEW, "image"), format!("{image} is not in Amazon ECR"));
            return Ok(());
        }
        let Some(image) = checks.take((NEW, "image"), found, ToString::to_string)? else {
            return Ok(());
        };

        let at = (NEW, "architecture");
        let Some(wanted) = base.architecture() else {
            checks.skip(at, "the base names none, so the instances decide");
            return Ok(());
        };
        let manifest = self.images.manifest_text(&image).await;
        let fits = manifest.map_err(StepError::from).and_then(|manifest| {
            let listed = architectures(manifest.as_deref().unwrap_or_default());
            fits(&image, &listed, wanted).map_err(StepError::from)
        });

        if fits == Ok(false) {
            checks.skip(at, "the manifest lists none");
        } else {
            checks.take(at, fits, |_| wanted.to_owned())?;
        }
        Ok(())
    }

    /// The image by its digest.
    async fn find_image(&self, given: &str) -> Result<ImageReference, StepError> {
        let image = ImageReference::parse(given)
            .map_err(|why| Failure::configuration(format!("`image`: {why}")))?;
        self.images.resolve(&image).await
    }
}

/// Whether an image is known to be built for an architecture. Refuses one that is built for others.
fn fits(image: &ImageReference, listed: &[String], wanted: &str) -> Result<bool, Failure> {
    if listed.is_empty() {
        return Ok(false);
    }
    if listed.iter().any(|architecture| architecture == wanted) {
        return Ok(true);
    }

    Err(Failure::configuration(format!(
        "image {image} is built for {}; expected {wanted}, the architecture of the task \
         definition; build the image for it, or change `runtimePlatform`",
        listed.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_fits_one_of_its_architectures_and_may_list_none() {
        let image = ImageReference::parse("web:1").expect("an image");
        let fits = |listed: &[&str]| {
            let listed: Vec<String> = listed.iter().map(|&one| one.to_owned()).collect();
            fits(&image, &listed, "amd64")
        };

        assert_eq!(fits(&["arm64", "amd64"]), Ok(true));
        assert_eq!(fits(&[]), Ok(false));
        assert_eq!(
            fits(&["arm64", "arm"]),
            Err(Failure::configuration(
                "image web:1 is built for arm64, arm; expected amd64, the architecture of the \
                 task definition; build the image for it, or change `runtimePlatform`"
            ))
        );
    }
}
