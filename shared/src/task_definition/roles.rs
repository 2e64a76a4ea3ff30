//! The roles of a task definition, which are passed to its tasks when it is registered or deployed.

use serde_json::Value;

use super::definition::TaskDefinition;

impl TaskDefinition {
    /// The fields and ARNs, or names, of the roles that are passed to tasks.
    pub fn roles(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let roles = ["taskRoleArn", "executionRoleArn"].into_iter();
        roles.filter_map(move |field| {
            let role = self.0.get(field).and_then(Value::as_str)?;
            (!role.is_empty()).then_some((field, role))
        })
    }

    /// Of these, the ones that `other` does not pass, in whichever field.
    #[must_use]
    pub fn roles_beside(&self, other: &Self) -> Vec<(&'static str, &str)> {
        let passed: Vec<&str> = other.roles().map(|(_, role)| role).collect();
        let roles = self.roles().filter(|(_, role)| !passed.contains(role));
        roles.collect()
    }
}
