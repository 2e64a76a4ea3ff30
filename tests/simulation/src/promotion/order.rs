//! Invariant 11, what must hold of a promotion beside what must hold of every release: an image
//! passes the environments in order, each as the same digest, and the ledger has every release.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Promotion;
use crate::freeze::{self, DrawnFreeze};
use emulator::codepipeline::{ActionStatus, Execution, ExecutionStatus};
use emulator::lambda::InvocationStatus;
use emulator::{Aws, Millis};
use harness::demo::CLUSTER;
use harness::demo::promotion::{PIPELINE, SERVICES, STAGES};
use invariants::ledger_reader::{commit, earlier_releases, executions, record, text};

/// The lines of what only promotions meet.
pub(crate) const IN_ORDER: &str = "11 an image passes the environments in order";
pub(crate) const NOTHING_IN_FREEZE: &str = "11 no image comes to a frozen environment";
pub(crate) const ALL_RECORDED: &str = "11 the record has every environment";

/// An invocation that looked right before a freeze can act until its time-out.
const GRACE: Millis = 60_000;

/// The number of the environment that needs an approval and that windows freeze.
const PRODUCTION: usize = 3;

/// Watches the environments of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// The revision that each runs.
    runs: [String; 4],
    /// The images that each has run.
    ran: [BTreeSet<String>; 4],
    window: Option<(Millis, Millis)>,
    has_line: bool,
    /// How many images came to an environment for the first time, and how many of them while
    /// something could hold it back.
    pub(super) arrived: u64,
    pub(super) watched: u64,
}

impl Order {
    pub(super) fn new(aws: &Aws, freeze: Option<DrawnFreeze>) -> Self {
        let mut order = Self {
            window: freeze.and_then(|freeze| freeze.window(aws.now)),
            has_line: freeze == Some(DrawnFreeze::Line),
            ..Self::default()
        };
        for (number, service) in SERVICES.into_iter().enumerate() {
            if let Some(revision) = running(aws, service)
                && let Some(image) = image_of(aws, revision)
            {
                order.runs[number] = revision.to_owned();
                order.ran[number].insert(image.to_owned());
            }
        }
        order
    }

    /// Looks at one instant. What an environment ran before may come back at any time.
    pub(super) fn look(&mut self, aws: &Aws) -> Result<(), String> {
        for (number, service) in SERVICES.into_iter().enumerate() {
            let Some(revision) = running(aws, service) else {
                continue;
            };
            if self.runs[number] == revision {
                continue;
            }
            let Some(image) = image_of(aws, revision) else {
                continue;
            };
            self.runs[number] = revision.to_owned();
            if !self.ran[number].insert(image.to_owned()) {
                continue;
            }
            self.arrived += 1;
            self.arrives(aws, number, image)
                .map_err(|what| format!("invariant 11: {service} got {image}, {what}"))?;
        }
        Ok(())
    }

    /// An image comes to an environment for the first time.
    fn arrives(&mut self, aws: &Aws, number: usize, image: &str) -> Result<(), String> {
        let Some((_, digest)) = image.split_once('@') else {
            return Err("which is not a digest".to_owned());
        };
        if number > 0 && !self.ran[number - 1].contains(image) {
            return Err(format!("which {} has not run", SERVICES[number - 1]));
        }
        let mut of_it = executions(aws, PIPELINE).filter(|it| built(it) == Some(digest));
        if !of_it.any(|execution| is_let_into(execution, number)) {
            return Err(format!(
                "which no execution may bring to {}",
                STAGES[number]
            ));
        }

        let is_of_window = number == PRODUCTION && self.window.is_some();
        self.watched += u64::from(is_of_window || self.has_line);
        match self.frozen_since(aws, number) {
            Some(since) if aws.now - since > GRACE => {
                let secs = (aws.now - since) / 1000;
                Err(format!("{secs} s after a freeze began"))
            }
            _ => Ok(()),
        }
    }

    /// Since when an environment is frozen, if it is.
    fn frozen_since(&self, aws: &Aws, number: usize) -> Option<Millis> {
        let window = self.window.filter(|_| number == PRODUCTION);
        let in_window = window.filter(|(from, to)| (*from..*to).contains(&aws.now));
        let line = || freeze::stopped(aws, PIPELINE, STAGES[number]);
        let stopped = self.has_line.then(line).flatten();
        in_window
            .map(|(from, _)| from)
            .into_iter()
            .chain(stopped)
            .min()
    }
}

