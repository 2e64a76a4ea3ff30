//! Proof, before anything is changed, that the prior release can be restored: its images can still
//! be pulled. That its roles may be passed to its tasks is proven in `passing`.
//!
//! Only what is certain refuses a release: what has never run is not read, to return to no tasks
//! needs no image, and an image of another account or region may be one that only its tasks can
//! read. A revision that was deregistered is registered again when it is restored.

use slipway::image::ImageReference;
use slipway::job::{Checks, Failure, Job, StepError};
use slipway::observed::image::NotPullable;
use slipway::observed::service::{ServiceView, family, revision};
use slipway::release::PriorPair;
use slipway::task_definition::{TaskDefinition, container_images};

use crate::check_groups::PRIOR;
use crate::target::FoundTarget;
use crate::{BeginRelease, Parameters};

/// What a release will return to: the revision that a service runs.
struct PriorRevision<'a> {
    /// Cluster and service.
    service: (&'a str, &'a str),
    live: &'a ServiceView,
    arn: &'a str,
    definition: &'a TaskDefinition,
}

/// What was found of the images of a prior revision.
#[derive(Default)]
struct PriorImages {
    warnings: Vec<String>,
    /// Images that could not be read, with the reason.
    unread: Vec<String>,
    /// The warnings about those of them that the release replaces.
    unproven: Vec<String>,
}

/// The rollout that was planned: from the revision that runs to the base of the next one.
pub(crate) struct PlannedRollout {
    pub(crate) arn: String,
    pub(crate) current: TaskDefinition,
    pub(crate) base: TaskDefinition,
    /// The image by its digest; none if it is not given, or refused.
    pub(crate) image: Option<ImageReference>,
    /// What the rollout may have to wait for.
    pub(crate) warning: Option<String>,
}

impl BeginRelease {
    /// Refuses a release that could not be rolled back to the live revision. Returns what the
    /// rollout or its rollback may have to wait for, and whether the roles are still to be proven.
    pub(crate) async fn prove_restorable(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        target: &FoundTarget,
        rollout: PlannedRollout,
    ) -> Result<(Option<String>, bool), StepError> {
        let seen = target.live();
        if let FoundTarget::Pair {
            idle, prior: pair, ..
        } = target
        {
            let families = check_families(pair, seen.name(), idle.name().1);
            checks.take((PRIOR, "families"), families, |()| "differ".to_owned())?;
        }
        let passing = self.check_passing(checks, target, &rollout).await?;

        let PlannedRollout {
            arn,
            current,
            base,
            warning,
            ..
        } = rollout;
        let prior = PriorRevision {
            service: seen.name(),
            live: &seen.view,
            arn: &arn,
            definition: &current,
        };
        let images = self
            .prove_images(&prior, &base, &job.parameters.containers)
            .await;
        let mut warnings = take_images(checks, images)?;
        warnings.extend(passing.warning().filter(|_| !checks.is_dry_run()));
        warnings.extend(warning);
        let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
        Ok((warning, passing.is_to_be_proven()))
    }

