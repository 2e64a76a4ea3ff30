//! Least privilege, both ways: a function's policy in template.yaml allows what the function calls, and nothing that no run of
//! it ever called.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sandbox::aws::Aws;
use sandbox::aws::cloudformation::items;
use sandbox::aws::codepipeline::{self, ActionStatus, Execution};
use sandbox::aws::ecr::{self, Behaviour};
use sandbox::aws::lambda;
use sandbox::driver::{Fault, run};
use sandbox::observer::FUNCTIONS_STACK;
use sandbox::story::{CHAPTERS, WEB, deployed, play};
use serde_json::json;

type Actions = BTreeMap<String, BTreeSet<String>>;

/// What every function's role in template.yaml says, without the policies that SAM adds for logs and the dead-letter queue.
fn allowed(aws: &Aws) -> Actions {
    let mut allowed = Actions::new();
    for function in aws.lambda.functions.values() {
        let role = aws.cloudformation.iam.role_by_arn(&function.role).expect("each function has a role of the stack");
        let statements = role.statements().filter(|statement| statement.get("Sid").is_some());
        let actions = statements.flat_map(|statement| {
            items(&statement["Action"]).iter().map(|action| action.as_str().expect("a word").to_owned())
        });
        allowed.insert(function.code.clone(), actions.collect());
    }
    allowed
}

/// What every function called, as IAM names it.
fn called(aws: &Aws, into: &mut Actions) {
    for call in aws.calls.iter() {
        let Some(function) = aws.lambda.functions.values().find(|function| function.name == call.caller) else {
            continue;
        };
        let actions: &[&str] = match (call.service.as_str(), call.operation.as_str()) {
            // Read with the credentials of the job.
            ("s3", _) => &[],
            // IAM checks the writes that a transaction consists of; ours are puts.
            ("dynamodb", "TransactWriteItems") => &["dynamodb:PutItem"],
            // Registering hands the roles of the definition on and sets its tags.
            ("ecs", "RegisterTaskDefinition") => &["ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"],
            (service, operation) => &[&format!("{service}:{operation}")],
        };
        into.entry(function.code.clone()).or_default().extend(actions.iter().map(|action| (*action).to_owned()));
    }
}

/// A release that a person stops while it rolls out, so that `roll-back` restores it.
fn stopped_release(aws: Aws) -> Aws {
    run(aws, Fault::None, async |driver| {
        let before = driver.world.aws().codepipeline.executions.len();
        ecr::push(&mut driver.world.aws(), WEB, "9.0.0", Behaviour::Healthy).expect("pushed");
        let rolling = |aws: &Aws| {
            let execution = aws.codepipeline.executions.get(before);
            let action = execution.and_then(|execution| execution.latest_action("Release", "update-service"));
            action.is_some_and(|action| action.status == ActionStatus::InProgress && action.external_id.is_some())
        };
        driver.until(Duration::from_secs(3_600), &mut |_| Ok(()), rolling).await.expect("the rollout begins");
        let execution = driver.world.aws().codepipeline.executions[before].id.clone();
        let stop = json!({"pipelineName": format!("slipway-{WEB}"), "pipelineExecutionId": execution, "abandon": true, "reason": "a test"});
        codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &stop).expect("stopped");
        let closed = |aws: &Aws| {
            let record = sandbox::observer::record(aws, &execution);
            let over = aws.codepipeline.executions.iter().all(Execution::is_over);
            over && record.is_some_and(|record| sandbox::observer::text(&record, "outcome") == Some("rolled-back"))
        };
        driver.until(Duration::from_secs(3_600), &mut |_| Ok(()), closed).await.expect("rolled back");
        driver.world.snapshot()
    })
}

/// A job that no step can make sense of, so that each reports a failure.
fn senseless_jobs(aws: Aws) -> Aws {
    run(aws, Fault::None, async |driver| {
        for step in ["begin-release", "register-task-definition", "update-service", "finish-release"] {
            let job = json!({"CodePipeline.job": {"id": "4c5b1b1e-0000-4000-8000-000000000000"}});
            lambda::invoke_async(&mut driver.world.aws(), &format!("{FUNCTIONS_STACK}-{step}"), job).expect("accepted");
        }
        driver.until(Duration::from_secs(5), &mut |_| Ok(()), |_| false).await.expect_err("only the time ends it");
        driver.world.snapshot()
    })
}

#[test]
fn policies_allow_what_is_called_and_no_more() {
    let mut aws = deployed(1).expect("the stacks deploy");
    let mut called_by = Actions::new();
    for chapter in &CHAPTERS {
        aws = play(aws, chapter, Fault::None, &mut |_| {}).expect("the story goes as told").aws;
    }
    aws = senseless_jobs(stopped_release(aws));
    called(&aws, &mut called_by);
    assert!(aws.cloudformation.stack(FUNCTIONS_STACK).is_some());
    for (function, allowed) in allowed(&aws) {
        let called = called_by.remove(&function).unwrap_or_default();
        let missing: Vec<_> = called.difference(&allowed).collect();
        let unused: Vec<_> = allowed.difference(&called).collect();
        assert!(missing.is_empty(), "template.yaml does not allow {function} to call {missing:?}");
        assert!(unused.is_empty(), "template.yaml allows {function} {unused:?}, which it never calls");
        assert!(!allowed.iter().any(|action| action.contains('*')), "{function} has a wildcard action");
    }
    assert!(called_by.is_empty(), "{called_by:?} called without being a function of template.yaml");
}
