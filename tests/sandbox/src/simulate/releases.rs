//! `cargo sandbox simulate` without a scenario: releases, of canaries, promotions and others.

use std::collections::BTreeMap;

use serde::Serialize;
use simulation::{About, Coverage, Drawn, Played};

use super::runner::{Failures, Run, Simulation};

/// The simulation of releases about this.
pub(super) struct Releases {
    pub(super) about: About,
}

/// What `--json` prints.
#[derive(Serialize)]
struct JsonOutput<'a> {
    passed: u64,
    failed: u64,
    releases: u64,
    good_canaries: u64,
    good_canaries_rolled_back: u64,
    rolled_back_by_class: BTreeMap<&'static str, [u64; 2]>,
    undisturbed_canaries: u64,
    undisturbed_canaries_deployed: u64,
    failures: &'a Failures,
    exercised: BTreeMap<String, u64>,
}

impl Simulation for Releases {
    type Plan = Drawn;
    type Coverage = Coverage;

    const PARTS: &'static str = "incidents";

    fn draw(&self, seed: u64) -> Drawn {
        Drawn::of(seed, self.about)
    }

    fn play(&self, plan: &Drawn, traces: bool) -> Run<Coverage> {
        let Played {
            failure,
            trace,
            coverage,
        } = plan.play(traces);
        Run {
            failure,
            coverage,
            trace,
        }
    }

    fn shrink(&self, plan: &Drawn) -> Drawn {
        plan.shrink()
    }

    fn merge(&self, all: &mut Coverage, one: &Coverage) {
        all.merge(one);
    }

    fn lines(&self, coverage: &Coverage) -> Vec<(String, u64)> {
        coverage.lines(self.about)
    }

    fn summary(&self, coverage: &Coverage) -> Vec<String> {
        let are_judged = matches!(self.about, About::Canaries | About::Traffic);
        let canaries = are_judged.then(|| coverage.canaries.to_string());
        let releases = format!("{} releases", coverage.releases);
        canaries.into_iter().chain([releases]).collect()
    }

    fn speed(&self, coverage: &Coverage, secs: f64) -> String {
        let speed = coverage.releases as f64 / secs;
        let calls = coverage.calls / coverage.releases.max(1);
        format!("{speed:.0} releases a second, {calls} AWS calls each")
    }

    fn json(&self, coverage: &Coverage, seeds: u64, failures: &Failures) -> String {
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
            exercised: self.lines(coverage).into_iter().collect(),
        };
        serde_json::to_string_pretty(&output).expect("texts and numbers always serialize")
    }

    fn check(&self, coverage: &Coverage) -> Result<(), String> {
        coverage.canaries.check()
    }
}
