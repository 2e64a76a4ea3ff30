//! Jobs: what a step receives, and how each of its results is reported, once.

mod budget;
mod direct;
mod failures;
mod looks;
mod reports;
mod roles;

use std::cell::Cell;

use serde::Deserialize;
use serde_json::{Value, json};

use super::script::{Answer, Script, answer, at, refusal, run};
use crate::aws::{Jobs, Ledger, Retry, Sdk};
use crate::job::{Failure, FailureType, Job, JobReport, StepError, StepResult};
use crate::release::DeployRole;
use crate::step::{FoundRelease, Runner, Step};

#[derive(Debug, Deserialize)]
struct Parameters {
    text: String,
}

/// A step that acts without a release.
impl FoundRelease for () {
    fn deploy_role(&self) -> Option<&DeployRole> {
        None
    }
}

/// A step whose result a test gives.
struct Scripted<F>(Cell<Option<F>>);

impl<F: AsyncFnOnce(&Job<Parameters>) -> StepResult> Step for Scripted<F> {
    const NAME: &'static str = "update-service";
    type Parameters = Parameters;
    type Found = ();

    fn acting_as(&self, _: &Sdk) -> Self {
        Self(Cell::new(self.0.take()))
    }

    async fn find_release(&self, _: &Job<Parameters>) -> Result<(), StepError> {
        Ok(())
    }

    async fn step(&self, job: &Job<Parameters>, _: ()) -> StepResult {
        let work = self.0.take().expect("a step runs once a job");
        work(job).await
    }

    async fn record_failure(
        &self,
        _: &Ledger,
        _: &Job<Parameters>,
        result: StepResult,
    ) -> StepResult {
        result
    }
}

/// The parameters of every job here.
fn parameters() -> Value {
    json!({
        "pipeline": "slipway-web", "execution": "e-1", "cluster": "apps", "service": "web",
        "text": "own",
    })
}

/// A job of CodePipeline with these parameters and this token.
fn event(parameters: &str, token: Option<&str>) -> Value {
    json!({"CodePipeline.job": {"id": "job-1", "data": {
        "actionConfiguration": {"configuration": {"UserParameters": parameters}},
        "continuationToken": token,
        "inputArtifacts": [
            {"name": "Config", "location": {"s3Location": {"bucketName": "b", "objectKey": "k"}}}
        ],
        "artifactCredentials": {"accessKeyId": "a", "secretAccessKey": "s", "sessionToken": "t"}
    }}})
}

fn token(secs_ago: i64, payload: Option<Value>) -> String {
    let token = crate::job::Token::new("update-service", at(-secs_ago)).with_payload(payload);
    token.text()
}

fn handle(
    script: &Script,
    event: Value,
    work: impl AsyncFnOnce(&Job<Parameters>) -> StepResult,
) -> Result<Value, Retry> {
    let step = Scripted(Cell::new(Some(work)));
    run(Runner::new(step, &script.sdk()).handle(event))
}

/// Runs a step that returns `result`, and returns what was sent to CodePipeline.
fn reported(token: Option<&str>, result: StepResult) -> (String, Value) {
    let script = Script::new([answer(&json!({}))]);
    let handled = handle(
        &script,
        event(&parameters().to_string(), token),
        async |_| result,
    );

    assert_eq!(handled.expect("reported"), Value::Null);

    (script.only().operation(), script.only().json())
}
