//! Proof, before anything is changed, that the prior release can be restored: its images can still
//! be pulled, and its roles may be passed to its tasks.
//!
//! Only what is certain refuses a release: images of other accounts and regions are not read, and
//! neither is what has never run. A revision that was deregistered is registered again when it is
//! restored.

use slipway::aws::{NotPullable, ObservedService};
use slipway::image::ImageReference;
use slipway::job::{Checks, Failure, Job, StepError};
use slipway::observed::service::{ServiceView, family, revision};
use slipway::release::PriorPair;
use slipway::task_definition::{ROLE_PATH, TaskDefinition, container_images};

use crate::preflight::PRIOR;
use crate::target::FoundTarget;
use crate::{BeginRelease, Parameters};

/// What is known of roles that a deploy role may pass.
pub(crate) const LISTED_ROLES: &str =
    "TaskRoleArns of the pipeline's stack has those that may be passed";

/// What a release will return to: the revision that a service, or the idle colour, runs.
struct PriorRevision<'a> {
    /// Cluster and service.
    service: (&'a str, &'a str),
    /// Whether the service is the idle colour of a pair.
    is_idle: bool,
    live: &'a ServiceView,
    arn: &'a str,
    definition: &'a TaskDefinition,
}

/// The rollout that was planned: from the revision that runs to the base of the next one.
pub(crate) struct PlannedRollout {
    pub(crate) arn: String,
    pub(crate) current: TaskDefinition,
    pub(crate) base: TaskDefinition,
    /// What the rollout may have to wait for.
    pub(crate) warning: Option<String>,
}

impl BeginRelease {
    /// Refuses a release that could not be rolled back to the live revision. Returns what the
    /// rollout or its rollback may have to wait for.
    pub(crate) async fn prove_restorable(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        target: &FoundTarget,
        rollout: PlannedRollout,
    ) -> Result<Option<String>, StepError> {
        let PlannedRollout {
            arn, current, base, ..
        } = &rollout;
        let seen = target.live();
        let prior = PriorRevision {
            service: seen.name(),
            is_idle: false,
            live: &seen.view,
            arn,
            definition: current,
        };

        if let FoundTarget::Pair {
            idle, prior: pair, ..
        } = target
        {
            let families = check_families(pair, seen.name(), idle.name().1);
            checks.take((PRIOR, "families"), families, |()| "differ".to_owned())?;
        }
        self.prove_roles(checks, target, &prior, base).await?;

        let images = self
            .prove_images(&prior, base, &job.parameters.containers)
            .await;
        let images = checks.take((PRIOR, "images"), images, |_| "restorable".to_owned())?;
        let mut warnings = images.unwrap_or_default();
        warnings.extend(rollout.warning);
        Ok((!warnings.is_empty()).then(|| warnings.join("; ")))
    }

    /// Refuses a release whose rollback may not pass the roles of the prior release. The pipeline
    /// of a deploy role states which may be passed, whatever their path.
    async fn prove_roles(
        &self,
        checks: &mut Checks,
        target: &FoundTarget,
        prior: &PriorRevision<'_>,
        base: &TaskDefinition,
    ) -> Result<(), StepError> {
        let at = (PRIOR, "roles");
        if self.sdk.deploy_role().is_some() {
            checks.skip(at, LISTED_ROLES);
            return Ok(());
        }

        let roles = match target {
            FoundTarget::Service(_) => check_roles(prior, base).map_err(StepError::from),
            FoundTarget::Pair {
                idle, prior: pair, ..
            } => self.prove_idle(pair, idle, base).await,
        };
        checks.take(at, roles, |()| "may be passed".to_owned())?;
        Ok(())
    }

    /// Refuses a release of a pair whose rollback may not deploy what the idle colour ran. A
    /// revision that was deregistered is not deployed.
    async fn prove_idle(
        &self,
        pair: &PriorPair,
        idle: &ObservedService,
        base: &TaskDefinition,
    ) -> Result<(), StepError> {
        let arn = &pair.of(pair.idle()).task_definition;
        let Some((_, definition)) = self.task_definitions.describe(arn).await? else {
            return Ok(());
        };
        let prior = PriorRevision {
            service: idle.name(),
            is_idle: true,
            live: &idle.view,
            arn,
            definition: &definition,
        };

        let Err(refusal) = check_roles(&prior, base) else {
            return Ok(());
        };
        if self.task_definitions.is_active(arn).await? {
            return Err(refusal.into());
        }
        Ok(())
    }

    /// Refuses a release of a service that runs images which can no longer be pulled. An image that
    /// the release leaves as it is may come from a pull through cache, which imports it when it is
    /// missing: that is a warning.
    async fn prove_images(
        &self,
        prior: &PriorRevision<'_>,
        base: &TaskDefinition,
        replaced: &[String],
    ) -> Result<Vec<String>, StepError> {
        let mut warnings = Vec::new();
        if prior.live.desired == 0 || !has_completed(prior.live, prior.arn) {
            return Ok(warnings);
        }

        for container in container_images(prior.definition) {
            let image = ImageReference::parse(&container.1).ok();
            let Some(image) = image.filter(|image| is_beside(prior.arn, image)) else {
                continue;
            };

            match self.images.not_pullable(&image).await? {
                Some(NotPullable::Missing) if is_kept(&container, base, replaced) => {
                    warnings.push(missing(prior.arn, &container));
                }
                Some(why) => return Err(unrestorable(prior, &container, &why).into()),
                None => {}
            }
        }
        Ok(warnings)
    }
}

