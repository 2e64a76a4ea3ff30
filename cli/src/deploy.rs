//! `slipway deploy`: starts a pipeline with an image, and may wait for the end.

use clap::Args;
use serde_json::json;
use slipway::aws::Executions;

use crate::pipeline::{Execution, Pipeline};
use crate::wait::{Limit, ended};
use crate::{Answer, Block, Failed, Session};

/// The first digits of a digest: two images that are started in one second have two tokens.
const HEX: std::ops::Range<usize> = 7..19;

/// Starts a pipeline with an image of its repository, as a push would.
///
/// A digest that was rejected is started too: an operator knows why. The gate of images and the
/// order of pushes do not apply.
#[derive(Debug, Args)]
pub struct Deploy {
    /// The name of the pipeline, or a service that it has released.
    #[arg(value_name = "SERVICE|PIPELINE")]
    pub target: String,
    /// A tag or a digest of the pipeline's repository, or a whole reference.
    pub image: String,
    #[command(flatten)]
    pub waiting: Waiting,
}

// Whether a command waits for the release that it started.
// Not a doc comment: that of what is flattened would take the place of the command's.
#[derive(Clone, Copy, Debug, Args)]
pub struct Waiting {
    /// Wait until the release has ended; the exit code is how.
    #[arg(long)]
    pub wait: bool,
    #[command(flatten)]
    pub limit: Limit,
}

impl Deploy {
    /// # Errors
    /// If there is no such pipeline or image, or a call fails.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let pipeline = Pipeline::find(session, &self.target).await?;
        let digest = pipeline.source()?.digest(session, &self.image).await?;
        start(session, &pipeline, &digest, "by-hand", self.waiting).await
    }
}

/// Starts a pipeline with a digest. `why` is the beginning of the request's token.
pub(crate) async fn start(
    session: &Session,
    pipeline: &Pipeline,
    digest: &str,
    why: &str,
    waiting: Waiting,
) -> Result<Answer, Failed> {
    let action = pipeline.source()?.action;
    let now = session.sdk.now().secs();
    let hex = digest.get(HEX).unwrap_or_default();
    let token = format!("{why}-{now}-{hex}");

    let id = Executions::new(&session.sdk)
        .start(&pipeline.name, action, digest, &token)
        .await?;
    let execution = Execution {
        pipeline: pipeline.name.clone(),
        id,
    };
    if waiting.wait {
        return ended(session, &execution, waiting.limit).await;
    }

    let Execution { pipeline, id } = execution;
    let fields = vec![
        ("pipeline", pipeline.as_str().into()),
        ("execution", id.as_str().into()),
        ("digest", digest.into()),
    ];
    let json = json!({"pipeline": pipeline, "execution": id, "digest": digest});
    Ok(Answer::new(vec![Block::Fields(fields)], json))
}
