//! What a release leaves running when it ends, by its outcome.
//!
//! Never guesses: of a release that failed after a change nothing is known.

use super::{LeftRunning, Outcome, Release, Target};
use crate::timestamp::Timestamp;

/// What is left once a release of this service or pair has ended, given what was left before it. A
/// release that was superseded leaves that, and so does one that failed without a change.
pub(super) fn left_after(
    (name, release): (&str, &Release),
    outcome: Outcome,
    now: Timestamp,
    before: Option<Box<LeftRunning>>,
) -> Option<Box<LeftRunning>> {
    let Some(target) = release.target() else {
        return before;
    };
    match outcome {
        Outcome::Superseded => return before,
        Outcome::Failed => return before.filter(|_| !release.has_announced_change()),
        Outcome::Deployed | Outcome::Unchanged | Outcome::RolledBack | Outcome::Held => {}
    }

    let (service, serves_new) = serving((name, target), outcome);
    let change = target.change().filter(|_| serves_new);
    let revision = change.map(|change| change.task_definition.as_str());
    let revision = revision.unwrap_or(target.prior_task_definition());
    Some(Box::new(LeftRunning {
        execution: release.execution.clone(),
        service,
        task_definition: revision.to_owned(),
        deployment: change.and_then(|change| change.deployment.clone()),
        began_at: release.began_at,
        ended_at: now,
        deploy_role: release.deploy_role.clone(),
        drift: None,
    }))
}

/// The service that serves, of a pair that of its live colour, and whether it is what the release
/// deployed.
fn serving((name, target): (&str, &Target), outcome: Outcome) -> (String, bool) {
    let is_deployed = outcome == Outcome::Deployed;
    match target {
        Target::Service(_) => (name.to_owned(), is_deployed),
        Target::Pair(pair) => {
            let is_shifted = is_deployed && pair.shift.is_some();
            let prior = &pair.prior;
            let live = if is_shifted { prior.idle() } else { prior.live };
            (prior.services(name).of(live).clone(), is_shifted)
        }
    }
}
