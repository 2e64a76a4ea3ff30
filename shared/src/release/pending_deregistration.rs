//! A pending deregistration: a release's revisions could not be deregistered yet when it was
//! closed, and the sweep tries again. The lease is free meanwhile.

use serde::{Deserialize, Serialize};

use super::{Lease, Release};
use crate::limits::{DEREGISTRATION_DEADLINE, FORMAT_VERSION};
use crate::timestamp::Timestamp;

/// The revisions of a release that are still to be deregistered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingDeregistration {
    pub v: u32,
    /// When the release was closed.
    pub since: Timestamp,
    /// The lease as the release held it last.
    pub lease: Lease,
}

impl PendingDeregistration {
    #[must_use]
    pub fn from_lease(lease: &Lease, now: Timestamp) -> Self {
        Self {
            v: FORMAT_VERSION,
            since: now,
            lease: lease.clone(),
        }
    }

    #[must_use]
    pub fn release(&self) -> Option<&Release> {
        self.lease.release.as_ref()
    }

    #[must_use]
    pub fn execution(&self) -> &str {
        let release = self.release();
        release.map_or("", |release| release.execution.as_str())
    }

    /// Whether the sweep gives up.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        now.since(self.since) >= DEREGISTRATION_DEADLINE
    }

    /// The command with which an operator deregisters what the release registered.
    #[must_use]
    pub fn command(&self) -> String {
        let release = self.release();
        let revision = match release.and_then(|release| release.registered.clone()) {
            Some(arn) => arn,
            None => format!(
                "<revision with the tag slipway:execution={}>",
                self.execution()
            ),
        };
        format!("aws ecs deregister-task-definition --task-definition {revision}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(registered: Option<&str>) -> PendingDeregistration {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let release = Release {
            registered: registered.map(ToOwned::to_owned),
            ..Release::begin("e-1", "slipway-web", None, now)
        };
        let lease = Lease {
            release: Some(release),
            ..Lease::unwritten("apps", "web")
        };
        PendingDeregistration::from_lease(&lease, now)
    }

    #[test]
    fn the_command_names_the_revision_or_else_its_tag() {
        let start = "aws ecs deregister-task-definition --task-definition";
        assert_eq!(pending(Some("web:3")).command(), format!("{start} web:3"));
        assert_eq!(
            pending(None).command(),
            format!("{start} <revision with the tag slipway:execution=e-1>")
        );
    }

    #[test]
    fn it_is_overdue_after_a_day() {
        let pending = pending(None);
        let after = |secs: i64| {
            let now = Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
            pending.is_overdue(now)
        };
        assert!(!after(86_399) && after(86_400));
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let pending = pending(None);
        let stored = serde_json::to_value(&pending).expect("JSON");
        assert_eq!(stored["lease"]["release"]["execution"], "e-1");
        assert_eq!(stored["since"], "2026-01-05T09:00:00Z");
        let read: PendingDeregistration = serde_json::from_value(stored).expect("read");
        assert_eq!(read, pending);
    }
}
