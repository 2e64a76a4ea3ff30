//! What started an execution, and who.

use super::*;
use crate::iam::{Principal, Session};

const ROLE: &str = "arn:aws:iam::111122223333:role/slipway/start";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/start/slipway-start-pipeline";

/// The trigger of the newest execution: described, listed and in its event it is the same.
fn trigger(aws: &mut Aws) -> Value {
    let id = aws.codepipeline.executions.last().unwrap().id.clone();
    let named = json!({"pipelineName": PIPELINE, "pipelineExecutionId": id});
    let described = call(aws, "GetPipelineExecution", &named).unwrap();
    let trigger = described["pipelineExecution"]["trigger"].clone();

    let all = json!({"pipelineName": PIPELINE});
    let listed = call(aws, "ListPipelineExecutions", &all).unwrap();
    assert_eq!(listed["pipelineExecutionSummaries"][0]["trigger"], trigger);

    let mut details = aws.events.events.iter().map(|event| &event["detail"]);
    let started = details.find(|detail| {
        detail["execution-id"] == id.as_str() && detail["execution-trigger"].is_object()
    });
    let announced = &started.unwrap()["execution-trigger"];
    assert_eq!(announced["trigger-type"], trigger["triggerType"]);
    assert_eq!(announced["trigger-detail"], trigger["triggerDetail"]);
    trigger
}

#[test]
fn an_execution_names_the_session_or_the_user_that_started_it() {
    let mut aws = account(3);
    let by_session = |aws: &mut Aws, operation: &str, input: &Value| {
        let session = Session::of(ROLE, "slipway-start-pipeline");
        aws.iam.principal = Principal::Session(session);
        call(aws, operation, input).unwrap();
        aws.iam.principal = Principal::default();
    };

    let created = json!({"pipeline": declaration(vec![step("Go", 1, "{}")])});
    by_session(&mut aws, "CreatePipeline", &created);
    assert_eq!(
        trigger(&mut aws),
        json!({"triggerType": "CreatePipeline", "triggerDetail": SESSION})
    );

    let started = json!({"name": PIPELINE});
    by_session(&mut aws, "StartPipelineExecution", &started);
    assert_eq!(
        trigger(&mut aws),
        json!({"triggerType": "StartPipelineExecution", "triggerDetail": SESSION})
    );

    start(&mut aws);
    assert_eq!(
        trigger(&mut aws)["triggerDetail"],
        "arn:aws:iam::111122223333:user/operator"
    );
}

/// No document has the rate: one is set here.
#[test]
fn starts_beyond_the_rate_of_the_account_are_throttled() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    aws.quotas.starts = Some(crate::Rate {
        burst: 2,
        per_second: 1,
    });
    let before = aws.codepipeline.executions.len();
    let starts = |aws: &mut Aws| {
        let input = json!({"name": PIPELINE});
        let answers = (0..3).map(|_| call(aws, "StartPipelineExecution", &input));
        answers.collect::<Result<Vec<_>, _>>().unwrap_err()
    };
    let refused = starts(&mut aws);
    assert_eq!(refused.to_string(), "ThrottlingException: Rate exceeded");
    assert_eq!(aws.codepipeline.executions.len(), before + 2);

    aws.now += 1_000;
    starts(&mut aws);
    assert_eq!(aws.codepipeline.executions.len(), before + 3);
}
