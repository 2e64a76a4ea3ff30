//! `cargo sandbox simulate`: many seeds at once, or one with its trace.

mod pushes;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use simulation::{About, Coverage, Drawn, Played};

use crate::show::print;

/// From this many seeds on, a line of the coverage that is zero is a failure.
const ENOUGH_SEEDS: u64 = 1000;

/// Failing seeds whose plans are made smaller and printed with their trace.
const EXPLAINED: usize = 3;

/// Draws services, releases, operators and faults from seeds, runs the real functions on them, and
/// holds every run to the invariants.
///
/// A failing seed prints its number, the invariant, the fewest incidents with which it still fails,
/// and what happened. What was exercised is counted; from 1,000 seeds on a count of zero fails,
/// too. So does a share of good canaries that is rolled back of more than 1 %, of all or of one
/// class, and one of undisturbed canaries that is deployed of less than 95 %, once there are enough
/// of them. The same seed gives the same bytes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Simulate {
    /// How many seeds to run.
    #[arg(long, default_value_t = 500, conflicts_with = "seed")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1, conflicts_with = "seed")]
    from: u64,
    /// Run this seed alone and print its plan.
    #[arg(long)]
    seed: Option<u64>,
    /// Simulate releases whose new version is judged by metrics, instead of in-place and blue/green
    /// releases without a judge.
    #[arg(long)]
    canaries: bool,
    /// Simulate releases by custom actions, whose jobs are polled for.
    #[arg(long, conflicts_with = "canaries")]
    custom_actions: bool,
    /// Simulate blue/green releases, judged or not, with traffic that is not usual: rates that
    /// vary, bursts, tasks with a capacity, requests that are never answered and more.
    #[arg(long, conflicts_with_all = ["canaries", "custom_actions"])]
    traffic: bool,
    /// Simulate promotions: the images of commits go through four environments, with tests,
    /// approvals, freezes and a line that a failed release stops.
    #[arg(long, conflicts_with_all = ["canaries", "custom_actions", "traffic"])]
    promotions: bool,
    /// Simulate something else than releases.
    #[arg(long, conflicts_with_all = ["canaries", "custom_actions", "traffic", "promotions"])]
    scenario: Option<Scenario>,
    /// With --seed, print what happens, line by line.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Print one JSON object instead.
    #[arg(long)]
    json: bool,
    /// How many seeds run at once; all of the machine's cores unless given.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1024))]
    jobs: Option<u64>,
    /// Stop at the first seed that fails, without making its plan smaller.
    #[arg(long, conflicts_with = "seed")]
    first: bool,
}

/// What is simulated instead of releases.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Scenario {
    /// Pushes to many repositories, each with a pipeline that is started, while events are lost,
    /// doubled and late.
    Pushes,
}

impl Simulate {
    fn about(&self) -> About {
        if self.canaries {
            About::Canaries
        } else if self.custom_actions {
            About::CustomActions
        } else if self.traffic {
            About::Traffic
        } else if self.promotions {
            About::Promotions
        } else {
            About::Releases
        }
    }
}

const EXAMPLES: &str = "Examples:
  cargo sandbox simulate --seeds 5000          5,000 runs on all cores
  cargo sandbox simulate --seeds 500 --jobs 1  how fast one core is
  cargo sandbox simulate --seed 17 --trace     what happens in one run
  cargo sandbox simulate --canaries            500 runs in which new versions are judged
  cargo sandbox simulate --scenario pushes     500 runs of pushes to many repositories

Exit codes: 0 every run passed; 1 one failed, something was never exercised, too many good
canaries were rolled back, or too few deployed; 2 wrong arguments.";

/// What `--json` prints.
#[derive(Serialize)]
struct JsonOutput {
    passed: u64,
    failed: u64,
    releases: u64,
    good_canaries: u64,
    good_canaries_rolled_back: u64,
    rolled_back_by_class: BTreeMap<&'static str, [u64; 2]>,
    undisturbed_canaries: u64,
    undisturbed_canaries_deployed: u64,
    failures: BTreeMap<u64, String>,
    exercised: BTreeMap<String, u64>,
}

/// Runs what was requested.
pub(crate) fn simulate(arguments: &Simulate) -> Result<(), String> {
    match (arguments.scenario, arguments.seed) {
        (Some(Scenario::Pushes), Some(seed)) => pushes::one(seed, arguments),
        (Some(Scenario::Pushes), None) => pushes::many(arguments),
        (None, Some(seed)) => one(seed, arguments),
        (None, None) => many(arguments),
    }
}

fn one(seed: u64, arguments: &Simulate) -> Result<(), String> {
    let drawn = Drawn::of(seed, arguments.about());
    let Played {
        failure,
        trace,
        coverage,
    } = drawn.play(arguments.trace);

    if arguments.json {
        let failures = failure
            .iter()
            .map(|failure| (seed, failure.clone()))
            .collect();
        json(&coverage, arguments.about(), 1, failures);
    } else {
        print(drawn.to_string().trim_end());
        trace.iter().for_each(|line| print(line));
        if failure.is_none() {
            print("passed");
        }
    }
    failure.map_or(Ok(()), |failure| Err(format!("seed {seed}: {failure}")))
}

