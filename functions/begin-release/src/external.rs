//! Deployments that were started outside Slipway: a release waits for their end, and then names the
//! command that ends one.

use std::time::Duration;

use slipway::job::{Failure, Job, JobReport};
use slipway::limits::{OPEN_DEPLOYMENTS, ROLLOUT_DEADLINE_MINUTES};
use slipway::observed::service::{DeploymentView, Rollout, ServiceView, revision};
use slipway::timestamp::{readable, readable_of};

use crate::Parameters;

/// How long a release waits: as long as a rollout of its own may take.
const LIMIT: Duration = Duration::from_secs(ROLLOUT_DEADLINE_MINUTES as u64 * 60);

/// Waits for a deployment started outside Slipway, if there is a deployment to return to, and for
/// room for the deployments of the release.
pub(crate) fn external_deployment(
    (cluster, service): (&str, &str),
    view: &ServiceView,
    job: &Job<Parameters>,
) -> Result<Option<JobReport>, Failure> {
    let Some(primary) = view.primary() else {
        return Ok(None);
    };
    let Some(before) = to_return_to(view, primary) else {
        return too_many_deployments(service, view, job);
    };

    let waited = job.now.since(job.since);
    let is_late = waited >= LIMIT;
    if is_late && primary.rollout == Rollout::Absent && tasks(before) == 0 {
        return Ok(None);
    }
    let deployment = format!("{} ({})", revision(&primary.task_definition), primary.id);
    if is_late {
        return Err(Failure::configuration(format!(
            "an external deployment of {deployment} has been in progress for more than {}; \
             expected a completed one; wait for it, or return to {before}: aws ecs update-service \
             --cluster {cluster} --service {service} --task-definition {before}; then retry the \
             release",
            readable(waited),
            before = revision(&before.task_definition)
        )));
    }

    let summary = format!(
        "waiting for a deployment started outside Slipway: {deployment}: {}; waited {}",
        view.progress(&primary.task_definition),
        readable_of(waited, LIMIT)
    );
    Ok(Some(JobReport::in_progress(summary, 0)))
}

/// Waits until ECS takes two more deployments: that of the release, and its rollback.
fn too_many_deployments(
    service: &str,
    view: &ServiceView,
    job: &Job<Parameters>,
) -> Result<Option<JobReport>, Failure> {
    // Whether ECS counts those that were COMPLETED is not documented.
    let deployments = view.deployments.iter();
    let open = deployments
        .filter(|one| one.primary || tasks(one) > 0)
        .count();
    if open + 2 <= OPEN_DEPLOYMENTS {
        return Ok(None);
    }

    let waited = job.now.since(job.since);
    if waited < LIMIT {
        let summary = format!(
            "waiting for deployments started outside Slipway: {open} have not ended; waited {}",
            readable_of(waited, LIMIT)
        );
        return Ok(Some(JobReport::in_progress(summary, 0)));
    }
    Err(Failure::configuration(format!(
        "{open} deployments of `{service}` have not ended; expected at most {}, because Amazon \
         ECS takes no more than {OPEN_DEPLOYMENTS}, with that of the release and its rollback; an \
         older one ends with its last task: end the protection of its tasks or stop them, then \
         retry the release",
        OPEN_DEPLOYMENTS - 2
    )))
}

fn tasks(deployment: &DeploymentView) -> u32 {
    deployment.running + deployment.pending
}

/// The deployment that preceded the one in progress. Where ECS shows no rollout state, it is
/// another deployment with tasks. While the service has too few tasks, it can also be one without:
/// it stays listed after it has made room.
fn to_return_to<'view>(
    view: &'view ServiceView,
    primary: &DeploymentView,
) -> Option<&'view DeploymentView> {
    let mut others = view.deployments.iter().filter(|other| !other.primary);

    match primary.rollout {
        Rollout::InProgress => others.find(|other| other.rollout == Rollout::Completed),
        Rollout::Absent if view.is_completed(primary) => None,
        Rollout::Absent if primary.running < view.desired => {
            others.max_by_key(|other| tasks(other))
        }
        Rollout::Absent => others.find(|other| tasks(other) > 0),
        Rollout::Completed | Rollout::Failed => None,
    }
}
