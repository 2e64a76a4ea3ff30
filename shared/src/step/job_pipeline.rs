//! What a step finds in the ledger before it acts, and whether its job may act on that: no pipeline
//! acts for the release of another, and none of its executions for another one, whatever the
//! parameters of its actions name.
//!
//! It never takes a job's pipeline from the parameters, which can name any. It reads the pipeline
//! at most once an invocation, and only for a release that has a deploy role.

use std::sync::OnceLock;

use crate::aws::Jobs;
use crate::job::{Failure, StepError};
use crate::release::{ActiveRelease, DeployRole, LeaseProof, StatedJob, StatedPipeline};

/// What a step finds in the ledger before it acts.
pub trait FoundRelease {
    /// The role under which the step acts; none for the function's own credentials.
    fn deploy_role(&self) -> Option<&DeployRole>;

    /// The role under which the step acts instead, as its parameters request for a release that has
    /// none yet.
    fn requested_role(&self) -> Option<&RequestedRole> {
        None
    }

    /// Whether the step only reads, so that its sessions under the role may do nothing else.
    fn only_reads(&self) -> bool {
        false
    }

    /// The ARN of the pipeline whose release it is; none if the release has no deploy role.
    fn owner(&self) -> Option<&str> {
        self.deploy_role().map(|role| role.external_id.as_str())
    }
}

/// A deploy role that the parameters of a step request.
#[derive(Clone, Debug)]
pub struct RequestedRole {
    pub arn: String,
    /// The region of the service, if it is another than the functions'.
    pub region: Option<String>,
    /// The pipeline that a direct invocation names, for a step that only reads: any can be named.
    pub by_hand: Option<StatedPipeline>,
}

impl FoundRelease for ActiveRelease {
    fn deploy_role(&self) -> Option<&DeployRole> {
        self.release.deploy_role.as_ref()
    }
}

impl FoundRelease for LeaseProof {
    fn deploy_role(&self) -> Option<&DeployRole> {
        match self {
            Self::Active(active) => active.deploy_role(),
            Self::Closed(_) => None,
        }
    }

    fn owner(&self) -> Option<&str> {
        match self {
            Self::Active(active) => active.owner(),
            Self::Closed(record) => record.owner(),
        }
    }
}

/// The pipeline, and the execution, that the job of one invocation belongs to.
#[derive(Debug)]
pub(super) struct JobPipeline<'a> {
    jobs: &'a Jobs,
    /// None in a direct invocation: an operator may continue every release.
    job: Option<&'a str>,
    /// Its ARN, if an earlier job of the action read it.
    known: Option<&'a str>,
    stated: OnceLock<Result<StatedJob, StepError>>,
    /// Its ARN, once it is that of the release.
    proven: OnceLock<String>,
}

impl<'a> JobPipeline<'a> {
    /// The pipeline of a job, whose ARN is `known` if an earlier job of the action read it.
    pub(super) fn new(jobs: &'a Jobs, job: Option<&'a str>, known: Option<&'a str>) -> Self {
        Self {
            jobs,
            job,
            known,
            stated: OnceLock::new(),
            proven: OnceLock::new(),
        }
    }

    /// The role under which a found release's step acts. The pipeline of a requested one is always
    /// read: a token is text that the caller sends, which continues a release and begins none.
    ///
    /// # Errors
    /// As [`check_owner`](Self::check_owner), and when no role of the pipeline is requested.
    pub(super) async fn role(
        &self,
        execution: &str,
        found: &impl FoundRelease,
    ) -> Result<Option<DeployRole>, StepError> {
        self.check_owner(execution, found.owner()).await?;
        let Some(RequestedRole {
            arn,
            region,
            by_hand: named,
        }) = found.requested_role()
        else {
            return Ok(found.deploy_role().cloned());
        };

        let stated = match (self.job, named) {
            (Some(job), _) => self.stated(job).await?,
            (None, Some(named)) if found.only_reads() => named.clone(),
            (None, _) => return Err(by_hand(arn).into()),
        };
        self.check_execution(execution)?;
        let role = DeployRole::of_pipeline(arn, &stated).map_err(Failure::configuration)?;
        let role = match region {
            Some(region) => role.in_region(region),
            None => role,
        };
        self.proven.get_or_init(|| role.external_id.clone());
        Ok(Some(role))
    }

    /// Refuses a job of another pipeline than `owner`, whose release the execution is, and a job of
    /// another execution.
    ///
    /// # Errors
    /// A ConfigurationError with both pipelines or both executions, or why the job's could not be
    /// read.
    pub(super) async fn check_owner(
        &self,
        execution: &str,
        owner: Option<&str>,
    ) -> Result<(), StepError> {
        let (Some(job), Some(owner)) = (self.job, owner) else {
            return self.check_execution(execution);
        };

        let stated = match self.known {
            Some(arn) => StatedPipeline::of_arn(arn),
            None => self.stated(job).await?,
        };
        stated
            .check_owner(execution, owner)
            .map_err(Failure::configuration)?;
        self.check_execution(execution)?;
        self.proven.get_or_init(|| owner.to_owned());
        Ok(())
    }

    /// Refuses another execution than the job's, if that was read and CodePipeline stated it: an
    /// action begins and continues no release but that of its own execution.
    fn check_execution(&self, execution: &str) -> Result<(), StepError> {
        let stated = match self.stated.get() {
            Some(Ok(stated)) => stated.execution.as_deref(),
            _ => None,
        };

        match stated {
            Some(own) if own != execution => Err(Failure::configuration(format!(
                "`execution` is {execution}, but the job is of execution {own}; expected the job's \
                 own execution, #{{codepipeline.PipelineExecutionId}}"
            ))
            .into()),
            _ => Ok(()),
        }
    }

    /// The pipeline's ARN for the later jobs of the action, if it was checked.
    pub(super) fn into_proven(self) -> Option<String> {
        self.proven.into_inner()
    }

    async fn stated(&self, job: &str) -> Result<StatedPipeline, StepError> {
        let stated = match self.stated.get() {
            Some(known) => known,
            None => {
                // Boxed: the SDK's futures are deep.
                let read = Box::pin(self.jobs.stated(job)).await;
                let read = read.map_err(StepError::from);
                self.stated.get_or_init(|| read)
            }
        };
        stated.clone().map(|stated| stated.pipeline)
    }
}

/// A direct invocation has no job, so its pipeline could be any, and the release would change its
/// service.
fn by_hand(arn: &str) -> Failure {
    Failure::configuration(format!(
        "`deploy_role` is `{arn}`, but the invocation is not a job of CodePipeline, which states \
         the pipeline that may use the role; start the pipeline, give `dry_run` for a check, or \
         remove it and run the step with credentials that may change the service"
    ))
}
