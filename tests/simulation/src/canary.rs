//! What only a run with a canary has: traffic to judge by, how it is judged, images that answer
//! worse, and metrics that are late or lost.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use emulator::cloudwatch::{Faults, Gap};
use emulator::codepipeline::ReportContent;
use emulator::ecr::{Answers, Profile};
use emulator::{Aws, Millis};
use invariants::ledger_reader::{FUNCTIONS_STACK, record};

/// The alarm that some pipelines look at, and ECS for some services.
pub(super) const ALARM: &str = "web-errors";

/// Requests a second with which a few minutes are enough to distinguish a good image from a bad
/// one.
const BUSY: u32 = 6000;
/// Requests a second: too few for any verdict.
const QUIET: u32 = 1;

/// What the first summary of a judgement has where a decision is expected within the bake.
const DECISION_EXPECTED: &str = "a healthy canary is expected to be promoted after about";

/// How a new version is judged beside the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    pub requests_per_second: u32,
    /// What the new colour gets while it is judged, in percent of the traffic: at first, and then.
    pub shares: (u32, u32),
    pub judged_minutes: u32,
    pub min_minutes: u32,
    pub warm_up_minutes: u32,
    pub inconclusive: DrawnInconclusive,
    /// Whether the pipeline looks at [`ALARM`].
    pub alarm: bool,
}

/// What follows when nothing was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnInconclusive {
    /// Wait this many minutes for an operator.
    Hold(u32),
    RollBack,
    Promote,
}

/// How an image answers worse than a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// This many of 1,000 requests fail.
    Fails(u32),
    /// This many of 1,000 requests fail from the third minute on.
    FailsLater(u32),
    /// Every request takes this many percent longer.
    Slower(u32),
    /// No more requests fail than of a good image, but this many at a time.
    Bursty(u32),
    /// This many of 1,000 requests are answered with 4XX, as by an image without a route.
    Rejects(u32),
    /// Of this many of 1,000 requests the connection is reset.
    Resets(u32),
    /// This many of 1,000 requests are never answered.
    Unanswered(u32),
    /// It is good, and takes this many percent longer at first, for so many minutes.
    Cold(u32, u32),
}

/// What is wrong with CloudWatch. Shares are in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// This many points never become visible.
    Lost(u32),
    /// This many points become visible up to a quarter of an hour late.
    Late(u32),
    /// No point of a time becomes visible, or only this long after its minute.
    Missing {
        from: Duration,
        lasts: Duration,
        delay: Option<Duration>,
    },
    /// Every call is throttled for a while.
    Throttled { from: Duration, lasts: Duration },
    /// This many results of a query are internal errors.
    Errors(u32),
    /// A page has this many points.
    Pages(u32),
}

impl Canary {
    pub(super) fn draw(rng: &mut fastrand::Rng) -> Self {
        let is_quiet = rng.u8(..5) == 0;
        let judged_minutes = rng.u32(3..=4);

        Self {
            requests_per_second: if is_quiet { QUIET } else { BUSY },
            shares: [(10, 50), (20, 50), (10, 25)][rng.usize(..3)],
            judged_minutes,
            min_minutes: rng.u32(2..=judged_minutes),
            warm_up_minutes: [0, 0, 1][rng.usize(..3)],
            inconclusive: match rng.u8(..5) {
                0..=2 => DrawnInconclusive::Hold(rng.u32(3..=6)),
                3 => DrawnInconclusive::RollBack,
                _ => DrawnInconclusive::Promote,
            },
            alarm: rng.bool(),
        }
    }

    /// Whether there is traffic enough for a verdict.
    pub(super) fn is_busy(&self) -> bool {
        self.requests_per_second > QUIET
    }

    /// How long the judgement takes at most. With the longest minimum of usable minutes a shorter
    /// one has no room for metrics that come late.
    fn bake_minutes(&self) -> u32 {
        4 * self.judged_minutes + self.warm_up_minutes
    }

