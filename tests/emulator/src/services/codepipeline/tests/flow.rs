use super::*;

#[test]
fn creating_a_pipeline_runs_it_and_emits_its_events_in_order() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let execution = &aws.codepipeline.executions[0];
    assert_eq!(execution.trigger.0, "CreatePipeline");

    let id = execution.id.clone();
    let job = next_job(&mut aws);
    succeed(&mut aws, &job);
    assert_eq!(status(&aws, &id), ExecutionStatus::Succeeded);
    assert_eq!(
        history(&aws, &id),
        [
            "Pipeline STARTED",
            "Stage STARTED",
            "Action STARTED",
            "Action SUCCEEDED",
            "Stage SUCCEEDED",
            "Stage STARTED",
            "Action STARTED",
            "Action SUCCEEDED",
            "Stage SUCCEEDED",
            "Pipeline SUCCEEDED"
        ]
    );

    let event = &aws.events.events[0];
    assert_eq!(
        event["resources"],
        json!(["arn:aws:codepipeline:eu-west-1:111122223333:slipway-web"])
    );
    assert_eq!(event["detail"]["version"].as_f64(), Some(1.0));
    assert_eq!(
        event["detail"]["execution-trigger"]["trigger-type"],
        "CreatePipeline"
    );
}

#[test]
fn actions_of_one_run_order_run_together_and_the_next_waits_for_all() {
    let mut aws = with_pipeline(vec![
        step("A", 1, "a"),
        step("B", 1, "b"),
        step("C", 2, "c"),
    ]);
    let (first, second) = (next_job(&mut aws), next_job(&mut aws));
    succeed(&mut aws, &first);
    after(&mut aws, 30);

    assert!(aws.lambda.take_ready().is_none());

    succeed(&mut aws, &second);
    let third = next_job(&mut aws);
    let data = &third.payload["CodePipeline.job"]["data"];
    let parameters = &data["actionConfiguration"]["configuration"]["UserParameters"];

    assert_eq!(parameters, "c");
}

#[test]
fn a_newer_execution_supersedes_the_one_that_waits_before_a_locked_stage() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let first = aws.codepipeline.executions[0].id.clone();
    let job = next_job(&mut aws);
    let second = start(&mut aws);
    after(&mut aws, 10);
    let third = start(&mut aws);

    after(&mut aws, 10);
    assert_eq!(status(&aws, &first), ExecutionStatus::InProgress);
    assert_eq!(status(&aws, &second), ExecutionStatus::Superseded);
    assert_eq!(
        aws.codepipeline.pipelines[PIPELINE].lanes[1].inbound,
        std::slice::from_ref(&third)
    );

    succeed(&mut aws, &job);
    assert_eq!(
        aws.codepipeline.pipelines[PIPELINE].lanes[1].occupant,
        Some(third)
    );
    assert_eq!(
        history(&aws, &second).last().unwrap(),
        "Pipeline SUPERSEDED"
    );
}

#[test]
fn queued_executions_enter_in_order() {
    let mut aws = account(3);
    let mut queued = declaration(vec![step("Go", 1, "{}")]);
    queued["executionMode"] = json!("QUEUED");
    call(&mut aws, "CreatePipeline", &json!({ "pipeline": queued })).unwrap();
    let job = next_job(&mut aws);
    let (second, third) = (start(&mut aws), start(&mut aws));

    after(&mut aws, 10);
    assert_eq!(
        aws.codepipeline.pipelines[PIPELINE].lanes[1].inbound,
        [second.clone(), third.clone()]
    );

    succeed(&mut aws, &job);
    assert_eq!(
        aws.codepipeline.pipelines[PIPELINE].lanes[1].occupant,
        Some(second)
    );
    assert_eq!(status(&aws, &third), ExecutionStatus::InProgress);

    let error = (0..60).find_map(|_| {
        call(
            &mut aws,
            "StartPipelineExecution",
            &json!({"name": PIPELINE}),
        )
        .err()
    });
    assert_eq!(
        error.unwrap().code,
        "ConcurrentPipelineExecutionsLimitExceededException"
    );
}

#[test]
fn parallel_executions_do_not_wait() {
    let mut aws = account(3);
    let mut parallel = declaration(vec![step("Go", 1, "{}")]);
    parallel["executionMode"] = json!("PARALLEL");
    call(&mut aws, "CreatePipeline", &json!({ "pipeline": parallel })).unwrap();
    start(&mut aws);
    next_job(&mut aws);
    next_job(&mut aws);
}

