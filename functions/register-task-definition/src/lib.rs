//! The step that registers the task definition of a release: a base with new images, and everything
//! else as it was.
//!
//! It never changes a service, and it never registers a revision without announcing it: a revision
//! that nothing records could not be retired.

mod parameters;

use std::collections::BTreeMap;

use slipway::aws::{Artifacts, Images, Ledger, Sdk, TaskDefinitions};
use slipway::image::ImageReference;
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::observed::service::{family, revision};
use slipway::release::{ActiveRelease, Event, Lease, Registering, Target, apply};
use slipway::step::Step;
use slipway::task_definition::{
    TaskDefinition, container_images, equivalent, parse_image_definitions, parse_image_detail,
    set_images,
};

pub use parameters::Parameters;

/// A registered definition with its revision.
struct Registered {
    arn: String,
    definition: TaskDefinition,
}

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct RegisterTaskDefinition {
    sdk: Sdk,
    ledger: Ledger,
    images: Images,
    task_definitions: TaskDefinitions,
}

impl RegisterTaskDefinition {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ledger: Ledger::new(sdk),
            images: Images::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
        }
    }
}

impl Step for RegisterTaskDefinition {
    const NAME: &'static str = "register-task-definition";
    type Parameters = Parameters;

    async fn step(&self, job: &Job<Parameters>) -> StepResult {
        job.parameters.validate()?;
        let ActiveRelease { lease, target, .. } =
            self.ledger.claim(&job.release).await?.active()?;

        // Each colour of a pair has a family of its own, so that a stack update deploys the newest
        // revision of the family that its colour runs.
        let into = match &target {
            Target::Service(_) => None,
            Target::Pair(pair) => {
                let idle = pair.prior.of(pair.prior.idle());
                Some(family(&idle.task_definition).to_owned())
            }
        };

        let prior = target.prior_task_definition();
        let artifacts = Artifacts::new(&self.sdk, job);
        let current = self.describe(prior).await?;
        let base = self.base(&job.parameters, &artifacts, &current).await?;
        let images = self.wanted_images(&job.parameters, &artifacts).await?;

        let wanted = set_images(&base, &images).map_err(Failure::configuration)?;
        let (arn, note) = self
            .find_or_register(job, &lease, wanted.clone(), current, into)
            .await?;
        Ok(report(&arn, prior, &wanted, note))
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

    /// The definition that the release builds on.
    async fn base(
        &self,
        parameters: &Parameters,
        artifacts: &Artifacts<'_>,
        current: &Registered,
    ) -> Result<TaskDefinition, StepError> {
        match (&parameters.taskdef, &parameters.family) {
            (Some(location), _) => {
                let text = artifacts.read(location).await?;
                Ok(TaskDefinition::parse(&text).map_err(|why| {
                    Failure::configuration(format!("`{location}` is not a task definition: {why}"))
                })?)
            }
            (None, Some(family)) => Ok(self.describe(family).await?.definition),
            (None, None) => Ok(current.definition.clone()),
        }
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
            let image = if image.contains("::") {
                parse_image_detail(&artifacts.read(image).await?)
                    .map_err(|why| Failure::configuration(format!("`{image}`: {why}")))?
            } else {
                image.clone()
            };
            images.insert(key.clone(), image);
        }

        for (key, image) in &mut images {
            let reference = ImageReference::parse(image)
                .map_err(|why| Failure::configuration(format!("image of `{key}`: {why}")))?;
            *image = self.images.resolve(&reference).await?.to_string();
        }

        Ok(images)
    }

    /// The revision that equals `wanted`: the current one, the newest of its family (or of the
    /// family `into`), or a new one.
    async fn find_or_register(
        &self,
        job: &Job<Parameters>,
        lease: &Lease,
        wanted: TaskDefinition,
        current: Registered,
        into: Option<String>,
    ) -> Result<(String, &'static str), StepError> {
        let compared = match &into {
            Some(_) => wanted.clone().in_family(current.definition.family()),
            None => wanted.clone(),
        };
        if equivalent(&compared, &current.definition) {
            return Ok((current.arn, "the service's own, nothing changed"));
        }

        let wanted = into.map_or(wanted.clone(), |family| wanted.in_family(&family));
        let newest = self.task_definitions.describe(wanted.family()).await?;
        let wanted = match newest {
            Some((arn, ref newest)) if equivalent(&wanted, newest) => {
                return self.adopt_newest(job, lease, arn).await;
            }
            Some((_, ref newest)) => wanted.with_tags_of(newest),
            None => wanted,
        };

        let registering = Registering {
            family: wanted.family().to_owned(),
            newest: newest.map(|(arn, _)| arn),
        };
        let announced = apply(lease, Event::RegistrationAnnounced(registering), job.now)?;
        self.ledger.advance(&announced).await?;

        let arn = self.task_definitions.register(&wanted).await?;
        self.ledger
            .advance(&apply(&announced, registered(&arn), job.now)?)
            .await?;
        Ok((arn, "registered"))
    }

    /// The family's newest revision equals the wanted one: it existed before, or an earlier
    /// invocation registered it and ended before recording it.
    async fn adopt_newest(
        &self,
        job: &Job<Parameters>,
        lease: &Lease,
        arn: String,
    ) -> Result<(String, &'static str), StepError> {
        let release = lease.release.as_ref();
        let announced = release.and_then(|release| release.registering.as_ref());
        let unnamed = release.is_some_and(|release| release.registered.is_none());
        let is_own = announced
            .is_some_and(|registering| unnamed && registering.newest.as_ref() != Some(&arn));

        if is_own {
            self.ledger
                .advance(&apply(lease, registered(&arn), job.now)?)
                .await?;
            return Ok((arn, "registered"));
        }

        Ok((arn, "the family's newest, nothing changed"))
    }
}

fn registered(arn: &str) -> Event {
    Event::Registered {
        task_definition: arn.to_owned(),
    }
}

fn report(arn: &str, prior: &str, wanted: &TaskDefinition, note: &str) -> JobReport {
    let images = container_images(wanted);
    let changed = images
        .iter()
        .map(|(name, image)| format!("{name}={image}"))
        .collect::<Vec<_>>()
        .join(",");

    let summary = format!("{}: {note}; {}", revision(arn), changed.replace(',', ", "));
    let outputs = [
        ("TaskDefinitionArn", arn.to_owned()),
        ("PriorTaskDefinitionArn", prior.to_owned()),
        ("ImageURIs", changed),
    ];
    JobReport::done(summary, outputs)
}

#[cfg(test)]
mod tests;
