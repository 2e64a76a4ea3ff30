//! The user parameters of the step: in which steps the traffic moves, and how long each bakes.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::job::Failure;
use slipway::limits::{BAKE_MAX_MINUTES, MINIMUM_HEALTHY_PERCENT};
use slipway::observed::alarm::check_names;
use slipway::observed::service::check_revision_arn;
use slipway::strategy::Percent;
use slipway::timestamp::minutes;

/// Minutes between steps unless the action gives another number.
const STEP_MINUTES: u32 = 2;

/// Minutes that the last step bakes unless the action gives another number.
const BAKE_MINUTES: u32 = 10;

/// The most steps of a list: each is a job and a bake.
const STEPS: usize = 20;

/// User parameters of a swap-target-groups action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// ARN of the revision that the new colour must run.
    pub task_definition: String,
    pub shift: ShiftName,
    /// Shift `linear`: percentage of the traffic that each step moves.
    pub step_percent: Option<Percent<1, 100>>,
    /// Shift `listed`: percentages that the new colour gets, rising; the last may be below 100 when
    /// a later action goes on.
    pub steps: Option<Vec<Percent<1, 100>>>,
    /// How long each step but the last bakes, in minutes; 2 when not given.
    pub step_minutes: Option<u32>,
    /// How long the last step bakes, in minutes; 10 when not given.
    pub bake_minutes: Option<u32>,
    /// Share of the filled tasks that must stay healthy while the new colour has traffic; 75 when
    /// not given.
    pub minimum_healthy_percent: Option<Percent<1, 100>>,
    /// CloudWatch alarms, metric or composite, that return the traffic at once when they are in
    /// ALARM, and let none move.
    pub alarms: Option<Vec<String>>,
}

