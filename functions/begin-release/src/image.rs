//! The image that a release would deploy: it is in its registry, and built for the architecture of
//! the tasks.
//!
//! Only what is certain refuses a release: the manifest of one image does not name an architecture,
//! and images of other registries are not read.

use slipway::aws::{Artifacts, FoundImage};
use slipway::image::ImageReference;
use slipway::job::{Checks, Failure, FailureType, Job, StepError};
use slipway::manifest::ManifestKind;
use slipway::task_definition::TaskDefinition;

use crate::check_groups::NEW;
use crate::{BeginRelease, Parameters};

/// What is known of the architecture of an image.
#[derive(Debug, PartialEq, Eq)]
enum Fit {
    /// It is built for this one, that of the tasks.
    Known(&'static str),
    /// Why it is not known.
    Unknown(String),
}

impl BeginRelease {
    /// Checks the image, and returns it by its digest if it is given and may be released.
    pub(crate) async fn check_image(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        base: &TaskDefinition,
    ) -> Result<Option<ImageReference>, StepError> {
        let Some(given) = job.parameters.image.as_deref() else {
            checks.skip((NEW, "image"), "`image` is not given");
            return Ok(None);
        };
        let has_role = self.sdk.deploy_role().is_some();
        let found = self.find_image(job, given).await;
        let found = found.map_err(|error| unread(error, has_role));
        if let Ok(FoundImage { image, .. }) = &found
            && image.ecr().is_none()
        {
            checks.skip((NEW, "image"), format!("{image} is not in Amazon ECR"));
            return Ok(Some(image.clone()));
        }
        let shown = |found: &FoundImage| found.image.to_string();
        let Some(found) = checks.take((NEW, "image"), found, shown)? else {
            return Ok(None);
        };

        let image = found.image.clone();
        check_architecture(checks, found, base)?;
        Ok(Some(image))
    }

    /// The image by its digest, which can run.
    async fn find_image(
        &self,
        job: &Job<Parameters>,
        given: &str,
    ) -> Result<FoundImage, StepError> {
        let given = Artifacts::new(&self.sdk, job).image(given).await?;
        let image = ImageReference::parse(&given)
            .map_err(|why| Failure::configuration(format!("`image`: {why}")))?;
        self.images.inspect(&image).await
    }
}

/// Why an image could not be read. A deploy role reads the repositories of its stack only, so that
/// one of another name, account or region is denied, too.
fn unread(error: StepError, has_role: bool) -> StepError {
    match error {
        StepError::Refused(denied) if has_role && denied.kind == FailureType::PermissionError => {
            StepError::Refused(Failure {
                message: format!(
                    "{}; the deploy role reads the repositories of its own stack only: add this \
                     one to `OtherRepositoryArns` of the stack, or correct `image`",
                    denied.message
                ),
                ..denied
            })
        }
        other => other,
    }
}

fn check_architecture(
    checks: &mut Checks,
    FoundImage { image, kind }: FoundImage,
    base: &TaskDefinition,
) -> Result<(), StepError> {
    let at = (NEW, "architecture");
    let fit = kind
        .map_err(StepError::from)
        .and_then(|kind| Ok(fit(&image, &kind, base.architecture())?));

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

/// How an image fits the architecture that the base names. Refuses one that is built for others.
fn fit(
    image: &ImageReference,
    kind: &ManifestKind,
    wanted: Option<&'static str>,
) -> Result<Fit, Failure> {
    let Some(wanted) = wanted else {
        let why = "the base names none, so the instances decide";
        return Ok(Fit::Unknown(why.to_owned()));
    };

    if let Some(others) = kind.built_for_others(wanted) {
        return Err(Failure::configuration(format!(
            "image {image} is built for {}; expected {wanted}, the architecture of the task \
             definition; build the image for it, or change `runtimePlatform`",
            others.join(", ")
        )));
    }

    match kind {
        ManifestKind::Index(_) => Ok(Fit::Known(wanted)),
        ManifestKind::Image => Ok(Fit::Unknown(format!(
            "expected {wanted}, but the manifest of an image for one architecture does not name \
             it, and its configuration is not read"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_read_under_a_deploy_role_may_be_of_another_repository() {
        let refused = |kind: FailureType| StepError::Refused(Failure::new(kind, "refused"));
        let cause = |kind: FailureType, has_role: bool| {
            let found = unread(refused(kind), has_role);
            found.cause().to_owned()
        };

        let named = "refused; the deploy role reads the repositories of its own stack only: add \
                     this one to `OtherRepositoryArns` of the stack, or correct `image`";
        assert_eq!(cause(FailureType::PermissionError, true), named);
        assert_eq!(cause(FailureType::PermissionError, false), "refused");
        assert_eq!(cause(FailureType::ConfigurationError, true), "refused");
    }

    #[test]
    fn an_image_fits_one_of_its_architectures_and_may_list_none() {
        let image = ImageReference::parse("web:1").expect("an image");
        let index = |listed: &[&str]| {
            let listed = listed.iter().map(|&one| one.to_owned());
            ManifestKind::Index(listed.collect())
        };
        let fits = |kind: &ManifestKind| fit(&image, kind, Some("amd64"));

        assert_eq!(fits(&index(&["arm64", "amd64"])), Ok(Fit::Known("amd64")));
        let unknown = "expected amd64, but the manifest of an image for one architecture does not \
                       name it, and its configuration is not read";
        assert_eq!(
            fits(&ManifestKind::Image),
            Ok(Fit::Unknown(unknown.to_owned()))
        );
        assert_eq!(
            fits(&index(&["arm64", "arm"])),
            Err(Failure::configuration(
                "image web:1 is built for arm64, arm; expected amd64, the architecture of the \
                 task definition; build the image for it, or change `runtimePlatform`"
            ))
        );

        let undecided = "the base names none, so the instances decide".to_owned();
        for kind in [index(&["arm64"]), ManifestKind::Image] {
            assert_eq!(
                fit(&image, &kind, None),
                Ok(Fit::Unknown(undecided.clone()))
            );
        }
    }
}
