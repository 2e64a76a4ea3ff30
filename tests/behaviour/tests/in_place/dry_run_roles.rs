//! A dry run under a deploy role, which is proven by assuming it: also beside an open release, and
//! not by hand.

use harness::demo::WEB;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use super::dry_run::executed;
use behaviour::{deploy_role, failure, jobs, newest, only_check, push, released};

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
            let reads = (name, "ecs:DescribeServices".to_owned());
            assert_eq!(aws.iam.demanded.contains(&reads), is_own);
        });
    }
}

#[test]
fn a_deploy_role_is_refused_by_hand() {
    run(released(), Fault::None, async |driver| {
        let (_, arn) = deploy_role(&mut driver.world.aws(), "begin-release", PIPELINE);
        let more = json!({"strategy": "rolling", "dry_run": true, "deploy_role": arn});
        let free = lease(&driver);
        let answer = look(&driver, "begin-release", more).await;

        let why = "but the invocation is not a job of CodePipeline";
        fails(
            &answer,
            "ConfigurationError",
            &["`deploy_role` is `arn:", why],
        );
        assert_eq!((lease(&driver), record(&driver)), (free, Value::Null));
    });
}
