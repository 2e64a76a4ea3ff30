//! The pipelines of custom actions, end to end: the demo's web service and its shop, whose steps
//! `poll-jobs` takes from CodePipeline.

use emulator::cloudformation::delete;
use emulator::ecr::Behaviour;
use emulator::{Aws, cloudformation};
use invariants::ledger_reader::FUNCTIONS_STACK;
use slipway::release::Outcome;

use super::stacks::{CLUSTER, SHOP, WEB, exported, root, scalable_targets, stack, task_roles};
use super::{Chapter, Image, Operator, deployed, steady_and_ended};

/// The stack of the action types.
pub const ACTION_TYPES: &str = "slipway-action-types";

/// The chapters, in order.
pub const CHAPTERS: [Chapter; 4] = [
    Chapter {
        title: "a release in place, by custom actions",
        application: WEB,
        tag: "1.0.0",
        image: Image::New(Behaviour::Healthy),
        operator: Operator::Watches,
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    },
    Chapter {
        title: "a broken image",
        application: WEB,
        tag: "1.1.0",
        image: Image::New(Behaviour::NeverHealthy),
        operator: Operator::Watches,
        outcome: Outcome::RolledBack,
        reason: "serves again",
    },
    Chapter {
        title: "a blue/green release, by custom actions",
        application: SHOP,
        tag: "1.0.0",
        image: Image::New(Behaviour::Healthy),
        operator: Operator::Watches,
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    },
    Chapter {
        title: "one that fails during its bake",
        application: SHOP,
        tag: "1.1.0",
        image: Image::New(Behaviour::FailsUnderTraffic),
        operator: Operator::Watches,
        outcome: Outcome::RolledBack,
        reason: "traffic restored to blue 0 / green 100",
    },
];

/// The demo's account in which both pipelines are of custom actions.
///
/// # Errors
/// What a template refused, or what did not become steady.
pub fn opened(seed: u64) -> Result<Aws, String> {
    opened_in(deployed(seed)?)
}

/// The same in an account that is deployed.
///
/// # Errors
/// As [`opened`].
pub fn opened_in(mut aws: Aws) -> Result<Aws, String> {
    deploy_types(&mut aws)?;
    for pipeline in ["web-pipeline", "shop-pipeline"] {
        delete(&mut aws, pipeline).map_err(|e| e.to_string())?;
    }
    deploy_web(&mut aws)?;
    deploy_shop(&mut aws)?;
    steady_and_ended(aws)
}

/// Lets the functions poll, and makes the action types.
///
/// # Errors
/// What a template refused.
pub fn deploy_types(aws: &mut Aws) -> Result<(), String> {
    let polls = [("CustomActions", "yes")];
    stack(aws, FUNCTIONS_STACK, &root().join("template.yaml"), &polls)?;
    let template = root().join("infra/action-types.yaml");
    stack(aws, ACTION_TYPES, &template, &[])
}

fn deploy_web(aws: &mut Aws) -> Result<(), String> {
    let roles = task_roles(aws, WEB)?;
    pipeline(aws, "web-pipeline", &web(&roles))
}

/// The parameters of web's pipeline.
fn web(roles: &str) -> [(&'static str, &str); 6] {
    [
        ("PipelineName", "slipway-web"),
        ("Cluster", CLUSTER),
        ("Service", WEB),
        ("Repository", WEB),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles),
    ]
}

fn deploy_shop(aws: &mut Aws) -> Result<(), String> {
    let rule = exported(aws, "shop-ProductionRuleArn")?;
    let roles = task_roles(aws, SHOP)?;
    let targets = scalable_targets(aws, CLUSTER, ["shop-blue", "shop-green"]);
    let shop = [
        ("PipelineName", "slipway-shop"),
        ("Flow", "blue-green"),
        ("Cluster", CLUSTER),
        ("Service", SHOP),
        ("Rule", rule.as_str()),
        ("Repository", SHOP),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
        ("ScalableTargetArns", targets.as_str()),
        ("BakeMinutes", "5"),
    ];
    pipeline(aws, "shop-pipeline", &shop)
}

fn pipeline(aws: &mut Aws, name: &str, parameters: &[(&str, &str)]) -> Result<(), String> {
    let template = root().join("infra/pipelines/custom-actions.yaml");
    stack(aws, name, &template, parameters)
}

/// How the stack of web's pipeline is refused when an action has a property that its type does not
/// have.
///
/// # Errors
/// If it is not refused.
pub fn misspelt(aws: &Aws) -> Result<String, String> {
    let path = root().join("infra/pipelines/custom-actions.yaml");
    let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
    let text = text.replace("deadline_minutes: !Ref", "dedline_minutes: !Ref");
    let roles = task_roles(aws, WEB)?;
    let parameters = web(&roles)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();

    let mut aws = aws.clone();
    let deployed = cloudformation::deploy_text(&mut aws, "web-pipeline", &path, &text, &parameters);
    match deployed {
        Ok(()) => Err("a misspelt property was accepted".to_owned()),
        Err(refused) => Ok(refused.to_string()),
    }
}
