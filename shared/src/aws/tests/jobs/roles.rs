//! Under which role a step acts: that of its release, which it finds with the function's own
//! credentials, and only for a release of its job's pipeline.

use super::super::script::xml;
use super::*;
use crate::job::Token;
use crate::release::{StatedJob, StatedPipeline};

mod requested;

const PIPELINE: &str = "arn:aws:codepipeline:eu-west-1:111122223333:web";
const OTHER: &str = "arn:aws:codepipeline:eu-west-1:111122223333:api";

/// A release under a role, or under none.
struct UnderRole(Option<DeployRole>);

/// A step that reports the role under which it acts, or fails with it.
struct Acting {
    role: Option<DeployRole>,
    sdk: Sdk,
    fails: bool,
}

impl FoundRelease for UnderRole {
    fn deploy_role(&self) -> Option<&DeployRole> {
        self.0.as_ref()
    }
}

impl Step for Acting {
    const NAME: &'static str = "update-service";
    type Parameters = Parameters;
    type Found = UnderRole;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self {
            role: self.role.clone(),
            sdk: sdk.clone(),
            fails: self.fails,
        }
    }

    async fn find_release(&self, _: &Job<Parameters>) -> Result<UnderRole, StepError> {
        assert_eq!(self.sdk.deploy_role(), None);
        Ok(UnderRole(self.role.clone()))
    }

    async fn step(&self, _: &Job<Parameters>, found: UnderRole) -> StepResult {
        assert_eq!(self.sdk.deploy_role(), found.deploy_role());
        if self.fails {
            return Err(Failure::job("unhealthy").into());
        }
        Ok(JobReport::done("done", []))
    }

    async fn record_failure(
        &self,
        _: &Ledger,
        _: &Job<Parameters>,
        result: StepResult,
    ) -> StepResult {
        assert_eq!(self.sdk.deploy_role(), self.role.as_ref());
        result
    }
}

/// A step under the role that is always in progress.
struct Waiting(Sdk);

impl Step for Waiting {
    const NAME: &'static str = "update-service";
    type Parameters = Parameters;
    type Found = UnderRole;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self(sdk.clone())
    }

    async fn find_release(&self, _: &Job<Parameters>) -> Result<UnderRole, StepError> {
        Ok(UnderRole(Some(role())))
    }

    async fn step(&self, _: &Job<Parameters>, _: UnderRole) -> StepResult {
        assert_eq!(self.0.deploy_role(), Some(&role()));
        Ok(JobReport::in_progress("looking", 5))
    }
}

fn role() -> DeployRole {
    DeployRole {
        arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
        external_id: PIPELINE.to_owned(),
        region: None,
    }
}

/// Details of a job of this pipeline.
fn details_of(pipeline: &str) -> Answer {
    let context = json!({"pipelineArn": pipeline});
    answer(&json!({"jobDetails": {"id": "job-1", "data": {"pipelineContext": context}}}))
}

/// The record of an execution that was started under the role.
fn of_web() -> Answer {
    answer(&json!({"Item": {
        "pk": {"S": "execution#e-1"}, "sk": {"S": "record"}, "v": {"N": "1"},
        "execution": {"S": "e-1"}, "pipeline": {"S": "slipway-web"}, "state": {"S": "started"},
        "started_at": {"S": "2026-01-05T08:57:00Z"},
        "deploy_role": {"M": {"arn": {"S": role().arn}, "external_id": {"S": PIPELINE}}}
    }}))
}

/// What an invocation sends whose step acts under a role, or fails.
fn acted(role: Option<DeployRole>, fails: bool, event: Value, answers: Vec<Answer>) -> Script {
    let script = Script::new(answers);
    let sdk = script.sdk();
    let step = Acting { role, sdk, fails };
    run(Runner::new(step, &script.sdk()).handle(event)).expect("reported");
    assert!(script.is_played());
    script
}

