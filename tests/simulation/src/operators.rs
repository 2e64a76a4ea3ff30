//! What operators do beside pushing, and what happens to tasks and instances: each act on the
//! account as it is at that moment. An act that finds nothing to act on does nothing.

mod weights;

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::{Value, json};

use super::artifact::Artifact;
use super::canary::ALARM;
use super::plan::{Act, ApprovalAnswer};
use super::shape::{Oddity, PIPELINE, Shape, route};
use emulator::codepipeline::{self, ExecutionStatus};
use emulator::{Aws, cloudwatch, ecr, ecs, lambda};
use harness::demo::{CLUSTER, WEB};
use invariants::ledger_reader::{executions, holder, text};
use invariants::routes;

pub(super) use weights::change_zone;

/// How operators answer an approval beside what is drawn.
pub(super) const USUAL_ANSWER: ApprovalAnswer = ApprovalAnswer {
    approves: true,
    after: Duration::from_secs(120),
};

/// The function that judges canaries.
const JUDGE: &str = "slipway-evaluate-canary";
/// The fixed port of tasks on instances.
const PORT: u16 = 80;

/// The result of an act.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// There was nothing to act on, or AWS refused it.
    Nothing,
    Something,
    /// A service was changed other than by a release; whether an operator wanted that very image to
    /// run.
    ServiceChanged {
        on_purpose: bool,
    },
    /// The pipeline was started for an image.
    Asked {
        digest: String,
        execution: String,
    },
    /// This instance was taken for a while.
    Took {
        instance: String,
    },
    /// This was pushed, which cannot run.
    Stored {
        digest: String,
    },
}

/// Does it. `pushed` are the digests of the pushes so far.
pub(super) fn perform(aws: &mut Aws, act: Act, shape: &Shape, pushed: &[String]) -> Done {
    match act {
        Act::Stop { abandon } => stop(aws, PIPELINE, abandon),
        Act::Retry => retry(aws, PIPELINE),
        Act::Start { push } => pushed
            .get(push)
            .map_or(Done::Nothing, |digest| start(aws, digest)),
        Act::AskRollBack => ask_roll_back(aws, PIPELINE),
        Act::SetCount(count) => update(aws, json!({ "desiredCount": count })),
        Act::SetDefinition => {
            let live = live(aws);
            set_oldest(aws, &live)
        }
        Act::SetIdleDefinition => {
            colours(aws).map_or(Done::Nothing, |[_, idle]| set_oldest(aws, &idle))
        }
        Act::Deregister => deregister(aws),
        Act::SetWeights(blue) => weights::set(aws, blue),
        Act::PushArtifact(artifact) => pushed
            .last()
            .map_or(Done::Nothing, |digest| push_artifact(aws, artifact, digest)),
        // The stack names the family, and would deploy what the release of the other service has
        // registered.
        Act::UpdateStack if shape.oddity == Some(Oddity::ReleasedSibling) => Done::Nothing,
        Act::UpdateStack if holder(aws, CLUSTER, WEB).is_none() => {
            match shape.update_service_stack(aws) {
                Ok(()) => Done::ServiceChanged { on_purpose: false },
                Err(_) => Done::Nothing,
            }
        }
        Act::UpdateStack => Done::Nothing,
        Act::TaskDies => serving(aws).map_or(Done::Nothing, |task| {
            ecs::stop_task(aws, &task, "Host EC2 (instance) terminated.");
            Done::Something
        }),
        Act::TaskSilent(_)
        | Act::Scales(_)
        | Act::ScalesIn(_)
        | Act::ZoneChanges(_)
        | Act::StopLine { .. } => Done::Nothing,
        Act::InstanceBusy(_) => took(busy(aws)),
        Act::InstanceDrains(_) => took(drain(aws)),
        Act::ZoneUneven => done(unbalance(aws)),
        Act::AlarmActive(_) => {
            cloudwatch::set_alarm(aws, ALARM, "ALARM");
            Done::Something
        }
    }
}

/// The service, or the colour of a pair with the larger weight.
fn live(aws: &Aws) -> String {
    colours(aws).map_or_else(|| WEB.to_owned(), |[live, _]| live)
}

/// The services of a pair, that with the larger weight first; of equal ones, blue.
fn colours(aws: &Aws) -> Option<[String; 2]> {
    let mut groups = routes::forwards(aws, &route(aws)?);
    groups.sort_by_key(|(_, weight)| Reverse(*weight));

    let behind = |at: usize| aws.ecs.service_behind(CLUSTER, &groups.get(at)?.0);
    Some([behind(0)?.name.clone(), behind(1)?.name.clone()])
}

