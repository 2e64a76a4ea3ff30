//! The line: a release that fails disables the transition into its stage, and none goes on while
//! that is disabled.

use emulator::ecr::{self, Behaviour};
use harness::demo::{SHOP, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::json;

use super::*;
use behaviour::pair::{HALVES, shop, until_weights, weights};
use behaviour::{ends, newest, pass, push, reason, released, until};

const WEB_PIPELINE: &str = "slipway-web";

/// The account with `web` released once, whose failed releases stop the line.
fn with_line() -> Aws {
    let mut aws = released();
    pair::update(&mut aws, "web-pipeline", &[("StopLine", "yes")]);
    aws
}

/// Lets a release of `web` fail after its first change; returns its execution.
async fn fails(driver: &Driver) -> String {
    let broken = ecr::push(
        &mut driver.world.aws(),
        WEB,
        "2.0.0",
        Behaviour::NeverHealthy,
    )
    .expect("pushed");
    driver.world.touch();
    ends(driver, WEB_PIPELINE, &broken, "rolled-back").await
}

#[test]
fn a_failed_release_stops_the_line_and_the_newest_one_waits_until_it_goes_on() {
    run(with_line(), Fault::None, async |driver| {
        let failed = fails(&driver).await;
        let why = reason(&driver, &failed);
        let stopped =
            "; the transition into stage Release is disabled until an operator enables it";
        assert!(why.ends_with(stopped), "{why}");
        let disabled = transition(&driver.world.aws(), WEB_PIPELINE);
        assert_eq!(
            disabled,
            Some(format!("release {failed} ended as rolled-back"))
        );

        push(&driver, WEB, "2.1.0");
        pass(&driver, minutes(5)).await;
        let older = newest(&driver.world.aws(), WEB_PIPELINE).id.clone();
        let newer = push(&driver, WEB, "2.2.0");
        pass(&driver, minutes(55)).await;
        {
            let aws = driver.world.aws();
            assert!(behaviour::jobs(&aws, &older, "begin-release").is_empty());
            let older = aws.codepipeline.execution(&older).expect("it was there");
            assert_eq!(older.status, codepipeline::ExecutionStatus::Superseded);
        }

        set_transition(&mut driver.world.aws(), WEB_PIPELINE, None);
        driver.world.touch();
        ends(&driver, WEB_PIPELINE, &newer, "deployed").await;
    });
}

#[test]
fn one_that_entered_the_stage_before_the_line_was_stopped_changes_nothing_until_it_goes_on() {
    run(with_line(), Fault::None, async |driver| {
        let broken = ecr::push(
            &mut driver.world.aws(),
            WEB,
            "2.0.0",
            Behaviour::NeverHealthy,
        );
        let broken = broken.expect("pushed");
        driver.world.touch();
        behaviour::in_progress(&driver, &broken).await;
        // It waits in front of the stage, and enters it as soon as the first one has failed.
        let next = push(&driver, WEB, "2.1.0");

        until(&driver, |aws| waits(aws, WEB_PIPELINE, "update-service")).await;
        let stopped = transition(&driver.world.aws(), WEB_PIPELINE);
        assert!(stopped.is_some(), "the line is stopped first");
        let before = made(&driver.world.aws(), "update-service", "UpdateService").len();
        pass(&driver, minutes(30)).await;
        let after = made(&driver.world.aws(), "update-service", "UpdateService").len();
        assert_eq!(after, before);

        set_transition(&mut driver.world.aws(), WEB_PIPELINE, None);
        driver.world.touch();
        ends(&driver, WEB_PIPELINE, &next, "deployed").await;
    });
}

#[test]
fn an_operator_holds_a_shift_by_the_transition_and_lets_it_go_on() {
    let mut aws = shop(&HALVES);
    pair::configure(&mut aws, &[("StopLine", "yes")]);
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [50, 50]).await;
        set_transition(&mut driver.world.aws(), pair::PIPELINE, Some("incident 7"));
        pass(&driver, minutes(40)).await;
        {
            let aws = driver.world.aws();
            assert_eq!(weights(&aws), [50, 50]);
            let execution = newest(&aws, pair::PIPELINE).id.clone();
            let reported = summaries(&aws, &execution, "swap-target-groups");
            assert_eq!(
                reported.last().map(String::as_str),
                Some(
                    "frozen: the transition into stage Release is disabled (incident 7) until an \
                     operator enables it; then it goes on by itself"
                )
            );
        }

        set_transition(&mut driver.world.aws(), pair::PIPELINE, None);
        driver.world.touch();
        ends(&driver, pair::PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn what_an_operator_stops_does_not_stop_the_line() {
    run(with_line(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = behaviour::in_progress(&driver, &pushed).await;
        behaviour::stop(&driver, WEB_PIPELINE, &execution);
        ends(&driver, WEB_PIPELINE, &pushed, "rolled-back").await;
        assert_eq!(transition(&driver.world.aws(), WEB_PIPELINE), None);
    });
}

#[test]
fn without_a_line_a_disabled_transition_holds_no_release_that_goes_on() {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        behaviour::in_progress(&driver, &pushed).await;
        set_transition(&mut driver.world.aws(), WEB_PIPELINE, Some("upgrade"));
        ends(&driver, WEB_PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn a_release_whose_role_may_not_look_at_the_line_makes_no_step() {
    let mut aws = with_line();
    let stack = aws.cloudformation.stack("web-pipeline").expect("deployed");
    let role = stack.resource("DeployRole").expect("a role");
    let role = role.physical_id.clone();
    let denied = json!({
        "Effect": "Deny", "Action": "codepipeline:GetPipelineState", "Resource": "*",
    });
    let document = json!({"Version": "2012-10-17", "Statement": [denied]});
    let role = aws.cloudformation.iam.role_mut(&role).expect("a role");
    role.policies.insert("denied".to_owned(), document);

    let before = behaviour::image_of(&aws, WEB);
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = ends(&driver, WEB_PIPELINE, &pushed, "failed").await;
        let why = reason(&driver, &execution);
        assert!(why.contains("codepipeline:GetPipelineState"), "{why}");
        assert_eq!(behaviour::image_of(&driver.world.aws(), WEB), before);
    });
}
