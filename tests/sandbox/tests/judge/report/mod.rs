//! Reports: what they look like, what they must never hold, and that a recorded judgement replays
//! to its verdict.

mod command;
mod golden;
mod page;
mod replay;

use slipway::judge::canary::scenario::Scenario;
use slipway::judge::report::Judgement;

const CASES: [&str; 7] = [
    "promoted",
    "rolled-back-by-errors",
    "rolled-back-by-latency",
    "too-little-traffic",
    "shared-incident",
    "late-metrics",
    "exam",
];

fn line(case: &str) -> String {
    let path = format!(
        "{}/examples/judge/cases/{case}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

fn scenario(case: &str) -> Scenario {
    Scenario::from_json(&line(case)).unwrap()
}

fn judgement(case: &str) -> Judgement {
    Judgement::from_scenario(&scenario(case))
}
