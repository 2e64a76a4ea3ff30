//! The gate in front of each step towards a new revision: weights, a deployment, a one-off task. It
//! reads what may have changed since the step before, and `freeze` decides.
//!
//! Nothing that goes back passes it.

use std::time::Duration;

use crate::aws::{Sdk, Transitions};
use crate::freeze::{GateDecision, Line, Moment};
use crate::job::{Failure, Job, StepError};
use crate::observed::transition::Transition;
use crate::release::Release;

/// The gate, under the deploy role of a release.
#[derive(Clone, Debug)]
pub struct Gate {
    sdk: Sdk,
}

impl Gate {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self { sdk: sdk.clone() }
    }

    /// Lets a step towards the new revision through, after which its action works up to `needs`.
    ///
    /// # Errors
    /// `Frozen` when the next job has to look again, a failure when that would take longer than an
    /// action has, and why the transition could not be read.
    pub async fn pass<P>(
        &self,
        job: &Job<P>,
        release: &Release,
        needs: Duration,
    ) -> Result<(), StepError> {
        let disabled = match &release.guards.line {
            Some(line) => self.disabled(release, line).await?,
            None => None,
        };

        let moment = Moment {
            now: self.sdk.now(),
            since: job.since,
            needs,
            kind: job.kind,
            disabled: disabled.as_deref(),
        };
        match release.guards.gate(&moment) {
            Ok(GateDecision::Open) => Ok(()),
            Ok(GateDecision::Hold(why)) => Err(StepError::Frozen(why)),
            Ok(GateDecision::Outlasts(why)) => Err(Failure::frozen(why).into()),
            Err(why) => Err(Failure::configuration(why).into()),
        }
    }

    /// Why the transition into the release's own stage is disabled, if it is.
    async fn disabled(&self, release: &Release, line: &Line) -> Result<Option<String>, StepError> {
        let transitions = match &release.pipeline_role {
            Some(role) => Transitions::new(&self.sdk.acting_for(role)),
            None => Transitions::new(&self.sdk),
        };
        // Boxed: the SDK's futures are deep.
        let read = Box::pin(transitions.inbound(&release.pipeline, &line.stage)).await?;
        match read {
            Transition::Enabled => Ok(None),
            Transition::Disabled { reason } => Ok(Some(reason)),
            Transition::NoStage => Err(Failure::configuration(format!(
                "`line.stage` is `{}`; expected a stage of pipeline {}",
                line.stage, release.pipeline
            ))
            .into()),
        }
    }
}
