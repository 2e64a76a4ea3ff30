//! A task that no service started, as Amazon ECS describes it.

/// A one-off task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskView {
    /// Its last status, such as `RUNNING`.
    pub status: String,
    /// Whether ECS stops it or has stopped it.
    pub is_stopping: bool,
    /// Why it was stopped, as one of ECS's codes.
    pub stop_code: Option<String>,
    pub stopped_reason: Option<String>,
    pub containers: Vec<ContainerView>,
}

/// A container of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerView {
    pub name: String,
    /// None while it runs, and if it never ran.
    pub exit_code: Option<i32>,
    /// Why it did not start, or was killed.
    pub reason: Option<String>,
}

/// How a call of RunTask ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The ARN of the task.
    Started(String),
    /// Why there is no task, in ECS's words.
    NotPlaced(Vec<String>),
}

impl TaskView {
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.status == "STOPPED"
    }

    /// The same with ECS's texts as `redacted` returns them.
    #[must_use]
    pub fn with_texts(self, redacted: impl Fn(&str) -> String) -> Self {
        let text = |text: Option<String>| text.as_deref().map(&redacted);
        let containers = self.containers.into_iter();
        Self {
            stopped_reason: text(self.stopped_reason),
            containers: containers
                .map(|container| ContainerView {
                    reason: text(container.reason),
                    ..container
                })
                .collect(),
            ..self
        }
    }

    /// What a container exited with, if the task has it and it has ended.
    #[must_use]
    pub fn exit_code(&self, container: &str) -> Option<i32> {
        let mut containers = self.containers.iter();
        containers.find(|found| found.name == container)?.exit_code
    }
}
