//! The pipeline for which a release begins under a requested role, and the execution for which one
//! begins or goes on.

use super::*;
use crate::step::RequestedRole;

/// The release of a step that requests a role.
struct Requesting(RequestedRole);

/// A step that reports under which external id it acts, and in which region.
struct Beginning(Sdk);

impl FoundRelease for Requesting {
    fn deploy_role(&self) -> Option<&DeployRole> {
        None
    }

    fn requested_role(&self) -> Option<&RequestedRole> {
        Some(&self.0)
    }
}

impl Step for Beginning {
    const NAME: &'static str = "update-service";
    type Parameters = Parameters;
    type Found = Requesting;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self(sdk.clone())
    }

    async fn find_release(&self, _: &Job<Parameters>) -> Result<Requesting, StepError> {
        Ok(Requesting(RequestedRole {
            arn: role().arn,
            region: Some("eu-central-1".to_owned()),
            by_hand: None,
        }))
    }

    async fn step(&self, _: &Job<Parameters>, _: Requesting) -> StepResult {
        let role = self.0.deploy_role().expect("it acts under the role");
        let report = JobReport::done(role.external_id.clone(), []);
        Ok(report.with_external_id(role.region.as_deref()))
    }
}

#[test]
fn a_release_begins_for_the_pipeline_that_codepipeline_states_whatever_a_token_names() {
    let token = Token::new("update-service", at(-60)).of_pipeline(Some(OTHER.to_owned()));
    let script = Script::new([details_of(PIPELINE), answer(&json!({}))]);
    let event = event(&parameters().to_string(), Some(&token.text()));
    let runner = Runner::new(Beginning(script.sdk()), &script.sdk());
    run(runner.handle(event)).expect("reported");

    assert_eq!(
        script.operations(),
        ["GetJobDetails", "PutJobSuccessResult"]
    );
    let summary = &script.sent()[1].json()["executionDetails"]["summary"];
    assert_eq!(*summary, PIPELINE);
}

/// What a step of e-1 reports and calls whose job is of the role's pipeline and of `execution`.
fn of_execution<S: Step>(execution: &str, step: impl FnOnce(&Script) -> S) -> (Value, Vec<String>) {
    let context = json!({"pipelineArn": PIPELINE, "pipelineExecutionId": execution});
    let details = json!({"jobDetails": {"id": "job-1", "data": {"pipelineContext": context}}});
    let none = || answer(&json!({}));
    let script = Script::new([answer(&details), none(), none(), none()]);
    let step = step(&script);
    let event = event(&parameters().to_string(), None);
    run(Runner::new(step, &script.sdk()).handle(event)).expect("reported");

    let operations = script.operations();
    let last = operations.len() - 1;
    (script.sent()[last].json(), operations)
}

#[test]
fn no_release_begins_or_goes_on_by_a_job_of_another_execution() {
    let begun = of_execution("e-2", |script| Beginning(script.sdk()));
    let continued = of_execution("e-2", |script| Acting {
        role: Some(role()),
        sdk: script.sdk(),
        fails: false,
    });
    let message = "`execution` is e-1, but the job is of execution e-2; expected the job's own \
                   execution, #{codepipeline.PipelineExecutionId}";
    for (sent, operations) in [begun, continued] {
        // The lease and the record are read, and nothing is recorded in them.
        let expected = ["GetJobDetails", "GetItem", "GetItem", "PutJobFailureResult"];
        assert_eq!(operations, expected);
        assert_eq!(
            sent["failureDetails"],
            json!({"type": "ConfigurationError", "message": message})
        );
    }

    let (_, operations) = of_execution("e-1", |script| Beginning(script.sdk()));
    assert_eq!(operations, ["GetJobDetails", "PutJobSuccessResult"]);
}

#[test]
fn a_release_begins_in_the_region_for_which_its_role_is_requested() {
    let (sent, _) = of_execution("e-1", |script| Beginning(script.sdk()));
    assert_eq!(
        sent["executionDetails"]["externalExecutionId"],
        "eu-central-1"
    );
}