fn many(arguments: &Simulate) -> Result<(), String> {
    let bar = ProgressBar::with_draw_target(Some(arguments.seeds), target(arguments.json));
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} seeds, {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let started = Instant::now();
    let (coverage, failures) = run_all(arguments, &bar);
    bar.finish_and_clear();

    let took = started.elapsed();
    if arguments.json {
        json(
            &coverage,
            arguments.about(),
            arguments.seeds,
            failures.clone(),
        );
    } else {
        print_results(arguments, &coverage, &failures);
        print_speed(&coverage, took);
    }
    check(arguments, &coverage, &failures)
}

/// Prints the failures and what was exercised.
fn print_results(arguments: &Simulate, coverage: &Coverage, failures: &BTreeMap<u64, String>) {
    if !arguments.first {
        failures
            .iter()
            .take(EXPLAINED)
            .for_each(|(seed, failure)| explain(*seed, arguments, failure));
    }

    failures
        .iter()
        .for_each(|(seed, failure)| print(&format!("seed {seed} failed: {failure}")));
    for (what, times) in coverage.lines(arguments.about()) {
        print(&format!("{times:>10}  {what}"));
    }
    if arguments.canaries || arguments.traffic {
        print(&coverage.canaries.to_string());
    }

    let failed = failures.len() as u64;
    print(&format!("{} releases", coverage.releases));
    print(&format!(
        "{} passed, {failed} failed",
        arguments.seeds - failed
    ));
}

fn print_speed(coverage: &Coverage, took: Duration) {
    let speed = coverage.releases as f64 / took.as_secs_f64();
    let calls = coverage.calls / coverage.releases.max(1);
    eprintln!(
        "{:.1} s, {speed:.0} releases a second, {calls} AWS calls each",
        took.as_secs_f64()
    );
}

/// Whether every run passed, and everything was exercised where the seeds are enough for it.
fn check(
    arguments: &Simulate,
    coverage: &Coverage,
    failures: &BTreeMap<u64, String>,
) -> Result<(), String> {
    let missing: Vec<String> = coverage
        .lines(arguments.about())
        .into_iter()
        .filter(|(_, times)| *times == 0)
        .map(|(what, _)| what)
        .collect();
    match failures.first_key_value() {
        Some((seed, failure)) => Err(format!(
            "seed {seed} and {} others failed: {failure}",
            failures.len() - 1
        )),
        None if arguments.seeds >= ENOUGH_SEEDS && !missing.is_empty() => {
            Err(format!("never exercised: {}", missing.join("; ")))
        }
        None => coverage.canaries.check(),
    }
}

fn target(silent: bool) -> ProgressDrawTarget {
    if !silent && console::user_attended_stderr() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// Runs every seed; which thread runs which makes no difference to what comes out.
fn run_all(arguments: &Simulate, bar: &ProgressBar) -> (Coverage, BTreeMap<u64, String>) {
    let of_seed = |seed| {
        let Played {
            failure, coverage, ..
        } = Drawn::of(seed, arguments.about()).play(false);
        (failure, coverage)
    };
    run_each(arguments, bar, of_seed, Coverage::merge)
}

/// The same of any simulation: `play` runs a seed, and `merge` adds what it exercised.
fn run_each<C: Default + Send>(
    arguments: &Simulate,
    bar: &ProgressBar,
    play: impl Fn(u64) -> (Option<String>, C) + Sync,
    merge: impl Fn(&mut C, &C) + Sync,
) -> (C, BTreeMap<u64, String>) {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let (next, end) = (
        AtomicU64::new(arguments.from),
        arguments.from.saturating_add(arguments.seeds),
    );
    let all = Mutex::new((C::default(), BTreeMap::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }

            let (failure, coverage) = play(seed);
            let mut all = all
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            merge(&mut all.0, &coverage);

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

/// Prints a failing seed with the fewest incidents that still fail, and what happened.
fn explain(seed: u64, arguments: &Simulate, failure: &str) {
    let smallest = Drawn::of(seed, arguments.about()).shrink();
    let Played {
        failure: still,
        trace,
        ..
    } = smallest.play(true);
    print(&format!("seed {seed} fails: {failure}"));
    print("the fewest incidents that still fail:");
    print(smallest.to_string().trim_end());
    trace.iter().for_each(|line| print(line));
    print(&format!("=> {}\n", still.unwrap_or_default()));
}

fn json(coverage: &Coverage, about: About, seeds: u64, failures: BTreeMap<u64, String>) {
    let failed = failures.len() as u64;
    let canaries = &coverage.canaries;
    let by_class = canaries.of_class.iter();
    let by_class = by_class.map(|(class, of)| (class.as_str(), [of.rolled_back, of.judged]));
    let output = JsonOutput {
        passed: seeds - failed,
        failed,
        releases: coverage.releases,
        good_canaries: canaries.all.judged,
        good_canaries_rolled_back: canaries.all.rolled_back,
        rolled_back_by_class: by_class.collect(),
        undisturbed_canaries: canaries.undisturbed,
        undisturbed_canaries_deployed: canaries.undisturbed_deployed,
        failures,
        exercised: coverage.lines(about).into_iter().collect(),
    };
    print(&serde_json::to_string_pretty(&output).expect("texts and numbers always serialize"));
}
