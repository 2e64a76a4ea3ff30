//! The image that a release would deploy: it is in its registry, and built for the architecture of
//! the tasks.
//!
//! Only what is certain refuses a release: the manifest of one image does not name an architecture,
//! and images of other registries are not read.

use slipway::image::ImageReference;
use slipway::job::{Checks, Failure, StepError};
use slipway::manifest::{architectures, not_runnable, why_not_an_image};
use slipway::task_definition::TaskDefinition;

use crate::BeginRelease;
use crate::preflight::NEW;

/// What is known of the architecture of an image.
#[derive(Debug, PartialEq, Eq)]
enum Fit {
    /// It is built for this one, that of the tasks.
    Known(&'static str),
    /// Why it is not known.
    Unknown(String),
}

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
        let manifest = self.images.manifest_text(&image).await;
        let fit = manifest.map_err(StepError::from).and_then(|manifest| {
            let manifest = manifest.as_deref().unwrap_or_default();
            Ok(fit(&image, manifest, base.architecture())?)
        });

        let known = match fit {
            Ok(Fit::Known(architecture)) => Ok(architecture),
            Ok(Fit::Unknown(why)) => {
                checks.skip(at, why);
                return Ok(());
            }
            Err(error) => Err(error),
        };
        checks.take(at, known, |&architecture| architecture.to_owned())?;
        Ok(())
    }

    /// The image by its digest.
    async fn find_image(&self, given: &str) -> Result<ImageReference, StepError> {
        let image = ImageReference::parse(given)
            .map_err(|why| Failure::configuration(format!("`image`: {why}")))?;
        self.images.resolve(&image).await
    }
}

/// How an image fits the architecture that the base names, from its manifest. What cannot run is
/// refused whatever the base names.
fn fit(
    image: &ImageReference,
    manifest: &str,
    wanted: Option<&'static str>,
) -> Result<Fit, Failure> {
    refuse_artifact(image, manifest)?;
    let Some(wanted) = wanted else {
        let why = "the base names none, so the instances decide";
        return Ok(Fit::Unknown(why.to_owned()));
    };

    if fits(image, &architectures(manifest), wanted)? {
        return Ok(Fit::Known(wanted));
    }
    Ok(Fit::Unknown(format!(
        "expected {wanted}, but the manifest of an image for one architecture does not name it, \
         and its configuration is not read"
    )))
}

/// Refuses a manifest with the media types of an image that cannot run, such as an attestation in
/// an index.
fn refuse_artifact(image: &ImageReference, manifest: &str) -> Result<(), Failure> {
    match why_not_an_image(manifest) {
        Some(reason) => Err(not_runnable(image, &reason)),
        None => Ok(()),
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
    fn an_attestation_is_refused_although_its_configuration_is_an_image_s() {
        let image = ImageReference::parse("web:1").expect("an image");
        let attestation = r#"{"layers": [{"mediaType": "application/vnd.in-toto+json"}]}"#;
        assert_eq!(
            refuse_artifact(&image, attestation),
            Err(Failure::configuration(
                "image web:1 cannot run: its layers are `application/vnd.in-toto+json`; expected \
                 those of a container image; release the digest of an image"
            ))
        );
        assert_eq!(refuse_artifact(&image, "{}"), Ok(()));
    }

    #[test]
    fn an_attestation_is_refused_also_where_the_base_names_no_architecture() {
        let image = ImageReference::parse("web:1").expect("an image");
        let attestation = r#"{"layers": [{"mediaType": "application/vnd.in-toto+json"}]}"#;
        assert!(fit(&image, attestation, None).is_err());

        let undecided = "the base names none, so the instances decide".to_owned();
        assert_eq!(fit(&image, "{}", None), Ok(Fit::Unknown(undecided)));
    }

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
