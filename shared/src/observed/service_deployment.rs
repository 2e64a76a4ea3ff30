//! Service deployments: how ECS ended what it deployed to a service.

/// One service deployment. A rollback by ECS belongs to the one that it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceDeploymentView {
    /// The id of the service revision that it deploys.
    pub revision: String,
    /// Such as `IN_PROGRESS`, `STOPPED` or `ROLLBACK_SUCCESSFUL`.
    pub status: String,
    /// The reason of the status, as ECS words it; empty if there is none.
    pub reason: String,
    /// What the circuit breaker counted, if it tripped.
    pub tripped: Option<Tripped>,
    /// The deployment alarms that were found in ALARM.
    pub alarms: Vec<String>,
}

/// The arithmetic of a circuit breaker that tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tripped {
    pub failed_tasks: u32,
    pub threshold: u32,
}

impl ServiceDeploymentView {
    /// Whether it deploys the service revision of a deployment, by its id such as `ecs-svc/12`.
    #[must_use]
    pub fn is_of(&self, deployment: &str) -> bool {
        deployment.rsplit('/').next() == Some(self.revision.as_str())
    }

    /// Whether nothing has ended it but its success, so that its deployment is PRIMARY.
    #[must_use]
    pub fn stands(&self) -> bool {
        ["PENDING", "IN_PROGRESS", "SUCCESSFUL"].contains(&self.status.as_str())
    }

    /// Why ECS gave it up; `None` if ECS did not.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        if let Some(tripped) = self.tripped {
            return Some(format!(
                "the circuit breaker tripped after {} failed tasks (threshold {})",
                tripped.failed_tasks, tripped.threshold
            ));
        }

        match self.alarms.as_slice() {
            // An operator's StopServiceDeployment rolls back as well.
            [] if !self.status.starts_with("ROLLBACK_") => None,
            [] if self.reason.is_empty() => Some(format!("its status is {}", self.status)),
            [] => Some(self.reason.clone()),
            [alarm] => Some(format!("alarm {alarm} is in ALARM")),
            alarms => Some(format!("alarms {} are in ALARM", alarms.join(", "))),
        }
    }
}