#[test]
fn a_step_acts_and_records_its_failure_under_the_role_of_its_claim() {
    for (fails, operation) in [
        (false, "PutJobSuccessResult"),
        (true, "PutJobFailureResult"),
    ] {
        let event = || event(&parameters().to_string(), None);
        let reported = || answer(&json!({}));
        let without = acted(None, fails, event(), vec![reported()]);
        assert_eq!(without.operations(), [operation]);

        let known = vec![details_of(PIPELINE), reported()];
        let under_role = acted(Some(role()), fails, event(), known);
        assert_eq!(under_role.operations(), ["GetJobDetails", operation]);
    }
}

/// A release under a role of a step that only reads, or of one that changes something.
struct Reading(DeployRole, bool);

/// A step that makes a call under the role of its release.
struct Calling {
    sdk: Sdk,
    reads: bool,
}

impl FoundRelease for Reading {
    fn deploy_role(&self) -> Option<&DeployRole> {
        Some(&self.0)
    }

    fn only_reads(&self) -> bool {
        self.1
    }
}

impl Step for Calling {
    const NAME: &'static str = "update-service";
    type Parameters = Parameters;
    type Found = Reading;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            reads: self.reads,
        }
    }

    async fn find_release(&self, _: &Job<Parameters>) -> Result<Reading, StepError> {
        Ok(Reading(role(), self.reads))
    }

    async fn step(&self, _: &Job<Parameters>, found: Reading) -> StepResult {
        self.sdk.prove_role(&found.0).await?;
        Ok(JobReport::done("done", []))
    }
}

#[test]
fn a_step_that_only_reads_has_sessions_that_can_do_nothing_else() {
    for reads in [true, false] {
        let script = Script::new([
            details_of(PIPELINE),
            xml(
                "AssumeRole",
                "<Credentials><AccessKeyId>AKIDROLE</AccessKeyId>\
                 <SecretAccessKey>a key</SecretAccessKey><SessionToken>a token</SessionToken>\
                 <Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>",
            ),
            answer(&json!({})),
        ]);
        let sdk = script.sdk();
        let event = event(&parameters().to_string(), None);
        let runner = Runner::new(Calling { sdk, reads }, &script.sdk());
        run(runner.handle(event)).expect("reported");

        assert_eq!(
            script.operations(),
            ["GetJobDetails", "AssumeRole", "PutJobSuccessResult"]
        );
        let form = script.sent()[1].form();
        assert_eq!(form.contains_key("Policy"), reads, "{form:?}");
    }
}

#[test]
fn a_step_acts_for_a_release_of_its_jobs_pipeline_only_and_fails_no_other() {
    let event = event(&parameters().to_string(), None);
    let none = || answer(&json!({}));
    let script = Script::new([details_of(OTHER), none(), of_web(), none()]);
    let step = Acting {
        role: Some(role()),
        sdk: script.sdk(),
        fails: true,
    };
    run(Runner::new(step, &script.sdk()).handle(event)).expect("reported");

    let expected = ["GetJobDetails", "GetItem", "GetItem", "PutJobFailureResult"];
    assert_eq!(script.operations(), expected);
    let message = format!(
        "`execution` is e-1, whose release is of pipeline {PIPELINE}, but the job is of pipeline \
         {OTHER}; expected the job's own execution, #{{codepipeline.PipelineExecutionId}}"
    );
    assert_eq!(
        script.sent()[3].json()["failureDetails"],
        json!({"type": "ConfigurationError", "message": message})
    );
}

#[test]
fn the_pipeline_of_an_action_is_read_by_one_of_its_jobs() {
    let script = Script::new([details_of(PIPELINE), answer(&json!({}))]);
    let step = Waiting(script.sdk());
    let first = event(&parameters().to_string(), None);
    run(Runner::new(step, &script.sdk()).handle(first)).expect("reported");
    assert_eq!(
        script.operations(),
        ["GetJobDetails", "PutJobSuccessResult"]
    );

    let sent = script.sent()[1].json();
    let token = sent["continuationToken"].as_str().expect("a token");
    let known = Token::new("update-service", at(0)).of_pipeline(Some(PIPELINE.to_owned()));
    assert_eq!(token, known.text());

    for (pipeline, operation) in [
        (PIPELINE, "PutJobSuccessResult"),
        (OTHER, "PutJobFailureResult"),
    ] {
        let token = Token::new("update-service", at(0)).of_pipeline(Some(pipeline.to_owned()));
        let later = event(&parameters().to_string(), Some(&token.text()));
        let reads = if pipeline == PIPELINE { 0 } else { 3 };
        let script = Script::new((0..=reads).map(|_| answer(&json!({}))));
        let step = Waiting(script.sdk());
        run(Runner::new(step, &script.sdk()).handle(later)).expect("reported");

        let operations = script.operations();
        assert_eq!(operations.len(), reads + 1, "{operations:?}");
        assert_eq!(operations.last().map(String::as_str), Some(operation));
        assert!(!operations.contains(&"GetJobDetails".to_owned()));
    }
}

