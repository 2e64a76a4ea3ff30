//! The real functions, by the name of their binary, as Lambda would run them.

use begin_release::BeginRelease;
use evaluate_canary::EvaluateCanary;
use finish_release::FinishRelease;
use register_task_definition::RegisterTaskDefinition;
use roll_back::RollBack;
use serde_json::Value;
use slipway::aws::{Retry, Sdk};
use slipway::step::Runner;
use start_pipeline::StartPipeline;
use swap_target_groups::SwapTargetGroups;
use update_service::UpdateService;

/// A function, wired as its `main.rs` wires it. Lambda keeps it between invocations.
#[derive(Debug)]
pub enum Function {
    BeginRelease(Runner<BeginRelease>),
    EvaluateCanary(Runner<EvaluateCanary>),
    FinishRelease(Runner<FinishRelease>),
    RegisterTaskDefinition(Runner<RegisterTaskDefinition>),
    RollBack(RollBack),
    StartPipeline(StartPipeline),
    SwapTargetGroups(Runner<SwapTargetGroups>),
    UpdateService(Runner<UpdateService>),
}

impl Function {
    /// The function whose binary is `code`.
    ///
    /// # Errors
    /// That there is no such binary.
    pub fn new(code: &str, sdk: &Sdk) -> Result<Self, Retry> {
        Ok(match code {
            "begin-release" => Self::BeginRelease(Runner::new(BeginRelease::new(sdk), sdk)),
            "evaluate-canary" => Self::EvaluateCanary(Runner::new(EvaluateCanary::new(sdk), sdk)),
            "finish-release" => Self::FinishRelease(Runner::new(FinishRelease::new(sdk), sdk)),
            "register-task-definition" => {
                Self::RegisterTaskDefinition(Runner::new(RegisterTaskDefinition::new(sdk), sdk))
            }
            "roll-back" => Self::RollBack(RollBack::new(sdk)),
            "start-pipeline" => Self::StartPipeline(StartPipeline::new(sdk)),
            "swap-target-groups" => {
                Self::SwapTargetGroups(Runner::new(SwapTargetGroups::new(sdk), sdk))
            }
            "update-service" => Self::UpdateService(Runner::new(UpdateService::new(sdk), sdk)),
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
            Self::BeginRelease(function) => function.handle(event).await,
            Self::EvaluateCanary(function) => function.handle(event).await,
            Self::FinishRelease(function) => function.handle(event).await,
            Self::RegisterTaskDefinition(function) => function.handle(event).await,
            Self::RollBack(function) => function.handle(event).await,
            Self::StartPipeline(function) => function.handle(event).await,
            Self::SwapTargetGroups(function) => function.handle(event).await,
            Self::UpdateService(function) => function.handle(event).await,
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
