//! The operations of Elastic Load Balancing by their names, and what they share.

use serde_json::{Map, Value, json};

use crate::page::Tokens;
use crate::stale::StaleChange;
use crate::{ApiError, Aws};

use super::{change, describe};
use crate::protocol::query::Parameters;

/// The most items of one page.
const MOST_PAGE_SIZE: usize = 400;
/// The most resources of one DescribeTags.
const MOST_TAGGED: usize = 20;

pub(crate) const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// One action by its API name with the parameters of the form; returns the members of its result.
pub fn run_operation(
    aws: &mut Aws,
    action: &str,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    match action {
        "DescribeTargetHealth" => aws
            .behind(&[StaleChange::Service, StaleChange::Routing], |aws| {
                describe::target_health(aws, parameters)
            }),
        "DescribeTargetGroups" => describe::target_groups(aws, parameters),
        "DescribeLoadBalancers" => describe::load_balancers(aws, parameters),
        "DescribeListeners" => aws.behind(&[StaleChange::Routing], |aws| {
            describe::listeners(aws, parameters)
        }),
        "DescribeRules" => aws.behind(&[StaleChange::Routing], |aws| {
            describe::rules(aws, parameters)
        }),
        "DescribeTags" => tags(aws, parameters),
        "ModifyRule" => {
            aws.keep_before(StaleChange::Routing);
            let arn = change::rule(aws, parameters)?;
            describe::rules(aws, &only("RuleArns.member.1", arn))
        }
        "ModifyListener" => {
            aws.keep_before(StaleChange::Routing);
            let arn = change::listener(aws, parameters)?;
            describe::listeners(aws, &only("ListenerArns.member.1", arn))
        }
        "RegisterTargets" => change::register(aws, parameters),
        "DeregisterTargets" => change::deregister(aws, parameters),
        _ => Err(ApiError::unknown_operation(action)),
    }
}

fn only(name: &str, value: String) -> Parameters {
    [(name.to_owned(), value)].into()
}

/// The properties of a thing that has tags.
fn properties<'a>(aws: &'a Aws, arn: &str) -> Result<&'a Map<String, Value>, ApiError> {
    let elb = &aws.elb;
    let kind = arn
        .rsplit(':')
        .next()
        .and_then(|resource| resource.split('/').next())
        .unwrap_or_default();

    match kind {
        "loadbalancer" => elb
            .load_balancers
            .get(arn)
            .map(|it| &it.properties)
            .ok_or_else(load_balancer_not_found),
        "listener" => elb
            .listeners
            .get(arn)
            .map(|it| &it.properties)
            .ok_or_else(listener_not_found),
        "listener-rule" => elb
            .rules
            .get(arn)
            .map(|it| &it.properties)
            .ok_or_else(rule_not_found),
        "targetgroup" => elb
            .target_groups
            .get(arn)
            .map(|it| &it.properties)
            .ok_or_else(target_group_not_found),
        _ => Err(validation(&format!("'{arn}' is not a valid ARN"))),
    }
}

fn tags(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let arns = members(parameters, "ResourceArns", "");
    if !(1..=MOST_TAGGED).contains(&arns.len()) {
        return Err(validation(
            "Between 1 and 20 resource ARNs must be specified",
        ));
    }

    let mut descriptions = Vec::new();
    for arn in &arns {
        let tags = properties(aws, arn)?
            .get("Tags")
            .cloned()
            .unwrap_or(json!([]));
        descriptions.push(json!({"ResourceArn": arn, "Tags": tags}));
    }
    Ok(json!({ "TagDescriptions": descriptions }))
}

pub(super) fn target_group_not_found() -> ApiError {
    ApiError::client("TargetGroupNotFound", "One or more target groups not found")
}

pub(super) fn load_balancer_not_found() -> ApiError {
    ApiError::client(
        "LoadBalancerNotFound",
        "One or more load balancers not found",
    )
}

pub(super) fn listener_not_found() -> ApiError {
    ApiError::client("ListenerNotFound", "One or more listeners not found")
}

pub(super) fn rule_not_found() -> ApiError {
    ApiError::client("RuleNotFound", "One or more rules not found")
}

pub(super) fn validation(message: &str) -> ApiError {
    ApiError::client("ValidationError", message)
}

pub(super) fn wanted(wanted_ids: &[String], value: &String) -> bool {
    wanted_ids.is_empty() || wanted_ids.contains(value)
}

/// The values of `<list>.member.1<suffix>`, `<list>.member.2<suffix>` and so on.
pub(super) fn members(parameters: &Parameters, list: &str, suffix: &str) -> Vec<String> {
    (1..)
        .map_while(|number| {
            parameters
                .get(&format!("{list}.member.{number}{suffix}"))
                .cloned()
        })
        .collect()
}

/// One page of a list by `PageSize` and `Marker`.
pub(super) fn page(
    aws: &Aws,
    name: &str,
    items: Vec<Value>,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    let size = parameters.get("PageSize").map(|size| size.parse());
    let size = size.unwrap_or(Ok(MOST_PAGE_SIZE)).ok();
    let size = size
        .filter(|size| (1..=MOST_PAGE_SIZE).contains(size))
        .ok_or_else(|| validation("PageSize must be between 1 and 400"))?;

    let marker = parameters.get("Marker").map(String::as_str);
    let page = Tokens::Decimal
        .page(items, marker, aws.page_size(size))
        .ok_or_else(|| validation("The marker is not valid"))?;
    Ok(json!({name: page.items, "NextMarker": page.next}))
}
