//! The function that takes the jobs of custom actions: it acknowledges each, and invokes the step's
//! function with the event of a Lambda invoke action. The step reports the job, as any other.
//!
//! It never waits for a step, so that no job delays another, and it acts for no release. A job that
//! it cannot read goes to the step too, which reports the reason; one that has no step, or whose
//! step cannot be invoked, it reports as failed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use slipway::aws::{AwsError, CustomJobs, ErrorKind, Functions, Jobs, Retry, Sdk};
use slipway::events::PollTrigger;
use slipway::job::{
    Acknowledged, ActionTypeId, Failure, FailureType, JobOutcome, PolledJob, StepInvocation,
};
use slipway::limits::{JOB_ATTEMPTS, POLL_BUDGET};
use slipway::timestamp::Timestamp;

/// The function's name, with which the name of each function of its stack ends.
const NAME: &str = "poll-jobs";

/// The function: one start of an action, or all that waits.
#[derive(Debug)]
pub struct PollJobs {
    sdk: Sdk,
    custom: CustomJobs,
    jobs: Jobs,
    functions: Functions,
}

/// What became of the jobs of one invocation.
#[derive(Debug, Default)]
struct JobCounts {
    taken: u32,
    lost: u32,
    refused: u32,
}

impl PollJobs {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            custom: CustomJobs::new(sdk),
            jobs: Jobs::new(sdk, NAME),
            functions: Functions::new(sdk),
        }
    }

    /// Takes the jobs that wait, of the type that an event names or of all, and returns how many
    /// were `taken`, `lost` to another invocation, and `refused`.
    ///
    /// # Errors
    /// When Lambda should deliver the event again: AWS was busy, or the event is neither that of an
    /// action nor of the schedule. One type or job that fails does not stop the others.
    pub async fn handle(&self, event: Value) -> Result<Value, Retry> {
        let began = self.sdk.now();
        let types: Vec<ActionTypeId> = match PollTrigger::parse(event)? {
            PollTrigger::Started(of_type) => vec![of_type],
            // Boxed: the SDK's futures are deep.
            PollTrigger::Schedule => Box::pin(self.custom.types()).await?,
            PollTrigger::Irrelevant(reason) => {
                tracing::info!(reason, "ignored");
                return Ok(json!({"status": "ignored", "reason": reason}));
            }
        };

        let mut counts = JobCounts::default();
        let mut failed = None;
        for of_type in &types {
            // Boxed: the SDK's futures are deep.
            let taken = Box::pin(self.take_all(of_type, began, &mut counts)).await;
            if let Err(error) = taken {
                let reason = error.to_string();
                tracing::warn!(provider = of_type.provider, reason, "failed to take jobs");
                failed.get_or_insert(error);
            }
        }

        let JobCounts {
            taken,
            lost,
            refused,
        } = counts;
        tracing::info!(taken, lost, refused, "polled");
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(json!({"taken": taken, "lost": lost, "refused": refused})),
        }
    }

    /// Takes the jobs of one type until a poll has none that is new, or time is up: then the next
    /// invocation goes on. CodePipeline offers a job again until it is acknowledged.
    async fn take_all(
        &self,
        of_type: &ActionTypeId,
        began: Timestamp,
        counts: &mut JobCounts,
    ) -> Result<(), AwsError> {
        let mut seen = BTreeSet::new();
        let mut failed = None;
        loop {
            let mut is_new = false;
            for job in self.custom.waiting(of_type).await? {
                if self.sdk.now().since(began) >= POLL_BUDGET {
                    return failed.map_or(Ok(()), Err);
                }
                if seen.insert(job.id.clone()) {
                    is_new = true;
                    if let Err(error) = Box::pin(self.take(&job, began, counts)).await {
                        failed.get_or_insert(error);
                    }
                }
            }
            if !is_new {
                return failed.map_or(Ok(()), Err);
            }
        }
    }

    /// Takes one job. Nothing is between acknowledging it and passing it on: an acknowledged job is
    /// not offered again.
    async fn take(
        &self,
        job: &PolledJob,
        began: Timestamp,
        counts: &mut JobCounts,
    ) -> Result<(), AwsError> {
        let invocation = job.invocation();
        let acknowledged = self.custom.acknowledge(job).await?;
        tracing::info!(
            job = job.id,
            provider = job.of_type.provider,
            pipeline = job.pipeline,
            execution = job.execution,
            ?acknowledged
        );
        if acknowledged == Acknowledged::Lost {
            counts.lost += 1;
            return Ok(());
        }

        // In doubt the step is invoked too: every step tolerates an event of a job that is not
        // reported to it, and if CodePipeline did not take the acknowledgement, it offers the job
        // again.
        let passed = match invocation {
            Ok(invocation) => Box::pin(self.pass_on(&invocation, began)).await,
            Err(failure) => Err(failure),
        };
        match passed {
            Ok(()) => {
                counts.taken += 1;
                Ok(())
            }
            Err(failure) => {
                counts.refused += 1;
                let failed = JobOutcome::Failed(failure);
                self.jobs.report(&job.id, failed, began).await
            }
        }
    }

    /// Invokes the step of a job, again while Lambda is busy and the invocation has time: the job
    /// would fail for it.
    async fn pass_on(&self, invocation: &StepInvocation, began: Timestamp) -> Result<(), Failure> {
        let function = self.function(invocation.step);
        let mut attempts = 1;
        loop {
            let sent = self.functions.invoke(&function, &invocation.event).await;
            match sent {
                Err(error) if invokes_again(error.kind, attempts, self.sdk.now().since(began)) => {
                    attempts += 1;
                }
                sent => return sent.map_err(|error| not_invoked(&function, &error)),
            }
        }
    }

    /// The name of a step's function, which is in the same stack.
    fn function(&self, step: &str) -> String {
        let own = self.sdk.function();
        let stack = own.strip_suffix(NAME).unwrap_or_default();
        format!("{stack}{step}")
    }
}

