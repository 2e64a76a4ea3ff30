//! The wire types of the offline contract: a scenario with its minutes as they became final.
//!
//! A scenario is read as strictly as a config, and as a whole before anything is judged.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answers::Answers;
use super::arrival::Arrived;
use super::config::{JudgeConfig, LATENCY_THRESHOLDS};
use super::counts::{Counters, Minute};
use super::hour::ZoneMinute;
use crate::judge::strict::{FieldError, Node};

/// The version of the scenario format.
const SCENARIO_VERSION: u64 = 2;

/// Fields of a minute that may become final later.
const SEEN_FIELDS: [&str; 17] = [
    "c.n",
    "c.ok",
    "c.r4",
    "c.r5",
    "c.refused",
    "c.timed",
    "c.slow_r",
    "c.slow_p",
    "c.values",
    "b.n",
    "b.ok",
    "b.r4",
    "b.r5",
    "b.refused",
    "b.timed",
    "b.slow",
    "b.values",
];

const CANARY_FIELDS: [&str; 9] = [
    "n", "ok", "r4", "r5", "refused", "timed", "slow_r", "slow_p", "values",
];
const BASELINE_FIELDS: [&str; 8] = ["n", "ok", "r4", "r5", "refused", "timed", "slow", "values"];
const HOUR_FIELDS: [&str; 7] = ["n", "ok", "r4", "r5", "refused", "slow", "slow_p"];

/// A scenario that cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// Not JSON at all.
    #[error("failed to parse JSON: {0}")]
    Json(String),
    /// A field was refused.
    #[error("failed to read the scenario: {0}")]
    Field(#[from] FieldError),
}

/// One recorded or made-up canary deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name in the output.
    pub id: String,
    pub config: JudgeConfig,
    /// Latency thresholds in milliseconds, or none.
    pub thresholds_ms: Vec<f64>,
    /// The hour before, if there was one.
    pub hour: Vec<Vec<ZoneMinute>>,
    minutes: BTreeMap<u32, ScenarioMinute>,
}

/// One minute, with the minute from which each late field is final.
#[derive(Debug, Clone, PartialEq)]
struct ScenarioMinute {
    minute: Minute,
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
        let root = Node::root(&value);
        check_version(&root)?;
        let root = root.object(&["v", "id", "config", "thresholds_ms", "hour", "minutes"])?;

        let thresholds_ms = read_thresholds(&root.field("thresholds_ms"))?;
        let shape = ThresholdCount {
            thresholds: thresholds_ms.len(),
        };
        Ok(Self {
            id: root.field("id").text()?,
            config: JudgeConfig::read(&root.field("config"))?,
            hour: root
                .field("hour")
                .or(Vec::new(), |field| shape.hour(field))?,
            minutes: shape.minutes(&root.field("minutes"))?,
            thresholds_ms,
        })
    }

    /// What is known in minute `now` of a minute.
    pub fn arrived(&self, minute: u32, now: u32) -> Arrived {
        self.minutes.get(&minute).map_or_else(
            || Arrived {
                minute: Minute::default(),
                is_final: true,
            },
            |found| found.arrived(now),
        )
    }
}

/// Refuses earlier formats before their fields, which would be refused one by one.
fn check_version(root: &Node<'_>) -> Result<(), FieldError> {
    let version = root.field("v");
    match version.count()? {
        SCENARIO_VERSION => Ok(()),
        1 => Err(version.refuse(format!(
            "{SCENARIO_VERSION}; format 1 has no answers by class and cannot be judged any more"
        ))),
        _ => Err(version.refuse(SCENARIO_VERSION.to_string())),
    }
}

impl ScenarioMinute {
    /// The minute without what is not final yet.
    fn arrived(&self, now: u32) -> Arrived {
        let mut minute = self.minute.clone();
        let late = self.seen.iter().filter(|(_, at)| **at > now);
        let mut is_final = true;
        for (field, _) in late {
            is_final = false;
            let side = match field.split_once('.') {
                Some(("c", name)) => Some((&mut minute.canary, name)),
                Some((_, name)) => Some((&mut minute.baseline, name)),
                None => None,
            };
            if let Some((side, name)) = side {
                forget(side, name);
            }
        }
        Arrived { minute, is_final }
    }
}

fn forget(side: &mut Counters, name: &str) {
    match name {
        "n" => side.requests = None,
        "ok" => side.good = None,
        "r4" => side.client_errors = None,
        "r5" => side.server_errors = None,
        "refused" => side.refused = None,
        "timed" => side.timed = None,
        "slow" | "slow_r" => side.slow.fill(None),
        "slow_p" => side.slow_to_promote.fill(None),
        _ => side.values.fill(None),
    }
}

