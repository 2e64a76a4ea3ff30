//! Under which role a step acts: that of its claim, which it makes with the function's own.

use super::*;
use crate::release::StatedPipeline;

/// A claim under a role, or under none.
struct Claimed(Option<DeployRole>);

/// A step that reports the role under which it acts, or fails with it.
struct Acting {
    role: Option<DeployRole>,
    sdk: Sdk,
    fails: bool,
}

impl Claim for Claimed {
    fn deploy_role(&self) -> Option<&DeployRole> {
        self.0.as_ref()
    }
}

impl Step for Acting {
    const NAME: &'static str = "update-service";
    type Parameters = Parameters;
    type Claim = Claimed;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self {
            role: self.role.clone(),
            sdk: sdk.clone(),
            fails: self.fails,
        }
    }

    async fn claim(&self, _: &Job<Parameters>) -> Result<Claimed, StepError> {
        assert_eq!(self.sdk.deploy_role(), None);
        Ok(Claimed(self.role.clone()))
    }

    async fn step(&self, _: &Job<Parameters>, claim: Claimed) -> StepResult {
        assert_eq!(self.sdk.deploy_role(), claim.deploy_role());
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

fn role() -> DeployRole {
    DeployRole {
        arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
    }
}

#[test]
fn a_step_acts_and_records_its_failure_under_the_role_of_its_claim() {
    for role in [None, Some(role())] {
        for (fails, operation) in [
            (false, "PutJobSuccessResult"),
            (true, "PutJobFailureResult"),
        ] {
            let script = Script::new([answer(&json!({}))]);
            let role = role.clone();
            let sdk = script.sdk();
            let step = Acting { role, sdk, fails };
            let event = event(&parameters().to_string(), None);
            run(Runner::new(step, &script.sdk()).handle(event)).expect("reported");

            assert_eq!(script.operations(), [operation]);
        }
    }
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

/// The pipeline of a job with these details.
fn pipeline(details: &Value) -> (StatedPipeline, Script) {
    let script = Script::new([answer(&json!({"jobDetails": details}))]);
    let found = run(Jobs::new(&script.sdk(), "begin-release").pipeline("job-1"));
    (found.expect("read"), script)
}

#[test]
fn the_pipeline_of_a_job_is_read_as_codepipeline_states_it() {
    let arn = "arn:aws:codepipeline:eu-west-1:111122223333:web";
    let context = json!({
        "pipelineName": "web", "stage": {"name": "Release"}, "pipelineArn": arn,
        "action": {"name": "begin-release"}, "pipelineExecutionId": "e-1",
    });
    let details = json!({
        "id": "job-1", "accountId": "111122223333", "data": {"pipelineContext": context},
    });
    let (found, script) = pipeline(&details);

    let expected = StatedPipeline {
        arn: Some(arn.to_owned()),
        account: Some("111122223333".to_owned()),
        region: Some("eu-west-1".to_owned()),
        name: Some("web".to_owned()),
    };
    assert_eq!(found, expected);
    assert_eq!(script.only().operation(), "GetJobDetails");
    assert_eq!(script.only().json(), json!({"jobId": "job-1"}));

    let (found, _) = pipeline(&json!({"id": "job-1"}));
    let bare = StatedPipeline {
        arn: None,
        account: None,
        name: None,
        ..expected
    };
    assert_eq!(found, bare);
}
