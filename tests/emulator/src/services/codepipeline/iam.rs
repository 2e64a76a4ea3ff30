//! CodePipeline: pipelines, their stages and their actions have ARNs, jobs have none.

use crate::Aws;
use crate::iam::{Asked, Demand, pass_role};

pub(super) fn demands(aws: &mut Aws, asked: &Asked) -> Option<Vec<Demand>> {
    let pipeline = |name: &str| aws.arn("codepipeline", name);
    let stage = || format!("{}/{}", asked.text("pipelineName"), asked.text("stageName"));

    Some(vec![match asked.operation.as_str() {
        "PutJobSuccessResult" | "PutJobFailureResult" | "ListPipelines" => {
            Demand::anywhere(asked.action())
        }
        "GetPipeline" | "GetPipelineState" | "StartPipelineExecution" | "DeletePipeline" => {
            asked.on(pipeline(asked.text("name")))
        }
        "StopPipelineExecution"
        | "GetPipelineExecution"
        | "ListPipelineExecutions"
        | "ListActionExecutions" => asked.on(pipeline(asked.text("pipelineName"))),
        "RetryStageExecution" | "EnableStageTransition" | "DisableStageTransition" => {
            asked.on(pipeline(&stage()))
        }
        "PutApprovalResult" => asked.on(pipeline(&format!(
            "{}/{}",
            stage(),
            asked.text("actionName")
        ))),
        "CreatePipeline" | "UpdatePipeline" => {
            let given = &asked.input["pipeline"];
            let role = given["roleArn"].as_str().unwrap_or_default();
            return Some(vec![
                asked.on(pipeline(given["name"].as_str().unwrap_or_default())),
                pass_role(aws, role, "codepipeline.amazonaws.com"),
            ]);
        }
        _ => return None,
    }])
}
