//! The step that runs a one-off task of a release, such as a migration: it starts the task once,
//! where the tasks of the service run, and observes until it has ended with exit code 0.
//!
//! It never changes a service, and never starts a task that an earlier invocation of the action
//! started.

mod parameters;

use slipway::aws::{Ledger, Placement, Sdk, Services, TaskDefinitions};
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::limits::{NOT_PLACED_CHARS, STALE_READ};
use slipway::observed::service::{family, revision, short_name};
use slipway::release::{ActiveRelease, Target};
use slipway::step::Step;
use slipway::strategy::one_off_task::{
    OneOffTask, StartedTask, TaskProgress, TaskStep, TaskTime, next_step,
};
use slipway::task_definition::TaskDefinition;
use slipway::timestamp::readable;

pub use parameters::Parameters;

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct RunChecks {
    ledger: Ledger,
    services: Services,
    task_definitions: TaskDefinitions,
}

/// What one invocation works with.
struct CheckContext<'a> {
    job: &'a Job<Parameters>,
    /// The service in whose network the task runs.
    service: String,
    task: OneOffTask<'a>,
    definition: &'a TaskDefinition,
    time: TaskTime,
}

impl RunChecks {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
        }
    }
}

impl Step for RunChecks {
    const NAME: &'static str = "run-checks";
    type Parameters = Parameters;
    type Found = ActiveRelease;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self::new(sdk)
    }

    async fn find_release(&self, job: &Job<Parameters>) -> Result<ActiveRelease, StepError> {
        job.parameters.validate()?;
        self.ledger.prove_lease(&job.release).await?.active()
    }

    async fn step(&self, job: &Job<Parameters>, found: ActiveRelease) -> StepResult {
        let ActiveRelease {
            lease,
            release,
            target,
        } = found;
        let parameters = &job.parameters;
        let progress = TaskProgress::read(job.payload.as_ref())?;

        // What an unchanged release runs is what the service runs already.
        let own = release.registered.as_deref();
        let own = own.unwrap_or_else(|| target.prior_task_definition());
        let task_definition = parameters.task_definition.as_deref().unwrap_or(own);
        let definition = self.describe(task_definition).await?;
        let execution = &job.release.execution;

        let context = CheckContext {
            job,
            service: service_of(&target, &lease.service),
            task: parameters.one_off_task(execution, task_definition, &definition)?,
            definition: &definition,
            time: TaskTime {
                elapsed: job.now.since(job.since),
                limit: parameters.limit(),
            },
        };
        match &progress.started {
            Some(started) => self.observe(&context, started).await,
            None => self.start(&context, progress).await,
        }
    }
}

impl RunChecks {
    async fn describe(&self, task_definition: &str) -> Result<TaskDefinition, StepError> {
        let found = self.task_definitions.describe(task_definition).await?;
        let (_, definition) = found.ok_or_else(|| {
            Failure::configuration(format!(
                "task definition `{task_definition}` does not exist; expected an active revision"
            ))
        })?;
        Ok(definition)
    }

    /// Starts the task, unless an earlier invocation did.
    async fn start(&self, context: &CheckContext<'_>, progress: TaskProgress) -> StepResult {
        let CheckContext {
            job, task, time, ..
        } = context;
        let cluster = &job.release.cluster;
        let family = family(task.task_definition);
        let earlier = self
            .services
            .task_started_by(cluster, family, &task.started_by())
            .await?;
        if let Some(arn) = earlier {
            return Ok(context.started(progress, arn));
        }
        if time.is_over() {
            return Err(context.not_placed(&progress).into());
        }

        let service = &context.service;
        let place = self.services.task_place(cluster, service).await?;
        let place = place.ok_or_else(|| {
            Failure::job(format!(
                "service `{service}` no longer exists in cluster `{cluster}`; {} runs where its \
                 tasks do",
                task.name
            ))
        })?;

        let attempt = progress.attempts;
        let placement = self.services.run_task(cluster, &place, task, attempt);
        match placement.await? {
            Placement::Started(arn) => Ok(context.started(progress, arn)),
            Placement::NotPlaced(reasons) => Ok(context.again(progress, &reasons)),
        }
    }