/// Whether a step is invoked again after this many attempts, this long after the worker began.
fn invokes_again(kind: ErrorKind, attempts: u32, spent: Duration) -> bool {
    kind == ErrorKind::Busy && attempts < JOB_ATTEMPTS && spent < POLL_BUDGET
}

/// Why a job has no step that would report it.
fn not_invoked(function: &str, error: &AwsError) -> Failure {
    let kind = match error.kind {
        ErrorKind::Permission => FailureType::PermissionError,
        ErrorKind::Rejected => FailureType::ConfigurationError,
        ErrorKind::Busy | ErrorKind::Credentials | ErrorKind::Unexpected => FailureType::JobFailed,
    };
    let message = format!(
        "the job was taken, but {function} could not be invoked: {error}; start the pipeline again \
         once it can"
    );
    Failure::new(kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_invoked_again_only_while_lambda_is_busy_and_there_is_time() {
        let secs = Duration::from_secs;
        let cases = [
            (ErrorKind::Busy, 1, secs(0), true),
            (ErrorKind::Busy, 2, secs(19), true),
            (ErrorKind::Busy, 3, secs(0), false),
            (ErrorKind::Busy, 1, secs(20), false),
            (ErrorKind::Permission, 1, secs(0), false),
            (ErrorKind::Rejected, 1, secs(0), false),
            (ErrorKind::Unexpected, 1, secs(0), false),
        ];
        for (kind, attempts, spent, expected) in cases {
            let found = invokes_again(kind, attempts, spent);
            assert_eq!(found, expected, "{kind:?} {attempts} {spent:?}");
        }
    }

    #[test]
    fn what_keeps_a_step_from_its_invocation_is_the_type_of_the_failure() {
        let failure = |kind| {
            let error = AwsError {
                operation: "lambda:InvokeFunction",
                kind,
                code: "AccessDeniedException".to_owned(),
                message: "no".to_owned(),
            };
            not_invoked("slipway-finish-release", &error)
        };
        let message = "the job was taken, but slipway-finish-release could not be invoked: \
                       lambda:InvokeFunction failed: AccessDeniedException: no; start the pipeline \
                       again once it can";
        for (kind, expected) in [
            (ErrorKind::Permission, FailureType::PermissionError),
            (ErrorKind::Rejected, FailureType::ConfigurationError),
            (ErrorKind::Busy, FailureType::JobFailed),
            (ErrorKind::Credentials, FailureType::JobFailed),
            (ErrorKind::Unexpected, FailureType::JobFailed),
        ] {
            assert_eq!(failure(kind), Failure::new(expected, message), "{kind:?}");
        }
    }
}
