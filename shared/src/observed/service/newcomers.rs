//! Tasks that a service got when it had proven its revision already: by automatic scaling, or in
//! place of tasks that were taken away. They are not part of the rollout.
//!
//! Everything here is pure. A task that may have replaced a failed one is not a newcomer: tasks
//! that crash are replaced one after the other, too.

use super::ServiceView;
use crate::limits::{PROVEN_BEFORE_PERCENT, REPLACED_WITHIN, TASK_PROOF};
use crate::timestamp::Timestamp;

/// When ECS created a task of the PRIMARY deployment's revision, and since when it runs, if it
/// does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskTimes {
    pub(crate) created: Option<Timestamp>,
    pub(crate) started: Option<Timestamp>,
}

impl TaskTimes {
    fn is_proven(self, at: Timestamp) -> bool {
        let age = self.started.map(|started| at.since(started));
        age.is_some_and(|age| age >= TASK_PROOF)
    }
}

/// A task that has stopped, or that ECS stops.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoppedTask<'a> {
    /// `stopCode` and `stoppedReason`.
    pub(crate) code: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    /// When it had stopped, if it has.
    pub(crate) at: Option<Timestamp>,
}

impl StoppedTask<'_> {
    /// Whether it stopped by itself or by its health, not because of what AWS or an operator did
    /// (Amazon ECS API: Task, `stopCode`;
    /// docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html). What is
    /// not known counts as a failure.
    fn has_failed(&self) -> bool {
        match self.code {
            Some(
                "UserInitiated" | "SpotInterruption" | "TerminationNotice" | "InfrastructureHealth",
            ) => false,
            // "Task failed ELB health checks in (…)" and "Task failed container health checks"
            // beside "Scaling activity initiated by (…)".
            Some("ServiceSchedulerInitiated") => self
                .reason
                .is_none_or(|reason| reason.contains("health checks")),
            _ => true,
        }
    }
}

/// The newcomers of a service, if none of them took the place of a task that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Newcomers {
    pub(crate) count: u32,
    /// When the first of them was created.
    since: Timestamp,
}

impl Newcomers {
    /// Whether a task of the revision, observed at this instant, is one of them.
    pub(crate) fn include(self, task: TaskTimes, at: Timestamp) -> bool {
        !task.is_proven(at) && task.created.is_some_and(|created| created >= self.since)
    }

    /// Whether one of them may have taken the place of this task, which had failed.
    pub(crate) fn may_replace(self, stopped: &StoppedTask<'_>) -> bool {
        let within = match stopped.code {
            Some("TaskFailedToStart") => REPLACED_WITHIN,
            _ => TASK_PROOF,
        };
        let is_recent = |at: Timestamp| self.since.since(at) <= within;
        stopped.has_failed() && stopped.at.is_none_or(is_recent)
    }
}

impl ServiceView {
    /// Tasks that have run for [`TASK_PROOF`].
    pub(crate) fn proven_of(&self, tasks: &[TaskTimes]) -> u32 {
        number(proven(tasks, self.observed_at))
    }

    /// Tasks that ECS created when [`PROVEN_BEFORE_PERCENT`] of the desired count had proven
    /// themselves, and that have not yet: once a rollout has ended, and none of it is left.
    pub(crate) fn newcomers_of(&self, tasks: &[TaskTimes]) -> Option<Newcomers> {
        let has_ended = self
            .primary()
            .is_some_and(|primary| self.is_completed(primary))
            && self.left_of_others().next().is_none();
        if !has_ended {
            return None;
        }

        let enough = (self.desired * PROVEN_BEFORE_PERCENT).div_ceil(100).max(1);
        let created: Vec<Timestamp> = tasks
            .iter()
            .filter(|task| !task.is_proven(self.observed_at))
            .filter_map(|task| task.created)
            .filter(|created| number(proven(tasks, *created)) >= enough)
            .collect();
        let since = *created.iter().min()?;
        Some(Newcomers {
            count: number(created.len()),
            since,
        })
    }
}

