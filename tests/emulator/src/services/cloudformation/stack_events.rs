//! DescribeStackEvents: what happened to a stack, derived from what is known of it.
//!
//! Only the creation and the last update are known, and the resources are those of today.

use serde_json::{Value, json};

use super::api::{found, page, required, validation};
use super::stack::Failure;
use super::{Stack, StackResource, change_set};
use crate::protocol::query::Parameters;
use crate::protocol::xml::instant;
use crate::{ApiError, Aws, Millis};

const STACK: &str = "AWS::CloudFormation::Stack";

const USER: Option<&str> = Some("User Initiated");

/// Newest first.
pub(super) fn describe(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let wanted = required(parameters, "StackName")?;
    let mut events = match found(aws, wanted) {
        Some(stack) => events(aws, stack),
        None => {
            let missing = || validation(format!("Stack [{wanted}] does not exist"));
            let (id, at) = change_set::review_of(aws, wanted).ok_or_else(missing)?;
            let mut events = Events::of(name_in(&id), &id);
            events.stack("REVIEW_IN_PROGRESS", at, USER);
            events.0
        }
    };
    events.reverse();
    page("StackEvents", events, parameters)
}

/// The name in a stack's ARN.
fn name_in(id: &str) -> &str {
    id.split('/').nth(1).unwrap_or(id)
}

/// Oldest first.
fn events(aws: &Aws, stack: &Stack) -> Vec<Value> {
    let mut events = Events::of(&stack.name, &stack.id);
    if let Some((_, at)) = change_set::review_of(aws, &stack.id) {
        events.stack("REVIEW_IN_PROGRESS", at, USER);
    }

    events.stack("CREATE_IN_PROGRESS", stack.created, USER);
    for resource in &stack.resources {
        events.created(resource, stack.created);
    }
    match &stack.failure {
        Some(Failure::Creation {
            logical_id,
            kind,
            reason,
        }) => {
            events.failed(logical_id, kind, reason, stack.created);
            let reason = stack.failure.as_ref().map(Failure::reason);
            events.stack("ROLLBACK_IN_PROGRESS", stack.created, reason.as_deref());
            events.stack("ROLLBACK_COMPLETE", stack.created, None);
        }
        _ => events.stack("CREATE_COMPLETE", stack.created, None),
    }

    if let Some(at) = stack.updated {
        events.stack("UPDATE_IN_PROGRESS", at, USER);
        events.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", at, None);
        events.stack("UPDATE_COMPLETE", at, None);
    }
    events.0
}

/// The events of one stack, each with the members that all have.
struct Events<'a>(Vec<Value>, &'a str, &'a str);

impl<'a> Events<'a> {
    fn of(name: &'a str, id: &'a str) -> Self {
        Self(Vec::new(), name, id)
    }

    fn add(&mut self, logical: &str, status: &str, at: Millis) -> &mut Value {
        // Each event is a millisecond later than the one before: several are of one instant.
        let at = instant(at + self.0.len() as Millis);
        let time = at.as_str().unwrap_or_default();
        self.0.push(json!({
            "EventId": format!("{logical}-{status}-{time}"),
            "StackId": self.2, "StackName": self.1,
            "LogicalResourceId": logical, "ResourceStatus": status,
            "Timestamp": at,
        }));
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    fn stack(&mut self, status: &str, at: Millis, reason: Option<&str>) {
        let (name, id) = (self.1, self.2);
        let event = self.add(name, status, at);
        event["PhysicalResourceId"] = id.into();
        event["ResourceType"] = STACK.into();
        event["ResourceStatusReason"] = reason.into();
    }

    /// A resource that its service refused.
    fn failed(&mut self, logical: &str, kind: &str, reason: &str, at: Millis) {
        let event = self.add(logical, "CREATE_FAILED", at);
        event["PhysicalResourceId"] = "".into();
        event["ResourceType"] = kind.into();
        event["ResourceStatusReason"] = reason.into();
    }

    fn created(&mut self, resource: &StackResource, at: Millis) {
        let steps = [
            ("CREATE_IN_PROGRESS", "", None),
            (
                "CREATE_IN_PROGRESS",
                resource.physical_id.as_str(),
                Some("Resource creation Initiated"),
            ),
            ("CREATE_COMPLETE", resource.physical_id.as_str(), None),
        ];
        for (status, physical, reason) in steps {
            let event = self.add(&resource.logical_id, status, at);
            event["PhysicalResourceId"] = physical.into();
            event["ResourceType"] = resource.kind.as_str().into();
            event["ResourceProperties"] = resource.properties.to_string().into();
            event["ResourceStatusReason"] = reason.into();
        }
    }
}
