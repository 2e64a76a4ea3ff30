//! Pipelines as operators look at them and act on them: what is declared, where an execution is,
//! how it is stopped, and how an approval is answered.

use std::sync::Arc;

use aws_sdk_codepipeline::types::{
    ActionExecutionDetail, ActionExecutionFilter, ActionState, ApprovalResult, ApprovalStatus,
    StageState,
};

use super::clients::Clients;
use super::pages::Pages;
use super::tasks::instant;
use super::transitions::{disabled_reason, stage_states};
use super::{AwsError, Sdk};
use crate::observed::pipeline::{ActionNow, ActionRun, Approval, DeclaredAction, StageNow};
use crate::redaction::without_signatures;

#[derive(Clone, Debug)]
pub struct Pipelines {
    clients: Arc<Clients>,
}

impl Pipelines {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The actions of a pipeline in their order, or `None` if there is no such pipeline.
    ///
    /// # Errors
    /// If the call fails or returns no pipeline.
    pub async fn declared(&self, pipeline: &str) -> Result<Option<Vec<DeclaredAction>>, AwsError> {
        const OPERATION: &str = "codepipeline:GetPipeline";

        let request = self.clients.codepipeline().get_pipeline().name(pipeline);
        let found = match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
            Ok(found) => found,
            Err(error) if error.code == "PipelineNotFoundException" => return Ok(None),
            Err(error) => return Err(error),
        };
        let declaration = found
            .pipeline()
            .ok_or_else(|| AwsError::unexpected(OPERATION, "no pipeline"))?;

        let mut actions = Vec::new();
        for stage in declaration.stages() {
            for action in stage.actions() {
                let kind = action.action_type_id();
                actions.push(DeclaredAction {
                    stage: stage.name().to_owned(),
                    name: action.name().to_owned(),
                    provider: kind.map_or_else(String::new, |kind| kind.provider().to_owned()),
                    configuration: action.configuration().cloned().unwrap_or_default(),
                });
            }
        }
        Ok(Some(actions))
    }

    /// The names of all pipelines of the account in the region.
    ///
    /// # Errors
    /// If a call fails, or there are too many.
    pub async fn names(&self) -> Result<Vec<String>, AwsError> {
        const OPERATION: &str = "codepipeline:ListPipelines";

        let mut names = Vec::new();
        let mut pages = Pages::new(OPERATION);
        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .codepipeline()
                .list_pipelines()
                .set_next_token(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;
            let listed = page.pipelines().iter().filter_map(|it| it.name());
            names.extend(listed.map(ToOwned::to_owned));
            pages.go_on(page.next_token);
        }
        Ok(names)
    }

    /// The stages of a pipeline with what is in them.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn stages(&self, pipeline: &str) -> Result<Vec<StageNow>, AwsError> {
        let stages = stage_states(&self.clients, pipeline).await?;
        Ok(stages.iter().map(stage_now).collect())
    }

    /// The actions that an execution has run so far, the oldest first.
    ///
    /// # Errors
    /// If a call fails, or there are too many.
    pub async fn runs(&self, pipeline: &str, execution: &str) -> Result<Vec<ActionRun>, AwsError> {
        const OPERATION: &str = "codepipeline:ListActionExecutions";

        let filter = ActionExecutionFilter::builder()
            .pipeline_execution_id(execution)
            .build();
        let mut runs = Vec::new();
        let mut pages = Pages::new(OPERATION);
        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .codepipeline()
                .list_action_executions()
                .pipeline_name(pipeline)
                .filter(filter.clone())
                .set_next_token(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;
            runs.extend(page.action_execution_details().iter().map(action_run));
            pages.go_on(page.next_token);
        }
        // CodePipeline lists the newest first.
        runs.reverse();
        Ok(runs)
    }

    /// Stops an execution at once, with a reason that operators see.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn stop(
        &self,
        pipeline: &str,
        execution: &str,
        reason: &str,
    ) -> Result<(), AwsError> {
        let request = self
            .clients
            .codepipeline()
            .stop_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_id(execution)
            .abandon(true)
            .reason(reason);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("codepipeline:StopPipelineExecution"))
    }

    /// Answers an approval.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn answer(
        &self,
        pipeline: &str,
        approval: &Approval,
        approved: bool,
        summary: &str,
    ) -> Result<(), AwsError> {
        const OPERATION: &str = "codepipeline:PutApprovalResult";

        let status = if approved {
            ApprovalStatus::Approved
        } else {
            ApprovalStatus::Rejected
        };
        let result = ApprovalResult::builder()
            .status(status)
            .summary(summary)
            .build()
            .map_err(|error| AwsError::unexpected(OPERATION, error.to_string()))?;
        let request = self
            .clients
            .codepipeline()
            .put_approval_result()
            .pipeline_name(pipeline)
            .stage_name(&approval.stage)
            .action_name(&approval.action)
            .token(&approval.token)
            .result(result);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk(OPERATION))
    }
}

fn stage_now(state: &StageState) -> StageNow {
    let latest = state.latest_execution();
    let inbound = state.inbound_executions().iter();

    StageNow {
        name: state.stage_name().unwrap_or_default().to_owned(),
        execution: latest.map(|latest| latest.pipeline_execution_id().to_owned()),
        inbound: inbound
            .map(|execution| execution.pipeline_execution_id().to_owned())
            .collect(),
        disabled: disabled_reason(state),
        actions: state.action_states().iter().map(action_now).collect(),
    }
}

fn action_now(state: &ActionState) -> ActionNow {
    let latest = state.latest_execution();
    ActionNow {
        name: state.action_name().unwrap_or_default().to_owned(),
        status: latest
            .and_then(|latest| latest.status())
            .map(|status| status.as_str().to_owned()),
        summary: latest
            .and_then(|latest| latest.summary())
            .map(without_signatures),
        percent: latest.and_then(|latest| latest.percent_complete()),
        token: latest
            .and_then(|latest| latest.token())
            .map(ToOwned::to_owned),
    }
}

fn action_run(detail: &ActionExecutionDetail) -> ActionRun {
    let result = detail.output().and_then(|output| output.execution_result());
    let failure = result.and_then(|result| result.error_details());
    let failure = failure
        .and_then(|failure| failure.message())
        .map(without_signatures);
    let summary = result.and_then(|result| result.external_execution_summary());
    let status = detail.status().map(|status| status.as_str().to_owned());
    let is_over = status.as_deref() != Some("InProgress");

    ActionRun {
        stage: detail.stage_name().unwrap_or_default().to_owned(),
        name: detail.action_name().unwrap_or_default().to_owned(),
        status: status.unwrap_or_default(),
        started_at: instant(detail.start_time()),
        ended_at: instant(detail.last_update_time().filter(|_| is_over)),
        message: failure.or_else(|| summary.map(without_signatures)),
    }
}
