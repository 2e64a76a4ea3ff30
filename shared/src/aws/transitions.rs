//! Transitions between the stages of a pipeline: whether one into a stage is disabled, and how to
//! disable it.

use std::sync::Arc;

use aws_sdk_codepipeline::types::{StageState, StageTransitionType};

use super::clients::Clients;
use super::{AwsError, Sdk};
use crate::limits::TRANSITION_REASON_CHARS;
use crate::observed::transition::Transition;

#[derive(Clone, Debug)]
pub struct Transitions {
    clients: Arc<Clients>,
}

impl Transitions {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The transition into a stage.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn inbound(&self, pipeline: &str, stage: &str) -> Result<Transition, AwsError> {
        let stages = stage_states(&self.clients, pipeline).await?;
        let mut stages = stages.iter();
        let Some(state) = stages.find(|state| state.stage_name() == Some(stage)) else {
            return Ok(Transition::NoStage);
        };
        Ok(match disabled_reason(state) {
            Some(reason) => Transition::Disabled { reason },
            None => Transition::Enabled,
        })
    }

    /// Disables the transition into a stage, with a reason that operators see.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn disable(&self, pipeline: &str, stage: &str, reason: &str) -> Result<(), AwsError> {
        let request = self
            .clients
            .codepipeline()
            .disable_stage_transition()
            .pipeline_name(pipeline)
            .stage_name(stage)
            .transition_type(StageTransitionType::Inbound)
            .reason(accepted(reason));
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("codepipeline:DisableStageTransition"))
    }
}

/// A reason in the letters that CodePipeline accepts, and no longer than that (CodePipeline API:
/// DisableStageTransition, `reason`).
fn accepted(reason: &str) -> String {
    let letter = |letter: char| {
        let is_accepted = letter.is_ascii_alphanumeric() || "!@ ().*?-".contains(letter);
        if is_accepted { letter } else { '-' }
    };
    reason
        .chars()
        .map(letter)
        .take(TRANSITION_REASON_CHARS)
        .collect()
}

/// What CodePipeline shows of the stages of a pipeline.
pub(super) async fn stage_states(
    clients: &Clients,
    pipeline: &str,
) -> Result<Vec<StageState>, AwsError> {
    let request = clients.codepipeline().get_pipeline_state().name(pipeline);
    let found = request
        .send()
        .await
        .map_err(AwsError::from_sdk("codepipeline:GetPipelineState"))?;
    Ok(found.stage_states.unwrap_or_default())
}

/// Why the transition into a stage is disabled, which CodePipeline shows with
/// `inboundTransitionState.enabled` (CodePipeline API: GetPipelineState); nothing if it is enabled.
pub(super) fn disabled_reason(state: &StageState) -> Option<String> {
    let transition = state.inbound_transition_state()?;
    let is_disabled = !transition.enabled;
    is_disabled.then(|| transition.disabled_reason().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_the_letters_and_the_length_that_codepipeline_accepts() {
        assert_eq!(
            accepted("e-1 failed: 5xx, 2% of web:4 (ü); rolled back!"),
            "e-1 failed- 5xx- 2- of web-4 (-)- rolled back!"
        );
        assert_eq!(accepted(&"x".repeat(301)), "x".repeat(300));
    }
}
