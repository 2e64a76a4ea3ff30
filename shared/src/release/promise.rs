//! What a release promises of the tasks of its service while they are replaced, and the percentages
//! that keep it: a number of tasks is another percentage of another count.

use serde::{Deserialize, Serialize};

use crate::observed::percentages::Percentages;

/// The bounds of a rollout and of its rollback, whatever the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// Tasks that stay healthy.
    pub minimum: PromisedBound,
    /// Tasks that may run at once.
    pub maximum: PromisedBound,
}

/// One bound of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromisedBound {
    /// Percent of the desired count.
    Percent(u32),
    /// This many tasks.
    Tasks(u32),
    /// One task away from the desired count, fewer as a minimum and more as a maximum.
    OneTask,
}

impl Promise {
    /// The percentages that keep the promise for `desired` tasks.
    ///
    /// Of the percentages that keep a number of tasks equally well, the one is taken that works
    /// best when the count changes: the largest minimum keeps most tasks, and the largest maximum
    /// leaves a rollout most room. One task fewer never gives up the only one: an outage must be
    /// requested explicitly, by 0 tasks. ECS refuses a minimum of 100 % with a maximum of 100 %, so
    /// that all of fewer than 100 tasks are kept by 99 %.
    #[must_use]
    pub fn percentages(self, desired: u32) -> Percentages {
        let maximum = match self.maximum {
            PromisedBound::Percent(percent) => percent,
            PromisedBound::Tasks(tasks) => maximum_of(desired, tasks),
            PromisedBound::OneTask => one_more(desired),
        };
        let minimum_healthy = match self.minimum {
            PromisedBound::Percent(percent) => percent,
            PromisedBound::Tasks(tasks) => match minimum_of(desired, tasks) {
                100 if maximum == 100 && desired < 100 => 99,
                percent => percent,
            },
            PromisedBound::OneTask => one_fewer(desired),
        };

        Percentages {
            minimum_healthy,
            maximum,
        }
    }
}

/// The largest percentage that keeps the fewest tasks healthy, but at least `tasks` of `desired`:
/// one of 2 tasks is 50 %, which keeps 10 of 20, and not 1 %.
fn minimum_of(desired: u32, tasks: u32) -> u32 {
    let floor = |percent| {
        let percentages = Percentages {
            minimum_healthy: percent,
            maximum: 100,
        };
        percentages.floor(desired)
    };

    let kept = (0..=100).map(floor).find(|kept| *kept >= tasks);
    let kept = kept.unwrap_or(desired);
    (0..=100)
        .rev()
        .find(|percent| floor(*percent) == kept)
        .unwrap_or(100)
}

/// The largest percentage that allows the most tasks to run, but at most `tasks` for `desired`: no
/// more than 4 tasks for 4 is 124 %, which a service with Availability Zone rebalancing takes, and
/// 5 for 4 is 149 %, which has room for one more task of 3 too.
fn maximum_of(desired: u32, tasks: u32) -> u32 {
    let ceiling = |percent| {
        let percentages = Percentages {
            minimum_healthy: 100,
            maximum: percent,
        };
        percentages.ceiling(desired)
    };

    let allowed = (100..=200).rev().map(ceiling).find(|most| *most <= tasks);
    let allowed = allowed.unwrap_or(desired);
    (100..=200)
        .rev()
        .find(|percent| ceiling(*percent) == allowed)
        .unwrap_or(100)
}

/// One task fewer than desired where a whole percentage can express it (up to 100 tasks), 99 %
/// above, and never the last one.
fn one_fewer(desired: u32) -> u32 {
    match desired {
        0 | 1 => 99,
        _ => minimum_of(desired, desired - 1).min(99),
    }
}

/// One task more than desired where a whole percentage can express it (up to 199 tasks), and 101 %
/// above, so that a rollout has room for one at least.
fn one_more(desired: u32) -> u32 {
    maximum_of(desired, desired + 1).max(101)
}
