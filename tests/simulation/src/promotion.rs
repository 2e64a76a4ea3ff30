//! Promotions: the images of commits go through four environments, drawn from a seed as plain data,
//! played, checked and made smaller.

mod draw;
mod order;
mod play;

use std::fmt;
use std::time::Duration;

use super::freeze::DrawnFreeze;
use super::plan::{ApprovalAnswer, Incident};
use super::play::Played;
use super::shape::{Strategy, kept};
use emulator::ecr::Behaviour;

pub(super) use draw::FUNCTIONS;
pub(super) use order::{ALL_RECORDED, IN_ORDER, NOTHING_IN_FREEZE, releases};

/// The most runs that are spent on a smaller one that fails.
const RUNS: usize = 60;

/// How many tasks the service of each environment has.
const TASKS: u32 = 2;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    pub seed: u64,
    /// How the tasks of each environment are replaced, and how later commits wait, as the
    /// parameters of the pipeline have it.
    pub strategy: Strategy,
    pub mode: &'static str,
    pub soak_minutes: u32,
    /// What holds production back, or the line that a failed release stops.
    pub freeze: Option<DrawnFreeze>,
    pub commits: Vec<DrawnCommit>,
    /// What operators answer to requests for approval, in order; from then on they approve after
    /// two minutes.
    pub answers: Vec<ApprovalAnswer>,
    /// What goes wrong, and what operators do beside committing.
    pub incidents: Vec<Incident>,
}

/// A commit to the branch, this long after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawnCommit {
    pub after: Duration,
    pub behaviour: Behaviour,
    /// The build or the test that it fails, as `<stage>/<action>`.
    pub fails: Option<&'static str>,
}

impl DrawnCommit {
    fn is_good(&self) -> bool {
        self.behaviour == Behaviour::Healthy && self.fails.is_none()
    }
}

impl Promotion {
    /// What a seed draws.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        draw::promotion(seed)
    }

    /// Plays it; with `traces`, what happens is written down.
    #[must_use]
    pub fn play(&self, traces: bool) -> Played {
        play::play(self, traces)
    }

    /// Less of it that still fails, perhaps of another invariant.
    #[must_use]
    pub fn shrink(&self) -> Self {
        let mut smallest = self.clone();
        let mut left = RUNS;
        let mut fails = |candidate: &Self| {
            left = left.saturating_sub(1);
            left > 0 && candidate.play(false).failure.is_some()
        };
        while let Some(smaller) = smallest.smaller().into_iter().find(|it| fails(it)) {
            smallest = smaller;
        }
        smallest
    }

    /// Every run with one thing less. Only the last commit can go: others are named by number.
    fn smaller(&self) -> Vec<Self> {
        let without = |number: usize| {
            let mut candidate = self.clone();
            candidate.incidents.remove(number);
            candidate
        };
        let mut smaller: Vec<Self> = (0..self.incidents.len()).map(without).collect();
        if self.freeze.is_some() {
            smaller.push(Self {
                freeze: None,
                ..self.clone()
            });
        }
        for number in 0..self.answers.len() {
            let mut candidate = self.clone();
            candidate.answers.remove(number);
            smaller.push(candidate);
        }
        if self.commits.len() > 1 {
            let mut candidate = self.clone();
            candidate.commits.pop();
            smaller.push(candidate);
        }
        smaller
    }

    /// Whether every commit is good, approved, and not held back for longer than a release can
    /// wait, and nothing goes wrong but invocations, calls and deliveries: such must not change an
    /// ending.
    fn is_well(&self) -> bool {
        let is_act = |incident: &Incident| matches!(incident, Incident::Act { .. });
        self.commits.iter().all(DrawnCommit::is_good)
            && self.answers.iter().all(|answer| answer.approves)
            && !matches!(self.freeze, Some(DrawnFreeze::Weekend(_)))
            && !self.incidents.iter().any(is_act)
    }

    /// The healthy tasks that each environment keeps.
    fn promised(&self) -> u32 {
        let is_frail = |commit: &DrawnCommit| commit.behaviour == Behaviour::Exits;
        if self.commits.iter().any(is_frail) {
            0
        } else {
            kept(self.strategy, TASKS)
        }
    }
}

impl fmt::Display for Promotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: a promotion, {}, {}, soaks {} min",
            self.seed,
            self.strategy.rules().word,
            self.mode,
            self.soak_minutes
        )?;
        if let Some(freeze) = self.freeze {
            writeln!(f, "  frozen: {freeze:?}")?;
        }
        for (number, commit) in self.commits.iter().enumerate() {
            let DrawnCommit {
                after,
                behaviour,
                fails,
            } = commit;
            write!(f, "  commit {number} after {after:?}: {behaviour:?}")?;
            let fails = fails.map(|action| format!(", fails {action}"));
            writeln!(f, "{}", fails.unwrap_or_default())?;
        }
        for answer in &self.answers {
            let word = if answer.approves {
                "approves"
            } else {
                "rejects"
            };
            writeln!(f, "  {word} after {:?}", answer.after)?;
        }
        self.incidents
            .iter()
            .try_for_each(|incident| writeln!(f, "  {incident}"))
    }
}
