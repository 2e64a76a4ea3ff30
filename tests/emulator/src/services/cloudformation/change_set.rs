//! Change sets: the changes of a deployment, computed on a copy of the account, and made when the
//! change set is executed.
//!
//! `aws cloudformation deploy` works by them.

use serde_json::{Value, json};

use super::api::{self, found, required, validation};
use super::changes::changes;
use super::tags::Tags;
use super::{Stack, describe, tags, template_source};
use crate::protocol::query::{Parameters, tree};
use crate::protocol::xml::instant;
use crate::{ApiError, Aws, Millis};

#[derive(Clone, Debug)]
pub(super) struct ChangeSet {
    name: String,
    stack: String,
    stack_id: String,
    description: Option<String>,
    created: Millis,
    creates: bool,
    /// The members of the request that describe the stack.
    request: Parameters,
    token: Option<String>,
    changes: Vec<Value>,
    /// The parameters that the stack would have, as they are shown.
    parameters: Vec<Value>,
    /// The tags that the stack would have.
    tags: Tags,
    executed: bool,
    deleted: bool,
    /// The stack that was made or changed when the change set was executed.
    made: String,
}

const NO_CHANGES: &str = "The submitted information didn't contain changes. Submit different \
                          information to create a change set.";

/// Members of CreateChangeSet that are about the change set itself.
const OWN_MEMBERS: [&str; 5] = [
    "ChangeSetName",
    "ChangeSetType",
    "ClientToken",
    "Description",
    "IncludeNestedStacks",
];

/// Members with the values that mean what is done without them.
const DEFAULTS: [(&str, &str); 2] = [
    ("DeploymentConfig.Mode", "STANDARD"),
    ("ImportExistingResources", "false"),
];

pub(super) fn create(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let name = required(parameters, "ChangeSetName")?.to_owned();
    let stack = stack_name(aws, required(parameters, "StackName")?);
    if let Some(answer) = created_before(aws, parameters)? {
        return Ok(answer);
    }

    let creates = creates(parameters)?;
    let request = about_stack(aws, parameters, &stack)?;
    let is_taken = found(aws, &stack).is_some() || aws.cloudformation.deleted.contains_key(&stack);
    if creates && is_taken {
        return Err(validation(format!(
            "Stack [{stack}] already exists and cannot be created again with the changeSet \
             [{name}]."
        )));
    }

    let (draft, stack_id) = draft(aws, creates, &request, &stack)?;
    if creates {
        let id = stack_id.clone();
        aws.cloudformation.reviewed.insert(stack.clone(), id);
    }

    let after = found(&draft, &stack);
    let changes = changes(found(aws, &stack), after);
    let arn = aws.arn("cloudformation", &format!("changeSet/{name}"));
    let id = format!("{arn}/{}", aws.uuid());
    let set = ChangeSet {
        name,
        stack,
        stack_id: stack_id.clone(),
        description: parameters.get("Description").cloned(),
        created: aws.now,
        creates,
        request,
        token: parameters.get("ClientToken").cloned(),
        changes,
        parameters: after.map(describe::parameters).unwrap_or_default(),
        tags: after.map(|stack| stack.tags.clone()).unwrap_or_default(),
        executed: false,
        deleted: false,
        made: String::new(),
    };
    aws.cloudformation.change_sets.insert(id.clone(), set);

    Ok(json!({"Id": id, "StackId": stack_id}))
}

/// The name of a stack that is in review, also if its id is given; any other as it is given.
fn stack_name(aws: &Aws, given: &str) -> String {
    let reviewed = in_review(aws).find(|review| review.id == given);
    reviewed.map_or(given, |review| review.name).to_owned()
}

/// The members of a request that are about its stack.
fn about_stack(aws: &Aws, parameters: &Parameters, stack: &str) -> Result<Parameters, ApiError> {
    let mut request = template_source::with_body(aws, parameters)?;
    request.retain(|member, value| {
        !OWN_MEMBERS.contains(&member.as_str())
            && !DEFAULTS.contains(&(member.as_str(), value.as_str()))
    });
    request.insert("StackName".to_owned(), stack.to_owned());
    Ok(request)
}

