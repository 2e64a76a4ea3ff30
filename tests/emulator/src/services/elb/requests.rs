//! A request to the name of a load balancer: a rule or the default action of its listener forwards
//! it to a target group, and a target of the group responds.
//!
//! Applications are no more than their version: a target that works responds with 200 and the
//! family and revision of its task.

use serde_json::Value;

use super::{Elb, Listener, Rule, TargetState, state_at};
use crate::{Aws, Request, Response};

/// The response of a load balancer of the account with the host of the request; nothing if there is
/// none.
pub(crate) fn respond(aws: &mut Aws, request: &Request) -> Option<Response> {
    let (name, port) = match request.host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (request.host.as_str(), None),
    };
    let mut balancers = aws.elb.load_balancers.values();
    let balancer = balancers.find(|it| it.dns_name.eq_ignore_ascii_case(name))?;
    let listener = listener_of(&aws.elb, &balancer.arn, port)?;

    let rule = rules_of(&aws.elb, listener).into_iter().find(|rule| {
        let conditions = rule.properties.get("Conditions").and_then(Value::as_array);
        let mut conditions = conditions.into_iter().flatten();
        conditions.all(|condition| meets(&aws.elb, request, condition))
    });
    let arn = rule.map_or(&listener.arn, |rule| &rule.arn).clone();
    Some(act(aws, &arn))
}

/// The listener of a port; without one that of HTTPS, else that with the lowest port.
fn listener_of<'a>(elb: &'a Elb, balancer: &str, port: Option<&str>) -> Option<&'a Listener> {
    let listeners = elb.listeners.values();
    let mut own = listeners.filter(|it| it.load_balancer_arn == balancer);
    let number = |listener: &Listener| listener.properties.get("Port").and_then(number_of);
    match port {
        Some(port) => {
            let port: Option<i64> = port.parse().ok();
            own.find(|it| number(it) == port)
        }
        None => own.min_by_key(|it| (number(it) != Some(443), number(it))),
    }
}

/// The rules of a listener, in the order in which they are tried.
fn rules_of<'a>(elb: &'a Elb, listener: &Listener) -> Vec<&'a Rule> {
    let rules = elb.rules.values();
    let mut own: Vec<&Rule> = rules.filter(|it| it.listener_arn == listener.arn).collect();
    own.sort_by_key(|rule| rule.properties.get("Priority").and_then(number_of));
    own
}

fn number_of(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Whether a request meets a condition. Either each source is one of those that a condition lists,
/// or none is; conditions on methods and query strings are met by none.
fn meets(elb: &Elb, request: &Request, condition: &Value) -> bool {
    let field = condition["Field"].as_str().unwrap_or_default();
    let values = |config: &str| {
        let own = &condition[config]["Values"];
        let values = own.as_array().or_else(|| condition["Values"].as_array());
        let texts = values.into_iter().flatten().filter_map(Value::as_str);
        texts.map(ToOwned::to_owned).collect::<Vec<String>>()
    };
    let is_one_of = |values: Vec<String>, found: &str| {
        let found = found.to_ascii_lowercase();
        let mut values = values.iter();
        values.any(|value| is_like(value.to_ascii_lowercase().as_bytes(), found.as_bytes()))
    };

    match field {
        "path-pattern" => {
            let values = values("PathPatternConfig");
            let path = request.path().as_bytes();
            values.iter().any(|value| is_like(value.as_bytes(), path))
        }
        "host-header" => {
            let host = request.header("host").unwrap_or(&request.host);
            let name = host.split(':').next().unwrap_or_default();
            is_one_of(values("HostHeaderConfig"), name)
        }
        "http-header" => {
            let config = &condition["HttpHeaderConfig"];
            let name = config["HttpHeaderName"].as_str().unwrap_or_default();
            let found = request.header(name);
            found.is_some_and(|found| is_one_of(values("HttpHeaderConfig"), found))
        }
        "source-ip" => !elb.sources_unlisted,
        _ => false,
    }
}

/// Whether a text is like a pattern, in which `*` is any text and `?` any character.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), after) => {
            is_like(rest, text) || after.is_some_and(|(_, after)| is_like(pattern, after))
        }
        (Some((one, rest)), Some((found, after))) if one == found || *one == b'?' => {
            is_like(rest, after)
        }
        _ => false,
    }
}

/// What the last action of a rule, or the default action of a listener, does with a request.
fn act(aws: &mut Aws, arn: &str) -> Response {
    let actions = aws.elb.actions_of(arn);
    let last = actions.and_then(|all| all.as_array()?.last());
    if let Some(fixed) = last.and_then(|action| action.get("FixedResponseConfig")) {
        let status = number_of(&fixed["StatusCode"]).and_then(|status| u16::try_from(status).ok());
        let body = fixed["MessageBody"].as_str().unwrap_or_default();
        return Response::with_body(status.unwrap_or(503), "text/plain", body);
    }

    let mut groups = Elb::forwards(actions);
    groups.retain(|(_, weight)| *weight > 0);
    let sum: i64 = groups.iter().map(|(_, weight)| weight).sum();
    if sum == 0 {
        return page(503, "Service Temporarily Unavailable");
    }
    let mut drawn = aws.rng.i64(0..sum);
    let group = groups.into_iter().find(|(_, weight)| {
        drawn -= weight;
        drawn < 0
    });
    forward(aws, &group.map_or_else(String::new, |(group, _)| group))
}

/// A group with unhealthy targets only has them tried.
fn forward(aws: &mut Aws, group: &str) -> Response {
    let of_state = |aws: &Aws, states: &[TargetState]| -> Vec<(String, u16, bool)> {
        let Some(group) = aws.elb.target_groups.get(group) else {
            return Vec::new();
        };
        let targets = group.targets.iter().filter(|(_, target)| {
            state_at(group, target, aws.now).is_some_and(|state| states.contains(&state))
        });
        targets
            .map(|((id, port), target)| (id.clone(), *port, target.answers))
            .collect()
    };

    let mut targets = of_state(aws, &[TargetState::Healthy]);
    if targets.is_empty() {
        targets = of_state(aws, &[TargetState::Initial, TargetState::Unhealthy]);
    }
    if targets.is_empty() {
        return page(503, "Service Temporarily Unavailable");
    }
    let (id, port, works) = targets.swap_remove(aws.rng.usize(..targets.len()));
    if works {
        Response::with_body(200, "text/plain", version_of(aws, group, &id, port))
    } else {
        page(502, "Bad Gateway")
    }
}

/// The family and revision of the task behind a target, or the target itself.
fn version_of(aws: &Aws, group: &str, id: &str, port: u16) -> String {
    let mut tasks = aws.ecs.tasks.values().filter(|task| {
        let mut attachments = task.attachments.iter();
        task.stopped_at.is_none()
            && attachments.any(|it| {
                it.target_group.as_str() == group && it.target_id.as_str() == id && it.port == port
            })
    });
    let definition = tasks.next().map(|task| task.task_definition.as_str());
    let revision = definition.and_then(|arn| arn.rsplit('/').next());
    revision.map_or_else(|| format!("{id}:{port}"), ToOwned::to_owned)
}

/// An error of the load balancer itself.
fn page(status: u16, reason: &str) -> Response {
    let body = format!(
        "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n\
         <center><h1>{status} {reason}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    Response::with_body(status, "text/html", body)
}
