//! What runs exercised, so that a simulation that tries nothing cannot pass.

mod canaries;
mod expected;
mod outcomes;
mod promotions;
mod worker;

use std::collections::BTreeMap;

use super::draw::About;
use super::freeze::{self, DrawnFreeze};
use super::plan::{Act, Incident, Plan, fault_word};
use super::play::is_of_busy_zone;
use super::shape::{
    CHECK, DrawnRecords, DrawnShift, PIPELINE, Shape, Strategy, in_place_strategies,
};
use emulator::client::CallFault;
use emulator::codepipeline::ActionStatus;
use emulator::ecs::Service;
use emulator::{Aws, QuirkCounts};
use harness::driver::Ran;
use harness::functions::ALL;
use invariants::ledger_reader::executions;

pub use canaries::{Canaries, CanaryClass, CanaryShare};
use expected::{
    BUSY_ZONE, EARLY_SUCCESS, EXPECTED, EXPECTED_OF_CANARIES, EXPECTED_OF_CUSTOM_ACTIONS,
    EXPECTED_OF_PROMOTIONS, EXPECTED_OF_RELEASES, EXPECTED_OF_TRAFFIC, Expected, FROZEN,
    REBALANCED, ROLLED_BACK_BY_ALARM, WORSE,
};

/// What crashes are counted by: functions, of which none that runs may be left out.
const CRASH_IN: &str = "crash in";

/// Counts, by what is counted and by its word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<(&'static str, String), u64>,
    quirks: QuirkCounts,
    /// Executions of the first service's pipeline that were about an image.
    pub releases: u64,
    /// Calls that invocations made to AWS.
    pub calls: u64,
    pub canaries: Canaries,
}

/// Whether an incident took effect, unless that shows in an attempt or in what an operator did.
pub(crate) fn is_met(incident: &Incident, aws: &Aws, ran: &[Ran]) -> bool {
    match incident {
        Incident::Duplicate { function, nth, .. } => {
            let attempts = ran.iter().filter(|ran| ran.function == *function);
            *nth < attempts.count()
        }
        Incident::Event { source, nth, .. } => aws.events.met.contains(&(*source, *nth)),
        Incident::Throttle { service, .. } => {
            let mut calls = aws.calls.iter();
            calls.any(|call| call.service == *service && call.is_throttled())
        }
        Incident::Metrics(metrics) => metrics.met(aws),
        Incident::Call { .. } | Incident::Act { .. } => false,
    }
}

impl Coverage {
    fn add(&mut self, what: &'static str, word: impl Into<String>, times: u64) {
        *self.counts.entry((what, word.into())).or_default() += times;
    }

    pub(super) fn act(&mut self, act: Act) {
        self.add("act", act.as_str(), 1);
    }

    pub(super) fn answer(&mut self, word: &str) {
        self.add("act", word, 1);
    }

    pub(super) fn invariants(&mut self, evaluated: &BTreeMap<&'static str, u64>) {
        for (invariant, times) in evaluated {
            self.add("invariant", *invariant, *times);
        }
    }

    pub(super) fn bound(&mut self, calm: bool) {
        self.add(
            "invariant",
            "9 what nothing is wrong with is deployed",
            u64::from(calm),
        );
    }

    pub(super) fn worse(&mut self, is_plain: bool) {
        self.add("invariant", WORSE, u64::from(is_plain));
    }

    /// What the account and the attempts of a run show. `pushed` are the digests of the pushes.
    pub(super) fn account(&mut self, plan: &Plan, aws: &Aws, ran: &[Ran], pushed: &[String]) {
        self.shape(&plan.shape);
        for push in &plan.pushes {
            self.add("image", push.image.as_str(), 1);
            self.add("image", "replicated", u64::from(push.replicated));
        }
        // The functions that stacks invoke are not drawn.
        self.attempts(ran, ALL);
        self.incidents(&plan.incidents, aws, ran);
        self.freeze(plan.freeze, aws, PIPELINE);
        for traffic in &plan.traffic {
            self.add("traffic", traffic.as_str(), 1);
        }
        self.judged(plan, aws, pushed);

        self.outcomes(aws);
        self.checks(aws);
        self.polled(aws);

        self.quirks.add(aws.quirks.counts());
        self.calls += ran.iter().map(|ran| u64::from(ran.calls)).sum::<u64>();
    }

    /// What went wrong with attempts: none of these functions may be left out.
    fn attempts(&mut self, ran: &[Ran], functions: &[&str]) {
        for attempt in ran {
            if functions.contains(&attempt.function.as_str()) {
                self.add(CRASH_IN, attempt.function.clone(), 0);
            }
            for fault in &attempt.met {
                self.add("fault", fault_word(*fault), 1);
                if let CallFault::CrashAfter(_) | CallFault::CrashBefore(_) = fault {
                    self.add(CRASH_IN, attempt.function.clone(), 1);
                }
            }
        }
    }

