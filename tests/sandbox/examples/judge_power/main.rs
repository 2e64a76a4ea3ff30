//! Measures the judge: how often it rolls back healthy canaries, how soon it finds broken ones,
//! what simpler judges do with the same traffic, and how long a look takes. `just judge-power
//! [runs]`.
//!
//! Prints one row for each kind of deployment and ends with 1 if a goal is missed, or if ten
//! thousand minutes take longer than a second. Shares may miss a goal by three standard errors, for
//! they are counted in a limited number of runs.

mod cells;
mod draw;
mod groups;
mod latency;
mod rivals;
mod speed;
mod traffic;

use std::process::ExitCode;

use fastrand::Rng;
use slipway::judge::canary::hour::{self, Hour};
use slipway::judge::canary::{Decision, Judge, JudgeConfig, Progress, Setup};

use cells::{BROKEN, Cell, Goal, HEALTHY, HEALTHY_TOO};
use latency::thresholds_ms;
use traffic::{Minute, deployment, hour_before};

/// The runs that the goals are stated for.
const RUNS: u32 = 400;
/// Any seed does; a fixed one makes two measurements comparable.
const SEED: u64 = 1;

/// What happened in all runs of one kind of deployment.
#[derive(Default)]
pub(crate) struct Outcomes {
    runs: u32,
    rollbacks: Vec<u32>,
    promotions: Vec<u32>,
    harmed: Vec<u64>,
    rivals: [Rival; 4],
}

#[derive(Default)]
struct Rival {
    rollbacks: u32,
    harmed: Vec<u64>,
}

