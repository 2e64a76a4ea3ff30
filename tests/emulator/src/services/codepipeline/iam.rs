//! CodePipeline: pipelines, their stages and their actions have ARNs, jobs have none.

use serde_json::Value;

use crate::Aws;
use crate::iam::{Demand, IamRequest, pass_role};

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let pipeline = |name: &str| aws.arn("codepipeline", name);
    let stage = || {
        format!(
            "{}/{}",
            request.text("pipelineName"),
            request.text("stageName")
        )
    };

    Some(vec![match request.operation.as_str() {
        "AcknowledgeJob"
        | "GetJobDetails"
        | "ListActionTypes"
        | "ListPipelines"
        | "PutJobFailureResult"
        | "PutJobSuccessResult" => Demand::anywhere(request.action()),
        "PollForJobs" => request.on(action_type(aws, &request.input["actionTypeId"])),
        "CreateCustomActionType" | "DeleteCustomActionType" => {
            request.on(action_type(aws, &request.input))
        }
        "GetPipeline" | "GetPipelineState" | "StartPipelineExecution" | "DeletePipeline" => {
            request.on(pipeline(request.text("name")))
        }
        "StopPipelineExecution"
        | "GetPipelineExecution"
        | "ListPipelineExecutions"
        | "ListActionExecutions" => request.on(pipeline(request.text("pipelineName"))),
        "RetryStageExecution" | "EnableStageTransition" | "DisableStageTransition" => {
            request.on(pipeline(&stage()))
        }
        "PutApprovalResult" => request.on(pipeline(&format!(
            "{}/{}",
            stage(),
            request.text("actionName")
        ))),
        "CreatePipeline" | "UpdatePipeline" => {
            let given = &request.input["pipeline"];
            let role = given["roleArn"].as_str().unwrap_or_default();
            return Some(vec![
                request.on(pipeline(given["name"].as_str().unwrap_or_default())),
                pass_role(aws, role, "codepipeline.amazonaws.com"),
            ]);
        }
        _ => return None,
    }])
}

/// The ARN of an action type; the operations that make and delete one are about custom ones.
fn action_type(aws: &Aws, id: &Value) -> String {
    let part = |member: &str| id[member].as_str().unwrap_or_default();
    let owner = id["owner"].as_str().unwrap_or("Custom");
    let [category, provider, version] = ["category", "provider", "version"].map(part);
    let name = format!("actiontype:{owner}/{category}/{provider}/{version}");
    aws.arn("codepipeline", &name)
}
