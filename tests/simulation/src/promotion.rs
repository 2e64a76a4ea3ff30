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
use super::shrink::{Parts, take_out};
use emulator::ecr::Behaviour;

pub(super) use draw::FUNCTIONS;
pub(super) use order::{ALL_RECORDED, IN_ORDER, NOTHING_IN_FREEZE, releases};

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

impl Parts for Promotion {
    const RUNS: usize = 60;

    fn parts(&self) -> usize {
        let lists = self.incidents.len() + self.answers.len();
        lists + usize::from(self.freeze.is_some()) + usize::from(self.commits.len() > 1)
    }

    fn without(&self, number: usize) -> Self {
        let mut smaller = self.clone();
        let mut number = Some(number);
        take_out(&mut smaller.incidents, &mut number);
        let mut freeze = Vec::from_iter(smaller.freeze);
        take_out(&mut freeze, &mut number);
        smaller.freeze = freeze.pop();
        take_out(&mut smaller.answers, &mut number);
        // Only the last commit can go: others are named by number.
        if number.is_some() {
            smaller.commits.pop();
        }
        smaller
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
