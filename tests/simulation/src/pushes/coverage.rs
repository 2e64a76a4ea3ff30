//! What runs of pushes exercised, so that a simulation that tries nothing cannot pass.

use std::collections::BTreeMap;

use emulator::Aws;
use emulator::client::CallFault;
use harness::driver::Ran;
use invariants::ledger_reader::{digest, ledger, text};
use serde_json::Value;

use super::plan::{PushAct, PushPlan};
use crate::coverage::is_met;
use crate::plan::fault_word;

/// What must have been met, whatever the seeds are.
const EXPECTED: [&str; 32] = [
    "act: a version is pushed",
    "act: two tags are pushed at once",
    "act: a tag moves to a new image",
    "act: a tag that is not delivered is pushed",
    "act: what cannot run is pushed",
    "act: a tag returns to an image",
    "act: an image gets another tag",
    "act: an image is deleted",
    "act: a scan ends",
    "fault: an event is lost",
    "fault: an event is late",
    "fault: an event comes twice",
    "fault: a crash after a call",
    "fault: a crash before a call",
    "fault: a time-out after the effect",
    "fault: calls are throttled",
    "fault: a hang",
    "fault: a delivery comes again late",
    "fault: a service throttles for a while",
    "fault: internal errors",
    "fault: conflicts of transactions",
    "push: started",
    "push: superseded",
    "push: rejected before",
    "push: refused by its gate",
    "push: what cannot run",
    "push: of another tag",
    "invariant: 4 no push is lost",
    "invariant: 4 no push starts twice",
    "invariant: 4 what is not delivered starts nothing",
    "invariant: 5 no older push replaces a newer one",
    "invariant: 5 what was rejected stays so",
];

/// Counts, by what is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushCoverage {
    counts: BTreeMap<String, u64>,
    pub repositories: u64,
    pub pushes: u64,
    /// Executions that pushes started.
    pub starts: u64,
    /// Calls that invocations made to AWS.
    pub calls: u64,
}

impl PushCoverage {
    /// What one run exercised.
    pub(super) fn of(plan: &PushPlan, aws: &Aws, ran: &[Ran]) -> Self {
        let mut coverage = Self {
            repositories: plan.repositories as u64,
            pushes: plan.acts.iter().filter(|timed| is_push(timed.act)).count() as u64,
            ..Self::default()
        };
        for timed in &plan.acts {
            coverage.add("act", timed.act.as_str());
        }
        for incident in plan.incidents.iter().filter(|it| is_met(it, aws, ran)) {
            coverage.add("fault", incident.as_str());
        }
        for ran in ran {
            coverage.calls += u64::from(ran.calls);
            for fault in ran.met.iter().filter(|fault| **fault != CallFault::None) {
                coverage.add("fault", fault_word(*fault));
            }
        }

        let executions = aws.codepipeline.executions.iter();
        coverage.starts = executions.filter(|it| digest(it).is_some()).count() as u64;
        for item in &ledger(aws) {
            if let Some(word) = word_of(item) {
                coverage.add("push", word);
            }
        }
        coverage
    }

    /// How often invariants had something to check.
    pub(super) fn add_evaluated(&mut self, evaluated: &BTreeMap<&'static str, u64>) {
        for (what, times) in evaluated {
            *self.counts.entry(format!("invariant: {what}")).or_default() += times;
        }
    }

    fn add(&mut self, what: &str, word: &str) {
        *self.counts.entry(format!("{what}: {word}")).or_default() += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        for (what, times) in &other.counts {
            *self.counts.entry(what.clone()).or_default() += times;
        }
        self.repositories += other.repositories;
        self.pushes += other.pushes;
        self.starts += other.starts;
        self.calls += other.calls;
    }

    /// What was counted, and what should have been.
    #[must_use]
    pub fn lines(&self) -> BTreeMap<String, u64> {
        let expected = EXPECTED.map(|what| (what.to_owned(), 0));
        let mut lines = BTreeMap::from(expected);
        lines.extend(self.counts.clone());
        lines
    }
}

fn is_push(act: PushAct) -> bool {
    !matches!(act, PushAct::Delete(_) | PushAct::Scan { .. })
}

/// What became of a push, if the item is a claim.
fn word_of(item: &Value) -> Option<&'static str> {
    let is_claim = text(item, "pk")?.starts_with("push#") && text(item, "sk")?.starts_with("sha");
    if !is_claim {
        return None;
    }
    let Some(refusal) = text(item, "refusal") else {
        let is_started = text(item, "execution").is_some();
        return Some(if is_started { "started" } else { "undecided" });
    };

    let words = [
        ("superseded", "superseded"),
        ("tag `", "of another tag"),
        ("this digest was", "rejected before"),
        ("the scan of the image", "refused by its gate"),
        ("the repository does not have", "gone before it was started"),
    ];
    let mut known = words.into_iter();
    let known = known.find(|(beginning, _)| refusal.starts_with(beginning));
    Some(known.map_or("what cannot run", |(_, word)| word))
}
