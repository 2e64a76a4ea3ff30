//! The ports that a service names of its task definition: those of its load balancers and of its
//! service registry by container and number, those of Service Connect by name.

use serde_json::{Map, Value};

use crate::ApiError;

use super::definition_rules::{list, name};
use super::definitions::TaskDefinition;
use super::invalid;

/// Checks the ports of the service registry and of Service Connect.
pub(super) fn check(
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    let registries = settings.get("serviceRegistries").and_then(Value::as_array);
    for registry in registries.into_iter().flatten() {
        match registry["containerName"].as_str() {
            Some(container) => check_mapped(definition, container, &registry["containerPort"])?,
            None => check_address(definition, registry)?,
        }
    }

    match settings.get("serviceConnectConfiguration") {
        Some(connect) if connect["enabled"] == true => list(connect, "services")
            .iter()
            .try_for_each(|service| check_port_name(definition, service)),
        _ => Ok(()),
    }
}

/// Without a container a registry has a port of its own, or none, beside the address of the task,
/// and on the network of an instance a task has no address of its own.
fn check_address(definition: &TaskDefinition, registry: &Value) -> Result<(), ApiError> {
    if !["bridge", "host"].contains(&definition.network_mode()) {
        return Ok(());
    }

    Err(invalid(format!(
        "When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and \
         'containerPort' must be specified from the task definition. Registry: {}",
        registry["registryArn"].as_str().unwrap_or_default()
    )))
}

fn check_port_name(definition: &TaskDefinition, service: &Value) -> Result<(), ApiError> {
    let wanted = service["portName"].as_str().unwrap_or_default();
    let mut mappings = definition
        .containers()
        .iter()
        .flat_map(|container| list(container, "portMappings"));

    if mappings.any(|mapping| name(mapping) == wanted) {
        Ok(())
    } else {
        Err(invalid(format!(
            "The port name {wanted} does not exist in the task definition."
        )))
    }
}

/// Whether the container that a load balancer or a service registry names has its port.
pub(super) fn check_mapped(
    definition: &TaskDefinition,
    wanted: &str,
    port: &Value,
) -> Result<(), ApiError> {
    let container = definition
        .containers()
        .iter()
        .find(|container| container["name"] == wanted);
    let container = container.ok_or_else(|| {
        invalid(format!(
            "The container {wanted} does not exist in the task definition."
        ))
    })?;
    let mapped = list(container, "portMappings")
        .iter()
        .any(|mapping| mapping["containerPort"] == *port);

    if mapped {
        Ok(())
    } else {
        Err(invalid(format!(
            "The container {wanted} did not have a container port {port} defined."
        )))
    }
}
