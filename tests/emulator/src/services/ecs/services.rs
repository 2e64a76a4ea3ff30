//! Services as callers make and change them. What follows from a change is the scheduler's work.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{ApiError, Aws, Quirk};

use super::input::CheckedInput;
use super::{
    Service, ServiceStatus, definitions, deployments, describe_services, invalid, scheduler,
    service_rules, tags,
};
use crate::text::short_name;

/// Members that are kept elsewhere than among the settings of a service.
const NOT_SETTINGS: [&str; 9] = [
    "cluster",
    "service",
    "serviceName",
    "taskDefinition",
    "desiredCount",
    "tags",
    "forceNewDeployment",
    "clientToken",
    "role",
];

/// Members whose change starts a deployment.
pub(super) const OF_DEPLOYMENT: [&str; 10] = [
    "capacityProviderStrategy",
    "launchType",
    "platformVersion",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "enableExecuteCommand",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// Those that a description shows of each deployment only.
pub(super) const OF_DEPLOYMENT_ONLY: [&str; 3] = [
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

pub(super) fn create(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?.clone();
    let name = new_name(aws, input, &cluster.name)?;
    let definition = input
        .text("taskDefinition")
        .ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
    let definition = definitions::usable(aws, definition)?.clone();
    let desired_count = input
        .integer("desiredCount")
        .ok_or_else(|| invalid("desiredCount cannot be empty for a REPLICA service."))?;
    let mut settings = Map::new();
    merge(aws, &mut settings, input);
    with_defaults(aws, &mut settings);
    service_rules::check(aws, &settings, &definition)?;
    service_rules::check_room(&settings, "created")?;
    service_rules::check_role(&settings, &definition, "created")?;
    tags::check(input.list("tags"))?;

    let arn = aws.arn("ecs", &format!("service/{}/{name}", cluster.name));
    let service = Service {
        arn: arn.clone(),
        name,
        cluster: cluster.name,
        cluster_arn: cluster.arn,
        status: ServiceStatus::Active,
        desired_count: service_rules::desired_count(desired_count)?,
        deployments: Vec::new(),
        last_completed: None,
        history: Vec::new(),
        tags: input.list("tags").to_vec(),
        created_at: aws.now,
        events: Default::default(),
        settings,
        steady: false,
        placement_retry_at: 0,
        uneven: false,
    };
    aws.ecs.services.insert(arn.clone(), service);
    deployments::begin(aws, &arn, &definition.arn, None);

    Ok(json!({"service": describe_services::view(aws, &aws.ecs.services[&arn], true)}))
}

/// The name of a service to create, which no service of the cluster may have.
fn new_name(aws: &Aws, input: &CheckedInput, cluster: &str) -> Result<String, ApiError> {
    let name = input
        .text("serviceName")
        .ok_or_else(|| invalid("Service name cannot be empty."))?;
    if name.len() > 255
        || !name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    {
        return Err(invalid("Service name contains invalid characters."));
    }

    match aws
        .ecs
        .service_named(cluster, name)
        .map(|service| service.status)
    {
        Some(ServiceStatus::Active) => Err(invalid("Creation of service was not idempotent.")),
        Some(ServiceStatus::Draining) => {
            Err(invalid("Unable to Start a service that is still Draining."))
        }
        Some(ServiceStatus::Inactive) | None => Ok(name.to_owned()),
    }
}

pub(super) fn update(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let arn = find(aws, input)?;
    let service = &aws.ecs.services[&arn];
    require_active(service)?;
    let primary = service
        .primary()
        .expect("an active service has a primary deployment");
    let (running, before, mut settings) = (
        primary.task_definition.clone(),
        service.settings.clone(),
        service.settings.clone(),
    );
    let desired_count = input
        .integer("desiredCount")
        .map_or(Ok(service.desired_count), service_rules::desired_count)?;

    merge(aws, &mut settings, input);
    let definition = match input.text("taskDefinition") {
        Some(name) => definitions::usable(aws, name)?.clone(),
        None => aws
            .ecs
            .definition(&running)
            .expect("task definitions are never deleted")
            .clone(),
    };
    service_rules::check(aws, &settings, &definition)?;
    service_rules::check_room(&settings, "updated")?;
    service_rules::check_role(&settings, &definition, "updated")?;

    let changed = OF_DEPLOYMENT
        .iter()
        .any(|member| settings.get(*member) != before.get(*member));
    let begins = changed || definition.arn != running || input.flag("forceNewDeployment");
    service_rules::check_deployments(aws, &arn, begins)?;
    let service = aws
        .ecs
        .services
        .get_mut(&arn)
        .expect("the service was just found");
    service.steady &= service.desired_count == desired_count;
    service.settings = settings;
    service.desired_count = desired_count;

    if begins {
        deployments::begin(aws, &arn, &definition.arn, None);
    } else {
        scheduler::wake(aws, &arn);
    }
    Ok(json!({"service": describe_services::view(aws, &aws.ecs.services[&arn], true)}))
}

/// Changes the count, as another service of AWS does by calling UpdateService: no deployment
/// begins.
pub(crate) fn scale(aws: &mut Aws, arn: &str, count: u32) {
    let active = |service: &&mut Service| {
        service.status == ServiceStatus::Active && service.desired_count != count
    };
    if let Some(service) = aws.ecs.services.get_mut(arn).filter(active) {
        service.desired_count = count;
        service.steady = false;
        scheduler::wake(aws, arn);
    }
}

pub(super) fn delete(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let arn = find(aws, input)?;
    let service = aws
        .ecs
        .services
        .get_mut(&arn)
        .expect("the service was just found");
    require_active(service)?;
    if service.desired_count > 0 && !input.flag("force") {
        return Err(invalid(
            "The service cannot be stopped while the primary deployment is scaled above 0.",
        ));
    }

    service.status = ServiceStatus::Draining;
    service.desired_count = 0;
    aws.schedule(
        Duration::ZERO,
        super::EcsEvent::Reconcile {
            service: arn.clone(),
        },
    );
    Ok(json!({"service": describe_services::view(aws, &aws.ecs.services[&arn], true)}))
}

fn require_active(service: &Service) -> Result<(), ApiError> {
    if service.status == ServiceStatus::Active {
        Ok(())
    } else {
        Err(ApiError::client(
            "ServiceNotActiveException",
            "Service was not ACTIVE.",
        ))
    }
}

/// The ARN of the service that `service` names.
fn find(aws: &Aws, input: &CheckedInput) -> Result<String, ApiError> {
    let cluster = input.cluster(aws)?;
    let name = input
        .text("service")
        .ok_or_else(|| invalid("Service cannot be empty."))?;
    let service = aws.ecs.service_named(&cluster.name, short_name(name));

    Ok(service
        .ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))?
        .arn
        .clone())
}

