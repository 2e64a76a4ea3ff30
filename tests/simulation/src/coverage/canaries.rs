//! How good canaries fared: overall, by what is unusual about them, and where nothing went wrong.

use std::collections::BTreeMap;
use std::fmt;

use super::Coverage;
use crate::bound;
use crate::canary::{self, Canary, DrawnInconclusive, Flaw};
use crate::plan::{Image, Plan};
use crate::shape::PIPELINE;
use crate::traffic::DrawnTraffic;
use emulator::Aws;
use emulator::ecr::Behaviour;
use invariants::ledger_reader::{digest, executions, record, text};

/// With this many judged good images or more, of all or of a class, their share is meaningful.
const ENOUGH_CANARIES: u64 = 300;
/// The same for those that nothing went wrong with.
const ENOUGH_UNDISTURBED: u64 = 100;

/// What is unusual about a canary. One can be of several classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CanaryClass {
    /// Minutes are better or worse than others, for all versions alike.
    Jitter,
    /// 5XX come together.
    Bursts,
    /// The image is slow at first.
    Cold,
    /// Clients keep their target group.
    Sticky,
    /// There is too little traffic for a verdict.
    Quiet,
}

/// How many canaries were judged, and how many of them were rolled back by their metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CanaryShare {
    pub judged: u64,
    pub rolled_back: u64,
}

/// How good images were judged where the service was not changed by hand and no task died.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canaries {
    pub all: CanaryShare,
    pub of_class: BTreeMap<CanaryClass, CanaryShare>,
    /// Those with usual traffic and nothing going wrong, of which the first summary expected a
    /// decision within the bake.
    pub undisturbed: u64,
    pub undisturbed_deployed: u64,
}

impl CanaryClass {
    const ALL: [Self; 5] = [
        Self::Jitter,
        Self::Bursts,
        Self::Cold,
        Self::Sticky,
        Self::Quiet,
    ];

    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jitter => "jitter",
            Self::Bursts => "bursts",
            Self::Cold => "cold",
            Self::Sticky => "sticky",
            Self::Quiet => "quiet",
        }
    }

    /// Whether a release of an image is of it.
    fn has(self, plan: &Plan, image: Image) -> bool {
        let mut traffic = plan.traffic.iter();
        match self {
            Self::Jitter => traffic.any(|it| matches!(it, DrawnTraffic::Varies { .. })),
            Self::Bursts => traffic.any(|it| it.is_in_bursts()),
            Self::Cold => matches!(image, Image::Flawed(Flaw::Cold(..))),
            Self::Sticky => traffic.any(|it| matches!(it, DrawnTraffic::Sticky { .. })),
            Self::Quiet => !plan.shape.canary().is_some_and(Canary::is_busy),
        }
    }
}

impl CanaryShare {
    fn count(&mut self, is_rolled_back: bool) {
        self.judged += 1;
        self.rolled_back += u64::from(is_rolled_back);
    }

    fn merge(&mut self, other: Self) {
        self.judged += other.judged;
        self.rolled_back += other.rolled_back;
    }

    /// Of good images at most one in a hundred is rolled back, once there are enough of them.
    fn check(self, what: &str) -> Result<(), String> {
        if self.judged >= ENOUGH_CANARIES && self.rolled_back * 100 > self.judged {
            return Err(format!(
                "{} of {} good canaries{what} were rolled back, expected at most 1 %",
                self.rolled_back, self.judged
            ));
        }
        Ok(())
    }
}

impl Canaries {
    pub(super) fn merge(&mut self, other: &Self) {
        self.all.merge(other.all);
        for (class, share) in &other.of_class {
            self.of_class.entry(*class).or_default().merge(*share);
        }
        self.undisturbed += other.undisturbed;
        self.undisturbed_deployed += other.undisturbed_deployed;
    }

