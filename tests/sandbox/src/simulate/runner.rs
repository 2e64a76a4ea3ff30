//! Runs a simulation, whatever it is about: one seed with its trace, or many at once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Simulate;
use crate::show::print;

/// From this many seeds on, a line of the coverage that is zero is a failure.
const ENOUGH_SEEDS: u64 = 1000;

/// Failing seeds whose plans are made smaller and printed with their trace.
const EXPLAINED: usize = 3;

/// The failures of the seeds that failed.
pub(super) type Failures = BTreeMap<u64, String>;

/// The result of a seed.
pub(super) struct Run<C> {
    pub(super) failure: Option<String>,
    pub(super) coverage: C,
    /// What happened, if it was requested.
    pub(super) trace: Vec<String>,
}

/// What is simulated.
pub(super) trait Simulation: Sync {
    type Plan: fmt::Display;
    type Coverage: Default + Send;

    /// What the parts of a plan are called that can be left out.
    const PARTS: &'static str;

    fn draw(&self, seed: u64) -> Self::Plan;
    fn play(&self, plan: &Self::Plan, traces: bool) -> Run<Self::Coverage>;
    /// Less of a plan that still fails.
    fn shrink(&self, plan: &Self::Plan) -> Self::Plan;

    /// Adds what another run exercised.
    fn merge(&self, all: &mut Self::Coverage, one: &Self::Coverage);
    /// What must have been exercised, and how often it was.
    fn lines(&self, coverage: &Self::Coverage) -> Vec<(String, u64)>;
    /// What else is shown of it.
    fn summary(&self, coverage: &Self::Coverage) -> Vec<String>;
    /// What was done in so many seconds.
    fn speed(&self, coverage: &Self::Coverage, secs: f64) -> String;
    fn json(&self, coverage: &Self::Coverage, seeds: u64, failures: &Failures) -> String;

    /// Whether what was exercised is as it must be, beside the lines.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, _coverage: &Self::Coverage) -> Result<(), String> {
        Ok(())
    }
}

/// Runs one seed, or many.
///
/// # Errors
/// What failed.
pub(super) fn simulate<S: Simulation>(simulation: &S, arguments: &Simulate) -> Result<(), String> {
    match arguments.seed {
        Some(seed) => one(simulation, seed, arguments),
        None => many(simulation, arguments),
    }
}

fn one<S: Simulation>(simulation: &S, seed: u64, arguments: &Simulate) -> Result<(), String> {
    let plan = simulation.draw(seed);
    let Run {
        failure,
        coverage,
        trace,
    } = simulation.play(&plan, arguments.trace);

    if arguments.json {
        let failures = failure.iter().map(|failure| (seed, failure.clone()));
        let failures: Failures = failures.collect();
        print(&simulation.json(&coverage, 1, &failures));
    } else {
        print(plan.to_string().trim_end());
        trace.iter().for_each(|line| print(line));
        if failure.is_none() {
            print("passed");
        }
    }
    failure.map_or(Ok(()), |failure| Err(format!("seed {seed}: {failure}")))
}

fn many<S: Simulation>(simulation: &S, arguments: &Simulate) -> Result<(), String> {
    let bar = ProgressBar::with_draw_target(Some(arguments.seeds), target(arguments.json));
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} seeds, {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let started = Instant::now();
    let (coverage, failures) = run_all(simulation, arguments, &bar);
    bar.finish_and_clear();

    let took = started.elapsed().as_secs_f64();
    if arguments.json {
        print(&simulation.json(&coverage, arguments.seeds, &failures));
    } else {
        if !arguments.first {
            let explained = failures.iter().take(EXPLAINED);
            explained.for_each(|(seed, failure)| explain(simulation, *seed, failure));
        }
        print_results(simulation, arguments, &coverage, &failures);
        eprintln!("{took:.1} s, {}", simulation.speed(&coverage, took));
    }
    check(simulation, arguments, &coverage, &failures)
}

/// Prints the failures and what was exercised.
fn print_results<S: Simulation>(
    simulation: &S,
    arguments: &Simulate,
    coverage: &S::Coverage,
    failures: &Failures,
) {
    for (seed, failure) in failures {
        print(&format!("seed {seed} failed: {failure}"));
    }
    for (what, times) in simulation.lines(coverage) {
        print(&format!("{times:>10}  {what}"));
    }
    for line in simulation.summary(coverage) {
        print(&line);
    }
    let failed = failures.len() as u64;
    print(&format!(
        "{} passed, {failed} failed",
        arguments.seeds - failed
    ));
}

/// Whether every run passed, and everything was exercised where the seeds are enough for it.
fn check<S: Simulation>(
    simulation: &S,
    arguments: &Simulate,
    coverage: &S::Coverage,
    failures: &Failures,
) -> Result<(), String> {
    if let Some((seed, failure)) = failures.first_key_value() {
        return Err(format!(
            "seed {seed} and {} others failed: {failure}",
            failures.len() - 1
        ));
    }
    let lines = simulation.lines(coverage).into_iter();
    let missing = lines.filter(|(_, times)| *times == 0);
    let missing: Vec<String> = missing.map(|(what, _)| what).collect();
    if arguments.seeds >= ENOUGH_SEEDS && !missing.is_empty() {
        return Err(format!("never exercised: {}", missing.join("; ")));
    }
    simulation.check(coverage)
}

fn target(silent: bool) -> ProgressDrawTarget {
    if !silent && console::user_attended_stderr() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// Runs every seed; which thread runs which makes no difference to what comes out.
fn run_all<S: Simulation>(
    simulation: &S,
    arguments: &Simulate,
    bar: &ProgressBar,
) -> (S::Coverage, Failures) {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let (next, end) = (
        AtomicU64::new(arguments.from),
        arguments.from.saturating_add(arguments.seeds),
    );
    let all = Mutex::new((S::Coverage::default(), BTreeMap::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }

            let Run {
                failure, coverage, ..
            } = simulation.play(&simulation.draw(seed), false);
            let mut all = all
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            simulation.merge(&mut all.0, &coverage);

            if let Some(failure) = failure {
                all.1.insert(seed, failure);
                if arguments.first {
                    next.store(end, Ordering::Relaxed);
                }
            }

            bar.inc(1);
            bar.set_message(format!("{} failed", all.1.len()));
        }
    };
    std::thread::scope(|threads| {
        (0..arguments.jobs.unwrap_or(cores)).for_each(|_| drop(threads.spawn(work)));
    });
    all.into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Prints a failing seed with the fewest parts that still fail, and what happened.
fn explain<S: Simulation>(simulation: &S, seed: u64, failure: &str) {
    let smallest = simulation.shrink(&simulation.draw(seed));
    let Run {
        failure: still,
        trace,
        ..
    } = simulation.play(&smallest, true);
    print(&format!("seed {seed} fails: {failure}"));
    print(&format!("the fewest {} that still fail:", S::PARTS));
    print(smallest.to_string().trim_end());
    trace.iter().for_each(|line| print(line));
    print(&format!("=> {}\n", still.unwrap_or_default()));
}
