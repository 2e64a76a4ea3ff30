//! What CloudFormation puts on the event bus about the update of an ECS service: its beginning, and
//! its end once the service is steady.
//!
//! The operation itself has already happened then, at one instant.

use std::time::Duration;

use serde_json::json;

use super::StackResource;
use crate::{Aws, Event, Millis, eventbridge};

const SOURCE: &str = "aws.cloudformation";
const REPORT: &str = "CloudFormation Resource Status Change";

/// The type of the resources of which updates are reported.
pub(super) const SERVICE: &str = "AWS::ECS::Service";

/// How often CloudFormation looks whether the service is steady.
const POLL: Duration = Duration::from_secs(15);
/// After so long the update would have failed, and its end is not reported.
const PATIENCE: Millis = 3 * 3600 * 1000;

/// An update of a service whose end is still to be reported.
#[derive(Clone, Debug)]
struct ServiceUpdate {
    stack_id: String,
    logical_id: String,
    /// The ARN of the service.
    service: String,
    since: Millis,
}

/// Reports the update of a service by a stack, unless no rule is about such reports.
pub(super) fn report(aws: &mut Aws, stack_id: &str, updated: &StackResource) {
    if !eventbridge::is_awaited(aws, SOURCE, REPORT) {
        return;
    }
    let update = ServiceUpdate {
        stack_id: stack_id.to_owned(),
        logical_id: updated.logical_id.clone(),
        service: updated.physical_id.clone(),
        since: aws.now,
    };
    update.emit(aws, "UPDATE_IN_PROGRESS");
    aws.schedule(POLL, update);
}

impl ServiceUpdate {
    fn emit(&self, aws: &mut Aws, status: &str) {
        let detail = json!({
            "stack-id": self.stack_id,
            "logical-resource-id": self.logical_id,
            "physical-resource-id": self.service,
            "status-details": {"status": status, "status-reason": ""},
            "resource-type": SERVICE,
            "client-request-token": "",
        });
        eventbridge::emit(aws, SOURCE, REPORT, vec![self.stack_id.clone()], detail);
    }
}

impl Event for ServiceUpdate {
    fn run(&self, aws: &mut Aws) {
        let Some(service) = aws.ecs.services.get(&self.service) else {
            return;
        };
        if !service.is_deploying() {
            self.emit(aws, "UPDATE_COMPLETE");
        } else if aws.now - self.since < PATIENCE {
            aws.schedule(POLL, self.clone());
        }
    }
}
