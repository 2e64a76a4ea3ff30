//! Plays a burst in virtual time, and checks that no start was lost and that nothing was registered
//! faster than ECS allows.

use std::time::Duration;

use emulator::codepipeline::{ActionStatus, Execution, ExecutionStatus};
use emulator::lambda::InvocationStatus;
use emulator::{Aws, Millis, Rate};
use harness::driver::{Driver, Fault, run};
use invariants::deliveries::{self, Delivered};
use invariants::ledger_reader::digest;
use serde_json::Value;

use super::account::{self, Account, REGISTER};
use super::figures::{Figures, Hour};
use super::memory;
use crate::delivery::PREFIX;
use crate::pushes::image::{self, Content};

/// How long nothing is pushed at first, so that the sweeps have begun.
const QUIET: Duration = Duration::from_secs(60);
/// Longest that the releases may take to register their task definitions.
const LIMIT: Duration = Duration::from_secs(4 * 3_600);
const LOOK: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// The limit of ECS for RegisterTaskDefinition: 20 at once, and one more each second.
///
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html>
const REGISTRATIONS: Rate = Rate {
    burst: 20,
    per_second: 1,
};
/// Where the numbers of the pushed images begin, beyond those of the first ones.
const IMAGES: u64 = 1_000_000;

/// How much comes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub subscriptions: usize,
    /// Pushes at one instant, to the repositories of as many subscriptions.
    pub pushes: usize,
    /// How fast CodePipeline starts executions, if it is limited.
    pub starts: Option<Rate>,
    /// How long only the sweeps go on afterwards.
    pub hours: usize,
}

/// Plays it.
///
/// # Errors
/// What the account refused, or what did not hold.
pub fn play(load: Load) -> Result<Figures, String> {
    let Account { mut aws, delivered } = account::made(load)?;
    aws.quotas.starts = load.starts;
    aws.quotas.limits_partitions = true;
    run(aws, Fault::None, async |driver| {
        pass(&driver, QUIET).await;
        forget(&mut driver.world.aws());
        let pushed = &delivered[..load.pushes];
        let mut figures = burst(&driver, pushed).await?;
        for _ in 0..load.hours {
            figures.hours.push(hour(&driver).await);
        }
        check_others(&driver.world.aws(), pushed)?;
        Ok(figures)
    })
}

/// Pushes an image to each repository at once, and waits until all are registered.
async fn burst(driver: &Driver, pushed: &[Delivered]) -> Result<Figures, String> {
    let before = memory::resident();
    let began = driver.world.clock.now();
    for (number, one) in (IMAGES..).zip(pushed) {
        let tag = format!("{PREFIX}1.0.0");
        let aws = &mut driver.world.aws();
        image::push(aws, &one.repository, &tag, Content::Image, number)?;
    }
    driver.world.touch();

    while !all_registered(&driver.world.aws(), pushed.len())? {
        if driver.world.clock.now() - began > LIMIT.as_millis() as Millis {
            let aws = driver.world.aws();
            let (starts, pushes) = (started(&aws).count(), pushed.len());
            let registered = started(&aws).filter(|it| is_registered(it)).count();
            return Err(format!(
                "after {} min {starts} of {pushes} pushes were started, and {registered} \
                 registered",
                LIMIT.as_secs() / 60
            ));
        }
        pass(driver, LOOK).await;
    }

    let aws = driver.world.aws();
    deliveries::kept(&aws, pushed)?;
    let mut figures = Figures::of(&aws, began);
    check_rate(&figures.registered)?;
    figures.memory_before = before;
    figures.memory_after = memory::resident();
    Ok(figures)
}

/// An hour in which nothing is pushed.
async fn hour(driver: &Driver) -> Hour {
    forget(&mut driver.world.aws());
    pass(driver, HOUR).await;
    Hour::of(&driver.world.aws(), memory::resident())
}

async fn pass(driver: &Driver, time: Duration) {
    // It never is done before the time has passed.
    let passed = driver.until(time, &mut |_| Ok(()), |_| false).await;
    passed.unwrap_or_default();
}

/// The executions that pushes started.
fn started(aws: &Aws) -> impl Iterator<Item = &Execution> {
    let executions = aws.codepipeline.executions.iter();
    executions.filter(|execution| digest(execution).is_some())
}

fn is_registered(execution: &Execution) -> bool {
    let action = execution.latest_action("Release", REGISTER);
    action.is_some_and(|action| action.status == ActionStatus::Succeeded)
}

/// Whether so many executions have registered their task definitions.
///
/// # Errors
/// An execution that failed.
fn all_registered(aws: &Aws, pushes: usize) -> Result<bool, String> {
    let mut failed = started(aws).filter(|it| it.status == ExecutionStatus::Failed);
    if let Some(failed) = failed.next() {
        let actions = failed.stages.iter().flat_map(|stage| &stage.actions);
        let error = actions.rev().find_map(|action| action.error.as_ref());
        return Err(format!("{} failed: {error:?}", failed.pipeline));
    }
    Ok(started(aws).filter(|it| is_registered(it)).count() >= pushes)
}

/// Refuses an execution of a pipeline to which nothing was pushed.
fn check_others(aws: &Aws, pushed: &[Delivered]) -> Result<(), String> {
    let is_pushed = |it: &&Execution| pushed.iter().any(|one| one.pipeline == it.pipeline);
    match started(aws).find(|it| !is_pushed(it)) {
        Some(other) => Err(format!("{} was started without a push", other.pipeline)),
        None => Ok(()),
    }
}

/// Refuses registrations that came faster than ECS allows.
fn check_rate(at: &[Millis]) -> Result<(), String> {
    for (first, from) in at.iter().enumerate() {
        for (last, until) in at.iter().enumerate().skip(first) {
            let registered = (last - first) as i64;
            let allowed = REGISTRATIONS.burst + (until - from) * REGISTRATIONS.per_second / 1_000;
            if registered > allowed {
                return Err(format!(
                    "{} task definitions were registered within {} s",
                    registered + 1,
                    (until - from) / 1_000
                ));
            }
        }
    }
    Ok(())
}

/// Forgets the logs of what is over, which are the emulator's own: what is left is what AWS keeps,
/// and what the functions keep.
fn forget(aws: &mut Aws) {
    aws.calls.clear();
    aws.events.events.clear();
    aws.events.deliveries.clear();
    let invocations = aws.lambda.invocations.iter_mut();
    for invocation in invocations.filter(|it| it.status != InvocationStatus::Pending) {
        invocation.payload = Value::Null;
        invocation.attempts = Vec::new();
    }
}
