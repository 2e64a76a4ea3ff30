//! How ECS describes service deployments: ListServiceDeployments and DescribeServiceDeployments.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::text::short_name;
use crate::{ApiError, Aws, Millis};

use super::input::{CheckedInput, found_and_missing};
use super::service_history::{Counts, ServiceDeployment, State};
use super::{Service, invalid};

/// The most service deployments of one DescribeServiceDeployments.
const MOST_DESCRIBED: usize = 20;

/// The items of a page of ListServiceDeployments, unless others are requested.
const PAGE: i64 = 20;

/// How long a service deployment is PENDING.
const PENDING_MS: Millis = 1000;

const STATUSES: [&str; 9] = [
    "PENDING",
    "SUCCESSFUL",
    "STOPPED",
    "STOP_REQUESTED",
    "IN_PROGRESS",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
];

const NO_CANDIDATE: &str = "No rollback candidate was found to run the rollback.";

/// Newest first.
pub(super) fn list(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let service = named(aws, input)?;
    let statuses = input.texts("status");
    if let Some(unknown) = statuses.iter().find(|word| !STATUSES.contains(word)) {
        return Err(invalid(format!("Invalid status {unknown}")));
    }

    let bound = |member: &str| input.get("createdAt")?.get(member)?.as_f64();
    let (after, before) = (bound("after"), bound("before"));
    let matches = |one: &&ServiceDeployment| {
        let created = one.created_at as f64 / 1000.0;
        (statuses.is_empty() || statuses.contains(&status(aws, one)))
            && after.is_none_or(|after| created >= after)
            && before.is_none_or(|before| created <= before)
    };
    let found = service.history.iter().rev().filter(matches);
    let briefs: Vec<(String, Value)> = found
        .map(|one| (arn(aws, service, one), brief(aws, service, one)))
        .collect();

    let arns = briefs.iter().map(|(arn, _)| arn.clone()).collect();
    let mut page = input.page(aws, "serviceDeployments", arns, PAGE)?;
    let briefs: BTreeMap<String, Value> = briefs.into_iter().collect();
    for item in page["serviceDeployments"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        if let Some(brief) = item.as_str().and_then(|arn| briefs.get(arn)) {
            *item = brief.clone();
        }
    }
    Ok(page)
}

pub(super) fn describe(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let arns = input.texts("serviceDeploymentArns");
    if arns.is_empty() {
        return Err(invalid("Service deployments cannot be empty."));
    }
    if arns.len() > MOST_DESCRIBED {
        return Err(invalid(format!(
            "Service deployments can have at most {MOST_DESCRIBED} items."
        )));
    }

    let describe = |wanted: &str| {
        let all = aws.ecs.services.values().flat_map(|service| {
            let history = service.history.iter();
            history.map(move |one| (service, one))
        });
        let found = all
            .filter(|(_, one)| one.id == short_name(wanted))
            .find(|(service, one)| arn(aws, service, one) == wanted);
        let described = found.map(|(service, one)| view(aws, service, one));
        (wanted.to_owned(), described)
    };
    let described = arns.into_iter().map(describe);
    Ok(found_and_missing("serviceDeployments", described))
}

/// The service that `service` names. Its ARN, unless it is of the old, short form, has the cluster.
fn named<'a>(aws: &'a Aws, input: &CheckedInput) -> Result<&'a Service, ApiError> {
    let name = input
        .text("service")
        .ok_or_else(|| invalid("Service cannot be empty."))?;
    let in_arn = name
        .rsplit('/')
        .nth(1)
        .filter(|cluster| !cluster.contains(':'))
        .and_then(|cluster| aws.ecs.clusters.get(cluster));
    let cluster = match in_arn.filter(|_| input.text("cluster").is_none()) {
        Some(cluster) => cluster,
        None => input.cluster(aws)?,
    };

    let service = aws.ecs.service_named(&cluster.name, short_name(name));
    service.ok_or_else(|| ApiError::client("ServiceNotFoundException", "Service not found."))
}

fn arn(aws: &Aws, service: &Service, one: &ServiceDeployment) -> String {
    let path = format!("{}/{}/{}", service.cluster, service.name, one.id);
    aws.arn("ecs", &format!("service-deployment/{path}"))
}

fn revision_arn(aws: &Aws, service: &Service, revision: &str) -> String {
    let path = format!("{}/{}/{revision}", service.cluster, service.name);
    aws.arn("ecs", &format!("service-revision/{path}"))
}

