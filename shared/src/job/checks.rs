//! What was checked before a release, as a list that a pre-flight and a dry run share: a pre-flight
//! ends at the first refusal, a dry run goes on and reports all of them as a tree.
//!
//! It never reads anything, and what refuses a release is decided where the check is made.

use std::fmt::Display;

use serde::Serialize;
use serde_json::{Value, json};

use super::failure::{Failure, StepError};

/// Where a check stands in the tree: its group and its name.
pub type CheckPath<'a> = (&'a str, &'static str);

/// The checks of a release, in the order in which they refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checks {
    /// What a dry run checks, for its report; a pre-flight has no report.
    subject: Option<String>,
    list: Vec<Check>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Check {
    group: String,
    name: &'static str,
    state: CheckResult,
    reason: String,
    /// What the check lists, each as JSON and as a line.
    changes: Vec<(Value, String)>,
    /// How many others it does not list.
    more: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum CheckResult {
    Ok,
    /// A release would be refused.
    Ng,
    /// Not checked, or not certain.
    Skip,
}

impl CheckResult {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Ng => "NG",
            Self::Skip => "SKIP",
        }
    }

    /// The state of a whole whose parts have these states.
    fn combined(parts: impl Iterator<Item = Self> + Clone) -> Self {
        let has = |state| parts.clone().any(|part| part == state);
        if has(Self::Ng) {
            Self::Ng
        } else if has(Self::Ok) {
            Self::Ok
        } else {
            Self::Skip
        }
    }
}

impl Check {
    fn new((group, name): CheckPath<'_>, state: CheckResult, reason: String) -> Self {
        Self {
            group: group.to_owned(),
            name,
            state,
            reason,
            changes: Vec::new(),
            more: 0,
        }
    }

    fn leaf(&self) -> Value {
        let mut leaf = json!({"name": self.name, "state": self.state, "reason": self.reason});
        if !self.changes.is_empty() {
            leaf["changes"] = self.changes.iter().map(|(json, _)| json.clone()).collect();
        }
        if self.more > 0 {
            leaf["more"] = self.more.into();
        }
        leaf
    }

    fn lines(&self) -> Vec<String> {
        let state = self.state.as_str();
        let mut lines = vec![format!("    {state:<4} {}: {}", self.name, self.reason)];

        let changes = self.changes.iter();
        lines.extend(changes.map(|(_, line)| format!("      {line}")));
        if self.more > 0 {
            lines.push(format!("      and {} more", self.more));
        }
        lines
    }
}

impl Checks {
    /// Checks of which the first refusal ends the step.
    #[must_use]
    pub fn preflight() -> Self {
        Self {
            subject: None,
            list: Vec::new(),
        }
    }