/// Deploys the oldest revision of the family that a service runs.
fn set_oldest(aws: &mut Aws, service: &str) -> Done {
    let found = aws.ecs.service_named(CLUSTER, service);
    let runs = found.and_then(|found| Some(found.primary()?.task_definition.as_str()));
    let revision = runs.and_then(|arn| arn.rsplit('/').next());
    let Some((family, _)) = revision.and_then(|revision| revision.split_once(':')) else {
        return Done::Nothing;
    };
    let oldest = json!({ "taskDefinition": format!("{family}:1") });
    update_of(aws, service, oldest)
}

/// ECS continues to run a revision that is deregistered, but no longer deploys it.
fn deregister(aws: &mut Aws) -> Done {
    let service = aws.ecs.service_named(CLUSTER, &live(aws));
    let primary = service.and_then(|service| service.primary());
    let running = primary.map(|primary| primary.task_definition.clone());
    let Some(running) = running.filter(|arn| aws.ecs.is_active(arn)) else {
        return Done::Nothing;
    };

    let input = json!({ "taskDefinition": running });
    done(ecs::call(aws, "DeregisterTaskDefinition", &input).is_ok())
}

/// A task that serves.
pub(super) fn serving(aws: &Aws) -> Option<String> {
    let service = aws.ecs.service_named(CLUSTER, &live(aws))?;
    invariants::ledger_reader::serving(aws, service)
        .next()
        .map(|task| task.arn.clone())
}

/// Makes zones of the live service uneven; returns whether ECS will move a task.
fn unbalance(aws: &mut Aws) -> bool {
    let service = aws.ecs.service_named(CLUSTER, &live(aws));
    let service = service.map(|service| service.arn.clone());
    service.is_some_and(|service| ecs::unbalance(aws, &service))
}

/// Drains the instance of a task that serves; returns the instance.
fn drain(aws: &mut Aws) -> Option<String> {
    let task = serving(aws)?;
    let instance = aws.ecs.tasks.get(&task)?.instance.clone()?;
    set_state(aws, &instance, "DRAINING").then_some(instance)
}

fn set_state(aws: &mut Aws, instance: &str, status: &str) -> bool {
    let input = json!({"cluster": CLUSTER, "containerInstances": [instance], "status": status});
    ecs::call(aws, "UpdateContainerInstancesState", &input).is_ok()
}

/// Gives the instance back that an act took, and no other one.
pub(super) fn give_back(aws: &mut Aws, act: Act, instance: &str) {
    match act {
        Act::InstanceBusy(_) => {
            if let Some(found) = aws.ecs.instances.get_mut(instance) {
                found.ports.remove(&PORT);
            }
        }
        _ => drop(set_state(aws, instance, "ACTIVE")),
    }
}

/// Takes the fixed port of an instance that is free; returns the instance.
fn busy(aws: &mut Aws) -> Option<String> {
    let of_service = |aws: &Aws, arn: &str| {
        aws.ecs.tasks.values().any(|task| {
            task.instance.as_deref() == Some(arn) && task.state != ecs::TaskState::Stopped
        })
    };
    let found = aws
        .ecs
        .instances
        .values()
        .find(|one| !one.ports.contains(&PORT) && !of_service(aws, &one.arn));
    let arn = found?.arn.clone();

    aws.ecs.instances.get_mut(&arn)?.ports.insert(PORT);
    Some(arn)
}

/// The execution that a lease is held by and that waits for an operator to decide, and since when.
pub(super) fn waiting_hold(lease: &Value) -> Option<(String, String)> {
    let field = |name: &str| text(lease, &format!("release.{name}")).map(ToOwned::to_owned);
    field("execution")
        .zip(field("holding.since"))
        .filter(|_| field("holding.decision").is_none())
}

/// Decides about an execution that holds: invokes the function with the parameters of its action,
/// and the decision.
pub(super) fn decide(aws: &mut Aws, execution: &str, promotes: bool) -> bool {
    let of_execution = |event: &&Value| {
        let job = event
            .pointer("/CodePipeline.job/id")
            .and_then(Value::as_str)
            .and_then(|id| aws.codepipeline.job(id));
        job.is_some_and(|job| job.execution == execution)
    };
    let judged = aws
        .lambda
        .invocations
        .iter()
        .rev()
        .filter(|one| one.function == JUDGE)
        .map(|one| &one.payload);
    let parameters = judged.filter(of_execution).find_map(|event| {
        event
            .pointer("/CodePipeline.job/data/actionConfiguration/configuration/UserParameters")?
            .as_str()
    });
    let Some(mut parameters) = parameters.and_then(|text| serde_json::from_str::<Value>(text).ok())
    else {
        return false;
    };
    parameters["decision"] = json!(if promotes { "promote" } else { "roll-back" });
    lambda::invoke_async(aws, JUDGE, json!({ "parameters": parameters })).is_ok()
}