    /// The parameters of the pipeline's template for it.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let (word, hold) = match self.inconclusive {
            DrawnInconclusive::Hold(minutes) => ("hold", Some(minutes)),
            DrawnInconclusive::RollBack => ("roll-back", None),
            DrawnInconclusive::Promote => ("promote", None),
        };
        let mut parameters = vec![
            ("FirstPercent", self.shares.0.to_string()),
            ("LastPercent", self.shares.1.to_string()),
            ("JudgeMinutes", self.bake_minutes().to_string()),
            ("MinMinutes", self.min_minutes.to_string()),
            ("WarmUpMinutes", self.warm_up_minutes.to_string()),
            ("Inconclusive", word.to_owned()),
        ];
        parameters.extend(hold.map(|minutes| ("HoldMinutes", minutes.to_string())));

        if self.alarm {
            parameters.push(("Alarms", ALARM.to_owned()));
        }
        parameters
    }

    /// Whether the judge's result explains that a good image was not deployed: rarely, chance makes
    /// it look bad, and what shows nothing is not promoted unless the pipeline is configured so.
    /// During a hold the judge goes on looking.
    pub(super) fn explains(&self, decision: &str) -> bool {
        match self.inconclusive {
            DrawnInconclusive::Hold(_) | DrawnInconclusive::RollBack => decision != "promote",
            DrawnInconclusive::Promote => decision == "rollback",
        }
    }
}

impl DrawnInconclusive {
    /// A word for it, for counting.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Hold(_) => "hold",
            Self::RollBack => "roll back",
            Self::Promote => "promote",
        }
    }
}

impl Flaw {
    pub(super) fn profile(self) -> Profile {
        let part = |per_mille: u32| f64::from(per_mille) / 1000.0;
        let failing = |per_mille: u32| Answers::GOOD.failing(part(per_mille));
        match self {
            Self::Fails(per_mille) => Profile::of(failing(per_mille)),
            Self::FailsLater(per_mille) => Profile::of(Answers::GOOD).then(2, failing(per_mille)),
            Self::Slower(percent) => {
                Profile::of(Answers::GOOD.slower(1.0 + f64::from(percent) / 100.0))
            }
            Self::Bursty(burst) => Profile::of(Answers {
                burst,
                ..Answers::GOOD
            }),
            Self::Rejects(per_mille) => Profile::of(Answers {
                client_errors: part(per_mille),
                ..Answers::GOOD
            }),
            Self::Resets(per_mille) => Profile::of(Answers {
                reset: part(per_mille),
                ..Answers::GOOD
            }),
            Self::Unanswered(per_mille) => Profile::of(Answers {
                unanswered: part(per_mille),
                ..Answers::GOOD
            }),
            Self::Cold(percent, minutes) => {
                let slower = 1.0 + f64::from(percent) / 100.0;
                Profile::default().cold(slower, f64::from(minutes))
            }
        }
    }

    /// Whether it is so bad that a judge with traffic enough cannot miss it.
    pub(super) fn is_plain(self) -> bool {
        match self {
            Self::Fails(per_mille) | Self::FailsLater(per_mille) => per_mille >= 20,
            Self::Slower(percent) => percent >= 50,
            Self::Rejects(per_mille) | Self::Resets(per_mille) | Self::Unanswered(per_mille) => {
                per_mille >= 100
            }
            Self::Bursty(_) | Self::Cold(..) => false,
        }
    }

    /// A word for it, for counting.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fails(_) => "fails some requests",
            Self::FailsLater(_) => "fails some requests later",
            Self::Slower(_) => "is slower",
            Self::Bursty(_) => "fails in bursts",
            Self::Rejects(_) => "rejects some requests",
            Self::Resets(_) => "resets some connections",
            Self::Unanswered(_) => "never answers some requests",
            Self::Cold(..) => "is cold at first",
        }
    }
}