/// Takes over the members of a request. Those of `deploymentConfiguration` that are not given stay
/// as they are.
fn merge(aws: &mut Aws, settings: &mut Map<String, Value>, input: &CheckedInput) {
    // A service has one or the other.
    if input.get("capacityProviderStrategy").is_some() {
        settings.remove("launchType");
    }
    for (member, value) in input
        .0
        .iter()
        .filter(|(member, value)| !NOT_SETTINGS.contains(&member.as_str()) && !value.is_null())
    {
        match (
            settings.get_mut(member).and_then(Value::as_object_mut),
            value.as_object(),
        ) {
            (Some(old), Some(new)) if member == "deploymentConfiguration" => {
                merge_configuration(aws, old, new);
            }
            _ => _ = settings.insert(member.clone(), value.clone()),
        }
    }
}

/// Takes over the given members of a deployment configuration. Whether a given member keeps those
/// of its own members that are not given is drawn.
fn merge_configuration(aws: &mut Aws, old: &mut Map<String, Value>, new: &Map<String, Value>) {
    for (member, value) in new {
        match (
            old.get_mut(member).and_then(Value::as_object_mut),
            value.as_object(),
        ) {
            (Some(inner), Some(given)) if aws.draw_quirk(Quirk::KeepsInnerMembers) => {
                inner.extend(given.clone());
            }
            _ => _ = old.insert(member.clone(), value.clone()),
        }
    }
}

/// Shows another deployment controller for a service, which otherwise stays as it is: only Amazon
/// ECS is emulated.
pub fn set_controller(aws: &mut Aws, cluster: &str, service: &str, controller: &str) {
    let controller = json!({ "type": controller });
    set_shown(aws, (cluster, service), "deploymentController", controller);
}

/// Shows another value of a setting for a service, which goes on as it is: no other scheduling, no
/// other deployment strategy and nothing that discovers it is played.
pub fn set_shown(aws: &mut Aws, (cluster, service): (&str, &str), setting: &str, value: Value) {
    let found = aws.ecs.service_named(cluster, service);
    let Some(arn) = found.map(|found| found.arn.clone()) else {
        return;
    };
    if let Some(found) = aws.ecs.services.get_mut(&arn) {
        if OF_DEPLOYMENT_ONLY.contains(&setting) {
            for deployment in &mut found.deployments {
                let settings = &mut deployment.settings;
                settings.insert(setting.to_owned(), value.clone());
            }
        }
        found.settings.insert(setting.to_owned(), value);
    }
}

fn with_defaults(aws: &mut Aws, settings: &mut Map<String, Value>) {
    let mut add = |member: &str, value: Value| _ = settings.entry(member).or_insert(value);
    add("loadBalancers", json!([]));
    add("serviceRegistries", json!([]));
    add("placementConstraints", json!([]));
    add("placementStrategy", json!([]));
    add("schedulingStrategy", "REPLICA".into());
    add("deploymentController", json!({"type": "ECS"}));
    add("deploymentConfiguration", json!({}));
    add("enableECSManagedTags", false.into());
    add("enableExecuteCommand", false.into());
    add("propagateTags", "NONE".into());

    if !settings.contains_key("capacityProviderStrategy") {
        settings.entry("launchType").or_insert("EC2".into());
    }
    if service_rules::launch_type(settings) == "FARGATE" {
        settings.entry("platformVersion").or_insert("LATEST".into());
    }
    if !service_rules::load_balancers(settings).is_empty() {
        settings
            .entry("healthCheckGracePeriodSeconds")
            .or_insert(0.into());
    }

    let Some(configuration) = settings
        .get_mut("deploymentConfiguration")
        .and_then(Value::as_object_mut)
    else {
        return;
    };

    configuration
        .entry("deploymentCircuitBreaker")
        .or_insert(json!({"enable": false, "rollback": false}));
    configuration.entry("maximumPercent").or_insert(200.into());
    configuration
        .entry("minimumHealthyPercent")
        .or_insert(100.into());
    configuration.entry("strategy").or_insert("ROLLING".into());
    configuration.entry("bakeTimeInMinutes").or_insert(0.into());

    if !settings.contains_key("availabilityZoneRebalancing") {
        let rebalancing = service_rules::default_rebalancing(aws, settings);
        settings.insert("availabilityZoneRebalancing".to_owned(), rebalancing.into());
    }
}
