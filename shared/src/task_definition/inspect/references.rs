//! What the containers of a task refer to: each other, a router of their output, and a proxy. The
//! file can have removed it.
//!
//! Never leaves a reference that ECS refuses, and never drops one silently.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::draft::{Draft, is_empty};
use super::left_out::LeftOut;

const NOT_IN_FILE: &str = "the file does not have this container";

/// Leaves out, or changes, what has lost its other end. What belongs to the task is returned.
pub(super) fn prune_references(
    task: &mut Map<String, Value>,
    drafts: &mut [Draft],
) -> Option<LeftOut> {
    dependencies(drafts);
    routes(drafts);
    essential(drafts);
    proxy(task, drafts)
}

fn has(draft: &Draft, member: &str) -> bool {
    draft.get(member).is_some_and(|value| !is_empty(value))
}

/// ECS refuses a dependency on a container that is not there, or on the health of one without a
/// check (ECS API: ContainerDependency).
fn dependencies(drafts: &mut [Draft]) {
    let checks: BTreeMap<String, bool> = drafts
        .iter()
        .map(|draft| (draft.name.clone(), has(draft, "healthCheck")))
        .collect();

    for draft in drafts {
        let Some(Value::Array(all)) = draft.get("dependsOn").cloned() else {
            continue;
        };

        let mut kept = Vec::new();
        for mut dependency in all {
            let text = |member: &str| dependency[member].as_str().unwrap_or_default().to_owned();
            let (on, condition) = (text("containerName"), text("condition"));
            let field = format!("containerDefinitions.{}.dependsOn.{on}", draft.name);
            let Some(has_check) = checks.get(&on) else {
                draft.leave(field, condition, NOT_IN_FILE);
                continue;
            };

            if condition == "HEALTHY" && !has_check {
                dependency["condition"] = json!("START");
                let reason = "this container has no health check; START is set";
                draft.leave(field, condition, reason);
            }
            kept.push(dependency);
        }
        let kept = Some(kept).filter(|kept| !kept.is_empty());
        draft.set("dependsOn", kept.map_or(Value::Null, Value::Array));
    }
}

/// ECS refuses the driver `awsfirelens` without a router of logs, and a router that no container
/// uses (github.com/fabfuel/ecs-deploy/issues/164,
/// github.com/aws/amazon-cloudwatch-logs-for-fluent-bit/issues/20).
fn routes(drafts: &mut [Draft]) {
    let is_router = |draft: &Draft| has(draft, "firelensConfiguration");
    let is_routed = |draft: &Draft| {
        let log = draft.get("logConfiguration");
        log.is_some_and(|log| log["logDriver"] == "awsfirelens")
    };
    let has_router = drafts.iter().any(is_router);
    let has_routed = drafts.iter().any(is_routed);

    for draft in drafts {
        let (member, shown, reason) = if is_routed(draft) && !has_router {
            let reason = "the file does not have the container that routes logs";
            ("logConfiguration", "awsfirelens", reason)
        } else if is_router(draft) && !has_routed {
            let reason = "no container of the file has the log driver awsfirelens";
            ("firelensConfiguration", "a router of logs", reason)
        } else {
            continue;
        };
        let field = format!("containerDefinitions.{}.{member}", draft.name);
        draft.leave(field, shown, reason);
        draft.set(member, Value::Null);
    }
}

/// ECS refuses a task without an essential container, as the file leaves it if it removed that.
fn essential(drafts: &mut [Draft]) {
    let is_optional = |draft: &Draft| draft.get("essential") == Some(&Value::Bool(false));
    if !drafts.iter().all(is_optional) {
        return;
    }

    for draft in drafts {
        let field = format!("containerDefinitions.{}.essential", draft.name);
        let reason = "ECS needs an essential container, and the file does not have it";
        draft.leave(field, "false", reason);
        draft.set("essential", Value::Null);
    }
}

/// ECS refuses a proxy whose container is not in the task.
fn proxy(task: &mut Map<String, Value>, drafts: &[Draft]) -> Option<LeftOut> {
    let proxy = task.get("proxyConfiguration");
    let proxy = proxy.filter(|proxy| !is_empty(proxy))?;
    let name = proxy["containerName"].as_str().unwrap_or_default();
    if drafts.iter().any(|draft| draft.name == name) {
        return None;
    }

    let left_out = LeftOut {
        field: "proxyConfiguration".to_owned(),
        value: name.to_owned(),
        reason: NOT_IN_FILE.to_owned(),
    };
    task.shift_remove("proxyConfiguration");
    Some(left_out)
}
