//! What an ECS service looks like at one instant, and whether that is the truth that a release claims.

use std::fmt::Write as _;

use crate::strategy::Percentages;
use crate::timestamp::Timestamp;

/// A service as one observation saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    pub observed_at: Timestamp,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    pub desired: u32,
    pub running: u32,
    pub pending: u32,
    pub percentages: Percentages,
    pub scheduling: Scheduling,
    /// Who controls deployments: `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    pub controller: String,
    /// How ECS deploys: `ROLLING`, or one of its own `BLUE_GREEN`, `LINEAR`, `CANARY`.
    pub strategy: String,
    /// Whether it bears the tag `slipway:service`, without which the functions' roles may not change it.
    pub tagged: bool,
    pub deployments: Vec<DeploymentView>,
    pub target_groups: Vec<TargetGroupView>,
    /// The newest messages of the service first, as ECS words them.
    pub messages: Vec<String>,
}

/// How ECS places the tasks of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduling {
    Replica,
    Daemon,
}

/// One deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentView {
    pub id: String,
    pub primary: bool,
    pub task_definition: String,
    pub rollout: Rollout,
    pub reason: String,
    pub desired: u32,
    pub running: u32,
    pub failed_tasks: u32,
}

/// `rolloutState` of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    InProgress,
    Completed,
    Failed,
}

/// A target group that a service registers its tasks with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetGroupView {
    pub arn: String,
    pub healthy: u32,
    pub registered: u32,
}

impl TargetGroupView {
    /// The name inside the ARN, for sentences.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.split('/').nth(1).unwrap_or(&self.arn)
    }
}

impl ServiceView {
    /// The deployment that ECS works towards.
    #[must_use]
    pub fn primary(&self) -> Option<&DeploymentView> {
        self.deployments
            .iter()
            .find(|deployment| deployment.primary)
    }

    /// What keeps the service from being truly deployed with `task_definition` at `size` tasks or more; empty when it is.
    ///
    /// COMPLETED alone is not enough: a change of count starts no deployment, and with no tasks everything is COMPLETED.
    #[must_use]
    pub fn missing(&self, task_definition: &str, size: u32) -> Vec<String> {
        let mut missing = Vec::new();
        match self.primary() {
            None => missing.push("the service has no PRIMARY deployment".to_owned()),
            Some(primary) if primary.task_definition != task_definition => {
                missing.push(format!(
                    "the PRIMARY deployment runs {}",
                    revision(&primary.task_definition)
                ));
            }
            Some(primary) if primary.rollout != Rollout::Completed => {
                missing.push("the rollout is not completed".to_owned())
            }
            Some(_) => {}
        }
        if self.running != self.desired || self.pending > 0 {
            let pending = if self.pending > 0 {
                format!(", {} pending", self.pending)
            } else {
                String::new()
            };
            missing.push(format!(
                "{} of {} tasks running{pending}",
                self.running, self.desired
            ));
        }
        if self.scheduling == Scheduling::Replica && self.desired < size {
            missing.push(format!(
                "desired count is {}, asked for {size}",
                self.desired
            ));
        }
        for group in self
            .target_groups
            .iter()
            .filter(|group| group.healthy < self.desired)
        {
            missing.push(format!(
                "{} of {} targets healthy in {}",
                group.healthy,
                self.desired,
                group.name()
            ));
        }
        missing
    }

    /// Where a rollout of `task_definition` stands, for a person: counts, health and the newest message.
    #[must_use]
    pub fn progress(&self, task_definition: &str) -> String {
        let new = self
            .deployments
            .iter()
            .find(|deployment| deployment.task_definition == task_definition);
        let mut text = match new {
            Some(new) => format!("{} of {} new tasks running", new.running, self.desired),
            None => format!("{} of {} tasks running", self.running, self.desired),
        };
        for group in &self.target_groups {
            let _ = write!(
                text,
                ", {} of {} targets healthy in {}",
                group.healthy,
                group.registered,
                group.name()
            );
        }
        if let Some(failed) = new.map(|new| new.failed_tasks).filter(|failed| *failed > 0) {
            let _ = write!(text, ", {failed} failed to start");
        }
        text
    }

