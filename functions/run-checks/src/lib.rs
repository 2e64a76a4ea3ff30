//! The step that checks a release: it makes HTTP checks, and runs a one-off task, such as a
//! migration. It starts the task once, where the tasks of the service run, and observes until it
//! has ended with exit code 0. Where no service is delivered, it does the same without a release.
//!
//! It never changes a service, and never starts a task that an earlier invocation of the action
//! started. Checks and task know nothing of each other: all that a job does is done at once.

mod found;
mod parameters;
mod results;

use std::time::Duration;

use slipway::aws::{AwsError, HttpChecks, Ledger, Sdk, Services, TaskDefinitions, TaskPlace};
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::limits::{NOT_PLACED_CHARS, STALE_READ};
use slipway::observed::service::{family, revision, short_name};
use slipway::observed::task::Placement;
use slipway::release::Release;
use slipway::step::{Gate, Step};
use slipway::strategy::http_check::{CheckProgress, CheckState, HttpCheck};
use slipway::strategy::one_off_task::{
    OneOffTask, StartedTask, TaskProgress, TaskStep, TaskTime, next_step,
};
use slipway::task_definition::TaskDefinition;
use slipway::timestamp::readable;

pub use found::FoundTask;
pub use parameters::{Network, Parameters};
use results::{Results, judged};

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct RunChecks {
    ledger: Ledger,
    services: Services,
    task_definitions: TaskDefinitions,
    http: HttpChecks,
    gate: Gate,
}

/// What one invocation works with.
struct CheckContext<'a> {
    job: &'a Job<Parameters>,
    /// None for a task without a service.
    release: Option<&'a Release>,
    /// The service in whose network the task of a release runs.
    service: Option<String>,
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
            http: HttpChecks::new(sdk),
            gate: Gate::new(sdk),
        }
    }
}

impl Step for RunChecks {
    const NAME: &'static str = "run-checks";
    type Parameters = Parameters;
    type Found = FoundTask;

    fn works(parameters: &Parameters) -> Duration {
        parameters.works()
    }

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self::new(sdk)
    }

    async fn find_release(&self, job: &Job<Parameters>) -> Result<FoundTask, StepError> {
        self.find(job).await
    }

    async fn step(&self, job: &Job<Parameters>, found: FoundTask) -> StepResult {
        let parameters = &job.parameters;
        let progress = TaskProgress::read(job.payload.as_ref())?;

        let given = parameters.task_definition.as_deref();
        if let (None, Some(summary)) = (&parameters.task, found.already_live(given)) {
            return Ok(JobReport::done(summary, []));
        }
        let task_definition = given.or_else(|| found.task_definition());
        let task_definition = task_definition.ok_or_else(parameters::no_revision)?;
        let definition = self.describe(job, found.release(), task_definition).await?;
        let execution = &job.release.execution;

        let task = parameters.one_off_task(execution, task_definition, &definition)?;
        let context = task.map(|task| CheckContext {
            job,
            release: found.release(),
            service: found.service(),
            task,
            definition: &definition,
            time: TaskTime {
                elapsed: job.worked(),
                limit: parameters.limit(),
            },
        });

        let known = progress.checks.clone();
        let look = Box::pin(async {
            let context = context.as_ref()?;
            Some(self.look(context, progress).await)
        });
        let checks = found.of_idle(&parameters.http_checks)?;
        let attempts = Box::pin(self.attempts(&checks, known, &definition));
        let (looked, made) = tokio::join!(look, attempts);

        let results = Results::new(&checks, made);
        results.with_task(looked, job.payload.as_ref())
    }

    /// Without a service there is no release that fails.
    async fn record_failure(
        &self,
        ledger: &Ledger,
        job: &Job<Parameters>,
        result: StepResult,
    ) -> StepResult {
        if job.parameters.network.is_some() {
            return result;
        }
        ledger.record_failure(&job.release, result).await
    }
}

