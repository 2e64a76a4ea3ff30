//! Custom metrics, and the list of all metrics.
//!
//! Sources:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>,
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Value, json};

use super::input::{self, invalid, missing, only, page, validation};
use super::minute::MINUTE;
use super::samples::{Cell, Samples, Summary};
use super::{MetricId, balancer};
use crate::input::Input;
use crate::page::Page;
use crate::{ApiError, Aws, Millis, traffic};

const MOST_DATA: usize = 1000;
const MOST_VALUES: usize = 150;
const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// How long a point takes to be visible, in milliseconds.
const ARRIVAL: Range<i64> = 2000..90_000;

/// The name of a dimension that a metric must have, and its value unless any will do.
type DimensionFilter<'a> = (&'a str, Option<&'a str>);

/// One datum of a metric.
#[derive(Clone, Debug)]
pub(super) struct Datum {
    at: Millis,
    visible_at: Millis,
    unit: String,
    samples: Samples,
}

pub(super) fn put(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let input = Input::new(input);
    only(
        &input,
        &["Namespace", "MetricData", "StrictEntityValidation"],
    )?;
    let namespace = input
        .text("Namespace")?
        .ok_or_else(|| validation(missing(&input, "Namespace")))?;
    if namespace.is_empty()
        || namespace.len() > 255
        || namespace.starts_with("AWS/")
        || namespace.starts_with(':')
    {
        return Err(invalid(format!(
            "The value {namespace} for parameter Namespace is invalid."
        )));
    }
    let data = input.inners("MetricData")?;
    if data.is_empty() {
        return Err(ApiError::client(
            "MissingParameter",
            "The parameter MetricData is required.\n",
        ));
    }
    if data.len() > MOST_DATA {
        return Err(invalid(format!(
            "The collection MetricData must not have a size greater than {MOST_DATA}."
        )));
    }

    let read: Result<Vec<_>, ApiError> = data
        .iter()
        .map(|datum| read(aws.now, namespace, datum))
        .collect();
    for (metric, at, unit, samples) in read? {
        let visible_at = aws.now + aws.rng.i64(ARRIVAL);
        aws.cloudwatch
            .custom
            .entry(metric)
            .or_default()
            .push(Datum {
                at,
                visible_at,
                unit,
                samples,
            });
    }
    Ok(Value::Null)
}

fn read(
    now: Millis,
    namespace: &str,
    datum: &Input<'_>,
) -> Result<(MetricId, Millis, String, Samples), ApiError> {
    only(
        datum,
        &[
            "MetricName",
            "Dimensions",
            "Timestamp",
            "Value",
            "Values",
            "Counts",
            "StatisticValues",
            "Unit",
            "StorageResolution",
        ],
    )?;
    let at = datum.time("Timestamp")?.unwrap_or(now);
    if !(now - 14 * DAY..=now + 2 * HOUR).contains(&at) {
        let place = datum.named("Timestamp");
        return Err(invalid(format!(
            "The parameter {place} must specify a time within the past two weeks and the next two \
             hours."
        )));
    }

    let unit = datum.text("Unit")?.unwrap_or("None").to_owned();
    Ok((
        input::metric(datum, namespace)?,
        at,
        unit,
        samples_of(datum)?,
    ))
}

/// The samples of a datum: one value, many with how often each came, or a summary.
fn samples_of(datum: &Input<'_>) -> Result<Samples, ApiError> {
    let (value, values, set) = (
        datum.number("Value")?,
        datum.numbers("Values")?,
        datum.inner("StatisticValues")?,
    );
    match (value, values.as_slice(), set) {
        (Some(value), [], None) => {
            let mut samples = Samples::default();
            samples.add(Cell::same(value, 1.0));
            Ok(samples)
        }
        // Values beside a summary are not refused; which of them counts is not documented.
        (None, _, Some(set)) => samples_of_summary(&set),
        (None, values @ [_, ..], None) => samples_of_values(datum, values),
        (None, [], None) => {
            let message = format!(
                "At least one of the parameters {}, {}, {} must be specified.",
                datum.named("Value"),
                datum.named("Values"),
                datum.named("StatisticValues")
            );
            Err(ApiError::client("MissingParameter", message))
        }
        (Some(_), values, _) => {
            let other = if values.is_empty() {
                "StatisticValues"
            } else {
                "Values"
            };
            let message = format!(
                "The parameters {} and {} are mutually exclusive and you have specified both.",
                datum.named("Value"),
                datum.named(other)
            );
            Err(ApiError::client("InvalidParameterCombination", message))
        }
    }
}

fn samples_of_summary(set: &Input<'_>) -> Result<Samples, ApiError> {
    let member = |name: &str| {
        set.number(name)?
            .ok_or_else(|| validation(missing(set, name)))
    };
    let (count, sum) = (member("SampleCount")?, member("Sum")?);

    let mut samples = Samples::default();
    samples.put(Summary {
        count,
        sum,
        minimum: member("Minimum")?,
        maximum: member("Maximum")?,
    });
    Ok(samples)
}

