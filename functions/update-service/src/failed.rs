//! What the failure of a rollout reports beyond the decision: how its deployment ended, and why its
//! tasks stopped.
//!
//! It never changes whether the step fails, and never quotes ECS with the values of variables.

use slipway::aws::{AwsError, ObservedService, quotations};
use slipway::job::{Failure, Job, StepError};
use slipway::observed::service_deployment::ServiceDeploymentView;
use slipway::strategy::failure::StepFailureCause;
use slipway::strategy::in_place::deploy::{DeployContext, DeployGoal};
use slipway::strategy::in_place::ended::{awaited, explained, is_unexplained};
use slipway::task_definition::TaskDefinition;

use super::{Parameters, UpdateContext, UpdateService};

/// A deployment that failed.
pub(super) struct Failed<'a> {
    pub(super) goal: &'a DeployGoal,
    pub(super) decided_from: &'a DeployContext<'a>,
    pub(super) failure: Failure,
    pub(super) cause: StepFailureCause,
}

impl UpdateService {
    /// The failure, with how the deployment ended if only its service deployment shows that;
    /// unchanged when that cannot be read.
    pub(super) async fn failed(
        &self,
        context: &UpdateContext<'_>,
        seen: &ObservedService,
        failed: Failed<'_>,
    ) -> StepError {
        let UpdateContext { job, lease, .. } = context;
        let Failed {
            goal,
            decided_from,
            failure,
            cause,
        } = failed;
        let is_rollout = cause == StepFailureCause::Rollout;
        if !(is_rollout && is_unexplained(goal, decided_from)) {
            return self.explain(job, seen, (failure, cause), &[]).await;
        }

        let (cluster, service) = seen.name();
        let began = lease.release.as_ref().map(|release| release.began_at);
        let history = self
            .services
            .service_deployments(cluster, service, began.unwrap_or(job.since))
            .await;
        if let Some(why) = awaited(goal, decided_from, history.as_deref().ok()) {
            return StepError::Busy(why);
        }
        let unexplained = |why: String| Failure {
            message: format!("{}; {why}", failure.message),
            ..failure.clone()
        };

        let failed = match &history {
            Ok(history) => explained(goal, decided_from, history).unwrap_or_else(|| {
                let why = "its service deployments do not show how it ended";
                (unexplained(why.to_owned()), cause)
            }),
            Err(error) => {
                let why = format!("failed to read its service deployments: {error}");
                (unexplained(why), cause)
            }
        };
        self.explain(job, seen, failed, &history.unwrap_or_default())
            .await
    }

    /// The failure, with the reasons why the new tasks stopped; unchanged when they cannot be read.
    async fn explain(
        &self,
        job: &Job<Parameters>,
        seen: &ObservedService,
        (failure, cause): (Failure, StepFailureCause),
        history: &[ServiceDeploymentView],
    ) -> StepError {
        if cause != StepFailureCause::Rollout {
            return failure.into();
        }

        let (cluster, service) = seen.name();
        let task_definition = &job.parameters.task_definition;
        let quoted = quoted(seen.view.texts(), history, &failure.message);
        let reasons = self
            .services
            .stop_reasons(cluster, service, task_definition)
            .await;

        let has_reasons = reasons.as_ref().is_ok_and(|reasons| !reasons.is_empty());
        let definition = if has_reasons || !quoted.is_empty() {
            let described = self.task_definitions.describe(task_definition).await;
            described.map(|found| found.map(|(_, definition)| definition))
        } else {
            Ok(None)
        };

        Failure {
            message: with_stop_reasons(&failure.message, &quoted, &reasons, &definition),
            ..failure
        }
        .into()
    }
}

/// What a message quotes of these texts of ECS, and of the reasons of these service deployments.
fn quoted<'a>(
    texts: impl Iterator<Item = &'a str>,
    history: &'a [ServiceDeploymentView],
    message: &str,
) -> Vec<&'a str> {
    let of_history = history.iter().map(|deployment| deployment.reason.as_str());
    quotations::quoted(texts.chain(of_history), message)
}

/// A message with the reasons why tasks stopped. Quotations of ECS can repeat the command that did
/// not start, so the values of environment variables are redacted. Without the definition these are
/// unknown, and nothing is quoted: the message states why.
pub(super) fn with_stop_reasons(
    message: &str,
    quoted: &[&str],
    reasons: &Result<Vec<String>, AwsError>,
    definition: &Result<Option<TaskDefinition>, AwsError>,
) -> String {
    let message = quotations::redacted(message.to_owned(), quoted, definition);

    match (reasons, definition) {
        (Err(error), _) | (_, Err(error)) => {
            format!("{message}; failed to read why tasks stopped: {error}")
        }
        (Ok(reasons), Ok(Some(_))) if !reasons.is_empty() => {
            let redacted = |reason: &String| quotations::quotation(reason, definition);
            let reasons: Vec<String> = reasons.iter().map(redacted).collect();
            format!("{message}; tasks stopped because: {}", reasons.join(" | "))
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_the_reasons_of_deployments_and_service_deployments_are_quoted() {
        let ended = ServiceDeploymentView {
            revision: "2".to_owned(),
            status: "ROLLBACK_SUCCESSFUL".to_owned(),
            reason: "exec hunter-2: not found".to_owned(),
            tripped: None,
            alarms: Vec::new(),
        };
        let without_reason = ServiceDeploymentView {
            reason: String::new(),
            ..ended.clone()
        };
        let history = [without_reason, ended];
        let texts = || ["an event", "a reason"].into_iter();
        let of = |message: &str| quoted(texts(), &history, message);

        let reason = history[1].failure().expect("it failed");
        let message = format!("ECS rolled the deployment back to web:1: {reason}");
        assert_eq!(of(&message), ["exec hunter-2: not found"]);
        assert_eq!(of("an event; a reason"), ["an event", "a reason"]);
        assert_eq!(of("not steady"), [""; 0]);
    }
}
