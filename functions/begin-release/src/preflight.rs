//! The checks of a release, in the order in which they refuse it: one list for the pre-flight,
//! which ends at the first refusal, and for a dry run, which makes all of them.
//!
//! It writes nothing: what follows from the checks is decided by the step.

use slipway::aws::{Artifacts, ObservedService};
use slipway::job::{Checks, Failure, Job, JobReport, StepError, StepResult};
use slipway::observed::service::{family, revision, short_name};
use slipway::release::{LastKnownRouting, Lease, PriorService};
use slipway::strategy::Room;
use slipway::task_definition::{Base, Registration, TaskDefinition};

use crate::check_groups::{NEW, PRIOR, RELEASE, ROLLOUT, TARGET};
use crate::external::external_deployment;
use crate::fit::check_fit;
use crate::restorable::PlannedRollout;
use crate::target::{FoundTarget, group_of};
use crate::{BeginRelease, Parameters, no_deployment, waiting};

/// What the checks found besides refusals.
#[derive(Default)]
pub(crate) struct Findings {
    /// The report of a release that has to wait before it can begin.
    pub(crate) waits: Option<JobReport>,
    /// What the rollout or its rollback may have to wait for.
    pub(crate) warning: Option<String>,
    /// Whether it is still to be proven that a rollback may pass the roles of the prior release.
    pub(crate) proves_roles: bool,
}

impl BeginRelease {
    /// Makes every check of a release, and no change.
    pub(crate) async fn dry_run(&self, job: &Job<Parameters>, lease: Option<Lease>) -> StepResult {
        let (cluster, service) = (&job.release.cluster, &job.release.service);
        let subject = format!("{}/{}", short_name(cluster), short_name(service));
        let mut checks = Checks::dry_run(subject);
        let are_valid = job.parameters.validate();
        checks.take((RELEASE, "parameters"), are_valid, |()| "valid".to_owned())?;

        match lease.as_ref().and_then(|lease| lease.release.as_ref()) {
            Some(other) if other.execution != job.release.execution => {
                checks.skip((RELEASE, "lease"), waiting(other, job.now).summary());
            }
            _ => checks.ok((RELEASE, "lease"), "free"),
        }
        if !self.check_role(&mut checks).await? {
            for group in [TARGET, NEW, ROLLOUT, PRIOR] {
                checks.skip(
                    (group, "all"),
                    "nothing can be read without the deploy role",
                );
            }
            return Ok(JobReport::Checked(checks));
        }

        let last_known = lease.as_ref().and_then(|lease| lease.last_known.as_ref());
        let findings = self.examine(&mut checks, job, last_known).await?;
        if let Some(warning) = findings.warning {
            checks.skip((ROLLOUT, "warnings"), warning);
        }
        Ok(JobReport::Checked(checks))
    }

    /// Whether everything else can be read: under the deploy role, or else with the function's own
    /// credentials.
    async fn check_role(&self, checks: &mut Checks) -> Result<bool, StepError> {
        let at = (RELEASE, "role");
        let Some(role) = self.sdk.deploy_role() else {
            checks.skip(at, "the function's own credentials");
            return Ok(true);
        };

        let proven = self.sdk.prove_role(role).await;
        let proven = checks.take(at, proven, |()| role.arn.clone())?;
        Ok(proven.is_some())
    }

    /// All checks of what a release finds in AWS.
    pub(crate) async fn examine(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        last_known: Option<&LastKnownRouting>,
    ) -> Result<Findings, StepError> {
        let Some(target) = self.observe(checks, job, last_known).await? else {
            return Ok(Findings::default());
        };
        self.check_pointing(checks, &target).await?;
        let rollout = self.plan(checks, job, &target).await?;
        if checks.is_dry_run() {
            self.check_overlap(checks, job, &target).await?;
            self.inspect(checks, &target, rollout.as_ref()).await?;
            if let Some(rollout) = &rollout {
                self.list_changes(checks, job, &target, rollout).await?;
            }
        }

        if let Some(report) = check_deployments(checks, job, &target)? {
            // An operator may have started the deployment because an earlier refusal required it.
            for name in ["roles", "images"] {
                checks.skip((PRIOR, name), "checked once the deployment has ended");
            }
            return Ok(Findings {
                waits: Some(report),
                ..Findings::default()
            });
        }
        let Some(rollout) = rollout else {
            return Ok(Findings::default());
        };
        let (warning, proves_roles) = self.prove_restorable(checks, job, &target, rollout).await?;
        Ok(Findings {
            waits: None,
            warning,
            proves_roles,
        })
    }

