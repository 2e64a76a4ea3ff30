//! Pipelines as operators see them: what is declared, where an execution is, and the answers to it.

use serde_json::json;

use super::script::{Script, answer, at, refusal, run};
use crate::aws::Pipelines;
use crate::observed::pipeline::{ActionNow, ActionRun, Approval, DeclaredAction, StageNow};

#[test]
fn the_actions_of_a_pipeline_are_read_in_their_order() {
    let action = |name: &str, category: &str, provider: &str| {
        json!({
            "name": name, "configuration": {"RepositoryName": "web"},
            "actionTypeId": {
                "category": category, "owner": "AWS", "provider": provider, "version": "1",
            },
        })
    };
    let script = Script::new([answer(&json!({"pipeline": {
        "name": "slipway-web", "roleArn": "arn:aws:iam::111122223333:role/web", "stages": [
            {"name": "Source", "actions": [action("Image", "Source", "ECR")]},
            {"name": "Release", "actions": [action("begin-release", "Invoke", "Lambda")]},
        ],
    }}))]);
    let expected = |stage: &str, name: &str, provider: &str| DeclaredAction {
        stage: stage.to_owned(),
        name: name.to_owned(),
        provider: provider.to_owned(),
        configuration: [("RepositoryName".to_owned(), "web".to_owned())].into(),
    };

    let declared = run(Pipelines::new(&script.sdk()).declared("slipway-web"));
    assert_eq!(
        declared.expect("answered"),
        Some(vec![
            expected("Source", "Image", "ECR"),
            expected("Release", "begin-release", "Lambda"),
        ])
    );

    let script = Script::new([refusal("PipelineNotFoundException", "no")]);
    let declared = run(Pipelines::new(&script.sdk()).declared("web"));
    assert_eq!(declared.expect("answered"), None);
}

#[test]
fn the_names_of_pipelines_are_read_to_the_last_page() {
    let script = Script::new([
        answer(
            &json!({"pipelines": [{"name": "slipway-web"}, {"name": "build"}],
            "nextToken": "more"}),
        ),
        answer(&json!({"pipelines": [{"name": "slipway-shop"}]})),
    ]);
    let names = run(Pipelines::new(&script.sdk()).names());
    assert_eq!(
        names.expect("answered"),
        ["slipway-web", "build", "slipway-shop"]
    );
    let sent = script.sent();
    assert_eq!(sent[0].operation(), "ListPipelines");
    assert_eq!(sent[1].json(), json!({"nextToken": "more"}));
}

#[test]
fn the_stages_of_a_pipeline_show_what_is_in_them_and_what_waits() {
    let script = Script::new([answer(
        &json!({"pipelineName": "slipway-web", "stageStates": [
            {
                "stageName": "Release",
                "latestExecution": {"pipelineExecutionId": "e-1", "status": "InProgress"},
                "inboundExecutions": [{"pipelineExecutionId": "e-2", "status": "InProgress"}],
                "inboundTransitionState": {"enabled": false, "disabledReason": "e-0 failed"},
                "actionStates": [
                    {"actionName": "approve", "latestExecution": {
                        "status": "InProgress", "token": "t-1", "summary": "look", "percentComplete": 5,
                    }},
                    {"actionName": "fill"},
                ],
            },
        ]}),
    )]);
    let text = |text: &str| Some(text.to_owned());

    let stages = run(Pipelines::new(&script.sdk()).stages("slipway-web"));
    let expected = StageNow {
        name: "Release".to_owned(),
        execution: text("e-1"),
        inbound: vec!["e-2".to_owned()],
        disabled: text("e-0 failed"),
        actions: vec![
            ActionNow {
                name: "approve".to_owned(),
                status: text("InProgress"),
                summary: text("look"),
                percent: Some(5),
                token: text("t-1"),
            },
            ActionNow {
                name: "fill".to_owned(),
                status: None,
                summary: None,
                percent: None,
                token: None,
            },
        ],
    };
    assert_eq!(stages.expect("answered"), [expected]);
}

#[test]
fn the_runs_of_an_execution_are_read_to_the_last_page_the_oldest_first() {
    let detail = |name: &str, status: &str, result: serde_json::Value| {
        json!({
            "stageName": "Release", "actionName": name, "status": status,
            "startTime": 1_767_603_600, "lastUpdateTime": 1_767_603_600,
            "output": {"executionResult": result},
        })
    };
    let failed = json!({"errorDetails": {"code": "JobFailed", "message": "unhealthy"},
        "externalExecutionSummary": "half"});
    let script = Script::new([
        answer(&json!({
            "actionExecutionDetails": [detail("update-service", "Failed", failed)],
            "nextToken": "more",
        })),
        answer(&json!({"actionExecutionDetails": [
            detail("begin-release", "InProgress", json!({"externalExecutionSummary": "free"})),
        ]})),
    ]);
    let run_of = |name: &str, status: &str, ended: bool, message: &str| ActionRun {
        stage: "Release".to_owned(),
        name: name.to_owned(),
        status: status.to_owned(),
        started_at: Some(at(0)),
        ended_at: ended.then(|| at(0)),
        message: Some(message.to_owned()),
    };

    let runs = run(Pipelines::new(&script.sdk()).runs("slipway-web", "e-1"));
    assert_eq!(
        runs.expect("answered"),
        [
            run_of("begin-release", "InProgress", false, "free"),
            run_of("update-service", "Failed", true, "unhealthy"),
        ]
    );
}

#[test]
fn an_execution_is_stopped_at_once_and_an_approval_is_answered_with_its_token() {
    let script = Script::new([answer(&json!({"pipelineExecutionId": "e-1"}))]);
    run(Pipelines::new(&script.sdk()).stop("slipway-web", "e-1", "doubts")).expect("stopped");
    assert_eq!(script.only().operation(), "StopPipelineExecution");
    assert_eq!(
        script.only().json(),
        json!({
            "pipelineName": "slipway-web", "pipelineExecutionId": "e-1", "abandon": true,
            "reason": "doubts",
        })
    );

    let approval = Approval {
        execution: "e-1".to_owned(),
        stage: "Release".to_owned(),
        action: "approve".to_owned(),
        token: "t-1".to_owned(),
    };
    for (approved, status) in [(true, "Approved"), (false, "Rejected")] {
        let script = Script::new([answer(&json!({}))]);
        let pipelines = Pipelines::new(&script.sdk());
        run(pipelines.answer("slipway-web", &approval, approved, "seen")).expect("answered");
        assert_eq!(script.only().operation(), "PutApprovalResult");
        assert_eq!(
            script.only().json(),
            json!({
                "pipelineName": "slipway-web", "stageName": "Release", "actionName": "approve",
                "token": "t-1", "result": {"status": status, "summary": "seen"},
            })
        );
    }
}
