//! The container whose image a release replaces, and the repositories of the task definition.

use std::collections::BTreeSet;

use slipway::aws::ObservedService;
use slipway::image::ImageReference;
use slipway::release::{account, region_of};
use slipway::task_definition::TaskDefinition;

use super::Init;
use crate::Failed;

/// Where the images of the releases come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) container: String,
    pub(super) repository: String,
    /// The other repositories of the account whose images the tasks run.
    pub(super) others: Vec<String>,
}

/// A container of the definition that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Container {
    name: String,
    image: String,
    /// The repository of its image, if that is in the account and the region of the service.
    repository: Option<String>,
}

impl Source {
    /// # Errors
    /// If it is not certain which container or which repository is meant.
    pub(super) fn of(
        init: &Init,
        live: &ObservedService,
        definition: &TaskDefinition,
    ) -> Result<Self, Failed> {
        let balanced = live.named_ports().balanced.iter();
        let balanced = balanced.map(|port| port.container.as_str()).collect();
        let containers = containers(definition, live.arn());
        chosen(&containers, &balanced, init)
    }
}

/// The containers, with the repositories that are where a service is.
fn containers(definition: &TaskDefinition, service: &str) -> Vec<Container> {
    let containers = definition.containers().filter_map(|it| {
        let (name, image) = (it["name"].as_str()?, it["image"].as_str()?);
        let reference = ImageReference::parse(image).ok();
        let repository = reference.and_then(|it| it.ecr()).filter(|it| {
            it.registry_id == account(service) && Some(it.region.as_str()) == region_of(service)
        });
        Some(Container {
            name: name.to_owned(),
            image: image.to_owned(),
            repository: repository.map(|it| it.repository),
        })
    });
    containers.collect()
}

/// `balanced`: the containers behind load balancers.
fn chosen(
    containers: &[Container],
    balanced: &BTreeSet<&str>,
    init: &Init,
) -> Result<Source, Failed> {
    let container = container(containers, balanced, init)?;
    let given = init.repository.as_ref().or(container.repository.as_ref());
    let repository = given.ok_or_else(|| {
        Failed::Refused(format!(
            "container `{}` runs `{}`, which is not in Amazon ECR of the service's account and \
             region; expected in --repository the one there to which images will be pushed",
            container.name, container.image
        ))
    })?;

    let others = containers.iter().filter_map(|it| it.repository.as_ref());
    let others: BTreeSet<&String> = others.filter(|other| *other != repository).collect();
    Ok(Source {
        container: container.name.clone(),
        repository: repository.clone(),
        others: others.into_iter().cloned().collect(),
    })
}

/// The named container, or the only one that can be meant.
fn container<'a>(
    containers: &'a [Container],
    balanced: &BTreeSet<&str>,
    init: &Init,
) -> Result<&'a Container, Failed> {
    let names = || {
        let names: Vec<&str> = containers.iter().map(|it| it.name.as_str()).collect();
        names.join(", ")
    };
    if let Some(wanted) = &init.container {
        let found = containers.iter().find(|it| it.name == *wanted);
        return found.ok_or_else(|| {
            Failed::Refused(format!(
                "--container is `{wanted}`, which is not in the task definition; expected one of \
                 {}",
                names()
            ))
        });
    }

    let may_be = |it: &&Container| match &init.repository {
        Some(wanted) => it.repository.as_ref() == Some(wanted),
        None => it.repository.is_some(),
    };
    let mut meant: Vec<&Container> = containers.iter().filter(may_be).collect();
    if meant.is_empty() {
        meant = containers.iter().collect();
    }
    if meant.len() > 1 {
        meant.retain(|it| balanced.contains(it.name.as_str()));
    }
    match meant.as_slice() {
        [one] => Ok(*one),
        _ => Err(Failed::Refused(format!(
            "several containers could get the image; expected one in --container: {}",
            names()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;
    use crate::ServiceName;

    const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:service/apps/web";
    const HOST: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";

    fn init(container: Option<&str>, repository: Option<&str>) -> Init {
        Init {
            from_service: ServiceName {
                cluster: "apps".to_owned(),
                service: "web".to_owned(),
            },
            green: None,
            strategy: None,
            container: container.map(ToOwned::to_owned),
            repository: repository.map(ToOwned::to_owned),
            rule: None,
            output: PathBuf::new(),
            force: false,
        }
    }

    fn found(images: &[(&str, &str)], balanced: &[&str], init: &Init) -> Result<Source, String> {
        let containers_of = images.iter();
        let containers_of: Vec<_> = containers_of
            .map(|(name, image)| json!({"name": name, "image": image}))
            .collect();
        let definition = json!({"family": "web", "containerDefinitions": containers_of});
        let definition = TaskDefinition::from_value(definition).expect("a definition");
        let balanced = balanced.iter().copied().collect();
        let source = chosen(&containers(&definition, ARN), &balanced, init);
        source.map_err(|failed| failed.to_string())
    }

    fn source(container: &str, repository: &str, others: &[&str]) -> Source {
        let others = others.iter().map(|it| (*it).to_owned());
        Source {
            container: container.to_owned(),
            repository: repository.to_owned(),
            others: others.collect(),
        }
    }

    #[test]
    fn the_container_with_an_image_of_the_account_is_meant_or_the_one_behind_the_balancer() {
        let own = |name: &str| format!("{HOST}/{name}:1");
        let (web, proxy) = (own("web"), own("proxy"));
        let far = web.replace("eu-west-1", "us-east-1");
        let plain = init(None, None);

        let with_sidecar = [("log", "fluent-bit:3"), ("web", web.as_str())];
        assert_eq!(
            found(&with_sidecar, &[], &plain),
            Ok(source("web", "web", &[]))
        );
        let both = [("proxy", proxy.as_str()), ("web", web.as_str())];
        assert_eq!(
            found(&both, &["web"], &plain),
            Ok(source("web", "web", &["proxy"]))
        );
        assert_eq!(
            found(&both, &[], &init(Some("proxy"), None)),
            Ok(source("proxy", "proxy", &["web"]))
        );
        let elsewhere = [("web", far.as_str())];
        assert_eq!(
            found(&elsewhere, &[], &init(None, Some("web"))),
            Ok(source("web", "web", &[]))
        );

        let refused = found(&both, &[], &plain).expect_err("two");
        assert!(refused.starts_with("several containers"), "{refused}");
        let refused = found(&elsewhere, &[], &plain).expect_err("another region");
        assert!(refused.contains("expected in --repository"), "{refused}");
        let refused = found(&both, &[], &init(Some("api"), None)).expect_err("unknown");
        assert!(refused.ends_with("expected one of proxy, web"), "{refused}");
    }
}