fn read_thresholds(node: &Node<'_>) -> Result<Vec<f64>, FieldError> {
    let thresholds = node
        .array()?
        .iter()
        .map(Node::number)
        .collect::<Result<Vec<_>, _>>()?;
    let ascends = thresholds.is_sorted() && thresholds.iter().all(|ms| *ms > 0.0);

    if ascends && thresholds.len() <= LATENCY_THRESHOLDS {
        Ok(thresholds)
    } else {
        Err(node.refuse(format!(
            "up to {LATENCY_THRESHOLDS} positive numbers in ascending order"
        )))
    }
}

/// How many counts belong together.
#[derive(Clone, Copy)]
struct ThresholdCount {
    thresholds: usize,
}

impl ThresholdCount {
    fn hour(self, node: &Node<'_>) -> Result<Vec<Vec<ZoneMinute>>, FieldError> {
        let zones = |minute: &Node<'_>| {
            let zones = minute.array()?;
            zones.iter().map(|zone| self.zone(zone)).collect()
        };
        node.array()?.iter().map(zones).collect()
    }

    fn zone(self, zone: &Node<'_>) -> Result<ZoneMinute, FieldError> {
        let zone = zone.object(&HOUR_FIELDS)?;
        let count = |name: &str| Ok(zone.field(name).maybe_count()?.unwrap_or(0));
        let slow = |name: &str| {
            let counts = self.slow(&zone.field(name))?;
            Ok(counts.into_iter().map(|count| count.unwrap_or(0)).collect())
        };
        Ok(ZoneMinute {
            answers: Answers {
                requests: count("n")?,
                good: count("ok")?,
                client_errors: count("r4")?,
                server_errors: count("r5")?,
                refused: count("refused")?,
            },
            slow: slow("slow")?,
            slow_to_promote: slow("slow_p")?,
        })
    }

    fn minutes(self, node: &Node<'_>) -> Result<BTreeMap<u32, ScenarioMinute>, FieldError> {
        let mut minutes = BTreeMap::new();
        for item in node.array()? {
            let item = item.object(&["t", "c", "b", "seen"])?;
            let at = item.field("t");
            let t = at.minutes()?;
            if t == 0 || minutes.insert(t, self.minute(&item)?).is_some() {
                return Err(at.refuse("a minute from 1 that is not there yet"));
            }
        }
        Ok(minutes)
    }

    fn minute(self, item: &Node<'_>) -> Result<ScenarioMinute, FieldError> {
        let canary = item.field("c").object(&CANARY_FIELDS)?;
        let baseline = item.field("b").object(&BASELINE_FIELDS)?;
        let slow_to_promote = self.slow(&canary.field("slow_p"))?;
        Ok(ScenarioMinute {
            minute: Minute {
                canary: Counters {
                    slow_to_promote,
                    ..self.side(&canary, "slow_r")?
                },
                baseline: self.side(&baseline, "slow")?,
            },
            seen: read_seen(&item.field("seen"))?,
        })
    }

    fn side(self, side: &Node<'_>, slow: &str) -> Result<Counters, FieldError> {
        let count = |name: &str| side.field(name).maybe_count();
        Ok(Counters {
            requests: count("n")?,
            good: count("ok")?,
            client_errors: count("r4")?,
            server_errors: count("r5")?,
            refused: count("refused")?,
            timed: count("timed")?,
            slow: self.slow(&side.field(slow))?,
            slow_to_promote: Vec::new(),
            own: Vec::new(),
            values: read_values(&side.field("values"))?,
        })
    }

    /// Slow counts are all unknown where the field is, and of no use without thresholds.
    fn slow(self, node: &Node<'_>) -> Result<Vec<Option<u64>>, FieldError> {
        if node.is_unknown() {
            return Ok(vec![None; self.thresholds]);
        }
        let counts = node
            .array()?
            .iter()
            .map(Node::maybe_count)
            .collect::<Result<Vec<_>, _>>()?;
        if self.thresholds > 0 && counts.len() != self.thresholds {
            let thresholds = self.thresholds;
            return Err(node.refuse(format!(
                "{thresholds} counts, one for each of thresholds_ms"
            )));
        }
        Ok(counts)
    }
}

fn read_values(node: &Node<'_>) -> Result<Vec<Option<f64>>, FieldError> {
    if node.is_unknown() {
        return Ok(Vec::new());
    }
    let value = |item: &Node<'_>| {
        if item.is_unknown() {
            Ok(None)
        } else {
            item.number().map(Some)
        }
    };
    node.array()?.iter().map(value).collect()
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
