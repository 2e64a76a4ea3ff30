//! The deploy roles of the templates of pipelines.

use std::collections::BTreeSet;

use behaviour::account;
use emulator::Aws;
use harness::demo::canary::become_canary;

use super::by_records::{BY_RECORDS, OF_TRAFFIC};
use super::on_instances::ON_INSTANCES;
use super::scenes::scenes;
use super::{Permission, permissions, with_each_missing};

/// The stacks of the pipelines in place.
pub(super) const IN_PLACE: [&str; 2] = ["web-pipeline", "page-counter-pipeline"];
/// Reads without which a judgement or a retirement goes on, with a remark, as their own tests
/// check.
const REMARKED: [&str; 3] = [
    "cloudwatch:GetMetricData",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
];
/// The stack of the pair's pipeline.
pub(super) const OF_PAIR: &str = "shop-pipeline";

/// The name of the deploy role of a pipeline's stack.
fn deploy_role(aws: &Aws, stack: &str) -> String {
    let stack = aws.cloudformation.stack(stack).expect("deployed");
    let role = stack.resource("DeployRole").expect("a deploy role");
    role.physical_id.clone()
}

/// An account in which the pair's pipeline judges.
fn with_canary() -> Aws {
    let mut aws = account();
    become_canary(&mut aws, &[]).expect("the template deploys");
    aws
}

#[test]
fn each_action_that_a_deploy_role_lacks_is_reported_with_role_and_resource() {
    let (scenes, aws) = scenes();
    let [web, counter] = IN_PLACE.map(|stack| deploy_role(aws, stack));
    let with_canary = with_canary();

    // Each action once of the roles in place: of the first one whose scenes call it. Alarms may be
    // tried on behalf of the caller, whose refusal names no resource.
    let played = |known: &Permission| {
        let mut all = scenes.iter();
        let is_called = all.any(|scene| scene.iam.has_demanded(&known.role, &known.action));
        is_called && !known.action.ends_with("Alarms") && !known.action.ends_with("Alarm")
    };
    let mut all = permissions(aws, &web);
    all.retain(&played);
    let of_web: BTreeSet<String> = all.iter().map(|known| known.action.clone()).collect();
    let mut of_counter = permissions(aws, &counter);
    of_counter.retain(|known| !of_web.contains(&known.action) && played(known));
    let mut of_pair = permissions(&with_canary, &deploy_role(&with_canary, OF_PAIR));
    // For a pair, what is tried elsewhere is left out: UpdateService is first tried by scaling, and
    // without BatchGetImage, which shows whether a manifest is that of an image, a release goes on.
    // Those of a single service are among the others: its release in place reads the manifest
    // before an approval.
    let elsewhere = ["ecs:UpdateService", "ecr:BatchGetImage"];
    let is_elsewhere = |action: &str| elsewhere.contains(&action) || REMARKED.contains(&action);
    of_pair.retain(|known| played(known) && !is_elsewhere(known.action.as_str()));
    all.extend(of_counter);
    all.extend(of_pair);

    with_each_missing(scenes, &all, |missing| match missing.action.as_str() {
        // A release is closed even if its revisions cannot be deregistered, and its reason states
        // why.
        "ecs:ListTaskDefinitions" | "ecs:DeregisterTaskDefinition" => "record",
        // Those that call it report no job: their errors end in the log, and their events in the
        // dead-letter queue.
        "codepipeline:StartPipelineExecution" | "codepipeline:GetPipelineExecution" => "function",
        // What explains a failed rollout is added to that failure.
        "ecs:ListServiceDeployments" | "ecs:DescribeServiceDeployments" => "JobFailed",
        // What a dry run may not read is one of its refusals.
        "elasticloadbalancing:DescribeTags" => "ConfigurationError",
        _ => "PermissionError",
    });
}

#[test]
fn each_action_on_instances_that_the_role_of_a_pair_lacks_is_reported_with_role_and_resource() {
    let (scenes, aws) = scenes();
    let mut all = permissions(aws, &deploy_role(aws, ON_INSTANCES));
    let of_instances = ["CountInstances", "ObserveCapacity", "ObserveInstances"];
    all.retain(|known| of_instances.contains(&known.statement.as_str()));

    let actions: Vec<&str> = all.iter().map(|known| known.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "ecs:ListContainerInstances",
            "ecs:DescribeCapacityProviders",
            "ecs:DescribeContainerInstances"
        ]
    );
    with_each_missing(scenes, &all, |_| "PermissionError");
}

#[test]
fn each_action_on_records_that_the_role_of_a_pair_lacks_is_reported_with_role_and_resource() {
    let (scenes, aws) = scenes();
    let mut all = permissions(aws, &deploy_role(aws, BY_RECORDS));
    let [metrics, ..] = REMARKED;
    all.retain(|known| OF_TRAFFIC.contains(&known.statement.as_str()) && known.action != metrics);

    let actions: Vec<&str> = all.iter().map(|known| known.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "route53:ListResourceRecordSets",
            "route53:ChangeResourceRecordSets",
            "route53:GetChange",
        ]
    );
    with_each_missing(scenes, &all, |_| "PermissionError");
}