fn status(aws: &Aws, one: &ServiceDeployment) -> &'static str {
    match one.state {
        State::InProgress if aws.now < one.created_at + PENDING_MS => "PENDING",
        State::InProgress => "IN_PROGRESS",
        State::RollingBack => "ROLLBACK_IN_PROGRESS",
        State::Successful => "SUCCESSFUL",
        State::Stopped => "STOPPED",
        State::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
        State::RollbackFailed => "ROLLBACK_FAILED",
    }
}

fn status_reason(one: &ServiceDeployment) -> Option<&'static str> {
    match (&one.rollback, one.state) {
        (Some(rollback), _) => Some(rollback.detector.rollback_reason()),
        (None, State::RollbackFailed) => Some(NO_CANDIDATE),
        (None, _) => None,
    }
}

/// What list and description have in common.
fn common(aws: &Aws, service: &Service, one: &ServiceDeployment) -> Value {
    let mut common = json!({
        "serviceDeploymentArn": arn(aws, service, one),
        "serviceArn": service.arn, "clusterArn": service.cluster_arn,
        "createdAt": Aws::seconds(one.created_at),
        "status": status(aws, one),
    });

    let starts_at = one.created_at + PENDING_MS;
    if starts_at <= one.ended.as_ref().map_or(aws.now, |ended| ended.at) {
        common["startedAt"] = Aws::seconds(starts_at);
    }
    if let Some(ended) = &one.ended {
        common["finishedAt"] = Aws::seconds(ended.at);
    }
    if let Some(reason) = status_reason(one) {
        common["statusReason"] = reason.into();
    }
    common
}

fn brief(aws: &Aws, service: &Service, one: &ServiceDeployment) -> Value {
    let mut brief = common(aws, service, one);
    brief["targetServiceRevisionArn"] = revision_arn(aws, service, &one.target).into();
    brief
}

fn view(aws: &Aws, service: &Service, one: &ServiceDeployment) -> Value {
    let mut view = common(aws, service, one);
    let mut counts = one.counts(aws, service).into_iter();
    let summary = |counts: Counts| {
        json!({
            "arn": revision_arn(aws, service, &counts.revision),
            "requestedTaskCount": counts.requested,
            "runningTaskCount": counts.running,
            "pendingTaskCount": counts.pending,
        })
    };
    view["targetServiceRevision"] = counts.next().map(summary).into();
    view["sourceServiceRevisions"] = counts.map(summary).collect();
    view["updatedAt"] = Aws::seconds(updated_at(service, one));

    if let Some(ended) = one.ended.as_ref().filter(|_| one.state == State::Stopped) {
        view["stoppedAt"] = Aws::seconds(ended.at);
    }
    if let Some(rollback) = &one.rollback {
        view["rollback"] = json!({
            "reason": rollback.detector.rollback_reason(),
            "startedAt": Aws::seconds(rollback.at),
            "serviceRevisionArn": revision_arn(aws, service, &rollback.revision),
        });
    }

    view["deploymentConfiguration"] = one.configuration.clone();
    if one.configuration["alarms"].is_null() {
        view["deploymentConfiguration"]["alarms"] =
            json!({"alarmNames": [], "rollback": false, "enable": false});
    }
    view["deploymentCircuitBreaker"] = circuit_breaker(service, one);
    view["alarms"] = alarms(one);
    view
}

fn updated_at(service: &Service, one: &ServiceDeployment) -> Millis {
    let own = service
        .deployments
        .iter()
        .find(|deployment| deployment.id == one.deployment);
    match &one.ended {
        Some(ended) => ended.at,
        None => own.map_or(one.created_at, |deployment| deployment.updated_at),
    }
}

fn circuit_breaker(service: &Service, one: &ServiceDeployment) -> Value {
    let failed = one.failed_tasks(service);
    let status = if one.configuration["deploymentCircuitBreaker"]["enable"] != true {
        "DISABLED"
    } else if failed >= one.threshold {
        "TRIGGERED"
    } else {
        watching(one)
    };
    json!({"status": status, "failureCount": failed, "threshold": one.threshold})
}

fn alarms(one: &ServiceDeployment) -> Value {
    if one.watched.is_empty() {
        return json!({"status": "DISABLED"});
    }
    let status = if one.triggered.is_empty() {
        watching(one)
    } else {
        "TRIGGERED"
    };
    json!({
        "status": status, "alarmNames": one.watched, "triggeredAlarmNames": one.triggered,
    })
}

fn watching(one: &ServiceDeployment) -> &'static str {
    if one.ended.is_some() {
        "MONITORING_COMPLETE"
    } else {
        "MONITORING"
    }
}
