//! Unusual traffic: requests and responses as other runs do not have them, and reads and counts that
//! change by themselves.
//!
//! Each is a rule of the emulator, which is off in runs that draw none.

use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use super::plan::Plan;
use super::shape::{self, Shape};
use emulator::Aws;
use emulator::autoscaling::{self, Scheduled};
use emulator::elb::{self, Elb};
use emulator::traffic::{self, Bursts};
use harness::demo::CLUSTER;

const MINUTE: Duration = Duration::from_secs(60);
/// How long a scheduled action keeps tasks away.
const NIGHT: Duration = Duration::from_secs(30 * 60);

/// One way in which the traffic of a run is not usual. Parts are in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnTraffic {
    /// Minutes are better or worse than others, for all versions alike: the deviations of the
    /// logarithms.
    Varies { errors: u32, times: u32 },
    /// This many 5XX come together, of every version.
    SameBursts(u32),
    /// A geometric number of them, with this mean.
    GeometricBursts(u32),
    /// The same, each through one Availability Zone.
    ZoneBursts(u32),
    /// A log-normal number of them around 10: the deviation of its logarithm.
    LogNormalBursts(u32),
    /// What a task can serve, as a part of what each of the first ones has to.
    Capacity(u32),
    /// Targets speak gRPC.
    Grpc,
    /// A part of the clients keep their target group.
    Sticky { part: u32, minutes: u32 },
    /// Requests come to the first idle colour by its test rule: as a part of the others.
    TestRequests(u32),
    /// Reads lag behind changes for this long at most.
    StaleReads(Duration),
    /// This many minutes after the first push the live colour may have no more than its least
    /// count, for half an hour.
    Scheduled(u32),
}

impl DrawnTraffic {
    /// One of them, or two of different kinds.
    pub(super) fn draw(rng: &mut Rng, shape: &Shape) -> Vec<Self> {
        let mut drawn = vec![Self::one(rng, shape)];
        if rng.bool() {
            let other = Self::one(rng, shape);
            let is_other = other.as_str() != drawn[0].as_str();
            drawn.extend(is_other.then_some(other));
        }
        drawn
    }

    /// Half of what a judge meets is what it must not take for harm.
    fn one(rng: &mut Rng, shape: &Shape) -> Self {
        let is_scaled = capacity(shape).is_some();
        if shape.canary().is_some() && rng.bool() {
            return Self::harmless(rng);
        }
        match rng.u8(..11) {
            0 => Self::varies(rng),
            kind @ 1..=3 => Self::bursts(rng, kind - 1),
            4 => Self::Capacity(rng.u32(110..=300)),
            5 => Self::Grpc,
            6 => Self::sticky(rng),
            7 => Self::TestRequests(rng.u32(1..=20)),
            8 => Self::bursts(rng, 3),
            9 if is_scaled => Self::Scheduled(rng.u32(2..=20)),
            _ => Self::StaleReads(Duration::from_secs(rng.u64(1..=20))),
        }
    }

    /// Jitter, bursts of any kind, or sticky clients.
    fn harmless(rng: &mut Rng) -> Self {
        match rng.u8(..3) {
            0 => Self::varies(rng),
            1 => Self::sticky(rng),
            _ => {
                let kind = rng.u8(..4);
                Self::bursts(rng, kind)
            }
        }
    }

    fn bursts(rng: &mut Rng, kind: u8) -> Self {
        match kind {
            0 => Self::SameBursts(rng.u32(2..=20)),
            1 => Self::GeometricBursts(rng.u32(2..=20)),
            2 => Self::LogNormalBursts(rng.u32(50..=150)),
            _ => Self::ZoneBursts(rng.u32(2..=20)),
        }
    }

    fn varies(rng: &mut Rng) -> Self {
        Self::Varies {
            errors: rng.u32(10..=40),
            times: rng.u32(1..=10),
        }
    }