/// The samples of several values, each of which came once if the datum has no counts.
fn samples_of_values(datum: &Input<'_>, values: &[f64]) -> Result<Samples, ApiError> {
    let counts = datum.numbers("Counts")?;
    let counts = if counts.is_empty() {
        vec![1.0; values.len()]
    } else {
        counts
    };
    if values.len() > MOST_VALUES {
        let place = datum.named("Values");
        return Err(invalid(format!(
            "The collection {place} must not have a size greater than {MOST_VALUES}."
        )));
    }
    if counts.len() != values.len() {
        let (values, counts) = (datum.named("Values"), datum.named("Counts"));
        return Err(invalid(format!(
            "The parameters {values} and {counts} must be of the same size."
        )));
    }

    let mut samples = Samples::default();
    values
        .iter()
        .zip(counts)
        .for_each(|(value, count)| samples.add(Cell::same(*value, count)));
    Ok(samples)
}

/// What is visible of a minute of a metric. Points of several units are not mixed: without a unit
/// they are those of the alphabetically first.
pub(super) fn samples(aws: &Aws, metric: &MetricId, unit: Option<&str>, minute: Millis) -> Samples {
    let mut samples = Samples::default();
    let time = minute..minute + MINUTE;
    let first = units(aws, metric, time.clone()).into_iter().next();
    let Some(unit) = unit.map(str::to_owned).or(first) else {
        return samples;
    };

    visible(aws, metric, time)
        .filter(|datum| datum.unit == unit)
        .for_each(|datum| samples.extend(&datum.samples));
    samples
}

fn visible<'a>(
    aws: &'a Aws,
    metric: &MetricId,
    time: Range<Millis>,
) -> impl Iterator<Item = &'a Datum> {
    let data = aws.cloudwatch.custom.get(metric).into_iter().flatten();
    data.filter(move |datum| time.contains(&datum.at) && datum.visible_at <= aws.now)
}

/// The units of what is visible of a metric in a time, in alphabetical order.
pub(super) fn units(aws: &Aws, metric: &MetricId, time: Range<Millis>) -> BTreeSet<String> {
    visible(aws, metric, time)
        .map(|datum| datum.unit.clone())
        .collect()
}

pub(super) fn list(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let input = Input::new(input);
    only(
        &input,
        &[
            "Namespace",
            "MetricName",
            "Dimensions",
            "NextToken",
            "RecentlyActive",
        ],
    )?;
    let age = greatest_age(&input)?;
    let (namespace, name) = (input.text("Namespace")?, input.text("MetricName")?);
    let filters = dimension_filters(&input)?;

    traffic::note(aws);
    let from = aws.now - age;
    let mut all = active_metrics(aws, namespace, from);
    let has = |metric: &MetricId, filter: &DimensionFilter<'_>| {
        metric
            .dimensions
            .get(filter.0)
            .is_some_and(|value| filter.1.is_none_or(|wanted| wanted == value))
    };
    all.retain(|metric| {
        namespace.is_none_or(|namespace| namespace == metric.namespace)
            && name.is_none_or(|name| name == metric.name)
            && filters.iter().all(|filter| has(metric, filter))
    });
    let Page {
        items: metrics,
        next,
    } = page(aws, all, input.text("NextToken")?, 500)?;

    let mut output = json!({"Metrics": metrics.iter().map(MetricId::json).collect::<Value>()});
    if let Some(next) = next {
        output["NextToken"] = next.into();
    }
    Ok(output)
}

/// How old the last point of a metric may be that is listed.
fn greatest_age(input: &Input<'_>) -> Result<Millis, ApiError> {
    match input.text("RecentlyActive")? {
        None => Ok(14 * DAY),
        Some("PT3H") => Ok(3 * HOUR),
        Some(other) => Err(invalid(format!(
            "The value {other} for parameter RecentlyActive is invalid."
        ))),
    }
}

fn dimension_filters<'a>(input: &Input<'a>) -> Result<Vec<DimensionFilter<'a>>, ApiError> {
    let mut filters = Vec::new();
    for filter in input.inners("Dimensions")? {
        let name = filter
            .text("Name")?
            .ok_or_else(|| validation(missing(&filter, "Name")))?;
        filters.push((name, filter.text("Value")?));
    }
    Ok(filters)
}

/// The metrics with visible points since `from`, in order. Those of load balancers are left out if
/// the namespace is another one; custom metrics are of every namespace.
fn active_metrics(aws: &mut Aws, namespace: Option<&str>, from: Millis) -> Vec<MetricId> {
    let mut all = if namespace.is_none_or(|namespace| namespace == balancer::NAMESPACE) {
        balancer::list(aws, from)
    } else {
        Vec::new()
    };
    let now = aws.now;
    let is_active = |data: &[Datum]| {
        data.iter()
            .any(|datum| datum.at >= from && datum.visible_at <= now)
    };
    all.extend(
        aws.cloudwatch
            .custom
            .iter()
            .filter(|(_, data)| is_active(data))
            .map(|(metric, _)| metric.clone()),
    );
    all.sort();
    all
}
