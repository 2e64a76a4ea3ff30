//! The wire types of the offline contract: a scenario with its minutes as they became visible.
//!
//! A scenario is read as strictly as a config, and checked as a whole before anything is judged,
//! so that a mistake in its last minute does not leave half a verdict behind.

use std::collections::BTreeMap;

use serde_json::Value;

use super::clean::{CountError, Reading, SideCounts, classify_minute};
use super::config::{JudgeConfig, LATENCY_THRESHOLDS};
use super::strict::{FieldError, Node};

/// The version of the scenario format.
const SCENARIO_VERSION: u64 = 1;

/// Fields of a minute whose visibility `seen` may delay.
const SEEN_FIELDS: [&str; 11] = [
    "c.n", "c.bad", "c.slow_r", "c.slow_p", "c.p50", "c.p99", "b.n", "b.bad", "b.slow", "b.p50",
    "b.p99",
];

/// A scenario that cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// Not JSON at all.
    #[error("failed to parse JSON: {0}")]
    Json(String),
    /// A field was refused.
    #[error("failed to read the scenario: {0}")]
    Field(#[from] FieldError),
    /// Its counts contradict each other.
    #[error("failed to read the scenario: {0}")]
    Counts(#[from] CountError),
    /// Its config cannot be judged by.
    #[error("failed to set up the judge: {0}")]
    Setup(#[from] super::sequential::SetupError),
}

/// One recorded or made-up canary deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name in the output.
    pub id: String,
    /// How it is judged.
    pub config: JudgeConfig,
    /// Latency thresholds x_1..x_4 in milliseconds, or none.
    pub thresholds_ms: Vec<f64>,
    minutes: BTreeMap<u32, ScenarioMinute>,
}

/// Counts of slow requests, one for each latency threshold.
type Slow = Vec<Option<u64>>;

/// One minute, with the minute in which each late field becomes visible.
#[derive(Debug, Clone, PartialEq)]
struct ScenarioMinute {
    canary: SideCounts,
    canary_slow: Slow,
    canary_slow_promote: Slow,
    baseline: SideCounts,
    baseline_slow: Slow,
    seen: BTreeMap<String, u32>,
}

impl Scenario {
    /// Reads one line of the offline contract.
    ///
    /// # Errors
    /// Anything that is not exactly a scenario, naming the field.
    pub fn from_json(line: &str) -> Result<Self, ScenarioError> {
        let value: Value =
            serde_json::from_str(line).map_err(|error| ScenarioError::Json(error.to_string()))?;
        let root = Node::root(&value).object(&["v", "id", "config", "thresholds_ms", "minutes"])?;
        if root.field("v").count()? != SCENARIO_VERSION {
            return Err(root.field("v").refuse(SCENARIO_VERSION.to_string()).into());
        }

        let thresholds_ms = read_thresholds(&root.field("thresholds_ms"))?;
        let scenario = Self {
            id: root.field("id").text()?,
            config: JudgeConfig::read(&root.field("config"))?,
            minutes: read_minutes(&root.field("minutes"), thresholds_ms.len())?,
            thresholds_ms,
        };
        scenario.check_counts()?;
        Ok(scenario)
    }

    /// What is visible in minute `now` of one minute and one metric of [`JudgeConfig::metrics`].
    pub fn visible(&self, minute: u32, metric: usize, now: u32) -> Reading {
        self.minutes
            .get(&minute)
            .map_or_else(Reading::default, |found| found.visible(metric, now))
    }

    fn check_counts(&self) -> Result<(), CountError> {
        for (minute, metric) in self
            .minutes
            .keys()
            .flat_map(|minute| (0..=self.thresholds_ms.len()).map(|m| (*minute, m)))
        {
            classify_minute(
                &self.visible(minute, metric, u32::MAX),
                true,
                minute,
                u32::MAX,
            )?;
        }

        Ok(())
    }
}

impl ScenarioMinute {
    fn visible(&self, metric: usize, now: u32) -> Reading {
        let seen = |field: &str, value: Option<u64>| {
            value.filter(|_| self.seen.get(field).is_none_or(|at| *at <= now))
        };
        let slow = |field: &str, counts: &Slow| {
            counts.get(metric - 1).and_then(|count| seen(field, *count))
        };
        let (canary_bad, baseline_bad, promote) = match metric {
            0 => {
                let bad = seen("c.bad", self.canary.bad);
                (bad, seen("b.bad", self.baseline.bad), bad)
            }
            _ => (
                slow("c.slow_r", &self.canary_slow),
                slow("b.slow", &self.baseline_slow),
                slow("c.slow_p", &self.canary_slow_promote),
            ),
        };

        Reading {
            canary: SideCounts {
                requests: seen("c.n", self.canary.requests),
                bad: canary_bad,
            },
            baseline: SideCounts {
                requests: seen("b.n", self.baseline.requests),
                bad: baseline_bad,
            },
            canary_bad_promote: promote,
        }
    }
}

fn read_thresholds(node: &Node<'_>) -> Result<Vec<f64>, FieldError> {
    let thresholds = node
        .array()?
        .iter()
        .map(Node::number)
        .collect::<Result<Vec<_>, _>>()?;
    let ascending = thresholds.is_sorted() && thresholds.iter().all(|ms| *ms > 0.0);
    let expected = thresholds.is_empty() || thresholds.len() == LATENCY_THRESHOLDS;

    if ascending && expected {
        Ok(thresholds)
    } else {
        Err(node.refuse(format!(
            "{LATENCY_THRESHOLDS} positive numbers in ascending order, or none"
        )))
    }
}

fn read_minutes(
    node: &Node<'_>,
    thresholds: usize,
) -> Result<BTreeMap<u32, ScenarioMinute>, FieldError> {
    let mut minutes = BTreeMap::new();
    for item in node.array()? {
        let item = item.object(&["t", "c", "b", "seen"])?;
        let at = item.field("t");
        let t = at.minutes()?;
        if t == 0 || minutes.insert(t, read_minute(&item, thresholds)?).is_some() {
            return Err(at.refuse("a minute from 1 that is not there yet"));
        }
    }

    Ok(minutes)
}

fn read_minute(item: &Node<'_>, thresholds: usize) -> Result<ScenarioMinute, FieldError> {
    let canary = item
        .field("c")
        .object(&["n", "bad", "slow_r", "slow_p", "p50", "p99"])?;
    let baseline = item
        .field("b")
        .object(&["n", "bad", "slow", "p50", "p99"])?;

    // Percentiles are for other judges; they are checked anyway, so that a typo shows.
    for percentile in [&canary, &baseline]
        .into_iter()
        .flat_map(|side| [side.field("p50"), side.field("p99")])
    {
        if !percentile.is_unknown() {
            percentile.number()?;
        }
    }

    Ok(ScenarioMinute {
        canary: read_side(&canary)?,
        canary_slow: read_slow(&canary.field("slow_r"), thresholds)?,
        canary_slow_promote: read_slow(&canary.field("slow_p"), thresholds)?,
        baseline: read_side(&baseline)?,
        baseline_slow: read_slow(&baseline.field("slow"), thresholds)?,
        seen: read_seen(&item.field("seen"))?,
    })
}

fn read_side(side: &Node<'_>) -> Result<SideCounts, FieldError> {
    Ok(SideCounts {
        requests: side.field("n").maybe_count()?,
        bad: side.field("bad").maybe_count()?,
    })
}

/// Slow counts are all unknown where the field is, and of no use without thresholds.
fn read_slow(node: &Node<'_>, thresholds: usize) -> Result<Slow, FieldError> {
    if node.is_unknown() {
        return Ok(vec![None; thresholds]);
    }

    let counts = node
        .array()?
        .iter()
        .map(Node::maybe_count)
        .collect::<Result<Slow, _>>()?;
    if thresholds > 0 && counts.len() != thresholds {
        return Err(node.refuse(format!(
            "{thresholds} counts, one for each of thresholds_ms"
        )));
    }

    Ok(counts)
}

fn read_seen(node: &Node<'_>) -> Result<BTreeMap<String, u32>, FieldError> {
    if node.is_absent() {
        return Ok(BTreeMap::new());
    }

    // The names hold dots, so they are fields of `seen` and not paths into it.
    node.object(&SEEN_FIELDS)?
        .entries()?
        .into_iter()
        .map(|(field, at)| Ok((field, at.minutes()?)))
        .collect()
}

#[cfg(test)]
mod tests;
