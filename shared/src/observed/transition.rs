//! The transition into a stage of a pipeline, as CodePipeline describes it.

/// Whether executions enter the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    Enabled,
    Disabled {
        reason: String,
    },
    /// The pipeline has no such stage.
    NoStage,
}
