//! The sweep: every open release and every one that has not begun is checked, since events can be
//! lost.
//!
//! Each is read and restored under its own deploy role. What is wrong with one, as with its role,
//! never stops the others, and none has more than its share of the time.

use std::time::Duration;

use serde_json::{Value, json};
use slipway::aws::{AwsError, ErrorKind, Retry};
use slipway::job::{Origin, StepError};
use slipway::limits::{ACTION_TOTAL, STEP_BUDGET, SWEEP_SHARE};
use slipway::release::{Lease, Release, Started};
use slipway::strategy::rollback::{Ending, ending_of};
use slipway::timestamp::{Timestamp, readable};

use crate::RollBack;

/// What a sweep checks.
enum Open {
    /// A release, with the lease that it holds.
    Begun(Box<(Lease, Release)>),
    /// An execution whose release has not begun.
    Started(Started),
}

impl Open {
    fn execution(&self) -> &str {
        match self {
            Self::Begun(begun) => &begun.1.execution,
            Self::Started(started) => &started.execution,
        }
    }
}

impl RollBack {
    /// Checks every open release and every one that has not begun, since events can be lost. One
    /// that cannot be checked does not stop the others, but the invocation fails, so that the error
    /// alarm fires.
    pub(crate) async fn sweep(&self) -> Result<Value, Retry> {
        let mut swept = serde_json::Map::new();
        let mut failed = Vec::new();
        let listing = self.ledger.leases().await?;
        failed.extend(listing.unreadable.iter().map(ToString::to_string));

        let begun = listing.leases.into_iter().filter_map(|lease| {
            let release = lease.release.clone()?;
            Some(Open::Begun(Box::new((lease, release))))
        });
        let started = listing.started.into_iter().map(Open::Started);
        let mut open: Vec<Open> = begun.chain(started).collect();
        let began = self.sdk.now();
        let first = first(open.len(), began);
        open.rotate_left(first);

        let mut left = open.len();
        for checked in open {
            let execution = checked.execution().to_owned();
            let share = share(left, self.sdk.now().since(began));
            left -= 1;
            // A check that is dropped is no worse than a crash: each change is announced before it
            // is made.
            match self.sdk.within(share, Box::pin(self.check(checked))).await {
                Some(Ok(status)) => drop(swept.insert(execution, Value::String(status))),
                Some(Err(error)) => failed.push(format!("{execution}: {error}")),
                None => failed.push(format!(
                    "{execution}: AWS is slow and the check did not end within {}",
                    readable(share)
                )),
            }
        }

        if failed.is_empty() {
            Ok(json!({"swept": swept}))
        } else {
            Err(failed.join("; ").into())
        }
    }

    async fn check(&self, open: Open) -> Result<String, StepError> {
        match open {
            Open::Begun(begun) => {
                let (lease, release) = *begun;
                let acting = self.under(release.deploy_role.as_ref());
                acting.sweep_lease(lease, &release).await
            }
            Open::Started(started) => {
                let acting = self.under(started.deploy_role.as_ref());
                acting.sweep_started(&started).await
            }
        }
    }

    /// An execution can end before its release begins, and before start-pipeline recorded that it
    /// was started.
    async fn sweep_started(&self, started: &Started) -> Result<String, StepError> {
        let is_manual = started.deploy_role.is_none();
        let status = self
            .status(&started.pipeline, &started.execution, is_manual)
            .await?;
        let Some(status) = status else {
            return self.sweep_unknown(started).await;
        };

        match Ending::from_status(&status).map_err(StepError::Busy)? {
            Some(ending) => self.ended(&started.execution, ending).await,
            None => Ok(format!("the execution is {status}")),
        }
    }

    /// Whether the execution is a manual release or one of a deleted pipeline is not known before a
    /// release begins, so it is kept for as long as an action can last.
    async fn sweep_unknown(&self, started: &Started) -> Result<String, StepError> {
        let record = self.ledger.record(&started.execution).await?;
        let now = self.sdk.now();
        let is_old = record.is_some_and(|record| now.since(record.started_at) >= ACTION_TOTAL);

        if is_old {
            return self.ended(&started.execution, Ending::Gone).await;
        }
        Ok(
            "CodePipeline does not know the execution: a manual release, which has not begun"
                .to_owned(),
        )
    }

    /// The status of an execution, if CodePipeline knows it. The function's own credentials read no
    /// pipeline: a manual release without a deploy role counts as unknown.
    async fn status(
        &self,
        pipeline: &str,
        execution: &str,
        is_manual: bool,
    ) -> Result<Option<String>, AwsError> {
        match self.executions.status(pipeline, execution).await {
            Err(error) if is_manual && error.kind == ErrorKind::Permission => Ok(None),
            status => status,
        }
    }

    async fn sweep_lease(&self, lease: Lease, release: &Release) -> Result<String, StepError> {
        let execution = &release.execution;
        let is_manual = release.deploy_role.is_none() && release.origin == Some(Origin::Operator);
        let looked_up = self
            .status(&release.pipeline, execution, is_manual)
            .await
            .map_err(StepError::from);

        let Some(ending) = ending_of(release, &looked_up, self.sdk.now())? else {
            return Ok(match looked_up? {
                Some(status) => format!("the execution is {status}"),
                None => "CodePipeline does not know the execution: a manual release, left open"
                    .to_owned(),
            });
        };

        if let Err(error) = looked_up {
            tracing::warn!(execution, %error, "restoring without the status of the execution");
        }
        self.proceed(execution, lease, ending).await
    }
}

/// How long a sweep that has taken so long may check the next of so many releases that are left:
/// what quick ones leave is for slow ones.
fn share(left: usize, elapsed: Duration) -> Duration {
    let left = u32::try_from(left.max(1)).unwrap_or(u32::MAX);
    (STEP_BUDGET.saturating_sub(elapsed) / left).max(SWEEP_SHARE)
}

/// Which of so many releases a sweep begins with: another one each minute, so that those before it
/// do not keep a release waiting for ever.
fn first(count: usize, now: Timestamp) -> usize {
    let minute = usize::try_from(now.secs() / 60).unwrap_or_default();
    minute.checked_rem(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_release_has_its_share_of_45_seconds_but_15_at_least() {
        for (left, elapsed, millis) in [
            (0, 0, 45_000),
            (1, 0, 45_000),
            (2, 0, 22_500),
            (2, 1, 22_000),
            (1, 3, 42_000),
            (3, 0, 15_000),
            (1, 44, 15_000),
            (1_000, 0, 15_000),
        ] {
            let found = share(left, Duration::from_secs(elapsed));
            assert_eq!(found, Duration::from_millis(millis), "{left}, {elapsed} s");
        }
    }

    #[test]
    fn each_minute_begins_with_the_next_release() {
        let at = |secs: i64| Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
        let minutes = [0, 59, 60, 120, 180].map(|secs| first(3, at(secs)));
        assert_eq!(minutes, [0, 0, 1, 2, 0]);
        assert_eq!(first(1, at(60)), 0);
        assert_eq!(first(0, at(60)), 0);
    }
}
