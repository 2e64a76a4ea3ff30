//! Updates of a service by its own stack, as CloudFormation reports them.
//!
//! It reports them while an update is rolled back, too. They never show what the service runs: that
//! is read from Amazon ECS.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::Value;

use crate::arn::resource_of;

const SOURCE: &str = "aws.cloudformation";
const REPORT: &str = "CloudFormation Resource Status Change";
const SERVICE: &str = "AWS::ECS::Service";

/// A stack updates a service, or has updated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUpdate {
    /// The event's id, by which a duplicate delivery is recognised.
    pub event: String,
    /// The account and the region of the service, if the event names them.
    pub account: Option<String>,
    pub region: Option<String>,
    pub cluster: String,
    pub service: String,
    pub stage: UpdateStage,
}

/// How far an update of a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateStage {
    /// The update of the service may have been made already.
    Begun,
    Complete,
}

/// `detail` of a "CloudFormation Resource Status Change" (AWS CloudFormation User Guide, Resource
/// Status Change event detail).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ResourceStatus {
    physical_resource_id: String,
    resource_type: String,
    status_details: StatusDetails,
}

#[derive(Debug, Deserialize)]
struct StatusDetails {
    status: String,
}

impl ServiceUpdate {
    /// Whether an event is one of CloudFormation.
    #[must_use]
    pub fn is_source_of(event: &Value) -> bool {
        event["source"] == SOURCE
    }

    /// Reads an event of CloudFormation. `Ok(Err(…))` is the reason why a valid event is not an
    /// update of a service.
    ///
    /// # Errors
    /// If it is not an event of CloudFormation, or names no service.
    pub fn parse(event: Value) -> Result<Result<Self, String>, String> {
        let envelope: EventBridgeEvent<Value> =
            serde_json::from_value(event).map_err(|e| format!("not an EventBridge event: {e}"))?;
        if envelope.detail_type != REPORT {
            return Ok(Err(format!(
                "`{}` is not an update of a service; expected \"{REPORT}\"",
                envelope.detail_type
            )));
        }

        let detail: ResourceStatus = serde_json::from_value(envelope.detail)
            .map_err(|e| format!("detail of a {REPORT}: {e}"))?;
        let stage = match (
            detail.resource_type.as_str(),
            &*detail.status_details.status,
        ) {
            (SERVICE, "UPDATE_IN_PROGRESS") => UpdateStage::Begun,
            (SERVICE, "UPDATE_COMPLETE") => UpdateStage::Complete,
            (kind, status) => {
                return Ok(Err(format!(
                    "{status} of an {kind} is not an update of a service; expected \
                     UPDATE_IN_PROGRESS or UPDATE_COMPLETE of an {SERVICE}"
                )));
            }
        };
        let event = envelope
            .id
            .filter(|id| !id.is_empty())
            .ok_or("`id` is missing or empty, so a duplicate could not be recognised")?;
        let (cluster, service) = named(&detail.physical_resource_id).ok_or_else(|| {
            format!(
                "`physical-resource-id` is `{}`; expected the ARN of a service with its cluster",
                detail.physical_resource_id
            )
        })?;

        let stated = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Ok(Self {
            event,
            account: stated(envelope.account),
            region: stated(envelope.region),
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            stage,
        }))
    }
}

/// Cluster and name of a service, by its ARN in the long format.
fn named(arn: &str) -> Option<(&str, &str)> {
    resource_of(arn, "ecs")?
        .strip_prefix("service/")?
        .split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(change: impl Fn(&mut Value)) -> Result<Result<ServiceUpdate, String>, String> {
        let mut event = json!({
            "version": "0", "id": "6b3c1c0e-2f39-4c5e-8b5a-6f2f6d1a0b11",
            "detail-type": "CloudFormation Resource Status Change",
            "source": "aws.cloudformation", "account": "111122223333",
            "time": "2026-01-05T09:00:00Z", "region": "eu-west-1", "resources": [],
            "detail": {
                "stack-id": "arn:aws:cloudformation:eu-west-1:111122223333:stack/Storefront/1",
                "logical-resource-id": "Service",
                "physical-resource-id":
                    "arn:aws:ecs:eu-west-1:111122223333:service/apps/web",
                "status-details": {"status": "UPDATE_COMPLETE", "status-reason": ""},
                "resource-type": "AWS::ECS::Service", "client-request-token": "",
            },
        });
        change(&mut event);
        assert!(ServiceUpdate::is_source_of(&event));
        ServiceUpdate::parse(event)
    }

    #[test]
    fn every_field_of_an_update_is_read() {
        let update = |stage| ServiceUpdate {
            event: "6b3c1c0e-2f39-4c5e-8b5a-6f2f6d1a0b11".to_owned(),
            account: Some("111122223333".to_owned()),
            region: Some("eu-west-1".to_owned()),
            cluster: "apps".to_owned(),
            service: "web".to_owned(),
            stage,
        };
        assert_eq!(report(|_| {}), Ok(Ok(update(UpdateStage::Complete))));

        let begun =
            report(|e| e["detail"]["status-details"]["status"] = json!("UPDATE_IN_PROGRESS"));
        assert_eq!(begun, Ok(Ok(update(UpdateStage::Begun))));
        assert!(!ServiceUpdate::is_source_of(&json!({"source": "aws.ecr"})));
    }

    #[test]
    fn another_status_resource_or_event_is_ignored_with_the_reason() {
        let ignored =
            |change: fn(&mut Value)| report(change).expect("an event").expect_err("other");

        let expected = "expected UPDATE_IN_PROGRESS or UPDATE_COMPLETE of an AWS::ECS::Service";
        assert_eq!(
            ignored(|e| e["detail"]["status-details"]["status"] = json!("UPDATE_FAILED")),
            format!(
                "UPDATE_FAILED of an AWS::ECS::Service is not an update of a service; {expected}"
            )
        );
        assert_eq!(
            ignored(|e| e["detail"]["resource-type"] = json!("AWS::ECS::Cluster")),
            format!(
                "UPDATE_COMPLETE of an AWS::ECS::Cluster is not an update of a service; {expected}"
            )
        );
        assert_eq!(
            ignored(|e| e["detail-type"] = json!("CloudFormation Stack Status Change")),
            "`CloudFormation Stack Status Change` is not an update of a service; expected \
             \"CloudFormation Resource Status Change\""
        );
    }

    #[test]
    fn an_update_without_an_id_or_the_arn_of_a_service_is_refused() {
        let refused = |change: fn(&mut Value)| report(change).expect_err("refused");

        assert_eq!(
            refused(|e| e["id"] = json!("")),
            "`id` is missing or empty, so a duplicate could not be recognised"
        );
        for other in [
            "web",
            "arn:aws:ecs:eu-west-1:111122223333:service/web",
            "arn:aws:ecs:eu-west-1:111122223333:cluster/apps",
        ] {
            let refusal = report(|e| e["detail"]["physical-resource-id"] = json!(other));
            assert_eq!(
                refusal.expect_err("refused"),
                format!(
                    "`physical-resource-id` is `{other}`; expected the ARN of a service with its \
                     cluster"
                )
            );
        }
        let refusal = refused(|e| e["detail"] = json!({}));
        assert!(
            refusal.starts_with("detail of a CloudFormation Resource Status Change: missing field"),
            "{refusal}"
        );
    }
}
