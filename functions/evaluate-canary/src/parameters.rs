//! The user parameters of the step: how long the new colour is judged, and what follows an
//! inconclusive judgement.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::job::Failure;
use slipway::judge::JudgeConfig;
use slipway::limits::{BAKE_MAX_MINUTES, MINIMUM_HEALTHY_PERCENT};
use slipway::observed::alarm::check_names;
use slipway::observed::service::check_revision_arn;
use slipway::release::OperatorDecision;
use slipway::strategy::Percent;
use slipway::strategy::canary::{Settings, plan};
use slipway::timestamp::minutes;

/// Minutes that an inconclusive judgement waits for a decision, unless the action gives another
/// number.
const HOLD_MINUTES: u32 = 120;

/// User parameters of an evaluate-canary action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// ARN of the revision that the new colour must run.
    pub task_definition: String,
    /// The share of the traffic that the judgement raises the new colour to, in percent, as soon as
    /// nothing speaks against it; 0 chooses 10, 25 or 50 by the traffic of the hour before. Without
    /// it the share stays as it is.
    pub last_percent: Option<Percent<0, 99>>,
    /// After how many judged minutes the judgement ends, over all shares; 60 when neither this nor
    /// `config` gives a number.
    #[schemars(range(min = 1))]
    pub bake_minutes: Option<u32>,
    /// Minutes that must be usable before a promotion; 5 when neither this nor `config` gives a
    /// number.
    pub min_minutes: Option<u32>,
    /// The first minutes with traffic, in which new tasks warm up: their response times and values
    /// are not judged, their errors are. 3 when neither this nor `config` gives a number.
    pub warm_up_minutes: Option<u32>,
    /// What follows when neither harm nor health was shown at the end; `hold` when not given.
    pub inconclusive: Option<Inconclusive>,
    /// How long `hold` waits for a decision before the traffic is restored, in minutes; 120 when
    /// not given.
    pub hold_minutes: Option<u32>,
    /// CloudWatch alarms, metric or composite, that end the judgement at once when they are in
    /// ALARM.
    pub alarms: Option<Vec<String>>,
    /// Share of the filled tasks that must stay healthy while the new colour has traffic; 75 when
    /// not given.
    pub minimum_healthy_percent: Option<Percent<1, 100>>,
    /// Settings of the judge and further metrics, as `<input artifact>::<path>` of a JSON file.
    pub config: Option<String>,
    /// The decision of an operator who invokes the function directly while it waits for one.
    pub decision: Option<OperatorDecision>,
}

/// The words of the `inconclusive` parameter.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Inconclusive {
    /// The weights stay until an operator decides.
    Hold,
    /// The traffic is restored.
    RollBack,
    /// The release is promoted.
    Promote,
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        check_revision_arn(&self.task_definition).map_err(Failure::configuration)?;
        let refuse = |why: String| Err(Failure::configuration(why));
        if self.bake_minutes == Some(0) {
            return refuse("`bake_minutes` is 0; expected 1 or more".to_owned());
        }
        if let (Some(min), Some(bake)) = (self.min_minutes, self.bake_minutes)
            && min > bake
        {
            return refuse(format!(
                "`min_minutes` is {min} and `bake_minutes` is {bake}; expected `min_minutes` to be \
                 at most `bake_minutes`"
            ));
        }

        if self.hold_minutes.is_some() && self.inconclusive() != Inconclusive::Hold {
            return refuse(
                "`hold_minutes` is given; expected with `inconclusive` `hold` only; remove it, or \
                 choose `hold`"
                    .to_owned(),
            );
        }

        check_names(self.alarms.as_deref().unwrap_or_default())
    }

    /// The settings of the file; the parameters override them.
    pub(crate) fn settings(&self, mut settings: Settings) -> Result<Settings, Failure> {
        let judge = &mut settings.judge;
        judge.end = self.bake_minutes.unwrap_or(judge.end);
        judge.warm_up = self.warm_up_minutes.unwrap_or(judge.warm_up);

        // A short bake needs no minimum that it cannot reach, unless it is given.
        judge.min_minutes = self.min_minutes.unwrap_or(judge.min_minutes.min(judge.end));
        if judge.min_minutes > judge.end {
            return Err(Failure::configuration(format!(
                "`min_minutes` is {} and the bake ends after {}; expected `min_minutes` to be at \
                 most the bake",
                judge.min_minutes, judge.end
            )));
        }
        self.check_raise(judge)?;

        let minutes = u64::from(judge.end) + u64::from(self.held_minutes());
        if minutes > u64::from(BAKE_MAX_MINUTES) {
            return Err(Failure::configuration(format!(
                "`bake_minutes` and `hold_minutes` are {minutes} minutes in all; expected at most \
                 {BAKE_MAX_MINUTES}, since an action ends after 24 hours"
            )));
        }

        Ok(settings)
    }

    /// How long the judgement and a hold take at most. What only the file of `config` has is not
    /// known here.
    pub(crate) fn works(&self) -> Duration {
        let bake = match (self.bake_minutes, &self.config) {
            (Some(given), _) => given,
            (None, Some(_)) => 0,
            (None, None) => Settings::default().judge.end,
        };
        minutes(bake.saturating_add(self.held_minutes()))
    }

    /// How long an inconclusive judgement waits for a decision.
    fn held_minutes(&self) -> u32 {
        match self.inconclusive() {
            Inconclusive::Hold => self.hold_minutes(),
            Inconclusive::RollBack | Inconclusive::Promote => 0,
        }
    }

    /// Refuses a bake in which a share that is raised could not be decided. The whole bake as the
    /// minimum is not refused: it is how nothing is promoted without an operator. Nor is a bake at
    /// whose end the canary is promoted anyway: it looks for harm alone.
    fn check_raise(&self, judge: &JudgeConfig) -> Result<(), Failure> {
        let shortest = plan::shortest_bake(judge);
        let is_decidable = judge.end >= shortest
            || self.min_minutes == Some(judge.end)
            || self.inconclusive() == Inconclusive::Promote;
        if self.last_percent.is_none() || is_decidable {
            return Ok(());
        }

        Err(Failure::configuration(format!(
            "`min_minutes` is {}, `warm_up_minutes` is {}, and the bake (`bake_minutes`) ends \
             after {}; expected a bake of at least {shortest} with `last_percent`: `min_minutes` \
             before the raise and after it, the warm-up of judged latency, and {} minutes for the \
             raise",
            judge.min_minutes,
            judge.warm_up,
            judge.end,
            plan::RAISE_MINUTES
        )))
    }

    pub(crate) fn inconclusive(&self) -> Inconclusive {
        self.inconclusive.unwrap_or(Inconclusive::Hold)
    }

    fn hold_minutes(&self) -> u32 {
        self.hold_minutes.unwrap_or(HOLD_MINUTES)
    }

    pub(crate) fn hold(&self) -> Duration {
        minutes(self.hold_minutes())
    }

    /// The share that the judgement raises the new colour to, if it raises it; `Some(None)` leaves
    /// it to the traffic.
    pub(crate) fn last_percent(&self) -> Option<Option<u32>> {
        let percent = self.last_percent.map(|percent| percent.get());
        percent.map(|percent| (percent > 0).then_some(percent))
    }

    pub(crate) fn minimum_healthy_percent(&self) -> u32 {
        self.minimum_healthy_percent
            .map_or(MINIMUM_HEALTHY_PERCENT, |percent| percent.get())
    }
}

#[cfg(test)]
mod tests;
