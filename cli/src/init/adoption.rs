//! What adopts a service: a template with its parameters, under the names that the documents use.

use serde_json::{Value, json};
use slipway::aws::Repositories;
use slipway::observed::colour::PerColour;
use slipway::observed::service::short_name;
use slipway::release::{account, region_of};

use super::ReleaseStrategy;
use super::found::Found;
use crate::{Failed, Session};

/// The stack of the functions that every template has as the default.
const FUNCTIONS: &str = "slipway";

/// The codes of ECR for a repository that does not exist, or cannot.
const NO_REPOSITORY: [&str; 2] = ["RepositoryNotFoundException", "InvalidParameterException"];

/// The most characters that the templates take (`MaxLength` in infra/pipelines/).
struct Limits {
    pipeline: usize,
    cluster: usize,
    service: usize,
    /// Of the name by which releases know the service or the pair.
    name: usize,
    container: usize,
}

const IN_PLACE: Limits = Limits {
    pipeline: 56,
    cluster: 80,
    service: 80,
    name: 80,
    container: 80,
};

const OF_PAIR: Limits = Limits {
    pipeline: 40,
    cluster: 64,
    service: 64,
    name: 30,
    container: 32,
};

pub(super) struct Adoption {
    /// Cluster and service, or pair.
    pub(super) subject: String,
    pub(super) strategy: ReleaseStrategy,
    pub(super) template: &'static str,
    pub(super) stack: String,
    pub(super) functions: String,
    pub(super) pipeline: String,
    pub(super) region: String,
    pub(super) parameters: Vec<(&'static str, String)>,
}

impl Adoption {
    /// # Errors
    /// If a name is too long for the template, there is no such repository, or the call fails.
    pub(super) async fn of(
        session: &Session,
        cluster: &str,
        found: &Found,
    ) -> Result<Self, Failed> {
        let source = found.source.as_ref().map_err(Failed::clone)?;
        check_repository(session, &source.repository).await?;
        let limits = if found.rule.is_some() {
            OF_PAIR
        } else {
            IN_PLACE
        };
        check("the cluster", cluster, limits.cluster)?;
        check("the container", &source.container, limits.container)?;
        for service in &found.services {
            check("the service", short_name(service.name().1), limits.service)?;
        }

        let arn = found.services.first().map_or("", |it| it.arn());
        let name = first(&found.name, limits.name);
        let pipeline = first(&format!("slipway-{name}"), limits.pipeline);
        let functions = session.stack().to_owned();
        let mut parameters = vec![
            ("PipelineName", pipeline.clone()),
            ("Cluster", cluster.to_owned()),
            ("Service", name.clone()),
            ("Repository", source.repository.clone()),
            ("ContainerName", source.container.clone()),
        ];
        if functions != FUNCTIONS {
            parameters.push(("FunctionsStack", functions.clone()));
        }
        if !source.others.is_empty() {
            let others = source.others.iter().map(|other| repository_arn(arn, other));
            let others: Vec<String> = others.collect();
            parameters.push(("OtherRepositoryArns", others.join(",")));
        }
        parameters.extend(own_parameters(found, &name));
        Ok(Self {
            subject: format!("{cluster}/{}", found.name),
            strategy: found.strategy,
            template: template(found.strategy),
            stack: stack(&name),
            functions,
            pipeline,
            region: region_of(arn).unwrap_or_default().to_owned(),
            parameters,
        })
    }

    /// The parameters as a file that both `aws cloudformation deploy --parameter-overrides` and
    /// `create-stack --parameters` take: a list of objects with these two members and no other
    /// (github.com/aws/aws-cli/blob/v2/awscli/customizations/cloudformation/deploy.py).
    pub(super) fn file(&self) -> Value {
        let parameters = self.parameters.iter();
        parameters
            .map(|(name, value)| json!({"ParameterKey": name, "ParameterValue": value}))
            .collect()
    }
}

async fn check_repository(session: &Session, repository: &str) -> Result<(), Failed> {
    let uri = Repositories::new(&session.sdk).uri(repository).await;
    let refused = |why: &str| format!("repository `{repository}` cannot be used: {why}");
    uri.map(drop)
        .map_err(|error| Failed::refused_for(&NO_REPOSITORY, error, refused))
}

/// What only one kind of templates has.
fn own_parameters(found: &Found, name: &str) -> Vec<(&'static str, String)> {
    let Some(rule) = &found.rule else {
        return vec![("Strategy", found.strategy.name().to_owned())];
    };
    let mut own = vec![("Rule", rule.arn.clone())];
    if let Some([blue, green]) = given_names(found, name) {
        own.push(("BlueService", blue));
        own.push(("GreenService", green));
    }
    if !found.scalable_targets.is_empty() {
        own.push(("ScalableTargetArns", found.scalable_targets.join(",")));
    }
    own.extend(rule.user_pool.clone().map(|pool| ("UserPoolArn", pool)));
    own
}

/// The names of the services of a pair, if they do not follow from that of the pair.
fn given_names(found: &Found, name: &str) -> Option<[String; 2]> {
    let [blue, green] = found.services.as_slice() else {
        return None;
    };
    let names = [blue, green].map(|it| short_name(it.name().1).to_owned());
    let derived = PerColour::services(None, name);
    (derived.as_array() != [&names[0], &names[1]]).then_some(names)
}

/// The parameters of the action `begin-release` of the pipeline, for a dry run.
pub(super) fn action_parameters(cluster: &str, found: &Found) -> Value {
    let containers: Vec<&str> = found
        .source
        .iter()
        .map(|source| source.container.as_str())
        .collect();
    let mut parameters = json!({
        "pipeline": "slipway-init", "execution": "dry-run", "dry_run": true,
        "cluster": cluster, "service": found.name, "containers": containers,
        "strategy": found.strategy.name(),
    });
    if let Some(rule) = &found.rule {
        parameters["strategy"] = json!("blue-green");
        parameters["rule"] = json!(rule.arn);
        parameters["scales"] = json!(!found.scalable_targets.is_empty());
        if let Some([blue, green]) = given_names(found, &found.name) {
            parameters["blue_service"] = json!(blue);
            parameters["green_service"] = json!(green);
        }
    }
    parameters
}

/// The name of the stack: letters, digits and hyphens, with a letter first.
fn stack(name: &str) -> String {
    let name = name.replace('_', "-");
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if begins_well {
        format!("{name}-pipeline")
    } else {
        format!("slipway-{name}-pipeline")
    }
}

fn template(strategy: ReleaseStrategy) -> &'static str {
    match strategy {
        ReleaseStrategy::Rolling | ReleaseStrategy::Doubling | ReleaseStrategy::MakeRoom => {
            "infra/pipelines/in-place.yaml"
        }
        ReleaseStrategy::BlueGreen => "infra/pipelines/blue-green.yaml",
        ReleaseStrategy::Canary => "infra/pipelines/canary.yaml",
    }
}

fn repository_arn(service: &str, repository: &str) -> String {
    let partition = service.split(':').nth(1).unwrap_or("aws");
    let region = region_of(service).unwrap_or_default();
    let account = account(service);
    format!("arn:{partition}:ecr:{region}:{account}:repository/{repository}")
}

fn first(name: &str, most: usize) -> String {
    name.chars().take(most).collect()
}

fn check(what: &str, name: &str, most: usize) -> Result<(), Failed> {
    let count = name.chars().count();
    if count <= most {
        return Ok(());
    }
    Err(Failed::Refused(format!(
        "the name of {what}, `{name}`, has {count} characters; the template takes at most {most}"
    )))
}
