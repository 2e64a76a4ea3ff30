//! Alarms, whose states a scenario sets.
//!
//! Source:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>

use serde_json::{Value, json};

use super::input::{only, page, validation};
use crate::input::Input;
use crate::page::Page;
use crate::protocol::cbor::timestamp;
use crate::{ApiError, Aws, Millis};

const DESCRIBED: [&str; 6] = [
    "AlarmNames",
    "AlarmNamePrefix",
    "AlarmTypes",
    "StateValue",
    "MaxRecords",
    "NextToken",
];
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];
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
    debug_assert!(STATES.contains(&state), "{state} is no state of an alarm");

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
        (alarm.state, alarm.since) = (state.to_owned(), now);
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
    one_of("StateValue", state, &STATES)?;
    let types = input.texts("AlarmTypes")?;
    types
        .iter()
        .try_for_each(|kind| one_of("AlarmTypes", Some(kind), &TYPES))?;

    let most = most_records(&input)?;
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
    let alarms: Vec<Value> = alarms.into_iter().map(|alarm| answer(aws, alarm)).collect();

    let mut output = json!({"CompositeAlarms": [], "LogAlarms": [], "MetricAlarms": alarms});
    if let Some(next) = next {
        output["NextToken"] = next.into();
    }
    Ok(output)
}

fn most_records(input: &Input<'_>) -> Result<usize, ApiError> {
    let most = input.integer("MaxRecords")?.unwrap_or(50);
    let most = usize::try_from(most)
        .ok()
        .filter(|most| (1..=100).contains(most));
    most.ok_or_else(|| {
        validation("The value for parameter MaxRecords must be between 1 and 100.\n")
    })
}

fn one_of(name: &str, value: Option<&str>, words: &[&str]) -> Result<(), ApiError> {
    match value {
        Some(value) if !words.contains(&value) => Err(validation(format!(
            "The value {value} for parameter {name} is invalid. Valid values are {}.\n",
            words.join(", ")
        ))),
        _ => Ok(()),
    }
}

/// What an alarm watches says nothing here: its state is what the scenario says.
fn answer(aws: &Aws, alarm: &Alarm) -> Value {
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
