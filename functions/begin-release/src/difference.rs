//! What differs between the revision that a release would register and the one that runs, as a dry
//! run lists it.
//!
//! No release looks at it: register-task-definition decides what is registered, by the same
//! functions.

use slipway::job::{Checks, Failure, Job, StepError};
use slipway::observed::service::revision;
use slipway::task_definition::{Difference, Registration, TaskDefinition, with_images};

use crate::check_groups::NEW;
use crate::restorable::PlannedRollout;
use crate::target::FoundTarget;
use crate::{BeginRelease, Parameters};

impl BeginRelease {
    /// Lists what a release would change in the definition that runs.
    pub(crate) async fn list_changes(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        target: &FoundTarget,
        rollout: &PlannedRollout,
    ) -> Result<(), StepError> {
        let at = (NEW, "difference");
        let wanted = match wanted(&job.parameters, rollout) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return Ok(()),
            Err(unknown) => {
                checks.skip(at, unknown);
                return Ok(());
            }
        };

        match self.difference(job, target, rollout, wanted).await {
            Ok(Some(found)) => {
                let summary = summary(found.count(), revision(&rollout.arn));
                checks.ok_with(at, summary, (found.changes.as_slice(), found.more));
            }
            Ok(None) => checks.ok(at, "nothing differs: no revision would be registered"),
            Err(error) => {
                checks.take(at, Err::<(), _>(error), |()| String::new())?;
            }
        }
        Ok(())
    }

    /// How what would be sent to ECS differs from what runs; `None` if nothing would be sent. Each
    /// colour of a pair has a family of its own, which does not count as a difference.
    async fn difference(
        &self,
        job: &Job<Parameters>,
        target: &FoundTarget,
        rollout: &PlannedRollout,
        wanted: TaskDefinition,
    ) -> Result<Option<Difference>, StepError> {
        let runs = (rollout.arn.as_str(), &rollout.current);
        if self.bases.is_current(&wanted, runs).await? {
            return Ok(None);
        }

        let (current, into) = (rollout.current.clone(), target.idle_family());
        let runs = match into {
            None => current,
            Some(family) => current.in_family(family),
        };
        let registration = Registration::new(&job.release.execution, wanted, into);
        let family = registration.definition.family();

        let newest = self.task_definitions.describe(family).await?;
        let newest = newest.as_ref().map(|(_, definition)| definition);
        let sent = registration.sent(newest).map_err(Failure::configuration)?;
        Ok(Some(Difference::between(&runs, &sent)))
    }
}

/// The base with the image of the release, as register-task-definition makes it; `None` if the
/// image is refused. The error is why it is not known: that step can have images of its own.
fn wanted(
    parameters: &Parameters,
    rollout: &PlannedRollout,
) -> Result<Option<TaskDefinition>, String> {
    if parameters.image.is_none() {
        return Err("`image` is not given".to_owned());
    }
    if parameters.containers.is_empty() {
        return Err("`containers` names none that gets the image".to_owned());
    }
    let Some(image) = &rollout.image else {
        return Ok(None);
    };

    let containers = parameters.containers.iter();
    let images = containers
        .map(|name| (name.clone(), image.to_string()))
        .collect();
    let base = rollout.base.clone().unmarked();
    with_images(&base, &images, parameters.taskdef.is_some()).map(Some)
}

fn summary(count: usize, runs: &str) -> String {
    match count {
        0 => format!("nothing differs from {runs}, but a revision would be registered"),
        1 => format!("1 member differs from {runs}"),
        count => format!("{count} members differ from {runs}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use slipway::image::ImageReference;
    use slipway::job::parse_parameters;

    use super::*;

    fn parameters(more: &Value) -> Parameters {
        let mut all = json!({
            "pipeline": "slipway-web", "execution": "e-1", "cluster": "apps", "service": "web",
            "strategy": "rolling", "image": "example/web:2", "containers": ["web"],
        });
        let members = all.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        parse_parameters(Some(&all.to_string())).expect("valid").1
    }

    fn definition(proxy: &str) -> TaskDefinition {
        let value = json!({"family": "web", "containerDefinitions": [
            {"name": "web", "image": "<IMAGE1_NAME>"}, {"name": "proxy", "image": proxy},
        ]});
        TaskDefinition::from_value(value).expect("a task definition")
    }

    /// What would be registered of a base with this image of another container.
    fn wanted_of(more: &Value, proxy: &str) -> Result<Option<TaskDefinition>, String> {
        let rollout = PlannedRollout {
            arn: "web:1".to_owned(),
            current: definition("example/proxy:1"),
            base: definition(proxy),
            image: ImageReference::parse("example/web:2").ok(),
            warning: None,
        };
        wanted(&parameters(more), &rollout)
    }

    #[test]
    fn the_image_goes_into_the_named_containers_of_the_base() {
        let proxy = "example/proxy:1";
        let value = json!({"family": "web", "containerDefinitions": [
            {"name": "web", "image": "example/web:2"}, {"name": "proxy", "image": proxy},
        ]});
        let expected = TaskDefinition::from_value(value).expect("a task definition");
        assert_eq!(wanted_of(&json!({}), proxy), Ok(Some(expected)));
    }

    #[test]
    fn what_another_container_of_a_file_lacks_is_not_known() {
        let file = json!({"taskdef": "Config::taskdef.json"});
        for (proxy, why) in [
            ("<IMAGE2_NAME>", "has the placeholder <IMAGE2_NAME>"),
            ("https://a.b/proxy", "which cannot be pulled"),
        ] {
            let unknown = wanted_of(&file, proxy).expect_err("not known");
            assert!(unknown.contains(why), "{unknown}");
        }
    }

    #[test]
    fn members_are_counted() {
        assert_eq!(
            [0, 1, 2].map(|count| summary(count, "web:1")),
            [
                "nothing differs from web:1, but a revision would be registered",
                "1 member differs from web:1",
                "2 members differ from web:1",
            ]
        );
    }
}
