//! Delivery figures of services: how often they are deployed to, how fast, how often that fails and
//! for how long.
//!
//! They are the four of DORA (<https://dora.dev/guides/dora-metrics-four-keys/>; Forsgren, Humble
//! and Kim, *Accelerate*, 2018), counted of releases. What the ledger does not have is unknown, and
//! never counts as zero.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{EarlierRelease, Outcome, Prior, Push, Record, RecordState};
use crate::observed::service::{revision, short_name};
use crate::timestamp::{Timestamp, readable};

const DAY_SECS: i64 = 86_400;

/// A release that ended: the last one of its execution, or an earlier one of a promotion.
#[derive(Clone, Debug)]
pub struct EndedRelease<'a> {
    pub record: &'a Record,
    pub earlier: Option<&'a EarlierRelease>,
    /// `cluster/service`, once the release had begun.
    pub service: Option<String>,
    pub outcome: Outcome,
    pub ended_at: Timestamp,
    pub effect: Effect,
}

/// What the figures count of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The service got the revision, this long after its push, if that is known.
    Deployed { lead: Option<Duration> },
    /// A change that failed, and how long it was until the service ran again what is proven, if it
    /// does.
    Failed { restore: Option<Duration> },
    /// Nothing that could have reached a user, or nothing was found against it.
    Nothing,
}

/// The figures of some releases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub deployed: u32,
    pub failed: u32,
    /// From push to deployed, where it is known; ascending.
    pub leads: Vec<Duration>,
    /// From the beginning of a failed change to the restoration, where there is one; ascending.
    pub restores: Vec<Duration>,
}

/// The same for readers: `unknown` is what the ledger does not have, `-` what did not occur.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureTexts {
    pub deployed: String,
    pub a_week: String,
    pub lead: String,
    pub failed: String,
    pub failure_rate: String,
    pub restore: String,
}

/// When a period of days began that ends then.
#[must_use]
pub fn start_of(days: u32, until: Timestamp) -> Timestamp {
    Timestamp::from_secs(until.secs() - i64::from(days) * DAY_SECS).unwrap_or(until)
}

/// The releases of records that ended between two instants, the oldest first, with what the claims
/// of their digests and the later releases of their services show of them.
#[must_use]
pub fn ended<'a>(
    records: &'a [Record],
    pushes: &[Push],
    since: Timestamp,
    until: Timestamp,
) -> Vec<EndedRelease<'a>> {
    let claims: BTreeMap<(&str, &str), &Push> = pushes
        .iter()
        .map(|push| ((push.pipeline.as_str(), push.digest.as_str()), push))
        .collect();
    let pushed_at = |record: &Record| {
        let digest = record.digest.as_deref()?;
        let claim = claims.get(&(record.pipeline.as_str(), digest))?;
        push_of(record, claim)
    };

    let mut found = Vec::new();
    for record in records {
        let pushed_at = pushed_at(record);
        let earlier = record.earlier.iter();
        found.extend(earlier.map(|earlier| EndedRelease::before(record, earlier, pushed_at)));
        found.extend(EndedRelease::last(record, pushed_at));
    }
    found.sort_by(|one, other| {
        let by_time = one.ended_at.cmp(&other.ended_at);
        by_time.then_with(|| one.record.execution.cmp(&other.record.execution))
    });

    let later = restorations(&found);
    for (release, restored_at) in found.iter_mut().zip(later) {
        if let Effect::Failed { restore: None } = release.effect {
            let restore = restored_at.map(|at| at.since(release.record.started_at));
            release.effect = Effect::Failed { restore };
        }
    }
    found.retain(|release| (since..=until).contains(&release.ended_at));
    found
}