#[test]
fn an_operator_continues_the_release_of_every_pipeline() {
    let script = Script::new([]);
    let direct = json!({"parameters": parameters()});
    let step = Waiting(script.sdk());
    let response = run(Runner::new(step, &script.sdk()).handle(direct)).expect("answered");
    assert_eq!(response["status"], "in-progress");
    assert_eq!(script.operations(), Vec::<String>::new());
}

#[test]
fn a_job_whose_pipeline_cannot_be_read_fails_no_release_and_looks_again() {
    let unknown = refusal("JobNotFoundException", "no such job");
    let none = || answer(&json!({}));
    let script = Script::new([unknown, none(), none(), of_web(), none()]);
    let step = Waiting(script.sdk());
    let event = event(&parameters().to_string(), None);
    run(Runner::new(step, &script.sdk()).handle(event)).expect("reported");

    assert_eq!(
        script.operations(),
        [
            "GetJobDetails",
            "GetItem",
            "GetItem",
            "GetItem",
            "PutJobSuccessResult"
        ]
    );
    assert_eq!(
        script.sent()[4].json()["executionDetails"]["summary"],
        "codepipeline:GetJobDetails failed: JobNotFoundException: no such job; looking again"
    );
}

#[test]
fn a_step_knows_the_id_of_a_job_and_none_of_a_direct_invocation() {
    let script = Script::new([answer(&json!({}))]);
    let event = event(&parameters().to_string(), None);
    let handled = handle(&script, event, async |job| {
        assert_eq!(job.id.as_deref(), Some("job-1"));
        Ok(JobReport::done("done", []))
    });
    handled.expect("reported");

    let direct = json!({"parameters": parameters()});
    let handled = handle(&Script::new([]), direct, async |job| {
        assert_eq!(job.id, None);
        Ok(JobReport::done("done", []))
    });
    handled.expect("answered");
}

/// What is read of a job with these details.
fn stated(details: &Value) -> (StatedJob, Script) {
    let script = Script::new([answer(&json!({"jobDetails": details}))]);
    let found = run(Jobs::new(&script.sdk(), "begin-release").stated("job-1"));
    (found.expect("read"), script)
}

#[test]
fn the_pipeline_and_the_execution_of_a_job_are_read_as_codepipeline_states_them() {
    let context = json!({
        "pipelineName": "web", "stage": {"name": "Release"}, "pipelineArn": PIPELINE,
        "action": {"name": "begin-release"}, "pipelineExecutionId": "e-1",
    });
    let details = json!({
        "id": "job-1", "accountId": "111122223333", "data": {"pipelineContext": context},
    });
    let (found, script) = stated(&details);

    let pipeline = StatedPipeline {
        arn: Some(PIPELINE.to_owned()),
        account: Some("111122223333".to_owned()),
        region: Some("eu-west-1".to_owned()),
        name: Some("web".to_owned()),
    };
    let expected = StatedJob {
        pipeline: pipeline.clone(),
        execution: Some("e-1".to_owned()),
    };
    assert_eq!(found, expected);
    assert_eq!(script.only().operation(), "GetJobDetails");
    assert_eq!(script.only().json(), json!({"jobId": "job-1"}));

    let (found, _) = stated(&json!({"id": "job-1"}));
    let bare = StatedPipeline {
        arn: None,
        account: None,
        name: None,
        ..pipeline
    };
    assert_eq!((found.pipeline, found.execution), (bare, None));
}
