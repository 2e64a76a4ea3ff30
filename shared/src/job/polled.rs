//! The job of a custom action, and the event that invokes a step with it: that of a Lambda invoke
//! action, so that no step knows the difference.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::action_type::{ActionType, ActionTypeId, FURTHER};
use super::envelope::{Artifact, CUSTOM};
use super::{Failure, clipped};
use crate::json;
use crate::limits::PROPERTY_VALUE_CHARS;

/// A job that was polled.
#[derive(Clone, Debug)]
pub struct PolledJob {
    pub id: String,
    /// Acknowledges the job.
    pub nonce: String,
    pub account: Option<String>,
    pub of_type: ActionTypeId,
    /// The properties of the action, with variables substituted.
    pub configuration: BTreeMap<String, String>,
    pub pipeline: Option<String>,
    pub execution: Option<String>,
    pub token: Option<String>,
    pub artifacts: Vec<Artifact>,
}

/// What an acknowledgement of a job has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// The job belongs to this worker.
    Taken,
    /// It belongs to another one, or its action has ended.
    Lost,
    /// CodePipeline may have taken the acknowledgement, and its response did not arrive.
    InDoubt,
}

/// The invocation of a step.
#[derive(Debug)]
pub struct StepInvocation {
    pub step: &'static str,
    pub event: Value,
}

impl PolledJob {
    /// The invocation of the job's step. What cannot be read of the job is a refusal in the event,
    /// which the step reports as its failure: Lambda repeats an invocation that could not.
    ///
    /// # Errors
    /// A ConfigurationError if no step has such a type.
    pub fn invocation(&self) -> Result<StepInvocation, Failure> {
        let of_provider = ActionType::of_provider(&self.of_type.provider);
        let step = of_provider.ok_or_else(|| self.unknown_type())?.step;
        let event = match self.read() {
            Ok(parameters) => self.event(step, &Value::Object(parameters)),
            Err(refusal) => {
                let mut event = self.event(step, &self.release());
                event["CodePipeline.job"]["refusal"] = json!(refusal);
                event
            }
        };
        Ok(StepInvocation { step, event })
    }

    /// The parameters of the step, or a ConfigurationError that names the property, what was found
    /// and what is expected, or the type that these functions do not know.
    fn read(&self) -> Result<Map<String, Value>, Failure> {
        let of_type = ActionType::named(&self.of_type).ok_or_else(|| self.unknown_type())?;
        self.parameters(of_type).map_err(|message| {
            let remedy = "correct the configuration of this action in the pipeline";
            Failure::configuration(format!("{message}; {remedy}"))
        })
    }

    /// The parameters that name the release, which keeps why the job was refused.
    fn release(&self) -> Value {
        let property = |name: &str| self.configuration.get(name);
        json!({
            "pipeline": self.pipeline, "execution": self.execution,
            "cluster": property("cluster"), "service": property("service"),
        })
    }

    /// The parameters of the step: what the job states, then the properties.
    fn parameters(&self, of_type: &ActionType) -> Result<Map<String, Value>, String> {
        let stated = |what: &str, found: &Option<String>| {
            found.clone().ok_or_else(|| {
                format!("the job has no {what}; expected one in its pipelineContext")
            })
        };
        let mut parameters = Map::from_iter([
            (
                "pipeline".to_owned(),
                stated("pipelineName", &self.pipeline)?.into(),
            ),
            (
                "execution".to_owned(),
                stated("pipelineExecutionId", &self.execution)?.into(),
            ),
        ]);

        let names = of_type.names();
        for (name, text) in &self.configuration {
            if !names.contains(name) {
                return Err(format!(
                    "unknown property `{name}`, expected one of {}",
                    quoted(&names)
                ));
            }
            if let Some(kind) = of_type.kind(name) {
                let value = kind.value(text);
                let value = value.map_err(|why| format!("`{name}`: {why}"))?;
                parameters.insert(name.clone(), value);
            }
        }
        self.add_further(&mut parameters, &names)?;
        Ok(parameters)
    }

    /// Adds the parameters that have no property of their own. Those that have one are refused: one
    /// of two values would be lost.
    fn add_further(
        &self,
        parameters: &mut Map<String, Value>,
        names: &[String],
    ) -> Result<(), String> {
        let Some(text) = self.configuration.get(FURTHER) else {
            return Ok(());
        };
        let further = json::parse(text.as_bytes(), "expected a JSON object")
            .map_err(|why| format!("`{FURTHER}`: {why}"))?;
        let Value::Object(further) = further else {
            let found = json::kind(&further);
            return Err(format!(
                "`{FURTHER}`: found {found}; expected a JSON object"
            ));
        };

        for (name, value) in further {
            if names.contains(&name) || parameters.contains_key(&name) {
                return Err(format!(
                    "`{FURTHER}` has `{name}`; expected only parameters without a property of \
                     their own, and neither `pipeline` nor `execution`, which the job states"
                ));
            }
            parameters.insert(name, value);
        }
        Ok(())
    }

    fn event(&self, step: &str, parameters: &Value) -> Value {
        let artifact = |artifact: &Artifact| {
            json!({
                "name": artifact.name,
                "location": {
                    "type": "S3",
                    "s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.key},
                },
            })
        };
        let ActionTypeId {
            category,
            provider,
            version,
        } = &self.of_type;
        let mut data = json!({
            "actionTypeId": {
                "category": category, "owner": CUSTOM, "provider": provider, "version": version,
            },
            "actionConfiguration": {
                "configuration": {"FunctionName": step, "UserParameters": parameters.to_string()},
            },
            "inputArtifacts": self.artifacts.iter().map(artifact).collect::<Vec<_>>(),
            "outputArtifacts": [],
        });
        if let Some(token) = &self.token {
            data["continuationToken"] = json!(token);
        }
        json!({"CodePipeline.job": {"id": self.id, "accountId": self.account, "data": data}})
    }