/// Refuses a release whose rollback may not pass the roles of a prior release to tasks: it deploys
/// that revision again. Of a pair that is the idle colour's; the live one is deployed by no
/// rollback. A role that the base has as well is proven by the registration.
fn check_roles(prior: &PriorRevision<'_>, base: &TaskDefinition) -> Result<(), Failure> {
    let kept: Vec<_> = base.roles_outside_path().collect();
    let mut roles = prior.definition.roles_outside_path();
    let role = roles.find(|role| !kept.contains(role));
    let Some((field, role)) = role.filter(|_| has_completed(prior.live, prior.arn)) else {
        return Ok(());
    };

    let (cluster, service) = prior.service;
    let (of, to) = if prior.is_idle {
        (format!(" of the idle colour `{service}`"), " to it")
    } else {
        (String::new(), "")
    };
    Err(Failure::configuration(format!(
        "the prior release {}{of} cannot be restored: `{field}` is {role}; expected a role under \
         the path {ROLE_PATH}; deploy a revision with such roles{to} first: aws ecs update-service \
         --cluster {cluster} --service {service} --task-definition <family:revision>",
        revision(prior.arn)
    )))
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

fn unrestorable(
    prior: &PriorRevision<'_>,
    (container, image): &(String, String),
    why: &NotPullable,
) -> Failure {
    let (found, remedy) = match why {
        NotPullable::Missing => ("missing in Amazon ECR", "push it again".to_owned()),
        NotPullable::Archived(restore) => ("archived", format!("restore it: {restore}")),
    };
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

    fn deployment(rollout: Rollout) -> DeploymentView {
        DeploymentView {
            id: "ecs-svc/1".to_owned(),
            primary: true,
            task_definition: ARN.to_owned(),
            rollout,
            reason: String::new(),
            desired: 2,
            running: 2,
            pending: 0,
            failed_tasks: 0,
        }
    }

    #[test]
    fn only_images_of_the_same_account_and_region_are_read() {
        let own = |image: &str| is_beside(ARN, &ImageReference::parse(image).expect("an image"));

        assert!(own("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1"));
        assert!(!own("444455556666.dkr.ecr.eu-west-1.amazonaws.com/web:1"));
        assert!(!own("111122223333.dkr.ecr.us-east-1.amazonaws.com/web:1"));
        assert!(!own("nginx:1"));
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
    fn roles_that_may_not_be_passed_refuse_what_has_run() {
        let role = "arn:aws:iam::111122223333:role/web-execution";
        let definition = TaskDefinition::from_value(json!({
            "family": "web", "executionRoleArn": role,
            "containerDefinitions": [{"name": "app", "image": "web:1"}],
        }))
        .expect("a task definition");
        let other = self::definition(&[("app", "web:2")]);
        let checked = |rollout: Rollout, base: &TaskDefinition, is_idle: bool| {
            let live = ServiceView {
                deployments: vec![deployment(rollout)],
                ..service()
            };
            let prior = PriorRevision {
                service: ("apps", "web"),
                is_idle,
                live: &live,
                arn: ARN,
                definition: &definition,
            };
            check_roles(&prior, base)
        };

        assert_eq!(checked(Rollout::InProgress, &other, false), Ok(()));
        assert_eq!(
            checked(Rollout::Completed, &definition, false),
            Ok(()),
            "the registration proves it"
        );
        for (is_idle, of, to) in [
            (false, "", ""),
            (true, " of the idle colour `web`", " to it"),
        ] {
            assert_eq!(
                checked(Rollout::Completed, &other, is_idle),
                Err(Failure::configuration(format!(
                    "the prior release web:1{of} cannot be restored: `executionRoleArn` is \
                     {role}; expected a role under the path /slipway/; deploy a revision with \
                     such roles{to} first: aws ecs update-service --cluster apps --service web \
                     --task-definition <family:revision>"
                )))
            );
        }
    }

    #[test]
    fn what_cannot_be_pulled_is_named_with_the_command_that_gets_out_of_it() {
        let live = service();
        let definition = definition(&[("app", "web:1")]);
        let prior = PriorRevision {
            service: ("apps", "web"),
            is_idle: false,
            live: &live,
            arn: ARN,
            definition: &definition,
        };
        let app = ("app".to_owned(), "web:1".to_owned());
        let expected = |found: &str, remedy: &str| {
            Failure::configuration(format!(
                "the prior release web:1 cannot be restored: the image of container `app` is \
                 web:1, which is {found}; expected an image that can be pulled; {remedy}; or \
                 deploy a revision whose images exist: aws ecs update-service --cluster apps \
                 --service web --task-definition <family:revision>"
            ))
        };

        assert_eq!(
            unrestorable(&prior, &app, &NotPullable::Missing),
            expected("missing in Amazon ECR", "push it again")
        );
        assert_eq!(
            unrestorable(&prior, &app, &NotPullable::Archived("aws ecr …".to_owned())),
            expected("archived", "restore it: aws ecr …")
        );
    }
}