impl Metrics {
    /// A word for it, for counting.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Lost(_) => "points are lost",
            Self::Late(_) => "points are late",
            Self::Missing { .. } => "metrics are missing for a while",
            Self::Throttled { .. } => "metrics are throttled",
            Self::Errors(_) => "metrics are internal errors",
            Self::Pages(_) => "metrics come in small pages",
        }
    }

    pub(super) fn happen(self, faults: &mut Faults, start: Millis) {
        let share = |percent: u32| f64::from(percent) / 100.0;
        let millis = |time: Duration| time.as_millis() as Millis;

        match self {
            Self::Lost(percent) => faults.lost = share(percent),
            Self::Late(percent) => faults.late = share(percent),
            Self::Missing { from, lasts, delay } => {
                let from = start + millis(from);
                let (to, delay) = (from + millis(lasts), delay.map(millis));
                faults.gaps.push(Gap {
                    metric: None,
                    target_group: None,
                    from,
                    to,
                    delay,
                });
            }
            Self::Throttled { from, lasts } => {
                let from = start + millis(from);
                faults.throttled.push((from, from + millis(lasts)));
            }
            Self::Errors(percent) => faults.internal_errors = share(percent),
            Self::Pages(points) => faults.most_points = Some(points as usize),
        }
    }

    /// Whether it was met: something was read of CloudWatch, or refused.
    pub(super) fn met(self, aws: &Aws) -> bool {
        let mut reads = aws
            .calls
            .iter()
            .filter(|call| call.operation == "GetMetricData");
        match self {
            Self::Throttled { .. } => reads.any(|call| {
                call.error
                    .as_deref()
                    .is_some_and(|e| e.contains("hrottling"))
            }),
            _ => reads.any(|call| call.error.is_none()),
        }
    }
}

/// Whether the first summary of an execution's judgement expected a decision within the bake.
pub(super) fn is_expected(aws: &Aws, execution: &str) -> bool {
    let jobs = aws.codepipeline.jobs.iter();
    let reports = jobs
        .filter(|job| job.execution == execution)
        .flat_map(|job| &job.reports);
    let mut summaries = reports.filter_map(|report| match &report.content {
        ReportContent::Success { summary, .. } => summary.as_deref(),
        ReportContent::Failure { .. } => None,
    });
    summaries.any(|summary| summary.contains(DECISION_EXPECTED))
}

/// The judge's result at the end of each judgement of an execution, by the JSON beside the reports
/// that its record names.
pub(super) fn decisions(aws: &Aws, execution: &str) -> Vec<String> {
    let Some(record) = record(aws, execution) else {
        return Vec::new();
    };

    let judged = record
        .pointer("/judged/L")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let reports = judged.filter_map(|judged| judged.pointer("/M/report/S")?.as_str());
    reports.filter_map(|report| decision(aws, report)).collect()
}

fn decision(aws: &Aws, report: &str) -> Option<String> {
    let bucket = &aws
        .cloudformation
        .stack(FUNCTIONS_STACK)?
        .resource("ReportsBucket")?
        .physical_id;
    let key = report
        .strip_prefix(&format!("s3://{bucket}/"))?
        .strip_suffix(".html")?;
    let stored = aws.s3.get(bucket, &format!("{key}.json"), None).ok()?;
    let stored: Value = serde_json::from_slice(stored).ok()?;
    stored["verdict"]["decision"]
        .as_str()
        .map(ToOwned::to_owned)
}

impl fmt::Display for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.shares;
        write!(
            f,
            "{first} % and {second} % of {} requests a second",
            self.requests_per_second
        )?;
        write!(
            f,
            " judged for {} min, at least {}",
            self.bake_minutes(),
            self.min_minutes
        )?;
        write!(
            f,
            ", {} min of warm-up, inconclusive: {:?}",
            self.warm_up_minutes, self.inconclusive
        )?;
        write!(f, "{}", if self.alarm { ", with an alarm" } else { "" })
    }
}