    /// What is wrong with the shares, once there are enough: of good images at most one in a
    /// hundred is rolled back, of all and of each class, and of those that nothing went wrong with
    /// 95 % are deployed.
    ///
    /// # Errors
    /// The share that is not kept.
    pub fn check(&self) -> Result<(), String> {
        self.all.check("")?;
        for (class, share) in &self.of_class {
            share.check(&format!(" ({})", class.as_str()))?;
        }
        if self.undisturbed >= ENOUGH_UNDISTURBED
            && self.undisturbed_deployed * 100 < self.undisturbed * 95
        {
            let (deployed, all) = (self.undisturbed_deployed, self.undisturbed);
            return Err(format!(
                "of {all} undisturbed good canaries {deployed} were deployed, expected at least \
                 95 %"
            ));
        }
        Ok(())
    }
}

impl fmt::Display for CanaryShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} judged, {} of them rolled back",
            self.judged, self.rolled_back
        )
    }
}

impl fmt::Display for Canaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "good canaries: {}", self.all)?;
        for class in CanaryClass::ALL {
            let share = self.of_class.get(&class).copied().unwrap_or_default();
            writeln!(f, "  {}: {share}", class.as_str())?;
        }
        write!(
            f,
            "  undisturbed, with a decision expected: {}, {} of them deployed",
            self.undisturbed, self.undisturbed_deployed
        )
    }
}

impl Coverage {
    /// The results of judges, and how good images fared.
    pub(super) fn judged(&mut self, plan: &Plan, aws: &Aws, pushed: &[String]) {
        let Some(canary) = plan.shape.canary() else {
            return;
        };

        for execution in executions(aws, PIPELINE) {
            let decisions = canary::decisions(aws, &execution.id);
            self.verdicts(canary, &decisions);
            let image = digest(execution).and_then(|digest| good(plan, pushed, digest));
            let Some(image) = image.filter(|_| !decisions.is_empty()) else {
                continue;
            };

            let is_expected = canary::is_expected(aws, &execution.id);
            self.add("first summary", EXPECTATIONS[usize::from(is_expected)], 1);
            if !bound::is_steady(plan) {
                continue;
            }

            let is_rolled_back = decisions.iter().any(|decision| decision == "rollback");
            self.canaries.all.count(is_rolled_back);
            for class in CanaryClass::ALL
                .into_iter()
                .filter(|it| it.has(plan, image))
            {
                let share = self.canaries.of_class.entry(class).or_default();
                share.count(is_rolled_back);
            }

            let is_usual = plan.incidents.is_empty() && plan.traffic.is_empty();
            if is_usual && is_expected && image == Image::New(Behaviour::Healthy) {
                let record = record(aws, &execution.id);
                let outcome = record.as_ref().and_then(|record| text(record, "outcome"));
                self.canaries.undisturbed += 1;
                self.canaries.undisturbed_deployed += u64::from(outcome == Some("deployed"));
            }
        }
    }

    /// What the judge of a release found.
    fn verdicts(&mut self, canary: &Canary, decisions: &[String]) {
        for decision in decisions {
            // Something else than the judge has ended it: an operator, an alarm, or tasks that are
            // not healthy.
            let is_open = decision == "continue";
            self.add("verdict", if is_open { "none yet" } else { decision }, 1);

            let may_hold = matches!(canary.inconclusive, DrawnInconclusive::Hold(_));
            if decision == "inconclusive" || is_open && may_hold {
                self.add("when inconclusive", canary.inconclusive.as_str(), 1);
            }
        }
    }
}

/// Words for what the first summary of a judgement expects.
pub(super) const EXPECTATIONS: [&str; 2] = ["expects no decision", "expects a decision"];

/// The image of a digest, if it is good: a cold one is, too.
fn good(plan: &Plan, pushed: &[String], digest: &str) -> Option<Image> {
    let is_good = |image: &Image| {
        matches!(
            image,
            Image::New(Behaviour::Healthy) | Image::Flawed(Flaw::Cold(..))
        )
    };
    let mut images = pushed.iter().zip(&plan.pushes);
    let of_digest = images.find(|(pushed, _)| *pushed == digest);
    of_digest.map(|(_, push)| push.image).filter(is_good)
}