/// The revision that a service runs.
fn running<'a>(aws: &'a Aws, service: &str) -> Option<&'a str> {
    let service = aws.ecs.service_named(CLUSTER, service)?;
    Some(&service.primary()?.task_definition)
}

/// The image of the first container of a revision.
fn image_of<'a>(aws: &'a Aws, revision: &str) -> Option<&'a str> {
    let request = aws.ecs.request_of(revision)?;
    request.pointer("/containerDefinitions/0/image")?.as_str()
}

/// The digest that an execution built.
fn built(execution: &Execution) -> Option<&str> {
    let variables = execution.outputs.get("Build")?;
    variables.get("IMAGE_DIGEST").map(String::as_str)
}

/// Whether an execution may bring its image to an environment: the one before it has released it,
/// and production is approved.
fn is_let_into(execution: &Execution, number: usize) -> bool {
    let is_next = number == 0 || succeeded(execution, STAGES[number - 1], "finish-release");
    let is_approved = number != PRODUCTION || succeeded(execution, STAGES[number], "approve");
    is_next && is_approved
}

fn succeeded(execution: &Execution, stage: &str, action: &str) -> bool {
    let stage = execution.stage(stage);
    let mut actions = stage.into_iter().flat_map(|stage| &stage.actions);
    actions.any(|it| it.name == action && it.status == ActionStatus::Succeeded)
}

/// What holds at the end: the ledger has every release of every execution, in the order of the
/// environments, and what nothing was wrong with is in production. Returns how many releases there
/// were.
pub(super) fn at_end(plan: &Promotion, aws: &Aws) -> Result<u64, String> {
    let is_given_up = |one: &emulator::lambda::Invocation| one.status == InvocationStatus::GivenUp;
    let is_well = plan.is_well() && !aws.lambda.invocations.iter().any(is_given_up);
    let mut checked = 0;
    for execution in executions(aws, PIPELINE) {
        let releases = releases(aws, execution);
        recorded(execution, &releases)
            .map_err(|what| format!("invariant 11: execution {}: {what}", execution.id))?;
        checked += releases.len() as u64;

        let went_well = [ExecutionStatus::Succeeded, ExecutionStatus::Superseded];
        let is_of_commit = commit(execution).is_some();
        if is_well && is_of_commit && !went_well.contains(&execution.status) {
            return Err(format!(
                "invariant 9: nothing is wrong with execution {}, and it ended {:?}: {releases:?}",
                execution.id, execution.status
            ));
        }
    }
    Ok(checked)
}

/// The services that an execution released, with their outcomes.
pub(crate) fn releases(aws: &Aws, execution: &Execution) -> Vec<(String, String)> {
    let Some(record) = record(aws, &execution.id) else {
        return Vec::new();
    };
    let of = |it: &Value| {
        let service = text(it, "service")?.to_owned();
        Some((service, text(it, "outcome").unwrap_or_default().to_owned()))
    };
    let releases = earlier_releases(&record).chain([&record]);
    releases.filter_map(of).collect()
}

/// Whether these are all releases that an execution began, in order, each after one that went well.
fn recorded(execution: &Execution, releases: &[(String, String)]) -> Result<(), String> {
    let has_begun = |stage: &&&str| succeeded(execution, stage, "begin-release");
    let begun = STAGES.iter().filter(has_begun).count();
    if releases.len() < begun {
        return Err(format!(
            "{begun} releases began, and the ledger has {releases:?}"
        ));
    }
    let services = releases.iter().map(|(service, _)| service.as_str());
    if !services.eq(SERVICES.into_iter().take(releases.len())) {
        return Err(format!("the releases are not in order: {releases:?}"));
    }

    let went_well = |outcome: &str| ["deployed", "unchanged"].contains(&outcome);
    let well = releases.iter().filter(|(_, outcome)| went_well(outcome));
    let well = well.count();
    if well + 1 < releases.len() {
        return Err(format!(
            "a release began after one that failed: {releases:?}"
        ));
    }
    if execution.status == ExecutionStatus::Succeeded && well < STAGES.len() {
        return Err(format!("it succeeded with {releases:?}"));
    }
    Ok(())
}
