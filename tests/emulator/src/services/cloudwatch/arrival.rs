//! When a point becomes visible: late, and sometimes very late or never.
//!
//! A load balancer reports all metrics of a minute soon after its end, each with a delay of its
//! own. Of some minutes the beginning is reported before the end, so that a reader who comes too
//! early sees a part.

use rand::RngExt;

use super::draw;
use super::minute::{self, MINUTE, Series};
use crate::{Aws, Millis};

/// No minute is reported later than this, …
const BASE: Millis = 100_000;

/// … no point of it is this much later than the others, …
const DELAY: Millis = 300_000;

/// … and none of the late ones this much later than that.
const LONGER: Millis = 900_000;

/// What is wrong with CloudWatch, for a scenario to set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Times in which every call is throttled.
    pub throttled: Vec<(Millis, Millis)>,
    /// Which part of the points never becomes visible.
    pub lost: f64,
    /// Which part of the points becomes visible up to a quarter of an hour late.
    pub late: f64,
    /// Points that are lost or late for certain.
    pub gaps: Vec<Gap>,
    /// Whether load balancers have no series by Availability Zone.
    pub without_zones: bool,
    /// Which part of the results of a query are an internal error.
    pub internal_errors: f64,
    /// The most points of one page, when that is less than the request wants.
    pub most_points: Option<usize>,
}

/// Points that arrive late, or never, for certain.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The metric's name; nothing means every metric.
    pub metric: Option<String>,
    /// The target group's ARN; nothing means every one, and what has none.
    pub target_group: Option<String>,
    /// The minutes that begin from here …
    pub from: Millis,
    /// … until before here.
    pub to: Millis,
    /// How long after the end of their minute they become visible; nothing means never.
    pub delay: Option<Millis>,
}

/// How much of a minute is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visible {
    Nothing,
    Beginning,
    Whole,
}

/// How much of a metric's minute is visible now.
pub(super) fn visible(aws: &Aws, series: &Series, metric: &str, minute: Millis) -> Visible {
    let (now, end) = (aws.now, minute + MINUTE);
    let gap = aws
        .cloudwatch
        .faults
        .gaps
        .iter()
        .find(|gap| gap.holds(series, metric, minute));

    if let Some(gap) = gap {
        let arrived = gap.delay.is_some_and(|delay| now >= end + delay);
        return if arrived {
            Visible::Whole
        } else {
            Visible::Nothing
        };
    }

    if now >= end + aws.cloudwatch.faults.latest() {
        return Visible::Whole;
    }

    let mut shared = draw::chance(aws.seed, &format!("arrival {} {minute}", series.balancer));
    let early = shared.random_bool(1.0 / 3.0);
    let after_cut = shared.random_range(1000..10_000);
    let early_at = || minute::cut(aws.seed, &series.balancer, minute) + after_cut;
    let base = shared.random_range(5000..BASE);
    let group = series.group.as_deref().unwrap_or("no group");

    let mut own = draw::chance(
        aws.seed,
        &format!("arrival {} {group} {metric} {minute}", series.balancer),
    );
    match delay(&mut own, &aws.cloudwatch.faults) {
        None => Visible::Nothing,
        Some(delay) if now >= end + base + delay => Visible::Whole,
        Some(_) if early && now >= early_at() => Visible::Beginning,
        Some(_) => Visible::Nothing,
    }
}

/// How much later than the others of its minute a point becomes visible, if ever: most within 10
/// seconds, some within a minute, one in fifty later.
fn delay(rng: &mut rand::rngs::StdRng, faults: &Faults) -> Option<Millis> {
    let (kind, lost, late) = (
        rng.random::<f64>(),
        rng.random::<f64>(),
        rng.random::<f64>(),
    );
    let delay = match kind {
        0.0..0.88 => rng.random_range(0..10_000),
        0.88..0.98 => rng.random_range(10_000..60_000),
        _ => rng.random_range(60_000..DELAY),
    };
    let longer = rng.random_range(60_000..LONGER);

    match (lost < faults.lost, late < faults.late) {
        (true, _) => None,
        (false, true) => Some(delay + longer),
        (false, false) => Some(delay),
    }
}

impl Faults {
    /// Every point is visible this long after the end of its minute: drawing its delay is left out.
    fn latest(&self) -> Millis {
        if self.lost > 0.0 {
            Millis::MAX / 2
        } else if self.late > 0.0 {
            BASE + DELAY + LONGER
        } else {
            BASE + DELAY
        }
    }
}

impl Gap {
    fn holds(&self, series: &Series, metric: &str, minute: Millis) -> bool {
        (self.from..self.to).contains(&minute)
            && self.metric.as_deref().is_none_or(|known| known == metric)
            && (self.target_group.is_none() || self.target_group == series.group)
    }
}
