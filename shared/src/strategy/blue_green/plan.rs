//! The plan of a traffic shift: its steps, how long each bakes, and the health that the new colour
//! must keep.

use std::time::Duration;

use crate::limits::FUNCTION_TIMEOUT;

/// The plan of a traffic shift.
#[derive(Clone, Debug)]
pub struct ShiftPlan {
    /// The revision that the new colour must run.
    pub task_definition: String,
    /// Percentages of the traffic that the new colour gets, rising.
    pub steps: Vec<u32>,
    /// How long each step but the last bakes.
    pub step_bake: Duration,
    /// How long the last step bakes.
    pub last_bake: Duration,
    /// Tasks that the new colour was filled with.
    pub filled: u32,
    /// For how long clients may still use a DNS answer from before a step; none with a listener
    /// rule.
    pub answers: Duration,
    /// Share of its tasks that must stay healthy while it has traffic, in percent.
    pub minimum_healthy_percent: u32,
    /// The most tasks that automatic scaling gives the new colour; none without it, and where it
    /// was not read because the colour is large enough.
    pub max_capacity: Option<u32>,
}

impl ShiftPlan {
    /// Healthy targets that a colour with this many tasks must have to keep its traffic:
    /// `ceil(tasks × minimum / 100)`, at least 1.
    #[must_use]
    pub(crate) fn required_healthy(&self, tasks: u32) -> u32 {
        (tasks * self.minimum_healthy_percent).div_ceil(100).max(1)
    }

    /// How long the traffic stays as it is at `percent`, before the next step or the end. An
    /// invocation that announced a shift and hung can still set its weights within a function's
    /// time-out, so no step is shorter. Clients follow records once their DNS answers have expired:
    /// the bake begins then.
    #[must_use]
    pub fn bake(&self, percent: u32) -> Duration {
        let is_last = self.steps.last().is_none_or(|last| percent >= *last);
        let bake = if is_last {
            self.last_bake
        } else {
            self.step_bake
        };

        bake.max(FUNCTION_TIMEOUT) + self.answers
    }

    /// How long the bakes of the steps above `percent` take.
    #[must_use]
    pub fn left(&self, percent: u32) -> Duration {
        let steps = self.steps.iter().filter(|step| **step > percent);
        steps.map(|step| self.bake(*step)).sum()
    }

    /// How far the shift is, 0 to 99, by the time that all bakes take.
    #[must_use]
    pub fn progress(&self, percent: u32, baked: Duration) -> u8 {
        let total: Duration = self.steps.iter().map(|step| self.bake(*step)).sum();
        let before: Duration = self
            .steps
            .iter()
            .filter(|step| **step < percent)
            .map(|step| self.bake(*step))
            .sum();
        let here = if percent > 0 {
            baked.min(self.bake(percent))
        } else {
            Duration::ZERO
        };

        let done = (before + here).as_secs() * 100;
        u8::try_from(done.checked_div(total.as_secs()).unwrap_or(0).min(99)).unwrap_or(99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::blue_green::fixtures::plan;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_required_health_is_the_share_of_the_tasks_rounded_up_and_one_at_least() {
        let required = |tasks, minimum_healthy_percent| {
            ShiftPlan {
                minimum_healthy_percent,
                ..plan()
            }
            .required_healthy(tasks)
        };

        assert_eq!(
            [
                required(4, 75),
                required(5, 75),
                required(8, 75),
                required(3, 100)
            ],
            [3, 4, 6, 3]
        );
        assert_eq!(
            [
                required(1, 1),
                required(10, 1),
                required(0, 75),
                required(100, 1),
                required(101, 1)
            ],
            [1, 1, 1, 1, 2]
        );
    }

    #[test]
    fn what_is_left_are_the_bakes_of_the_steps_above_a_share() {
        let left = [0, 20, 49, 50, 100].map(|percent| plan().left(percent).as_secs());
        assert_eq!(left, [840, 720, 720, 600, 0]);
    }

    #[test]
    fn each_step_has_its_own_bake_and_none_is_shorter_than_an_invocation() {
        let bakes =
            |plan: &ShiftPlan| [1, 20, 50, 99, 100].map(|percent| plan.bake(percent).as_secs());
        assert_eq!(bakes(&plan()), [120, 120, 120, 120, 600]);

        let short = ShiftPlan {
            step_bake: 59 * SECOND,
            last_bake: Duration::ZERO,
            ..plan()
        };
        assert_eq!(bakes(&short), [60, 60, 60, 60, 60]);

        let once = ShiftPlan {
            steps: vec![50],
            ..plan()
        };
        assert_eq!(bakes(&once), [120, 120, 600, 600, 600]);

        let by_records = ShiftPlan {
            answers: 30 * SECOND,
            ..plan()
        };
        assert_eq!(bakes(&by_records), [150, 150, 150, 150, 630]);
    }

    #[test]
    fn progress_is_the_share_of_the_time_that_all_bakes_take() {
        let at = |percent, secs| plan().progress(percent, Duration::from_secs(secs));
        assert_eq!([at(0, 0), at(0, 500)], [0, 0]);
        assert_eq!(
            [at(20, 0), at(20, 60), at(20, 120), at(20, 900)],
            [0, 7, 14, 14]
        );
        assert_eq!(
            [
                at(50, 0),
                at(50, 120),
                at(100, 0),
                at(100, 300),
                at(100, 9000)
            ],
            [14, 28, 28, 64, 99]
        );

        let none = ShiftPlan {
            steps: Vec::new(),
            ..plan()
        };
        assert_eq!(none.progress(100, SECOND), 0);
    }
}
