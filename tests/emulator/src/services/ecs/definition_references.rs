//! What RegisterTaskDefinition refuses in how containers refer to one another: by links,
//! dependencies and volumes.

use serde_json::Value;

use crate::ApiError;

use super::client_error;
use super::definition_rules::{list, name};

pub(super) fn check(containers: &[Value]) -> Result<(), ApiError> {
    for container in containers {
        check_links(container, containers)?;
        check_dependencies(container, containers)?;
        check_volumes_from(container, containers)?;
    }

    if has_cycle(containers, links) {
        return Err(client_error("Container links should not have a cycle"));
    }
    if has_cycle(containers, dependencies) {
        return Err(client_error(
            "Container dependencies should not have a cycle",
        ));
    }
    Ok(())
}

fn find<'a>(containers: &'a [Value], wanted: &str) -> Option<&'a Value> {
    containers
        .iter()
        .find(|container| name(container) == wanted)
}

/// The containers that a container is linked to. A link can have an alias after a colon.
fn links(container: &Value) -> Vec<&str> {
    list(container, "links")
        .iter()
        .filter_map(Value::as_str)
        .map(|link| link.split(':').next().unwrap_or(link))
        .collect()
}

fn dependencies(container: &Value) -> Vec<&str> {
    list(container, "dependsOn")
        .iter()
        .filter_map(|dependency| dependency["containerName"].as_str())
        .collect()
}

fn check_links(container: &Value, containers: &[Value]) -> Result<(), ApiError> {
    let links = links(container);
    let missing = links.iter().find(|link| find(containers, link).is_none());
    missing.map_or(Ok(()), |link| {
        Err(client_error(format!(
            "Invalid link '{link}': the container does not exist in the task definition."
        )))
    })
}

fn check_dependencies(container: &Value, containers: &[Value]) -> Result<(), ApiError> {
    for dependency in list(container, "dependsOn") {
        let on = dependency["containerName"].as_str().unwrap_or_default();
        let other = find(containers, on).ok_or_else(|| {
            client_error(format!(
                "Cannot depend on container + '{on}' because it does not exist"
            ))
        })?;
        let condition = dependency["condition"].as_str().unwrap_or_default();
        if ["COMPLETE", "SUCCESS"].contains(&condition) && other["essential"] != false {
            return Err(client_error(
                "A dependency container with SUCCESS or COMPLETE condition cannot be an essential \
                 container",
            ));
        }
        if condition == "HEALTHY" && other["healthCheck"].is_null() {
            return Err(client_error(
                "A dependency container with HEALTHY condition must have health check configured",
            ));
        }
    }
    Ok(())
}

fn check_volumes_from(container: &Value, containers: &[Value]) -> Result<(), ApiError> {
    for from in list(container, "volumesFrom") {
        let wanted = from["sourceContainer"].as_str().unwrap_or_default();
        if find(containers, wanted).is_none() {
            return Err(client_error(format!(
                "Invalid 'volumesFrom' setting. Unknown container: '{wanted}'"
            )));
        }
    }
    Ok(())
}

/// Whether containers refer to each other in a circle: without those that refer to none of the
/// others, again and again, only a circle is left.
fn has_cycle(containers: &[Value], refers_to: fn(&Value) -> Vec<&str>) -> bool {
    let mut left: Vec<&Value> = containers.iter().collect();
    loop {
        let names: Vec<&str> = left.iter().copied().map(name).collect();
        let before = names.len();
        left.retain(|container| {
            let mut others = refers_to(container).into_iter();
            others.any(|other| names.contains(&other))
        });
        if left.len() == before {
            return before > 0;
        }
    }
}
