//! The sweep: every open release and every one that has not begun is checked, since events can be
//! lost. Then it checks what is to be started again, every pair that no release holds, since a
//! stack update can reset its weights, once an hour whether what a release left still runs, and
//! what closed releases have yet to deregister.
//!
//! Each is read and restored under its own deploy role. A problem with one, such as with its role,
//! never stops the others, and none takes more than its share of the time.

use std::time::Duration;

use serde_json::{Value, json};
use slipway::aws::{AwsError, ErrorKind, Retry};
use slipway::job::{Origin, StepError};
use slipway::limits::{STEP_BUDGET, SWEEP_SHARE};
use slipway::observed::service::short_name;
use slipway::release::{Event, Lease, PendingDeregistration, Release, Started, apply};
use slipway::strategy::ending::{Ending, ending_of, ending_unread};
use slipway::timestamp::{Timestamp, readable};

use crate::refused::RoleState;
use crate::{RollBack, UNREAD};

/// What a sweep checks.
enum Checked {
    /// A release, with the lease that it holds.
    Begun(Box<(Lease, Release)>),
    /// An execution whose release has not begun.
    Started(Started),
    /// A free lease.
    Free(Box<Lease>),
    /// A free lease with what is started again.
    Restart(Box<Lease>),
    /// A free lease with what its last release left running.
    Left(Box<Lease>),
    /// The revisions of a closed release.
    Deregistration(Box<PendingDeregistration>),
}

/// What a sweep found.
#[derive(Default)]
struct Swept {
    /// By execution or pair.
    statuses: serde_json::Map<String, Value>,
    failed: Vec<String>,
}

impl Checked {
    /// The execution, or the pair as `<cluster>/<pair>`.
    fn name(&self) -> String {
        match self {
            Self::Begun(begun) => begun.1.execution.clone(),
            Self::Started(started) => started.execution.clone(),
            Self::Free(lease) | Self::Restart(lease) | Self::Left(lease) => {
                format!("{}/{}", lease.cluster_name(), short_name(&lease.service))
            }
            Self::Deregistration(pending) => pending.execution().to_owned(),
        }
    }
}

impl RollBack {
    /// Checks every open release and every one that has not begun, since events can be lost, and
    /// then what is started again and the free pairs. One that cannot be checked does not stop the
    /// others, but the invocation fails, so that the error alarm fires.
    pub(crate) async fn sweep(&self) -> Result<Value, Retry> {
        let mut swept = Swept::default();
        let listing = self.ledger.leases().await?;
        let unreadable = listing.unreadable.iter();
        swept
            .failed
            .extend(unreadable.map(|item| item.error.to_string()));

        let (held, free): (Vec<Lease>, Vec<Lease>) = listing
            .leases
            .into_iter()
            .partition(|lease| lease.release.is_some());
        // It is written before the lease is free.
        let is_closed = |pending: &PendingDeregistration| {
            let mut held = held.iter();
            held.all(|lease| lease.held_by(pending.execution()).is_none())
        };
        let mut pending = listing.pending_deregistrations;
        pending.retain(is_closed);
        let pending = pending
            .into_iter()
            .map(|pending| Checked::Deregistration(Box::new(pending)));

        let begun = held.into_iter().filter_map(|lease| {
            let release = lease.release.clone()?;
            Some(Checked::Begun(Box::new((lease, release))))
        });
        let started = listing.started.into_iter().map(Checked::Started);
        let began = self.sdk.now();
        let restarts = of_each(&free, |lease| lease.restart.is_some(), Checked::Restart);
        let left = of_each(&free, |lease| lease.is_drift_due(began), Checked::Left);
        let free = of_each(&free, |lease| lease.last_known.is_some(), Checked::Free);

        let open = begun.chain(started).collect();
        self.check_each(open, began, &mut swept).await;
        self.check_each(restarts, began, &mut swept).await;
        self.check_each(free, began, &mut swept).await;
        self.check_each(left, began, &mut swept).await;
        self.check_each(pending.collect(), began, &mut swept).await;

        let Swept { statuses, failed } = swept;
        if failed.is_empty() {
            Ok(json!({"swept": statuses}))
        } else {
            Err(failed.join("; ").into())
        }
    }

