//! GetMetricData: queries checked as a whole, then answered point by point and page by page.
//!
//! Source:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>

use serde_json::{Value, json};

use super::balancer::{self, Source};
use super::input::{invalid_token, missing, only, validation};
use super::read_queries::read_queries;
use super::samples::Samples;
use super::statistic::{Measure, Statistic};
use super::{MetricId, custom};
use crate::input::Input;
use crate::protocol::cbor::timestamp;
use crate::{ApiError, Aws, Millis, Quirk, traffic};

/// The members of a request.
const MEMBERS: [&str; 7] = [
    "MetricDataQueries",
    "StartTime",
    "EndTime",
    "NextToken",
    "ScanBy",
    "MaxDatapoints",
    "LabelOptions",
];
const MOST_QUERIES: usize = 500;
const MOST_POINTS: i64 = 100_800;
const MINUTE: Millis = super::minute::MINUTE;

/// One query of the request.
#[derive(Clone, Debug)]
pub(super) struct MetricDataQuery {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) metric: MetricId,
    pub(super) period: Millis,
    pub(super) statistic: Statistic,
    pub(super) unit: Option<String>,
    /// The units of the points, if they have several and the query names none.
    pub(super) units: Vec<String>,
    pub(super) returns: bool,
}

struct Request {
    queries: Vec<MetricDataQuery>,
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
    let mut request = Request::read(aws, &Input::new(input))?;
    traffic::note(aws);
    request.note_units(aws);
    let page = ResultPage::of(aws, &request);

    let mut output = json!({"MetricDataResults": page.results, "Messages": []});
    if let Some(next) = page.next {
        output["NextToken"] = next.token().into();
    }
    Ok(output)
}

/// One page of results, which is filled query by query.
struct ResultPage {
    results: Vec<Value>,
    /// How many more points it may have.
    points_left: usize,
    /// How many more queries it may begin.
    queries_left: usize,
    /// Whether it names the queries that it has not come to.
    lists_unreached: bool,
    next: Option<Position>,
}

impl ResultPage {
    fn of(aws: &mut Aws, request: &Request) -> Self {
        let mut page = Self {
            results: Vec::new(),
            points_left: request.most_points,
            queries_left: aws.page_size(usize::MAX),
            lists_unreached: aws.draw_quirk(Quirk::ListsUnreachedQueries),
            next: None,
        };

        for (index, query) in request.queries.iter().enumerate().skip(request.from.query) {
            if query.returns {
                page.add(aws, request, index, query);
            }
        }
        page
    }

    /// Adds the result of a query, or a part of it, if there is room.
    fn add(&mut self, aws: &mut Aws, request: &Request, index: usize, query: &MetricDataQuery) {
        if self.next.is_none() && self.queries_left == 0 {
            self.next = Some(Position {
                query: index,
                after: None,
            });
        }
        if self.next.is_some() {
            if self.lists_unreached {
                self.results.push(query.result(&[], "PartialData"));
            }
            return;
        }

        self.queries_left -= 1;
        let failure = aws.cloudwatch.faults.internal_errors;
        if failure > 0.0 && aws.rng.f64() < failure {
            self.results.push(query.result(&[], "InternalError"));
            return;
        }

        let after = request.from.after.filter(|_| index == request.from.query);
        let points = request.points(aws, query, after);
        if points.len() <= self.points_left {
            self.points_left -= points.len();
            self.results.push(query.result(&points, "Complete"));
            return;
        }

        let points = &points[..self.points_left];
        self.next = Some(Position {
            query: index,
            after: points.last().map(|(at, _)| *at).or(after),
        });

        if self.points_left > 0 || self.lists_unreached {
            self.results.push(query.result(points, "PartialData"));
        }
    }
}

