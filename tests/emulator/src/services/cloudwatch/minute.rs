//! What targets answered in a part of a minute: drawn when it is first read, and the same ever
//! since.
//!
//! A minute has two parts, since a load balancer may report the beginning of a minute before its
//! end is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draw;
use super::samples::{Cell, Samples};
use crate::ecr::{Answers, Profile};
use crate::traffic::Variation;
use crate::{Aws, Millis, ecr, traffic};

pub(super) const MINUTE: Millis = 60_000;

/// The requests to one target group through one load balancer, or those that the balancer forwarded
/// to no group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    /// `app/<name>/<16 hex>`.
    pub(super) balancer: String,
    /// The target group's ARN.
    pub(super) group: Option<String>,
}

/// What happened in a part of a minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct HalfMinute {
    pub(super) good: u64,
    pub(super) client_errors: u64,
    pub(super) server_errors: u64,
    /// Those of them that came through one zone together.
    pub(super) bursts: Vec<u64>,
    /// The target did not take the connection, and the balancer answered 502.
    pub(super) refused: u64,
    /// The target took the connection and ended it without a response, and the balancer answered
    /// 502.
    pub(super) reset: u64,
    /// The target took the connection and never responded, and the balancer answered 504.
    pub(super) unanswered: u64,
    /// The target answered 101.
    pub(super) sockets: u64,
    /// There was no target, and the balancer answered 503.
    pub(super) unserved: u64,
    /// Kept as metrics need them: a judge reads the same minutes at each look.
    pub(super) response_times: Samples,
}

/// The two parts of a minute, as far as they are drawn.
type Parts = [Option<Arc<HalfMinute>>; 2];

/// The parts that were read, by series and minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawn {
    parts: BTreeMap<Series, BTreeMap<Millis, Parts>>,
    /// When each version got its first request in a target group.
    first: BTreeMap<(String, String), Millis>,
}

/// Requests that are expected in a part of a minute.
#[derive(Default)]
struct Expected {
    by_version: BTreeMap<String, OfVersion>,
    refused: f64,
    unserved: f64,
}

/// Those of one version.
#[derive(Default)]
struct OfVersion {
    requests: f64,
    /// The sum, over these requests, of the requests a second to each target.
    per_target: f64,
}

impl HalfMinute {
    /// Requests for which a target was chosen.
    pub(super) fn requests(&self) -> u64 {
        let answered = self.good + self.client_errors + self.server_errors;
        answered + self.refused + self.reset + self.unanswered + self.sockets
    }

    fn respond(
        &mut self,
        rng: &mut rand::rngs::StdRng,
        requests: u64,
        answers: Answers,
        variation: Variation,
    ) {
        let reset = draw::some(rng, requests, answers.reset);
        let unanswered = draw::some(rng, requests - reset, answers.unanswered);
        let sockets = draw::some(rng, requests - reset - unanswered, answers.sockets);
        self.reset += reset;
        self.unanswered += unanswered;
        self.sockets += sockets;

        let requests = requests - reset - unanswered - sockets;
        let server_errors = match variation.bursts {
            Some(_) if answers.errors >= draw::OFTEN => {
                draw::binomial(rng, requests, answers.errors)
            }
            Some(law) => {
                let bursts = draw::bursts(rng, requests, answers.errors, law);
                let failures: u64 = bursts.iter().sum();
                if variation.in_zones {
                    self.bursts.extend(bursts);
                }
                failures
            }
            None => draw::burst_failures(rng, requests, answers.errors, answers.burst),
        };
        let client_errors = draw::binomial(rng, requests - server_errors, answers.client_errors);
        self.server_errors += server_errors;
        self.client_errors += client_errors;
        self.good += requests - server_errors - client_errors;
        draw::response_times(rng, requests, answers, &mut |cell, count| {
            if count > 0 {
                let (low, high) = draw::bounds(cell);
                let count = count as f64;
                self.response_times.add(Cell { low, high, count });
            }
        });
    }
}