    /// Looks at the task, and stops it when its time is over.
    async fn observe(&self, context: &CheckContext<'_>, started: &StartedTask) -> StepResult {
        let CheckContext {
            job,
            task,
            definition,
            time,
            ..
        } = context;
        let (cluster, arn) = (&job.release.cluster, &started.arn);
        let Some(view) = self.services.one_off_task(cluster, arn).await? else {
            return context.unknown(started);
        };

        let essential: Vec<&str> = definition.essential_containers().collect();
        let secrets = context.definition_that_ran();
        let view = view.with_texts(|text| secrets.redacted(text));
        match next_step(task, &view, &essential, *time) {
            TaskStep::Wait(summary) => Ok(context.in_progress(&summary)),
            TaskStep::Done(summary) => {
                let summary = context.line("OK", &summary, arn);
                let report = JobReport::done(summary, [("TaskArn", arn.clone())]);
                Ok(report.with_external_id(Some(arn)))
            }
            TaskStep::Stop(why) => {
                let reason = format!("{} took too long", task.name);
                self.services.stop_task(cluster, arn, &reason).await?;
                let why = format!("{why}; it is being stopped");
                Err(Failure::job(context.line("NG", &why, arn)).into())
            }
            TaskStep::Fail(why) => Err(Failure::job(context.line("NG", &why, arn)).into()),
        }
    }
}

impl CheckContext<'_> {
    /// The task definition with the command that the task runs.
    fn definition_that_ran(&self) -> TaskDefinition {
        let definition = self.definition.clone();
        match self.task.command {
            Some((container, command)) => definition.with_command(container, command),
            None => definition,
        }
    }

    /// One line about the task: its state, what is known, the task, and where it logs.
    fn line(&self, state: &str, what: &str, arn: &str) -> String {
        let logs = self.definition.logs_of(arn);
        let places = [format!("task {}", short_name(arn))]
            .into_iter()
            .chain(logs);
        let places: Vec<String> = places.collect();
        format!("{state} {}: {what}; {}", self.task.name, places.join("; "))
    }

    /// In progress with a task that the next job looks at.
    fn started(&self, progress: TaskProgress, arn: String) -> JobReport {
        let task = &self.task;
        let summary = format!(
            "{}: started {} as task {}",
            task.name,
            revision(task.task_definition),
            short_name(&arn)
        );
        let started = StartedTask {
            arn: arn.clone(),
            at: self.job.now,
        };
        let next = TaskProgress {
            started: Some(started),
            ..progress
        };
        let report = JobReport::in_progress_with(summary, self.time.percent(), next.payload());
        report.with_external_id(Some(&arn))
    }

    /// In progress with a new attempt to place the task.
    fn again(&self, progress: TaskProgress, reasons: &[String]) -> JobReport {
        let why = reasons.join(", ");
        let why: String = why.chars().take(NOT_PLACED_CHARS).collect();

        let summary = format!("{}: not placed: {why}; {}", self.task.name, self.time);
        let next = TaskProgress {
            attempts: progress.attempts.saturating_add(1),
            not_placed: Some(why),
            ..progress
        };
        JobReport::in_progress_with(summary, self.time.percent(), next.payload())
    }

    fn in_progress(&self, what: &str) -> JobReport {
        let summary = format!("{}: {what}", self.task.name);
        let payload = self.job.payload.clone();
        JobReport::in_progress_with(summary, self.time.percent(), payload)
    }

    /// There was no place for the task in time.
    fn not_placed(&self, progress: &TaskProgress) -> Failure {
        let name = self.task.name;
        let revision = revision(self.task.task_definition);
        let why = progress
            .not_placed
            .as_deref()
            .unwrap_or("no call succeeded");
        Failure::job(format!(
            "NG {name}: {revision} was not placed within {}: {why}",
            readable(self.time.limit)
        ))
    }

    /// ECS does not know the task yet, or no longer.
    fn unknown(&self, started: &StartedTask) -> StepResult {
        if self.job.now.since(started.at) < STALE_READ {
            return Ok(self.in_progress("the task is not visible yet"));
        }
        let why = "Amazon ECS no longer has the task, so how it ended is not known";
        Err(Failure::job(self.line("NG", why, &started.arn)).into())
    }
}

/// The service in whose network the task runs: the one that gets the new revision.
fn service_of(target: &Target, service: &str) -> String {
    match target {
        Target::Service(_) => service.to_owned(),
        Target::Pair(pair) => {
            let services = pair.prior.services(service);
            services.of(pair.prior.idle()).clone()
        }
    }
}

#[cfg(test)]
mod tests;
