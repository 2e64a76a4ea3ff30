//! The roles of a task definition, which are passed to its tasks when it is registered or deployed.

use serde_json::Value;

use super::definition::TaskDefinition;

/// The IAM path of the roles that the functions may pass to tasks (template.yaml).
pub const ROLE_PATH: &str = "/slipway/";

impl TaskDefinition {
    /// The fields and ARNs of roles that the functions may not pass to tasks. A role that is given
    /// by its name alone has no path to be seen.
    pub fn roles_outside_path(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let roles = ["taskRoleArn", "executionRoleArn"].into_iter();
        roles.filter_map(move |field| {
            let arn = self.0.get(field).and_then(Value::as_str)?;
            let (_, path) = arn.split_once(":role")?;
            (!path.starts_with(ROLE_PATH)).then_some((field, arn))
        })
    }
}
