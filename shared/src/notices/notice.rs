//! A notice, its key, and the event that it is on the bus.

use serde_json::{Map, Value, json};

use crate::observed::service::short_name;
use crate::release::Outcome;
use crate::timestamp::Timestamp;

/// The source of the events.
pub const SOURCE: &str = "slipway";

/// The version of the events' details, which grows with each change that consumers must know.
const DETAIL_VERSION: u32 = 1;

/// Something that people want to know of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub release: NamedRelease,
    pub at: Timestamp,
    pub occasion: Occasion,
}

/// Which release it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRelease {
    pub pipeline: String,
    pub execution: String,
    pub digest: Option<String>,
    /// Cluster and service, or pair; none of a release that never began.
    pub target: Option<[String; 2]>,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It holds the lease of its service.
    Started,
    /// An inconclusive canary waits for an operator's decision.
    Hold(Box<Hold>),
    /// The pipeline waits for an approval.
    Approval {
        stage: String,
        action: String,
        /// Of this run of the action.
        id: String,
    },
    /// It is closed.
    Ended(Box<Ended>),
    /// Its service runs something else since; what that is, and when it was seen.
    Drift { found: String, seen_at: Timestamp },
}

/// A canary that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// When the action began that waits.
    pub action: Timestamp,
    /// The weights meanwhile.
    pub traffic: Option<String>,
    pub reports: Vec<String>,
}

/// How a release ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub needs_operator: bool,
    pub started_at: Timestamp,
    /// The revision that was to be deployed; none if nothing was to be changed.
    pub task_definition: Option<String>,
    /// The revision that ran before.
    pub prior: Option<String>,
    pub reports: Vec<String>,
}

impl NamedRelease {
    pub(super) fn new(
        [pipeline, execution]: [&str; 2],
        digest: Option<&str>,
        target: Option<[&str; 2]>,
    ) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            execution: execution.to_owned(),
            digest: digest.map(ToOwned::to_owned),
            target: target.map(|names| names.map(|name| short_name(name).to_owned())),
        }
    }

    /// The service, or the pipeline of a release that never began.
    pub(super) fn name(&self) -> &str {
        match &self.target {
            Some([_, service]) => service,
            None => &self.pipeline,
        }
    }
}

impl Notice {
    /// By which a consumer drops what it has: the same for the same happening, however often it is
    /// announced.
    #[must_use]
    pub fn key(&self) -> String {
        let occasion = match &self.occasion {
            Occasion::Started => "started".to_owned(),
            Occasion::Hold(hold) => format!("hold/{}", hold.action),
            Occasion::Approval { id, .. } => format!("approval/{id}"),
            Occasion::Ended(_) => "outcome".to_owned(),
            Occasion::Drift { seen_at, .. } => format!("drift/{seen_at}"),
        };
        // A release may have begun or ended when the event of an approval comes once more.
        let target = match &self.occasion {
            Occasion::Approval { .. } => None,
            _ => self.release.target.as_ref(),
        };
        let target = target.map_or_else(|| "-".to_owned(), |names| names.join("/"));
        format!("{}/{target}/{occasion}", self.release.execution)
    }

    /// The detail type of its event.
    #[must_use]
    pub fn detail_type(&self) -> &'static str {
        match self.occasion {
            Occasion::Started => "Slipway Release Started",
            Occasion::Hold(_) | Occasion::Approval { .. } => "Slipway Release Waiting",
            Occasion::Ended(_) => "Slipway Release Outcome",
            Occasion::Drift { .. } => "Slipway Service Drifted",
        }
    }

    /// The word of its occasion, by which rules choose.
    pub(super) fn kind(&self) -> &'static str {
        match self.occasion {
            Occasion::Started => "started",
            Occasion::Hold(_) => "hold",
            Occasion::Approval { .. } => "approval",
            Occasion::Ended(_) => "outcome",
            Occasion::Drift { .. } => "drift",
        }
    }

    /// The detail of its event: what is known, a text for people, and the same for chats.
    #[must_use]
    pub fn content(&self) -> Value {
        let release = &self.release;
        let [cluster, service] = match &release.target {
            Some(names) => names.clone().map(Some),
            None => [None, None],
        };
        let mut detail = Map::from_iter([
            ("version".to_owned(), json!(DETAIL_VERSION)),
            ("key".to_owned(), json!(self.key())),
            ("kind".to_owned(), json!(self.kind())),
            ("at".to_owned(), json!(self.at)),
            ("pipeline".to_owned(), json!(release.pipeline)),
            ("execution".to_owned(), json!(release.execution)),
            ("cluster".to_owned(), json!(cluster)),
            ("service".to_owned(), json!(service)),
            ("digest".to_owned(), json!(release.digest)),
        ]);
        if let Value::Object(own) = self.occasion.detail() {
            detail.extend(own);
        }
        detail.retain(|_, value| !value.is_null());
        detail.insert("text".to_owned(), json!(self.text()));
        detail.insert("chat".to_owned(), self.chat());
        Value::Object(detail)
    }
}

impl Occasion {
    /// What only this occasion has.
    fn detail(&self) -> Value {
        match self {
            Self::Started => Value::Null,
            Self::Hold(hold) => json!({"traffic": hold.traffic, "reports": hold.reports}),
            Self::Approval { stage, action, .. } => json!({"stage": stage, "action": action}),
            Self::Ended(ended) => json!({
                "outcome": ended.outcome,
                "reason": ended.reason,
                "needs_operator": ended.needs_operator,
                "started_at": ended.started_at,
                "task_definition": ended.task_definition,
                "prior_task_definition": ended.prior,
                "reports": ended.reports,
            }),
            Self::Drift { found, .. } => json!({"reason": found}),
        }
    }
}