/// The words of the `shift` parameter.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ShiftName {
    /// All of the traffic in one step.
    AllAtOnce,
    /// Equal steps of `step_percent`.
    Linear,
    /// The steps that `steps` lists.
    Listed,
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        check_revision_arn(&self.task_definition).map_err(Failure::configuration)?;
        let refuse = |why: &str| Err(Failure::configuration(why));
        match (self.shift, self.step_percent, &self.steps) {
            (ShiftName::Linear, None, None) => {
                return refuse("`step_percent` is missing; expected 1 to 100 with shift `linear`");
            }
            (ShiftName::Listed, None, None) => {
                return refuse(
                    "`steps` is missing; expected rising percentages such as [5, 25, 100] with \
                     shift `listed`",
                );
            }
            (ShiftName::Linear | ShiftName::AllAtOnce, _, Some(_)) => {
                return refuse(
                    "`steps` is given; expected with shift `listed` only; remove it, or choose \
                     `listed`",
                );
            }
            (ShiftName::Listed | ShiftName::AllAtOnce, Some(_), _) => {
                return refuse(
                    "`step_percent` is given; expected with shift `linear` only; remove it, or \
                     choose `linear`",
                );
            }
            (ShiftName::AllAtOnce, ..) if self.step_minutes.is_some() => {
                return refuse(
                    "`step_minutes` is given, but shift `all-at-once` has one step, which bakes \
                     for `bake_minutes`; remove it",
                );
            }
            _ => {}
        }

        self.validate_steps()?;
        check_names(self.alarms.as_deref().unwrap_or_default())?;
        self.validate_total(Duration::ZERO)
    }

    fn validate_steps(&self) -> Result<(), Failure> {
        let Some(steps) = &self.steps else {
            return Ok(());
        };

        let steps: Vec<u32> = steps.iter().map(|step| step.get()).collect();
        let rising = steps.windows(2).all(|two| two[0] < two[1]);
        if steps.is_empty() || steps.len() > STEPS || !rising {
            return Err(Failure::configuration(format!(
                "`steps` is {steps:?}; expected 1 to {STEPS} rising percentages such as \
                 [5, 25, 100]"
            )));
        }

        Ok(())
    }

    /// Refuses a shift that does not fit into an action when each step waits for its DNS `answers`
    /// to expire.
    pub(crate) fn validate_total(&self, answers: Duration) -> Result<(), Failure> {
        let count = self.percentages().len();
        let minutes = self.total(answers).as_secs() / 60;
        if minutes > u64::from(BAKE_MAX_MINUTES) {
            let steps = match count {
                1 => "1 step".to_owned(),
                steps => format!("{steps} steps"),
            };
            let ttl = if answers.is_zero() {
                String::new()
            } else {
                format!(", a TTL of {} s for each step", answers.as_secs())
            };
            return Err(Failure::configuration(format!(
                "the shift would bake for {minutes} minutes in all ({steps}, `step_minutes`, \
                 `bake_minutes`{ttl}); expected at most {BAKE_MAX_MINUTES}, since an action ends \
                 after 24 hours"
            )));
        }

        Ok(())
    }

    /// How long all steps bake, when each waits for its DNS `answers` to expire.
    pub(crate) fn total(&self, answers: Duration) -> Duration {
        let before_last = self.percentages().len().saturating_sub(1);
        let before_last = u32::try_from(before_last).unwrap_or(u32::MAX);
        let bakes = (self.step_bake() + answers).saturating_mul(before_last);
        bakes.saturating_add(self.last_bake() + answers)
    }

    /// The percentages that the new colour gets, one after the other.
    pub(crate) fn percentages(&self) -> Vec<u32> {
        match (self.shift, self.step_percent, &self.steps) {
            (ShiftName::Linear, Some(step), _) => {
                let step = step.get();
                (1..=100_u32.div_ceil(step))
                    .map(|number| (number * step).min(100))
                    .collect()
            }
            (ShiftName::Listed, _, Some(steps)) => steps.iter().map(|step| step.get()).collect(),
            _ => vec![100],
        }
    }

    pub(crate) fn step_bake(&self) -> Duration {
        minutes(self.step_minutes.unwrap_or(STEP_MINUTES))
    }

    pub(crate) fn last_bake(&self) -> Duration {
        minutes(self.bake_minutes.unwrap_or(BAKE_MINUTES))
    }

    pub(crate) fn minimum_healthy_percent(&self) -> u32 {
        self.minimum_healthy_percent
            .map_or(MINIMUM_HEALTHY_PERCENT, |percent| percent.get())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use slipway::job::{FailureType, parse_parameters};

    use super::*;

    fn parsed(more: Value) -> Result<Parameters, Failure> {
        let mut all = json!({
            "pipeline": "slipway-shop", "execution": "e-1", "cluster": "apps", "service": "shop",
            "task_definition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-blue:2",
        });
        all.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        parse_parameters(Some(&all.to_string())).map(|(_, parameters)| parameters)
    }

    fn parameters(more: Value) -> Parameters {
        parsed(more).expect("known fields")
    }

    fn refusal(more: Value) -> String {
        let failure = parameters(more.clone())
            .validate()
            .expect_err(&more.to_string());
        assert_eq!(failure.kind, FailureType::ConfigurationError);
        failure.message
    }

    #[test]
    fn each_shift_gives_its_percentages() {
        let percentages = |more: Value| {
            let parameters = parameters(more);
            parameters.validate().expect("valid");
            parameters.percentages()
        };

        assert_eq!(percentages(json!({"shift": "all-at-once"})), [100]);
        assert_eq!(
            percentages(json!({"shift": "linear", "step_percent": 20})),
            [20, 40, 60, 80, 100]
        );
        assert_eq!(
            percentages(json!({"shift": "linear", "step_percent": 30})),
            [30, 60, 90, 100]
        );
        assert_eq!(
            percentages(json!({"shift": "linear", "step_percent": 100})),
            [100]
        );
        assert_eq!(
            percentages(json!({"shift": "linear", "step_percent": 1})).len(),
            100
        );
        assert_eq!(
            percentages(json!({"shift": "listed", "steps": [5, 25, 100]})),
            [5, 25, 100]
        );
        assert_eq!(percentages(json!({"shift": "listed", "steps": [5]})), [5]);
    }

    #[test]
    fn bakes_and_minimum_health_have_defaults() {
        let default = parameters(json!({"shift": "all-at-once"}));
        let steps = default.step_bake().as_secs();
        let last = default.last_bake().as_secs();

        assert_eq!(
            (steps, last, default.minimum_healthy_percent()),
            (120, 600, 75)
        );

        let given = parameters(json!({
            "shift": "linear", "step_percent": 50, "step_minutes": 3, "bake_minutes": 0,
            "minimum_healthy_percent": 100,
        }));
        let steps = given.step_bake().as_secs();
        let last = given.last_bake().as_secs();

        assert_eq!(
            (steps, last, given.minimum_healthy_percent()),
            (180, 0, 100)
        );
    }

    #[test]
    fn an_action_bakes_for_less_than_a_day() {
        let validated = |more: Value| parameters(more).validate();
        assert_eq!(
            validated(json!({"shift": "all-at-once", "bake_minutes": 1380})),
            Ok(())
        );

        let text = refusal(json!({"shift": "all-at-once", "bake_minutes": 1381}));
        assert!(
            text.starts_with("the shift would bake for 1381 minutes in all (1 step,"),
            "{text}"
        );

        // Four steps of 20 % before the last one.
        let linear = |minutes: u32| {
            json!({
                "shift": "linear", "step_percent": 20, "step_minutes": minutes, "bake_minutes": 20,
            })
        };

        assert_eq!(validated(linear(340)), Ok(()));

        let text = refusal(linear(341));
        assert!(
            text.starts_with("the shift would bake for 1384 minutes in all (5 steps,"),
            "{text}"
        );

        let huge = refusal(json!({
            "shift": "listed", "steps": [1, 2], "step_minutes": u32::MAX, "bake_minutes": u32::MAX,
        }));
        assert!(
            huge.starts_with("the shift would bake for 8589934590 minutes in all (2 steps,"),
            "{huge}"
        );

        let hundred = json!({"shift": "linear", "step_percent": 1, "step_minutes": 9});
        let hundred = parameters(hundred);
        let total = |secs| hundred.validate_total(Duration::from_secs(secs));
        assert_eq!(total(60), Ok(()));
        let text = total(300).expect_err("too long").message;
        assert!(
            text.starts_with(
                "the shift would bake for 1401 minutes in all (100 steps, `step_minutes`, \
                 `bake_minutes`, a TTL of 300 s for each step); expected at most 1380"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_list_has_up_to_twenty_rising_percentages() {
        let listed =
            |steps: Vec<u32>| json!({"shift": "listed", "steps": steps, "step_minutes": 1});
        assert_eq!(parameters(listed((1..=20).collect())).validate(), Ok(()));

        for steps in [
            (1..=21).collect(),
            vec![],
            vec![50, 50],
            vec![5, 100, 25],
            vec![100, 5],
        ] {
            let text = refusal(listed(steps.clone()));
            assert!(
                text.starts_with(&format!("`steps` is {steps:?};"))
                    && text.contains("1 to 20 rising"),
                "{text}"
            );
        }

        for steps in [vec![0, 100], vec![5, 101]] {
            parsed(listed(steps)).expect_err("not a percentage");
        }
    }

    #[test]
    fn parameters_that_do_not_fit_the_shift_are_refused_by_name() {
        let cases = [
            (json!({"shift": "linear"}), "`step_percent` is missing"),
            (json!({"shift": "listed"}), "`steps` is missing"),
            (json!({"shift": "linear", "steps": [5]}), "`steps` is given"),
            (
                json!({"shift": "linear", "step_percent": 5, "steps": [5]}),
                "`steps` is given",
            ),
            (
                json!({"shift": "all-at-once", "steps": [5]}),
                "`steps` is given",
            ),
            (
                json!({"shift": "listed", "step_percent": 5}),
                "`step_percent` is given",
            ),
            (
                json!({"shift": "listed", "step_percent": 5, "steps": [5]}),
                "`step_percent` is given",
            ),
            (
                json!({"shift": "all-at-once", "step_percent": 5}),
                "`step_percent` is given",
            ),
            (
                json!({"shift": "all-at-once", "step_minutes": 2}),
                "`step_minutes` is given",
            ),
            (
                json!({"shift": "all-at-once", "alarms": [""]}),
                "`alarms` has 1 names",
            ),
            (
                json!({"shift": "all-at-once", "task_definition": "shop-blue:2"}),
                "`task_definition` is `shop-blue:2`",
            ),
        ];

        for (parameters, start) in cases {
            let text = refusal(parameters);
            assert!(
                text.starts_with(start),
                "{text} does not begin with {start}"
            );
        }

        parsed(json!({"shift": "all-at-once", "colour": "blue"})).expect_err("an unknown field");
        parsed(json!({"shift": "canary"})).expect_err("an unknown word");
    }
}