/// Whether a change set makes its stack, which then has nothing previous.
fn creates(parameters: &Parameters) -> Result<bool, ApiError> {
    let is_on = |member: &str| parameters.get(member).is_some_and(|value| value == "true");
    let keeps_value = |member: &String| member.ends_with(".UsePreviousValue") && is_on(member);
    match parameters
        .get("ChangeSetType")
        .map_or("UPDATE", String::as_str)
    {
        "CREATE" if is_on("UsePreviousTemplate") => Err(validation(
            "Cannot specify usePreviousTemplate as true for a changeSetType CREATE",
        )),
        "CREATE" if parameters.keys().any(keeps_value) => Err(validation(
            "Cannot specify UsePreviousValue on Parameters when ChangeSetType is CREATE",
        )),
        "CREATE" => Ok(true),
        "UPDATE" => Ok(false),
        other => Err(validation(format!(
            "the sandbox does not serve change sets of type {other}"
        ))),
    }
}

/// What CreateChangeSet returned to the request with the same client token. Until its execution, a
/// change set keeps its name from requests with another one.
fn created_before(aws: &Aws, parameters: &Parameters) -> Result<Option<Value>, ApiError> {
    let Some(token) = parameters.get("ClientToken") else {
        return Ok(None);
    };
    let Ok(id) = named(aws, parameters) else {
        return Ok(None);
    };
    let set = &aws.cloudformation.change_sets[&id];
    if set.executed {
        return Ok(None);
    }
    if set.token.as_ref() == Some(token) {
        return Ok(Some(json!({"Id": id, "StackId": set.stack_id})));
    }

    let message = format!(
        "ChangeSet {} cannot be created due to a mismatch with existing attribute ClientToken",
        set.name
    );
    Err(ApiError::client("AlreadyExistsException", message))
}

/// The account as the request would leave it, and the id of the stack.
fn draft(
    aws: &Aws,
    creates: bool,
    request: &Parameters,
    stack: &str,
) -> Result<(Aws, String), ApiError> {
    let mut draft = aws.clone();
    draft.cloudformation.custom.is_plan = true;
    let stack_id = match apply(&mut draft, creates, request) {
        Ok(answer) => answer["StackId"].as_str().unwrap_or_default().to_owned(),
        Err(error) if error.message == "No updates are to be performed." => found(aws, stack)
            .map(|stack| stack.id.clone())
            .unwrap_or_default(),
        Err(error) => return Err(error),
    };
    Ok((draft, stack_id))
}

fn apply(aws: &mut Aws, creates: bool, request: &Parameters) -> Result<Value, ApiError> {
    if creates {
        api::create(aws, request)
    } else {
        api::update(aws, request)
    }
}

/// The ARN of the change set that a request names by its ARN, or by its name and the name of the
/// stack.
fn named(aws: &Aws, parameters: &Parameters) -> Result<String, ApiError> {
    let name = required(parameters, "ChangeSetName")?;
    let stack = parameters.get("StackName");
    let is_it = |id: &String, set: &ChangeSet| {
        let in_stack = || stack.is_some_and(|stack| [&set.stack, &set.stack_id].contains(&stack));
        !set.deleted && (id == name || (set.name == name && in_stack()))
    };

    // Of two with the same name the newer one is meant.
    let found = aws
        .cloudformation
        .change_sets
        .iter()
        .filter(|(id, set)| is_it(id, set))
        .max_by_key(|(_, set)| set.created);
    let missing = || {
        let message = format!("ChangeSet [{name}] does not exist");
        ApiError {
            status: 404,
            ..ApiError::client("ChangeSetNotFound", message)
        }
    };
    if found.is_none()
        && let Some(stack) = stack
        && self::found(aws, stack).is_none()
        && !in_review(aws).any(|review| review.is(stack))
    {
        return Err(validation(format!("Stack [{stack}] does not exist")));
    }
    found.map(|(id, _)| id.clone()).ok_or_else(missing)
}

fn is_empty(aws: &Aws, set: &ChangeSet) -> bool {
    let is_same = |stack: &Stack| {
        let body = set.request.get("TemplateBody");
        body.is_some_and(|body| **body == *stack.body) && set.tags == stack.tags
    };
    !set.executed && set.changes.is_empty() && found(aws, &set.stack).is_some_and(is_same)
}

impl ChangeSet {
    /// What the request lists, also if it lists nothing.
    fn list(&self, member: &str) -> Vec<Value> {
        match tree(&self.request).remove(member) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        }
    }
}

/// The ARN of the change set that a stack was last changed by, and the capabilities given with it.
pub(super) fn last_of(aws: &Aws, stack_id: &str) -> Option<(String, Vec<Value>)> {
    let sets = aws.cloudformation.change_sets.iter();
    let (id, set) = sets
        .filter(|(_, set)| set.executed && set.made == stack_id)
        .max_by_key(|(_, set)| set.created)?;
    Some((id.clone(), set.list("Capabilities")))
}

