//! What is released once more without a push: the digest of a release that a freeze ended, or what
//! the service's own stack replaced during a release.
//!
//! It is part of the lease, so that a release which takes the lease since ends it: that is newer,
//! unless it brings back what ran before an update of the stack.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{DeployRole, NewestPush};
use crate::limits::ROLLBACK_DEADLINE;
use crate::timestamp::Timestamp;

/// An execution to be started.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// The execution whose release ended.
    pub execution: String,
    pub pipeline: String,
    /// The source action that takes the digest.
    pub action: String,
    pub digest: String,
    /// The role under which the pipeline is started.
    pub role: DeployRole,
    /// Whether the service ran it before its own stack updated it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brings_back: bool,
    /// When, at the earliest.
    pub at: Timestamp,
    /// Since when AWS refuses the start.
    pub refused_since: Option<Timestamp>,
}

impl Restart {
    /// The token with which CodePipeline takes a second start for the first one.
    #[must_use]
    pub fn token(&self) -> String {
        format!("restart-{}", self.execution)
    }

    /// Whether an invocation may be starting the pipeline with another push, whose execution the
    /// ledger does not show yet.
    #[must_use]
    pub fn yields_to(&self, newest: Option<&NewestPush>, now: Timestamp) -> bool {
        newest.is_some_and(|it| it.starting() != self.digest && it.may_be_starting(now))
    }

    /// The same after AWS refused the start; none once it has done so for as long as a rollback may
    /// take.
    #[must_use]
    pub fn refused(&self, now: Timestamp) -> Option<Self> {
        let since = self.refused_since.unwrap_or(now);
        let again = || Self {
            refused_since: Some(since),
            ..self.clone()
        };
        (now.since(since) < ROLLBACK_DEADLINE).then(again)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::timestamp::at;

    fn restart() -> Restart {
        Restart {
            execution: "e-1".to_owned(),
            pipeline: "slipway-web".to_owned(),
            action: "Image".to_owned(),
            digest: "sha256:00".to_owned(),
            role: DeployRole {
                arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
                external_id: "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web".to_owned(),
                region: None,
            },
            brings_back: false,
            at: at(0),
            refused_since: None,
        }
    }

    #[test]
    fn a_restart_waits_while_another_push_may_be_starting_the_pipeline() {
        let claimed = |digest: &str| NewestPush {
            v: 1,
            pipeline: "slipway-web".to_owned(),
            digest: digest.to_owned(),
            event: "event-1".to_owned(),
            pushed_at: at(0),
            claimed_at: at(2),
            restarting: None,
        };
        let (other, own) = (claimed("sha256:0a"), claimed("sha256:00"));
        assert!(restart().yields_to(Some(&other), at(61)));
        assert!(!restart().yields_to(Some(&other), at(62)));
        assert!(!restart().yields_to(Some(&own), at(2)));
        assert!(!restart().yields_to(None, at(2)));

        // What brings another digest back has taken it; an earlier attempt of its own has not.
        let of_other = own.taken_for("sha256:0a", at(2));
        let of_own = other.taken_for("sha256:00", at(2));
        assert!(restart().yields_to(Some(&of_other), at(61)));
        assert!(!restart().yields_to(Some(&of_own), at(2)));
    }

    #[test]
    fn a_restart_is_given_up_after_an_hour_of_refusals() {
        let refused = restart().refused(at(60)).expect("the first time");
        assert_eq!(refused.refused_since, Some(at(60)));
        assert_eq!(refused.refused(at(3_659)), Some(refused.clone()));
        assert_eq!(refused.refused(at(3_660)), None);
    }

    #[test]
    fn a_restart_is_stored_with_its_role_and_has_one_token() {
        let stored = json!({
            "execution": "e-1", "pipeline": "slipway-web", "action": "Image",
            "digest": "sha256:00", "at": "2026-01-05T09:00:00Z",
            "role": {
                "arn": "arn:aws:iam::111122223333:role/deploy",
                "external_id": "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web",
            },
        });
        let written = serde_json::to_value(restart()).expect("serializes");
        assert_eq!(written, stored);
        let read: Restart = serde_json::from_value(stored).expect("parses");
        assert_eq!(read, restart());
        assert_eq!(read.token(), "restart-e-1");
    }
}
