//! The main job, end to end: images are pushed, pipelines run, and every release must end as its
//! chapter expects.

pub mod canary;
mod chapters;
pub mod custom_actions;
pub mod dns;
pub mod freeze;
pub mod migration;
mod plays;
pub mod promotion;
mod stacks;
mod table;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use slipway::timestamp::Timestamp;

use crate::approvals::{self, Approval};
use crate::driver::{Driver, Fault, run};
use emulator::codepipeline::{self, ActionStatus, Execution};
use emulator::ecr::{self, Behaviour};
use emulator::lambda::InvocationStatus;
use emulator::{Aws, Millis};
use invariants::ledger_reader::{commit, digest, executions, record, text};
use invariants::{Invariants, Promise};

pub use stacks::{CLUSTER, COUNTER, SHOP, WEB};
pub use stacks::{root, scalable_targets, task_roles};

pub use chapters::{CHAPTERS, Chapter, Image, Operator};
pub use plays::{Played, Rest, play, play_from, play_with_rests};
pub use table::{DEMOS, Demo, Refuse, Scene};

/// Longest that a chapter may take, in virtual time.
const CHAPTER_LIMIT: Duration = Duration::from_secs(4 * 3600);

/// What the strategies of the demo promise: web doubles, and the counter gives up one of its two
/// tasks.
pub const PROMISES: [Promise; 2] = [
    Promise {
        cluster: CLUSTER,
        service: WEB,
        healthy: 2,
    },
    Promise {
        cluster: CLUSTER,
        service: COUNTER,
        healthy: 1,
    },
];

/// How a release went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Release {
    pub pipeline: String,
    pub image: String,
    pub digest: String,
    pub outcome: String,
    pub reason: String,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    /// Attempts of functions for this release.
    pub invocations: u32,
    /// Calls that they made to AWS.
    pub aws_calls: u32,
}

/// An account with all three applications and Slipway deployed, their services steady.
///
/// # Errors
/// What a template refused, or what did not become steady.
pub fn deployed(seed: u64) -> Result<Aws, String> {
    deployed_to(Aws::new(seed))
}

/// Deploys the same to an account that is empty.
///
/// # Errors
/// As [`deployed`].
pub fn deployed_to(mut aws: Aws) -> Result<Aws, String> {
    stacks::deploy_all(&mut aws)?;
    let mut aws = steady_and_ended(aws)?;
    stacks::open_the_shop(&mut aws)?;
    Ok(aws)
}

/// Lets services become steady, and executions end.
fn steady_and_ended(aws: Aws) -> Result<Aws, String> {
    run(aws, Fault::None, async |driver| {
        let steady = |aws: &Aws| {
            aws.ecs
                .services
                .values()
                .all(|service| !service.is_deploying())
                && aws.codepipeline.executions.iter().all(Execution::is_over)
        };
        driver
            .until(CHAPTER_LIMIT, &mut nothing_denied, steady)
            .await?;
        Ok(driver.world.snapshot())
    })
}

/// What must hold at every instant of a chapter. `broken` has what a call has broken.
fn check_instant(
    invariants: &Mutex<Invariants>,
    broken: &Mutex<Option<String>>,
    aws: &Aws,
) -> Result<(), String> {
    nothing_denied(aws)?;
    broken
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .map_or(Ok(()), Err)?;

    invariants
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .at_instant(aws)
}

/// What must hold when a chapter has ended, for attempts that met a fault and for the others.
fn check_end(invariants: &Mutex<Invariants>, driver: &Driver, aws: &Aws) -> Result<(), String> {
    let mut invariants = invariants.lock().unwrap_or_else(PoisonError::into_inner);
    invariants.disturbed(
        driver
            .ran()
            .iter()
            .filter(|ran| !ran.met.is_empty())
            .map(|ran| ran.attempt),
    );
    invariants.at_end(aws)
}

fn check_outcome(chapter: &Chapter, release: &Release) -> Result<(), String> {
    let is_expected =
        release.outcome == chapter.outcome.to_string() && release.reason.contains(chapter.reason);
    if is_expected {
        return Ok(());
    }
    Err(format!(
        "`{}` ended {} ({}), expected {} ({})",
        chapter.title, release.outcome, release.reason, chapter.outcome, chapter.reason
    ))
}

/// The templates must allow all that the functions need.
///
/// # Errors
/// What was denied first.
pub fn nothing_denied(aws: &Aws) -> Result<(), String> {
    aws.iam.denials.first().map_or(Ok(()), |denial| {
        Err(format!(
            "a role or a policy lacks a permission: {}",
            denial.message
        ))
    })
}

/// Pushes a chapter's image, or commits what makes it; returns its digest, or the commit.
///
/// # Errors
/// What ECR or CodePipeline refused.
pub fn push(aws: &mut Aws, chapter: &Chapter) -> Result<String, String> {
    let pushed = match chapter.image {
        Image::New(behaviour) => ecr::push(aws, chapter.application, chapter.tag, behaviour),
        Image::Answering(profile) => ecr::push_with(
            aws,
            chapter.application,
            chapter.tag,
            Behaviour::Healthy,
            profile,
        ),
        Image::SameAs(tag) => ecr::retag(aws, chapter.application, tag, chapter.tag),
        Image::Commit(behaviour, fails) => promotion::commit(aws, behaviour, fails),
    };
    pushed.map_err(|e| format!("push of {}:{}: {e}", chapter.application, chapter.tag))
}

