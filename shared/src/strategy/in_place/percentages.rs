//! In-place strategies: how many tasks must stay healthy and how many may run while a service's tasks are replaced.
//!
//! Amazon ECS takes both as percentages of the desired count and rounds for safety: the floor of healthy tasks up, the
//! ceiling of running tasks down (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html).

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The words of the `strategy` parameter.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    /// Replaces tasks in waves between the given floor and ceiling (100 % and 200 % when none is given).
    Rolling,
    /// Starts a whole second set before the first stops: 100 % to 200 %.
    Doubling,
    /// Stops a task before its replacement starts, for clusters without spare room: never more than the desired count.
    MakeRoom,
    /// Fills a second service beside the live one and moves the traffic to it.
    BlueGreen,
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
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX, "description": "A whole percentage." })
    }
}

/// The strategy as an action's parameters give it.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    pub name: StrategyName,
    pub minimum_healthy_percent: Option<Percent<0, 100>>,
    pub minimum_healthy_tasks: Option<u32>,
    pub maximum_percent: Option<Percent<100, 200>>,
    pub maximum_tasks: Option<u32>,
}

/// What a strategy comes to for a desired count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Percentages {
    pub minimum_healthy: u32,
    pub maximum: u32,
}

impl Percentages {
    /// Tasks that stay healthy: `ceil(desired × minimum / 100)`.
    #[must_use]
    pub fn floor(self, desired: u32) -> u32 {
        (desired * self.minimum_healthy).div_ceil(100)
    }

    /// Tasks that may run at once: `floor(desired × maximum / 100)`.
    #[must_use]
    pub fn ceiling(self, desired: u32) -> u32 {
        desired * self.maximum / 100
    }
}

/// Refuses counts of no tasks, which would prove nothing.
///
/// # Errors
/// A sentence with the field, what was found, what is legal and what to do.
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

/// What limits a rollout beside its percentages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The count that the service will have.
    pub desired: u32,
    /// Instances of the cluster, when the tasks hold static host ports: such an instance takes one task of the service.
    pub static_port_instances: Option<u32>,
}

