//! Service deployments: what a service was deployed to, and how each deployment ended.
//!
//! A rollback by ECS belongs to the service deployment that failed, although DescribeServices lists
//! it as a deployment of its own.

use serde_json::Value;

use crate::text::short_name;
use crate::{Aws, Millis, Quirk};

use super::failure_detection::{self, Detector};
use super::{Deployment, Service};

/// For how long ended service deployments are kept: 90 days.
const KEPT_MS: Millis = 90 * 24 * 3600 * 1000;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[derive(Clone, Debug)]
pub(super) struct ServiceDeployment {
    /// 21 letters.
    pub(super) id: String,
    /// The id of the deployment that began with it.
    pub(super) deployment: String,
    pub(super) target: String,
    /// The service revisions that were deployed when it began.
    pub(super) sources: Vec<String>,
    pub(super) created_at: Millis,
    pub(super) state: State,
    pub(super) rollback: Option<Rollback>,
    /// The end, with what there was of each service revision.
    pub(super) ended: Option<Ended>,
    pub(super) configuration: Value,
    pub(super) threshold: u32,
    /// The alarms that can fail it, and those that did.
    pub(super) watched: Vec<String>,
    pub(super) triggered: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    InProgress,
    RollingBack,
    Successful,
    Stopped,
    RollbackSuccessful,
    RollbackFailed,
}

#[derive(Clone, Debug)]
pub(super) struct Rollback {
    pub(super) at: Millis,
    pub(super) revision: String,
    pub(super) detector: Detector,
}

#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) at: Millis,
    pub(super) failed_tasks: u32,
    pub(super) counts: Vec<Counts>,
}

/// The tasks of a service revision.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) revision: String,
    pub(super) requested: usize,
    pub(super) running: usize,
    pub(super) pending: usize,
}

impl ServiceDeployment {
    /// The failed tasks of its own deployment, without those of its rollback.
    pub(super) fn failed_tasks(&self, service: &Service) -> u32 {
        let own = |deployment: &&Deployment| deployment.id == self.deployment;
        match &self.ended {
            Some(ended) => ended.failed_tasks,
            None => service
                .deployments
                .iter()
                .find(own)
                .map_or(0, |deployment| deployment.failed_tasks),
        }
    }

    /// The tasks of its service revisions, the target first.
    pub(super) fn counts(&self, aws: &Aws, service: &Service) -> Vec<Counts> {
        match &self.ended {
            Some(ended) => ended.counts.clone(),
            None => std::iter::once(&self.target)
                .chain(&self.sources)
                .map(|revision| counts(aws, service, revision))
                .collect(),
        }
    }
}

fn counts(aws: &Aws, service: &Service, revision: &str) -> Counts {
    let of_revision = |id: &str| {
        service
            .deployments
            .iter()
            .any(|deployment| deployment.id == id && deployment.revision == revision)
    };
    let tasks = || {
        aws.ecs
            .tasks_of(&service.arn)
            .filter(|task| of_revision(&task.deployment))
    };
    let is_primary = service
        .primary()
        .is_some_and(|primary| primary.revision == revision);

    Counts {
        revision: revision.to_owned(),
        requested: if is_primary {
            service.desired_count as usize
        } else {
            tasks().filter(|task| task.is_live()).count()
        },
        running: tasks().filter(|task| task.is_running()).count(),
        pending: tasks().filter(|task| task.is_pending()).count(),
    }
}

/// A deployment that is not a rollback is about to begin; an earlier one in progress ends with it.
/// Returns its service revision.
pub(super) fn begin(aws: &mut Aws, arn: &str, deployment: &str) -> String {
    end(aws, arn, State::Stopped);
    let target = new_revision(aws, deployment);
    let (now, watched) = (aws.now, failure_detection::watched(aws, arn));
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return target;
    };

    let mut sources: Vec<String> = Vec::new();
    for before in &service.deployments {
        if !sources.contains(&before.revision) {
            sources.push(before.revision.clone());
        }
    }

    let configuration = service.settings.get("deploymentConfiguration");
    let begun = ServiceDeployment {
        id: id_of(deployment),
        deployment: deployment.to_owned(),
        target: target.clone(),
        sources,
        created_at: now,
        state: State::InProgress,
        rollback: None,
        ended: None,
        configuration: configuration.cloned().unwrap_or_default(),
        threshold: failure_detection::threshold(service),
        watched,
        triggered: Vec::new(),
    };
    service
        .history
        .retain(|old| old.ended.as_ref().is_none_or(|it| now - it.at < KEPT_MS));
    service.history.push(begun);
    target
}

