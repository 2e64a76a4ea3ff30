//! Promotions that are held back: by a line that a failed release stopped, and by a freeze of
//! production.

use std::time::Duration;

use behaviour::pair::update;
use behaviour::{pass, reason};
use emulator::codepipeline::ActionStatus;
use slipway::timestamp::Timestamp;

use super::*;

const MINUTE: Millis = 60_000;

/// An instant as windows have it, in UTC.
fn utc(at: Millis) -> String {
    let at = Timestamp::from_secs(at / 1000).expect("in range");
    at.to_string().chars().take(16).collect()
}

/// Why the transition into each stage is disabled.
fn disabled(aws: &Aws) -> [Option<String>; 4] {
    let lanes = &aws.codepipeline.pipelines[PIPELINE].lanes;
    STAGES.map(|stage| {
        let lane = lanes.iter().find(|lane| lane.stage == stage);
        let disabled = lane.expect("a stage").disabled_inbound.as_ref();
        disabled.map(|disabled| disabled.reason.clone())
    })
}

/// Whether an execution waits in front of a stage.
fn waits_before(aws: &Aws, stage: &str, execution: &str) -> bool {
    let mut lanes = aws.codepipeline.pipelines[PIPELINE].lanes.iter();
    lanes.any(|lane| lane.stage == stage && lane.inbound.iter().any(|id| id == execution))
}

#[test]
fn a_failed_release_stops_the_line_before_the_next_environment() {
    let aws = opened(1, &[("StopLine", "yes")]).expect("it opens");
    let before = images(&aws);
    run(aws, Fault::None, async |driver| {
        let failed = committed(&driver, Behaviour::NeverHealthy, &[]);
        assert_eq!(over(&driver, &failed).await, ExecutionStatus::Failed);
        assert_eq!(outcome(&driver, &failed), "rolled-back");
        let why = reason(&driver, &failed);
        let stopped = "; the transition into stage CI is disabled until an operator enables it";
        assert!(why.ends_with(stopped), "{why}");
        let of_ci = Some(format!("release {failed} ended as rolled-back"));
        assert_eq!(disabled(&driver.world.aws()), [None, of_ci, None, None]);

        // Dev gets the next commit, and CI waits for an operator.
        let next = committed(&driver, Behaviour::Healthy, &[]);
        until(&driver, |aws| waits_before(aws, "CI", &next)).await;
        pass(&driver, Duration::from_secs(1_800)).await;
        assert!(waits_before(&driver.world.aws(), "CI", &next));
        let held = images(&driver.world.aws());
        assert_ne!(held[0], before[0]);
        assert_eq!(held[1..], before[1..]);

        let enable = json!({
            "pipelineName": PIPELINE, "stageName": "CI", "transitionType": "Inbound",
        });
        let enabled = codepipeline::call(&mut driver.world.aws(), "EnableStageTransition", &enable);
        enabled.expect("the pipeline has the stage");
        driver.world.touch();
        until(&driver, |aws| images(aws)[1] == held[0]).await;
        assert_eq!(driver.world.aws().iam.denials, []);
    });
}

#[test]
fn a_failure_that_no_step_recorded_stops_the_line_too() {
    let aws = opened(1, &[("StopLine", "yes")]).expect("it opens");
    let before = images(&aws);
    run(aws, Fault::None, async |driver| {
        let failed = committed(&driver, Behaviour::Healthy, &["Dev/test"]);
        assert_eq!(over(&driver, &failed).await, ExecutionStatus::Failed);
        assert_eq!(outcome(&driver, &failed), "rolled-back");
        let why = reason(&driver, &failed);
        assert!(why.starts_with("the execution failed; "), "{why}");
        let stopped = "; the transition into stage CI is disabled until an operator enables it";
        assert!(why.ends_with(stopped), "{why}");

        let aws = driver.world.aws();
        let of_ci = Some(format!("release {failed} ended as rolled-back"));
        assert_eq!(disabled(&aws), [None, of_ci, None, None]);
        assert_eq!(images(&aws), before);
        assert_eq!(aws.iam.denials, []);
    });
}

#[test]
fn production_waits_for_the_end_of_a_freeze_and_the_others_do_not() {
    let (mut aws, _) = promoted();
    let before = images(&aws);
    let from = aws.now / MINUTE * MINUTE;
    let end = from + 4 * 60 * MINUTE;
    let windows = format!("{}/{}", utc(from), utc(end));
    update(
        &mut aws,
        "orders-pipeline",
        &[("FreezeWindows", windows.as_str())],
    );

    run(aws, Fault::None, async |driver| {
        let execution = committed(&driver, Behaviour::Healthy, &[]);
        approved(&driver, &execution).await;
        let is_frozen = |aws: &Aws| {
            let found = aws.codepipeline.execution(&execution);
            let update = found.and_then(|it| it.latest_action("Production", "update-service"));
            update.is_some_and(|update| {
                let summary = update.summary.as_deref().unwrap_or_default();
                update.status == ActionStatus::InProgress && summary.starts_with("frozen: until ")
            })
        };
        until(&driver, is_frozen).await;
        {
            let aws = driver.world.aws();
            assert!(aws.now < end, "the freeze is not over");
            let frozen = images(&aws);
            assert_eq!(frozen[3], before[3]);
            for at in [0, 1, 2] {
                assert_ne!(frozen[at], before[at]);
            }
        }

        assert_eq!(over(&driver, &execution).await, ExecutionStatus::Succeeded);
        assert_eq!(outcome(&driver, &execution), "deployed");
        let aws = driver.world.aws();
        let found = aws.codepipeline.execution(&execution).expect("it is there");
        assert!(ended(action(found, "Production", "update-service")) >= end);
        let after = images(&aws);
        assert_eq!(after[3], after[2]);
    });
}
