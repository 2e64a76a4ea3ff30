//! What promotions exercised.

use emulator::Aws;
use emulator::ecr::Behaviour;
use harness::demo::promotion::PIPELINE;
use harness::driver::Ran;
use invariants::ledger_reader::executions;
use invariants::{A_COLOUR_STAYS, A_FAILED_CANARY, A_SHARED_FAMILY};

use super::Coverage;
use crate::promotion::{FUNCTIONS, Promotion, releases};

/// Invariants about what no environment of a promotion has: pairs, pushes of images, and families
/// that services share. All others must have had something to check.
const OF_NO_ENVIRONMENT: [&str; 11] = [
    "1 traffic goes to a colour that was seen fit",
    "3 scale-in is given back",
    "4 no push is lost",
    "4 no push starts twice",
    "4 what cannot run starts nothing",
    "7 nothing is scaled in while traffic moves",
    "7 the old colour drains",
    "8 weights that an operator set are left alone",
    A_COLOUR_STAYS,
    A_FAILED_CANARY,
    A_SHARED_FAMILY,
];

impl Coverage {
    /// How often something was checked.
    pub(crate) fn invariant(&mut self, invariant: &'static str, times: u64) {
        self.add("invariant", invariant, times);
    }

    /// What the account and the attempts of a promotion show.
    pub(crate) fn promotion(&mut self, plan: &Promotion, aws: &Aws, ran: &[Ran]) {
        self.counts.retain(|(what, word), times| {
            *times > 0 || *what != "invariant" || !OF_NO_ENVIRONMENT.contains(&word.as_str())
        });
        self.add("strategy", format!("{:?}", plan.strategy), 1);
        self.add("mode", plan.mode, 1);
        for commit in &plan.commits {
            let word = match commit.behaviour {
                Behaviour::Healthy => "healthy",
                Behaviour::NeverHealthy => "never healthy",
                _ => "exits",
            };
            self.add("image", word, 1);
            self.add("fails", commit.fails.unwrap_or("nothing"), 1);
        }

        let functions = FUNCTIONS.map(|(function, _)| function);
        self.attempts(ran, &functions);
        self.incidents(&plan.incidents, aws, ran);
        self.freeze(plan.freeze, aws, PIPELINE);

        for execution in executions(aws, PIPELINE) {
            let releases = releases(aws, execution);
            self.releases += releases.len() as u64;
            for (service, outcome) in releases {
                self.add("environment", format!("{service} {outcome}"), 1);
            }
        }
        self.quirks.add(aws.quirks.counts());
        self.calls += ran.iter().map(|ran| u64::from(ran.calls)).sum::<u64>();
    }
}
