//! The functions were updated, and the stack of the pipeline was not: its deploy role allows less
//! than the functions call.

use behaviour::pair::{PIPELINE, SHORT, shop, weights};
use behaviour::{ends, failure, push};
use emulator::Aws;
use emulator::cloudformation::items;
use harness::demo::SHOP;
use harness::driver::{Fault, run};
use serde_json::Value;

/// The shop, whose deploy role does not have an action that the functions call.
fn without(action: &str) -> Aws {
    let mut aws = shop(&SHORT);
    let stack = aws.cloudformation.stack("shop-pipeline");
    let role = stack.expect("deployed").resource("DeployRole");
    let name = role.expect("a role").physical_id.clone();
    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");

    let mut taken = 0;
    for document in role.policies.values_mut() {
        let statements = document["Statement"].as_array_mut();
        for statement in statements.into_iter().flatten() {
            let actions = items(&statement["Action"]);
            let kept: Vec<Value> = actions
                .iter()
                .filter(|it| **it != action)
                .cloned()
                .collect();
            taken += actions.len() - kept.len();
            statement["Action"] = Value::Array(kept);
        }
    }
    assert_eq!(taken, 1, "{action}");
    aws
}

#[test]
fn what_an_older_role_lacks_is_named_and_ends_a_release_before_its_first_change() {
    let action = "elasticloadbalancing:DescribeRules";
    let before = without(action);
    let live = weights(&before);
    run(before, Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        let execution = ends(&driver, PIPELINE, &pushed, "failed").await;

        let aws = driver.world.aws();
        let mut jobs = aws.codepipeline.jobs.iter();
        let failed = jobs.find_map(|job| failure(job).filter(|_| job.execution == execution));
        let (kind, message) = failed.expect("an action fails");
        assert_eq!(kind, "PermissionError", "{message}");
        assert!(message.contains(action), "no {action} in: {message}");
        assert_eq!(weights(&aws), live);
    });
}

#[test]
fn an_older_role_that_reads_no_metrics_retires_the_old_colour_and_names_what_it_lacks() {
    let action = "cloudwatch:GetMetricData";
    run(without(action), Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        let execution = ends(&driver, PIPELINE, &pushed, "deployed").await;

        let aws = driver.world.aws();
        let found = aws.codepipeline.execution(&execution).expect("it is there");
        let retire = found.latest_action("Release", "retire").expect("it ran");
        let summary = retire.summary.as_deref().unwrap_or_default();
        assert!(summary.contains(action), "{summary}");
    });
}