    /// How far a rollout is, 0 to 99: half for new tasks that run, half for old ones that have gone. It is whole only when it
    /// is reported as done.
    #[must_use]
    pub fn percent(&self, task_definition: &str) -> u8 {
        let running = |new: bool| {
            let counted = self
                .deployments
                .iter()
                .filter(|d| (d.task_definition == task_definition) == new);
            counted.map(|d| d.running).sum::<u32>().min(self.desired)
        };
        let done = running(true) + (self.desired - running(false));
        u8::try_from((done * 50).checked_div(self.desired).unwrap_or(0).min(99)).unwrap_or(99)
    }
}

/// Refuses what is not the ARN of one revision, which is how a service names what it runs.
///
/// # Errors
/// A sentence with what was found, what is legal and what to do.
pub fn check_revision_arn(text: &str) -> Result<(), String> {
    let revision = text
        .split_once(":task-definition/")
        .and_then(|(_, name)| name.rsplit_once(':'));
    match revision {
        Some((family, number))
            if text.starts_with("arn:") && !family.is_empty() && number.parse::<u32>().is_ok() =>
        {
            Ok(())
        }
        _ => Err(format!(
            "`task_definition` is `{text}`; expected the ARN of a revision, arn:…:task-definition/<family>:<revision>; use the output variable #{{Register.TaskDefinitionArn}}"
        )),
    }
}

