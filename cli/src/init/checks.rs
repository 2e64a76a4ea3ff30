//! The checks of a release, made before there is a pipeline: the dry run of `begin-release`, in
//! this process and with the credentials of the operator. It writes nothing.

use begin_release::BeginRelease;
use serde_json::{Value, json};
use slipway::step::Runner;

use crate::{Failed, Session};

/// The checks of a service without which no release of it can ever begin.
const OF_SERVICE: [&str; 5] = ["exists", "status", "controller", "strategy", "scheduling"];

/// How the groups of those checks begin.
const SERVICE: &str = "service ";

pub(super) struct Checks {
    /// The tree as the dry run has it.
    pub(super) tree: Value,
    pub(super) list: Vec<Check>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// `OK`, `NG` or `SKIP`.
    pub(super) state: String,
    pub(super) name: String,
    pub(super) reason: String,
    group: String,
}

impl Checks {
    /// Makes all checks with parameters as of the action `begin-release`.
    ///
    /// # Errors
    /// If a call fails for a cause that may pass.
    pub(super) async fn make(session: &Session, parameters: &Value) -> Result<Self, Failed> {
        let step = Runner::new(BeginRelease::new(&session.sdk), &session.sdk);
        // Boxed: the SDK's futures are deep.
        let response = Box::pin(step.handle(json!({ "parameters": parameters }))).await;
        let response = response.map_err(|error| Failed::Unknown(error.to_string()))?;
        Self::read(&response)
    }

    fn read(response: &Value) -> Result<Self, Failed> {
        let tree = &response["checks"];
        let Some(groups) = tree["checks"].as_array() else {
            let why = response["message"].as_str();
            let why = why.or(response["summary"].as_str());
            let why = why.unwrap_or("no reason is known");
            return Err(Failed::Unknown(format!("the checks were not made: {why}")));
        };

        let mut list = Vec::new();
        for group in groups {
            let name = text(group, "name");
            let checks = group["checks"].as_array().into_iter().flatten();
            list.extend(checks.map(|check| Check {
                state: text(check, "state"),
                name: format!("{name}, {}", text(check, "name")),
                reason: text(check, "reason"),
                group: name.clone(),
            }));
        }
        let tree = tree.clone();
        Ok(Self { tree, list })
    }

    pub(super) fn of_state<'a>(&'a self, state: &'a str) -> impl Iterator<Item = &'a Check> {
        self.list.iter().filter(move |check| check.state == state)
    }

    /// Why no release of the service can ever begin.
    pub(super) fn refusal(&self) -> Option<String> {
        let never = self.of_state("NG").filter(|check| check.is_of_service());
        let reasons: Vec<&str> = never.map(|check| check.reason.as_str()).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

impl Check {
    fn is_of_service(&self) -> bool {
        let mut names = OF_SERVICE.iter();
        self.group.starts_with(SERVICE)
            && names.any(|name| self.name == format!("{}, {name}", self.group))
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_service_is_refuses_it_for_good() {
        let leaf = |name: &str, state: &str| json!({"name": name, "state": state, "reason": name});
        let response = |service: &[Value]| {
            json!({"status": "failed", "checks": {"name": "apps/web", "state": "NG", "checks": [
                {"name": "release", "state": "OK", "checks": [leaf("lease", "OK")]},
                {"name": "service web", "state": "NG", "checks": service},
                {"name": "rollout", "state": "NG", "checks": [leaf("status", "NG")]},
            ]}})
        };
        let refusal = |service: &[Value]| {
            let checks = Checks::read(&response(service));
            checks.expect("checks").refusal()
        };
        let breaker = leaf("circuit-breaker", "NG");
        assert_eq!(refusal(&[leaf("status", "OK"), breaker.clone()]), None);
        let unfit = [leaf("controller", "NG"), breaker, leaf("scheduling", "NG")];
        assert_eq!(refusal(&unfit).as_deref(), Some("controller; scheduling"));

        let busy = json!({"status": "in-progress", "summary": "AWS is slow"});
        let why = Checks::read(&busy).err().map(|failed| failed.to_string());
        assert_eq!(
            why.as_deref(),
            Some("the checks were not made: AWS is slow")
        );
    }
}