impl RunChecks {
    async fn describe(
        &self,
        job: &Job<Parameters>,
        release: Option<&Release>,
        task_definition: &str,
    ) -> Result<TaskDefinition, StepError> {
        if let Some((_, found)) = self.task_definitions.describe(task_definition).await? {
            return Ok(found);
        }

        let awaited = release.and_then(|it| it.awaits_revision(task_definition, job.worked()));
        Err(awaited.map_or_else(
            || {
                Failure::configuration(format!(
                    "task definition `{task_definition}` does not exist; expected an active \
                     revision"
                ))
                .into()
            },
            StepError::Busy,
        ))
    }

    /// One attempt of each check whose attempts have not decided, at once with the others and with
    /// what proves which version responds.
    async fn attempts(
        &self,
        checks: &[HttpCheck],
        mut progress: Vec<CheckProgress>,
        definition: &TaskDefinition,
    ) -> Vec<CheckProgress> {
        progress.resize_with(checks.len(), CheckProgress::default);
        let is_open = |(check, known): &(&HttpCheck, &mut CheckProgress)| {
            check.state(known) == CheckState::Open
        };
        let pairs = checks.iter().zip(&mut progress);
        let (open, known): (Vec<_>, Vec<_>) = pairs.filter(is_open).unzip();

        let controls: Vec<Option<HttpCheck>> = open.iter().map(|check| check.control()).collect();
        let requests = open.iter().copied().chain(controls.iter().flatten());
        let attempts = self.http.attempts(&requests.collect::<Vec<_>>()).await;
        let mut attempts = attempts.into_iter();
        let of_checks: Vec<_> = attempts.by_ref().take(open.len()).collect();

        let made = open.into_iter().zip(&controls).zip(&of_checks);
        for (((check, control), attempt), known) in made.zip(known) {
            let control = control.as_ref().and_then(|_| attempts.next());
            let found = judged(check, control.as_ref(), attempt, definition);
            *known = std::mem::take(known).after(found);
        }
        progress
    }

    /// Looks at the task of an earlier job, or starts it.
    async fn look(&self, context: &CheckContext<'_>, progress: TaskProgress) -> StepResult {
        match &progress.started {
            Some(started) => self.observe(context, started).await,
            None => self.start(context, progress).await,
        }
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
        if let Some(release) = context.release {
            // As a migration it prepares for the new revision. One that was started goes on.
            Box::pin(self.gate.pass(job, release, time.limit)).await?;
        }

        let place = self.place(context).await?;
        let attempt = progress.attempts;
        let placement = self.services.run_task(cluster, &place, task, attempt);
        match placement.await.map_err(|error| context.refused(error))? {
            Placement::Started(arn) => Ok(context.started(progress, arn)),
            Placement::NotPlaced(reasons) => Ok(context.again(progress, &reasons)),
        }
    }

    /// Where the task runs.
    async fn place(&self, context: &CheckContext<'_>) -> Result<TaskPlace, StepError> {
        let parameters = &context.job.parameters;
        if let Some(network) = &parameters.network {
            let Network {
                subnets,
                security_groups,
                public_ip,
            } = network;
            return Ok(TaskPlace::on_fargate(subnets, security_groups, *public_ip));
        }

        let cluster = &context.job.release.cluster;
        let service = context.service.as_deref().unwrap_or_default();
        let place = self.services.task_place(cluster, service).await?;
        place.ok_or_else(|| {
            Failure::job(format!(
                "service `{service}` no longer exists in cluster `{cluster}`; {} runs where its \
                 tasks do",
                context.task.name
            ))
            .into()
        })
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

    /// ECS may not find yet what was just registered.
    fn refused(&self, error: AwsError) -> StepError {
        let (revision, elapsed) = (self.task.task_definition, self.time.elapsed);
        let awaited = self.release.filter(|_| error.misses_task_definition());
        let awaited = awaited.and_then(|release| release.awaits_revision(revision, elapsed));
        awaited.map_or_else(|| error.into(), StepError::Busy)
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

#[cfg(test)]
mod tests;
