//! The rollback of one service: its recorded definition, count and percentages restored, then
//! proven.
//!
//! Everything here is pure. A definition or a count that another writer chose is never overwritten.

use std::time::Duration;

use crate::observed::percentages::Percentages;
use crate::observed::service::{Rollout, ServiceView, revision};
use crate::release::{Conclusion, Outcome, Release, ServiceTarget};
use crate::strategy::ending::Ending;
use crate::strategy::rollback::{Ladder, Next, Restoration, Success, cause, may_be_old};
use crate::timestamp::Timestamp;

/// One change of a service on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceChange {
    /// Restore the recorded definition and count, with these percentages.
    Restore(Percentages),
    /// Give the service its recorded percentages, and leave what it runs and how many.
    GiveBack(Percentages),
}

/// Decides what is left to do on `view`, which only this rollback writes to. The next release would
/// record percentages of this one as those of the service: they are given back before the close.
#[must_use]
pub fn restoration(
    release: &Release,
    service: &ServiceTarget,
    ending: Ending,
    view: &ServiceView,
    now: Timestamp,
) -> Restoration<ServiceChange> {
    let decided = decide(release, service, ending, view, now);
    match (decided, borrowed_percentages(release, service, view)) {
        (Restoration::Close(_), Some(recorded)) => {
            Restoration::Apply(ServiceChange::GiveBack(recorded))
        }
        (decided, _) => decided,
    }
}

fn decide(
    release: &Release,
    service: &ServiceTarget,
    ending: Ending,
    view: &ServiceView,
    now: Timestamp,
) -> Restoration<ServiceChange> {
    if ending == Ending::Succeeded && !release.is_rolling_back() {
        return succeeded(service, view).conclude(release, now);
    }

    let prior = &service.prior;
    let ladder = Ladder {
        release,
        ending,
        goal: revision(&prior.task_definition).to_owned(),
        missing: view.missing(&prior.task_definition, prior.desired_count),
        waited: release
            .rolling_back_since()
            .map_or(Duration::ZERO, |since| now.since(since)),
    };
    // In place there is nothing to undo beside the newer release: it deploys over the same service.
    if ending == Ending::Superseded {
        let reason = format!(
            "{}; the newer one replaces what this one deployed",
            cause(release, ending)
        );
        let conclusion = Conclusion::new(Outcome::Superseded, reason);
        return leave(conclusion, service, view, &ladder);
    }
    if let Some(other) = external_revision(service, view)
        && !ladder.is_overdue()
    {
        let what = format!("{other} was deployed outside this release");
        return leave(ladder.superseded(&what), service, view, &ladder);
    }
    if has_failed_again(service, view) {
        return give_up(service, view, &ladder);
    }

    ladder.decide(next(service, view, &ladder))
}

/// Closes a release that leaves what the service runs. Percentages of the release bound a rollout
/// that is in progress: they are given back once it has ended, or at the deadline.
fn leave(
    conclusion: Conclusion,
    service: &ServiceTarget,
    view: &ServiceView,
    ladder: &Ladder<'_>,
) -> Restoration<ServiceChange> {
    let has_ended = view
        .primary()
        .is_none_or(|primary| primary.rollout == Rollout::Failed || view.is_completed(primary));
    let is_late = ladder.is_overdue();

    if has_ended || is_late || borrowed_percentages(ladder.release, service, view).is_none() {
        return Restoration::Close(conclusion);
    }
    Restoration::Wait(format!(
        "waiting for the end of the rollout, which has the percentages of this release, then {}: \
         {}",
        conclusion.outcome, conclusion.reason
    ))
}

/// The recorded percentages, if a rollback leaves those of its release on the service. Others are
/// another writer's.
fn borrowed_percentages(
    release: &Release,
    service: &ServiceTarget,
    view: &ServiceView,
) -> Option<Percentages> {
    if !release.is_rolling_back() {
        return None;
    }

    let recorded = service.prior.percentages;
    let is_borrowed = has_own_percentages(service, view) && view.percentages != recorded;
    (is_borrowed && view.accepts(recorded)).then_some(recorded)
}

/// Whether the service has percentages that the release or its rollback set.
fn has_own_percentages(service: &ServiceTarget, view: &ServiceView) -> bool {
    service.change.as_ref().is_some_and(|change| {
        let mut own = [change.percentages].into_iter().chain(change.set_before);
        own.any(|own| own == view.percentages)
    })
}

/// Closes a release whose prior release failed again, once the recorded count and percentages are
/// set: what an operator deploys next runs with them.
fn give_up(
    service: &ServiceTarget,
    view: &ServiceView,
    ladder: &Ladder<'_>,
) -> Restoration<ServiceChange> {
    let percentages = view.restored_percentages(service.prior.percentages);
    let differs = count_differs(service, view)
        || view.percentages != percentages
        || early_success_differs(service, view);

    if !differs || ladder.is_overdue() {
        Restoration::Close(ladder.failed_again())
    } else {
        Restoration::Apply(ServiceChange::Restore(percentages))
    }
}

