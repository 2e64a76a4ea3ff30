//! States of executions, services, weights and the ledger, as a trace shows them.

use serde_json::Value;

use emulator::Aws;
use emulator::elb::Elb;
use invariants::ledger_reader::{ledger, serving, text};
use invariants::routes;

/// The subject of a state, and the state.
type State = (String, String);

pub(super) fn all(aws: &Aws) -> Vec<State> {
    let items = ledger(aws);
    executions(aws)
        .chain(services(aws))
        .chain(weights(aws))
        .chain(records(aws))
        .chain(items.iter().filter_map(of_item))
        .collect()
}

fn executions(aws: &Aws) -> impl Iterator<Item = State> {
    aws.codepipeline.executions.iter().map(|execution| {
        (
            format!("execution {}", short(&execution.id)),
            format!("{:?}", execution.status),
        )
    })
}

fn services(aws: &Aws) -> impl Iterator<Item = State> {
    aws.ecs.services.values().filter_map(move |service| {
        let primary = service.primary()?;
        let runs = primary
            .task_definition
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let (rollout, healthy) = (primary.rollout, serving(aws, service).count());
        let state = format!(
            "{runs} {rollout:?}, {healthy} of {} healthy",
            service.desired_count
        );
        Some((format!("service {}", service.name), state))
    })
}

/// The weights of each rule with more than one target group.
fn weights(aws: &Aws) -> impl Iterator<Item = State> {
    aws.elb.rules.iter().filter_map(|(arn, rule)| {
        let weights: Vec<String> = Elb::forwards(rule.properties.get("Actions"))
            .iter()
            .map(|(_, weight)| weight.to_string())
            .collect();
        let name = arn.rsplit('/').next().unwrap_or_default();
        (weights.len() > 1).then(|| (format!("weights of rule {name}"), weights.join(" / ")))
    })
}

/// The weights of each name with weighted records.
fn records(aws: &Aws) -> impl Iterator<Item = State> {
    routes::of_records(aws).into_iter().map(|(route, groups)| {
        let weights: Vec<String> = groups.iter().map(|(_, it)| it.to_string()).collect();
        let name = route.split('/').nth(1).unwrap_or_default();
        (format!("weights of {name}"), weights.join(" / "))
    })
}

/// The state of a lease or a record in the ledger.
fn of_item(item: &Value) -> Option<State> {
    match text(item, "pk") {
        Some("lease") if text(item, "service").is_some() => {
            let holder = text(item, "release.execution")
                .map_or_else(|| "free".to_owned(), |id| short(id).to_owned());
            let state = text(item, "release.state").unwrap_or_default();
            Some((
                format!("lease of {}", text(item, "sk").unwrap_or_default()),
                format!("{holder} {state}"),
            ))
        }
        Some(pk) if pk.starts_with("execution#") => {
            let field = |name| text(item, name).unwrap_or_default();
            let state = format!(
                "{} {} {}",
                field("state"),
                field("outcome"),
                field("reason")
            );
            Some((
                format!("record {}", short(pk.trim_start_matches("execution#"))),
                state,
            ))
        }
        _ => None,
    }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
