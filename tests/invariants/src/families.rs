//! Invariant 8 for services that share a family of task definitions: a release deregisters no
//! revision that a service runs, its own or another one.

use super::body;
use emulator::ecs::Service;
use emulator::{Aws, Millis, Request};

/// The line of what only services of a shared family meet.
pub const A_SHARED_FAMILY: &str = "8 what another service runs stays registered";

/// How long a task must have run so that the release has seen it, which looks before it calls.
const SEEN: Millis = 60_000;

/// A function deregistered a revision: no service works towards it and has had tasks of it. Counts
/// only where a release could err: where two services run revisions of its family.
pub(super) fn unused(aws: &Aws, request: &Request) -> Result<u64, String> {
    let input = body(request);
    let named = input["taskDefinition"].as_str();
    let Some(definition) = named.and_then(|name| aws.ecs.definition_arn(name)) else {
        return Ok(0);
    };

    let mut services = aws.ecs.services.values();
    if let Some(service) = services.find(|service| runs(aws, service, definition)) {
        return Err(format!(
            "invariant 8: {definition} was deregistered, and {} runs it",
            service.name
        ));
    }

    let primaries = aws.ecs.services.values().filter_map(Service::primary);
    let of_family =
        primaries.filter(|primary| family(&primary.task_definition) == family(definition));
    Ok(u64::from(of_family.count() > 1))
}

/// Whether a service works towards a revision and has had a task of it for a while.
fn runs(aws: &Aws, service: &Service, definition: &str) -> bool {
    let primary = service.primary();
    if primary.is_none_or(|primary| primary.task_definition != definition) {
        return false;
    }

    let mut tasks = aws.ecs.tasks_of(&service.arn);
    tasks.any(|task| {
        task.is_running()
            && task.task_definition == definition
            && task.started_at.is_some_and(|at| aws.now - at > SEEN)
    })
}

/// The ARN of a revision without its number.
fn family(definition: &str) -> &str {
    definition
        .rsplit_once(':')
        .map_or(definition, |(family, _)| family)
}

#[cfg(test)]
mod tests {
    use emulator::ecs;
    use serde_json::{Value, json};

    use super::*;

    fn call(aws: &mut Aws, operation: &str, input: &Value) -> Value {
        ecs::call(aws, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// Registers a revision of the family `web`, marked with the execution that did, if any.
    fn register(aws: &mut Aws, execution: Option<&str>) -> String {
        let mut input = json!({
            "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [
                {"name": "app", "image": "nginx:1", "portMappings": [{"containerPort": 80}]},
            ],
        });
        if let Some(execution) = execution {
            input["tags"] = json!([{"key": "slipway:execution", "value": execution}]);
        }
        let registered = call(aws, "RegisterTaskDefinition", &input);
        let arn = registered["taskDefinition"]["taskDefinitionArn"].as_str();
        arn.expect("it has an ARN").to_owned()
    }

    fn create(aws: &mut Aws, service: &str, definition: &str) {
        let input = json!({
            "cluster": "main", "serviceName": service, "taskDefinition": definition,
            "desiredCount": 1, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        });
        call(aws, "CreateService", &input);
    }

    /// What the invariant finds about a call that deregisters a revision.
    fn deregistered(aws: &Aws, definition: &str) -> Result<u64, String> {
        let body = json!({ "taskDefinition": definition }).to_string();
        let request = Request {
            caller: "slipway-roll-back".to_owned(),
            method: "POST".to_owned(),
            host: String::new(),
            path_and_query: "/".to_owned(),
            headers: Vec::new(),
            body: body.into_bytes(),
        };
        unused(aws, &request)
    }

    fn is_run_by(service: &str, definition: &str) -> Result<u64, String> {
        Err(format!(
            "invariant 8: {definition} was deregistered, and {service} runs it"
        ))
    }

    #[test]
    fn a_revision_that_a_service_runs_stays_whichever_release_registered_it() {
        // The release of `web-internal` registered what it runs; and the stack did.
        for mark in [Some("web-internal-1"), None] {
            let mut aws = Aws::new(1);
            call(&mut aws, "CreateCluster", &json!({"clusterName": "main"}));
            let internal = register(&mut aws, mark);
            let web = register(&mut aws, Some("web-1"));
            let left = register(&mut aws, Some("web-2"));
            create(&mut aws, "web-internal", &internal);
            assert_eq!(
                deregistered(&aws, &left),
                Ok(0),
                "one service has the family"
            );
            create(&mut aws, "web", &web);

            for _ in 0..300 {
                aws.now += 1000;
                aws.run_due();
            }

            assert_eq!(
                deregistered(&aws, &internal),
                is_run_by("web-internal", &internal),
                "{mark:?}"
            );
            assert_eq!(deregistered(&aws, &web), is_run_by("web", &web), "{mark:?}");
            assert_eq!(deregistered(&aws, &left), Ok(1), "{mark:?}");
        }
    }
}
