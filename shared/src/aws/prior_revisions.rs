//! Revisions that a rollback deploys, as they are now: whether they and their images still exist.

use super::{Images, Sdk, TaskDefinitions};
use crate::image::ImageReference;
use crate::job::StepError;
use crate::observed::image::NotDeployable;
use crate::observed::service::ServiceView;
use crate::strategy::restorable;
use crate::task_definition::container_images;
use crate::timestamp::Timestamp;

#[derive(Clone, Debug)]
pub struct PriorRevisions {
    task_definitions: TaskDefinitions,
    images: Images,
}

impl PriorRevisions {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            task_definitions: TaskDefinitions::new(sdk),
            images: Images::new(sdk),
        }
    }

    /// Proves once more, before the first change, that a rollback could deploy the revision `prior`
    /// of the service in `view`, if that was proven long ago: when it was recorded. `new` is the
    /// revision that replaces it.
    ///
    /// # Errors
    /// If it could not be deployed, and if a revision or an image cannot be read, unless AWS refuses
    /// to show the image.
    pub async fn prove_again(
        &self,
        prior: &str,
        recorded_at: Timestamp,
        view: &ServiceView,
        new: &str,
    ) -> Result<(), StepError> {
        if restorable::is_due(prior, recorded_at, view) {
            // Boxed: the SDK's futures are deep.
            let found = Box::pin(self.not_deployable(prior, new)).await?;
            restorable::check(prior, found)?;
        }
        Ok(())
    }

    /// Why the revision `prior` could not be deployed again; `None` if nothing proves it. What the
    /// revision `new` has too is not read: its own tasks pull that.
    async fn not_deployable(
        &self,
        prior: &str,
        new: &str,
    ) -> Result<Option<NotDeployable>, StepError> {
        let Some((_, definition)) = self.task_definitions.describe(prior).await? else {
            return Ok(Some(NotDeployable::Revision));
        };
        let new = self.task_definitions.describe(new).await?;
        let kept = new.map_or_else(Vec::new, |(_, new)| container_images(&new));

        let mut replaced = container_images(&definition);
        replaced.retain(|image| !kept.contains(image));
        for (container, image) in replaced {
            let Ok(reference) = ImageReference::parse(&image) else {
                continue;
            };
            match self.images.not_pullable(&reference).await {
                Ok(None) => {}
                Ok(Some(why)) => {
                    return Ok(Some(NotDeployable::Image {
                        container,
                        image,
                        why,
                    }));
                }
                // Its tasks may read it where the release may not.
                Err(StepError::Refused(refused)) => {
                    tracing::warn!(%image, %refused, "not known to be there");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
