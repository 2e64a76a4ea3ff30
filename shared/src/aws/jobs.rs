//! Reports to CodePipeline: every job is answered once, and an answer that came before is respected.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::{
    ExecutionDetails, FailureDetails, FailureType as SdkFailureType,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{AwsError, Sdk};
use crate::job::{
    self, Failure, FailureType, Job, JobEvent, PipelineJob, Report, StepError, StepResult, Token,
    clipped,
};
use crate::limits::{ACTION_TOTAL, EXTERNAL_ID_CHARS, FAILURE_MESSAGE_CHARS, SUMMARY_CHARS};
use crate::timestamp::{Timestamp, readable};

/// An invocation that ends with an error is retried by Lambda.
pub type Retry = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone, Debug)]
pub struct Jobs {
    sdk: Sdk,
    client: Client,
    step: &'static str,
}

/// What a job comes to, in the form that both ways of answering share. A token says that it goes on.
enum Answer {
    Succeeded {
        report: Report,
        token: Option<String>,
    },
    Failed(Failure),
}

impl Jobs {
    /// Jobs of the step `step`, the function's name.
    #[must_use]
    pub fn new(sdk: &Sdk, step: &'static str) -> Self {
        Self {
            sdk: sdk.clone(),
            client: Client::new(&sdk.config),
            step,
        }
    }

