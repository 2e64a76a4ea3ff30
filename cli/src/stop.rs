//! `slipway stop`: stops an execution, whose release is then closed or rolled back.

use clap::Args;
use serde_json::json;
use slipway::aws::Pipelines;

use crate::pipeline::Execution;
use crate::{Answer, Failed, Session};

/// The longest reason of a stop (CodePipeline API: StopPipelineExecution).
const REASON_CHARS: usize = 200;

/// What CodePipeline refuses of an execution that has ended, or that is being stopped, and of one
/// whose pipeline does not exist (CodePipeline API: StopPipelineExecution).
const OVER: [&str; 3] = [
    "PipelineExecutionNotStoppableException",
    "DuplicatedStopRequestException",
    "PipelineNotFoundException",
];

/// Stops an execution at once. Its release is closed, or rolled back if it has changed anything;
/// its digest is not rejected if nothing was found against it.
#[derive(Debug, Args)]
pub struct Stop {
    /// The id of the execution, or the service whose release is open.
    #[arg(value_name = "EXECUTION|SERVICE")]
    pub execution: String,
    /// The pipeline, of an execution that was started by hand and has not begun its release.
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Why, for those who look at the pipeline.
    #[arg(long, value_name = "REASON", default_value = "stopped by an operator")]
    pub because: String,
}

impl Stop {
    /// # Errors
    /// If the execution has ended, or a call fails.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let execution = Execution::find(session, &self.execution, self.pipeline.as_deref()).await?;
        stop(session, &execution, &self.because).await?;
        let Execution { pipeline, id } = execution;
        Ok(Answer::line(
            format!(
                "execution {id} of {pipeline} is being stopped; see how it ends: slipway wait {id}"
            ),
            json!({"pipeline": pipeline, "execution": id}),
        ))
    }
}

/// Stops an execution.
///
/// # Errors
/// Refused, if it has ended or is being stopped.
pub(crate) async fn stop(
    session: &Session,
    execution: &Execution,
    because: &str,
) -> Result<(), Failed> {
    let reason: String = because.chars().take(REASON_CHARS).collect();
    let Execution { pipeline, id } = execution;
    let stopped = Pipelines::new(&session.sdk)
        .stop(pipeline, id, &reason)
        .await;
    stopped.map_err(|error| {
        let text = |why: &str| format!("execution {id} is not stopped: {why}");
        Failed::refused_for(&OVER, error, text)
    })
}