/// Stops the newest execution of a pipeline that is in progress.
pub(super) fn stop(aws: &mut Aws, pipeline: &str, abandon: bool) -> Done {
    let open = executions(aws, pipeline)
        .rev()
        .find(|execution| execution.status == ExecutionStatus::InProgress);
    let Some(id) = open.map(|execution| execution.id.clone()) else {
        return Done::Nothing;
    };

    let input = json!({
        "pipelineName": pipeline,
        "pipelineExecutionId": id,
        "abandon": abandon,
        "reason": "not today",
    });
    done(codepipeline::call(aws, "StopPipelineExecution", &input).is_ok())
}

/// Retries what failed of the newest execution of a pipeline that failed or was stopped.
pub(super) fn retry(aws: &mut Aws, pipeline: &str) -> Done {
    let ended = [ExecutionStatus::Failed, ExecutionStatus::Stopped];
    let Some(failed) = executions(aws, pipeline)
        .rev()
        .find(|execution| ended.contains(&execution.status))
    else {
        return Done::Nothing;
    };
    let Some(stage) = failed.stages.last() else {
        return Done::Nothing;
    };

    let input = json!({
        "pipelineName": pipeline,
        "stageName": stage.name,
        "pipelineExecutionId": failed.id,
        "retryMode": "FAILED_ACTIONS",
    });
    done(codepipeline::call(aws, "RetryStageExecution", &input).is_ok())
}

fn start(aws: &mut Aws, digest: &str) -> Done {
    let revision =
        json!({"actionName": "Image", "revisionType": "IMAGE_DIGEST", "revisionValue": digest});
    let input = json!({"name": PIPELINE, "sourceRevisions": [revision]});
    started(aws, digest, &input)
}

/// Starts a pipeline for an image, or for a commit, whose id takes the place of the digest.
pub(super) fn started(aws: &mut Aws, digest: &str, input: &Value) -> Done {
    match codepipeline::call(aws, "StartPipelineExecution", input) {
        Ok(started) => {
            let execution = started["pipelineExecutionId"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            Done::Asked {
                digest: digest.to_owned(),
                execution,
            }
        }
        Err(_) => Done::Nothing,
    }
}

/// Pushes something about the image of a digest.
fn push_artifact(aws: &mut Aws, artifact: Artifact, digest: &str) -> Done {
    let manifest = artifact.manifest(digest).to_string();
    let mut input = json!({"repositoryName": WEB, "imageManifest": manifest});
    if let Some(tag) = artifact.tag(digest) {
        input["imageTag"] = json!(tag);
    }

    let put = ecr::call(aws, "PutImage", &input).unwrap_or_default();
    match put["image"]["imageId"]["imageDigest"].as_str() {
        Some(digest) => Done::Stored {
            digest: digest.to_owned(),
        },
        None => Done::Nothing,
    }
}

/// Invokes roll-back to undo the newest execution of a pipeline.
pub(super) fn ask_roll_back(aws: &mut Aws, pipeline: &str) -> Done {
    let Some(newest) = executions(aws, pipeline)
        .next_back()
        .map(|execution| execution.id.clone())
    else {
        return Done::Nothing;
    };
    let input = json!({"parameters": {"execution": newest}});
    done(lambda::invoke_async(aws, "slipway-roll-back", input).is_ok())
}

fn update(aws: &mut Aws, change: Value) -> Done {
    let live = live(aws);
    update_of(aws, &live, change)
}

fn update_of(aws: &mut Aws, service: &str, mut change: Value) -> Done {
    change["cluster"] = json!(CLUSTER);
    change["service"] = json!(service);
    match ecs::call(aws, "UpdateService", &change) {
        Ok(_) => Done::ServiceChanged { on_purpose: true },
        Err(_) => Done::Nothing,
    }
}

fn took(instance: Option<String>) -> Done {
    instance.map_or(Done::Nothing, |instance| Done::Took { instance })
}

fn done(it_is: bool) -> Done {
    if it_is {
        Done::Something
    } else {
        Done::Nothing
    }
}
