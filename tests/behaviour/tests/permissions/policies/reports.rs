//! What an operator can read of a release, and whether it names a permission that is missing.

use emulator::Aws;
use emulator::codepipeline::ReportContent;
use emulator::iam::Denial;
use emulator::lambda::Outcome;
use invariants::ledger_reader::{ledger, text};

use super::Permission;

/// Everything that an operator can read: how jobs, actions and stacks failed, and the errors of
/// functions in their logs.
pub(super) fn reports(aws: &Aws) -> Vec<(&str, &str)> {
    let jobs = aws
        .codepipeline
        .jobs
        .iter()
        .flat_map(|job| &job.reports)
        .filter_map(|report| match &report.content {
            ReportContent::Failure { kind, message } => Some((kind.as_str(), message.as_str())),
            ReportContent::Success { .. } => None,
        });
    let stages = aws
        .codepipeline
        .executions
        .iter()
        .flat_map(|execution| &execution.stages);
    let actions = stages
        .flat_map(|stage| &stage.actions)
        .filter_map(|action| action.error.as_ref());
    let actions = actions.map(|error| (error.code.as_str(), error.message.as_str()));
    let attempts = aws
        .lambda
        .invocations
        .iter()
        .flat_map(|invocation| &invocation.attempts);
    let errors = attempts.filter_map(|attempt| match &attempt.outcome {
        Some(Outcome::Failed(message)) => Some(("function", message.as_str())),
        _ => None,
    });
    let stacks = aws.cloudformation.stacks();
    let stacks = stacks.filter_map(|stack| Some(("stack", stack.why_failed()?)));
    jobs.chain(actions).chain(errors).chain(stacks).collect()
}

/// The kind of failure by which an operator learns that the permission is missing: role, action and
/// a resource for which it was denied.
pub(super) fn learned(aws: &Aws, missing: &Permission) -> Option<String> {
    let Permission { role, action, .. } = missing;
    let denials = aws.iam.denials.iter();
    let places: Vec<String> = denials
        .filter(|denial| denial.role == *role && denial.action == *action)
        .flat_map(|Denial { resource, .. }| {
            [
                format!("resource: {resource}"),
                format!("resource: \"{resource}\""),
                format!("resource {resource}"),
            ]
        })
        .collect();
    let names = |message: &str| {
        message.contains(action)
            && message.contains(role)
            && places.iter().any(|place| message.contains(place))
    };

    let reported = reports(aws)
        .into_iter()
        .find(|(_, message)| names(message))
        .map(|(kind, _)| kind.to_owned());
    let is_recorded = || {
        ledger(aws)
            .iter()
            .filter_map(|item| text(item, "reason"))
            .any(names)
    };
    reported.or_else(|| is_recorded().then(|| "record".to_owned()))
}