    /// What a release would deploy, and what that would replace. Refuses what can never work.
    async fn plan(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        target: &FoundTarget,
    ) -> Result<Option<PlannedRollout>, StepError> {
        let seen = target.live();
        let prior = PriorService::from_view(&seen.view)
            .ok_or_else(|| no_deployment(&job.release.service))
            .map(|prior| prior.task_definition);
        let shown = |arn: &String| revision(arn).to_owned();
        let Some(arn) = checks.take((PRIOR, "deployment"), prior, shown)? else {
            return Ok(None);
        };

        let current = self.current(&arn).await;
        let exists = |_: &TaskDefinition| "it exists".to_owned();
        let Some(current) = checks.take((PRIOR, "revision"), current, exists)? else {
            return Ok(None);
        };
        let base = match self.base(job, &arn, &current).await {
            Ok(base) => self.with_room_for_mark(job, target, base).await,
            unknown => unknown,
        };
        let Some((name, base)) = checks.take((NEW, "base"), base, |(name, _)| name.clone())? else {
            return Ok(None);
        };

        let contained = validate_containers(&job.parameters, &name, &base);
        let named = job.parameters.containers.join(", ");
        checks.take((NEW, "containers"), contained, |()| {
            format!("named: {named}")
        })?;
        let accepted = matches!(target, FoundTarget::Service(_)).then_some(&current);
        check_fit(checks, target.deployed_to(), accepted, (&name, &base))?;
        let image = self.check_image(checks, job, &base).await?;
        let warning = self
            .check_rollout(checks, job, target, (&current, &base))
            .await?;

        Ok(Some(PlannedRollout {
            warning,
            arn,
            current,
            base,
            image,
        }))
    }

    /// Refuses a rollout that can never finish, and percentages that ECS refuses. Returns what the
    /// rollout may have to wait for.
    async fn check_rollout(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        target: &FoundTarget,
        definitions: (&TaskDefinition, &TaskDefinition),
    ) -> Result<Option<String>, StepError> {
        let live = &target.live().view;
        let room = self.room(job, target, definitions).await;
        let Some(room) = checks.take((ROLLOUT, "static-host-ports"), room, instances)? else {
            return Ok(None);
        };

        let strategy = job.parameters.strategy();
        let planned = strategy.plan(room).map_err(Failure::configuration);
        let planned = checks.take((ROLLOUT, "room"), planned, |planned| {
            planned.summary(room.desired)
        })?;
        if let Some(percentages) = planned {
            let accepted = live
                .check_percentages((&job.release.cluster, &job.release.service), percentages)
                .map_err(Failure::configuration);
            let rebalancing = if live.rebalancing {
                "ENABLED"
            } else {
                "DISABLED"
            };
            checks.take((ROLLOUT, "rebalancing"), accepted, |()| {
                rebalancing.to_owned()
            })?;
        }

        Ok(strategy.warning(room))
    }

    /// What limits the rollout from the definition that runs to the base of the next one.
    async fn room(
        &self,
        job: &Job<Parameters>,
        target: &FoundTarget,
        (current, base): (&TaskDefinition, &TaskDefinition),
    ) -> Result<Room, StepError> {
        let live = &target.live().view;
        // With a static host port each container instance can run only one task.
        let static_ports = if base.static_host_ports().is_empty() {
            None
        } else {
            let (cluster, providers) = (&job.release.cluster, &live.capacity_providers);
            let ports = base.static_host_ports();
            let found = self.clusters.port_instances(cluster, providers, &ports);
            Some(found.await?)
        };
        let own_tasks: u32 = target.services().into_iter().map(own_tasks).sum();
        Ok(Room {
            live: live.desired,
            desired: job.parameters.planned_count(live.desired),
            static_ports,
            port_is_taken: current.shares_static_port(base),
            own_tasks,
        })
    }

