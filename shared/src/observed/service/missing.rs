//! What is missing until a release may call a service deployed.

use super::{DeploymentView, Rollout, Scheduling, ServiceView, revision};

impl ServiceView {
    /// What is missing until `task_definition` is truly deployed with `size` tasks or more; empty
    /// when it is.
    ///
    /// It is proven by counts: a change of count starts no deployment, a service without tasks is
    /// COMPLETED at once, and with early success criteria COMPLETED comes before old tasks are
    /// gone. Behind a Classic Load Balancer the health that it sees is not part of the proof.
    #[must_use]
    pub fn missing(&self, task_definition: &str, size: u32) -> Vec<String> {
        let mut missing = Vec::new();
        match self.primary() {
            None => missing.push("the service has no PRIMARY deployment".to_owned()),
            Some(primary) => {
                missing.extend(rollout_lacks(primary, task_definition));
                missing.extend(self.lacks_tasks(primary));
            }
        }

        missing.extend(self.left_of_others().map(|other| {
            format!(
                "not stopped: {} tasks of {}",
                other.running + other.pending,
                revision(&other.task_definition)
            )
        }));

        if self.scheduling == Scheduling::Replica && self.desired < size {
            missing.push(format!(
                "desired count is {}, expected {size} or more",
                self.desired
            ));
        }

        for group in self
            .target_groups
            .iter()
            .filter(|group| group.healthy < self.desired || group.unreachable > 0)
        {
            missing.push(group.health(self.desired));
        }

        missing
    }

    /// Whether ECS completes a rollout only when a bake time has ended, which it computes from the
    /// deployment alarms
    /// (docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html; Amazon
    /// ECS API: DeploymentEarlySuccessCriteria).
    #[must_use]
    pub fn bakes(&self) -> bool {
        self.deployment_alarms || self.early_success.is_some()
    }

    /// Whether nothing is missing as in [`Self::missing`] but the completion of a rollout that
    /// bakes.
    #[must_use]
    pub fn is_baking(&self, task_definition: &str, size: u32) -> bool {
        let mut completed = self.clone();
        for deployment in &mut completed.deployments {
            if deployment.primary && deployment.rollout == Rollout::InProgress {
                deployment.rollout = Rollout::Completed;
            }
        }

        self.bakes() && completed != *self && completed.missing(task_definition, size).is_empty()
    }

    /// Whether the PRIMARY deployment has all of its tasks, and no request reaches some of them.
    pub(crate) fn has_unreachable_tasks(&self) -> bool {
        let all_run = self
            .primary()
            .is_some_and(|primary| primary.running >= self.desired && primary.pending == 0);
        all_run && self.target_groups.iter().any(|group| group.unreachable > 0)
    }

    fn lacks_tasks(&self, primary: &DeploymentView) -> Option<String> {
        if self.moves_task(primary) {
            return None;
        }
        if self.running != self.desired || self.pending > 0 {
            let pending = match self.pending {
                0 => String::new(),
                pending => format!(", {pending} pending"),
            };
            let running = self.running;
            return Some(format!(
                "{running} of {} tasks running{pending}",
                self.desired
            ));
        }

        (primary.running != self.desired).then(|| {
            format!(
                "{} of {} tasks run {}",
                primary.running,
                self.desired,
                revision(&primary.task_definition)
            )
        })
    }

    /// Whether the PRIMARY deployment has all of its tasks and one more: to rebalance, ECS starts a
    /// task in one Availability Zone before it stops one in another, one after the other for as
    /// long as they are uneven
    /// (docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html).
    fn moves_task(&self, primary: &DeploymentView) -> bool {
        let of_primary = primary.running + primary.pending;
        self.rebalancing
            && primary.running >= self.desired
            && of_primary == self.desired + 1
            && self.running + self.pending == of_primary
    }
}

/// What the PRIMARY deployment lacks by its revision and its rollout state.
fn rollout_lacks(primary: &DeploymentView, task_definition: &str) -> Option<String> {
    if primary.task_definition != task_definition {
        return Some(format!(
            "the PRIMARY deployment runs {}",
            revision(&primary.task_definition)
        ));
    }

    match primary.rollout {
        Rollout::InProgress => Some("the rollout is not completed".to_owned()),
        Rollout::Failed => Some("the rollout failed".to_owned()),
        Rollout::Completed | Rollout::Absent => None,
    }
}