    /// Refuses a release of a service that runs images which can no longer be pulled. An image that
    /// the release leaves as it is may come from a pull through cache, which imports it when it is
    /// missing: that is a warning.
    async fn prove_images(
        &self,
        prior: &PriorRevision<'_>,
        base: &TaskDefinition,
        replaced: &[String],
    ) -> Result<PriorImages, StepError> {
        let mut found = PriorImages::default();
        if !prior.live.has_completed(prior.arn) {
            return Ok(found);
        }

        for container in container_images(prior.definition) {
            let Ok(image) = ImageReference::parse(&container.1) else {
                continue;
            };

            match self.images.not_pullable(&image).await {
                Ok(Some(NotPullable::Missing)) if is_kept(&container, base, replaced) => {
                    found.warnings.push(missing(prior.arn, &container));
                }
                Ok(Some(why)) if prior.live.desired == 0 => {
                    found.warnings.push(without_tasks(prior, &container, &why));
                }
                Ok(Some(why)) => return Err(unrestorable(prior, &container, &why).into()),
                Ok(None) => {}
                // Its tasks may read it where the release may not.
                Err(error) if prior.live.desired == 0 || !is_beside(prior.arn, &image) => {
                    let unread = unread(prior.arn, &container, &error);
                    if !is_kept(&container, base, replaced) {
                        found.unproven.push(format!("warning: {unread}"));
                    }
                    found.unread.push(unread);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// Adds the check of the images, and returns the warnings.
fn take_images(
    checks: &mut Checks,
    images: Result<PriorImages, StepError>,
) -> Result<Vec<String>, StepError> {
    let at = (PRIOR, "images");
    match images {
        Ok(PriorImages {
            mut warnings,
            unread,
            unproven,
        }) if !unread.is_empty() => {
            checks.skip(at, unread.join("; "));
            if !checks.is_dry_run() {
                warnings.extend(unproven);
            }
            Ok(warnings)
        }
        other => {
            let images = checks.take(at, other, |_| "restorable".to_owned())?;
            Ok(images.map(|images| images.warnings).unwrap_or_default())
        }
    }
}

/// The new revision is registered in the idle colour's family before it is approved. In a common
/// family it would be the live colour's newest revision, which a stack update deploys.
fn check_families(pair: &PriorPair, live: (&str, &str), idle: &str) -> Result<(), Failure> {
    let of = |colour| family(&pair.of(colour).task_definition);
    let (common, other) = (of(pair.live), of(pair.idle()));
    if common != other {
        return Ok(());
    }

    let (cluster, live) = live;
    Err(Failure::configuration(format!(
        "services `{live}` and `{idle}` both run family `{common}`; expected a family of its own \
         for each; register the definition in another family and deploy it to the idle colour: aws \
         ecs update-service --cluster {cluster} --service {idle} --task-definition \
         <family:revision>"
    )))
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

/// Whether a release leaves a container's image as it is. Without the names of those that get new
/// images it may replace each.
fn is_kept(container: &(String, String), base: &TaskDefinition, replaced: &[String]) -> bool {
    !replaced.is_empty()
        && !replaced.contains(&container.0)
        && container_images(base).contains(container)
}

fn missing(arn: &str, (container, image): &(String, String)) -> String {
    format!(
        "warning: the image of container `{container}` of the prior release {} is {image}, which \
         is missing in Amazon ECR; its tasks can start only if a pull through cache imports it",
        revision(arn)
    )
}

/// Nothing is pulled to return to no tasks, but the service may have some at the first change.
fn without_tasks(
    prior: &PriorRevision<'_>,
    (container, image): &(String, String),
    why: &NotPullable,
) -> String {
    let (found, remedy) = why.explained(image);
    format!(
        "warning: the image of container `{container}` of the prior release {} is {image}, which \
         is {found}; a rollback can return to its 0 tasks, and to no more; {remedy}",
        revision(prior.arn)
    )
}

fn unread(arn: &str, (container, image): &(String, String), error: &StepError) -> String {
    format!(
        "the image of container `{container}` of the prior release {} is {image}, and whether it \
         can be pulled could not be read: {}",
        revision(arn),
        error.cause()
    )
}

fn unrestorable(
    prior: &PriorRevision<'_>,
    (container, image): &(String, String),
    why: &NotPullable,
) -> Failure {
    let (found, remedy) = why.explained(image);
    let (cluster, service) = prior.service;

    Failure::configuration(format!(
        "the prior release {} cannot be restored: the image of container `{container}` is {image}, \
         which is {found}; expected an image that can be pulled; {remedy}; or deploy a revision \
         whose images exist: aws ecs update-service --cluster {cluster} --service {service} \
         --task-definition <family:revision>",
        revision(prior.arn)
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use slipway::observed::service::{DeploymentView, Rollout};

    use super::*;
    use crate::target::tests::service;

    const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";

    fn definition(images: &[(&str, &str)]) -> TaskDefinition {
        let container = |(name, image): &(&str, &str)| json!({"name": name, "image": image});
        let containers: Vec<_> = images.iter().map(container).collect();
        TaskDefinition::from_value(json!({"family": "web", "containerDefinitions": containers}))
            .expect("a task definition")
    }

    #[test]
    fn images_of_another_account_or_region_are_recognised() {
        let own = |image: &str| is_beside(ARN, &ImageReference::parse(image).expect("an image"));

        assert!(own("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1"));
        assert!(!own("444455556666.dkr.ecr.eu-west-1.amazonaws.com/web:1"));
        assert!(!own("111122223333.dkr.ecr.us-east-1.amazonaws.com/web:1"));
        assert!(!own("nginx:1"));
    }

    #[test]
    fn a_revision_has_run_if_a_deployment_of_its_own_is_completed() {
        let has_run = |task_definition: &str, rollout| {
            let deployment = DeploymentView {
                id: "ecs-svc/1".to_owned(),
                primary: true,
                task_definition: task_definition.to_owned(),
                rollout,
                reason: String::new(),
                desired: 2,
                running: 2,
                pending: 0,
                failed_tasks: 0,
            };
            let live = ServiceView {
                deployments: vec![deployment],
                ..service()
            };
            live.has_completed(ARN)
        };

        assert!(has_run(ARN, Rollout::Completed));
        assert!(!has_run(ARN, Rollout::InProgress) && !has_run(ARN, Rollout::Failed));
        assert!(!has_run(&ARN.replace("web:1", "web:2"), Rollout::Completed));
    }

    #[test]
    fn an_image_is_kept_if_the_base_has_it_and_another_container_gets_a_new_one() {
        let proxy = ("proxy".to_owned(), "proxy:1".to_owned());
        let base = definition(&[("web", "web:2"), ("proxy", "proxy:1")]);
        let kept = |base: &TaskDefinition, replaced: &[&str]| {
            let replaced: Vec<String> = replaced.iter().map(|name| (*name).to_owned()).collect();
            is_kept(&proxy, base, &replaced)
        };

        assert!(kept(&base, &["web"]));
        assert!(!kept(&base, &["web", "proxy"]));
        assert!(!kept(&base, &[]));
        assert!(!kept(&definition(&[("proxy", "proxy:2")]), &["web"]));
        assert!(!kept(&definition(&[("web", "web:2")]), &["web"]));
    }

    #[test]
    fn an_image_that_could_not_be_read_is_certain_neither_way() {
        let container = ("proxy".to_owned(), "proxy:1".to_owned());
        let error = StepError::Busy("no response in time; retrying".to_owned());
        let images = || PriorImages {
            warnings: vec!["warning".to_owned()],
            unread: vec![unread(ARN, &container, &error)],
            unproven: vec!["unproven".to_owned()],
        };

        let warned = take_images(&mut Checks::preflight(), Ok(images()));
        let expected = ["warning", "unproven"].map(ToOwned::to_owned);
        assert_eq!(warned, Ok(expected.to_vec()));

        // A dry run has the check.
        let mut checks = Checks::dry_run("apps/web");
        let warned = take_images(&mut checks, Ok(images()));
        assert_eq!(warned, Ok(vec!["warning".to_owned()]));
        let reason = "the image of container `proxy` of the prior release web:1 is proxy:1, and \
                      whether it can be pulled could not be read: no response in time";
        assert_eq!(
            checks.tree()["checks"][0]["checks"][0],
            json!({"name": "images", "state": "SKIP", "reason": reason})
        );
    }

    #[test]
    fn what_cannot_be_pulled_is_named_with_the_command_that_gets_out_of_it() {
        let live = service();
        let definition = definition(&[("app", "web:1")]);
        let prior = PriorRevision {
            service: ("apps", "web"),
            live: &live,
            arn: ARN,
            definition: &definition,
        };
        let app = ("app".to_owned(), "web:1".to_owned());
        let pinned = ("app".to_owned(), "web@sha256:00".to_owned());
        let expected = |image: &str, found: &str, remedy: &str| {
            Failure::configuration(format!(
                "the prior release web:1 cannot be restored: the image of container `app` is \
                 {image}, which is {found}; expected an image that can be pulled; {remedy}; or \
                 deploy a revision whose images exist: aws ecs update-service --cluster apps \
                 --service web --task-definition <family:revision>"
            ))
        };

        let missing = "missing in Amazon ECR";
        let pull = "push it again, or let a pull through cache import it: docker pull web:1";
        assert_eq!(
            unrestorable(&prior, &app, &NotPullable::Missing),
            expected("web:1", missing, pull)
        );
        assert_eq!(
            unrestorable(&prior, &pinned, &NotPullable::Missing),
            expected("web@sha256:00", missing, "push it again")
        );
        assert_eq!(
            unrestorable(&prior, &app, &NotPullable::Archived("aws ecr …".to_owned())),
            expected("web:1", "archived", "restore it: aws ecr …")
        );
    }
}