    /// The definition that the service runs.
    async fn current(&self, arn: &str) -> Result<TaskDefinition, StepError> {
        let found = self.task_definitions.describe(arn).await?;
        let (_, current) = found.ok_or_else(|| {
            Failure::configuration(format!(
                "the service's task definition {} does not exist; deploy one that does, then retry \
                 the release",
                revision(arn)
            ))
        })?;
        Ok(current)
    }

    /// The definition that the release will register with new images, and its name for messages.
    async fn base(
        &self,
        job: &Job<Parameters>,
        arn: &str,
        current: &TaskDefinition,
    ) -> Result<(String, TaskDefinition), StepError> {
        let named = |arn: &str| format!("task definition {}", revision(arn));

        let family = match job.parameters.chosen_base()? {
            Base::File(location) => {
                let artifacts = Artifacts::new(&self.sdk, job);
                let file = artifacts.task_definition(location, current).await?;
                return Ok((format!("file `{location}`"), file.definition));
            }
            Base::Running => return Ok((named(arn), current.clone())),
            Base::Newest(given) => given.unwrap_or_else(|| family(arn)),
        };

        let (arn, newest) = self.bases.newest(family).await?;
        Ok((named(&arn), newest))
    }

    /// The base of a release, if a revision that is made from it can have the tags of its mark
    /// beside its own, or else beside those that it gets from the newest revision of its family.
    async fn with_room_for_mark(
        &self,
        job: &Job<Parameters>,
        target: &FoundTarget,
        (name, base): (String, TaskDefinition),
    ) -> Result<(String, TaskDefinition), StepError> {
        base.check_tags()
            .map_err(|why| Failure::configuration(format!("{name}: {why}")))?;

        let wanted = base.clone().unmarked();
        let registration = Registration::new(&job.release.execution, wanted, target.idle_family());
        if !registration.has_tags() {
            let family = registration.definition.family();
            let newest = self.task_definitions.describe(family).await?;
            let newest = newest.as_ref().map(|(_, definition)| definition);
            registration
                .check_tags(newest)
                .map_err(Failure::configuration)?;
        }
        Ok((name, base))
    }
}

/// The report of a release that has to wait for a deployment that was started outside Slipway.
fn check_deployments(
    checks: &mut Checks,
    job: &Job<Parameters>,
    target: &FoundTarget,
) -> Result<Option<JobReport>, StepError> {
    for seen in target.services() {
        let group = group_of(seen.name().1);
        let at = (group.as_str(), "deployments");

        match external_deployment(seen.name(), &seen.view, job) {
            Ok(Some(report)) => {
                checks.skip(at, report.summary());
                return Ok(Some(report));
            }
            other => {
                checks.take(at, other, |_| "none in progress".to_owned())?;
            }
        }
    }
    Ok(None)
}

fn own_tasks(seen: &ObservedService) -> u32 {
    seen.view.running + seen.view.pending
}

fn instances(room: &Room) -> String {
    match room.static_ports {
        None => "none".to_owned(),
        Some(instances) => format!("{} instances are ACTIVE", instances.active),
    }
}

fn validate_containers(
    parameters: &Parameters,
    name: &str,
    definition: &TaskDefinition,
) -> Result<(), Failure> {
    let missing = parameters
        .containers
        .iter()
        .find(|name| !definition.container_names().any(|known| known == *name));
    let Some(missing) = missing else {
        return Ok(());
    };

    let expected = definition.container_names().collect::<Vec<_>>().join(", ");
    let base = if parameters.chosen_base()? == Base::Running {
        "; give `taskdef`, `base` or `family` as in register-task-definition if it has another base"
    } else {
        ""
    };
    Err(Failure::configuration(format!(
        "`containers` names `{missing}`, which is not in {name}; expected {expected}{base}"
    )))
}