fn next(service: &ServiceTarget, view: &ServiceView, ladder: &Ladder<'_>) -> Next<ServiceChange> {
    let prior = &service.prior;
    let definition_differs = !runs_prior(ladder.release, service, view);
    let percentages = rollback_percentages(service, view);
    // A number of tasks is another percentage of the count that the service has by now.
    let is_behind = has_own_percentages(service, view) && view.percentages != percentages;
    if definition_differs || count_differs(service, view) || is_behind && !ladder.missing.is_empty()
    {
        return Next::Change(ServiceChange::Restore(percentages));
    }
    // The rollback runs with the percentages of the release. The recorded ones are set once it has
    // ended: percentages alone start no deployment.
    let percentages_differ =
        view.percentages != prior.percentages || early_success_differs(service, view);
    if ladder.missing.is_empty() && percentages_differ && view.accepts(prior.percentages) {
        return Next::Change(ServiceChange::Restore(prior.percentages));
    }
    Next::Prove(format!(
        "{} serves again with {} of {} tasks",
        ladder.goal, view.running, view.desired
    ))
}

fn count_differs(service: &ServiceTarget, view: &ServiceView) -> bool {
    restored_count(service, view).is_some_and(|count| count != view.desired)
}

/// Whether early success criteria are others than the recorded ones. What another writer switched
/// on or off stays.
fn early_success_differs(service: &ServiceTarget, view: &ServiceView) -> bool {
    let recorded = service.prior.early_success.zip(view.early_success);
    recorded.is_some_and(|(prior, now)| prior != now)
}

/// Whether a restoration leaves the task definition of the service as it is: it runs the prior
/// release, or has failed to.
#[must_use]
pub fn keeps_definition(release: &Release, service: &ServiceTarget, view: &ServiceView) -> bool {
    runs_prior(release, service, view) || has_failed_again(service, view)
}

/// Whether the service runs the prior release. A read that may be older than the deployment of this
/// release does not show it.
fn runs_prior(release: &Release, service: &ServiceTarget, view: &ServiceView) -> bool {
    let prior = &service.prior;
    view.runs(&prior.task_definition) && !may_be_old(release, prior.found(), view)
}

/// Whether the prior release, which had failed before the release and never ran, was deployed again
/// and failed once more.
fn has_failed_again(service: &ServiceTarget, view: &ServiceView) -> bool {
    let prior = &service.prior;
    let found = prior.found.as_ref().filter(|found| found.failed);
    let is_prior = found.filter(|found| found.task_definition == prior.task_definition);

    let again = is_prior
        .zip(view.primary())
        .is_some_and(|(found, primary)| found.deployment != primary.id);
    again && view.has_failed(&prior.task_definition)
}

/// What the service runs after a release whose pipeline has no `finish-release`.
fn succeeded(service: &ServiceTarget, view: &ServiceView) -> Success {
    let (wanted, outcome) = match &service.change {
        Some(change) => (&change.task_definition, Outcome::Deployed),
        None => (&service.prior.task_definition, Outcome::Unchanged),
    };
    let summary = format!(
        "the service runs {} on {} of {} tasks",
        revision(wanted),
        view.running,
        view.desired
    );

    Success {
        noun: "service",
        outcome,
        missing: view.missing(wanted, 1),
        summary,
    }
}

/// The revision of a PRIMARY deployment that is neither the recorded one nor this release's.
fn external_revision<'a>(service: &ServiceTarget, view: &'a ServiceView) -> Option<&'a str> {
    let primary = view.primary()?;
    let is_recorded = service.prior.found().runs(primary);
    let is_ours = service
        .change
        .as_ref()
        .is_some_and(|change| primary.task_definition == change.task_definition);

    (!is_recorded && !is_ours).then(|| revision(&primary.task_definition))
}

/// The percentages of the rollback's deployment: those that keep what the release promised of the
/// count that the service will have, as long as they let a task move and ECS takes them; else the
/// recorded ones, else those that the service has.
fn rollback_percentages(service: &ServiceTarget, view: &ServiceView) -> Percentages {
    let prior = &service.prior;
    let count = restored_count(service, view).unwrap_or(view.desired);
    let promised = service.change.as_ref().map(|change| {
        let promise = change.promise;
        promise.map_or(change.percentages, |promise| promise.percentages(count))
    });
    let works = |found: &Percentages| found.floor(count) < count || found.ceiling(count) > count;

    let candidates = [promised, Some(prior.percentages), Some(view.percentages)];
    let mut accepted = candidates
        .into_iter()
        .flatten()
        .filter(|found| view.accepts(*found));
    accepted
        .find(works)
        .unwrap_or_else(|| view.restored_percentages(service.prior.percentages))
}

/// The count that a restoration sets: the recorded one if the service has fewer, or still has what
/// this release set. A larger count that another writer chose, such as automatic scaling, is left
/// alone.
#[must_use]
pub fn restored_count(service: &ServiceTarget, view: &ServiceView) -> Option<u32> {
    let prior = &service.prior;
    let set = service
        .change
        .as_ref()
        .and_then(|change| change.desired_count);

    (view.desired < prior.desired_count || set == Some(view.desired)).then_some(prior.desired_count)
}

#[cfg(test)]
mod tests;
