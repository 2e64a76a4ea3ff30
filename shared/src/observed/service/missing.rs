//! What is missing until a release may call a service deployed.

use super::{DeploymentView, Rollout, Scheduling, ServiceView, revision, short_name};
use crate::limits::{MINIMUM_HEALTHY_PERCENT, TASK_PROOF};
use crate::timestamp::readable;

impl ServiceView {
    /// What is missing until `task_definition` is truly deployed with `size` tasks or more; empty
    /// when it is.
    ///
    /// It is proven by counts: a change of count starts no deployment, a service without tasks is
    /// COMPLETED at once, and with early success criteria COMPLETED comes before old tasks are
    /// gone. Behind a Classic Load Balancer the health that it sees is not part of the proof. Tasks
    /// that exit again and again are healthy for a moment: each must have run for [`TASK_PROOF`],
    /// but those that came once the revision was proven.
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

        let settled = self.desired - self.excused();
        let enough = if self.is_on_spot() {
            settled.min(self.all_but(self.desired))
        } else {
            settled
        };
        for group in self
            .target_groups
            .iter()
            .filter(|group| group.healthy_settled() < enough || group.unreachable > 0)
        {
            missing.push(group.health(self.desired));
        }

        if missing.is_empty() {
            missing.extend(self.lacks_proof());
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
    /// bakes, and the time that tasks have run.
    #[must_use]
    pub fn is_baking(&self, task_definition: &str, size: u32) -> bool {
        let mut completed = self.clone();
        for deployment in &mut completed.deployments {
            if deployment.primary && deployment.rollout == Rollout::InProgress {
                deployment.rollout = Rollout::Completed;
            }
        }

        let is_rolling_out = completed != *self;
        completed.proven = completed.desired;
        self.bakes() && is_rolling_out && completed.missing(task_definition, size).is_empty()
    }

    /// Whether all that is missing is the time that tasks have run.
    pub(crate) fn awaits_proof(&self, missing: &[String]) -> bool {
        self.lacks_proof().is_some_and(|lack| missing == [lack])
    }

    /// Whether the PRIMARY deployment has all of its tasks, and no request reaches some of them.
    pub(crate) fn has_unreachable_tasks(&self) -> bool {
        let all_run = self
            .primary()
            .is_some_and(|primary| primary.running >= self.desired && primary.pending == 0);
        all_run && self.target_groups.iter().any(|group| group.unreachable > 0)
    }

    /// What is waited for if nothing else is missing, in words: the end of a bake time, or tasks
    /// that have just started.
    pub(crate) fn last_wait(&self, missing: &[String], is_baking: bool) -> String {
        match (is_baking, self.deployment_alarms) {
            (true, true) => "ECS is watching its alarms; ".to_owned(),
            (true, false) => "ECS has not ended its bake time; ".to_owned(),
            (false, _) if self.awaits_proof(missing) => format!("{}; ", missing[0]),
            (false, _) => String::new(),
        }
    }

    /// Tasks that have not run long enough. Those that ECS moves to another Availability Zone are
    /// no sign of a crash, and neither are those that Spot took back.
    fn lacks_proof(&self) -> Option<String> {
        let moving = self.movable();
        let replaced = if self.is_on_spot() {
            self.desired
        } else {
            moving
        };
        (self.proven + self.excused() < self.all_but(replaced)).then(|| {
            format!(
                "{} of {} tasks have run for {}",
                self.proven,
                self.desired,
                readable(TASK_PROOF)
            )
        })
    }

    /// Newcomers that the desired count needs: they need not run, be healthy or have run for long.
    fn excused(&self) -> u32 {
        let lacking = self.desired.saturating_sub(self.proven);
        self.newcomers.min(lacking)
    }

    /// The desired count without `replaced` tasks that ECS may be replacing; never less than
    /// [`MINIMUM_HEALTHY_PERCENT`] of it.
    fn all_but(&self, replaced: u32) -> u32 {
        let fewest = (self.desired * MINIMUM_HEALTHY_PERCENT).div_ceil(100);
        self.desired.saturating_sub(replaced).max(fewest)
    }

    fn lacks_tasks(&self, primary: &DeploymentView) -> Option<String> {
        if self.moves_tasks(primary) || self.replaces_tasks(primary) || self.gets_tasks(primary) {
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

    /// Whether some tasks run on capacity that AWS takes back when it needs it
    /// (docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html).
    fn is_on_spot(&self) -> bool {
        let mut providers = self.capacity_providers.iter();
        providers.any(|provider| short_name(provider) == "FARGATE_SPOT")
    }

    /// Whether a rollout on Spot has ended, and most tasks have proven themselves since: a service
    /// of many such tasks is never at rest, because one or another is being replaced.
    fn replaces_tasks(&self, primary: &DeploymentView) -> bool {
        self.is_on_spot()
            && primary.rollout == Rollout::Completed
            && self.has_only(primary)
            && self.proven >= self.all_but(self.desired)
    }

    /// Whether a rollout has ended, and all that the service lacks are newcomers: one that
    /// automatic scaling changes again and again is seldom at rest.
    fn gets_tasks(&self, primary: &DeploymentView) -> bool {
        primary.rollout == Rollout::Completed
            && self.excused() > 0
            && self.proven + self.excused() >= self.desired
            && primary.running + primary.pending == self.desired
            && self.has_only(primary)
    }

    /// Whether all tasks of the service are those of a deployment.
    fn has_only(&self, deployment: &DeploymentView) -> bool {
        self.running + self.pending == deployment.running + deployment.pending
    }

    /// Whether the PRIMARY deployment has all of its tasks, and besides them those that take the
    /// place of others.
    fn moves_tasks(&self, primary: &DeploymentView) -> bool {
        let of_primary = primary.running + primary.pending;
        primary.running >= self.desired
            && of_primary > self.desired
            && of_primary <= self.desired + self.movable()
            && self.running + self.pending == of_primary
    }

    /// How many tasks ECS may be moving between Availability Zones: to rebalance, it starts tasks
    /// in one zone, within the maximum, before it stops as many in another, and again for as long
    /// as they are uneven. How many at once is not documented
    /// (docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html).
    fn movable(&self) -> u32 {
        if self.rebalancing {
            let most = self.percentages.ceiling(self.desired);
            most.saturating_sub(self.desired)
        } else {
            0
        }
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
