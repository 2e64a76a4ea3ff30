//! A dry run under a deploy role, which is proven by assuming it: also beside an open release, and
//! by hand with sessions that can only read. A release by hand has no deploy role.

use std::sync::{Arc, Mutex};

use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use super::dry_run::executed;
use behaviour::{deploy_role, failure, invoke_deployed, jobs, newest, only_check, push, released};

const PIPELINE: &str = "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web";
const OTHER: &str = "arn:aws:codepipeline:eu-west-1:111122223333:slipway-other";

#[test]
fn a_deploy_role_is_assumed_beside_a_release_that_has_none() {
    for (pipeline, is_own) in [(PIPELINE, true), (OTHER, false)] {
        run(released(), Fault::None, async |driver| {
            begun(&driver, json!({})).await;
            let known = driver.world.snapshot().codepipeline.executions.len();
            let (name, arn) = deploy_role(&mut driver.world.aws(), "begin-release", pipeline);
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
            let reads = aws.iam.has_demanded(&name, "ecs:DescribeServices");
            assert_eq!(reads, is_own);
        });
    }
}

#[test]
fn a_dry_run_whose_deploy_role_is_refused_leaves_no_record() {
    for (role, why) in [
        // Its claim fails.
        ("deploy", "`deploy_role` is `deploy`; expected "),
        // What it requests leaves the pipeline unread.
        (
            "arn:aws:iam::444455556666:role/deploy",
            "`pipeline_role` is missing and `deploy_role` is arn:aws:iam::444455556666:role/deploy",
        ),
    ] {
        run(released(), Fault::None, async |driver| {
            let more = json!({"deploy_role": role});
            only_check(&mut driver.world.aws(), "slipway-web", more);
            let before = driver.world.snapshot();
            push(&driver, WEB, "2.0.0");
            let aws = executed(&driver, before.codepipeline.executions.len()).await;

            let execution = newest(&aws, "slipway-web");
            let job = jobs(&aws, &execution.id, "begin-release")[0];
            let (kind, message) = failure(job).expect("it failed");
            assert_eq!(kind, "ConfigurationError");
            assert!(message.starts_with(why), "{message}");
            let written = operations(&driver, before.calls.len(), "begin-release");
            assert_eq!(written, Vec::<String>::new());
        });
    }
}

/// The requests for sessions of roles that a dry run by hand makes, for a pipeline that it names.
async fn requests(driver: &Driver, pipeline: &str, role: &str) -> (Value, Vec<String>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    driver.world.witnessed_by({
        let sent = Arc::clone(&sent);
        move |_, request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            if body.starts_with("Action=AssumeRole&") {
                sent.lock().expect("one thread").push(body);
            }
        }
    });
    let parameters = json!({
        "pipeline": pipeline, "execution": JANE, "cluster": CLUSTER, "service": WEB,
        "strategy": "rolling", "dry_run": true, "deploy_role": role,
    });
    let event = json!({ "parameters": parameters });
    let answer = invoke_deployed(driver, "begin-release", event).await;

    let sent = sent.lock().expect("one thread").clone();
    (answer.expect("an answer"), sent)
}

#[test]
fn a_dry_run_by_hand_has_sessions_that_can_only_read() {
    run(released(), Fault::None, async |driver| {
        let role = {
            let known = driver.world.aws();
            let role = known.cloudformation.export("web-pipeline-DeployRoleArn");
            role.expect("the stack exports it").to_owned()
        };

        let (answer, sent) = requests(&driver, "slipway-web", &role).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert!(!sent.is_empty(), "the role is assumed");
        for request in sent {
            assert!(request.contains("&Policy=%7B"), "{request}");
        }

        let (answer, _) = requests(&driver, "slipway-other", &role).await;
        let start = "1 of 7 checks of the dry run are NG: role: role (release): sts:AssumeRole";
        fails(&answer, "ConfigurationError", &[start, "slipway-other"]);
    });
}

#[test]
fn a_deploy_role_is_refused_by_hand() {
    run(released(), Fault::None, async |driver| {
        let (_, arn) = deploy_role(&mut driver.world.aws(), "begin-release", PIPELINE);
        let more = json!({"strategy": "rolling", "deploy_role": arn});
        let free = lease(&driver);
        let answer = look(&driver, "begin-release", more).await;

        let why = "but the invocation is not a job of CodePipeline";
        fails(
            &answer,
            "ConfigurationError",
            &["`deploy_role` is `arn:", why],
        );
        assert_eq!(lease(&driver), free);
        assert_eq!(record(&driver)["reason"], answer["message"]);
    });
}
