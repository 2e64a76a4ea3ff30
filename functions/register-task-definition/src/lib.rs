//! The step that registers the task definition of a release: a base with new images, and everything
//! else as it was.
//!
//! It never changes a service, and it never registers a revision without announcing it: a revision
//! that nothing records could not be retired.

mod parameters;

use std::collections::BTreeMap;
use std::time::Duration;

use slipway::aws::{Artifacts, Bases, Images, Ledger, Sdk, TaskDefinitions};
use slipway::freeze::Guards;
use slipway::image::ImageReference;
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::observed::service::{family, revision};
use slipway::release::{ActiveRelease, Event, Lease, Registering, Release, Target, apply};
use slipway::step::Step;
use slipway::task_definition::{
    Base, BaseFile, Mark, Registration, TaskDefinition, container_images, parse_image_definitions,
    with_images,
};
use slipway::timestamp::{Timestamp, readable};

pub use parameters::Parameters;

/// A registered definition with its revision.
struct Registered {
    arn: String,
    definition: TaskDefinition,
}

/// The result of looking for the revision of a release.
enum FoundRevision {
    Registered(String),
    /// How long an earlier invocation can still register it.
    NotYet(Duration),
}

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct RegisterTaskDefinition {
    sdk: Sdk,
    ledger: Ledger,
    images: Images,
    task_definitions: TaskDefinitions,
    bases: Bases,
}

impl RegisterTaskDefinition {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ledger: Ledger::new(sdk),
            images: Images::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
            bases: Bases::new(sdk),
        }
    }
}

impl Step for RegisterTaskDefinition {
    const NAME: &'static str = "register-task-definition";
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
        let ActiveRelease { lease, target, .. } = found;
        let lease = self.record_guards(job, lease).await?;
        let into = match &target {
            Target::Service(_) => None,
            Target::Pair(pair) => Some(pair.prior.idle_family()),
        };

        let prior = target.prior_task_definition();
        let artifacts = Artifacts::new(&self.sdk, job);
        let current = self.describe(prior).await?;
        let base = self.base(&job.parameters, &artifacts, &current).await?;
        let images = self.wanted_images(&job.parameters, &artifacts).await?;
        let wanted = wanted(&job.parameters, &base.definition, &images)?;

        let runs = (current.arn.as_str(), &current.definition);
        let is_current = self.bases.is_current(&wanted, runs).await?;
        if is_current {
            let note = "the service's own, nothing changed";
            return Ok(report(&current.arn, prior, &wanted, note).with_warning(base.warning()));
        }

        let registration = Registration::new(&job.release.execution, wanted, into);
        let wanted = &registration.definition;
        match self.find_or_register(job, &lease, &registration).await? {
            FoundRevision::Registered(arn) => {
                Ok(report(&arn, prior, wanted, "registered").with_warning(base.warning()))
            }
            FoundRevision::NotYet(left) => Ok(waiting(wanted, left)),
        }
    }
}

impl RegisterTaskDefinition {
    async fn describe(&self, name: &str) -> Result<Registered, StepError> {
        let found = self.task_definitions.describe(name).await?;
        let (arn, definition) = found.ok_or_else(|| {
            Failure::configuration(format!(
                "task definition `{name}` does not exist; expected an active revision"
            ))
        })?;
        Ok(Registered { arn, definition })
    }

    /// Records what holds the later steps of the release back, unless it is recorded.
    async fn record_guards(&self, job: &Job<Parameters>, lease: Lease) -> Result<Lease, StepError> {
        let release = lease.release.as_ref();
        let guards = guards(&job.parameters, release);
        let recorded = release.map(|release| &release.guards);
        if recorded == Some(&guards) {
            return Ok(lease);
        }
        let guarded = apply(&lease, Event::Guarded(guards), job.now)?;
        self.ledger.advance(&guarded).await?;
        Ok(guarded)
    }

    /// The definition that the release builds on, without a mark.
    async fn base(
        &self,
        parameters: &Parameters,
        artifacts: &Artifacts<'_>,
        current: &Registered,
    ) -> Result<BaseFile, StepError> {
        let running = &current.definition;
        let base = match parameters.chosen_base()? {
            Base::File(location) => artifacts.task_definition(location, running).await?,
            Base::Running => running.clone().into(),
            Base::Newest(given) => {
                let family = given.unwrap_or_else(|| family(&current.arn));
                self.bases.newest(family).await?.1.into()
            }
        };
        Ok(base.unmarked())
    }

    /// Every image by its digest. The parameters override the file.
    async fn wanted_images(
        &self,
        parameters: &Parameters,
        artifacts: &Artifacts<'_>,
    ) -> Result<BTreeMap<String, String>, StepError> {
        let mut images = match &parameters.imagedefinitions {
            Some(location) => {
                let text = artifacts.read(location).await?;
                parse_image_definitions(&text)
                    .map_err(|why| Failure::configuration(format!("`{location}`: {why}")))?
            }
            None => BTreeMap::new(),
        };

        for (key, image) in &parameters.images {
            images.insert(key.clone(), artifacts.image(image).await?);
        }

        for (key, image) in &mut images {
            let reference = ImageReference::parse(image)
                .map_err(|why| Failure::configuration(format!("image of `{key}`: {why}")))?;
            *image = self.images.resolve(&reference).await?.to_string();
        }

        Ok(images)
    }