impl Strategy {
    /// Refuses combinations that contradict each other.
    ///
    /// # Errors
    /// A sentence with the field, what was found, what is legal and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.minimum_healthy_percent.is_some() && self.minimum_healthy_tasks.is_some() {
            return Err("minimum_healthy_percent and minimum_healthy_tasks are both given; expected one of them".to_owned());
        }
        if self.maximum_percent.is_some() && self.maximum_tasks.is_some() {
            return Err(
                "maximum_percent and maximum_tasks are both given; expected one of them".to_owned(),
            );
        }
        let minimum =
            self.minimum_healthy_percent.is_some() || self.minimum_healthy_tasks.is_some();
        let maximum = self.maximum_percent.is_some() || self.maximum_tasks.is_some();
        match self.name {
            StrategyName::Doubling if minimum || maximum => Err("strategy `doubling` is 100 % to 200 % by definition and takes no minimum_healthy_* or maximum_*; remove them, or choose `rolling`".to_owned()),
            StrategyName::BlueGreen if minimum || maximum => Err("strategy `blue-green` fills a whole second colour and takes no minimum_healthy_percent, minimum_healthy_tasks, maximum_percent or maximum_tasks; remove them, or choose `rolling`".to_owned()),
            StrategyName::MakeRoom if maximum => Err("strategy `make-room` never runs more than the desired count and takes no maximum_percent or maximum_tasks; remove it, or choose `rolling`".to_owned()),
            _ => Ok(()),
        }
    }

    /// The percentages that keep this strategy's promise for `desired` tasks.
    ///
    /// Task numbers become the smallest percentage whose floor keeps them and the largest whose ceiling does. `make-room`
    /// gives up one task, but not the only one: going to none has to be asked for.
    #[must_use]
    pub fn percentages(&self, desired: u32) -> Percentages {
        let minimum = match (
            self.minimum_healthy_percent,
            self.minimum_healthy_tasks,
            self.name,
        ) {
            (Some(percent), _, _) => percent.0,
            (None, Some(tasks), _) => smallest_minimum(desired, tasks),
            (
                None,
                None,
                StrategyName::Rolling | StrategyName::Doubling | StrategyName::BlueGreen,
            ) => 100,
            (None, None, StrategyName::MakeRoom) => make_room_minimum(desired),
        };
        let maximum = match (self.maximum_percent, self.maximum_tasks, self.name) {
            (_, _, StrategyName::MakeRoom) => 100,
            (Some(percent), _, _) => percent.0,
            (None, Some(tasks), _) => largest_maximum(desired, tasks),
            (None, None, _) => 200,
        };
        Percentages {
            minimum_healthy: minimum,
            maximum,
        }
    }

    /// Refuses a rollout that can never finish, with the arithmetic.
    ///
    /// # Errors
    /// A sentence that a person can act on.
    pub fn plan(&self, room: Room) -> Result<Percentages, String> {
        let desired = room.desired;
        if let Some(tasks) = self.minimum_healthy_tasks.filter(|tasks| *tasks > desired) {
            return Err(format!(
                "minimum_healthy_tasks is {tasks}, but the service has {desired} tasks; expected 0 to {desired}"
            ));
        }
        if let Some(tasks) = self.maximum_tasks.filter(|tasks| *tasks < desired) {
            return Err(format!(
                "maximum_tasks is {tasks}, but the service has {desired} tasks; expected {desired} or more"
            ));
        }
        let percentages = self.percentages(desired);
        let (floor, ceiling) = (percentages.floor(desired), percentages.ceiling(desired));
        let bounds = format!(
            "of {desired} tasks at least {floor} must stay healthy (ceil({desired} × {} %)) and at most {ceiling} may run (floor({desired} × {} %))",
            percentages.minimum_healthy, percentages.maximum
        );
        if desired > 0 && floor >= desired && ceiling <= desired {
            return Err(format!(
                "the rollout could never finish: {bounds}, so no task can be stopped first and none started first; {}",
                self.remedy(desired)
            ));
        }
        match room.static_port_instances {
            Some(instances) if self.name == StrategyName::BlueGreen && instances < desired * 2 => {
                Err(format!(
                    "the fill could never finish: the tasks hold a static host port, so an instance takes one of them, and {desired} tasks of each colour do not fit on {instances} instances; add instances, lower the count, or use host port 0"
                ))
            }
            Some(instances) if instances < desired => Err(format!(
                "the rollout could never finish: the tasks hold a static host port, so an instance takes one of them, and {desired} tasks do not fit on {instances} instances; add instances, lower the count, or use host port 0"
            )),
            Some(instances) if floor >= desired && instances <= desired => Err(format!(
                "the rollout could never finish: {bounds}, and the tasks hold a static host port, so a new task needs an instance without an old one, but {instances} instances run {desired} tasks; choose `make-room`, add an instance, or use host port 0"
            )),
            _ => Ok(percentages),
        }
    }

    fn remedy(&self, desired: u32) -> &'static str {
        match (self.name, desired) {
            (StrategyName::MakeRoom, 1) => {
                "run 2 tasks or more, choose `rolling` or `doubling`, or accept an outage with minimum_healthy_tasks 0"
            }
            (StrategyName::MakeRoom, _) => {
                "lower minimum_healthy_percent or minimum_healthy_tasks, or choose `rolling` or `doubling`"
            }
            _ => {
                "lower minimum_healthy_percent or raise maximum_percent so that one more task may run"
            }
        }
    }
}

/// The smallest percentage at which at least `tasks` of `desired` stay healthy.
fn smallest_minimum(desired: u32, tasks: u32) -> u32 {
    let keeps = |percent: &u32| {
        Percentages {
            minimum_healthy: *percent,
            maximum: 100,
        }
        .floor(desired)
            >= tasks
    };
    (0..=100).find(keeps).unwrap_or(100)
}

/// The largest percentage at which at most `tasks` run for `desired`.
fn largest_maximum(desired: u32, tasks: u32) -> u32 {
    let keeps = |percent: &u32| {
        Percentages {
            minimum_healthy: 100,
            maximum: *percent,
        }
        .ceiling(desired)
            <= tasks
    };
    (100..=200).rev().find(keeps).unwrap_or(100)
}

/// One task fewer than desired where a whole percentage can say so (up to 100 tasks), 99 % above, and never the last one.
fn make_room_minimum(desired: u32) -> u32 {
    match desired {
        0 | 1 => 100,
        _ => smallest_minimum(desired, desired - 1).min(99),
    }
}

#[cfg(test)]
mod tests;
