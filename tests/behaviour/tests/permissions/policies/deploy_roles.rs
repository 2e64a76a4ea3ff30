//! The deploy roles of the three templates of pipelines.

use std::collections::BTreeSet;
use std::slice::from_ref;

use emulator::Aws;
use harness::demo::canary::become_canary;
use harness::demo::deployed;

use super::scenes::scenes;
use super::{Permission, allowed, called, compare, permissions, with_each_missing};

/// What is called only for targets on container instances, and the load-balanced services of the
/// scenes are on Fargate.
const ON_INSTANCES: &str = "ecs:DescribeContainerInstances";

/// What is called for pairs only on container instances, or when a colour cannot be filled, and
/// what Application Auto Scaling may try on behalf of the caller.
const UNPLAYED_FOR_PAIRS: [&str; 8] = [
    ON_INSTANCES,
    "ecs:ListContainerInstances",
    "ecs:DescribeCapacityProviders",
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceDeployments",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:DeleteAlarms",
];

/// The stacks of the pipelines in place.
const IN_PLACE: [&str; 2] = ["web-pipeline", "page-counter-pipeline"];
/// The stack of the pair's pipeline.
pub(super) const OF_PAIR: &str = "shop-pipeline";

/// The name of the deploy role of a pipeline's stack.
pub(super) fn deploy_role(aws: &Aws, stack: &str) -> String {
    let stack = aws.cloudformation.stack(stack).expect("deployed");
    let role = stack.resource("DeployRole").expect("a deploy role");
    role.physical_id.clone()
}

/// An account in which the pair's pipeline judges.
fn with_canary() -> Aws {
    let mut aws = deployed(1).expect("the stacks deploy");
    become_canary(&mut aws, &[]).expect("the template deploys");
    aws
}

#[test]
fn deploy_roles_allow_what_is_called_under_them_and_no_more() {
    let (scenes, aws) = scenes();
    let in_place = IN_PLACE.map(|stack| deploy_role(&aws, stack));
    let who = ("infra/pipelines/in-place.yaml", "the deploy role");
    let called_in_place = called(&scenes, &in_place);
    for role in &in_place {
        compare(who, &allowed(&aws, role), &called_in_place, &[ON_INSTANCES])
            .expect("what is called and no more");
    }

    let pair = deploy_role(&aws, OF_PAIR);
    let (of_canary, of_others): (Vec<_>, Vec<_>) = scenes
        .into_iter()
        .partition(|scene| scene.event.is_canary());
    let who = ("infra/pipelines/blue-green.yaml", "the deploy role");
    let called_of_pair = called(&of_others, from_ref(&pair));
    compare(
        who,
        &allowed(&aws, &pair),
        &called_of_pair,
        &UNPLAYED_FOR_PAIRS,
    )
    .expect("what is called and no more");

    // The scenes of canaries end early, and a release that ends well calls what blue/green does.
    let with_canary = with_canary();
    let allowed_canary = allowed(&with_canary, &deploy_role(&with_canary, OF_PAIR));
    let who = ("infra/pipelines/canary.yaml", "the deploy role");
    let mut called_of_canary = called(&of_canary, from_ref(&pair));
    called_of_canary.extend(called_of_pair);
    compare(who, &allowed_canary, &called_of_canary, &UNPLAYED_FOR_PAIRS)
        .expect("what is called and no more");
}

#[test]
fn each_action_that_a_deploy_role_lacks_is_reported_with_role_and_resource() {
    let (scenes, aws) = scenes();
    let [web, counter] = IN_PLACE.map(|stack| deploy_role(&aws, stack));
    let with_canary = with_canary();

    // Each action once of the roles in place: of the first one whose scenes call it. Alarms may be
    // tried on behalf of the caller, whose refusal names no resource.
    let played = |known: &Permission| {
        let demand = (known.role.clone(), known.action.clone());
        let is_called = scenes.iter().any(|scene| scene.demanded.contains(&demand));
        is_called && !known.action.ends_with("Alarms") && !known.action.ends_with("Alarm")
    };
    let mut all = permissions(&aws, &web);
    all.retain(&played);
    let of_web: BTreeSet<String> = all.iter().map(|known| known.action.clone()).collect();
    let mut of_counter = permissions(&aws, &counter);
    of_counter.retain(|known| !of_web.contains(&known.action) && played(known));
    let mut of_pair = permissions(&with_canary, &deploy_role(&with_canary, OF_PAIR));
    // Of a pair this one too is first tried by scaling. That of a single service is among the others.
    of_pair.retain(|known| played(known) && known.action != "ecs:UpdateService");
    all.extend(of_counter);
    all.extend(of_pair);

    with_each_missing(&scenes, &all, |missing| match missing.action.as_str() {
        // A release is closed even if its revisions cannot be deregistered, and its reason says
        // why.
        "ecs:ListTaskDefinitions" | "ecs:DeregisterTaskDefinition" => "record",
        // Those that call it answer no job: their errors end in the log, and their events in the
        // dead-letter queue.
        "codepipeline:StartPipelineExecution" | "codepipeline:GetPipelineExecution" => "function",
        // What explains a failed rollout is added to that failure.
        "ecs:ListServiceDeployments" | "ecs:DescribeServiceDeployments" => "JobFailed",
        // What a dry run may not read is one of its refusals.
        "ecr:BatchGetImage" | "elasticloadbalancing:DescribeTags" => "ConfigurationError",
        _ => "PermissionError",
    });
}
