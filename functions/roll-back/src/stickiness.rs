//! The stickiness of a rule that the return of the traffic switched off: it is on again once every
//! cookie from before has ended, which would bind its client to the colour without tasks.
//!
//! Never acts during a release, and never while the weights are another writer's: a change of the
//! rule sends them back as they were read.

use std::time::Duration;

use slipway::aws::{AwsError, ErrorKind, ObservedRoute};
use slipway::job::StepError;
use slipway::release::{Event, KnownRule, LastKnownRouting, Lease, apply};
use slipway::timestamp::readable;

use crate::RollBack;

impl RollBack {
    /// Makes the rule of a pair that no release holds sticky again, and returns what it did; `None`
    /// when there is nothing to do yet.
    pub(crate) async fn bind_again(
        &self,
        lease: &Lease,
        (known, rule): (&LastKnownRouting, &KnownRule),
        seen: &ObservedRoute,
    ) -> Result<Option<String>, StepError> {
        let due = known.stickiness.filter(|off| off.is_due(self.sdk.now()));
        let is_as_left = rule.weights_in(seen.view()) == Some(known.weights);
        let Some(off) = due.filter(|_| is_as_left) else {
            return Ok(None);
        };

        let mut written = lease.clone();
        let mut set = None;
        if seen.sticky().is_none() {
            let Some(announced) = self.write(lease, Event::RepairAnnounced).await? else {
                return Ok(None);
            };
            let sticky = seen.with_stickiness(Some(off.duration()));
            let applied = self.routes.apply(&sticky, rule.groups(), known.weights);
            set = Some(match applied.await {
                Err(error) if error.kind == ErrorKind::Rejected => refused(&error),
                applied => applied.map(|_| on_again(off.duration()))?,
            });
            written = announced;
        }

        let noted = Event::StickinessNoted { off: None };
        self.write(&written, noted).await?;
        Ok(set)
    }

    /// The lease after an event; none if a release begins or another sweep writes first.
    async fn write(&self, lease: &Lease, event: Event) -> Result<Option<Lease>, StepError> {
        let next = apply(lease, event, self.sdk.now())?;
        match self.ledger.advance(&next).await {
            Err(StepError::Busy(_)) => Ok(None),
            written => written.map(|()| Some(next)),
        }
    }
}

fn on_again(duration: Duration) -> String {
    format!(
        "the rule binds clients again, for {} after each response",
        readable(duration)
    )
}

/// No later call would be accepted, so it is not made again.
fn refused(error: &AwsError) -> String {
    format!(
        "the stickiness of the rule stays off, as the last return of the traffic left it: {error}"
    )
}