    /// Checks each, beginning with a different one every minute. `began` is when the sweep began.
    async fn check_each(&self, mut all: Vec<Checked>, began: Timestamp, swept: &mut Swept) {
        let first = first(all.len(), began);
        all.rotate_left(first);

        let mut left = all.len();
        for checked in all {
            let elapsed = self.sdk.now().since(began);
            if !is_due(&checked, elapsed) {
                tracing::warn!(left, "free leases are left to the next sweeps");
                break;
            }
            let name = checked.name();
            let share = share(left, elapsed);
            left -= 1;
            // A check that is dropped is no worse than a crash: each change is announced before it
            // is made.
            match self
                .sdk
                .within(share, Box::pin(self.sweep_item(checked)))
                .await
            {
                Some(Ok(None)) => {}
                Some(Ok(Some(status))) => drop(swept.statuses.insert(name, status.into())),
                Some(Err(error)) => swept.failed.push(format!("{name}: {error}")),
                None => swept.failed.push(format!(
                    "{name}: AWS is slow and the check did not end within {}",
                    readable(share)
                )),
            }
        }
    }

    /// The status of what was checked; `None` for a pair with nothing to repair, and for a service
    /// of which nothing new was seen.
    async fn sweep_item(&self, checked: Checked) -> Result<Option<String>, StepError> {
        match checked {
            Checked::Begun(begun) => {
                let (lease, release) = *begun;
                let acting = self.under(release.deploy_role.as_ref());
                acting.sweep_lease(lease, &release).await.map(Some)
            }
            Checked::Started(started) => {
                let acting = self.under(started.deploy_role.as_ref());
                acting.sweep_started(&started).await.map(Some)
            }
            Checked::Free(lease) => {
                let known = lease.last_known.as_ref();
                let rule = known.and_then(|known| known.rule.as_ref());
                let acting = self.under(rule.and_then(|rule| rule.deploy_role.as_ref()));
                acting.repair_free(&lease).await
            }
            Checked::Restart(lease) => {
                let role = lease.restart.as_ref().map(|restart| &restart.role);
                let acting = self.under(role);
                acting.restart(&lease).await
            }
            Checked::Left(lease) => {
                let left = lease.left.as_ref();
                let acting = self.under(left.and_then(|left| left.deploy_role.as_ref()));
                acting.look_for_drift(&lease).await
            }
            Checked::Deregistration(pending) => {
                let release = pending.release();
                let acting = self.under(release.and_then(|release| release.deploy_role.as_ref()));
                acting.retry_deregistration(&pending).await
            }
        }
    }

