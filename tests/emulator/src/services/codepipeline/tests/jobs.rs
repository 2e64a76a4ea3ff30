use super::*;
use crate::Quirk;

#[test]
fn the_event_has_the_documented_members_and_no_execution_id() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let job = next_job(&mut aws);
    let event = &job.payload["CodePipeline.job"];

    assert_eq!(event["accountId"], "111122223333");

    let data = &event["data"];
    assert_eq!(
        data["actionConfiguration"]["configuration"],
        json!({"FunctionName": "step", "UserParameters": "{}"})
    );
    assert_eq!(data["inputArtifacts"][0]["name"], "Spec");
    assert_eq!(
        data["inputArtifacts"][0]["location"]["s3Location"]["bucketName"],
        "artifacts"
    );

    for member in [
        "accessKeyId",
        "secretAccessKey",
        "sessionToken",
        "expirationTime",
    ] {
        assert!(!data["artifactCredentials"][member].is_null(), "{member}");
    }
    assert!(data.get("continuationToken").is_none());
    assert!(
        !job.payload
            .to_string()
            .contains(&aws.codepipeline.executions[0].id)
    );
}

#[test]
fn a_token_completes_the_job_and_brings_a_new_one_within_a_minute() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let first = next_job(&mut aws);
    let details = json!({"summary": "half way", "percentComplete": 50});
    let report =
        json!({"jobId": id_of(&first), "continuationToken": "v1", "executionDetails": details});
    call(&mut aws, "PutJobSuccessResult", &report).unwrap();

    let reported = aws.now;
    let second = next_job(&mut aws);
    assert!((5_000..=62_000).contains(&(aws.now - reported)));
    assert_eq!(
        second.payload["CodePipeline.job"]["data"]["continuationToken"],
        "v1"
    );
    assert_ne!(id_of(&first), id_of(&second));

    let state = call(&mut aws, "GetPipelineState", &json!({"name": PIPELINE})).unwrap();
    let latest = &state["stageStates"][1]["actionStates"][0]["latestExecution"];
    assert_eq!(
        (&latest["summary"], &latest["percentComplete"]),
        (&json!("half way"), &json!(50))
    );

    let again = call(&mut aws, "PutJobSuccessResult", &report).unwrap_err();
    assert_eq!(again.code, "InvalidJobStateException");

    let job = aws.codepipeline.job(&id_of(&first)).unwrap();
    assert_eq!((job.state, job.reports.len()), (JobState::Continued, 2));
}

#[test]
fn output_variables_only_come_without_a_token() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let job = next_job(&mut aws);
    let report =
        json!({"jobId": id_of(&job), "continuationToken": "v1", "outputVariables": {"A": "b"}});

    assert_eq!(
        call(&mut aws, "PutJobSuccessResult", &report)
            .unwrap_err()
            .code,
        "ValidationException"
    );

    let report = json!({"jobId": id_of(&job), "outputVariables": {"no spaces": "b"}});
    let message = call(&mut aws, "PutJobSuccessResult", &report)
        .unwrap_err()
        .message;
    assert!(
        message.ends_with("Member must satisfy regular expression pattern: [A-Za-z0-9@\\-_]+"),
        "{message}"
    );

    let report = json!({"jobId": id_of(&job), "outputVariables": {"A": "x".repeat(122_880)}});
    assert_eq!(
        call(&mut aws, "PutJobSuccessResult", &report)
            .unwrap_err()
            .code,
        "OutputVariablesSizeExceededException"
    );
}

/// The message of the ValidationException for a report.
fn refused(aws: &mut Aws, report: Value) -> String {
    let operation = if report.get("failureDetails").is_some() {
        "PutJobFailureResult"
    } else {
        "PutJobSuccessResult"
    };
    let error = call(aws, operation, &report).unwrap_err();

    assert_eq!(error.code, "ValidationException");

    error.message
}

#[test]
fn limits_are_worded_as_aws_words_them() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let id = id_of(&next_job(&mut aws));
    let message = refused(&mut aws, json!({"jobId": id, "continuationToken": ""}));

    assert_eq!(
        message,
        "1 validation error detected: Value '' at 'continuationToken' failed to satisfy \
         constraint: Member must have length greater than or equal to 1"
    );

    let message = refused(
        &mut aws,
        json!({"jobId": id, "executionDetails": {"summary": "s".repeat(2049)}}),
    );
    assert!(message.ends_with(
        "at 'executionDetails.summary' failed to satisfy constraint: Member must have length less \
        than or equal to 2048"
    ));

    refused(
        &mut aws,
        json!({"jobId": id, "continuationToken": "t".repeat(2049)}),
    );
    refused(
        &mut aws,
        json!({"jobId": id, "failureDetails": {"type": "JobFailed", "message": "m".repeat(5001)}}),
    );
    refused(
        &mut aws,
        json!({"jobId": id, "failureDetails": {"type": "JobFailed", "message": ""}}),
    );

    let message = refused(
        &mut aws,
        json!({"jobId": id, "failureDetails": {"type": "Oops", "message": "m"}}),
    );
    assert!(message.contains("Member must satisfy enum value set: [JobFailed, ConfigurationError"));
    assert_eq!(
        aws.codepipeline.job(&id).unwrap().state,
        JobState::InProgress
    );
}

#[test]
fn an_unknown_job_is_not_found() {
    let report = json!({"jobId": "01234567-0123-0123-0123-0123456789ab"});
    assert_eq!(
        call(&mut account(1), "PutJobSuccessResult", &report)
            .unwrap_err()
            .code,
        "JobNotFoundException"
    );
}