/// When the second part of a minute begins: the same for everything behind a balancer.
pub(super) fn cut(seed: u64, balancer: &str, minute: Millis) -> Millis {
    let mut rng = draw::chance(seed, &format!("cut {balancer} {minute}"));
    minute + rand::RngExt::random_range(&mut rng, 30_000..55_000)
}

/// What happened in a part of a minute, or nothing as long as it is not over.
pub(super) fn part(
    aws: &mut Aws,
    series: &Series,
    minute: Millis,
    half: usize,
) -> Option<Arc<HalfMinute>> {
    let known = aws
        .cloudwatch
        .drawn
        .parts
        .get(series)
        .and_then(|minutes| minutes.get(&minute)?[half].clone());
    if known.is_some() {
        return known;
    }

    let is_over = aws.now >= minute + MINUTE;
    if is_over && expected(aws, series, minute, minute + MINUTE).is_empty() {
        return Some(Arc::default());
    }

    let cut = cut(aws.seed, &series.balancer, minute);
    let (from, to) = if half == 0 {
        (minute, cut)
    } else {
        (cut, minute + MINUTE)
    };
    if aws.now < to {
        return None;
    }
    let expected = expected(aws, series, from, to);
    if expected.is_empty() {
        return Some(Arc::default());
    }

    let part = Arc::new(drawn(aws, series, minute, half, &expected));
    let minutes = aws
        .cloudwatch
        .drawn
        .parts
        .entry(series.clone())
        .or_default();
    minutes.entry(minute).or_default()[half] = Some(Arc::clone(&part));

    Some(part)
}

