//! What a strategy lets a release set: the percentages for tasks that stay healthy and that run at
//! once, as the parameters of an action give them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::observed::percentages::Percentages;
use crate::release::{Promise, PromisedBound};

/// Which services a strategy works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One service, whose tasks are replaced in place.
    Service,
    /// Two services behind one weighted rule.
    Pair,
}

/// One bound of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// This percentage, unless the parameters set another.
    Default(u32),
    /// This percentage; the parameters cannot set it.
    Fixed(u32),
    /// One task away from the desired count, fewer as a minimum and more as a maximum, unless the
    /// parameters set another number.
    OneTask,
}

/// What a strategy is: its word, the services it works on and its bounds.
#[derive(Debug, PartialEq, Eq)]
pub struct StrategyRules {
    pub word: &'static str,
    pub shape: Shape,
    /// Tasks that stay healthy.
    pub minimum: Bound,
    /// Tasks that may run at once.
    pub maximum: Bound,
    /// Why a bound is fixed, following "strategy `word`".
    pub definition: &'static str,
}

/// A percentage within the bounds that ECS has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Percent<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Percent<MIN, MAX> {
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Percent<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = i64::deserialize(deserializer)?;
        match u32::try_from(found) {
            Ok(percent) if (MIN..=MAX).contains(&percent) => Ok(Self(percent)),
            _ => Err(de::Error::custom(format!(
                "{found} is out of range; expected a whole percentage from {MIN} to {MAX}"
            ))),
        }
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Percent<MIN, MAX> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Percent{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": MIN,
            "maximum": MAX,
            "description": "A whole percentage.",
        })
    }
}

/// The strategy as an action's parameters give it.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    pub rules: &'static StrategyRules,
    pub minimum_healthy_percent: Option<Percent<0, 100>>,
    pub minimum_healthy_tasks: Option<u32>,
    pub maximum_percent: Option<Percent<100, 200>>,
    pub maximum_tasks: Option<u32>,
}

/// Refuses counts of 0: a release without tasks proves nothing.
///
/// # Errors
/// A message with the field, the value found and what is expected.
pub fn check_counts(desired_count: Option<u32>, initial_count: Option<u32>) -> Result<(), String> {
    for (field, count) in [
        ("desired_count", desired_count),
        ("initial_count", initial_count),
    ] {
        if count == Some(0) {
            return Err(format!("`{field}` is 0; expected 1 or more, or no value"));
        }
    }

    Ok(())
}

impl Strategy {
    /// Refuses bounds that contradict each other or the strategy.
    ///
    /// # Errors
    /// A message with the fields found and the remedy.
    pub fn check_bounds(&self) -> Result<(), String> {
        let minimums = [
            (
                "minimum_healthy_percent",
                self.minimum_healthy_percent.is_some(),
            ),
            (
                "minimum_healthy_tasks",
                self.minimum_healthy_tasks.is_some(),
            ),
        ];
        let maximums = [
            ("maximum_percent", self.maximum_percent.is_some()),
            ("maximum_tasks", self.maximum_tasks.is_some()),
        ];

        for [(percent, percent_given), (tasks, tasks_given)] in [minimums, maximums] {
            if percent_given && tasks_given {
                return Err(format!(
                    "`{percent}` and `{tasks}` are both given; expected one of them"
                ));
            }
        }

        for (bound, fields) in [
            (self.rules.minimum, minimums),
            (self.rules.maximum, maximums),
        ] {
            let given = fields.into_iter().find(|(_, given)| *given);
            if let (Bound::Fixed(_), Some((field, _))) = (bound, given) {
                return Err(format!(
                    "`{field}` is given, but strategy `{}` {}; remove it, or use `rolling`",
                    self.rules.word, self.rules.definition
                ));
            }
        }
        Ok(())
    }

    /// What this strategy promises, whatever the count.
    #[must_use]
    pub fn promise(&self) -> Promise {
        let minimum = match (
            self.rules.minimum,
            self.minimum_healthy_percent,
            self.minimum_healthy_tasks,
        ) {
            (Bound::Fixed(percent), _, _) => PromisedBound::Percent(percent),
            (_, Some(percent), _) => PromisedBound::Percent(percent.0),
            (_, None, Some(tasks)) => PromisedBound::Tasks(tasks),
            (Bound::Default(percent), None, None) => PromisedBound::Percent(percent),
            (Bound::OneTask, None, None) => PromisedBound::OneTask,
        };
        let maximum = match (self.rules.maximum, self.maximum_percent, self.maximum_tasks) {
            (Bound::Fixed(percent), _, _) => PromisedBound::Percent(percent),
            (_, Some(percent), _) => PromisedBound::Percent(percent.0),
            (_, None, Some(tasks)) => PromisedBound::Tasks(tasks),
            (Bound::Default(percent), None, None) => PromisedBound::Percent(percent),
            (Bound::OneTask, None, None) => PromisedBound::OneTask,
        };

        Promise { minimum, maximum }
    }

    /// The percentages that keep this strategy's promise for `desired` tasks.
    #[must_use]
    pub fn percentages(&self, desired: u32) -> Percentages {
        self.promise().percentages(desired)
    }
}

#[cfg(test)]
mod tests;
