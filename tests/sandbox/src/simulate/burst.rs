//! `cargo sandbox simulate --scenario burst`.

use emulator::Rate;
use serde_json::json;
use simulation::burst::{Figures, Load, play};

use super::Simulate;
use crate::show::print;

/// The subscriptions, and the pushes that come at once.
const SUBSCRIPTIONS: usize = 10_000;
const PUSHES: usize = 1_000;
/// How long only the sweeps go on afterwards.
const HOURS: usize = 3;
/// How fast CodePipeline starts executions in the second run. No document has the rate.
const STARTS: Rate = Rate {
    burst: 20,
    per_second: 10,
};

/// Plays the burst without a limit of starts, and then with one; with a seed, one of the two.
///
/// # Errors
/// What was lost, what came too fast, or how much memory grew.
pub(super) fn simulate(arguments: &Simulate) -> Result<(), String> {
    let runs = [(1, None), (2, Some(STARTS))];
    for (seed, starts) in runs {
        if arguments.seed.is_some_and(|wanted| wanted % 2 != seed % 2) {
            continue;
        }
        let load = Load {
            subscriptions: SUBSCRIPTIONS,
            pushes: PUSHES,
            starts,
            hours: HOURS,
        };
        let figures = play(load)?;
        show(arguments.json, starts, &figures);
        figures.check_memory()?;
    }
    Ok(())
}

fn show(is_json: bool, starts: Option<Rate>, figures: &Figures) {
    let per_second = starts.map(|rate| rate.per_second);
    if is_json {
        let output = json!({
            "subscriptions": SUBSCRIPTIONS, "pushes": PUSHES, "starts_a_second": per_second,
            "figures": figures.json(),
        });
        print(&output.to_string());
        return;
    }
    let limit = match per_second {
        Some(per_second) => format!("CodePipeline starts {per_second} executions a second"),
        None => "CodePipeline starts executions without a limit".to_owned(),
    };
    print(&format!(
        "{SUBSCRIPTIONS} subscriptions, {PUSHES} pushes at once; {limit}"
    ));
    for (what, value) in figures.lines() {
        print(&format!("{what:<34} {value}"));
    }
}
