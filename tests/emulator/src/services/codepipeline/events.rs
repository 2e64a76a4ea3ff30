//! What CodePipeline does by itself when its time comes.

use super::{actions, builds, jobs};
use crate::{Aws, Event};

/// What CodePipeline does by itself.
#[derive(Clone, Debug)]
pub(crate) enum CodePipelineEvent {
    /// An action that was begun does its work.
    Act { execution: String, action: String },
    /// An action has been in progress for as long as its kind may be.
    ActionLimit { execution: String, action: String },
    /// The commands of a build or a test are done.
    BuildEnds { execution: String, action: String },
    /// A job has been without a result for 20 minutes.
    JobSilent { job: String },
    /// An action that was reported as still going gets its next job.
    NextJob {
        execution: String,
        action: String,
        token: String,
    },
}

impl Event for CodePipelineEvent {
    fn run(&self, aws: &mut Aws) {
        match self {
            Self::Act { execution, action } => actions::act(aws, execution, action),
            Self::ActionLimit { execution, action } => {
                actions::out_of_time(aws, execution, action);
            }
            Self::BuildEnds { execution, action } => builds::end(aws, execution, action),
            Self::JobSilent { job } => jobs::silent(aws, job),
            Self::NextJob {
                execution,
                action,
                token,
            } => jobs::give(aws, execution, action, Some(token.clone())),
        }
    }
}
