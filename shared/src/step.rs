//! Runs a step: reads the job, lets the step find its release, checks that the release is of the
//! job's pipeline, runs the step under the release's deploy role within a time budget, records its
//! failure on the lease, and reports once.
//!
//! It knows no step and decides nothing about a release. Whatever a step does, the job is reported:
//! a step that takes too long is reported as in progress.

mod gate;
mod job_pipeline;
mod outcome;
mod times;

use std::sync::OnceLock;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::aws::{Jobs, Ledger, Retry, Sdk};
use crate::job::{
    Failure, Job, JobEvent, JobOutcome, Origin, PipelineJob, ReleaseRef, StepError, StepResult,
    Token, parse_parameters, parse_release,
};
use crate::limits::STEP_BUDGET;
use crate::timestamp::{Timestamp, readable};

pub use gate::Gate;
use job_pipeline::JobPipeline;
pub use job_pipeline::{FoundRelease, RequestedRole};
use outcome::outcome;
use times::{Times, check_time};

/// One step of a release: one action of a pipeline.
#[expect(
    async_fn_in_trait,
    reason = "a Lambda function runs on one thread, so no future needs to be `Send`"
)]
pub trait Step: Sized {
    /// The function's name. Continuation tokens carry it, so that no step reads those of another.
    const NAME: &'static str;

    /// The step's own parameters, besides the common ones of [`ReleaseRef`].
    type Parameters: DeserializeOwned;

    /// What the step finds in the ledger before it acts.
    type Found: FoundRelease;

    /// How long the step works at most by its parameters; zero if they state no time.
    #[must_use]
    fn works(_parameters: &Self::Parameters) -> Duration {
        Duration::ZERO
    }

    /// The same step, which acts as `sdk` does.
    fn acting_as(&self, sdk: &Sdk) -> Self;

    /// Checks the parameters and reads what the ledger has of the release. Calls nothing that needs
    /// a deploy role.
    async fn find_release(&self, job: &Job<Self::Parameters>) -> Result<Self::Found, StepError>;

    /// Observes, decides, and makes at most one change.
    async fn step(&self, job: &Job<Self::Parameters>, found: Self::Found) -> StepResult;

    /// Records the step's failure in the open release, so that later invocations report the same
    /// failure, and returns the result. What makes a job unreadable is recorded in any case, so the
    /// role of each step may write the ledger.
    async fn record_failure(
        &self,
        ledger: &Ledger,
        job: &Job<Self::Parameters>,
        result: StepResult,
    ) -> StepResult {
        ledger.record_failure(&job.release, result).await
    }
}

/// A step with what runs it. Lambda keeps it from one invocation to the next.
#[derive(Debug)]
pub struct Runner<S> {
    step: S,
    sdk: Sdk,
    jobs: Jobs,
    ledger: Ledger,
}

impl<S: Step> Runner<S> {
    #[must_use]
    pub fn new(step: S, sdk: &Sdk) -> Self {
        Self {
            step,
            sdk: sdk.clone(),
            jobs: Jobs::new(sdk, S::NAME),
            ledger: Ledger::new(sdk),
        }
    }

    /// Runs the step for one event and reports the result: to CodePipeline for a pipeline's job, in
    /// the response for a direct invocation.
    ///
    /// # Errors
    /// When the event is not a job, or reporting to CodePipeline failed: Lambda then delivers the
    /// event again.
    pub async fn handle(&self, event: Value) -> Result<Value, Retry> {
        match JobEvent::parse(&event)? {
            JobEvent::Pipeline(job) => {
                let id = job.id.clone();
                let began = self.sdk.now();
                let outcome = self.run_job(job).await;
                self.jobs.report(&id, outcome, began).await?;
                Ok(Value::Null)
            }
            JobEvent::Direct { parameters, token } => {
                let job = PipelineJob::direct(&parameters, token);
                Ok(self.run_job(job).await.response())
            }
        }
    }

    async fn run_job(&self, event: PipelineJob) -> JobOutcome {
        let now = self.sdk.now();
        let id = event.job_id();
        // An operator sees the failure in the response, and can invoke the step again.
        let release = match event.origin() {
            Origin::Job => parse_release(event.user_parameters.as_deref()),
            Origin::Operator => None,
        };
        let (job, token, times) = match read::<S>(event, now) {
            Ok(read) => read,
            Err(failure) => {
                let pipeline = JobPipeline::new(&self.jobs, id.as_deref(), None);
                let refusal = self
                    .record_unreadable(release.as_ref(), &pipeline, &failure)
                    .await;
                return JobOutcome::Failed(match refusal {
                    Some(refusal) => failure.not_recorded(&refusal),
                    None => failure,
                });
            }
        };

        let known = token.pipeline.clone();
        let pipeline = JobPipeline::new(&self.jobs, id.as_deref(), known.as_deref());
        let result = self.run_within_budget(&job, times, &pipeline).await;
        let token = token.of_pipeline(pipeline.into_proven());
        outcome(result, token.keeping(job.kept.into_inner()), now)
    }

    /// Records why a job cannot be read, whatever the step does with its own failures, if at least
    /// the release that it belongs to can be read. Returns why AWS refused that, if it did: the job
    /// fails also when its reason could not be recorded.
    async fn record_unreadable(
        &self,
        release: Option<&ReleaseRef>,
        pipeline: &JobPipeline<'_>,
        failure: &Failure,
    ) -> Option<Failure> {
        let release = release?;

        let recording = Box::pin(async {
            self.check_owner(release, pipeline).await?;
            self.ledger.record_unreadable(release, failure).await
        });
        let recorded = self.sdk.within(STEP_BUDGET, recording).await;
        match recorded {
            Some(Ok(())) => None,
            Some(Err(StepError::Refused(refusal))) => Some(refusal),
            other => {
                tracing::warn!(?other, "failed to record why the job cannot be read");
                None
            }
        }
    }

