//! What came of a push: what the function returns of it, and by what a sweep goes on.

use serde_json::{Value, json};

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The pipeline was started with it.
    Started {
        execution: String,
        digest: String,
        tag: Option<String>,
    },
    /// The pipeline was started with it before.
    Known { execution: String },
    /// It is neither started nor refused yet.
    Waiting {
        digest: String,
        reason: Option<String>,
    },
    /// It is not started, and the ledger has the reason.
    Refused { digest: String, reason: String },
    /// It is not one that the pipeline delivers.
    Ignored { reason: String },
}

impl Delivery {
    /// What the function returns.
    pub(crate) fn answer(&self) -> Value {
        match self {
            Self::Started {
                execution,
                digest,
                tag,
            } => json!({
                "status": "started", "execution": execution, "digest": digest, "tag": tag,
            }),
            Self::Known { execution } => json!({"status": "known", "execution": execution}),
            Self::Waiting { digest, reason } => {
                json!({"status": "waiting", "digest": digest, "reason": reason})
            }
            Self::Refused { digest, reason } => {
                json!({"status": "refused", "digest": digest, "reason": reason})
            }
            Self::Ignored { reason } => json!({"status": "ignored", "reason": reason}),
        }
    }
}
