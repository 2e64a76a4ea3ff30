//! The operations by their names.

use serde_json::{Value, json};

use super::{HostedZone, SERVICE, change, list};
use crate::protocol::xml::instant;
use crate::{ApiError, Aws, Rate};

/// The limit of requests of the account.
///
/// Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html>
const REQUESTS: Rate = Rate {
    burst: 50,
    per_second: 10,
};

/// One request, if the account has not made too many.
pub(super) fn serve(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let now = aws.now;
    if !aws.route53.requests.take(REQUESTS, now) {
        return Err(SERVICE.errors.throttled.error());
    }
    call(aws, operation, input)
}

/// One operation by its API name with the members of its input; returns those of its output.
///
/// # Errors
/// What the operation refuses.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "ChangeResourceRecordSets" => change::change(aws, input),
        "GetChange" => {
            let info = change_info(aws, input["Id"].as_str().unwrap_or_default())?;
            Ok(json!({ "ChangeInfo": info }))
        }
        "GetHostedZone" => Ok(written(zone(aws, &input["Id"])?)),
        "ListResourceRecordSets" => list::list(aws, input),
        _ => Err(ApiError {
            status: 501,
            ..ApiError::client(
                "NotImplemented",
                format!("the sandbox does not serve {operation}"),
            )
        }),
    }
}

/// The zone that a request names.
pub(super) fn zone<'a>(aws: &'a Aws, id: &Value) -> Result<&'a HostedZone, ApiError> {
    let id = id.as_str().unwrap_or_default();
    aws.route53.zones.get(id).ok_or_else(|| ApiError {
        status: 404,
        ..ApiError::client(
            "NoSuchHostedZone",
            format!("No hosted zone found with ID: {id}"),
        )
    })
}

/// How far a change is.
pub(super) fn change_info(aws: &Aws, id: &str) -> Result<Value, ApiError> {
    let change = aws.route53.changes.get(id).ok_or_else(|| ApiError {
        status: 404,
        ..ApiError::client(
            "NoSuchChange",
            format!("Could not find resource with ID: {id}"),
        )
    })?;
    let status = if aws.now < change.in_sync_at {
        "PENDING"
    } else {
        "INSYNC"
    };
    Ok(json!({
        "Id": format!("/change/{id}"), "Status": status, "SubmittedAt": instant(change.at),
        "Comment": change.comment,
    }))
}

fn written(zone: &HostedZone) -> Value {
    json!({
        "HostedZone": {
            "Id": format!("/hostedzone/{}", zone.id), "Name": zone.name,
            "CallerReference": zone.reference,
            "Config": {"Comment": zone.comment, "PrivateZone": false},
            "ResourceRecordSetCount": zone.records.len(),
        },
        "DelegationSet": {"NameServers": zone.name_servers},
    })
}