/// The figures of each service.
#[must_use]
pub fn by_service<'r>(releases: &'r [EndedRelease<'_>]) -> BTreeMap<&'r str, Figures> {
    let mut services: BTreeMap<&str, Figures> = BTreeMap::new();
    for release in releases {
        if let Some(service) = &release.service {
            services.entry(service).or_default().add(release.effect);
        }
    }
    for figures in services.values_mut() {
        figures.sort();
    }
    services
}

/// When each release's service ran again what is proven: the end of the next release of the same
/// service that ended so, whichever way.
fn restorations(releases: &[EndedRelease<'_>]) -> Vec<Option<Timestamp>> {
    let mut next: BTreeMap<Option<&str>, Timestamp> = BTreeMap::new();
    let mut restored: Vec<Option<Timestamp>> = Vec::new();
    for release in releases.iter().rev() {
        let service = release.service.as_deref();
        restored.push(next.get(&service).copied());
        if is_proven(release.outcome) {
            next.insert(service, release.ended_at);
        }
    }
    restored.reverse();
    restored
}

/// Whether the service was proven to run what it should when a release ended like this.
fn is_proven(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Deployed | Outcome::Unchanged | Outcome::RolledBack | Outcome::Held => true,
        Outcome::Superseded | Outcome::Failed => false,
    }
}

/// When the digest of an execution was pushed. Its claim is of another push if it started another
/// execution, or the digest was pushed again since: that time is unknown.
fn push_of(record: &Record, claim: &Push) -> Option<Timestamp> {
    let is_own = claim.execution.as_deref() == Some(record.execution.as_str());
    let pushed_at = claim.pushed_at.filter(|_| is_own)?;
    (pushed_at <= record.started_at).then_some(pushed_at)
}

/// Whether users could get what a release brought: its change of a single service was announced,
/// or traffic of a pair was moved.
fn could_reach_users(record: &Record) -> bool {
    match &record.prior {
        Some(Prior::Pair { .. }) => record.shift.is_some(),
        Some(Prior::Service(_)) | None => record.change.is_some(),
    }
}

fn name(cluster: &str, service: &str) -> String {
    format!("{}/{}", short_name(cluster), short_name(service))
}

impl<'a> EndedRelease<'a> {
    /// A release of a promotion before the last one of its execution.
    fn before(record: &'a Record, earlier: &'a EarlierRelease, pushed: Option<Timestamp>) -> Self {
        Self {
            record,
            earlier: Some(earlier),
            service: Some(name(&earlier.cluster, &earlier.service)),
            outcome: earlier.outcome,
            ended_at: earlier.ended_at,
            effect: deployment(earlier.outcome, earlier.ended_at, pushed),
        }
    }

    /// The last release of an execution, if it has ended.
    fn last(record: &'a Record, pushed: Option<Timestamp>) -> Option<Self> {
        let outcome = record
            .outcome
            .filter(|_| record.state == RecordState::Closed)?;
        let ended_at = record.ended_at?;
        let service = record.cluster.as_deref().zip(record.service.as_deref());
        let is_rejected = matches!(outcome, Outcome::RolledBack | Outcome::Failed);
        let effect = if is_rejected && !record.withdrawn && could_reach_users(record) {
            let restored = outcome == Outcome::RolledBack;
            Effect::Failed {
                restore: restored.then(|| ended_at.since(record.started_at)),
            }
        } else {
            deployment(outcome, ended_at, pushed)
        };

        Some(Self {
            record,
            earlier: None,
            service: service.map(|(cluster, service)| name(cluster, service)),
            outcome,
            ended_at,
            effect,
        })
    }

    /// `family:revision` of what it deployed, or wanted to.
    #[must_use]
    pub fn revision(&self) -> Option<&'a str> {
        let change = self.record.change.as_ref();
        let arn = match self.earlier {
            Some(earlier) => earlier.task_definition.as_deref(),
            None => change.map(|change| change.task_definition.as_str()),
        };
        arn.map(revision)
    }

    /// Why it ended so; earlier releases of a promotion have none.
    #[must_use]
    pub fn reason(&self) -> Option<&'a str> {
        let reason = self.record.reason.as_deref();
        reason.filter(|_| self.earlier.is_none())
    }
}

fn deployment(outcome: Outcome, ended_at: Timestamp, pushed: Option<Timestamp>) -> Effect {
    if outcome == Outcome::Deployed {
        let lead = pushed.map(|pushed| ended_at.since(pushed));
        Effect::Deployed { lead }
    } else {
        Effect::Nothing
    }
}

impl Figures {
    /// The figures of releases, of whichever services.
    #[must_use]
    pub fn of<'r, 'a: 'r>(releases: impl IntoIterator<Item = &'r EndedRelease<'a>>) -> Self {
        let mut figures = Self::default();
        for release in releases {
            figures.add(release.effect);
        }
        figures.sort();
        figures
    }

    fn add(&mut self, effect: Effect) {
        match effect {
            Effect::Deployed { lead } => {
                self.deployed += 1;
                self.leads.extend(lead);
            }
            Effect::Failed { restore } => {
                self.failed += 1;
                self.restores.extend(restore);
            }
            Effect::Nothing => {}
        }
    }

    fn sort(&mut self) {
        self.leads.sort_unstable();
        self.restores.sort_unstable();
    }

    /// Deployment frequency: deployments over a period, here in 7 days of it.
    #[must_use]
    pub fn a_week(&self, days: u32) -> f64 {
        f64::from(self.deployed) * 7.0 / f64::from(days.max(1))
    }

    /// Change lead time, which for DORA goes from the commit to production: here the median from
    /// the push of the image, the first moment that the ledger has. None if no push is known.
    #[must_use]
    pub fn lead(&self) -> Option<Duration> {
        median(&self.leads)
    }

    /// Change fail rate: the changes that had to be taken back or repaired, of all that users could
    /// get: failed / (deployed + failed). What an operator stopped and what was held counts as
    /// neither, since nothing was found against it. None without any change.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        let changes = self.deployed + self.failed;
        (changes > 0).then(|| f64::from(self.failed) / f64::from(changes))
    }

    /// Failed deployment recovery time, or time to restore: the median from the beginning of the
    /// release that failed to its proven restoration, or to the end of the next release of the
    /// service that ended proven. The ledger does not have when users began to notice, so this is
    /// no less than what they saw. None if nothing failed, or nothing was restored.
    #[must_use]
    pub fn restore(&self) -> Option<Duration> {
        median(&self.restores)
    }

    #[must_use]
    pub fn texts(&self, days: u32) -> FigureTexts {
        let rate = self.failure_rate();
        FigureTexts {
            deployed: self.deployed.to_string(),
            a_week: format!("{:.1}", self.a_week(days)),
            lead: measured(self.deployed, self.lead()),
            failed: self.failed.to_string(),
            failure_rate: rate.map_or("-".to_owned(), |rate| format!("{:.0}%", rate * 100.0)),
            restore: measured(self.failed, self.restore()),
        }
    }
}

/// A median of this many, some of which may be unknown.
fn measured(count: u32, median: Option<Duration>) -> String {
    match (count, median) {
        (_, Some(median)) => readable(median),
        (0, None) => "-".to_owned(),
        (_, None) => "unknown".to_owned(),
    }
}

/// The value in the middle of ascending ones, or the mean of the two there, to the second.
#[must_use]
fn median(ascending: &[Duration]) -> Option<Duration> {
    let upper = ascending.get(ascending.len() / 2)?;
    let lower = ascending.get((ascending.len() - 1) / 2)?;
    let secs = u64::midpoint(lower.as_secs(), upper.as_secs());
    Some(Duration::from_secs(secs))
}

#[cfg(test)]
mod tests;