    fn sticky(rng: &mut Rng) -> Self {
        Self::Sticky {
            part: rng.u32(10..=90),
            minutes: rng.u32(5..=60),
        }
    }

    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Varies { .. } => "minutes vary",
            Self::SameBursts(_) => "bursts of one size",
            Self::GeometricBursts(_) => "geometric bursts",
            Self::ZoneBursts(_) => "bursts within a zone",
            Self::LogNormalBursts(_) => "log-normal bursts",
            Self::Capacity(_) => "tasks with a capacity",
            Self::Grpc => "gRPC",
            Self::Sticky { .. } => "sticky clients",
            Self::TestRequests(_) => "requests by a test rule",
            Self::StaleReads(_) => "reads lag behind",
            Self::Scheduled(_) => "scheduled scaling",
        }
    }

    /// Whether requests are answered as their images answer them, so that a good release must be
    /// deployed.
    pub(super) fn leaves_answers(self) -> bool {
        !matches!(self, Self::Capacity(_) | Self::Sticky { .. })
    }

    /// Whether tasks may fail that are good.
    pub(super) fn overloads(self) -> bool {
        matches!(self, Self::Capacity(_))
    }

    /// Whether 5XX come together.
    pub(super) fn is_in_bursts(self) -> bool {
        matches!(
            self,
            Self::SameBursts(_)
                | Self::GeometricBursts(_)
                | Self::ZoneBursts(_)
                | Self::LogNormalBursts(_)
        )
    }

    /// Whether metrics show failures.
    pub(super) fn shows_failures(self) -> bool {
        self != Self::Grpc
    }

    /// Begins with the run.
    pub(super) fn begin(self, aws: &mut Aws, plan: &Plan) {
        let rate = shape::rate(&plan.shape);
        let variation = &mut aws.traffic.variation;
        match self {
            Self::Varies { errors, times } => {
                variation.errors = part_of_one(errors);
                variation.times = part_of_one(times);
            }
            Self::SameBursts(size) => variation.bursts = Some(Bursts::Same(size)),
            Self::GeometricBursts(mean) => variation.bursts = Some(Bursts::Geometric(mean)),
            Self::ZoneBursts(mean) => {
                variation.bursts = Some(Bursts::Geometric(mean));
                variation.in_zones = true;
            }
            Self::LogNormalBursts(deviation) => {
                variation.bursts = Some(Bursts::LogNormal {
                    median: 10.0,
                    deviation: part_of_one(deviation),
                });
            }
            Self::Capacity(part) => {
                let of_each = rate / f64::from(plan.shape.count.max(1));
                aws.traffic.capacity = Some(of_each * part_of_one(part));
            }
            Self::Grpc => {
                for group in aws.elb.target_groups.values_mut() {
                    let name = "ProtocolVersion".to_owned();
                    group.properties.insert(name, json!("GRPC"));
                }
            }
            Self::Sticky { part, minutes } => stick(aws, part_of_one(part), minutes),
            Self::TestRequests(part) => {
                if let Some(rule) = idle_test_rule(aws) {
                    traffic::set(aws, &rule, rate * part_of_one(part));
                }
            }
            Self::StaleReads(longest) => aws.stale.longest = Some(longest),
            Self::Scheduled(minutes) => schedule(aws, plan, minutes * MINUTE),
        }
    }
}

fn part_of_one(percent: u32) -> f64 {
    f64::from(percent) / 100.0
}

/// The bounds of automatic scaling of a pair.
fn capacity(shape: &Shape) -> Option<(u32, u32)> {
    shape.pair.as_ref()?.capacity
}

/// An operator turns the stickiness of the production rule on, and a part of the clients sends
/// cookies.
fn stick(aws: &mut Aws, part: f64, minutes: u32) {
    let Some(rule) = shape::production_rule(aws) else {
        return;
    };
    let mut actions = aws.elb.actions_of(&rule).cloned().unwrap_or_default();
    let last = actions.as_array_mut().and_then(|all| all.last_mut());
    if let Some(forward) = last {
        let stickiness = json!({"Enabled": true, "DurationSeconds": 60 * minutes});
        forward["ForwardConfig"]["TargetGroupStickinessConfig"] = stickiness;
    }
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("the rule is there");
    traffic::set_sticky(aws, &rule, part);
}

/// The rule that sends all of its requests to the colour that is idle at first.
fn idle_test_rule(aws: &Aws) -> Option<String> {
    let production = shape::production_rule(aws)?;
    let forwards = Elb::forwards(aws.elb.actions_of(&production));
    let (idle, _) = forwards.into_iter().find(|(_, weight)| *weight == 0)?;
    let mut rules = aws.elb.rules.values();
    let is_of_idle = |actions| {
        Elb::forwards(actions)
            .iter()
            .any(|(group, _)| *group == idle)
    };
    let found =
        rules.find(|rule| rule.arn != production && is_of_idle(rule.properties.get("Actions")));
    found.map(|rule| rule.arn.clone())
}

/// A scheduled action lowers the maximum of tasks of the first live colour, and another one
/// restores it.
fn schedule(aws: &mut Aws, plan: &Plan, after: Duration) {
    let Some((least, most)) = capacity(&plan.shape) else {
        return;
    };
    let Ok([blue, _]) = plan.shape.colours(aws) else {
        return;
    };
    let first = plan
        .pushes
        .first()
        .map_or(Duration::ZERO, |push| push.after);
    let most_of = |max| Scheduled {
        min: None,
        max: Some(max),
    };
    for (after, max) in [(first + after, least), (first + after + NIGHT, most)] {
        autoscaling::schedule(aws, (CLUSTER, blue.as_str()), after, most_of(max));
    }
}
