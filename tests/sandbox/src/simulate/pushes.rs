//! `cargo sandbox simulate --scenario pushes`.

use std::collections::BTreeMap;
use std::time::Instant;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use simulation::pushes::{PlayedPushes, PushCoverage, draw, play, shrink};

use super::{ENOUGH_SEEDS, EXPLAINED, Simulate, run_each, target};
use crate::show::print;

pub(super) fn one(seed: u64, arguments: &Simulate) -> Result<(), String> {
    let plan = draw(seed);
    let played = play(&plan, arguments.trace);

    if arguments.json {
        let failure = played.failure.iter();
        let failures = failure.map(|failure| (seed, failure.clone())).collect();
        print(&json_of(1, &played.coverage, &failures).to_string());
    } else {
        print(plan.to_string().trim_end());
        played.trace.iter().for_each(|line| print(line));
        if played.failure.is_none() {
            print("passed");
        }
    }
    let failed = |failure| Err(format!("seed {seed}: {failure}"));
    played.failure.map_or(Ok(()), failed)
}

pub(super) fn many(arguments: &Simulate) -> Result<(), String> {
    let bar = ProgressBar::with_draw_target(Some(arguments.seeds), target(arguments.json));
    let started = Instant::now();
    let of_seed = |seed| {
        let PlayedPushes {
            failure, coverage, ..
        } = play(&draw(seed), false);
        (failure, coverage)
    };
    let (coverage, failures) = run_each(arguments, &bar, of_seed, PushCoverage::merge);
    bar.finish_and_clear();

    if arguments.json {
        print(&json_of(arguments.seeds, &coverage, &failures).to_string());
    } else {
        if !arguments.first {
            let explained = failures.iter().take(EXPLAINED);
            explained.for_each(|(seed, failure)| explain(*seed, failure));
        }
        print_results(arguments, &coverage, &failures);
        let took = started.elapsed().as_secs_f64();
        let speed = coverage.pushes as f64 / took;
        eprintln!("{took:.1} s, {speed:.0} pushes a second");
    }
    check(arguments, &coverage, &failures)
}

/// Prints a failing seed with the fewest acts and incidents that still fail, and what happened.
fn explain(seed: u64, failure: &str) {
    let smallest = shrink(&draw(seed));
    let PlayedPushes {
        failure: still,
        trace,
        ..
    } = play(&smallest, true);
    print(&format!("seed {seed} fails: {failure}"));
    print("the fewest acts and incidents that still fail:");
    print(smallest.to_string().trim_end());
    trace.iter().for_each(|line| print(line));
    print(&format!("=> {}\n", still.unwrap_or_default()));
}

fn print_results(arguments: &Simulate, coverage: &PushCoverage, failures: &BTreeMap<u64, String>) {
    for (seed, failure) in failures {
        print(&format!("seed {seed} failed: {failure}"));
    }
    for (what, times) in coverage.lines() {
        print(&format!("{times:>10}  {what}"));
    }
    print(&format!(
        "{} pushes to {} repositories, {} starts",
        coverage.pushes, coverage.repositories, coverage.starts
    ));
    let failed = failures.len() as u64;
    print(&format!(
        "{} passed, {failed} failed",
        arguments.seeds - failed
    ));
}

/// Whether every run passed, and everything was exercised where the seeds are enough for it.
fn check(
    arguments: &Simulate,
    coverage: &PushCoverage,
    failures: &BTreeMap<u64, String>,
) -> Result<(), String> {
    if let Some((seed, failure)) = failures.first_key_value() {
        return Err(format!(
            "seed {seed} and {} others failed: {failure}",
            failures.len() - 1
        ));
    }
    let lines = coverage.lines().into_iter();
    let missing = lines.filter(|(_, times)| *times == 0);
    let missing: Vec<String> = missing.map(|(what, _)| what).collect();
    if arguments.seeds >= ENOUGH_SEEDS && !missing.is_empty() {
        return Err(format!("never exercised: {}", missing.join("; ")));
    }
    Ok(())
}

fn json_of(seeds: u64, coverage: &PushCoverage, failures: &BTreeMap<u64, String>) -> Value {
    let failed = failures.len() as u64;
    json!({
        "passed": seeds - failed,
        "failed": failed,
        "repositories": coverage.repositories,
        "pushes": coverage.pushes,
        "starts": coverage.starts,
        "failures": failures,
        "exercised": coverage.lines(),
    })
}
