//! `cargo sandbox simulate`: many seeds at once, or one with its trace.

mod burst;
mod pushes;
mod releases;
mod runner;

use clap::Args;
use simulation::About;

use pushes::Pushes;
use releases::Releases;

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
    /// 1,000 pushes at once to 10,000 repositories with a pipeline each, with the quotas of AWS:
    /// two runs, without and with a limit of starts. It prints figures, and takes minutes.
    Burst,
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
  cargo simulate --scenario burst              1,000 pushes to 10,000 subscriptions

Exit codes: 0 every run passed; 1 one failed, something was never exercised, too many good
canaries were rolled back, or too few deployed; 2 wrong arguments.";

/// Runs what was requested.
pub(crate) fn simulate(arguments: &Simulate) -> Result<(), String> {
    match arguments.scenario {
        Some(Scenario::Pushes) => runner::simulate(&Pushes, arguments),
        Some(Scenario::Burst) => burst::simulate(arguments),
        None => {
            let about = arguments.about();
            runner::simulate(&Releases { about }, arguments)
        }
    }
}