/// `family:revision` of a task definition ARN, for sentences.
#[must_use]
pub fn revision(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The family of a task definition ARN.
#[must_use]
pub fn family(arn: &str) -> &str {
    revision(arn)
        .rsplit_once(':')
        .map_or(arn, |(family, _)| family)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const OLD: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";
    pub(crate) const NEW: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

    pub(crate) fn deployment(
        id: &str,
        task_definition: &str,
        primary: bool,
        rollout: Rollout,
    ) -> DeploymentView {
        let (task_definition, reason) = (task_definition.to_owned(), String::new());
        DeploymentView {
            id: id.to_owned(),
            primary,
            task_definition,
            rollout,
            reason,
            desired: 2,
            running: 2,
            failed_tasks: 0,
        }
    }

    pub(crate) fn steady(task_definition: &str) -> ServiceView {
        ServiceView {
            observed_at: Timestamp::from_secs(1_767_603_600).expect("in range"),
            status: "ACTIVE".to_owned(),
            desired: 2,
            running: 2,
            pending: 0,
            percentages: Percentages {
                minimum_healthy: 100,
                maximum: 200,
            },
            scheduling: Scheduling::Replica,
            controller: "ECS".to_owned(),
            strategy: "ROLLING".to_owned(),
            tagged: true,
            deployments: vec![deployment(
                "ecs-svc/1",
                task_definition,
                true,
                Rollout::Completed,
            )],
            target_groups: vec![TargetGroupView {
                arn: "arn:…:targetgroup/web/0123456789abcdef".to_owned(),
                healthy: 2,
                registered: 2,
            }],
            messages: Vec::new(),
        }
    }

    #[test]
    fn only_the_arn_of_a_revision_names_what_a_service_runs() {
        assert_eq!(check_revision_arn(NEW), Ok(()));
        for text in [
            "",
            "web:2",
            "web",
            "arn:aws:ecs:eu-west-1:111122223333:task-definition/web",
            "arn:aws:ecs:eu-west-1:111122223333:service/web:2",
        ] {
            assert!(check_revision_arn(text).is_err(), "{text} was taken");
        }
    }

    type Spoil = fn(&mut ServiceView);

    #[test]
    fn completed_is_not_the_whole_truth() {
        assert_eq!(steady(NEW).missing(NEW, 2), Vec::<String>::new());
        let cases: Vec<(&str, Spoil)> = vec![
            ("runs web:1", |v| {
                v.deployments[0].task_definition = OLD.to_owned()
            }),
            ("not completed", |v| {
                v.deployments[0].rollout = Rollout::InProgress
            }),
            ("1 of 2 tasks running", |v| v.running = 1),
            ("desired count is 0, asked for 2", |v| {
                (v.desired, v.running) = (0, 0)
            }),
            ("1 of 2 targets healthy in web", |v| {
                v.target_groups[0].healthy = 1
            }),
        ];
        for (expected, spoil) in cases {
            let mut view = steady(NEW);
            spoil(&mut view);
            let missing = view.missing(NEW, 2).join("; ");
            assert!(missing.contains(expected), "{missing} lacks {expected}");
        }
    }

    #[test]
    fn a_revision_that_is_refused_is_quoted() {
        for text in [
            "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:latest",
            "arn:aws:ecs:eu-west-1:111122223333:task-definition/:2",
            "aws:ecs:eu-west-1:111122223333:task-definition/web:2",
        ] {
            let refusal = check_revision_arn(text).expect_err("not the ARN of a revision");
            assert!(
                refusal.contains(&format!("`task_definition` is `{text}`")),
                "{refusal}"
            );
            assert!(
                refusal.contains("arn:…:task-definition/<family>:<revision>"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn names_are_taken_out_of_arns() {
        assert_eq!((revision(NEW), family(NEW)), ("web:2", "web"));
        assert_eq!((revision("web:2"), family("web:2")), ("web:2", "web"));
        assert_eq!(steady(NEW).target_groups[0].name(), "web");
        let unnamed = TargetGroupView {
            arn: "web".to_owned(),
            healthy: 0,
            registered: 0,
        };
        assert_eq!(unnamed.name(), "web");
    }

    #[test]
    fn all_that_keeps_a_service_from_being_deployed_is_listed_by_value() {
        let cases: Vec<(&[&str], Spoil)> = vec![
            (&["the service has no PRIMARY deployment"], |v| {
                v.deployments[0].primary = false
            }),
            (&["the PRIMARY deployment runs web:1"], |v| {
                v.deployments[0] = deployment("ecs-svc/1", OLD, true, Rollout::InProgress);
            }),
            (&["the rollout is not completed"], |v| {
                v.deployments[0].rollout = Rollout::Failed
            }),
            (&["2 of 2 tasks running, 1 pending"], |v| v.pending = 1),
            (&["3 of 2 tasks running"], |v| v.running = 3),
            (&[], |v| v.target_groups[0].healthy = 5),
            (&["desired count is 1, asked for 2"], |v| {
                (v.desired, v.running) = (1, 1)
            }),
            // A daemon service has as many tasks as instances, whatever a release asks for.
            (&[], |v| {
                (v.desired, v.running, v.scheduling) = (1, 1, Scheduling::Daemon)
            }),
            (
                &[
                    "the rollout is not completed",
                    "1 of 2 tasks running",
                    "0 of 2 targets healthy in web",
                ],
                |v| {
                    v.deployments[0].rollout = Rollout::InProgress;
                    (v.running, v.target_groups[0].healthy) = (1, 0);
                },
            ),
            (&["1 of 2 targets healthy in admin"], |v| {
                let arn = "arn:…:targetgroup/admin/0123456789abcdef".to_owned();
                v.target_groups.push(TargetGroupView {
                    arn,
                    healthy: 1,
                    registered: 2,
                });
            }),
        ];
        for (expected, spoil) in cases {
            let mut view = steady(NEW);
            spoil(&mut view);
            assert_eq!(view.missing(NEW, 2), expected);
        }
    }

    #[test]
    fn progress_counts_new_tasks_targets_and_failures() {
        let mut view = steady(OLD);
        assert_eq!(
            view.progress(NEW),
            "2 of 2 tasks running, 2 of 2 targets healthy in web"
        );
        let rolling = DeploymentView {
            running: 1,
            failed_tasks: 3,
            ..deployment("ecs-svc/2", NEW, true, Rollout::InProgress)
        };
        view.deployments.push(rolling);
        view.target_groups[0].registered = 4;
        let text = "1 of 2 new tasks running, 2 of 4 targets healthy in web, 3 failed to start";
        assert_eq!(view.progress(NEW), text);
    }

    #[test]
    fn a_rollout_is_half_way_when_all_new_tasks_run_beside_all_old_ones() {
        let percent = |new, old, desired| {
            let mut view = steady(OLD);
            view.desired = desired;
            view.deployments[0].running = old;
            view.deployments.push(DeploymentView {
                running: new,
                ..deployment("ecs-svc/2", NEW, true, Rollout::InProgress)
            });
            view.percent(NEW)
        };
        assert_eq!(
            [
                percent(0, 2, 2),
                percent(1, 2, 2),
                percent(2, 2, 2),
                percent(2, 1, 2)
            ],
            [0, 25, 50, 75]
        );
        assert_eq!(
            [percent(2, 0, 2), percent(5, 7, 2), percent(0, 0, 0)],
            [99, 50, 0]
        );
    }
}