/// How many of the tasks had run for [`TASK_PROOF`] at an instant.
fn proven(tasks: &[TaskTimes], at: Timestamp) -> usize {
    tasks.iter().filter(|task| task.is_proven(at)).count()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::fixtures::{NEW, OLD, deployment, steady};
    use crate::observed::service::Rollout;

    /// This many seconds before the fixture is observed.
    fn ago(secs: i64) -> Timestamp {
        let observed_at = steady(NEW).observed_at;
        Timestamp::from_secs(observed_at.secs() - secs).expect("in range")
    }

    /// A task that was created, and has run, for these numbers of seconds.
    fn task(created: i64, started: Option<i64>) -> TaskTimes {
        TaskTimes {
            created: Some(ago(created)),
            started: started.map(ago),
        }
    }

    fn of(desired: u32) -> ServiceView {
        ServiceView {
            desired,
            ..steady(NEW)
        }
    }

    #[test]
    fn a_task_is_proven_once_it_has_run_for_a_minute() {
        let tasks = [
            task(90, Some(60)),
            task(90, Some(59)),
            task(900, None),
            task(700, Some(600)),
        ];
        assert_eq!(of(4).proven_of(&tasks), 2);
    }

    #[test]
    fn a_task_that_was_created_after_half_had_proven_themselves_is_a_newcomer() {
        let count = |desired: u32, tasks: &[TaskTimes]| {
            of(desired).newcomers_of(tasks).map(|found| found.count)
        };
        let old = task(500, Some(400));
        let young = task(50, Some(10));

        assert_eq!(count(2, &[old, young]), Some(1));
        assert_eq!(count(4, &[old, old, young, task(30, None)]), Some(2));
        assert_eq!(count(2, &[old, old]), None);
        // Fewer than half had.
        assert_eq!(count(3, &[old, young, young]), None);
        assert_eq!(count(1, &[young]), None);
        // They have now, and had not when the young ones were created: one wave of a rollout
        // follows the other.
        assert_eq!(count(2, &[task(90, Some(70)), task(40, Some(10))]), None);
        assert_eq!(
            count(2, &[task(190, Some(100)), task(40, Some(10))]),
            Some(1)
        );
        assert_eq!(count(2, &[task(190, Some(99)), task(40, Some(10))]), None);
        // A service without tasks needs none.
        assert_eq!(count(0, &[young]), None);

        let unknown = TaskTimes {
            created: None,
            ..young
        };
        assert_eq!(count(2, &[old, unknown]), None);
    }

    #[test]
    fn while_a_rollout_goes_on_there_are_no_newcomers() {
        let tasks = [task(500, Some(400)), task(50, Some(10))];
        for rollout in [Rollout::InProgress, Rollout::Failed] {
            let mut view = of(2);
            view.deployments[0].rollout = rollout;
            assert_eq!(view.newcomers_of(&tasks), None, "{rollout:?}");
        }

        let mut view = of(2);
        let old = deployment("ecs-svc/0", OLD, false, Rollout::Completed);
        view.deployments.push(old);
        assert_eq!(view.newcomers_of(&tasks), None);

        view.deployments.clear();
        assert_eq!(view.newcomers_of(&tasks), None);
    }

    #[test]
    fn a_newcomer_may_have_taken_the_place_of_a_task_that_could_not_start_half_an_hour_before() {
        let old = task(500, Some(400));
        let newcomers = of(3)
            .newcomers_of(&[old, old, task(80, None)])
            .expect("one");
        let never_ran = |at| {
            newcomers.may_replace(&StoppedTask {
                code: Some("TaskFailedToStart"),
                reason: None,
                at: Some(ago(at)),
            })
        };
        assert!(never_ran(1880) && !never_ran(1881), "ECS waits for so long");
    }

    #[test]
    fn a_newcomer_may_have_taken_the_place_of_a_task_that_failed_shortly_before() {
        let old = task(500, Some(400));
        let tasks = [old, old, task(50, Some(10)), task(80, None)];
        let newcomers = of(4).newcomers_of(&tasks).expect("two");
        let replaced = |code: Option<&str>, reason: Option<&str>, at: Option<i64>| {
            let at = at.map(ago);
            newcomers.may_replace(&StoppedTask { code, reason, at })
        };

        let exited = Some("EssentialContainerExited");
        let failed_at = |at| replaced(exited, Some("Essential container in task exited"), at);
        // The first was created 80 seconds ago.
        assert!(failed_at(Some(140)) && failed_at(Some(80)) && failed_at(Some(5)));
        assert!(!failed_at(Some(141)));
        assert!(failed_at(None), "it is stopping");

        let scheduler = Some("ServiceSchedulerInitiated");
        for (expected, code, reason) in [
            (true, Some("TaskFailedToStart"), "CannotPullContainerError"),
            (
                true,
                scheduler,
                "Task failed ELB health checks in (target-group web)",
            ),
            (true, scheduler, "Task failed container health checks"),
            (true, None, "unknown"),
            (true, Some("NewCode"), "unknown"),
            (
                false,
                scheduler,
                "Scaling activity initiated by (deployment ecs-svc/1)",
            ),
            (false, Some("UserInitiated"), "Task stopped by user"),
            (
                false,
                Some("SpotInterruption"),
                "Your Spot Task was interrupted.",
            ),
            (
                false,
                Some("TerminationNotice"),
                "Host EC2 (instance i-1) terminated.",
            ),
            (false, Some("InfrastructureHealth"), "unknown"),
        ] {
            let found = replaced(code, Some(reason), Some(90));
            assert_eq!(found, expected, "{code:?} {reason}");
        }
        assert!(replaced(scheduler, None, Some(90)), "why is not known");
    }

    /// What a service of ten tasks lacks, by how many have run for a minute, are newcomers, run at
    /// all and are healthy. Those that do not run are pending.
    fn missing([proven, newcomers, running, healthy]: [u32; 4]) -> Vec<String> {
        growing([proven, newcomers, running, healthy]).missing(NEW, 1)
    }

    fn growing([proven, newcomers, running, healthy]: [u32; 4]) -> ServiceView {
        let mut view = of(10);
        view.proven = proven;
        view.newcomers = newcomers;
        view.running = running;
        view.pending = 10 - running;
        view.deployments[0].running = running;
        view.deployments[0].pending = 10 - running;
        view.target_groups[0].healthy = healthy;
        view
    }

    #[test]
    fn newcomers_need_not_run_be_healthy_or_have_run_for_a_minute() {
        assert_eq!(missing([9, 1, 10, 10]), [""; 0]);
        assert_eq!(missing([9, 1, 9, 9]), [""; 0]);
        assert_eq!(missing([5, 5, 6, 5]), [""; 0]);

        let expected = "9 of 10 tasks have run for 1m00s";
        assert_eq!(missing([9, 0, 10, 10]), [expected]);
        let expected = "8 of 10 tasks have run for 1m00s";
        assert_eq!(missing([8, 1, 10, 10]), [expected]);
        let expected = "9 of 10 tasks running, 1 pending";
        assert_eq!(missing([9, 0, 9, 10]), [expected]);
        assert_eq!(missing([8, 1, 9, 10]), [expected]);
        // Those that had proven themselves must be healthy.
        let expected = "8 of 10 targets healthy in web";
        assert_eq!(missing([9, 1, 10, 8]), [expected]);
        assert_eq!(missing([9, 5, 10, 8]), [expected]);
    }

    #[test]
    fn newcomers_are_the_young_tasks_since_the_first_of_them() {
        let settled = [task(500, Some(400)), task(500, Some(400))];
        let young = [task(50, Some(10)), task(40, None)];
        let newcomers = of(4)
            .newcomers_of(&[&settled[..], &young[..]].concat())
            .expect("two");
        let include = |task: &TaskTimes| newcomers.include(*task, ago(0));

        assert!(young.iter().all(include));
        assert!(!settled.iter().any(include));
        // It was created before them, or has run for a minute since.
        assert!(!include(&task(51, None)));
        assert!(!newcomers.include(young[0], ago(-50)));
        assert!(newcomers.include(young[0], ago(-49)));
    }

    #[test]
    fn a_healthy_newcomer_stands_in_for_no_other_task() {
        let lacks = |healthy: u32, healthy_newcomers: u32| {
            let mut view = growing([9, 1, 10, healthy]);
            view.target_groups[0].healthy_newcomers = healthy_newcomers;
            view.missing(NEW, 1)
        };
        assert_eq!(lacks(10, 1), [""; 0]);
        assert_eq!(lacks(9, 0), [""; 0]);
        assert_eq!(lacks(9, 1), ["9 of 10 targets healthy in web"]);
    }

    #[test]
    fn newcomers_excuse_no_rollout_and_no_task_of_another_deployment() {
        let mut view = growing([9, 1, 9, 9]);
        view.deployments[0].rollout = Rollout::InProgress;
        let expected = [
            "the rollout is not completed",
            "9 of 10 tasks running, 1 pending",
        ];
        assert_eq!(view.missing(NEW, 1), expected);

        let mut view = growing([9, 1, 9, 9]);
        view.running += 1;
        assert_eq!(view.missing(NEW, 1), ["10 of 10 tasks running, 1 pending"]);

        // A task of the count is not there yet, or there is one too many.
        let mut view = growing([8, 2, 8, 8]);
        view.pending = 1;
        view.deployments[0].pending = 1;
        assert_eq!(view.missing(NEW, 1), ["8 of 10 tasks running, 1 pending"]);
        view.pending = 3;
        view.deployments[0].pending = 3;
        assert_eq!(view.missing(NEW, 1), ["8 of 10 tasks running, 3 pending"]);

        // It does not need newcomers beyond the desired count.
        let mut view = growing([10, 3, 10, 10]);
        view.running = 11;
        view.deployments[0].running = 11;
        assert_eq!(view.missing(NEW, 1), ["11 of 10 tasks running"]);
    }

    #[test]
    fn on_spot_newcomers_come_beside_tasks_that_are_replaced() {
        let mut view = growing([6, 0, 10, 6]);
        view.capacity_providers = vec!["FARGATE_SPOT".to_owned()];
        let expected = "6 of 10 targets healthy in web";
        assert_eq!(view.missing(NEW, 1), [expected]);

        view.newcomers = 4;
        assert_eq!(view.missing(NEW, 1), [""; 0]);
    }
}
