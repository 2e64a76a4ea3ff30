//! The user parameters of the step: which revision a service will run, and how it is rolled out.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::job::Failure;
use slipway::limits::{BAKE_MAX_MINUTES, ROLLOUT_DEADLINE_MAX_MINUTES, ROLLOUT_DEADLINE_MINUTES};
use slipway::observed::alarm::check_names;
use slipway::observed::service::check_revision_arn;
use slipway::release::{Change, PriorService};
use slipway::strategy::in_place::deploy::{DeployGoal, RolloutBounds};
use slipway::strategy::{Percent, Room, Strategy, StrategyName, check_counts};
use slipway::timestamp::minutes;

/// User parameters of an update-service action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// ARN of the revision to deploy.
    pub task_definition: String,
    pub strategy: StrategyName,
    /// What to do with a blue/green pair; needed with strategy `blue-green` and only then.
    pub mode: Option<Mode>,
    pub minimum_healthy_percent: Option<Percent<0, 100>>,
    pub minimum_healthy_tasks: Option<u32>,
    pub maximum_percent: Option<Percent<100, 200>>,
    pub maximum_tasks: Option<u32>,
    /// Sets the service's count; when not given the count is left alone.
    #[schemars(range(min = 1))]
    pub desired_count: Option<u32>,
    /// Tasks to start with when the service has none; 1 when not given.
    #[schemars(range(min = 1))]
    pub initial_count: Option<u32>,
    /// How long the rollout may take, in minutes; 30 when not given.
    #[schemars(range(min = 1, max = ROLLOUT_DEADLINE_MAX_MINUTES))]
    pub deadline_minutes: Option<u32>,
    /// Mode `retire`: how long the old colour stays after the traffic left it, in minutes; 5 when
    /// not given, and longer while the rule binds clients to it.
    #[schemars(range(max = BAKE_MAX_MINUTES))]
    pub drain_minutes: Option<u32>,
    /// Mode `retire`: CloudWatch alarms, metric or composite, that fail the action when one is in
    /// ALARM before the old colour is stopped.
    pub alarms: Option<Vec<String>>,
}

/// What to do with a blue/green pair.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Deploys the task definition to the idle colour, at the live one's size.
    Fill,
    /// Makes the colour that was live large enough to take all of the traffic.
    Size,
    /// Scales the colour that was live to no tasks.
    Retire,
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        check_revision_arn(&self.task_definition).map_err(Failure::configuration)?;
        self.strategy()
            .check_bounds()
            .map_err(Failure::configuration)?;
        check_counts(self.desired_count, self.initial_count).map_err(Failure::configuration)?;
        self.validate_mode()?;
        self.validate_alarms()?;

        match self.deadline_minutes {
            Some(minutes) if !(1..=ROLLOUT_DEADLINE_MAX_MINUTES).contains(&minutes) => {
                Err(Failure::configuration(format!(
                    "`deadline_minutes` is {minutes}; expected 1 to {ROLLOUT_DEADLINE_MAX_MINUTES}"
                )))
            }
            _ => Ok(()),
        }
    }

    fn validate_mode(&self) -> Result<(), Failure> {
        let refuse = |why: &str| Err(Failure::configuration(why));

        match (self.strategy, self.mode, self.drain_minutes) {
            (StrategyName::BlueGreen, None, _) => refuse(
                "`mode` is missing; expected `fill`, `size` or `retire` with strategy `blue-green`",
            ),
            (StrategyName::BlueGreen, Some(_), _) if self.desired_count.is_some() => refuse(
                "`desired_count` is given, but with strategy `blue-green` the idle colour is \
                 filled to the live one's size; remove it, or give `initial_count` for a first \
                 release",
            ),
            (StrategyName::BlueGreen, Some(mode), Some(_)) if mode != Mode::Retire => {
                refuse("`drain_minutes` is given; expected with mode `retire` only; remove it")
            }
            (StrategyName::BlueGreen, Some(_), Some(minutes)) if minutes > BAKE_MAX_MINUTES => {
                refuse(&format!(
                    "`drain_minutes` is {minutes}; expected 0 to {BAKE_MAX_MINUTES}"
                ))
            }
            (StrategyName::BlueGreen, ..) => Ok(()),
            (_, Some(_), _) => refuse(
                "`mode` is given; expected with strategy `blue-green` only; remove it, or change \
                 `strategy`",
            ),
            (_, None, Some(_)) => refuse(
                "`drain_minutes` is given; expected with strategy `blue-green` and mode `retire` \
                 only; remove it",
            ),
            (_, None, None) => Ok(()),
        }
    }

    fn validate_alarms(&self) -> Result<(), Failure> {
        let Some(alarms) = &self.alarms else {
            return Ok(());
        };
        if self.mode != Some(Mode::Retire) {
            return Err(Failure::configuration(
                "`alarms` is given; expected with strategy `blue-green` and mode `retire` only; \
                 remove it",
            ));
        }
        check_names(alarms)
    }

    pub(crate) fn strategy(&self) -> Strategy {
        Strategy {
            rules: self.strategy.rules(),
            minimum_healthy_percent: self.minimum_healthy_percent,
            minimum_healthy_tasks: self.minimum_healthy_tasks,
            maximum_percent: self.maximum_percent,
            maximum_tasks: self.maximum_tasks,
        }
    }

    /// The goal for a service that has `live` tasks, and had `prior` at its change. A count that is
    /// announced stays as it was announced; the percentages follow the count.
    pub(crate) fn goal(
        &self,
        live: u32,
        announced: Option<&Change>,
        prior: &PriorService,
    ) -> Result<DeployGoal, Failure> {
        let initial = || (live == 0).then(|| self.initial_count.unwrap_or(1));
        let desired_count = match announced {
            Some(change) => change.desired_count,
            None => self.desired_count.or_else(initial),
        };
        // Once the deployment is made, the service keeps the count that others have set since.
        let is_made = announced.is_some_and(|change| change.deployment.is_some());
        let count = desired_count.filter(|_| !is_made).unwrap_or(live);
        let room = Room::of_counts(live, count);
        let percentages = match (announced, self.strategy().plan(room)) {
            // A count that does not fit the numbers of tasks changes nothing.
            (Some(change), Err(_)) => change.percentages,
            (Some(change), _) if count == 0 => change.percentages,
            (_, planned) => planned.map_err(|why| self.refused(why))?,
        };
        let count_at_change = desired_count.unwrap_or(prior.desired_count);

        Ok(DeployGoal {
            change: Change {
                task_definition: self.task_definition.clone(),
                percentages,
                desired_count,
                deployment: None,
                promise: Some(self.strategy().promise()),
                set_before: None,
                given: None,
            },
            size: desired_count.unwrap_or(1),
            deadline: self.deadline(),
            made_with: self.strategy().percentages(count_at_change),
            recorded: RolloutBounds {
                percentages: prior.percentages,
                early_success: prior.early_success,
            },
        })
    }

    /// A count that the strategy can never roll out. begin-release may not have had a given one.
    fn refused(&self, why: String) -> Failure {
        Failure::configuration(match self.desired_count {
            Some(desired) => format!("`desired_count` is {desired}: {why}"),
            None => why,
        })
    }

    pub(crate) fn works(&self) -> Duration {
        match self.mode {
            Some(Mode::Retire) => minutes(self.drain_minutes.unwrap_or_default()),
            Some(Mode::Fill | Mode::Size) | None => self.deadline(),
        }
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs(
            u64::from(self.deadline_minutes.unwrap_or(ROLLOUT_DEADLINE_MINUTES)) * 60,
        )
    }
}