    fn unknown_type(&self) -> Failure {
        let ActionTypeId {
            category,
            provider,
            version,
        } = &self.of_type;
        let provider = clipped(provider, PROPERTY_VALUE_CHARS);
        Failure::configuration(format!(
            "the action type is {category} {provider} version {version}, which these functions do \
             not know; update their stack, or use a version of infra/action-types.yaml that they \
             know"
        ))
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{
        ActionKind, FailureType, JobEvent, PipelineJob, ReleaseRef, parse_parameters, parse_release,
    };
    use serde::Deserialize;

    /// A job of `update-service` with these properties besides the common ones.
    fn job(more: &[(&str, &str)]) -> PolledJob {
        let common = [("cluster", "apps"), ("service", "web")];
        let properties = common.iter().chain(more);
        PolledJob {
            id: "job-1".to_owned(),
            nonce: "1".to_owned(),
            account: Some("111122223333".to_owned()),
            of_type: ActionTypeId {
                category: "Deploy".to_owned(),
                provider: "slipway-update-service".to_owned(),
                version: "1".to_owned(),
            },
            configuration: properties
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            pipeline: Some("slipway-web".to_owned()),
            execution: Some("e-1".to_owned()),
            token: Some("token".to_owned()),
            artifacts: vec![Artifact {
                name: "Config".to_owned(),
                bucket: "bucket".to_owned(),
                key: "key".to_owned(),
            }],
        }
    }

    /// The job as its step reads it.
    fn read(job: &PolledJob) -> PipelineJob {
        let invocation = job.invocation().expect("a step");
        assert_eq!(invocation.step, "update-service");
        match JobEvent::parse(&invocation.event) {
            Ok(JobEvent::Pipeline(read)) => read,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(job: &PolledJob) -> String {
        let failure = read(job).refusal.expect("refused");
        assert_eq!(failure.kind, FailureType::ConfigurationError);
        failure.message
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct StepParameters {
        strategy: String,
        deadline_minutes: u32,
        initial_count: u32,
    }

    #[test]
    fn a_step_reads_the_event_as_that_of_a_lambda_invoke_action() {
        let properties = [
            ("strategy", "rolling"),
            ("deadline_minutes", "25"),
            ("parameters", r#"{"initial_count":2}"#),
        ];
        let read = read(&job(&properties));
        assert_eq!(
            (read.id.as_str(), read.token.as_deref(), read.kind),
            ("job-1", Some("token"), ActionKind::Custom)
        );
        assert_eq!(read.refusal, None);
        assert_eq!(read.artifacts, job(&[]).artifacts);
        assert!(read.credentials.is_none(), "a queue would have them");

        let (release, own) =
            parse_parameters::<StepParameters>(read.user_parameters.as_deref()).expect("complete");
        assert_eq!(
            (release.pipeline.as_str(), release.execution.as_str()),
            ("slipway-web", "e-1")
        );
        assert_eq!(
            (release.cluster.as_str(), release.service.as_str()),
            ("apps", "web")
        );
        assert_eq!(
            own,
            StepParameters {
                strategy: "rolling".to_owned(),
                deadline_minutes: 25,
                initial_count: 2
            }
        );
    }

    #[test]
    fn a_wrong_property_is_refused_by_its_name() {
        let remedy = "; correct the configuration of this action in the pipeline";
        assert_eq!(
            refusal(&job(&[("deadline_minutes", "soon")])),
            format!("`deadline_minutes`: found `soon`; expected a number{remedy}")
        );
        let unknown = refusal(&job(&[("dedline_minutes", "25")]));
        assert!(
            unknown.starts_with(
                "unknown property `dedline_minutes`, expected one of `cluster`, `service`, "
            ),
            "{unknown}"
        );

        for (text, expected) in [
            ("[]", "`parameters`: found an array; expected a JSON object"),
            ("{", "`parameters`: not JSON: "),
            (r#"{"strategy":"rolling"}"#, "`parameters` has `strategy`; "),
            (r#"{"execution":"e-2"}"#, "`parameters` has `execution`; "),
        ] {
            let found = refusal(&job(&[("parameters", text)]));
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn a_job_without_an_execution_or_of_an_unknown_version_is_refused_with_the_reason() {
        let nowhere = PolledJob {
            execution: None,
            ..job(&[])
        };
        assert!(refusal(&nowhere).starts_with("the job has no pipelineExecutionId; "));

        let mut newer = job(&[]);
        newer.of_type.version = "7".to_owned();
        let found = refusal(&newer);
        assert!(
            found.starts_with("the action type is Deploy slipway-update-service version 7, which "),
            "{found}"
        );

        // No step could report it.
        newer.of_type.provider = "slipway-none".to_owned();
        let failure = newer.invocation().expect_err("no step");
        assert!(
            failure.message.contains("Deploy slipway-none version 7"),
            "{failure}"
        );
    }

    #[test]
    fn a_refused_job_names_its_release_which_keeps_the_reason() {
        let refused = read(&job(&[("deadline_minutes", "soon")]));
        let release = parse_release(refused.user_parameters.as_deref());
        let expected = ReleaseRef::new("slipway-web", "e-1", "apps", "web");
        assert_eq!(release, Some(expected));
    }
}
