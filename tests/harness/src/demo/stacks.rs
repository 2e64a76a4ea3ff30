//! The demo's account: three applications and Slipway itself, deployed from the templates that
//! users deploy.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use emulator::cloudformation::deploy;
use emulator::{Aws, ecs, traffic};
use invariants::ledger_reader::FUNCTIONS_STACK;

/// The cluster of all applications.
pub const CLUSTER: &str = "apps";
/// The load-balanced web service on Fargate.
pub const WEB: &str = "web";
/// The page counter: three linked containers on EC2, the frontend on the static port 80.
pub const COUNTER: &str = "page-counter";
/// The blue/green pair on Fargate, behind one weighted rule, scaled between two and eight tasks a
/// colour.
pub const SHOP: &str = "shop";
/// Where the counter's pipeline reads its task definition from.
const CONFIG_BUCKET: &str = "page-counter-config";

/// Deploys everything into an empty account.
///
/// # Errors
/// What a template or a service refused.
pub(super) fn deploy_all(aws: &mut Aws) -> Result<(), String> {
    ecs::call(aws, "CreateCluster", &json!({"clusterName": CLUSTER})).map_err(|e| e.to_string())?;
    ecs::add_container_instances(aws, CLUSTER, 2);
    aws.s3.at(aws.now).create_bucket(CONFIG_BUCKET, true);
    aws.s3
        .put(CONFIG_BUCKET, "config.zip", config()?)
        .map_err(|e| e.to_string())?;

    deploy_services(aws)?;
    stack(aws, FUNCTIONS_STACK, &root().join("template.yaml"), &[])?;
    deploy_pipelines_in_place(aws)?;
    deploy_pipeline_of_pair(aws, &[])
}

fn deploy_services(aws: &mut Aws) -> Result<(), String> {
    let network = [
        ("VpcId", "vpc-0a1b2c3d"),
        ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e"),
        ("Cluster", CLUSTER),
    ];
    let with = |own: &[(&'static str, &'static str)]| [&network[..], own].concat();
    let service = root().join("infra/service.yaml");
    stack(
        aws,
        "web",
        &service,
        &with(&[
            ("Name", WEB),
            ("LoadBalanced", "yes"),
            ("DesiredCount", "2"),
        ]),
    )?;

    let counter = [
        ("Name", COUNTER),
        ("LaunchType", "EC2"),
        ("ContainerName", "frontend"),
        ("ContainerPort", "5001"),
        ("HostPort", "80"),
        ("LoadBalanced", "no"),
        ("DesiredCount", "2"),
        ("MinimumHealthyPercent", "50"),
        ("MaximumPercent", "100"),
    ];
    stack(aws, "page-counter", &service, &with(&counter))?;

    let shop = [
        ("Name", SHOP),
        ("BlueGreen", "yes"),
        // Tests of `CheckUrl` turn the refusal on, so that they try both ways.
        ("RefuseTestHeader", "no"),
        ("MinCapacity", "2"),
        ("MaxCapacity", "8"),
    ];
    stack(aws, "shop", &service, &with(&shop))
}

fn deploy_pipelines_in_place(aws: &mut Aws) -> Result<(), String> {
    let template = root().join("infra/pipelines/in-place.yaml");
    let roles = task_roles(aws, WEB)?;
    let web = [
        ("PipelineName", "slipway-web"),
        ("Cluster", CLUSTER),
        ("Service", WEB),
        ("Repository", WEB),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
    ];
    stack(aws, "web-pipeline", &template, &web)?;

    let roles = task_roles(aws, COUNTER)?;
    let counter = [
        ("PipelineName", "slipway-page-counter"),
        ("Cluster", CLUSTER),
        ("Service", COUNTER),
        ("Repository", COUNTER),
        ("ContainerName", "frontend"),
        ("TaskRoleArns", roles.as_str()),
        ("Strategy", "make-room"),
        ("ConfigBucket", CONFIG_BUCKET),
        ("TaskDefinitionFile", "taskdef.json"),
    ];
    stack(aws, "page-counter-pipeline", &template, &counter)
}