#[test]
fn the_details_of_a_job_name_its_pipeline() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    aws.settle_quirk(Quirk::OmitsPipelineArn, false);
    let id = id_of(&next_job(&mut aws));
    let details = call(&mut aws, "GetJobDetails", &json!({"jobId": id})).unwrap();
    let details = &details["jobDetails"];
    let job = aws.codepipeline.job(&id).unwrap();

    assert_eq!(
        (&details["id"], &details["accountId"]),
        (&json!(id), &json!("111122223333"))
    );
    assert_eq!(
        details["data"]["pipelineContext"],
        json!({
            "pipelineName": PIPELINE,
            "stage": {"name": "Release"},
            "action": {"name": "Go", "actionExecutionId": job.action_execution},
            "pipelineArn": "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web",
            "pipelineExecutionId": job.execution,
        })
    );

    let unknown = json!({"jobId": "01234567-0123-0123-0123-0123456789ab"});
    let error = call(&mut aws, "GetJobDetails", &unknown).unwrap_err();
    assert_eq!(error.code, "JobNotFoundException");
}

#[test]
fn whether_the_details_of_a_job_have_the_pipelines_arn_differs_by_seed() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let given = json!({"jobId": id_of(&next_job(&mut aws))});
    let mut seen = [false; 2];
    for seed in 0..32 {
        aws.reseed(seed);
        let details = call(&mut aws, "GetJobDetails", &given).unwrap();
        let context = &details["jobDetails"]["data"]["pipelineContext"];

        assert_eq!(context["pipelineName"], PIPELINE);
        let has_arn = context["pipelineArn"].is_string();
        assert_eq!(has_arn, context["pipelineExecutionId"].is_string());
        seen[usize::from(has_arn)] = true;
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn twenty_minutes_of_silence_fail_the_action_and_late_answers_are_refused() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let job = next_job(&mut aws);
    let id = aws.codepipeline.executions[0].id.clone();
    after(&mut aws, 19 * 60);

    assert_eq!(status(&aws, &id), ExecutionStatus::InProgress);

    after(&mut aws, 61);
    assert_eq!(status(&aws, &id), ExecutionStatus::Failed);
    assert_eq!(
        aws.codepipeline.job(&id_of(&job)).unwrap().state,
        JobState::TimedOut
    );

    let late = call(
        &mut aws,
        "PutJobSuccessResult",
        &json!({"jobId": id_of(&job)}),
    )
    .unwrap_err();
    assert_eq!(late.code, "InvalidJobStateException");
}

#[test]
fn tokens_keep_an_action_going_for_a_day_at_most() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let id = aws.codepipeline.executions[0].id.clone();
    let started = aws.now;

    while status(&aws, &id) == ExecutionStatus::InProgress {
        let job = next_job(&mut aws);
        after(&mut aws, 15 * 60);

        // The last result may come after the end.
        let _ = call(
            &mut aws,
            "PutJobSuccessResult",
            &json!({"jobId": id_of(&job), "continuationToken": "v1"}),
        );
    }

    let hours = (aws.now - started) as f64 / 3_600_000.0;
    assert!((24.0..24.5).contains(&hours), "{hours}");
}

#[test]
fn variables_are_raw_text_and_reach_later_actions() {
    let parameters = r##"{"x":"#{codepipeline.PipelineExecutionId}","who":"#{variables.who}","v":"#{First.Key}"}"##;
    let mut aws = with_pipeline(vec![step("First", 1, "{}"), step("Second", 2, parameters)]);
    let first = next_job(&mut aws);
    let report = json!({"jobId": id_of(&first), "outputVariables": {"Key": "a\"b"}});
    call(&mut aws, "PutJobSuccessResult", &report).unwrap();
    let second = next_job(&mut aws);
    let id = &aws.codepipeline.executions[0].id;
    let sent = &second.payload["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]
        ["UserParameters"];

    assert_eq!(
        sent,
        &format!(r#"{{"x":"{id}","who":"unknown","v":"a"b"}}"#)
    );
}

#[test]
fn an_unknown_variable_or_too_long_parameters_fail_the_action() {
    let failure = |value: Option<&str>| {
        let mut aws = with_pipeline(vec![
            step("First", 1, "{}"),
            step("Second", 2, "#{First.Key}"),
        ]);
        let first = next_job(&mut aws);
        let outputs = value
            .map(|value| json!({ "Key": value }))
            .unwrap_or(json!({}));
        call(
            &mut aws,
            "PutJobSuccessResult",
            &json!({"jobId": id_of(&first), "outputVariables": outputs}),
        )
        .unwrap();
        after(&mut aws, 10);

        let execution = &aws.codepipeline.executions[0];
        (
            execution.status,
            execution
                .latest_action("Release", "Second")
                .unwrap()
                .error
                .clone(),
        )
    };
    let (status, error) = failure(None);

    assert_eq!(status, ExecutionStatus::Failed);
    assert!(
        error
            .unwrap()
            .message
            .ends_with("could not be resolved: #{First.Key}")
    );

    let (status, error) = failure(Some(&"x".repeat(1001)));
    assert_eq!(status, ExecutionStatus::Failed);
    assert!(error.unwrap().message.contains("1001 characters"));
    assert_eq!(
        failure(Some(&"x".repeat(1000))).0,
        ExecutionStatus::InProgress
    );
}
