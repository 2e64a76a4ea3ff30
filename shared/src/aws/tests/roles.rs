//! Deploy roles: who signs which call, how often the credentials are requested, and what becomes of
//! a role that is refused.

mod not_taken;

use serde_json::{Value, json};

use super::script::{Answer, NOW, Script, Sent, answer, refusal, run, xml, xml_refusal};
use crate::aws::{AwsError, ErrorKind, Executions, Jobs, Ledger, Sdk, TaskDefinitions};
use crate::job::{Failure, JobOutcome, JobReport, StepError};
use crate::release::DeployRole;
use crate::timestamp::Timestamp;

const ROLE: &str = "arn:aws:iam::444455556666:role/deploy";
const PIPELINE: &str = "arn:aws:codepipeline:eu-west-1:111122223333:web";
const DENIAL: &str = "User: arn:aws:sts::111122223333:assumed-role/update/f is not authorized to \
                      perform: sts:AssumeRole on resource: \
                      arn:aws:iam::444455556666:role/deploy";

fn role(pipeline: &str) -> DeployRole {
    DeployRole {
        arn: ROLE.to_owned(),
        external_id: pipeline.to_owned(),
        region: None,
    }
}

/// Credentials of the role that last this many seconds.
fn assumed(secs: i64) -> Answer {
    let ends = Timestamp::from_secs(NOW + secs).expect("in range");
    xml(
        "AssumeRole",
        &format!(
            "<Credentials><AccessKeyId>AKIDROLE</AccessKeyId>\
             <SecretAccessKey>the role's key</SecretAccessKey>\
             <SessionToken>the role's session</SessionToken>\
             <Expiration>{ends}</Expiration></Credentials>"
        ),
    )
}

fn failed_execution() -> Answer {
    answer(&json!({"pipelineExecution": {"status": "Failed"}}))
}

/// Reads the status of an execution, which is a call about the pipeline.
fn status(sdk: &Sdk) -> Result<Option<String>, AwsError> {
    run(Executions::new(sdk).status("web", "e-1"))
}

fn refused(script: &Script) -> AwsError {
    status(&script.sdk().acting_for(&role(PIPELINE))).expect_err("no credentials")
}

/// Whose key signed a request.
fn signer(sent: &Sent) -> &str {
    part_of_scope(sent, 0)
}

/// A part of the scope of a signature: the key, the day, the region, …
fn part_of_scope(sent: &Sent, part: usize) -> &str {
    let signature = sent.header("authorization").expect("signed");
    let (_, credential) = signature.split_once("Credential=").expect("a key");
    credential.split('/').nth(part).expect("a part")
}

#[test]
fn a_role_is_assumed_once_with_its_external_id_for_all_adapters() {
    let script = Script::new([
        assumed(3_600),
        failed_execution(),
        answer(&json!({})),
        failed_execution(),
    ]);
    let own = script.sdk().with_function("slipway-roll-back");
    let acting = own.acting_for(&role(PIPELINE));

    assert_eq!(status(&acting).expect("read").as_deref(), Some("Failed"));
    run(TaskDefinitions::new(&acting).deregister("web:1")).expect("deregistered");
    status(&own.acting_for(&role(PIPELINE))).expect("read");

    let sent = script.sent();
    let signers: Vec<_> = sent.iter().map(signer).collect();
    assert_eq!(
        script.operations(),
        [
            "AssumeRole",
            "GetPipelineExecution",
            "DeregisterTaskDefinition",
            "GetPipelineExecution"
        ]
    );
    assert_eq!(
        signers,
        ["AKIDFUNCTION", "AKIDROLE", "AKIDROLE", "AKIDROLE"]
    );
    assert_eq!(
        sent[1].header("x-amz-security-token"),
        Some("the role's session")
    );

    let form = sent[0].form();
    let member = |name: &str| form.get(name).map(String::as_str);
    assert_eq!(member("RoleArn"), Some(ROLE));
    assert_eq!(member("ExternalId"), Some(PIPELINE));
    assert_eq!(member("RoleSessionName"), Some("slipway-slipway-roll-back"));
    assert_eq!(member("DurationSeconds"), Some("3600"));
}

#[test]
fn calls_for_a_service_elsewhere_go_to_its_region_and_sts_is_that_of_the_function() {
    let script = Script::new([assumed(3_600), failed_execution()]);
    let elsewhere = role(PIPELINE).in_region("eu-central-1");
    status(&script.sdk().acting_for(&elsewhere)).expect("read");

    let sent = script.sent();
    let regions: Vec<_> = sent.iter().map(|sent| part_of_scope(sent, 2)).collect();
    assert_eq!(regions, ["eu-west-1", "eu-central-1"]);
}

