//! GetMetricData: queries checked as a whole, then answered point by point and page by page.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::balancer::{self, Source};
use super::input::{Input, invalid_token, validation};
use super::samples::Samples;
use super::statistic::{Part, Statistic, Unknown};
use super::{MetricId, custom};
use crate::protocol::cbor::timestamp;
use crate::{ApiError, Aws, Millis, Quirk, traffic};

const MOST_QUERIES: usize = 500;
const MOST_POINTS: i64 = 100_800;
const MINUTE: Millis = super::minute::MINUTE;

/// One metric that is asked for.
#[derive(Clone, Debug)]
struct Query {
    id: String,
    label: String,
    metric: MetricId,
    period: Millis,
    statistic: Statistic,
    unit: Option<String>,
    returns: bool,
}

struct Request {
    queries: Vec<Query>,
    start: Millis,
    /// Exclusive.
    end: Millis,
    newest_first: bool,
    most_points: usize,
    from: Position,
}

/// Where a page begins: at a query, after one of its points.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    query: usize,
    after: Option<Millis>,
}

pub(super) fn get(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let request = Request::read(aws, &Input::new(input))?;
    traffic::note(aws);
    let lists_unreached = aws.draw_quirk(Quirk::ListsUnreachedQueries);
    let (mut left, most_results) = (request.most_points, aws.page_size(usize::MAX));
    let mut begun = 0;
    let (mut results, mut next) = (Vec::new(), None);
    for (index, query) in request.queries.iter().enumerate().skip(request.from.query) {
        if next.is_some() {
            if lists_unreached && query.returns {
                results.push(query.result(&[], "PartialData"));
            }
            continue;
        }
        if !query.returns {
            continue;
        }
        if begun == most_results {
            next = Some(Position {
                query: index,
                after: None,
            });
            if lists_unreached {
                results.push(query.result(&[], "PartialData"));
            }
            continue;
        }
        begun += 1;
        let failure = aws.cloudwatch.faults.internal_errors;
        if failure > 0.0 && aws.rng.f64() < failure {
            results.push(query.result(&[], "InternalError"));
            continue;
        }
        let after = request.from.after.filter(|_| index == request.from.query);
        let points = request.points(aws, query, after);
        if points.len() <= left {
            left -= points.len();
            results.push(query.result(&points, "Complete"));
            continue;
        }
        let after = points[..left].last().map(|(at, _)| *at).or(after);
        next = Some(Position {
            query: index,
            after,
        });
        if left > 0 || lists_unreached {
            results.push(query.result(&points[..left], "PartialData"));
        }
    }
    let mut output = json!({"MetricDataResults": results, "Messages": []});
    if let Some(next) = next {
        output["NextToken"] = next.token().into();
    }
    Ok(output)
}

impl Request {
    fn read(aws: &Aws, input: &Input<'_>) -> Result<Self, ApiError> {
        input.only(&[
            "MetricDataQueries",
            "StartTime",
            "EndTime",
            "NextToken",
            "ScanBy",
            "MaxDatapoints",
            "LabelOptions",
        ])?;
        let inputs = input.inners("MetricDataQueries")?;
        let (start, end) = (input.time("StartTime")?, input.time("EndTime")?);
        let mut wrong = String::new();
        for (name, absent) in [
            ("MetricDataQueries", inputs.is_empty()),
            ("StartTime", start.is_none()),
            ("EndTime", end.is_none()),
        ] {
            if absent {
                wrong += &input.missing(name);
            }
        }
        if inputs.len() > MOST_QUERIES {
            wrong += &format!(
                "The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.\n"
            );
        }
        match (start, end) {
            (Some(start), Some(end)) if start == end => {
                wrong += "The parameter StartTime must not equal parameter EndTime.\n"
            }
            (Some(start), Some(end)) if start > end => {
                wrong += "The parameter StartTime must be less than parameter EndTime.\n"
            }
            _ => {}
        }
        let newest_first = match input.text("ScanBy")?.unwrap_or("TimestampDescending") {
            "TimestampDescending" => true,
            "TimestampAscending" => false,
            other => {
                wrong += &format!(
                    "The value {other} for parameter ScanBy is invalid. Valid values are TimestampDescending, TimestampAscending.\n"
                );
                true
            }
        };
        let most = input.integer("MaxDatapoints")?.unwrap_or(MOST_POINTS);
        if !(1..=MOST_POINTS).contains(&most) {
            wrong += &format!(
                "The value {most} for parameter MaxDatapoints must be between 1 and {MOST_POINTS}.\n"
            );
        }
        let queries = read_queries(&inputs, &mut wrong)?;
        let (true, Some(start), Some(end)) = (wrong.is_empty(), start, end) else {
            return Err(validation(wrong));
        };
        let from = input
            .text("NextToken")?
            .map(Position::read)
            .transpose()?
            .unwrap_or_default();
        if from.query >= queries.len() {
            return Err(invalid_token());
        }
        let most = usize::try_from(most).unwrap_or(1);
        let most_points = aws
            .cloudwatch
            .faults
            .most_points
            .map_or(most, |fewer| most.min(fewer.max(1)));
        Ok(Self {
            queries,
            start: rounded(aws, start),
            end,
            newest_first,
            most_points,
            from,
        })
    }