    /// Checks that are all made and reported. `subject` is what is checked: cluster and service.
    #[must_use]
    pub fn dry_run(subject: impl Into<String>) -> Self {
        Self {
            subject: Some(subject.into()),
            list: Vec::new(),
        }
    }

    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.subject.is_some()
    }

    /// Adds a check that was passed.
    pub fn ok(&mut self, at: CheckPath<'_>, reason: impl Into<String>) {
        self.add(at, CheckResult::Ok, reason.into());
    }

    /// Adds a check that was passed and lists changes, and how many others there are.
    pub fn ok_with<T: Serialize + Display>(
        &mut self,
        at: CheckPath<'_>,
        reason: impl Into<String>,
        (changes, more): (&[T], usize),
    ) {
        let changes = changes
            .iter()
            .map(|change| (json!(change), change.to_string()))
            .collect();
        self.list.push(Check {
            changes,
            more,
            ..Check::new(at, CheckResult::Ok, reason.into())
        });
    }

    /// Adds a check that was not made, or whose result is not certain.
    pub fn skip(&mut self, at: CheckPath<'_>, reason: impl Into<String>) {
        self.add(at, CheckResult::Skip, reason.into());
    }

    /// Adds the result of a check, and returns what it found; `None` when it refuses a release, in
    /// a dry run. `reason` describes what was found.
    ///
    /// # Errors
    /// In a pre-flight, the refusal. In both, a failure that proves nothing: AWS was busy, or its
    /// response was not understood.
    pub fn take<T>(
        &mut self,
        at: CheckPath<'_>,
        result: Result<T, impl Into<StepError>>,
        reason: impl FnOnce(&T) -> String,
    ) -> Result<Option<T>, StepError> {
        let result: Result<T, StepError> = result.map_err(Into::into);
        match result {
            Ok(found) => {
                self.add(at, CheckResult::Ok, reason(&found));
                Ok(Some(found))
            }
            Err(StepError::Failed(refusal) | StepError::Refused(refusal)) if self.is_dry_run() => {
                self.add(at, CheckResult::Ng, refusal.message);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn add(&mut self, at: CheckPath<'_>, state: CheckResult, reason: String) {
        self.list.push(Check::new(at, state, reason));
    }

    /// What refuses a release, with the causes first and complete; `None` if nothing does.
    #[must_use]
    pub(super) fn failure(&self) -> Option<Failure> {
        let refusals: Vec<&Check> = self.of_state(CheckResult::Ng).collect();
        if refusals.is_empty() {
            return None;
        }

        let names: Vec<&str> = refusals.iter().map(|check| check.name).collect();
        let reasons: Vec<String> = refusals
            .iter()
            .map(|check| format!("{} ({}): {}", check.name, check.group, check.reason))
            .collect();
        Some(Failure::configuration(format!(
            "{} of {} checks of the dry run are NG: {}: {}",
            refusals.len(),
            self.list.len(),
            names.join(", "),
            reasons.join("; ")
        )))
    }

    /// The counts of a dry run in which nothing is NG, for the summary of its job.
    #[must_use]
    pub fn summary(&self) -> String {
        let skipped: Vec<&str> = self
            .of_state(CheckResult::Skip)
            .map(|check| check.name)
            .collect();
        let names = if skipped.is_empty() {
            String::new()
        } else {
            format!(" ({})", skipped.join(", "))
        };

        format!(
            "dry run: a release could begin: {} checks are OK, {} SKIP{names}; nothing was changed",
            self.of_state(CheckResult::Ok).count(),
            skipped.len()
        )
    }

    /// The tree: `{"name": …, "state": "OK" | "NG" | "SKIP", "checks": [ … ]}`, in which a leaf has
    /// a `reason` and no `checks`. One that lists something has `changes`, and `more` if they are
    /// not all.
    #[must_use]
    pub fn tree(&self) -> Value {
        let groups: Vec<Value> = self
            .groups()
            .into_iter()
            .map(|(name, checks)| {
                let leaves: Vec<Value> = checks.iter().map(|check| check.leaf()).collect();
                json!({"name": name, "state": state_of(&checks), "checks": leaves})
            })
            .collect();
        json!({"name": self.subject, "state": self.state(), "checks": groups})
    }

    /// The tree as text, one line a check and a listed change, two spaces a level.
    #[must_use]
    pub fn text(&self) -> String {
        let subject = self.subject.as_deref().unwrap_or_default();
        let mut lines = vec![format!("{:<4} {subject}", self.state().as_str())];

        for (name, checks) in self.groups() {
            lines.push(format!("  {:<4} {name}", state_of(&checks).as_str()));
            lines.extend(checks.iter().flat_map(|check| check.lines()));
        }
        lines.join("\n")
    }

    fn state(&self) -> CheckResult {
        CheckResult::combined(self.list.iter().map(|check| check.state))
    }

    fn of_state(&self, state: CheckResult) -> impl Iterator<Item = &Check> {
        self.list.iter().filter(move |check| check.state == state)
    }

    /// The groups with their checks, in the order of each one's first check.
    fn groups(&self) -> Vec<(&str, Vec<&Check>)> {
        let mut groups: Vec<(&str, Vec<&Check>)> = Vec::new();
        for check in &self.list {
            match groups.iter_mut().find(|(name, _)| *name == check.group) {
                Some((_, checks)) => checks.push(check),
                None => groups.push((check.group.as_str(), vec![check])),
            }
        }
        groups
    }
}

fn state_of(checks: &[&Check]) -> CheckResult {
    CheckResult::combined(checks.iter().map(|check| check.state))
}

#[cfg(test)]
mod tests;