    /// The time now, in the middle of a job.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.sdk.now()
    }

    /// Runs `work` for one event and reports what it answers: to CodePipeline for a pipeline's job, in the response for a
    /// person's invocation.
    ///
    /// # Errors
    /// When the event is no job, or the report did not reach CodePipeline: Lambda then delivers the event again.
    pub async fn settle<S, F>(&self, event: Value, work: F) -> Result<Value, Retry>
    where
        S: DeserializeOwned,
        F: AsyncFnOnce(Job<S>) -> StepResult,
    {
        match JobEvent::parse(&event)? {
            JobEvent::Direct { parameters, token } => {
                let text = parameters.to_string();
                let job = PipelineJob {
                    id: String::new(),
                    user_parameters: Some(text),
                    token,
                    artifacts: Vec::new(),
                    credentials: None,
                };
                Ok(respond(self.run(job, work).await))
            }
            JobEvent::Pipeline(job) => {
                let id = job.id.clone();
                let answer = self.run(job, work).await;
                self.report(&id, answer).await?;
                Ok(Value::Null)
            }
        }
    }

    async fn run<S, F>(&self, event: PipelineJob, work: F) -> Answer
    where
        S: DeserializeOwned,
        F: AsyncFnOnce(Job<S>) -> StepResult,
    {
        let now = self.sdk.now();
        let token = event
            .token
            .as_deref()
            .map(|text| Token::parse(text, self.step))
            .transpose();
        let (spec, token) = match (
            job::parse_parameters(event.user_parameters.as_deref()),
            token,
        ) {
            (Ok(spec), Ok(token)) => (spec, token.unwrap_or_else(|| Token::new(self.step, now))),
            (Err(failure), _) | (_, Err(failure)) => return Answer::Failed(failure),
        };
        let (
            since,
            PipelineJob {
                artifacts,
                credentials,
                ..
            },
        ) = (token.since, event);
        // Boxed: the SDK's futures are deep, and their layouts would exceed the compiler's recursion limit.
        let job = Job {
            spec,
            since,
            now,
            payload: token.payload.clone(),
            artifacts,
            credentials,
        };
        let (report, payload) = match Box::pin(work(job)).await {
            Ok(report @ Report::Done { .. }) => {
                return Answer::Succeeded {
                    report,
                    token: None,
                };
            }
            Err(StepError::Failed(failure)) => return Answer::Failed(failure),
            Ok(Report::Going {
                summary,
                percent,
                external_id,
                payload,
            }) => (
                Report::Going {
                    summary,
                    percent,
                    external_id,
                    payload: None,
                },
                payload,
            ),
            // Nothing was learned, so the next job gets what this one got.
            Err(StepError::Busy(why)) => (Report::going(why, 0), token.payload.clone()),
        };
        if now.since(since) >= ACTION_TOTAL {
            let (Report::Going { summary, .. } | Report::Done { summary, .. }) = report;
            return Answer::Failed(Failure::job(format!(
                "still going after {}, and an action ends after 24 hours; last: {summary}",
                readable(now.since(since))
            )));
        }
        Answer::Succeeded {
            report,
            token: Some(token.with_payload(payload).text()),
        }
    }

    async fn report(&self, id: &str, answer: Answer) -> Result<(), AwsError> {
        let sent = match answer {
            Answer::Failed(failure) => self.fail(id, &failure).await,
            Answer::Succeeded { report, token } => self.succeed(id, report, token).await,
        };
        match sent {
            // Another delivery of this job was faster, or the execution was stopped: its answer stands.
            Err(error)
                if ["InvalidJobStateException", "JobNotFoundException"]
                    .contains(&error.code.as_str()) =>
            {
                tracing::info!(job = id, code = error.code, "the job is answered already");
                Ok(())
            }
            other => other,
        }
    }

    async fn succeed(
        &self,
        id: &str,
        report: Report,
        token: Option<String>,
    ) -> Result<(), AwsError> {
        let (summary, outputs, percent, external_id) = match report {
            Report::Done {
                summary,
                outputs,
                external_id,
            } => (summary, outputs, 100, external_id),
            Report::Going {
                summary,
                percent,
                external_id,
                ..
            } => (summary, Default::default(), percent, external_id),
        };
        tracing::info!(
            job = id,
            step = self.step,
            percent,
            going = token.is_some(),
            summary
        );
        let details = ExecutionDetails::builder()
            .summary(clipped(&summary, SUMMARY_CHARS))
            .percent_complete(i32::from(percent))
            .set_external_execution_id(external_id.map(|id| clipped(&id, EXTERNAL_ID_CHARS)));
        let outputs = token.is_none().then(|| outputs.into_iter().collect());
        let request = self
            .client
            .put_job_success_result()
            .job_id(id)
            .execution_details(details.build());
        let request = request
            .set_continuation_token(token)
            .set_output_variables(outputs);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("codepipeline:PutJobSuccessResult"))
    }

    async fn fail(&self, id: &str, failure: &Failure) -> Result<(), AwsError> {
        const OPERATION: &str = "codepipeline:PutJobFailureResult";
        tracing::warn!(job = id, step = self.step, kind = ?failure.kind, message = failure.message, "failed");
        let kind = match failure.kind {
            FailureType::JobFailed => SdkFailureType::JobFailed,
            FailureType::ConfigurationError => SdkFailureType::ConfigurationError,
            FailureType::PermissionError => SdkFailureType::PermissionError,
            FailureType::RevisionUnavailable => SdkFailureType::RevisionUnavailable,
        };
        let details = FailureDetails::builder()
            .r#type(kind)
            .message(clipped(&failure.message, FAILURE_MESSAGE_CHARS))
            .build();
        let details = details.map_err(|e| AwsError::unexpected(OPERATION, e.to_string()))?;
        let request = self
            .client
            .put_job_failure_result()
            .job_id(id)
            .failure_details(details);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk(OPERATION))
    }
}

/// The response to a person's invocation; a going one is continued by sending the token back beside the parameters.
fn respond(answer: Answer) -> Value {
    match answer {
        Answer::Succeeded {
            report:
                Report::Done {
                    summary,
                    outputs,
                    external_id,
                },
            ..
        } => {
            json!({"status": "done", "summary": summary, "outputVariables": outputs, "externalExecutionId": external_id})
        }
        Answer::Succeeded {
            report:
                Report::Going {
                    summary,
                    percent,
                    external_id,
                    ..
                },
            token,
        } => {
            json!({"status": "going", "summary": summary, "percentComplete": percent, "externalExecutionId": external_id, "continuationToken": token})
        }
        Answer::Failed(failure) => {
            json!({"status": "failed", "type": failure.kind, "message": failure.message})
        }
    }
}
