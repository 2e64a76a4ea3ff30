//! Services that a run can be about: how they run, how many tasks they have, and how their pipeline
//! releases them.
//!
//! There are a few dozen of them, each drawn from its number, so that the account of each is
//! deployed once and copied for every run.

mod account;
mod checks;
mod draw;
mod oddity;
mod parameters;
mod polled;
mod records;

use std::fmt;

use slipway::strategy::in_place::percentages::Bound;

use super::canary::Canary;

pub(super) use account::{load, production_rule, rate, route};
pub(super) use checks::CHECK;
pub use checks::DrawnChecks;
pub(super) use draw::in_place_strategies;
pub use oddity::Oddity;
pub(super) use oddity::SIBLING;
pub use records::DrawnRecords;
pub(super) use records::zone;
// The words are the product's; what each promises is written here once more.
pub use slipway::strategy::StrategyName as Strategy;

/// How many shapes there are: those below [`PAIRS_FROM`] are single services, the others blue/green
/// pairs, of which those from [`CANARIES_FROM`] on are judged, and those from [`RECORDS_FROM`] on
/// are behind records.
pub const SHAPES: u32 = 144;
/// The number of the first pair.
pub const PAIRS_FROM: u32 = 64;
/// The number of the first pair whose new colour is judged beside the old one.
pub const CANARIES_FROM: u32 = 96;
/// The number of the first pair whose traffic moves by weighted records.
pub const RECORDS_FROM: u32 = 120;
/// The number of the first shape whose pipeline is of custom actions: a service or a pair.
pub const POLLED_FROM: u32 = SHAPES;
/// The end of these numbers.
pub const POLLED_TO: u32 = POLLED_FROM + 24;
/// The pipeline of every shape.
pub(super) const PIPELINE: &str = "slipway-web";

/// The pipeline of the other service of a family, where that has one.
pub(super) const SIBLING_PIPELINE: &str = "slipway-web-internal";

/// The least number of healthy tasks, as the pipeline's parameters give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    Unsaid,
    Percent(u32),
    Tasks(u32),
}

/// How the traffic of a pair moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrawnShift {
    AllAtOnce,
    Linear(u32),
    Listed(&'static str),
    /// In two steps, each judged, before all of it.
    Judged(Canary),
}

impl DrawnShift {
    /// The parameters of the pipeline that set it.
    fn parameters(&self) -> parameters::Parameters {
        match self {
            Self::AllAtOnce => vec![("Shift", "all-at-once".to_owned())],
            Self::Linear(percent) => vec![
                ("Shift", "linear".to_owned()),
                ("StepPercent", percent.to_string()),
            ],
            Self::Listed(steps) => vec![
                ("Shift", "listed".to_owned()),
                ("Steps", (*steps).to_owned()),
            ],
            Self::Judged(canary) => canary.parameters(),
        }
    }
}

/// What only a blue/green pair has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub shift: DrawnShift,
    pub bake_minutes: u32,
    pub minimum_healthy_percent: u32,
    pub drain_minutes: u32,
    /// Bounds of automatic scaling.
    pub capacity: Option<(u32, u32)>,
    /// Whether CloudFormation makes the names of its services, so that the pipeline is given them.
    pub is_named: bool,
    /// The records in place of a rule.
    pub records: Option<DrawnRecords>,
}

/// One service with its pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub number: u32,
    pub fargate: bool,
    /// On EC2, whether tasks hold a fixed port, so that an instance takes one of them.
    pub static_port: bool,
    pub instances: u32,
    pub load_balanced: bool,
    /// Tasks that the service has before the first push.
    pub count: u32,
    pub grace_secs: u32,
    pub drain_secs: u32,
    pub strategy: Strategy,
    pub floor: Floor,
    /// The most tasks, in percent; nothing when it is not set.
    pub maximum_percent: Option<u32>,
    pub desired_count: Option<u32>,
    pub initial_count: Option<u32>,
    pub deadline_minutes: u32,
    pub approval: bool,
    pub queued: bool,
    /// How ECS cleans up after an early success, if its criteria are on.
    pub early_success: Option<&'static str>,
    /// Whether ECS moves tasks between zones that became uneven.
    pub rebalanced: bool,
    /// What else is unusual about it.
    pub oddity: Option<Oddity>,
    pub pair: Option<Pair>,
    /// The HTTP checks that its pipeline makes.
    pub checks: Option<DrawnChecks>,
    /// Whether its pipeline is of custom actions, whose jobs the functions poll for.
    pub is_polled: bool,
}

impl Shape {
    /// How new versions are judged, if they are.
    #[must_use]
    pub fn canary(&self) -> Option<&Canary> {
        match &self.pair.as_ref()?.shift {
            DrawnShift::Judged(canary) => Some(canary),
            DrawnShift::AllAtOnce | DrawnShift::Linear(_) | DrawnShift::Listed(_) => None,
        }
    }

    /// The records that route its traffic, if no rule does.
    #[must_use]
    pub fn records(&self) -> Option<DrawnRecords> {
        self.pair.as_ref()?.records
    }

