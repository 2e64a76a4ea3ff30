//! A dry run under a deploy role, which is proven by assuming it: also beside an open release, and
//! not by hand.

use emulator::Aws;
use harness::demo::WEB;
use harness::driver::{Fault, run};
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};

use super::bench::*;
use super::dry_run::executed;
use behaviour::{failure, jobs, newest, only_check, push, released};

const PIPELINE: &str = "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web";
const OTHER: &str = "arn:aws:codepipeline:eu-west-1:111122223333:slipway-other";

/// Name and ARN of the role of a function.
fn role_of(aws: &Aws, function: &str) -> (String, String) {
    let function = &aws.lambda.functions[&format!("{FUNCTIONS_STACK}-{function}")];
    let name = function.role.rsplit('/').next().expect("a name");
    (name.to_owned(), function.role.clone())
}

/// Allows an action of everything to a role.
fn allow(aws: &mut Aws, role: &str, action: &str) {
    let role = aws.cloudformation.iam.role_mut(role).expect("a role");
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    role.policies.insert("of the test".to_owned(), document);
}

/// Makes a role that no release of the test uses the deploy role of a pipeline; returns its name
/// and ARN.
fn become_deploy_role(aws: &mut Aws, pipeline: &str) -> (String, String) {
    let (caller, caller_arn) = role_of(aws, "begin-release");
    let (name, arn) = role_of(aws, "evaluate-canary");
    allow(aws, &caller, "codepipeline:GetJobDetails");
    allow(aws, &name, "*");

    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");
    role.trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": caller_arn},
        "Condition": {"StringEquals": {"sts:ExternalId": pipeline}},
    }]});
    (name, arn)
}

#[test]
fn a_deploy_role_is_assumed_beside_a_release_that_has_none() {
    for (pipeline, is_own) in [(PIPELINE, true), (OTHER, false)] {
        run(released(), Fault::None, async |driver| {
            begun(&driver, json!({})).await;
            let known = driver.world.snapshot().codepipeline.executions.len();
            let (name, arn) = become_deploy_role(&mut driver.world.aws(), pipeline);
            let more = json!({"deploy_role": arn});
            only_check(&mut driver.world.aws(), "slipway-web", more);
            push(&driver, WEB, "2.0.0");
            let aws = executed(&driver, known).await;

            let execution = newest(&aws, "slipway-web");
            let job = jobs(&aws, &execution.id, "begin-release")[0];
            if is_own {
                assert_eq!(failure(job), None);
            } else {
                let (kind, message) = failure(job).expect("it failed");
                assert_eq!(kind, "ConfigurationError");
                let start = "1 of 7 checks of the dry run are NG: role: role (release): \
                             sts:AssumeRole failed: AccessDenied: ";
                assert!(message.starts_with(start), "{message}");
            }
            let reads = (name, "ecs:DescribeServices".to_owned());
            assert_eq!(aws.iam.demanded.contains(&reads), is_own);
        });
    }
}

#[test]
fn a_deploy_role_is_refused_by_hand() {
    run(released(), Fault::None, async |driver| {
        let (_, arn) = become_deploy_role(&mut driver.world.aws(), PIPELINE);
        let more = json!({"strategy": "rolling", "dry_run": true, "deploy_role": arn});
        let answer = look(&driver, "begin-release", more).await;

        let why = "but the invocation is not a job of CodePipeline";
        fails(
            &answer,
            "ConfigurationError",
            &["`deploy_role` is `arn:", why],
        );
        assert_eq!(
            (lease(&driver), record(&driver)),
            (Value::Null, Value::Null)
        );
    });
}
