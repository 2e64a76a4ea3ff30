//! Events of serverless functions: a rule, and the permission for it to invoke the function.

use serde_json::{Map, Value, json};

use super::super::error::{At, Problem, found};
use super::super::schema::{self, PropertyType};
use super::super::template::Resource;
use super::{companion, copy, get_att};

/// The most characters of a target's id. Longer ones SAM makes up with a hash.
const MAX_TARGET_ID_CHARS: usize = 64;

/// Properties of an event with their names in the rule.
type Renamed = [(&'static str, &'static str); 2];

/// The rule and the permission of one event.
pub(super) fn write_out(
    function: &Resource,
    name: &str,
    event: &Value,
) -> Result<[Resource; 2], Problem> {
    let given = &event["Properties"];
    let (kind, renamed) = of_type(&event["Type"]).at("Type")?;
    schema::check_names(given, kind).at("Properties")?;

    let given = given
        .as_object()
        .ok_or_else(|| Problem::new("takes a map"))
        .at("Properties")?;
    let mut rule = Map::from_iter([(
        "Targets".to_owned(),
        json!([target(function, name, given)?]),
    )]);
    copy(given, &["Description", "EventBusName", "State"], &mut rule);

    for (from, to) in renamed {
        if let Some(value) = given.get(from) {
            rule.insert(to.to_owned(), value.clone());
        }
    }
    if let Some(state) = state_by_enabled(given).at("Properties")? {
        rule.insert("State".to_owned(), json!(state));
    }

    Ok([
        companion(function, name, "AWS::Events::Rule", rule),
        permission(function, name),
    ])
}

/// What an event of this type takes, and the names of its properties that the rule has under other
/// names.
fn of_type(event_type: &Value) -> Result<(PropertyType, Renamed), Problem> {
    match event_type.as_str() {
        Some("EventBridgeRule") => Ok((
            schema::of("EventBridgeRule"),
            [("RuleName", "Name"), ("Pattern", "EventPattern")],
        )),
        Some("Schedule") => Ok((
            schema::of("Schedule"),
            [("Name", "Name"), ("Schedule", "ScheduleExpression")],
        )),
        _ => Err(Problem::new(format!(
            "the sandbox writes out EventBridgeRule and Schedule, found {}",
            found(event_type)
        ))),
    }
}

/// The rule's state where the event gives `Enabled` in place of `State`.
fn state_by_enabled(given: &Map<String, Value>) -> Result<Option<&'static str>, Problem> {
    match (given.get("Enabled"), given.contains_key("State")) {
        (Some(_), true) => Err(Problem::new(
            "State and Enabled Properties cannot both be specified.",
        )),
        (Some(Value::Bool(enabled)), false) => {
            Ok(Some(if *enabled { "ENABLED" } else { "DISABLED" }))
        }
        (Some(other), false) => Err(Problem::new(format!(
            "takes true or false, found {}",
            found(other)
        )))
        .at("Enabled"),
        (None, _) => Ok(None),
    }
}

/// The permission for the event's rule to invoke the function.
fn permission(function: &Resource, name: &str) -> Resource {
    let properties = Map::from_iter([
        ("Action".to_owned(), json!("lambda:InvokeFunction")),
        (
            "FunctionName".to_owned(),
            json!({ "Ref": function.logical_id }),
        ),
        ("Principal".to_owned(), json!("events.amazonaws.com")),
        (
            "SourceArn".to_owned(),
            get_att(&format!("{}{name}", function.logical_id), "Arn"),
        ),
    ]);
    companion(
        function,
        &format!("{name}Permission"),
        "AWS::Lambda::Permission",
        properties,
    )
}

fn target(function: &Resource, name: &str, given: &Map<String, Value>) -> Result<Value, Problem> {
    let made_up = json!(format!("{}{name}LambdaTarget", function.logical_id));
    let id = given.get("Target").map_or(&made_up, |target| &target["Id"]);
    if id
        .as_str()
        .is_some_and(|id| id.chars().count() > MAX_TARGET_ID_CHARS)
    {
        return Err(Problem::new(format!(
            "the target's id is longer than {MAX_TARGET_ID_CHARS} characters: {}",
            found(id)
        )));
    }

    let mut target = Map::from_iter([
        ("Arn".to_owned(), get_att(&function.logical_id, "Arn")),
        ("Id".to_owned(), id.clone()),
    ]);
    copy(
        given,
        &[
            "DeadLetterConfig",
            "Input",
            "InputPath",
            "InputTransformer",
            "RetryPolicy",
        ],
        &mut target,
    );
    Ok(Value::Object(target))
}