    /// The points of a query that are visible now, in the order that was asked for, after one of them.
    fn points(&self, aws: &mut Aws, query: &Query, after: Option<Millis>) -> Vec<(Millis, f64)> {
        let first = self.start - self.start.rem_euclid(query.period);
        let periods = (self.end - first + query.period - 1) / query.period;
        let source = Points::of(aws, &query.metric, query.unit.as_deref());
        let mut points = Vec::new();
        for number in 0..periods {
            let number = if self.newest_first {
                periods - 1 - number
            } else {
                number
            };
            let at = first + number * query.period;
            let is_past = |after: Millis| {
                if self.newest_first {
                    at >= after
                } else {
                    at <= after
                }
            };
            if at > aws.now || after.is_some_and(is_past) {
                continue;
            }
            points.extend(query.value(aws, &source, at).map(|value| (at, value)));
        }
        points
    }
}

/// A start less than 15 days ago counts from the beginning of its minute, less than 63 days ago of its five minutes, and
/// otherwise of its hour.
fn rounded(aws: &Aws, at: Millis) -> Millis {
    let days = (aws.now - at) / 86_400_000;
    let unit = match days {
        ..15 => MINUTE,
        15..63 => 5 * MINUTE,
        _ => 60 * MINUTE,
    };
    at - at.rem_euclid(unit)
}

/// Where points of a metric come from.
enum Points {
    Balancer(Source),
    Custom(MetricId, Option<String>),
    Nowhere,
}

impl Points {
    fn of(aws: &Aws, metric: &MetricId, unit: Option<&str>) -> Self {
        match balancer::source(aws, metric) {
            Some(_) if unit.is_some_and(|unit| unit != balancer::unit(&metric.name)) => {
                Self::Nowhere
            }
            Some(source) => Self::Balancer(source),
            None => Self::Custom(metric.clone(), unit.map(str::to_owned)),
        }
    }

    fn samples(&self, aws: &mut Aws, minute: Millis) -> Samples {
        match self {
            Self::Balancer(source) => source.samples(aws, minute),
            Self::Custom(metric, unit) => custom::samples(aws, metric, unit.as_deref(), minute),
            Self::Nowhere => Samples::default(),
        }
    }
}

impl Query {
    fn value(&self, aws: &mut Aws, source: &Points, at: Millis) -> Option<f64> {
        let mut samples = Samples::default();
        for minute in (at..at + self.period).step_by(MINUTE as usize) {
            let more = source.samples(aws, minute);
            if samples.is_empty() {
                samples = more
            } else {
                samples.extend(&more)
            }
        }
        let value = self.statistic.of(&samples)?;
        let is_no_count =
            matches!(self.statistic, Statistic::Within(Part::Count, ..)) && value == 0.0;
        let is_absent = is_no_count && aws.draw_quirk(Quirk::NoZeroCounts);
        (!is_absent).then_some(value)
    }

    fn result(&self, points: &[(Millis, f64)], status: &str) -> Value {
        let (times, values): (Vec<Value>, Vec<f64>) = points
            .iter()
            .map(|(at, value)| (timestamp(*at), value))
            .unzip();
        json!({"Id": self.id, "Label": self.label, "Timestamps": times, "Values": values, "StatusCode": status})
    }
}

impl Position {
    fn token(self) -> String {
        format!(
            "{:04x}{:016x}",
            self.query,
            self.after.map_or(0, |after| after + 1)
        )
    }

