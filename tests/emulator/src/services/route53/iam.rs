//! What the operations of Route 53 need to be allowed.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_route53.html>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html>

use serde_json::Value;

use super::name::normalized;
use crate::Aws;
use crate::cloudformation::items;
use crate::iam::{Demand, IamRequest};

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let on = |kind: &str, member: &str| {
        let resource = format!("{kind}/{}", request.text(member));
        request.on(aws.partition().arn("route53", "", &resource))
    };
    Some(vec![match request.operation.as_str() {
        "ChangeResourceRecordSets" => with_changes(
            on("hostedzone", "HostedZoneId"),
            &request.input["ChangeBatch"]["Changes"],
        ),
        "GetChange" => on("change", "Id"),
        "GetHostedZone" => on("hostedzone", "Id"),
        "ListResourceRecordSets" => on("hostedzone", "HostedZoneId"),
        _ => return None,
    }])
}

/// The demand with names, types and actions of a batch. The names have no dot at their end.
fn with_changes(demand: Demand, changes: &Value) -> Demand {
    let all = |read: fn(&Value) -> &Value| -> Vec<String> {
        let read = items(changes)
            .iter()
            .filter_map(|change| read(change).as_str());
        read.map(str::to_owned).collect()
    };
    let names = all(|change| &change["ResourceRecordSet"]["Name"]);
    let names = names
        .iter()
        .map(|name| normalized(name).trim_end_matches('.').to_owned());

    demand
        .with_all(
            "route53:ChangeResourceRecordSetsNormalizedRecordNames",
            names,
        )
        .with_all(
            "route53:ChangeResourceRecordSetsRecordTypes",
            all(|change| &change["ResourceRecordSet"]["Type"]),
        )
        .with_all(
            "route53:ChangeResourceRecordSetsActions",
            all(|change| &change["Action"]),
        )
}