#[test]
fn a_failed_stage_gives_its_lock_up_and_can_be_retried_until_a_newer_one_enters() {
    let mut aws = with_pipeline(vec![step("A", 1, "a"), step("B", 1, "b")]);
    let first = aws.codepipeline.executions[0].id.clone();
    let (a, b) = (next_job(&mut aws), next_job(&mut aws));
    succeed(&mut aws, &a);
    fail(&mut aws, &b);

    assert_eq!(status(&aws, &first), ExecutionStatus::Failed);
    assert_eq!(aws.codepipeline.pipelines[PIPELINE].lanes[1].occupant, None);

    let retry = json!({
        "pipelineName": PIPELINE, "stageName": "Release", "pipelineExecutionId": first,
        "retryMode": "FAILED_ACTIONS",
    });
    call(&mut aws, "RetryStageExecution", &retry).unwrap();
    let again = next_job(&mut aws);
    assert!(
        aws.lambda.take_ready().is_none(),
        "only the failed action runs again"
    );
    assert!(history(&aws, &first).contains(&"Pipeline RESUMED".to_owned()));

    fail(&mut aws, &again);
    let second = start(&mut aws);
    after(&mut aws, 10);
    assert_eq!(
        aws.codepipeline.pipelines[PIPELINE].lanes[1].occupant,
        Some(second)
    );

    let error = call(&mut aws, "RetryStageExecution", &retry).unwrap_err();
    assert_eq!(error.code, "NotLatestPipelineExecutionException");
}

#[test]
fn retrying_all_actions_starts_the_stage_anew() {
    let mut aws = with_pipeline(vec![step("A", 1, "a"), step("B", 2, "b")]);
    let first = aws.codepipeline.executions[0].id.clone();
    let a = next_job(&mut aws);
    succeed(&mut aws, &a);
    let b = next_job(&mut aws);
    fail(&mut aws, &b);

    let retry = json!({
        "pipelineName": PIPELINE, "stageName": "Release", "pipelineExecutionId": first,
        "retryMode": "ALL_ACTIONS",
    });
    call(&mut aws, "RetryStageExecution", &retry).unwrap();

    for _ in 0..2 {
        let job = next_job(&mut aws);
        succeed(&mut aws, &job);
    }
    assert_eq!(status(&aws, &first), ExecutionStatus::Succeeded);
    assert_eq!(
        call(&mut aws, "RetryStageExecution", &retry)
            .unwrap_err()
            .code,
        "StageNotRetryableException"
    );
}

#[test]
fn stop_and_wait_lets_the_action_finish_and_starts_no_other() {
    let mut aws = with_pipeline(vec![step("A", 1, "a"), step("B", 2, "b")]);
    let id = aws.codepipeline.executions[0].id.clone();
    let job = next_job(&mut aws);
    let stop = json!({"pipelineName": PIPELINE, "pipelineExecutionId": id, "reason": "enough"});
    call(&mut aws, "StopPipelineExecution", &stop).unwrap();

    assert_eq!(status(&aws, &id), ExecutionStatus::Stopping);
    let states = history(&aws, &id);
    assert_eq!(
        states[states.len() - 2..],
        ["Pipeline STOPPING", "Stage STOPPING"]
    );
    assert_eq!(
        call(&mut aws, "StopPipelineExecution", &stop)
            .unwrap_err()
            .code,
        "DuplicatedStopRequestException"
    );

    succeed(&mut aws, &job);
    assert_eq!(status(&aws, &id), ExecutionStatus::Stopped);
    assert_eq!(
        call(&mut aws, "StopPipelineExecution", &stop)
            .unwrap_err()
            .code,
        "PipelineExecutionNotStoppableException"
    );

    let states = history(&aws, &id);
    assert_eq!(
        states[states.len() - 2..],
        ["Stage STOPPED", "Pipeline STOPPED"]
    );
}

