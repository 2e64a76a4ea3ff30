//! Capacity providers: whether a cluster's instances grow with its tasks.
//!
//! An instance of a cluster takes tasks of every provider (simplification): which provider started
//! it is not kept.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{ApiError, Aws};

use super::input::{CheckedInput, found_and_missing};
use super::{EcsEvent, clusters, invalid};
use crate::text::short_name;

/// How long a new instance takes to register, in seconds.
const LAUNCH: std::ops::Range<u64> = 90..240;

/// A capacity provider of an Auto Scaling group.
#[derive(Clone, Debug)]
pub struct CapacityProvider {
    pub arn: String,
    pub name: String,
    /// Whether ECS starts instances when tasks cannot be placed.
    pub managed_scaling: bool,
    /// Members of CreateCapacityProvider that are only returned.
    pub(super) settings: Map<String, Value>,
    /// Whether an instance is on its way.
    pub(super) launching: bool,
}

pub(super) fn create(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let name = input
        .text("name")
        .ok_or_else(|| invalid("Capacity provider name cannot be empty."))?
        .to_owned();
    let group = input.get("autoScalingGroupProvider").ok_or_else(|| {
        invalid("An Auto Scaling group capacity provider needs autoScalingGroupProvider.")
    })?;
    if aws.ecs.capacity_providers.contains_key(&name) || name.starts_with("FARGATE") {
        return Err(invalid(
            "The specified capacity provider already exists. To change the configuration of an \
             existing capacity provider, update the capacity provider.",
        ));
    }

    let provider = CapacityProvider {
        arn: aws.arn("ecs", &format!("capacity-provider/{name}")),
        name: name.clone(),
        managed_scaling: group["managedScaling"]["status"] == "ENABLED",
        settings: input.0.clone(),
        launching: false,
    };
    let created = view(&provider);
    aws.ecs.capacity_providers.insert(name, provider);
    Ok(json!({ "capacityProvider": created }))
}

pub(super) fn describe(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    input.includes_tags(&[])?;
    let mut names: Vec<&str> = input
        .texts("capacityProviders")
        .into_iter()
        .map(short_name)
        .collect();
    if names.is_empty() {
        names = aws
            .ecs
            .capacity_providers
            .keys()
            .map(String::as_str)
            .collect();
    }

    let describe = |name: &str| {
        let arn = aws.arn("ecs", &format!("capacity-provider/{name}"));
        let provider = match name {
            "FARGATE" | "FARGATE_SPOT" => Some(
                json!({"capacityProviderArn": arn, "name": name, "status": "ACTIVE", "tags": []}),
            ),
            name => aws.ecs.capacity_providers.get(name).map(view),
        };
        (arn, provider)
    };
    let described = names.into_iter().map(describe);
    Ok(found_and_missing("capacityProviders", described))
}

fn view(provider: &CapacityProvider) -> Value {
    let mut view = json!({
        "capacityProviderArn": provider.arn, "name": provider.name, "status": "ACTIVE", "tags": [],
    });
    for (member, value) in &provider.settings {
        view[member] = value.clone();
    }
    view["autoScalingGroupProvider"]["managedScaling"]["status"] = if provider.managed_scaling {
        "ENABLED"
    } else {
        "DISABLED"
    }
    .into();
    view
}

/// A task of a service could not be placed: a provider with managed scaling starts an instance, one
/// at a time.
pub(super) fn grow(aws: &mut Aws, service: &str) {
    let Some(found) = aws.ecs.services.get(service) else {
        return;
    };
    let cluster = found.cluster.clone();
    let strategy = found.settings.get("capacityProviderStrategy");
    let names: Vec<String> = strategy
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|item| item["capacityProvider"].as_str())
        .map(|name| short_name(name).to_owned())
        .collect();

    let mut providers = aws.ecs.capacity_providers.values_mut();
    let growing = providers.find(|provider| {
        names.contains(&provider.name) && provider.managed_scaling && !provider.launching
    });
    let Some(provider) = growing else { return };
    provider.launching = true;

    let provider = provider.name.clone();
    let launch = Duration::from_secs(aws.rng.u64(LAUNCH));
    aws.schedule(launch, EcsEvent::InstanceRegistered { provider, cluster });
}

/// The instance that a provider started takes tasks from now on.
pub(super) fn registered(aws: &mut Aws, provider: &str, cluster: &str) {
    if let Some(provider) = aws.ecs.capacity_providers.get_mut(provider) {
        provider.launching = false;
    }
    clusters::add_container_instances(aws, cluster, 1);
    clusters::wake_services(aws, cluster);
}
