//! Releases whose role STS refuses: it may do so by mistake for some time, or the role was deleted
//! with the stack of its pipeline, and then neither a step nor a rollback can act.
//!
//! It never takes a release over while its role may come back.

use std::time::Duration;

use slipway::aws::{AwsError, ErrorKind};
use slipway::job::StepError;
use slipway::limits::ROLLBACK_DEADLINE;
use slipway::release::{Conclusion, DeployRole, Event, Lease, Outcome, Release, apply};
use slipway::strategy::ending::Ending;
use slipway::strategy::rollback::cause;
use slipway::timestamp::readable;

use crate::RollBack;

/// What STS does with the role under which an execution was looked up.
pub(crate) enum RoleState {
    Refused(AwsError),
    Accepted,
    Unknown,
}

impl From<Result<(), AwsError>> for RoleState {
    /// From a proof that the role can be assumed.
    fn from(proven: Result<(), AwsError>) -> Self {
        match proven {
            Ok(()) => Self::Accepted,
            Err(refusal) if refusal.refuses_role() => Self::Refused(refusal),
            Err(_) => Self::Unknown,
        }
    }
}

impl RollBack {
    /// Whether STS refuses the role under which an execution was looked up. Credentials may outlast
    /// their role without its permissions, so a denial does not prove that it exists.
    pub(crate) async fn role_state(
        &self,
        role: Option<&DeployRole>,
        looked_up: &Result<Option<String>, AwsError>,
    ) -> RoleState {
        let error = match looked_up {
            Ok(_) => return RoleState::Accepted,
            Err(error) if error.refuses_role() => return RoleState::Refused(error.clone()),
            Err(error) => error,
        };
        let Some(role) = role.filter(|_| error.kind == ErrorKind::Permission) else {
            return RoleState::Unknown;
        };

        RoleState::from(self.sdk.prove_role(role).await)
    }

    /// Leaves a release whose role STS refuses to its steps, since a role may be refused for some
    /// time by mistake, and closes it after the deadline of a rollback. A release whose deploy role
    /// is another one is restored or judged then.
    pub(crate) async fn without_role(
        &self,
        lease: Lease,
        release: &Release,
        refusal: AwsError,
    ) -> Result<String, StepError> {
        let now = self.sdk.now();
        let refusal = StepError::from(refusal);
        self.note(release, refusal.lasting_cause()).await;

        let Some(since) = release.role_refused_since else {
            let noted = apply(&lease, Event::RoleNoted { refused: true }, now)?;
            self.ledger.advance(&noted).await?;
            return Err(refusal);
        };
        let waited = now.since(since);
        if waited < ROLLBACK_DEADLINE || lease.grace_left(now).is_some() {
            return Err(refusal);
        }

        let ending = known_ending(release);
        if ending == Ending::Unread && !release.has_announced_change() {
            let conclusion = nothing_is_lost(release, &refusal, waited);
            return self.close(&lease, release, &conclusion, now).await;
        }
        if release.pipeline_role.is_none() && release.has_announced_change() {
            let conclusion = role_is_lost(release, &refusal, waited);
            return self.give_up(&lease, &conclusion).await;
        }
        self.proceed(&release.execution, lease, ending).await
    }

    /// Forgets that the role of an open release was refused.
    pub(crate) async fn with_role_again(
        &self,
        lease: Lease,
        release: &Release,
    ) -> Result<Lease, StepError> {
        let accepted = Event::RoleNoted { refused: false };
        let accepted = apply(&lease, accepted, self.sdk.now())?;
        self.ledger.advance(&accepted).await?;

        self.note(release, None).await;
        Ok(accepted)
    }
}

/// How the execution ended, as far as it was known before the role was refused.
fn known_ending(release: &Release) -> Ending {
    if release.succeeded_at.is_some() {
        Ending::Succeeded
    } else {
        Ending::Unread
    }
}

/// Closes a release that changed nothing before its role was refused for this long.
fn nothing_is_lost(release: &Release, refusal: &StepError, waited: Duration) -> Conclusion {
    Conclusion::new(
        Outcome::Failed,
        format!(
            "{}; nothing had been changed; its role has been refused for {}: {}",
            cause(release, Ending::Unread),
            readable(waited),
            refusal.cause()
        ),
    )
}

/// Closes a release whose deploy role has been refused for this long.
fn role_is_lost(release: &Release, refusal: &StepError, waited: Duration) -> Conclusion {
    Conclusion::needing_operator(format!(
        "{}; its deploy role has been refused for {}: {}; manual intervention required",
        cause(release, known_ending(release)),
        readable(waited),
        refusal.cause()
    ))
}

#[cfg(test)]
mod tests {
    use slipway::job::Failure;
    use slipway::timestamp::Timestamp;

    use super::*;

    fn began() -> Timestamp {
        Timestamp::from_secs(1_767_603_600).expect("in range")
    }

    fn refusal() -> StepError {
        StepError::Refused(Failure::configuration("no role"))
    }

    #[test]
    fn a_role_that_can_be_assumed_is_accepted_and_a_busy_sts_proves_nothing() {
        let failed = |kind| {
            RoleState::from(Err(AwsError {
                operation: "sts:AssumeRole",
                kind,
                code: "Code".to_owned(),
                message: "why".to_owned(),
            }))
        };
        assert!(matches!(RoleState::from(Ok(())), RoleState::Accepted));
        let refused = failed(ErrorKind::Permission);
        assert!(matches!(refused, RoleState::Refused(_)));
        assert!(matches!(failed(ErrorKind::Busy), RoleState::Unknown));
    }

    #[test]
    fn a_release_without_its_role_needs_an_operator_and_names_the_refusal() {
        let release = Release::begin("e-1", "slipway-web", None, began());
        let closed = role_is_lost(&release, &refusal(), Duration::from_secs(3_660));

        let expected = "the execution has a status that could not be read; its deploy role has been \
                        refused for 1h01m: no role; manual intervention required";
        assert_eq!(closed, Conclusion::needing_operator(expected));
    }

    #[test]
    fn a_success_that_is_known_stays_known_without_the_role() {
        let mut release = Release::begin("e-1", "slipway-web", None, began());
        assert_eq!(known_ending(&release), Ending::Unread);

        release.succeeded_at = Some(began());
        assert_eq!(known_ending(&release), Ending::Succeeded);
        let closed = role_is_lost(&release, &refusal(), Duration::from_secs(3_660));
        let expected = "the execution succeeded without a finish-release action; its deploy role \
                        has been refused for 1h01m: no role; manual intervention required";
        assert_eq!(closed, Conclusion::needing_operator(expected));
    }

    #[test]
    fn a_release_that_changed_nothing_names_the_refusal_too() {
        let release = Release::begin("e-1", "slipway-web", None, began());
        let closed = nothing_is_lost(&release, &refusal(), Duration::from_secs(3_660));

        let expected = "the execution has a status that could not be read; nothing had been \
                        changed; its role has been refused for 1h01m: no role";
        assert_eq!(closed, Conclusion::new(Outcome::Failed, expected));
    }
}