    fn read(token: &str) -> Result<Self, ApiError> {
        let parts = token
            .is_ascii()
            .then(|| token.split_at_checked(4))
            .flatten();
        let read = |(query, after): (&str, &str)| {
            let after = Millis::from_str_radix(after, 16)
                .ok()
                .filter(|_| token.len() == 20)?;
            Some(Self {
                query: usize::from_str_radix(query, 16).ok()?,
                after: (after > 0).then_some(after - 1),
            })
        };
        parts.and_then(read).ok_or_else(invalid_token)
    }
}

/// All queries, with everything that is wrong with them.
fn read_queries(inputs: &[Input<'_>], wrong: &mut String) -> Result<Vec<Query>, ApiError> {
    let mut ids = BTreeSet::new();
    let mut queries = Vec::new();
    for input in inputs {
        input.only(&[
            "Id",
            "MetricStat",
            "Expression",
            "Label",
            "ReturnData",
            "Period",
            "AccountId",
        ])?;
        let id = input.text("Id")?.unwrap_or_default();
        if id.is_empty() {
            *wrong += &input.missing("Id");
        } else if !is_id(id) {
            let place = input.named("Id");
            *wrong += &format!(
                "The value {id} for parameter {place} is invalid. It must start with a lowercase letter and have letters, digits and underscores only.\n"
            );
        } else if !ids.insert(id) {
            *wrong += "The values for parameter id in MetricDataQueries are not unique.\n";
        }
        let (stat, expression) = (input.inner("MetricStat")?, input.text("Expression")?);
        match (stat, expression) {
            (Some(stat), None) => queries.extend(read_stat(input, &stat, id, wrong)?),
            (None, Some(_)) => {
                return Err(validation(format!(
                    "the sandbox does not serve metric math ({})",
                    input.named("Expression")
                )));
            }
            (Some(_), Some(_)) => {
                let (stat, expression) = (input.named("MetricStat"), input.named("Expression"));
                *wrong +=
                    &format!("The parameters {stat} and {expression} are mutually exclusive.\n");
            }
            (None, None) => *wrong += &input.missing("MetricStat"),
        }
    }
    Ok(queries)
}

fn read_stat(
    input: &Input<'_>,
    stat: &Input<'_>,
    id: &str,
    wrong: &mut String,
) -> Result<Option<Query>, ApiError> {
    stat.only(&["Metric", "Period", "Stat", "Unit"])?;
    let Some(metric) = stat.inner("Metric")? else {
        *wrong += &stat.missing("Metric");
        return Ok(None);
    };
    let Some(namespace) = metric.text("Namespace")? else {
        *wrong += &metric.missing("Namespace");
        return Ok(None);
    };
    let period = match stat.integer("Period")? {
        None => {
            *wrong += &stat.missing("Period");
            return Ok(None);
        }
        Some(period @ (1 | 5 | 10 | 20 | 30)) => {
            return Err(validation(format!(
                "the sandbox does not serve periods of {period} seconds"
            )));
        }
        Some(period) if period > 0 && period % 60 == 0 => period * 1000,
        Some(period) => {
            let place = stat.named("Period");
            *wrong += &format!(
                "The value {period} for parameter {place} is invalid. Period must be 1, 5, 10, 20, 30 or a multiple of 60.\n"
            );
            return Ok(None);
        }
    };
    let name = stat.text("Stat")?.unwrap_or_default();
    let statistic = match Statistic::parse(name) {
        Ok(statistic) => statistic,
        Err(Unknown::NotServed) => {
            return Err(validation(format!(
                "the sandbox does not serve the statistic {name}"
            )));
        }
        Err(Unknown::Invalid) => {
            let place = stat.named("Stat");
            *wrong +=
                &format!("The value {name} for parameter {place} is not a valid statistic.\n");
            return Ok(None);
        }
    };
    let metric = metric.metric(namespace)?;
    let label = input.text("Label")?.unwrap_or(&metric.name).to_owned();
    let unit = stat.text("Unit")?.map(str::to_owned);
    let returns = input.flag("ReturnData")?.unwrap_or(true);
    Ok(Some(Query {
        id: id.to_owned(),
        label,
        metric,
        period,
        statistic,
        unit,
        returns,
    }))
}

/// `^[a-z][a-zA-Z0-9_]*$`, 1 to 255.
fn is_id(id: &str) -> bool {
    id.len() <= 255
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
