//! Transitions between the stages of a pipeline: whether one into a stage is disabled, and how to
//! disable it.

use std::sync::Arc;

use aws_sdk_codepipeline::types::StageTransitionType;

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

    /// The transition into a stage. CodePipeline shows it as disabled with
    /// `inboundTransitionState.enabled` (CodePipeline API: GetPipelineState).
    ///
    /// # Errors
    /// If the call fails.
    pub async fn inbound(&self, pipeline: &str, stage: &str) -> Result<Transition, AwsError> {
        let request = self
            .clients
            .codepipeline()
            .get_pipeline_state()
            .name(pipeline);
        let found = request
            .send()
            .await
            .map_err(AwsError::from_sdk("codepipeline:GetPipelineState"))?;

        let mut stages = found.stage_states().iter();
        let Some(state) = stages.find(|state| state.stage_name() == Some(stage)) else {
            return Ok(Transition::NoStage);
        };
        let transition = state.inbound_transition_state();
        Ok(match transition.filter(|transition| !transition.enabled) {
            Some(disabled) => Transition::Disabled {
                reason: disabled.disabled_reason().unwrap_or_default().to_owned(),
            },
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
