//! Proof, before anything is changed, that the prior release can be restored: its images can still
//! be pulled.
//!
//! Only what is certain refuses a release: images of other accounts and regions are not read, and
//! neither is what has never run. A revision that was deregistered is registered again when it is
//! restored.

use slipway::image::ImageReference;
use slipway::job::{Failure, FailureType, StepError};
use slipway::observed::service::{ServiceView, revision};
use slipway::task_definition::{TaskDefinition, container_images};

use crate::BeginRelease;

impl BeginRelease {
    /// Refuses a release of a service that runs images which can no longer be pulled.
    pub(crate) async fn prove_restorable(
        &self,
        live: &ServiceView,
        arn: &str,
        definition: &TaskDefinition,
    ) -> Result<(), StepError> {
        if live.desired == 0 || !has_completed(live, arn) {
            return Ok(());
        }

        for (container, image) in container_images(definition) {
            let own = ImageReference::parse(&image)
                .ok()
                .filter(|image| is_beside(arn, image));
            if let Some(image) = own {
                let found = self.images.resolve(&image).await;
                found.map_err(|error| unrestorable(arn, &container, error))?;
            }
        }
        Ok(())
    }
}

/// Whether a revision has run: a deployment of it is completed.
fn has_completed(live: &ServiceView, arn: &str) -> bool {
    let mut deployments = live.deployments.iter();
    deployments.any(|deployment| deployment.task_definition == arn && live.is_completed(deployment))
}

/// Whether an image is in Amazon ECR of the account and region of a task definition.
fn is_beside(arn: &str, image: &ImageReference) -> bool {
    let mut parts = arn.split(':').skip(3);
    let place = (parts.next(), parts.next());
    image.ecr().is_some_and(|repository| {
        let (region, account) = (&repository.region, &repository.registry_id);
        place == (Some(region.as_str()), Some(account.as_str()))
    })
}

fn unrestorable(arn: &str, container: &str, error: StepError) -> StepError {
    match error {
        StepError::Failed(failure) if failure.kind == FailureType::RevisionUnavailable => {
            Failure::configuration(format!(
                "the prior release {} cannot be restored: container `{container}`: {}",
                revision(arn),
                failure.message
            ))
            .into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";

    #[test]
    fn only_images_of_the_same_account_and_region_are_read() {
        let own = |image: &str| is_beside(ARN, &ImageReference::parse(image).expect("an image"));

        assert!(own("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1"));
        assert!(!own("444455556666.dkr.ecr.eu-west-1.amazonaws.com/web:1"));
        assert!(!own("111122223333.dkr.ecr.us-east-1.amazonaws.com/web:1"));
        assert!(!own("nginx:1"));
    }

    #[test]
    fn an_image_that_is_not_there_is_named_with_the_prior_release() {
        let missing = Failure::new(FailureType::RevisionUnavailable, "image web:1 is not there");
        let expected = Failure::configuration(
            "the prior release web:1 cannot be restored: container `app`: image web:1 is not there",
        );
        assert_eq!(
            unrestorable(ARN, "app", missing.into()),
            StepError::Failed(expected)
        );

        let other = StepError::Failed(Failure::new(FailureType::PermissionError, "denied"));
        assert_eq!(unrestorable(ARN, "app", other.clone()), other);
    }
}
