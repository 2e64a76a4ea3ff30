//! What a judgement measures before its bake where less can be read than usual.

use emulator::Aws;
use emulator::ecr::Answers;
use harness::driver::{Fault, run};
use serde_json::json;
use slipway::strategy::canary::Remark;

use behaviour::pair::until_action;
use behaviour::shop::{messages, push, shop};

/// The deploy role of the shop's pipeline as a stack made it that is older than the functions.
fn with_older_role(aws: &mut Aws) {
    let arn = aws.cloudformation.export("shop-pipeline-DeployRoleArn");
    let arn = arn.expect("the stack exports it").to_owned();
    let name = arn.rsplit('/').next().expect("a name");
    let role = aws.cloudformation.iam.role_mut(name).expect("a role");
    let documents = role.policies.values_mut();
    let mut statements =
        documents.flat_map(|document| document["Statement"].as_array_mut().expect("a list"));
    let reading = statements.find(|statement| statement["Sid"] == "ReadMetrics");
    reading.expect("the template has it")["Action"] = json!(["cloudwatch:GetMetricData"]);
}

/// The summaries of a judgement up to the first minute that is judged.
fn summaries(aws: Aws) -> Vec<String> {
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        let judged = until_action(&driver, &pushed, "judge", 1).await;
        judged.expect("it is judged");
        messages(&driver.world.snapshot(), "judge")
    })
}

/// How many of the summaries have each remark.
fn remarked<const N: usize>(summaries: &[String], remarks: [Remark; N]) -> [usize; N] {
    remarks.map(|remark| {
        let has_it = |summary: &&String| summary.contains(remark.text());
        summaries.iter().filter(has_it).count()
    })
}

#[test]
fn a_deploy_role_that_is_older_than_the_functions_fails_no_canary() {
    let mut aws = shop();
    with_older_role(&mut aws);
    let summaries = summaries(aws);
    let denied = [Remark::ZonesDenied, Remark::ProtocolDenied];
    assert_eq!(remarked(&summaries, denied), [1, 1], "{summaries:#?}");
    assert!(
        summaries[0].contains(" requests a minute"),
        "{summaries:#?}"
    );
}

#[test]
fn an_hour_without_series_by_zone_is_measured_as_a_whole() {
    let mut aws = shop();
    aws.cloudwatch.faults.without_zones = true;
    let absent = summaries(aws);
    assert_eq!(remarked(&absent, [Remark::ZonesAbsent]), [1], "{absent:#?}");
    assert!(absent[0].contains(" requests a minute"), "{absent:#?}");
    assert!(absent[0].contains("p90 "), "{absent:#?}");

    let usual = summaries(shop());
    assert_eq!(remarked(&usual, [Remark::ZonesAbsent]), [0], "{usual:#?}");
}