fn main() -> ExitCode {
    let runs = std::env::args()
        .nth(1)
        .and_then(|argument| argument.parse().ok())
        .unwrap_or(RUNS);
    println!(
        "{:<30} {:>7} {:>7} {:>7} {:>7} {:>6} | rolled back by, after harmed requests",
        "kind", "rolled", "promo", "median", "p90", "harmed"
    );
    println!(
        "{:<30} {:>7} {:>7} {:>7} {:>7} {:>6} | {:>11} {:>11} {:>11} {:>11} | goals",
        "", "back", "ted", "min", "min", "", "threshold", "Flagger", "alarm 2/3", "Kayenta"
    );

    let cells = || HEALTHY.iter().chain(BROKEN).chain(HEALTHY_TOO);
    let missed = cells()
        .zip(SEED..)
        .filter(|(cell, seed)| !measure(cell, *seed, runs))
        .count();
    println!(
        "{missed} of {} kinds miss a goal, {runs} runs each",
        cells().count()
    );
    let (speed, is_fast) = speed::measure();
    println!("{speed}");

    if missed == 0 && is_fast {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn measure(cell: &Cell, seed: u64, runs: u32) -> bool {
    let mut random = Rng::with_seed(seed);
    let mut outcomes = Outcomes {
        runs,
        ..Outcomes::default()
    };
    for _ in 0..runs {
        let hour = hour_before(&cell.kind, &mut random);
        let minutes = deployment(&cell.kind, cell.setup.end, &mut random);
        outcomes.add(cell, &hour, &minutes);
    }

    let missed: Vec<String> = cell
        .goals
        .iter()
        .filter(|goal| !outcomes.meets(goal))
        .map(|goal| format!("{goal:?}"))
        .collect();
    outcomes.print(cell.name, &missed);
    missed.is_empty()
}

/// The judge's last decision and its minute.
fn judge(cell: &Cell, hour: &Hour, minutes: &[Minute]) -> (Decision, u32) {
    let config = JudgeConfig {
        min_minutes: cell.setup.min_minutes,
        warm_up: cell.setup.warm_up,
        steps: cell.setup.steps.to_vec(),
        share: Some((cell.kind.share)(cell.setup.end)),
        end: cell.setup.end,
        ..JudgeConfig::default()
    };
    let thresholds = thresholds_ms().len();
    let setup = Setup {
        config,
        thresholds,
        own: Vec::new(),
        prior: hour::measure(hour, thresholds),
    };
    let mut judge = Judge::new(setup, Progress::default());
    for now in 1..=cell.setup.end {
        let verdict = judge.look(now, |minute| minutes[minute as usize - 1].arrived(now));
        if verdict.decision != Decision::Continue {
            return (verdict.decision, now);
        }
    }
    (Decision::Inconclusive, cell.setup.end)
}

fn harmed(minutes: &[Minute], until: u32) -> u64 {
    minutes[..until as usize]
        .iter()
        .map(|minute| minute.harmed)
        .sum()
}

impl Outcomes {
    fn add(&mut self, cell: &Cell, hour: &Hour, minutes: &[Minute]) {
        match judge(cell, hour, minutes) {
            (Decision::Rollback, at) => {
                self.rollbacks.push(at);
                self.harmed.push(harmed(minutes, at));
            }
            (Decision::Promote, at) => self.promotions.push(at),
            _ => {}
        }

        let rivals = [
            rivals::threshold,
            rivals::flagger,
            rivals::alarm,
            rivals::kayenta,
        ];
        for (outcome, rival) in self.rivals.iter_mut().zip(rivals) {
            if let Some(at) = rival(minutes) {
                outcome.rollbacks += 1;
                outcome.harmed.push(harmed(minutes, at));
            }
        }
    }

    fn share(&self, count: usize) -> f64 {
        count as f64 / f64::from(self.runs)
    }

    /// Three standard errors of a share that is exactly `goal`.
    fn slack(&self, goal: f64) -> f64 {
        3.0 * (goal * (1.0 - goal) / f64::from(self.runs)).sqrt()
    }

    /// The minute by which this share of all runs had ended so.
    fn quantile(&self, minutes: &[u32], share: f64) -> f64 {
        let mut sorted = minutes.to_vec();
        sorted.sort_unstable();
        let rank = (share * f64::from(self.runs)).ceil() as usize;
        sorted
            .get(rank - 1)
            .map_or(f64::INFINITY, |minute| f64::from(*minute))
    }

    fn meets(&self, goal: &Goal) -> bool {
        let at_most = |count: usize, goal: f64| self.share(count) <= goal + self.slack(goal);
        let at_least = |count: usize, goal: f64| self.share(count) >= goal - self.slack(goal);

        match *goal {
            Goal::RolledBackAtMost(share) => at_most(self.rollbacks.len(), share),
            Goal::FoundAtLeast(share) => at_least(self.rollbacks.len(), share),
            Goal::PromotedAtMost(share) => at_most(self.promotions.len(), share),
            Goal::PromotedAtLeast(share) => at_least(self.promotions.len(), share),
            Goal::MedianMinute(minute) => self.quantile(&self.rollbacks, 0.5) <= minute,
            Goal::P90Minute(minute) => self.quantile(&self.rollbacks, 0.9) <= minute,
            Goal::PromotedP90Minute(minute) => self.quantile(&self.promotions, 0.9) <= minute,
            Goal::Harmed(requests) => median(&self.harmed).is_some_and(|harmed| harmed <= requests),
        }
    }

    fn print(&self, name: &str, missed: &[String]) {
        let percent = |count: usize| format!("{:.1}%", 100.0 * self.share(count));
        let broken = self.rollbacks.len() >= self.promotions.len();
        let minutes = if broken {
            &self.rollbacks
        } else {
            &self.promotions
        };
        let minute = |share: f64| match self.quantile(minutes, share) {
            f64::INFINITY => "-".to_owned(),
            minute => minute.to_string(),
        };
        let rival = |rival: &Rival| {
            format!(
                "{} {}",
                percent(rival.rollbacks as usize),
                show(median(&rival.harmed))
            )
        };
        let rivals: Vec<String> = self
            .rivals
            .iter()
            .map(|outcome| format!("{:>11}", rival(outcome)))
            .collect();
        let goals = if missed.is_empty() {
            "met".to_owned()
        } else {
            format!("MISSED {}", missed.join(", "))
        };
        println!(
            "{name:<30} {:>7} {:>7} {:>7} {:>7} {:>6} | {} | {goals}",
            percent(self.rollbacks.len()),
            percent(self.promotions.len()),
            minute(0.5),
            minute(0.9),
            show(median(&self.harmed)),
            rivals.join(" "),
        );
    }
}

fn median(counts: &[u64]) -> Option<u64> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

fn show(count: Option<u64>) -> String {
    count.map_or("-".to_owned(), |count| count.to_string())
}