impl Request {
    fn read(aws: &Aws, input: &Input<'_>) -> Result<Self, ApiError> {
        only(input, &MEMBERS)?;
        let inputs = input.inners("MetricDataQueries")?;
        let (start, end) = (input.time("StartTime")?, input.time("EndTime")?);
        let mut wrong = wrong_queries_or_times(input, inputs.len(), start, end);
        let newest_first = read_order(input, &mut wrong)?;
        let most = read_most_points(input, &mut wrong)?;
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

    /// Notes the units of the points of queries that name none.
    fn note_units(&mut self, aws: &Aws) {
        for query in self.queries.iter_mut().filter(|query| query.unit.is_none()) {
            let units = custom::units(aws, &query.metric, self.start..self.end);
            if units.len() > 1 {
                query.units = units.into_iter().collect();
            }
        }
    }

    /// The points of a query that are visible now, in the order of the request, after one of them.
    fn points(
        &self,
        aws: &mut Aws,
        query: &MetricDataQuery,
        after: Option<Millis>,
    ) -> Vec<(Millis, f64)> {
        let step = query.step();
        let first = self.start - self.start.rem_euclid(step);
        let periods = (self.end - first + step - 1) / step;
        let source = Points::of(aws, &query.metric, query.unit.as_deref());

        let mut points = Vec::new();
        for number in 0..periods {
            let number = if self.newest_first {
                periods - 1 - number
            } else {
                number
            };
            let at = first + number * step;
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

/// What is wrong with the number of queries and with the times, a line for each fault.
fn wrong_queries_or_times(
    input: &Input<'_>,
    queries: usize,
    start: Option<Millis>,
    end: Option<Millis>,
) -> String {
    let mut wrong = String::new();
    for (name, absent) in [
        ("MetricDataQueries", queries == 0),
        ("StartTime", start.is_none()),
        ("EndTime", end.is_none()),
    ] {
        if absent {
            wrong += &missing(input, name);
        }
    }
    if queries > MOST_QUERIES {
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
    wrong
}

/// Whether the newest point comes first.
fn read_order(input: &Input<'_>, wrong: &mut String) -> Result<bool, ApiError> {
    match input.text("ScanBy")?.unwrap_or("TimestampDescending") {
        "TimestampDescending" => Ok(true),
        "TimestampAscending" => Ok(false),
        other => {
            *wrong += &format!(
                "The value {other} for parameter ScanBy is invalid. Valid values are \
                 TimestampDescending, TimestampAscending.\n"
            );
            Ok(true)
        }
    }
}

fn read_most_points(input: &Input<'_>, wrong: &mut String) -> Result<usize, ApiError> {
    let most = input.integer("MaxDatapoints")?.unwrap_or(MOST_POINTS);
    if !(1..=MOST_POINTS).contains(&most) {
        *wrong += &format!(
            "The value {most} for parameter MaxDatapoints must be between 1 and {MOST_POINTS}.\n"
        );
    }
    Ok(usize::try_from(most).unwrap_or(1))
}

/// A start less than 15 days ago counts from the beginning of its minute, less than 63 days ago of
/// its five minutes, and otherwise of its hour.
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

impl MetricDataQuery {
    /// From one point to the next. Data are of minutes, and so are the points of shorter periods.
    fn step(&self) -> Millis {
        self.period.max(MINUTE)
    }

    fn value(&self, aws: &mut Aws, source: &Points, at: Millis) -> Option<f64> {
        let mut samples = Samples::default();
        for minute in (at..at + self.step()).step_by(MINUTE as usize) {
            let more = source.samples(aws, minute);
            if samples.is_empty() {
                samples = more
            } else {
                samples.extend(&more)
            }
        }

        let value = self.statistic.of(&samples)?;
        let is_no_count =
            matches!(self.statistic, Statistic::Within(Measure::Count, ..)) && value == 0.0;
        let is_absent = is_no_count && aws.draw_quirk(Quirk::NoZeroCounts);
        (!is_absent).then_some(value)
    }

    fn result(&self, points: &[(Millis, f64)], status: &str) -> Value {
        let (times, values): (Vec<Value>, Vec<f64>) = points
            .iter()
            .map(|(at, value)| (timestamp(*at), value))
            .unzip();
        let mut result = json!({
            "Id": self.id, "Label": self.label, "Timestamps": times, "Values": values,
            "StatusCode": status,
        });
        if !self.units.is_empty() {
            let units = format!("Multiple units returned: '[{}]'", self.units.join(", "));
            result["Messages"] = json!([{"Code": "MultipleUnits", "Value": units}]);
        }
        result
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
