//! DescribeStackEvents: what happened to a stack, derived from what is known of it.
//!
//! Only the creation and the last update are known, and the resources are those of today.

use serde_json::{Value, json};

use super::api::{found, page, required, validation};
use super::operation::CREATING;
use super::stack::StackFailure;
use super::{Stack, StackResource, change_set};
use crate::protocol::query::Parameters;
use crate::protocol::xml::instant;
use crate::{ApiError, Aws, Millis};

const STACK: &str = "AWS::CloudFormation::Stack";

const USER: Option<&str> = Some("User Initiated");

/// Newest first.
pub(super) fn describe(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let wanted = required(parameters, "StackName")?;
    let deleted = || Some(aws.cloudformation.deleted.get(wanted)?.events.clone());
    let mut events = so_far(aws, wanted)
        .map(|events| events.all)
        .or_else(deleted)
        .ok_or_else(|| validation(format!("Stack [{wanted}] does not exist")))?;
    events.reverse();
    page("StackEvents", events, parameters)
}

/// The events of a stack that is there, or in review, up to its deletion; oldest first.
pub(super) fn until_deleted(aws: &Aws, name: &str) -> Vec<Value> {
    let Some(mut events) = so_far(aws, name) else {
        return Vec::new();
    };
    events.stack("DELETE_IN_PROGRESS", aws.now, USER);
    let resources = found(aws, name).map_or(&[][..], |stack| &stack.resources);
    for resource in resources.iter().rev() {
        if resource.retained {
            events.resource(resource, "DELETE_SKIPPED", aws.now, None);
        } else {
            events.resource(resource, "DELETE_IN_PROGRESS", aws.now, None);
            events.resource(resource, "DELETE_COMPLETE", aws.now, None);
        }
    }
    events.stack("DELETE_COMPLETE", aws.now, None);
    events.all
}

fn so_far<'a>(aws: &'a Aws, name: &str) -> Option<Events<'a>> {
    if let Some(stack) = found(aws, name) {
        return Some(events(aws, stack));
    }
    let review = change_set::in_review(aws).find(|review| review.is(name))?;
    let mut events = Events::of(review.name, review.id);
    events.stack("REVIEW_IN_PROGRESS", review.since, USER);
    Some(events)
}

fn events<'a>(aws: &Aws, stack: &'a Stack) -> Events<'a> {
    let mut events = Events::of(&stack.name, &stack.id);
    if let Some(at) = change_set::review_of(aws, &stack.id) {
        events.stack("REVIEW_IN_PROGRESS", at, USER);
    }

    events.stack("CREATE_IN_PROGRESS", stack.created, USER);
    for resource in &stack.resources {
        events.created(resource, stack.created);
    }
    match &stack.failure {
        Some(
            failure @ StackFailure::Creation {
                logical_id,
                kind,
                reason,
                ..
            },
        ) => {
            events.failed(logical_id, kind, reason, stack.created);
            let why = failure.reason();
            events.stack("ROLLBACK_IN_PROGRESS", stack.created, Some(&why));
            events.stack(failure.status(), stack.created, None);
        }
        _ if stack.in_progress == Some(CREATING) => return events,
        _ => events.stack("CREATE_COMPLETE", stack.created, None),
    }

    if let Some(at) = stack.updated {
        events.stack("UPDATE_IN_PROGRESS", at, USER);
        events.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", at, None);
        events.stack("UPDATE_COMPLETE", at, None);
    }
    later_failure(&mut events, stack);
    events
}

/// The events of an update or a deletion that failed.
fn later_failure<'a>(events: &mut Events<'a>, stack: &'a Stack) {
    let Some(failure) = &stack.failure else {
        return;
    };
    let (change, at, logical_id, reason) = match failure {
        StackFailure::Update {
            at,
            logical_id,
            reason,
        } => ("UPDATE", *at, logical_id, reason),
        StackFailure::Deletion {
            at,
            logical_id,
            reason,
        } => ("DELETE", *at, logical_id, reason),
        StackFailure::Creation { .. } => return,
    };

    events.stack(&format!("{change}_IN_PROGRESS"), at, USER);
    let resource = logical_id.as_ref().and_then(|id| stack.resource(id));
    if let Some(resource) = resource {
        events.resource(resource, &format!("{change}_FAILED"), at, Some(reason));
    }

    let mut why = Some(failure.reason());
    if change == "UPDATE" {
        events.stack("UPDATE_ROLLBACK_IN_PROGRESS", at, why.take().as_deref());
    }
    events.stack(failure.status(), at, why.as_deref());
}

/// The events of one stack, each with the members that all have.
struct Events<'a> {
    /// Oldest first.
    all: Vec<Value>,
    name: &'a str,
    id: &'a str,
}

impl<'a> Events<'a> {
    fn of(name: &'a str, id: &'a str) -> Self {
        Self {
            all: Vec::new(),
            name,
            id,
        }
    }

    fn add(&mut self, logical: &str, status: &str, at: Millis) -> &mut Value {
        // Each event is a millisecond later than the one before: several are of one instant.
        let at = instant(at + self.all.len() as Millis);
        let time = at.as_str().unwrap_or_default();
        self.all.push(json!({
            "EventId": format!("{logical}-{status}-{time}"),
            "StackId": self.id, "StackName": self.name,
            "LogicalResourceId": logical, "ResourceStatus": status,
            "Timestamp": at,
        }));
        let last = self.all.len() - 1;
        &mut self.all[last]
    }

    fn stack(&mut self, status: &str, at: Millis, reason: Option<&str>) {
        let (name, id) = (self.name, self.id);
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
        self.resource(resource, "CREATE_IN_PROGRESS", at, None)["PhysicalResourceId"] = "".into();
        let initiated = Some("Resource creation Initiated");
        self.resource(resource, "CREATE_IN_PROGRESS", at, initiated);
        self.resource(resource, "CREATE_COMPLETE", at, None);
    }

    fn resource(
        &mut self,
        resource: &StackResource,
        status: &str,
        at: Millis,
        reason: Option<&str>,
    ) -> &mut Value {
        let event = self.add(&resource.logical_id, status, at);
        event["PhysicalResourceId"] = resource.physical_id.as_str().into();
        event["ResourceType"] = resource.kind.as_str().into();
        event["ResourceProperties"] = resource.properties.to_string().into();
        event["ResourceStatusReason"] = reason.into();
        event
    }
}
