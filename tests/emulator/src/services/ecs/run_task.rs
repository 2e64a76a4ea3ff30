//! RunTask: tasks that no service started and none replaces.

use serde_json::{Map, Value, json};

use crate::{ApiError, Aws, Millis};

use super::definitions::TaskDefinition;
use super::input::CheckedInput;
use super::placement::{self, OnInstance, TaskPlacement};
use super::task::Standalone;
use super::{definitions, describe_tasks, invalid, service_rules, tags, task_lifecycle};

/// The most tasks of one RunTask.
const MOST_TASKS: i64 = 10;

/// How long a client token is remembered.
const TOKEN_LASTS: Millis = 24 * 3600 * 1000;

/// How the process of a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandEnd {
    pub after_secs: u32,
    pub exit_code: i32,
}

/// What was sent with a client token, and the response.
#[derive(Clone, Debug)]
pub(super) struct Run {
    request: Map<String, Value>,
    answer: Value,
    at: Millis,
}

/// What the tasks of one RunTask have in common.
#[derive(Clone, Debug)]
pub(super) struct RunRequest {
    pub(super) cluster: String,
    /// The ARN of the task definition.
    pub(super) definition: String,
    pub(super) standalone: Standalone,
    pub(super) tags: Vec<Value>,
    launch_type: &'static str,
    /// Whether no instance may have two of these tasks.
    alone: bool,
}

pub(super) fn run(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?.name.clone();
    if let Some(answer) = answer_before(aws, &cluster, input)? {
        return Ok(answer);
    }

    let count = input.integer("count").unwrap_or(1);
    if !(1..=MOST_TASKS).contains(&count) {
        return Err(invalid(format!(
            "count must be between 1 and {MOST_TASKS}."
        )));
    }
    let request = request(aws, cluster.clone(), input)?;
    let (started, failures) = start(aws, &request, count)?;

    let tasks: Vec<Value> = started
        .iter()
        .map(|arn| describe_tasks::view(aws, &aws.ecs.tasks[arn], true))
        .collect();
    let answer = json!({"tasks": tasks, "failures": failures});
    remember(aws, cluster, input, &answer);
    Ok(answer)
}

/// Starts up to `count` tasks; returns their ARNs and, when not all could be placed, why not.
fn start(
    aws: &mut Aws,
    request: &RunRequest,
    count: i64,
) -> Result<(Vec<String>, Vec<Value>), ApiError> {
    let has_instances = |aws: &Aws| {
        aws.ecs
            .instances
            .values()
            .any(|instance| instance.takes_tasks_of(&request.cluster))
    };
    if request.launch_type == "EC2" && !has_instances(aws) {
        return Err(invalid(
            "No Container Instances were found in your cluster.",
        ));
    }

    let mut started = Vec::new();
    for _ in 0..count {
        let Some(place) = place(aws, request) else {
            return Ok((started, without_ports(aws, &request.cluster)));
        };
        started.push(task_lifecycle::create_standalone(aws, request, place));
    }
    Ok((started, Vec::new()))
}

fn place(aws: &mut Aws, request: &RunRequest) -> Option<TaskPlacement> {
    if request.launch_type == "FARGATE" {
        return Some(TaskPlacement::on_fargate());
    }

    let task = OnInstance {
        cluster: request.cluster.clone(),
        definition: request.definition.clone(),
        group: request.standalone.group.clone(),
        alone: request.alone,
    };
    placement::on_instance(aws, &task).ok()
}

/// Only host ports are scarce on the instances of the emulator.
fn without_ports(aws: &Aws, cluster: &str) -> Vec<Value> {
    aws.ecs
        .instances
        .values()
        .filter(|instance| instance.takes_tasks_of(cluster))
        .map(|instance| json!({"arn": instance.arn, "reason": "RESOURCE:PORTS"}))
        .collect()
}

