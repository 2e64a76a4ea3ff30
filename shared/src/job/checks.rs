//! What was checked before a release, as a list that a pre-flight and a dry run share: a pre-flight
//! ends at the first refusal, a dry run goes on and reports all of them as a tree.
//!
//! It never reads anything, and what refuses a release is decided where the check is made.

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
    state: CheckState,
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum CheckState {
    Ok,
    /// A release would be refused.
    Ng,
    /// Not checked, or not certain.
    Skip,
}

impl CheckState {
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
        self.add(at, CheckState::Ok, reason.into());
    }

    /// Adds a check that was not made, or whose result is not certain.
    pub fn skip(&mut self, at: CheckPath<'_>, reason: impl Into<String>) {
        self.add(at, CheckState::Skip, reason.into());
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
                self.add(at, CheckState::Ok, reason(&found));
                Ok(Some(found))
            }
            Err(StepError::Failed(refusal) | StepError::Refused(refusal)) if self.is_dry_run() => {
                self.add(at, CheckState::Ng, refusal.message);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn add(&mut self, (group, name): CheckPath<'_>, state: CheckState, reason: String) {
        self.list.push(Check {
            group: group.to_owned(),
            name,
            state,
            reason,
        });
    }

    /// What refuses a release, with the causes first and complete; `None` if nothing does.
    #[must_use]
    pub(super) fn failure(&self) -> Option<Failure> {
        let refusals: Vec<&Check> = self.of_state(CheckState::Ng).collect();
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
            .of_state(CheckState::Skip)
            .map(|check| check.name)
            .collect();
        let names = if skipped.is_empty() {
            String::new()
        } else {
            format!(" ({})", skipped.join(", "))
        };

        format!(
            "dry run: a release could begin: {} checks are OK, {} SKIP{names}; nothing was changed",
            self.of_state(CheckState::Ok).count(),
            skipped.len()
        )
    }

    /// The tree: `{"name": …, "state": "OK" | "NG" | "SKIP", "checks": [ … ]}`, in which a leaf has
    /// a `reason` and no `checks`.
    #[must_use]
    pub fn tree(&self) -> Value {
        let groups: Vec<Value> = self
            .groups()
            .into_iter()
            .map(|(name, checks)| {
                let leaves: Vec<Value> = checks
                .iter()
                .map(|check| {
                    json!({"name": check.name, "state": check.state, "reason": check.reason})
                })
                .collect();
                json!({"name": name, "state": state_of(&checks), "checks": leaves})
            })
            .collect();
        json!({"name": self.subject, "state": self.state(), "checks": groups})
    }

    /// The tree as text, one line a check, two spaces a level.
    #[must_use]
    pub fn text(&self) -> String {
        let subject = self.subject.as_deref().unwrap_or_default();
        let mut lines = vec![format!("{:<4} {subject}", self.state().as_str())];

        for (name, checks) in self.groups() {
            lines.push(format!("  {:<4} {name}", state_of(&checks).as_str()));
            let leaf = |check: &&Check| {
                let state = check.state.as_str();
                format!("    {state:<4} {}: {}", check.name, check.reason)
            };
            lines.extend(checks.iter().map(leaf));
        }
        lines.join("\n")
    }

    fn state(&self) -> CheckState {
        CheckState::combined(self.list.iter().map(|check| check.state))
    }

    fn of_state(&self, state: CheckState) -> impl Iterator<Item = &Check> {
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

fn state_of(checks: &[&Check]) -> CheckState {
    CheckState::combined(checks.iter().map(|check| check.state))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROLLER: CheckPath<'static> = ("service web", "controller");
    const REFUSAL: &str = "the deployment controller is CODE_DEPLOY; expected ECS";

    fn refused() -> Result<(), Failure> {
        Err(Failure::configuration(REFUSAL))
    }

    fn wrong() -> Checks {
        let mut checks = Checks::dry_run("apps/web");
        checks.ok(("release", "parameters"), "valid");
        checks
            .take(CONTROLLER, refused(), |()| String::new())
            .expect("a dry run goes on");
        checks.skip(("release", "role"), "ambient credentials");
        checks.skip(("rule", "owner"), "no rule");
        checks
    }

    #[test]
    fn a_preflight_ends_at_the_first_refusal_and_a_dry_run_goes_on() {
        let mut checks = Checks::preflight();
        let taken = checks.take(CONTROLLER, refused(), |()| String::new());
        let refusal = StepError::Failed(Failure::configuration(REFUSAL));
        assert_eq!(taken, Err(refusal));

        let mut checks = Checks::dry_run("apps/web");
        let refusals = [
            StepError::Failed(Failure::configuration(REFUSAL)),
            StepError::Refused(Failure::configuration(REFUSAL)),
        ];
        for refusal in refusals {
            let taken = checks.take(CONTROLLER, Err::<(), _>(refusal), |()| String::new());
            assert_eq!(taken, Ok(None));
        }
        let found = checks.take(CONTROLLER, Ok::<_, Failure>(7), ToString::to_string);
        assert_eq!(found, Ok(Some(7)));
    }

    #[test]
    fn what_proves_nothing_ends_a_dry_run_too() {
        for error in [
            StepError::Busy("throttled; retrying".to_owned()),
            StepError::Unexpected(Failure::job("no ARN")),
        ] {
            let mut checks = Checks::dry_run("apps/web");
            let taken = checks.take(CONTROLLER, Err::<(), _>(error.clone()), |()| String::new());
            assert_eq!((taken, checks.failure()), (Err(error), None));
        }
    }

    #[test]
    fn a_failure_names_what_is_wrong_first() {
        let failure = wrong().failure().expect("a refusal");
        assert_eq!(
            failure,
            Failure::configuration(format!(
                "1 of 4 checks of the dry run are NG: controller: controller (service web): \
                 {REFUSAL}"
            ))
        );
    }

    #[test]
    fn what_was_skipped_refuses_nothing_and_is_named() {
        let mut checks = Checks::dry_run("apps/web");
        checks.ok(("release", "parameters"), "valid");
        let summary = |checks: &Checks| {
            assert_eq!(checks.failure(), None);
            checks.summary()
        };
        assert_eq!(
            summary(&checks),
            "dry run: a release could begin: 1 checks are OK, 0 SKIP; nothing was changed"
        );

        checks.skip(("release", "role"), "ambient credentials");
        assert_eq!(
            summary(&checks),
            "dry run: a release could begin: 1 checks are OK, 1 SKIP (role); nothing was changed"
        );
    }

    fn leaf(name: &str, state: &str, reason: &str) -> Value {
        json!({"name": name, "state": state, "reason": reason})
    }

    #[test]
    fn the_tree_has_each_group_once_and_the_worst_state_above() {
        assert_eq!(
            wrong().tree(),
            json!({"name": "apps/web", "state": "NG", "checks": [
                {"name": "release", "state": "OK", "checks": [
                    leaf("parameters", "OK", "valid"),
                    leaf("role", "SKIP", "ambient credentials"),
                ]},
                {"name": "service web", "state": "NG", "checks": [
                    leaf("controller", "NG", REFUSAL),
                ]},
                {"name": "rule", "state": "SKIP", "checks": [leaf("owner", "SKIP", "no rule")]},
            ]})
        );

        let expected = format!(
            "NG   apps/web\n  OK   release\n    OK   parameters: valid\n    SKIP role: ambient \
             credentials\n  NG   service web\n    NG   controller: {REFUSAL}\n  SKIP rule\n    \
             SKIP owner: no rule"
        );
        assert_eq!(wrong().text(), expected);
    }
}