/// The number of the service revision that a deployment deploys as the first.
fn new_revision(aws: &mut Aws, deployment: &str) -> String {
    let number = short_name(deployment);
    if aws.draw_quirk(Quirk::NumbersRevisionsAsDeployments) {
        return number.to_owned();
    }
    // Another number of as many digits.
    let (first, rest) = number.split_at(1);
    format!("{first}{}", rest.chars().rev().collect::<String>())
}

impl Service {
    /// Whether ECS rolled one of its deployments back because of an alarm.
    pub fn was_rolled_back_by_alarms(&self) -> bool {
        let mut rollbacks = self.history.iter().filter_map(|one| one.rollback.as_ref());
        rollbacks.any(|rollback| rollback.detector == Detector::Alarms)
    }
}

/// The deployment in progress has failed, and one back to an earlier service revision is about to
/// begin. Returns that service revision.
pub(super) fn roll_back(aws: &mut Aws, arn: &str, revision: &str, detector: Detector) -> String {
    let at = aws.now;
    let service = aws.ecs.services.get_mut(arn);
    let current = service.and_then(|service| service.history.last_mut());
    if let Some(current) = current.filter(|current| current.ended.is_none()) {
        current.state = State::RollingBack;
        current.rollback = Some(Rollback {
            at,
            revision: revision.to_owned(),
            detector,
        });
    }
    revision.to_owned()
}

/// Alarms were found in ALARM during the deployment in progress.
pub(super) fn trigger(aws: &mut Aws, arn: &str, alarms: Vec<String>) {
    let service = aws.ecs.services.get_mut(arn);
    if let Some(current) = service.and_then(|service| service.history.last_mut()) {
        current.triggered = alarms;
    }
}

/// The primary deployment is completed.
pub(super) fn complete(aws: &mut Aws, arn: &str) {
    let service = aws.ecs.services.get(arn);
    let current = service.and_then(|service| service.history.last());
    let rolled_back = current.is_some_and(|it| it.state == State::RollingBack);
    let state = if rolled_back {
        State::RollbackSuccessful
    } else {
        State::Successful
    };
    end(aws, arn, state);
}

/// The primary deployment has failed, and no other begins.
pub(super) fn fail(aws: &mut Aws, arn: &str, should_roll_back: bool) {
    let state = if should_roll_back {
        State::RollbackFailed
    } else {
        State::Stopped
    };
    end(aws, arn, state);
}

/// Ends what is in progress, if anything is.
fn end(aws: &mut Aws, arn: &str, state: State) {
    let Some(service) = aws.ecs.services.get(arn) else {
        return;
    };
    let Some(current) = service.history.last().filter(|it| it.ended.is_none()) else {
        return;
    };
    let ended = Ended {
        at: aws.now,
        failed_tasks: current.failed_tasks(service),
        counts: current.counts(aws, service),
    };

    let service = aws.ecs.services.get_mut(arn);
    if let Some(current) = service.and_then(|service| service.history.last_mut()) {
        current.state = state;
        current.ended = Some(ended);
    }
}

/// The id of the service deployment that begins with a deployment: its number, in 21 letters.
fn id_of(deployment: &str) -> String {
    const ODD: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
    let number: u128 = short_name(deployment).parse().unwrap_or_default();
    let mixed = number.wrapping_mul(ODD);
    let letter = |place: u32| char::from(LETTERS[((mixed >> (6 * place)) & 63) as usize]);
    (0..21).map(letter).collect()
}