/// The execution that a push led to.
fn execution_of<'a>(
    aws: &'a Aws,
    chapter: &Chapter,
    pushed: &str,
    since: Millis,
) -> Option<&'a Execution> {
    let pipeline = format!("slipway-{}", chapter.application);
    executions(aws, &pipeline)
        .rev()
        .find(|execution| execution.started >= since && is_of(execution, pushed))
}

/// Whether an execution was started with a digest or with a commit.
fn is_of(execution: &Execution, pushed: &str) -> bool {
    [digest(execution), commit(execution)].contains(&Some(pushed))
}

/// Whether the new colour has traffic and the swap goes on.
fn is_baking(aws: &Aws, chapter: &Chapter, pushed: &str, since: Millis) -> bool {
    let execution = execution_of(aws, chapter, pushed, since);
    let swap =
        execution.and_then(|execution| execution.latest_action("Release", "swap-target-groups"));
    swap.is_some_and(|swap| {
        swap.status == ActionStatus::InProgress && swap.percent.is_some_and(|percent| percent > 20)
    })
}

/// Stops an execution at once, as `aws codepipeline stop-pipeline-execution --abandon` does.
fn stop(aws: &mut Aws, chapter: &Chapter, pushed: &str, since: Millis) -> Result<(), String> {
    let execution =
        execution_of(aws, chapter, pushed, since).ok_or("the push started no execution")?;
    let input = json!({
        "pipelineName": execution.pipeline, "pipelineExecutionId": execution.id, "abandon": true,
        "reason": "an operator had doubts"
    });
    codepipeline::call(aws, "StopPipelineExecution", &input)
        .map(drop)
        .map_err(|e| e.to_string())
}

/// Whether an execution waits at the transition into its release.
fn is_at_transition(aws: &Aws, chapter: &Chapter, pushed: &str, since: Millis) -> bool {
    let execution = execution_of(aws, chapter, pushed, since);
    let pipeline = execution.and_then(|it| aws.codepipeline.pipelines.get(&it.pipeline));
    let mut lanes = pipeline.into_iter().flat_map(|known| &known.lanes);
    lanes.any(|lane| {
        lane.stage == "Release" && execution.is_some_and(|it| lane.inbound.contains(&it.id))
    })
}

/// Enables the transition, as `aws codepipeline enable-stage-transition` does.
fn enable(aws: &mut Aws, chapter: &Chapter) -> Result<(), String> {
    let input = json!({
        "pipelineName": format!("slipway-{}", chapter.application), "stageName": "Release",
        "transitionType": "Inbound",
    });
    codepipeline::call(aws, "EnableStageTransition", &input)
        .map(drop)
        .map_err(|e| e.to_string())
}

/// The approval that the execution of a push waits for.
fn approval(aws: &Aws, chapter: &Chapter, pushed: &str, since: Millis) -> Option<Approval> {
    let execution = execution_of(aws, chapter, pushed, since)?;
    let mut waiting = approvals::waiting(aws, &execution.pipeline).into_iter();
    waiting.find(|approval| approval.execution == execution.id)
}

/// Approves a release that waits for it.
fn approve(aws: &mut Aws, chapter: &Chapter, pushed: &str, since: Millis) -> Result<(), String> {
    let waiting = approval(aws, chapter, pushed, since);
    let waiting = waiting.ok_or("no approval is waited for")?;
    waiting.answer(aws, true).map_err(|e| e.to_string())
}

fn is_settled(aws: &Aws, chapter: &Chapter, pushed: &str, since: Millis) -> bool {
    let Some(execution) = execution_of(aws, chapter, pushed, since) else {
        return false;
    };

    // What is pending is a retry, which may still write the outcome.
    let quiet = aws
        .lambda
        .invocations
        .iter()
        .all(|invocation| invocation.status != InvocationStatus::Pending);
    quiet
        && execution.is_over()
        && record(aws, &execution.id).is_some_and(|record| text(&record, "state") == Some("closed"))
}

fn recorded(
    costs: &BTreeMap<String, (u32, u32)>,
    aws: &Aws,
    chapter: &Chapter,
    digest: &str,
    since: Millis,
) -> Result<Release, String> {
    let execution =
        execution_of(aws, chapter, digest, since).ok_or("the push started no execution")?;
    let record = record(aws, &execution.id).ok_or("the execution has no record")?;
    let field = |name: &str| {
        text(&record, name)
            .map(ToOwned::to_owned)
            .ok_or_else(|| format!("the record has no {name}"))
    };
    let at = |name: &str| {
        serde_json::from_value::<Timestamp>(json!(field(name)?)).map_err(|e| e.to_string())
    };
    let (invocations, aws_calls) = costs.get(&execution.id).copied().unwrap_or_default();

    Ok(Release {
        pipeline: execution.pipeline.clone(),
        image: format!("{}:{}", chapter.application, chapter.tag),
        digest: text(&record, "digest").unwrap_or(digest).to_owned(),
        outcome: field("outcome")?,
        reason: field("reason")?,
        started_at: at("started_at")?,
        ended_at: at("ended_at")?,
        invocations,
        aws_calls,
    })
}
