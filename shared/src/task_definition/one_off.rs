//! What a one-off task needs to know of its task definition: which containers decide how it ended,
//! what they run, and where they log.

use serde_json::{Value, json};

use super::definition::TaskDefinition;

impl TaskDefinition {
    /// The containers whose end is that of the task: those that are not marked as not essential
    /// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).
    pub fn essential_containers(&self) -> impl Iterator<Item = &str> {
        let essential = self
            .containers()
            .filter(|container| container.get("essential") != Some(&Value::Bool(false)));
        essential.filter_map(|container| container.get("name").and_then(Value::as_str))
    }

    /// The same with another command of a container, so that what is secret in it is known.
    #[must_use]
    pub fn with_command(mut self, container: &str, command: &[String]) -> Self {
        let containers = self.0.get_mut("containerDefinitions");
        let containers = containers.and_then(Value::as_array_mut);
        for found in containers.into_iter().flatten() {
            if found["name"] == container {
                found["command"] = json!(command);
            }
        }
        self
    }

    /// Where the essential containers of a task log, if CloudWatch Logs has it: group and stream,
    /// or the group alone for containers whose streams have the ids of Docker as their names
    /// (docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html).
    #[must_use]
    pub fn logs_of(&self, task: &str) -> Vec<String> {
        let id = task.rsplit('/').next().unwrap_or(task);
        let essential: Vec<&str> = self.essential_containers().collect();
        let logs = self.containers().filter_map(|container| {
            let name = container.get("name")?.as_str()?;
            let logging = container.get("logConfiguration")?;
            if logging.get("logDriver")? != "awslogs" || !essential.contains(&name) {
                return None;
            }

            let option = |name: &str| logging.get("options")?.get(name)?.as_str();
            let group = option("awslogs-group")?;
            Some(match option("awslogs-stream-prefix") {
                Some(prefix) => format!("log group {group}, stream {prefix}/{name}/{id}"),
                None => format!("log group {group}"),
            })
        });
        logs.collect()
    }
}