#[test]
fn a_session_has_a_name_without_a_function_and_a_short_one_with_a_long_name() {
    let session = |sdk: fn(&Script) -> Sdk| {
        let script = Script::new([assumed(3_600), failed_execution()]);
        status(&sdk(&script).acting_for(&role(PIPELINE))).expect("read");
        script.sent()[0].form().remove("RoleSessionName")
    };

    let found = session(Script::sdk);
    assert_eq!(found.as_deref(), Some("slipway"));
    let found = session(|script| script.sdk().with_function(&"f".repeat(64)));
    assert_eq!(found, Some(format!("slipway-{}", "f".repeat(56))));
}

#[test]
fn jobs_and_the_ledger_keep_the_credentials_of_the_function() {
    let script = Script::new([answer(&json!({})), answer(&json!({}))]);
    let acting = script.sdk().acting_for(&role(PIPELINE));

    run(Ledger::new(&acting).lease("apps", "web")).expect("read");
    let done = JobOutcome::Succeeded {
        report: JobReport::done("done", []),
        token: None,
    };
    let jobs = Jobs::new(&acting, "finish-release");
    run(jobs.report("job-1", done, acting.now())).expect("reported");

    assert_eq!(script.operations(), ["GetItem", "PutJobSuccessResult"]);
    for sent in script.sent() {
        assert_eq!(signer(&sent), "AKIDFUNCTION");
    }
}

#[test]
fn another_role_or_another_external_id_has_credentials_of_its_own() {
    let script = Script::new([
        assumed(3_600),
        failed_execution(),
        assumed(3_600),
        failed_execution(),
    ]);
    let sdk = script.sdk();
    let other = role("arn:aws:codepipeline:eu-west-1:111122223333:api");

    for role in [role(PIPELINE), other.clone()] {
        status(&sdk.acting_for(&role)).expect("read");
    }

    let sent = script.sent();
    assert_eq!(sent[2].form().get("ExternalId"), Some(&other.external_id));
    assert!(script.is_played());
}

#[test]
fn a_session_that_only_reads_has_a_policy_and_credentials_of_its_own() {
    let script = Script::new([
        assumed(3_600),
        failed_execution(),
        assumed(3_600),
        failed_execution(),
        assumed(3_600),
    ]);
    let sdk = script.sdk();
    status(&sdk.acting_for(&role(PIPELINE))).expect("read");
    let reading = sdk.reading_for(&role(PIPELINE));
    status(&reading).expect("read");
    run(reading.prove_role(&role(PIPELINE))).expect("assumed");

    let sent = script.sent();
    let policy = |at: usize| sent[at].form().get("Policy").cloned();
    assert_eq!(policy(0), None);
    assert_eq!(policy(4), policy(2));

    let text = policy(2).expect("a session policy");
    assert!(text.len() <= 2_048, "AssumeRole takes no more");
    let policy: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    let [statement] = policy["Statement"].as_array().expect("a list").as_slice() else {
        panic!("{text}: expected one statement");
    };
    assert_eq!(
        (&statement["Effect"], &statement["Resource"]),
        (&json!("Allow"), &json!("*"))
    );
    for action in statement["Action"].as_array().expect("a list") {
        let (_, verb) = action
            .as_str()
            .and_then(|it| it.split_once(':'))
            .expect("an action");
        let reads = ["Describe", "List", "BatchGet"];
        assert!(reads.iter().any(|it| verb.starts_with(it)), "{action}");
    }
}

#[test]
fn an_acting_sdk_may_act_for_another_role_or_for_none() {
    let script = Script::new([assumed(3_600), failed_execution(), failed_execution()]);
    let sdk = script.sdk();
    let acting = sdk.acting_for(&role("x")).acting_for(&role(PIPELINE));

    assert_eq!(acting.deploy_role(), Some(&role(PIPELINE)));
    assert_eq!(sdk.deploy_role(), None);
    status(&acting).expect("read");
    status(&sdk).expect("read");

    let signers: Vec<_> = script
        .sent()
        .iter()
        .map(signer)
        .map(str::to_owned)
        .collect();
    assert_eq!(signers, ["AKIDFUNCTION", "AKIDROLE", "AKIDFUNCTION"]);
}

#[test]
fn credentials_that_end_within_a_minute_are_requested_again() {
    let requests = |secs: i64| {
        let script = Script::new([
            assumed(secs),
            failed_execution(),
            assumed(3_600),
            failed_execution(),
        ]);
        let acting = script.sdk().acting_for(&role(PIPELINE));
        status(&acting).expect("read");
        drop(status(&acting));

        script.operations()[2].clone()
    };

    assert_eq!(requests(20), "AssumeRole");
    assert_eq!(requests(120), "GetPipelineExecution");
}

