//! The step that makes the task definition of a release: a base with new images and everything else as it was.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use slipway::aws::{
    Artifacts, Held, Images, Jobs, Ledger, ReleaseName, Retry, Sdk, TaskDefinitions,
};
use slipway::image::ImageReference;
use slipway::job::{Failure, Job, Report, StepError, StepResult};
use slipway::observed::service::{family, revision};
use slipway::release::Lease;
use slipway::task_definition::{
    TaskDefinition, container_images, equivalent, parse_image_definitions, parse_image_detail,
    set_images,
};

/// User parameters of a register-task-definition action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Id of the execution: `#{codepipeline.PipelineExecutionId}`.
    pub execution: String,
    /// Name or ARN of the service's cluster.
    pub cluster: String,
    /// Name or ARN of the service.
    pub service: String,
    /// Images by container name or placeholder (`<IMAGE1_NAME>`): a reference, or `Artifact::imageDetail.json`.
    #[serde(default)]
    pub images: BTreeMap<String, String>,
    /// `Artifact::imagedefinitions.json`, for several containers at once.
    pub imagedefinitions: Option<String>,
    /// The base as a file: `Artifact::taskdef.json`.
    pub taskdef: Option<String>,
    /// The base as a family's newest revision.
    pub family: Option<String>,
}

impl Spec {
    fn name(&self) -> ReleaseName<'_> {
        ReleaseName {
            pipeline: &self.pipeline,
            execution: &self.execution,
            cluster: &self.cluster,
            service: &self.service,
        }
    }

    fn check(&self) -> Result<(), Failure> {
        if self.taskdef.is_some() && self.family.is_some() {
            return Err(Failure::configuration(
                "`taskdef` and `family` are both given; legal: one base or none (the service's current definition); remove one",
            ));
        }
        if self.images.is_empty() && self.imagedefinitions.is_none() {
            return Err(Failure::configuration(
                "no image is given; legal: `images` {\"<container>\": \"<image>\"}, or `imagedefinitions` \"<artifact>::imagedefinitions.json\"; add one",
            ));
        }
        Ok(())
    }
}

/// A definition with the revision that it is, when it is one already.
struct Known {
    arn: String,
    definition: TaskDefinition,
}

/// The function: one CodePipeline job is one look.
#[derive(Debug)]
pub struct RegisterTaskDefinition {
    sdk: Sdk,
    jobs: Jobs,
    ledger: Ledger,
    images: Images,
    task_definitions: TaskDefinitions,
}

impl RegisterTaskDefinition {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            jobs: Jobs::new(sdk, "register-task-definition"),
            ledger: Ledger::new(sdk),
            images: Images::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
        }
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When Lambda should deliver the event again.
    pub async fn answer(&self, event: Value) -> Result<Value, Retry> {
        let step = async |job: Job<Spec>| {
            let result = self.step(&job).await;
            self.ledger.remembering(job.spec.name(), result).await
        };
        self.jobs.settle(event, step).await
    }

    async fn step(&self, job: &Job<Spec>) -> StepResult {
        let spec = &job.spec;
        spec.check()?;
        let Held { lease, prior, .. } = self.ledger.hold(spec.name()).await?.open()?;
        // Each colour of a pair has a family of its own, so that a stack update takes the newest revision of what that colour runs.
        let into = prior
            .pair
            .as_ref()
            .map(|pair| family(&pair.of(pair.idle()).task_definition).to_owned());
        let prior = prior.task_definition;
        let artifacts = Artifacts::new(&self.sdk, job);
        let current = self.known(&prior).await?;
        let base = self.base(spec, &artifacts, &current).await?;
        let images = self.wanted_images(spec, &artifacts).await?;
        let wanted = set_images(&base, &images).map_err(Failure::configuration)?;
        let (arn, note) = self
            .registered(job, &lease, wanted.clone(), current, into)
            .await?;
        Ok(report(&arn, &prior, &wanted, note))
    }

    async fn known(&self, name: &str) -> Result<Known, StepError> {
        let found = self.task_definitions.describe(name).await?;
        let (arn, definition) = found.ok_or_else(|| {
            Failure::configuration(format!(
                "task definition `{name}` is not there; legal: an active revision; correct the name"
            ))
        })?;
        Ok(Known { arn, definition })
    }

    /// What the release builds on.
    async fn base(
        &self,
        spec: &Spec,
        artifacts: &Artifacts<'_>,
        current: &Known,
    ) -> Result<TaskDefinition, StepError> {
        match (&spec.taskdef, &spec.family) {
            (Some(location), _) => {
                let text = artifacts.read(location).await?;
                Ok(TaskDefinition::parse(&text).map_err(|why| {
                    Failure::configuration(format!(
                        "`{location}` is no task definition: {why}; correct the file"
                    ))
                })?)
            }
            (None, Some(family)) => Ok(self.known(family).await?.definition),
            (None, None) => Ok(current.definition.clone()),
        }
    }

    /// Every image by its digest. Parameters win over the file.
    async fn wanted_images(
        &self,
        spec: &Spec,
        artifacts: &Artifacts<'_>,
    ) -> Result<BTreeMap<String, String>, StepError> {
        let mut images = match &spec.imagedefinitions {
            Some(location) => {
                let text = artifacts.read(location).await?;
                parse_image_definitions(&text)
                    .map_err(|why| Failure::configuration(format!("`{location}`: {why}")))?
            }
            None => BTreeMap::new(),
        };
        for (key, image) in &spec.images {
            let image = match image.contains("::") {
                true => parse_image_detail(&artifacts.read(image).await?)
                    .map_err(|why| Failure::configuration(format!("`{image}`: {why}")))?,
                false => image.clone(),
            };
            images.insert(key.clone(), image);
        }
        for (key, image) in &mut images {
            let reference = ImageReference::parse(image).map_err(|why| {
                Failure::configuration(format!("image of `{key}`: {why}; correct the image"))
            })?;
            *image = self.images.resolve(&reference).await?.to_string();
        }
        Ok(images)
    }

    /// The revision that is `wanted`: the current one, the newest of its family (or of the family `into`), or a new one.
    async fn registered(
        &self,
        job: &Job<Spec>,
        lease: &Lease,
        wanted: TaskDefinition,
        current: Known,
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
                return self.known_already(lease, arn).await;
            }
            Some((_, ref newest)) => wanted.with_tags_of(newest),
            None => wanted,
        };
        let announced =
            lease.with_registering(wanted.family(), newest.map(|(arn, _)| arn), job.now);
        self.ledger.advance(&announced).await?;
        let arn = self.task_definitions.register(&wanted).await?;
        self.ledger
            .advance(&announced.with_registered(&arn))
            .await?;
        Ok((arn, "registered"))
    }

    /// The family's newest revision is the wanted one: it was there before, or an invocation registered it that could not write it
    /// down.
    async fn known_already(
        &self,
        lease: &Lease,
        arn: String,
    ) -> Result<(String, &'static str), StepError> {
        let release = lease.release.as_ref();
        let announced = release.and_then(|release| release.registering.as_ref());
        let unnamed = release.is_some_and(|release| release.registered.is_none());
        if announced.is_some_and(|registering| unnamed && registering.newest.as_ref() != Some(&arn))
        {
            self.ledger.advance(&lease.with_registered(&arn)).await?;
            return Ok((arn, "registered"));
        }
        Ok((arn, "the family's newest, nothing changed"))
    }
}

fn report(arn: &str, prior: &str, wanted: &TaskDefinition, note: &str) -> Report {
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
    Report::done(summary, outputs)
}

#[cfg(test)]
mod tests;