    /// The function that moves the traffic of a pair.
    pub(super) fn swap(&self) -> &'static str {
        match self.records() {
            Some(_) => "swap-records",
            None => "swap-target-groups",
        }
    }

    /// Whether it can be released with each count down to this one. Numbers of tasks are drawn for
    /// its own count.
    pub(super) fn can_shrink_to(&self, least: u32) -> bool {
        let can_move = (least..=self.count).all(|count| self.can_move(count));
        self.count > least && can_move && !matches!(self.floor, Floor::Tasks(_))
    }

    /// Whether its strategy can replace tasks of a service with this many.
    fn can_move(&self, count: u32) -> bool {
        let maximum = match self.strategy.rules().maximum {
            Bound::Fixed(percent) => percent,
            _ => self.maximum_percent.unwrap_or(200),
        };
        self.promised(count, count) < count || count * maximum / 100 > count
    }

    /// Whether another service runs revisions of the same family.
    pub(super) fn has_sibling(&self) -> bool {
        matches!(self.oddity, Some(Oddity::Sibling | Oddity::ReleasedSibling))
    }

    /// Whether its pipeline, or ECS when it deploys, looks at an alarm.
    pub(super) fn has_alarm(&self) -> bool {
        self.oddity == Some(Oddity::Alarms) || self.canary().is_some_and(|canary| canary.alarm)
    }

    /// Whether a judge has traffic enough to both colours: an old one without tasks answers
    /// nothing.
    pub(super) fn can_compare(&self) -> bool {
        self.count > 0 && self.canary().is_some_and(Canary::is_busy)
    }

    /// Whether a rollout may run out of time with nothing wrong.
    #[must_use]
    pub fn is_hasty(&self) -> bool {
        self.deadline_minutes < 15
    }

    /// Tasks that a release leaves the service with when it begins with `live` ones.
    #[must_use]
    pub fn size(&self, live: u32) -> u32 {
        self.desired_count.unwrap_or(if live == 0 {
            self.initial_count.unwrap_or(1)
        } else {
            live
        })
    }

    /// Tasks that stay healthy while `size` of them are replaced, by the words of the strategy. ECS
    /// knows percentages only: a number of tasks became one for at most `most` tasks, and is less
    /// of a service that an operator makes smaller in between.
    #[must_use]
    pub fn promised(&self, size: u32, most: u32) -> u32 {
        if let Some((least, _)) = self.pair.as_ref().and_then(|pair| pair.capacity) {
            return size.min(least);
        }
        match (self.floor, self.strategy) {
            (Floor::Percent(percent), _) => (size * percent).div_ceil(100),
            (Floor::Tasks(0), _) => 0,
            (Floor::Tasks(tasks), _) if tasks >= most => size,
            (Floor::Tasks(tasks), strategy) => {
                let kept = (size * (tasks * 100 / most)).div_ceil(100);
                // A rollback to fewer tasks, none of which could move, has the stack's percentages.
                let has_moved = kept < size || !makes_room(strategy);
                tasks.min(if has_moved { kept } else { size.div_ceil(2) })
            }
            (Floor::Unsaid, strategy) => kept(strategy, size),
        }
    }
}

/// Tasks that a strategy keeps healthy while `size` of them are replaced, if its parameters set no
/// floor.
pub(super) fn kept(strategy: Strategy, size: u32) -> u32 {
    match strategy {
        Strategy::MakeRoom => size.saturating_sub(1),
        Strategy::Rolling | Strategy::Doubling | Strategy::BlueGreen => size,
    }
}

/// Whether a strategy never runs more tasks than desired, so that a task stops before its
/// replacement starts.
fn makes_room(strategy: Strategy) -> bool {
    strategy.rules().maximum == Bound::Fixed(100)
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shift {
            DrawnShift::Judged(canary) => write!(f, "{canary}")?,
            other => write!(f, "{other:?}")?,
        }

        write!(
            f,
            ", bakes {} min, drains {} min",
            self.bake_minutes, self.drain_minutes
        )?;
        write!(f, ", at least {} % healthy", self.minimum_healthy_percent)?;

        if let Some((least, most)) = self.capacity {
            write!(f, ", scaled from {least} to {most}")?;
        }
        if self.is_named {
            write!(f, ", with given names")?;
        }
        if let Some(records) = self.records {
            write!(f, ", behind {records}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let launch = match (self.fargate, self.static_port) {
            (true, _) => "Fargate".to_owned(),
            (false, true) => format!("{} instances, one task each", self.instances),
            (false, false) => format!("{} instances", self.instances),
        };
        write!(f, "service of {} tasks on {launch}", self.count)?;

        if self.load_balanced {
            write!(
                f,
                " behind a load balancer ({} s grace, {} s draining)",
                self.grace_secs, self.drain_secs
            )?;
        }

        write!(f, "; {:?}", self.strategy)?;
        match self.floor {
            Floor::Unsaid => {}
            Floor::Percent(percent) => write!(f, ", at least {percent} % healthy")?,
            Floor::Tasks(tasks) => write!(f, ", at least {tasks} healthy")?,
        }
        if let Some(pair) = &self.pair {
            write!(f, " {pair}")?;
        }
        if let Some(maximum) = self.maximum_percent {
            write!(f, ", at most {maximum} %")?;
        }
        if let Some(count) = self.desired_count {
            write!(f, ", sets {count} tasks")?;
        }

        write!(f, "; {} min a rollout", self.deadline_minutes)?;
        if let Some(cleanup) = self.early_success {
            write!(f, "; early success with {cleanup} cleanup")?;
        }

        let notes = [
            self.approval.then_some("with an approval"),
            self.queued.then_some("queued"),
            self.rebalanced.then_some("rebalanced"),
            self.is_polled.then_some("by custom actions"),
            self.oddity.map(Oddity::as_str),
        ];
        let mut notes = notes.into_iter().flatten();
        notes.try_for_each(|note| write!(f, "; {note}"))?;
        self.checks.map_or(Ok(()), |checks| {
            write!(f, "; HTTP checks {}", checks.as_str())
        })
    }
}