#[test]
fn a_refused_role_names_role_caller_external_id_and_trust_policy() {
    let script = Script::new([xml_refusal("AccessDenied", DENIAL)]);
    let error = refused(&script);

    assert_eq!(script.operations(), ["AssumeRole"]);
    assert_eq!(error.operation, "sts:AssumeRole");
    assert_eq!(error.kind, ErrorKind::Permission);
    assert!(error.refuses_role());
    assert!(!error.is_denied(), "the whole role is refused");
    let message = format!(
        "sts:AssumeRole failed: AccessDenied: {DENIAL}; the trust policy of {ROLE} must allow \
         sts:AssumeRole to this user with the external id {PIPELINE}, and the policy of the \
         user's role must allow it on {ROLE}"
    );
    assert_eq!(error.to_string(), message);
    assert_eq!(
        StepError::from(error),
        StepError::Refused(Failure::configuration(format!(
            "{message}; allow it, then retry the release"
        )))
    );
}

#[test]
fn a_refused_role_is_requested_again_by_the_next_call() {
    let script = Script::new([
        xml_refusal("AccessDenied", DENIAL),
        assumed(3_600),
        failed_execution(),
    ]);
    let acting = script.sdk().acting_for(&role(PIPELINE));

    status(&acting).expect_err("denied");
    assert_eq!(status(&acting).expect("read").as_deref(), Some("Failed"));
}

#[test]
fn a_role_is_proven_by_another_request_although_its_credentials_last() {
    let script = Script::new([
        assumed(3_600),
        failed_execution(),
        assumed(3_600),
        xml_refusal("AccessDenied", DENIAL),
    ]);
    let acting = script.sdk().acting_for(&role(PIPELINE));
    status(&acting).expect("read");

    run(acting.prove_role(&role(PIPELINE))).expect("assumed");
    let denied = run(acting.prove_role(&role(PIPELINE))).expect_err("denied");
    assert_eq!(denied.operation, "sts:AssumeRole");
    assert_eq!(denied.kind, ErrorKind::Permission);

    let sent = script.sent();
    assert!(script.is_played());
    assert_eq!(signer(&sent[3]), "AKIDFUNCTION");
    assert_eq!(sent[3].form(), sent[0].form());
}

#[test]
fn a_role_that_sts_does_not_take_is_a_configuration_error() {
    let error = refused(&Script::new([xml_refusal(
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )]));

    assert_eq!(
        StepError::from(error),
        StepError::Refused(Failure::configuration(
            "sts:AssumeRole failed: ValidationError: The requested DurationSeconds exceeds the \
             MaxSessionDuration set for this role."
        ))
    );
}

#[test]
fn a_busy_sts_is_transient() {
    let throttled = Script::always(xml_refusal("Throttling", "Rate exceeded"));
    let error = refused(&throttled);

    assert_eq!(throttled.operations(), ["AssumeRole"; 4]);
    assert_eq!(
        StepError::from(error),
        StepError::Busy("sts:AssumeRole failed: Throttling: Rate exceeded; retrying".to_owned())
    );

    for busy in [Answer::Silence, Answer::Refused, Answer::Broken(503)] {
        let error = refused(&Script::always(busy));
        assert_eq!(error.kind, ErrorKind::Busy, "{error}");
    }
}

#[test]
fn a_response_without_credentials_is_not_understood() {
    let error = refused(&Script::new([xml("AssumeRole", "")]));

    assert_eq!(
        (error.operation, error.kind, error.message.as_str()),
        ("sts:AssumeRole", ErrorKind::Unexpected, "no credentials")
    );
}

#[test]
fn a_call_that_the_role_does_not_allow_names_the_role() {
    let message = "User: arn:aws:sts::444455556666:assumed-role/deploy/slipway is not authorized \
                   to perform: codepipeline:GetPipelineExecution on resource: web";
    let script = Script::new([assumed(3_600), refusal("AccessDeniedException", message)]);

    let error = refused(&script);
    assert!(!error.refuses_role());
    assert!(error.is_denied());
    let StepError::Refused(failure) = StepError::from(error) else {
        panic!("refused")
    };
    assert!(
        failure.message.ends_with(
            "; allow codepipeline:GetPipelineExecution in role deploy, then retry the release"
        ),
        "{failure}"
    );
}

#[test]
fn no_secret_of_a_role_is_in_debug_output() {
    let script = Script::new([assumed(3_600), failed_execution()]);
    let acting = script.sdk().acting_for(&role(PIPELINE));
    status(&acting).expect("read");

    let shown = format!("{acting:?} {:?}", Executions::new(&acting));
    for secret in ["the role's key", "the role's session", "the function's key"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