/// The status of a change set, and of its execution.
fn status(aws: &Aws, set: &ChangeSet) -> (&'static str, &'static str) {
    match (is_empty(aws, set), set.executed) {
        (true, _) => ("FAILED", "UNAVAILABLE"),
        (false, true) => ("CREATE_COMPLETE", "EXECUTE_COMPLETE"),
        (false, false) => ("CREATE_COMPLETE", "AVAILABLE"),
    }
}

pub(super) fn describe(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let id = named(aws, parameters)?;
    let set = &aws.cloudformation.change_sets[&id];
    let (status, execution) = status(aws, set);

    Ok(json!({
        "ChangeSetName": set.name,
        "ChangeSetId": id,
        "StackId": set.stack_id,
        "StackName": set.stack,
        "Description": set.description,
        "Parameters": describe::unless_empty(set.parameters.clone()),
        "CreationTime": instant(set.created),
        "ExecutionStatus": execution,
        "Status": status,
        "StatusReason": if status == "FAILED" { Some(NO_CHANGES) } else { None },
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Tags": describe::unless_empty(tags::to_list(&set.tags)),
        "Capabilities": set.list("Capabilities"),
        "Changes": set.changes,
        "IncludeNestedStacks": false,
    }))
}

pub(super) fn execute(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let id = named(aws, parameters)?;
    let set = aws.cloudformation.change_sets[&id].clone();
    if set.executed || is_empty(aws, &set) {
        let message = match status(aws, &set) {
            (status @ "FAILED", _) => format!("status of [{status}]"),
            (_, execution) => format!("execution status of [{execution}]"),
        };
        let message = format!("ChangeSet [{id}] cannot be executed in its current {message}");
        return Err(ApiError::client("InvalidChangeSetStatus", message));
    }

    let answer = apply(aws, set.creates, &set.request)?;
    let made = answer["StackId"].as_str().unwrap_or_default();
    aws.cloudformation.direct_updates.remove(made);
    if let Some(set) = aws.cloudformation.change_sets.get_mut(&id) {
        set.executed = true;
        set.made = made.to_owned();
    }
    Ok(json!({}))
}

/// Deletes a change set; one that is not there is as good as deleted while its stack is. An
/// executed one is kept, because its stack names it.
pub(super) fn delete(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let name = required(parameters, "ChangeSetName")?;
    if !name.starts_with("arn:") && !parameters.contains_key("StackName") {
        return Err(validation(
            "StackName must be specified if ChangeSetName is not specified as an ARN.",
        ));
    }

    match named(aws, parameters) {
        Ok(id) => {
            if let Some(set) = aws.cloudformation.change_sets.get_mut(&id) {
                set.deleted = true;
            }
            Ok(json!({}))
        }
        Err(error) if error.code == "ChangeSetNotFound" => Ok(json!({})),
        Err(error) => Err(error),
    }
}

/// The template of a change set, as it was sent.
pub(super) fn template(aws: &Aws, parameters: &Parameters) -> Result<String, ApiError> {
    let id = named(aws, parameters)?;
    let request = &aws.cloudformation.change_sets[&id].request;
    Ok(request.get("TemplateBody").cloned().unwrap_or_default())
}

/// Forgets the change sets of a stack that is deleted, and the id that it would have had.
pub(super) fn forget(aws: &mut Aws, stack: &str) {
    aws.cloudformation.reviewed.remove(stack);
    for set in aws.cloudformation.change_sets.values_mut() {
        set.deleted |= set.stack == stack || set.stack_id == stack;
    }
}

/// A stack that change sets would create.
pub(super) struct Review<'a> {
    pub(super) name: &'a str,
    pub(super) id: &'a str,
    /// When its first change set was made.
    pub(super) since: Millis,
}

impl Review<'_> {
    /// Whether it is the stack with this name or id.
    pub(super) fn is(&self, stack: &str) -> bool {
        [self.name, self.id].contains(&stack)
    }
}

/// The stacks that are in review: no change set has made them yet.
pub(super) fn in_review(aws: &Aws) -> impl Iterator<Item = Review<'_>> {
    let reviewed = aws.cloudformation.reviewed.iter();
    reviewed.filter_map(move |(name, id)| {
        let since = review_of(aws, id)?;
        Some(Review { name, id, since })
    })
}

/// When the review of the stack began that change sets created, or would create.
pub(super) fn review_of(aws: &Aws, stack_id: &str) -> Option<Millis> {
    let sets = aws.cloudformation.change_sets.values();
    let of_stack = sets.filter(|set| set.creates && set.stack_id == stack_id);
    of_stack.map(|set| set.created).min()
}