    /// Runs the step and records its failure, both within [`STEP_BUDGET`].
    ///
    /// The step is dropped at whatever call it waits for. That is no worse than a crash there,
    /// which every step survives: each change is announced in the ledger before it is made, a
    /// request that is already sent takes effect within the grace that begins with the
    /// announcement, and the next job observes again. A report that is never sent would be worse:
    /// CodePipeline would wait for Lambda's retries.
    async fn run_within_budget(
        &self,
        job: &Job<S::Parameters>,
        times: Times,
        pipeline: &JobPipeline<'_>,
    ) -> StepResult {
        // Boxed: the SDK's futures are deep, and their layouts would exceed the compiler's
        // recursion limit.
        let work = Box::pin(async {
            let (acting, is_checked, result) = match self.find_release(job, pipeline).await {
                Ok((acting, found)) => {
                    let step = acting.as_ref().unwrap_or(&self.step);
                    let result = Box::pin(step.step(job, found)).await;
                    (acting, true, result)
                }
                // An operator may fail every release.
                Err(error) => (None, job.id.is_none(), Err(error)),
            };
            let result = self.look_again(job, times, result).await;
            let result = times.in_time(result);

            let step = acting.as_ref().unwrap_or(&self.step);
            if !is_checked && matches!(result, Err(StepError::Failed(_))) {
                self.check_owner(&job.release, pipeline).await?;
            }
            step.record_failure(&self.ledger, job, result).await
        });

        let result = match self.sdk.within(STEP_BUDGET, work).await {
            // The failure could not be recorded either.
            Some(Err(StepError::Refused(failure) | StepError::Unexpected(failure)))
                if times.is_refused_for_long() =>
            {
                Err(failure.into())
            }
            Some(result) => result,
            None => Err(StepError::Busy(format!(
                "in progress: AWS is slow and the step did not end within {}; retrying",
                readable(STEP_BUDGET)
            ))),
        };

        // CodePipeline receives the failure also when it could not be recorded.
        times.in_time(result)
    }

    /// What the step finds of its pipeline's release, and the step that acts under its deploy role.
    async fn find_release(
        &self,
        job: &Job<S::Parameters>,
        pipeline: &JobPipeline<'_>,
    ) -> Result<(Option<S>, S::Found), StepError> {
        let found = Box::pin(self.step.find_release(job)).await?;
        check_time(job.kind, S::works(&job.parameters))?;
        let role = Box::pin(pipeline.role(&job.release.execution, &found)).await?;
        let acting = role.map(|role| {
            let sdk = if found.only_reads() {
                self.sdk.reading_for(&role)
            } else {
                self.sdk.acting_for(&role)
            };
            self.step.acting_as(&sdk)
        });
        Ok((acting, found))
    }

    /// Refuses a job of another pipeline than that of the release that it names.
    async fn check_owner(
        &self,
        release: &ReleaseRef,
        pipeline: &JobPipeline<'_>,
    ) -> Result<(), StepError> {
        let owner = self.ledger.owner(release).await?;
        let execution = &release.execution;
        pipeline.check_owner(execution, owner.as_deref()).await
    }

    /// What AWS refused fails the release at once if it has changed nothing; after its first change
    /// the end would be a rollback, so the next job looks again. The same applies to a response
    /// that is not understood, and to credentials that AWS does not accept, which prove nothing.
    async fn look_again(
        &self,
        job: &Job<S::Parameters>,
        times: Times,
        result: StepResult,
    ) -> StepResult {
        let fails = match &result {
            Err(StepError::Refused(_) | StepError::Unexpected(_))
                if times.is_refused_for_long() =>
            {
                true
            }
            Err(StepError::Refused(_)) => !self.may_have_made_change(job).await,
            _ => false,
        };

        match result {
            Err(StepError::Refused(failure) | StepError::Unexpected(failure)) if fails => {
                Err(failure.into())
            }
            other => other,
        }
    }

    /// Whether the release has made a change or may have, as far as the ledger shows; also if the
    /// ledger cannot be read.
    async fn may_have_made_change(&self, job: &Job<S::Parameters>) -> bool {
        let wanted = &job.release;
        match self.ledger.lease(&wanted.cluster, &wanted.service).await {
            Ok(lease) => {
                lease.is_some_and(|lease| lease.may_have_made_change(&wanted.execution, job.now))
            }
            Err(_) => true,
        }
    }
}

/// The job, the token that goes on with it, and how long its action has taken.
fn read<S: Step>(
    event: PipelineJob,
    now: Timestamp,
) -> Result<(Job<S::Parameters>, Token, Times), Failure> {
    if let Some(refusal) = &event.refusal {
        return Err(refusal.clone());
    }
    let (release, parameters) = parse_parameters(event.user_parameters.as_deref())?;
    let token = match &event.token {
        Some(text) => Token::parse(text, S::NAME)?.without_old_refusals(now),
        None => Token::new(S::NAME, now),
    };

    let times = Times::from_token(&token, now, event.kind);
    let job = Job {
        id: event.job_id(),
        release,
        parameters,
        since: token.since,
        now,
        kind: event.kind,
        frozen: token.frozen,
        refused_for_long: times.is_refused_for_long(),
        payload: token.payload.clone(),
        kept: OnceLock::new(),
        origin: event.origin(),
        artifacts: event.artifacts,
        credentials: event.credentials,
    };
    Ok((job, token, times))
}