#[test]
fn stop_and_abandon_ends_at_once_and_the_job_cannot_be_answered() {
    let mut aws = with_pipeline(vec![step("A", 1, "a")]);
    let id = aws.codepipeline.executions[0].id.clone();
    let job = next_job(&mut aws);
    let stop = json!({"pipelineName": PIPELINE, "pipelineExecutionId": id, "abandon": true});
    call(&mut aws, "StopPipelineExecution", &stop).unwrap();

    assert_eq!(status(&aws, &id), ExecutionStatus::Stopped);
    assert_eq!(
        aws.codepipeline
            .execution(&id)
            .unwrap()
            .latest_action("Release", "A")
            .unwrap()
            .status,
        ActionStatus::Abandoned
    );
    let states = history(&aws, &id);
    assert_eq!(
        states[states.len() - 5..],
        [
            "Pipeline STOPPING",
            "Stage STOPPING",
            "Action ABANDONED",
            "Stage STOPPED",
            "Pipeline STOPPED"
        ]
    );

    let error = call(
        &mut aws,
        "PutJobSuccessResult",
        &json!({"jobId": id_of(&job)}),
    )
    .unwrap_err();
    assert_eq!(error.code, "InvalidJobStateException");
}

#[test]
fn a_disabled_transition_holds_executions_back() {
    let mut aws = with_pipeline(vec![step("A", 1, "a")]);
    let disable = |reason: &str| {
        json!({
            "pipelineName": PIPELINE, "stageName": "Release", "transitionType": "Inbound",
            "reason": reason,
        })
    };

    assert_eq!(
        call(&mut aws, "DisableStageTransition", &disable("a: b"))
            .unwrap_err()
            .code,
        "ValidationException"
    );

    call(&mut aws, "DisableStageTransition", &disable("frozen")).unwrap();
    after(&mut aws, 60);
    assert!(aws.lambda.take_ready().is_none());

    let enable =
        json!({"pipelineName": PIPELINE, "stageName": "Release", "transitionType": "Inbound"});
    call(&mut aws, "EnableStageTransition", &enable).unwrap();
    next_job(&mut aws);
}

#[test]
fn updating_a_pipeline_cancels_its_executions() {
    for seed in 0..8 {
        let mut aws = account(seed);
        let definition = json!({"pipeline": declaration(vec![step("A", 1, "a")])});
        call(&mut aws, "CreatePipeline", &definition).unwrap();
        let id = aws.codepipeline.executions[0].id.clone();
        let job = next_job(&mut aws);
        call(&mut aws, "UpdatePipeline", &definition).unwrap();

        // Either the action was abandoned or it may finish first; the execution is cancelled in any
        // case.
        let _ = call(
            &mut aws,
            "PutJobSuccessResult",
            &json!({"jobId": id_of(&job)}),
        );
        assert_eq!(status(&aws, &id), ExecutionStatus::Cancelled);
        assert_eq!(history(&aws, &id).last().unwrap(), "Pipeline CANCELED");
        assert_eq!(aws.codepipeline.pipelines[PIPELINE].lanes[1].occupant, None);
    }
}

#[test]
fn an_approval_waits_for_its_token_for_seven_days() {
    let mut aws = with_pipeline(vec![approval(1)]);
    after(&mut aws, 10);
    let state = call(&mut aws, "GetPipelineState", &json!({"name": PIPELINE})).unwrap();
    let token = state["stageStates"][1]["actionStates"][0]["latestExecution"]["token"].clone();
    let answer = |status: &str, token: &Value| {
        json!({
            "pipelineName": PIPELINE, "stageName": "Release", "actionName": "Approve",
            "token": token,
            "result": {"summary": "looks good", "status": status},
        })
    };
    let wrong = answer("Approved", &json!("01234567-0123-0123-0123-0123456789ab"));

    assert_eq!(
        call(&mut aws, "PutApprovalResult", &wrong)
            .unwrap_err()
            .code,
        "InvalidApprovalTokenException"
    );

    let mut late = aws.clone();
    call(&mut aws, "PutApprovalResult", &answer("Approved", &token)).unwrap();
    assert_eq!(
        aws.codepipeline.executions[0].status,
        ExecutionStatus::Succeeded
    );

    let twice = call(&mut aws, "PutApprovalResult", &answer("Rejected", &token)).unwrap_err();
    assert_eq!(twice.code, "ApprovalAlreadyCompletedException");

    after(&mut late, 7 * 24 * 3600);
    assert_eq!(
        late.codepipeline.executions[0].status,
        ExecutionStatus::Failed
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut aws = with_pipeline(vec![step("A", 1, "a"), step("B", 1, "b")]);
        let job = next_job(&mut aws);
        fail(&mut aws, &job);
        after(&mut aws, 3600);
        format!("{aws:?}")
    };
    assert_eq!(run(), run());
}
