//! The real functions, by the name of their binary, as Lambda would run them.

use begin_release::BeginRelease;
use finish_release::FinishRelease;
use register_task_definition::RegisterTaskDefinition;
use roll_back::RollBack;
use serde_json::Value;
use slipway::aws::{Retry, Sdk};
use start_pipeline::StartPipeline;
use swap_target_groups::SwapTargetGroups;
use update_service::UpdateService;

/// Runs one invocation of the function whose binary is `code`, wired as its `main.rs` wires it.
///
/// # Errors
/// The function's own error, or that there is no such binary.
pub async fn answer(code: &str, sdk: &Sdk, event: Value) -> Result<Value, Retry> {
    match code {
        "begin-release" => BeginRelease::new(sdk).answer(event).await,
        "finish-release" => FinishRelease::new(sdk).answer(event).await,
        "register-task-definition" => RegisterTaskDefinition::new(sdk).answer(event).await,
        "roll-back" => RollBack::new(sdk).answer(event).await,
        "start-pipeline" => StartPipeline::new(sdk).answer(event).await,
        "swap-target-groups" => SwapTargetGroups::new(sdk).answer(event).await,
        "update-service" => UpdateService::new(sdk).answer(event).await,
        other => Err(format!("template.yaml names the binary `{other}`, which is no function of this project").into()),
    }
}