    /// What the services are, and how they are released.
    fn shape(&mut self, shape: &Shape) {
        self.add("strategy", format!("{:?}", shape.strategy), 1);
        if let Some(oddity) = shape.oddity {
            self.add("service", oddity.as_str(), 1);
        }
        self.add("service", REBALANCED, u64::from(shape.rebalanced));
        let ends_early = shape.early_success.is_some();
        self.add("service", EARLY_SUCCESS, u64::from(ends_early));
        if let Some(checks) = shape.checks {
            self.add("checks", checks.as_str(), 1);
        }

        let Some(pair) = &shape.pair else { return };
        let word = match pair.shift {
            DrawnShift::AllAtOnce => "all-at-once",
            DrawnShift::Linear(_) => "linear",
            DrawnShift::Listed(_) => "listed",
            DrawnShift::Judged(_) => "judged",
        };
        self.add("shift", word, 1);
        let route = pair.records.map_or("a rule", DrawnRecords::as_str);
        self.add("route", route, 1);
        let is_scaled = pair.capacity.is_some();
        self.add(
            "scaling",
            if is_scaled { "scaled" } else { "not scaled" },
            1,
        );
    }

    /// What held releases back, and what came of it.
    fn freeze(&mut self, freeze: Option<DrawnFreeze>, aws: &Aws, pipeline: &str) {
        let Some(freeze) = freeze else { return };
        self.add("freeze", freeze.as_str(), 1);
        for (word, times) in FROZEN.iter().zip(freeze::met(aws, pipeline)) {
            self.add("freeze", *word, times);
        }
    }

    /// How the actions ended that make HTTP checks.
    fn checks(&mut self, aws: &Aws) {
        let stages = executions(aws, PIPELINE).flat_map(|execution| &execution.stages);
        let actions = stages.flat_map(|stage| &stage.actions);
        for action in actions.filter(|action| action.name == CHECK) {
            match action.status {
                ActionStatus::Succeeded => self.add("checks", "passed", 1),
                ActionStatus::Failed => self.add("checks", "failed", 1),
                ActionStatus::InProgress | ActionStatus::Abandoned => {}
            }
        }
    }

    /// Incidents that took effect elsewhere than in a call.
    fn incidents(&mut self, incidents: &[Incident], aws: &Aws, ran: &[Ran]) {
        for incident in incidents.iter().filter(|it| is_met(it, aws, ran)) {
            self.add("fault", incident.as_str(), 1);
        }

        let busy = aws.calls.iter().any(is_of_busy_zone);
        self.add("fault", BUSY_ZONE, u64::from(busy));

        let by_alarm = |service: &&Service| service.was_rolled_back_by_alarms();
        let rolled_back = aws.ecs.services.values().filter(by_alarm).count();
        self.add("service", ROLLED_BACK_BY_ALARM, rolled_back as u64);
    }

    /// Adds what another run exercised.
    pub fn merge(&mut self, other: &Self) {
        for (key, times) in &other.counts {
            *self.counts.entry(key.clone()).or_default() += times;
        }
        self.quirks.add(&other.quirks);
        self.releases += other.releases;
        self.calls += other.calls;
        self.canaries.merge(&other.canaries);
    }

    /// Every line with its count: those that were met, and those that had to be.
    #[must_use]
    pub fn lines(&self, about: About) -> Vec<(String, u64)> {
        let mut counts = self.counts.clone();
        let own = expected::of(about);
        let of_all = [
            EXPECTED_OF_RELEASES,
            EXPECTED_OF_CANARIES,
            EXPECTED_OF_CUSTOM_ACTIONS,
            EXPECTED_OF_TRAFFIC,
            EXPECTED_OF_PROMOTIONS,
        ];
        let is_of = |expected: Expected, what: &str, word: &str| {
            let mut known = expected.iter();
            known.any(|(of, words)| *of == what && words.contains(&word))
        };
        let is_others = |what: &str, word: &str| {
            let mut others = of_all.iter();
            others.any(|other| is_of(*other, what, word)) && !is_of(own, what, word)
        };
        counts.retain(|(what, word), times| *times > 0 || !is_others(what, word));

        // Releases of one service or pair have these in common, and promotions none of them.
        let common = EXPECTED.iter().filter(|_| about != About::Promotions);
        for (what, words) in common.chain(own) {
            for word in *words {
                counts.entry((*what, (*word).to_owned())).or_default();
            }
        }
        let strategies = match about {
            About::Releases => Strategy::ALL.to_vec(),
            About::Promotions => in_place_strategies(),
            About::Canaries | About::CustomActions | About::Traffic => Vec::new(),
        };
        for strategy in strategies {
            let word = format!("{strategy:?}");
            counts.entry(("strategy", word)).or_default();
        }

        let mut lines: Vec<(String, u64)> = counts
            .into_iter()
            .map(|((what, word), times)| (format!("{what}: {word}"), times))
            .collect();
        for (quirk, [without, with]) in self.quirks.iter() {
            let rule = quirk.rule();
            lines.push((format!("rule holds: {rule}"), u64::from(with)));
            lines.push((format!("rule does not hold: {rule}"), u64::from(without)));
        }
        lines
    }
}