    /// The revision that this release registered, or a new one. What another release or an operator
    /// registered is never taken, even if it is the same: its owner may deregister it.
    async fn find_or_register(
        &self,
        job: &Job<Parameters>,
        lease: &Lease,
        registration: &Registration,
    ) -> Result<FoundRevision, StepError> {
        let family = registration.definition.family();
        let release = lease.release.as_ref();
        let began = release.map_or(job.since, |release| release.began_at);
        let announced = release.and_then(|release| release.registering.clone());
        let announced = announced.filter(|announced| announced.family == family);
        if let Some(announced) = &announced {
            if let Some(arn) = self.find_own(&registration.mark, announced, began).await? {
                self.record(job, lease, &arn).await?;
                return Ok(FoundRevision::Registered(arn));
            }
            if let Some(left) = lease.grace_left(job.now) {
                return Ok(FoundRevision::NotYet(left));
            }
        }

        let newest = self.task_definitions.describe(family).await?;
        let definition = newest.as_ref().map(|(_, definition)| definition);
        let sent = registration
            .sent(definition)
            .map_err(Failure::configuration)?;

        // An earlier registration that was lost may still become visible, so what was the newest
        // before it stays recorded.
        let registering = announced.unwrap_or_else(|| Registering {
            family: family.to_owned(),
            newest: newest.map(|(arn, _)| arn),
        });
        let lease = apply(lease, Event::RegistrationAnnounced(registering), job.now)?;
        self.ledger.advance(&lease).await?;

        let arn = self.task_definitions.register(&sent).await?;
        self.record(job, &lease, &arn).await?;
        Ok(FoundRevision::Registered(arn))
    }

    /// The revision that an earlier invocation of this release registered from the same definition.
    async fn find_own(
        &self,
        mark: &Mark,
        announced: &Registering,
        began: Timestamp,
    ) -> Result<Option<String>, StepError> {
        let newest = announced.newest.as_deref();
        let own = self
            .task_definitions
            .registered_by(&mark.execution, &announced.family, newest, began)
            .await?;
        Ok(own
            .into_iter()
            .find(|(_, found)| found == mark)
            .map(|(arn, _)| arn))
    }

    /// Records the revision, unless it is recorded.
    async fn record(
        &self,
        job: &Job<Parameters>,
        lease: &Lease,
        arn: &str,
    ) -> Result<(), StepError> {
        let release = lease.release.as_ref();
        let recorded = release.and_then(|release| release.registered.as_deref());
        if recorded == Some(arn) {
            return Ok(());
        }

        let registered = Event::Registered {
            task_definition: arn.to_owned(),
        };
        self.ledger
            .advance(&apply(lease, registered, job.now)?)
            .await
    }
}

/// What holds the later steps back. What a stack update replaced was there before: bringing it back
/// is going back, which no window freezes.
fn guards(parameters: &Parameters, release: Option<&Release>) -> Guards {
    let guards = parameters.guards();
    let goes_back = release.is_some_and(|release| release.brings_back);
    Guards {
        freeze: guards.freeze.filter(|_| !goes_back),
        ..guards
    }
}

/// The base with its new images.
fn wanted(
    parameters: &Parameters,
    base: &TaskDefinition,
    images: &BTreeMap<String, String>,
) -> Result<TaskDefinition, Failure> {
    with_images(base, images, parameters.taskdef.is_some()).map_err(Failure::configuration)
}

/// An earlier invocation may still register the revision that it announced.
fn waiting(wanted: &TaskDefinition, left: Duration) -> JobReport {
    let summary = format!(
        "a revision of {} was announced and is not found; waiting {} for earlier invocations to \
         time out",
        wanted.family(),
        readable(left)
    );
    JobReport::in_progress(summary, 0)
}

fn report(arn: &str, prior: &str, wanted: &TaskDefinition, note: &str) -> JobReport {
    let images = container_images(wanted);
    let changed = images
        .iter()
        .map(|(name, image)| format!("{name}={image}"))
        .collect::<Vec<_>>()
        .join(",");

    let summary = format!(
        "{}: {note}; {}{}",
        revision(arn),
        changed.replace(',', ", "),
        unpinned(&images)
    );
    let outputs = [
        ("TaskDefinitionArn", arn.to_owned()),
        ("PriorTaskDefinitionArn", prior.to_owned()),
        ("ImageURIs", changed),
    ];
    JobReport::done(summary, outputs)
}

/// The containers whose images have no digest, as the end of a summary: what they run can change
/// without a release.
fn unpinned(images: &[(String, String)]) -> String {
    let has_digest =
        |image: &str| ImageReference::parse(image).is_ok_and(|image| image.digest.is_some());
    let names: Vec<&str> = images
        .iter()
        .filter(|(_, image)| !has_digest(image))
        .map(|(name, _)| name.as_str())
        .collect();

    if names.is_empty() {
        return String::new();
    }
    format!("; not pinned by digest: {}", names.join(", "))
}

#[cfg(test)]
mod tests;