fn request(aws: &Aws, cluster: String, input: &CheckedInput) -> Result<RunRequest, ApiError> {
    let name = input
        .text("taskDefinition")
        .ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
    let definition = definitions::usable(aws, name)?;
    service_rules::check(aws, &settings(input), definition)?;
    tags::check(input.list("tags"))?;

    let family = definition.json.get("family").and_then(Value::as_str);
    let standalone = Standalone {
        group: match input.text("group") {
            Some(group) => group.to_owned(),
            None => format!("family:{}", family.unwrap_or_default()),
        },
        started_by: input.text("startedBy").map(str::to_owned),
        overrides: overrides(definition, input)?,
    };
    Ok(RunRequest {
        cluster,
        definition: definition.arn.clone(),
        standalone,
        tags: propagated_tags(definition, input)?,
        launch_type: service_rules::launch_type(input.0),
        alone: placement::needs_own_instance(input.0),
    })
}

/// The members that services have, too, and that must fit the task definition.
fn settings(input: &CheckedInput) -> Map<String, Value> {
    let members = [
        "capacityProviderStrategy",
        "launchType",
        "networkConfiguration",
    ];
    let given = members
        .into_iter()
        .filter_map(|member| Some((member.to_owned(), input.get(member)?.clone())));
    given.collect()
}

/// The overrides as they are returned: one entry a container, with what was sent for it.
fn overrides(definition: &TaskDefinition, input: &CheckedInput) -> Result<Value, ApiError> {
    let sent = input.get("overrides").cloned().unwrap_or(json!({}));
    let for_containers: Vec<&Value> = sent["containerOverrides"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let names: Vec<&str> = definition.containers().iter().map(name_of).collect();

    for entry in &for_containers {
        let name = name_of(entry);
        if !names.contains(&name) {
            return Err(invalid(format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            )));
        }
    }

    let entry = |name: &&str| {
        let found = for_containers.iter().find(|entry| name_of(entry) == *name);
        found.map_or_else(|| json!({"name": name}), |entry| (*entry).clone())
    };
    let for_containers: Value = names.iter().map(entry).collect();
    let mut answered = sent.clone();
    answered["containerOverrides"] = for_containers;
    answered["inferenceAcceleratorOverrides"] = json!([]);
    Ok(answered)
}

fn name_of(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

fn propagated_tags(
    definition: &TaskDefinition,
    input: &CheckedInput,
) -> Result<Vec<Value>, ApiError> {
    let given = input.list("tags").to_vec();
    match input.text("propagateTags").unwrap_or("NONE") {
        "NONE" => Ok(given),
        "TASK_DEFINITION" => {
            let own = definition
                .tags
                .iter()
                .filter(|tag| given.iter().all(|other| other["key"] != tag["key"]));
            Ok(own.chain(&given).cloned().collect())
        }
        other => Err(invalid(format!(
            "Invalid value for propagateTags: {other}. A task can have the tags of its task \
             definition."
        ))),
    }
}

/// The response to the same request with the same client token, if there was one; the token of
/// another request is refused.
fn answer_before(
    aws: &mut Aws,
    cluster: &str,
    input: &CheckedInput,
) -> Result<Option<Value>, ApiError> {
    let Some(token) = input.text("clientToken") else {
        return Ok(None);
    };
    let now = aws.now;
    aws.ecs.runs.retain(|_, run| now - run.at < TOKEN_LASTS);
    let Some(run) = aws.ecs.runs.get(&(cluster.to_owned(), token.to_owned())) else {
        return Ok(None);
    };
    if run.request == *input.0 {
        return Ok(Some(run.answer.clone()));
    }

    let tasks = run.answer["tasks"].as_array().into_iter().flatten();
    let arns: Vec<Value> = tasks.map(|task| task["taskArn"].clone()).collect();
    Err(ApiError {
        members: vec![("resourceIds".to_owned(), arns.into())],
        ..ApiError::client(
            "ConflictException",
            "The provided clientToken is already in use with a different RunTask request.",
        )
    })
}

fn remember(aws: &mut Aws, cluster: String, input: &CheckedInput, answer: &Value) {
    if let Some(token) = input.text("clientToken") {
        let run = Run {
            request: input.0.clone(),
            answer: answer.clone(),
            at: aws.now,
        };
        aws.ecs.runs.insert((cluster, token.to_owned()), run);
    }
}