/// The target groups (and perhaps none) to which a balancer forwarded requests in a minute.
pub(super) fn series_of(aws: &Aws, balancer: &str, minute: Millis) -> Vec<Series> {
    let spans = traffic::between(aws, minute, minute + MINUTE)
        .filter(|(arn, _)| balancer_of(arn) == Some(balancer));
    let groups = spans.flat_map(|(_, span)| span.flows.iter().filter(|flow| flow.rate > 0.0));
    let mut all: Vec<Series> = groups
        .map(|flow| Series {
            balancer: balancer.to_owned(),
            group: flow.target_group.clone(),
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

/// `app/<name>/<hex>` in the ARN of a rule or listener.
pub(super) fn balancer_of(arn: &str) -> Option<&str> {
    let path = arn
        .split_once(":listener/")
        .or_else(|| arn.split_once(":listener-rule/"))?
        .1;
    let end = path
        .match_indices('/')
        .nth(2)
        .map_or(path.len(), |(at, _)| at);
    Some(&path[..end])
}

impl Expected {
    fn is_empty(&self) -> bool {
        self.by_version.is_empty() && self.refused + self.unserved <= 0.0
    }
}

fn expected(aws: &Aws, series: &Series, from: Millis, to: Millis) -> Expected {
    let mut expected = Expected::default();
    let spans = traffic::between(aws, from, to)
        .filter(|(arn, _)| balancer_of(arn) == Some(series.balancer.as_str()));

    for (_, span) in spans {
        let seconds = (span.to.min(to) - span.from.max(from)) as f64 / 1000.0;
        for flow in span
            .flows
            .iter()
            .filter(|flow| flow.target_group == series.group && flow.rate > 0.0)
        {
            let requests = flow.rate * seconds;
            match &flow.version {
                _ if flow.refused => expected.refused += requests,
                Some(version) => {
                    let sum = expected.by_version.entry(version.clone()).or_default();
                    sum.requests += requests;
                    sum.per_target += requests * flow.per_target.unwrap_or(0.0);
                }
                None => expected.unserved += requests,
            }
        }
    }
    expected
}

fn drawn(
    aws: &mut Aws,
    series: &Series,
    minute: Millis,
    half: usize,
    expected: &Expected,
) -> HalfMinute {
    let group = series.group.as_deref().unwrap_or("no group");
    let mut rng = draw::chance(
        aws.seed,
        &format!("requests {} {group} {minute} {half}", series.balancer),
    );

    let mut part = HalfMinute {
        refused: draw::poisson(&mut rng, expected.refused),
        unserved: draw::poisson(&mut rng, expected.unserved),
        ..HalfMinute::default()
    };
    for (version, sum) in &expected.by_version {
        let since = minute
            - first_request(aws, group, version)
                .map_or(0, |first| first - first.rem_euclid(MINUTE));
        let answers = profile(aws, version).at(since / MINUTE);
        let answers = varied(aws, &series.balancer, answers, minute);
        let answers = disturbed(aws, answers, minute);
        let answers = match aws.traffic.capacity {
            Some(capacity) => answers.at_load(sum.per_target / sum.requests / capacity),
            None => answers,
        };
        let requests = draw::poisson(&mut rng, sum.requests);
        part.respond(&mut rng, requests, answers, aws.traffic.variation);
    }
    if speaks_grpc(aws, group) {
        part.good += part.client_errors + part.server_errors;
        part.client_errors = 0;
        part.server_errors = 0;
        part.bursts.clear();
    }
    part
}

/// Whether the targets of a group answer gRPC, where an error has the HTTP status 200 as a success
/// does, and its own status in the trailers.
///
/// Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
fn speaks_grpc(aws: &Aws, group: &str) -> bool {
    let group = aws.elb.target_groups.get(group);
    group.is_some_and(|group| group.properties.get("ProtocolVersion") == Some(&"GRPC".into()))
}

/// When a version got its first request in a target group.
fn first_request(aws: &mut Aws, group: &str, version: &str) -> Option<Millis> {
    let key = (group.to_owned(), version.to_owned());
    if let Some(first) = aws.cloudwatch.drawn.first.get(&key) {
        return Some(*first);
    }

    let gets_some = |span: &traffic::Span| {
        let is_it = |flow: &traffic::Flow| {
            flow.target_group.as_deref() == Some(group)
                && flow.version.as_deref() == Some(version)
                && flow.rate > 0.0
        };
        span.flows.iter().any(is_it)
    };
    let spans = traffic::between(aws, Millis::MIN, aws.now).filter(|(_, span)| gets_some(span));
    let first = spans.map(|(_, span)| span.from).min()?;
    aws.cloudwatch.drawn.first.insert(key, first);

    Some(first)
}

/// How a task definition answers: as the image of the container that takes the requests does.
fn profile(aws: &Aws, version: &str) -> Profile {
    let request = aws.ecs.request_of(version);
    let containers = request
        .and_then(|request| request["containerDefinitions"].as_array())
        .map_or(&[][..], Vec::as_slice);
    let has_port = |container: &&serde_json::Value| {
        container["portMappings"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    };
    let container = containers.iter().find(has_port).or(containers.first());

    container
        .and_then(|container| container["image"].as_str())
        .map(|image| ecr::profile(aws, image))
        .unwrap_or_default()
}

/// The answers in a minute that is better or worse than others, for all versions behind a balancer.
fn varied(aws: &Aws, balancer: &str, answers: Answers, minute: Millis) -> Answers {
    let Variation { errors, times, .. } = aws.traffic.variation;
    if errors <= 0.0 && times <= 0.0 {
        return answers;
    }

    let mut rng = draw::chance(aws.seed, &format!("variation {balancer} {minute}"));
    let (worse, slower) = (
        draw::factor(&mut rng, errors),
        draw::factor(&mut rng, times),
    );
    let of_odds = |part: f64| part * worse / (1.0 - part + part * worse);
    let answers = Answers {
        errors: of_odds(answers.errors),
        client_errors: of_odds(answers.client_errors),
        ..answers
    };
    answers.slower(slower)
}

/// The answers in a minute in which there may be an incident.
fn disturbed(aws: &Aws, answers: Answers, minute: Millis) -> Answers {
    let now = aws
        .traffic
        .incidents
        .iter()
        .filter(|incident| (incident.from..incident.to).contains(&minute));
    now.fold(answers, |answers, incident| {
        let spared = (1.0 - answers.errors) * (1.0 - incident.errors);
        answers.failing(1.0 - spared).slower(incident.slower)
    })
}
