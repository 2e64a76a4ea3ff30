//! What runs exercised, so that a simulation that tries nothing cannot pass.

use std::collections::BTreeMap;

use super::plan::{Act, Incident, Plan, fault_word};
use super::shape::{PIPELINE, Shift};
use crate::aws::{Aws, Drawn};
use crate::client::CallFault;
use crate::driver::Ran;
use crate::observer::{executions, record, text};

/// Counts, by what is counted and by its word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<(&'static str, String), u64>,
    drawn: Drawn,
    /// Executions of pipelines that were about an image.
    pub releases: u64,
    /// Calls that invocations made to AWS.
    pub calls: u64,
}

/// What must have been met, whatever the seeds are.
const EXPECTED: [(&str, &[&str]); 7] = [
    ("shift", &["all-at-once", "linear", "listed"]),
    ("scaling", &["scaled", "not scaled"]),
    ("strategy", &["Rolling", "Doubling", "MakeRoom", "BlueGreen"]),
    ("image", &["healthy", "never healthy", "exits", "fails after a while", "fails under traffic", "the same again"]),
    (
        "fault",
        &[
            "a crash after a call",
            "a crash before a call",
            "a time-out after the effect",
            "calls are throttled",
            "a hang",
            "a hang to the last moment",
            "a delivery comes twice at once",
            "a delivery comes again late",
            "a service throttles for a while",
            "an event is lost",
            "an event is late",
            "an event comes twice",
        ],
    ),
    (
        "act",
        &[
            "approve",
            "reject",
            "stop and abandon",
            "stop and wait",
            "retry the stage",
            "start by hand",
            "ask for a rollback",
            "set the count",
            "deploy by hand",
            "set the weights",
            "update the stack",
            "a task dies",
            "a task does not answer",
            "an instance is busy",
        ],
    ),
    ("outcome", &["deployed", "unchanged", "rolled-back", "superseded", "failed"]),
];

/// Functions in which crashes must have been met.
const FUNCTIONS: [&str; 7] = [
    "start-pipeline",
    "begin-release",
    "register-task-definition",
    "update-service",
    "swap-target-groups",
    "finish-release",
    "roll-back",
];

impl Coverage {
    fn add(&mut self, what: &'static str, word: impl Into<String>, times: u64) {
        *self.counts.entry((what, word.into())).or_default() += times;
    }

    pub(super) fn act(&mut self, act: Act) {
        self.add("act", act.word(), 1);
    }

    pub(super) fn answer(&mut self, word: &str) {
        self.add("act", word, 1);
    }

    pub(super) fn invariants(&mut self, evaluated: &BTreeMap<&'static str, u64>) {
        for (invariant, times) in evaluated {
            self.add("invariant", *invariant, *times);
        }
    }

    pub(super) fn bound(&mut self, calm: bool) {
        self.add("invariant", "9 what nothing is wrong with is deployed", u64::from(calm));
    }

    /// What the account and the attempts of a run tell.
    pub(super) fn account(&mut self, plan: &Plan, aws: &Aws, ran: &[Ran]) {
        self.add("strategy", format!("{:?}", plan.shape.strategy), 1);
        if let Some(pair) = &plan.shape.pair {
            let word = match pair.shift {
                Shift::AllAtOnce => "all-at-once",
                Shift::Linear(_) => "linear",
                Shift::Listed(_) => "listed",
            };
            self.add("shift", word, 1);
            self.add("scaling", if pair.capacity.is_some() { "scaled" } else { "not scaled" }, 1);
        }
        for push in &plan.pushes {
            self.add("image", push.image.word(), 1);
        }
        for attempt in ran {
            for fault in &attempt.met {
                self.add("fault", fault_word(*fault), 1);
                if let CallFault::CrashAfter(_) | CallFault::CrashBefore(_) = fault {
                    self.add("crash in", attempt.function.clone(), 1);
                }
            }
        }
        self.incidents(plan, aws, ran);
        for execution in executions(aws, PIPELINE) {
            if let Some(record) = record(aws, &execution.id) {
                self.releases += 1;
                self.add("outcome", text(&record, "outcome").unwrap_or("none"), 1);
            }
        }
        self.drawn.add(&aws.drawn);
        self.calls += ran.iter().map(|ran| u64::from(ran.calls)).sum::<u64>();
    }

    /// Incidents that came true elsewhere than in a call.
    fn incidents(&mut self, plan: &Plan, aws: &Aws, ran: &[Ran]) {
        let attempts = |function: &str| ran.iter().filter(|ran| ran.function == function).count();
        for incident in &plan.incidents {
            let met = match incident {
                Incident::Duplicate { function, nth, .. } => *nth < attempts(function),
                Incident::Event { source, nth, .. } => aws.events.met.contains(&(*source, *nth)),
                Incident::Throttle { service, .. } => aws.calls.iter().any(|call| {
                    call.service == *service && call.error.as_deref().is_some_and(|code| code.contains("hrottling"))
                }),
                Incident::Call { .. } | Incident::Act { .. } => false,
            };
            if met {
                self.add("fault", incident.word(), 1);
            }
        }
    }

    /// Adds what another run exercised.
    pub fn merge(&mut self, other: &Self) {
        for (key, times) in &other.counts {
            *self.counts.entry(key.clone()).or_default() += times;
        }
        self.drawn.add(&other.drawn);
        self.releases += other.releases;
        self.calls += other.calls;
    }

    /// Every line with its count: those that were met, and those that had to be.
    #[must_use]
    pub fn lines(&self) -> Vec<(String, u64)> {
        let mut counts = self.counts.clone();
        for (what, words) in EXPECTED {
            for word in words {
                counts.entry((what, (*word).to_owned())).or_default();
            }
        }
        for function in FUNCTIONS {
            counts.entry(("crash in", function.to_owned())).or_default();
        }
        let mut lines: Vec<(String, u64)> =
            counts.into_iter().map(|((what, word), times)| (format!("{what}: {word}"), times)).collect();
        for (rule, [not, so]) in self.drawn.iter() {
            lines.push((format!("rule holds: {rule}"), u64::from(so)));
            lines.push((format!("rule does not hold: {rule}"), u64::from(not)));
        }
        lines
    }
}