    /// The status of an execution, if CodePipeline knows it. The function's own credentials read no
    /// pipeline: a manual release without a deploy role counts as unknown.
    pub(crate) async fn status(
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
        let of_pipeline = release.pipeline_role.as_ref();
        let role = of_pipeline.or(release.deploy_role.as_ref());
        let looked_up = self
            .under(role)
            .status(&release.pipeline, execution, is_manual)
            .await;

        let lease = if release.is_rolling_back() {
            lease
        } else {
            match self.role_state(role, &looked_up).await {
                RoleState::Refused(refusal) => {
                    return self.without_role(lease, release, refusal).await;
                }
                RoleState::Accepted if release.role_refused_since.is_some() => {
                    self.with_role_again(lease, release).await?
                }
                RoleState::Accepted | RoleState::Unknown => lease,
            }
        };

        let looked_up = looked_up.map_err(StepError::from);
        let was_noted = matches!(looked_up, Err(StepError::Unexpected(_)))
            && self.is_unread_noted(&release.execution).await?;
        let ending = match ending_of(release, &looked_up, was_noted, self.sdk.now()) {
            Ok(ending) => ending,
            Err(error) => Some(self.without_status(&lease, release, error).await?),
        };
        let Some(ending) = ending else {
            if release.unread_since.is_some() {
                self.with_status_again(&lease, release).await?;
            }
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

    /// How the execution of a release counts as having ended although its status could not be read.
    /// Of an open one it is written since when, and near the deadline the cause is noted for the
    /// next look: one alone does not end an open release, and what was noted about anything else is
    /// not a look at the status.
    async fn without_status(
        &self,
        lease: &Lease,
        release: &Release,
        error: StepError,
    ) -> Result<Ending, StepError> {
        let lasts = error.lasting_cause().is_some();
        if lasts && release.unread_since.is_none() && !release.is_rolling_back() {
            let noted = Event::StatusNoted { unread: true };
            let noted = apply(lease, noted, self.sdk.now())?;
            self.ledger.advance(&noted).await?;
            return Err(error);
        }

        let ending = ending_unread(lease, &error, self.sdk.now());
        if let Some(ending) = ending
            && self.is_unread_noted(&release.execution).await?
        {
            return Ok(ending);
        }

        let lasting = error.lasting_cause().filter(|_| release.is_rolling_back());
        let cause = ending.map(|_| error.cause()).or(lasting);
        if let Some(cause) = cause {
            self.note(release, Some(&format!("{UNREAD}{cause}"))).await;
        }
        Err(error)
    }

    /// Forgets that the status of the execution of an open release could not be read: the deadline
    /// counts anew.
    async fn with_status_again(&self, lease: &Lease, release: &Release) -> Result<(), StepError> {
        let read = Event::StatusNoted { unread: false };
        let read = apply(lease, read, self.sdk.now())?;
        self.ledger.advance(&read).await?;

        self.note(release, None).await;
        Ok(())
    }
}

/// Whether a sweep that has taken this long still checks this one: there is a free lease for every
/// pair that ever existed, and a sweep that times out reports nothing.
fn is_due(checked: &Checked, elapsed: Duration) -> bool {
    let waits = matches!(
        checked,
        Checked::Free(_) | Checked::Left(_) | Checked::Deregistration(_)
    );
    elapsed < STEP_BUDGET || !waits
}

/// What is checked of the free leases for which that is due.
fn of_each(
    free: &[Lease],
    is_checked: impl Fn(&Lease) -> bool,
    checked: fn(Box<Lease>) -> Checked,
) -> Vec<Checked> {
    let due = free.iter().filter(|&lease| is_checked(lease));
    due.map(|lease| checked(Box::new(lease.clone()))).collect()
}

/// How long a sweep that has taken this long may check the next of the remaining releases: slow
/// ones get the time that quick ones leave.
fn share(left: usize, elapsed: Duration) -> Duration {
    let left = u32::try_from(left.max(1)).unwrap_or(u32::MAX);
    (STEP_BUDGET.saturating_sub(elapsed) / left).max(SWEEP_SHARE)
}

/// Which of this many releases a sweep begins with: a different one every minute, so that no
/// release waits forever behind others.
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
    fn a_sweep_that_has_taken_45_seconds_leaves_what_no_release_holds_to_the_next() {
        let free = Checked::Free(Box::new(Lease::unwritten("apps", "shop")));
        let started = Checked::Started(Started {
            v: 1,
            execution: "e-1".to_owned(),
            pipeline: "slipway-web".to_owned(),
            deploy_role: None,
            unread_since: None,
        });
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let pending = PendingDeregistration::from_lease(&Lease::unwritten("apps", "web"), now);
        let pending = Checked::Deregistration(Box::new(pending));
        let left = Checked::Left(Box::new(Lease::unwritten("apps", "web")));
        for (checked, millis, expected) in [
            (&free, 44_999, true),
            (&free, 45_000, false),
            (&pending, 44_999, true),
            (&pending, 45_000, false),
            (&left, 44_999, true),
            (&left, 45_000, false),
            (&started, 45_000, true),
        ] {
            assert_eq!(is_due(checked, Duration::from_millis(millis)), expected);
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
