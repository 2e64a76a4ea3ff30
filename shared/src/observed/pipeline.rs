//! A pipeline as operators see it: what it declares, what is in its stages, and what its actions
//! did.

use std::collections::HashMap;

use serde::Serialize;

use crate::timestamp::Timestamp;

/// An action as its pipeline declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredAction {
    pub stage: String,
    pub name: String,
    /// `ECR`, `Lambda`, `Manual`, …
    pub provider: String,
    pub configuration: HashMap<String, String>,
}

/// A stage and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageNow {
    pub name: String,
    /// The execution that is in the stage, or was last.
    pub execution: Option<String>,
    /// The executions that wait in front of it.
    pub inbound: Vec<String>,
    /// Why the transition into it is disabled; none while it is enabled.
    pub disabled: Option<String>,
    pub actions: Vec<ActionNow>,
}

/// An action of a stage with how far the execution in the stage is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionNow {
    pub name: String,
    /// `InProgress`, `Succeeded`, …; none before the execution has come to it.
    pub status: Option<String>,
    pub summary: Option<String>,
    pub percent: Option<i32>,
    /// What answers an approval that waits.
    pub token: Option<String>,
}

impl ActionNow {
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status.as_deref() == Some("InProgress")
    }
}

/// One run of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionRun {
    pub stage: String,
    pub name: String,
    pub status: String,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// Why it failed, or what it reported.
    pub message: Option<String>,
}

/// An approval that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub execution: String,
    pub stage: String,
    pub action: String,
    pub token: String,
}
