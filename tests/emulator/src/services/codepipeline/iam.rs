//! CodePipeline: pipelines, their stages and their actions have ARNs, jobs have none.

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
        "GetJobDetails" | "PutJobSuccessResult" | "PutJobFailureResult" | "ListPipelines" => {
            Demand::anywhere(request.action())
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
