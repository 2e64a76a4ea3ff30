//! Alarms, whose states a scenario sets.
//!
//! Source:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>

use serde_json::{Value, json};

use super::input::{only, page, validation};
use crate::input::Input;
use crate::page::Page;
use crate::protocol::cbor::timestamp;
use crate::validation::{Quoted, Violations, enum_constraint};
use crate::{ApiError, Aws, Millis};

const DESCRIBED: [&str; 6] = [
    "AlarmNames",
    "AlarmNamePrefix",
    "AlarmTypes",
    "StateValue",
    "MaxRecords",
    "NextToken",
];
/// In the order of the message that refuses another one.
const STATES: [&str; 3] = ["INSUFFICIENT_DATA", "ALARM", "OK"];
const TYPES: [&str; 2] = ["MetricAlarm", "CompositeAlarm"];
const MOST_NAMES: usize = 100;

/// A metric alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    pub since: Millis,
    pub configured: Millis,
}

/// Makes an alarm, or changes its state.
pub fn set_alarm(aws: &mut Aws, name: &str, state: &str) {
    debug_assert!(
        STATES.contains(&state),
        "{state} is not a state of an alarm"
    );

    let now = aws.now;
    let fresh = || Alarm {
        name: name.to_owned(),
        state: "INSUFFICIENT_DATA".to_owned(),
        since: now,
        configured: now,
    };
    let alarm = aws
        .cloudwatch
        .alarms
        .entry(name.to_owned())
        .or_insert_with(fresh);

    if alarm.state != state {
        alarm.state = state.to_owned();
        alarm.since = now;
    }
}

pub(super) fn describe(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let input = Input::new(input);
    only(&input, &DESCRIBED)?;
    let (names, prefix) = (input.texts("AlarmNames")?, input.text("AlarmNamePrefix")?);
    if names.len() > MOST_NAMES {
        return Err(validation(format!(
            "The collection AlarmNames must not have a size greater than {MOST_NAMES}.\n"
        )));
    }
    if !names.is_empty() && prefix.is_some() {
        return Err(validation(
            "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive.\n",
        ));
    }

    let state = input.text("StateValue")?;
    let most = constrained(&input, state)?;
    let types = input.texts("AlarmTypes")?;
    if let Some(kind) = types.iter().find(|kind| !TYPES.contains(kind)) {
        let words = TYPES.join(", ");
        return Err(validation(format!(
            "The value {kind} for parameter AlarmTypes is invalid. Valid values are {words}.\n"
        )));
    }

    let is_asked = |alarm: &&Alarm| {
        (names.is_empty() || names.contains(&alarm.name.as_str()))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state == state)
            && (types.is_empty() || types.contains(&"MetricAlarm"))
    };
    let found: Vec<&Alarm> = aws.cloudwatch.alarms.values().filter(is_asked).collect();
    let Page {
        items: alarms,
        next,
    } = page(aws, found, input.text("NextToken")?, most)?;
    let alarms: Vec<Value> = alarms.into_iter().map(|alarm| view(aws, alarm)).collect();

    let mut output = json!({"CompositeAlarms": [], "LogAlarms": [], "MetricAlarms": alarms});
    if let Some(next) = next {
        output["NextToken"] = next.into();
    }
    Ok(output)
}

/// The most alarms of a page, if the request keeps the constraints that the framework checks.
fn constrained(input: &Input<'_>, state: Option<&str>) -> Result<usize, ApiError> {
    let mut violations = Violations::default();
    if let Some(state) = state.filter(|state| !STATES.contains(state)) {
        let constraint = enum_constraint(&STATES);
        violations.add(Quoted::Text(state), "stateValue", &constraint);
    }
    let most = input.integer("MaxRecords")?.unwrap_or(50);
    let text = most.to_string();
    violations.check_bound("maxRecords", Quoted::Text(&text), "value", most, &(1..=100));
    match violations.message() {
        Some(message) => Err(validation(message)),
        None => Ok(usize::try_from(most).unwrap_or(1)),
    }
}

/// What an alarm watches does not matter here: its state is set by the scenario.
fn view(aws: &Aws, alarm: &Alarm) -> Value {
    json!({
        "AlarmName": alarm.name,
        "AlarmArn": aws.arn("cloudwatch", &format!("alarm:{}", alarm.name)),
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.configured),
        "ActionsEnabled": true,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "StateValue": alarm.state,
        "StateReason": format!("The scenario has set the state to {}", alarm.state),
        "StateUpdatedTimestamp": timestamp(alarm.since),
        "StateTransitionedTimestamp": timestamp(alarm.since),
        "Namespace": "Sandbox",
        "MetricName": alarm.name,
        "Dimensions": [],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
    })
}