/// Deploys the pipeline of the shop, or updates it, with further parameters.
///
/// # Errors
/// What the template refused.
pub(super) fn deploy_pipeline_of_pair(aws: &mut Aws, more: &[(&str, &str)]) -> Result<(), String> {
    let rule = exported(aws, "shop-ProductionRuleArn")?;
    let roles = task_roles(aws, SHOP)?;
    let targets = scalable_targets(aws, CLUSTER, ["shop-blue", "shop-green"]);
    let shop = [
        ("PipelineName", "slipway-shop"),
        ("Cluster", CLUSTER),
        ("Service", SHOP),
        ("Rule", rule.as_str()),
        ("Repository", SHOP),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
        ("ScalableTargetArns", targets.as_str()),
        ("Shift", "linear"),
        ("StepPercent", "20"),
        ("StepMinutes", "2"),
        ("BakeMinutes", "5"),
    ];

    stack(
        aws,
        "shop-pipeline",
        &root().join("infra/pipelines/blue-green.yaml"),
        &[&shop[..], more].concat(),
    )
}

/// The roles of a service that `infra/service.yaml` made, for `TaskRoleArns` of its pipeline.
///
/// # Errors
/// When no stack exports them.
pub fn task_roles(aws: &Aws, service_stack: &str) -> Result<String, String> {
    exported(aws, &format!("{service_stack}-TaskRoleArns"))
}

/// The scalable targets of both services of a pair, for `ScalableTargetArns` of its pipeline.
#[must_use]
pub fn scalable_targets(aws: &Aws, cluster: &str, services: [&str; 2]) -> String {
    let targets = services.map(|service| aws.autoscaling.target_of(cluster, service));
    let arns = targets.iter().flatten().map(|target| target.arn.as_str());
    arns.collect::<Vec<_>>().join(",")
}

/// An exported value of a stack.
///
/// # Errors
/// When no stack exports it.
pub(super) fn exported(aws: &Aws, name: &str) -> Result<String, String> {
    let value = aws.cloudformation.export(name);
    value
        .map(ToOwned::to_owned)
        .ok_or_else(|| format!("no stack exports {name}"))
}

/// Lets requests come to the shop: as many as one task serves at half of its strength.
pub(super) fn open_the_shop(aws: &mut Aws) -> Result<(), String> {
    let rule = exported(aws, "shop-ProductionRuleArn")?;
    traffic::set(aws, &rule, 50.0);
    Ok(())
}

pub(super) fn stack(
    aws: &mut Aws,
    name: &str,
    template: &Path,
    parameters: &[(&str, &str)],
) -> Result<(), String> {
    let parameters: BTreeMap<String, String> = parameters
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    deploy(aws, name, template, &parameters).map_err(|e| format!("stack {name}: {e}"))
}

/// Deploys a stack again with the parameters that it has, except for these.
pub(super) fn change(aws: &mut Aws, name: &str, changes: &[(&str, &str)]) -> Result<(), String> {
    let known = aws.cloudformation.stack(name);
    let known = known.ok_or_else(|| format!("there is no stack {name}"))?;
    let template = known.template.clone();
    let mut parameters: BTreeMap<String, String> = known
        .parameters
        .iter()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect();
    let changes = changes.iter();
    parameters.extend(changes.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    deploy(aws, name, &template, &parameters).map_err(|e| format!("stack {name}: {e}"))
}

/// A parameter as it is given: the items of a list with commas between them.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The counter's task definition as the `Config` artifact.
fn config() -> Result<Vec<u8>, String> {
    let path = root().join("tests/sandbox/examples/counter/taskdef.json");
    let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file("taskdef.json", SimpleFileOptions::default())
        .map_err(|e| e.to_string())?;
    archive.write_all(&text).map_err(|e| e.to_string())?;

    Ok(archive.finish().map_err(|e| e.to_string())?.into_inner())
}

/// The project's root, where template.yaml and infra/ are.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
