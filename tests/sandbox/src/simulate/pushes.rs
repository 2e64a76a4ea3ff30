//! `cargo sandbox simulate --scenario pushes`.

use serde_json::json;
use simulation::pushes::{PlayedPushes, PushCoverage, PushPlan, draw, play, shrink};

use super::runner::{Failures, Run, Simulation};

/// The simulation of pushes.
pub(super) struct Pushes;

impl Simulation for Pushes {
    type Plan = PushPlan;
    type Coverage = PushCoverage;

    const PARTS: &'static str = "acts and incidents";

    fn draw(&self, seed: u64) -> PushPlan {
        draw(seed)
    }

    fn play(&self, plan: &PushPlan, traces: bool) -> Run<PushCoverage> {
        let PlayedPushes {
            failure,
            coverage,
            trace,
        } = play(plan, traces);
        Run {
            failure,
            coverage,
            trace,
        }
    }

    fn shrink(&self, plan: &PushPlan) -> PushPlan {
        shrink(plan)
    }

    fn merge(&self, all: &mut PushCoverage, one: &PushCoverage) {
        all.merge(one);
    }

    fn lines(&self, coverage: &PushCoverage) -> Vec<(String, u64)> {
        coverage.lines().into_iter().collect()
    }

    fn summary(&self, coverage: &PushCoverage) -> Vec<String> {
        vec![format!(
            "{} pushes to {} repositories, {} starts",
            coverage.pushes, coverage.repositories, coverage.starts
        )]
    }

    fn speed(&self, coverage: &PushCoverage, secs: f64) -> String {
        format!("{:.0} pushes a second", coverage.pushes as f64 / secs)
    }

    fn json(&self, coverage: &PushCoverage, seeds: u64, failures: &Failures) -> String {
        let failed = failures.len() as u64;
        let output = json!({
            "passed": seeds - failed,
            "failed": failed,
            "repositories": coverage.repositories,
            "pushes": coverage.pushes,
            "starts": coverage.starts,
            "failures": failures,
            "exercised": coverage.lines(),
        });
        output.to_string()
    }
}
