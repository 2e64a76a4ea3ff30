//! The real functions, by the name of their binary, as Lambda would run them.

use begin_release::BeginRelease;
use evaluate_canary::EvaluateCanary;
use finish_release::FinishRelease;
use register_task_definition::RegisterTaskDefinition;
use roll_back::RollBack;
use serde_json::Value;
use slipway::aws::{Retry, Sdk};
use start_pipeline::StartPipeline;
use swap_target_groups::SwapTargetGroups;
use update_service::UpdateService;

/// A function, wired as its `main.rs` wires it. Lambda keeps it between invocations.
#[derive(Debug)]
pub enum Function {
    BeginRelease(BeginRelease),
    EvaluateCanary(EvaluateCanary),
    FinishRelease(FinishRelease),
    RegisterTaskDefinition(RegisterTaskDefinition),
    RollBack(RollBack),
    StartPipeline(StartPipeline),
    SwapTargetGroups(SwapTargetGroups),
    UpdateService(UpdateService),
}

impl Function {
    /// The function whose binary is `code`.
    ///
    /// # Errors
    /// That there is no such binary.
    pub fn new(code: &str, sdk: &Sdk) -> Result<Self, Retry> {
        Ok(match code {
            "begin-release" => Self::BeginRelease(BeginRelease::new(sdk)),
            "evaluate-canary" => Self::EvaluateCanary(EvaluateCanary::new(sdk)),
            "finish-release" => Self::FinishRelease(FinishRelease::new(sdk)),
            "register-task-definition" => {
                Self::RegisterTaskDefinition(RegisterTaskDefinition::new(sdk))
            }
            "roll-back" => Self::RollBack(RollBack::new(sdk)),
            "start-pipeline" => Self::StartPipeline(StartPipeline::new(sdk)),
            "swap-target-groups" => Self::SwapTargetGroups(SwapTargetGroups::new(sdk)),
            "update-service" => Self::UpdateService(UpdateService::new(sdk)),
            other => {
                let what = format!(
                    "template.yaml names the binary `{other}`, which is no function of this project"
                );
                return Err(what.into());
            }
        })
    }

    /// Runs one invocation.
    ///
    /// # Errors
    /// The function's own error.
    pub async fn answer(&self, event: Value) -> Result<Value, Retry> {
        match self {
            Self::BeginRelease(function) => function.answer(event).await,
            Self::EvaluateCanary(function) => function.answer(event).await,
            Self::FinishRelease(function) => function.answer(event).await,
            Self::RegisterTaskDefinition(function) => function.answer(event).await,
            Self::RollBack(function) => function.answer(event).await,
            Self::StartPipeline(function) => function.answer(event).await,
            Self::SwapTargetGroups(function) => function.answer(event).await,
            Self::UpdateService(function) => function.answer(event).await,
        }
    }
}

/// Runs one invocation of the function whose binary is `code`, in a container of its own.
///
/// # Errors
/// The function's own error, or that there is no such binary.
pub async fn answer(code: &str, sdk: &Sdk, event: Value) -> Result<Value, Retry> {
    Function::new(code, sdk)?.answer(event).await
}
