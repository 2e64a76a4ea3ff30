//! What a disabled transition does to the executions before it and behind it.

use super::*;

fn set(aws: &mut Aws, operation: &str, more: Value) {
    let mut input =
        json!({"pipelineName": PIPELINE, "stageName": "Release", "transitionType": "Inbound"});
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    call(aws, operation, &input).unwrap();
}

fn release(aws: &mut Aws) -> Value {
    let state = call(aws, "GetPipelineState", &json!({"name": PIPELINE})).unwrap();
    state["stageStates"][1].clone()
}

#[test]
fn the_state_of_a_stage_shows_whether_its_inbound_transition_is_disabled_and_why() {
    let mut aws = with_pipeline(vec![step("A", 1, "a")]);
    let transition = |aws: &mut Aws| release(aws)["inboundTransitionState"].clone();
    assert_eq!(transition(&mut aws), json!({"enabled": true}));

    set(
        &mut aws,
        "DisableStageTransition",
        json!({"reason": "e-1 failed"}),
    );
    let disabled = transition(&mut aws);
    assert_eq!(
        (&disabled["enabled"], &disabled["disabledReason"]),
        (&json!(false), &json!("e-1 failed"))
    );

    set(
        &mut aws,
        "DisableStageTransition",
        json!({"reason": "e-2 failed"}),
    );
    assert_eq!(transition(&mut aws)["disabledReason"], "e-2 failed");
    set(&mut aws, "EnableStageTransition", json!({}));
    assert_eq!(transition(&mut aws), json!({"enabled": true}));
}

#[test]
fn the_newest_execution_waits_at_a_disabled_transition() {
    let mut aws = with_pipeline(vec![step("A", 1, "a")]);
    set(
        &mut aws,
        "DisableStageTransition",
        json!({"reason": "frozen"}),
    );
    after(&mut aws, 60);
    let first = aws.codepipeline.executions[0].id.clone();
    let second = start(&mut aws);
    after(&mut aws, 62 * 3600);

    assert_eq!(status(&aws, &first), ExecutionStatus::Superseded);
    assert_eq!(status(&aws, &second), ExecutionStatus::InProgress);
    assert!(aws.lambda.take_ready().is_none());
    let waiting = release(&mut aws)["inboundExecutions"].clone();
    assert_eq!(waiting[0]["pipelineExecutionId"], json!(second));
    assert_eq!(waiting.as_array().map(Vec::len), Some(1));

    set(&mut aws, "EnableStageTransition", json!({}));
    let job = next_job(&mut aws);
    succeed(&mut aws, &job);
    assert_eq!(status(&aws, &second), ExecutionStatus::Succeeded);
}

#[test]
fn what_waits_at_a_transition_that_was_disabled_for_30_days_does_not_go_on() {
    for (days, goes_on) in [(30, true), (31, false)] {
        let mut aws = with_pipeline(vec![step("A", 1, "a")]);
        set(
            &mut aws,
            "DisableStageTransition",
            json!({"reason": "frozen"}),
        );
        after(&mut aws, days * 24 * 3600);
        set(&mut aws, "EnableStageTransition", json!({}));
        after(&mut aws, 60);
        assert_eq!(aws.lambda.take_ready().is_some(), goes_on, "{days} days");

        // A newer execution goes through.
        let newer = start(&mut aws);
        after(&mut aws, 60);
        if !goes_on {
            assert!(aws.lambda.take_ready().is_some());
            assert_eq!(status(&aws, &newer), ExecutionStatus::InProgress);
        }
    }
}

#[test]
fn an_execution_in_a_stage_goes_on_while_the_transition_into_it_is_disabled() {
    let mut aws = with_pipeline(vec![step("A", 1, "a"), step("B", 2, "b")]);
    let job = next_job(&mut aws);
    set(
        &mut aws,
        "DisableStageTransition",
        json!({"reason": "frozen"}),
    );
    succeed(&mut aws, &job);
    let job = next_job(&mut aws);
    succeed(&mut aws, &job);
    let id = aws.codepipeline.executions[0].id.clone();
    assert_eq!(status(&aws, &id), ExecutionStatus::Succeeded);
}
