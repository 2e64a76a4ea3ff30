//! EventBridge's default bus: rules match events and schedules, targets receive them a little
//! later, perhaps transformed.
//!
//! Only Lambda functions can be targets. Events of CodePipeline and ECR are best effort, so a run
//! can have some of them lost or delivered twice (`Faults`).

mod iam;
mod pattern;
mod rules;
mod schedule;
#[cfg(test)]
mod tests;
mod transform;

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::iam::deny_invocation;
use crate::protocol::{Json, Protocol};
use crate::service::{Errors, Service};
use crate::{ApiError, Aws, Event, Millis, lambda};

pub use pattern::Pattern;
use pattern::{About, Fields};
pub use rules::call;
pub use schedule::Schedule;

pub(crate) const SERVICE: Service = Service {
    name: "events",
    protocol: Protocol::Json(Json::new("AWSEvents", "com.amazonaws.events", call)),
    errors: Errors::JSON,
    demands: iam::demands,
};

/// Everything EventBridge knows.
#[derive(Clone, Debug, Default)]
pub struct EventBridge {
    /// The default bus's rules, by name.
    pub rules: BTreeMap<String, EventRule>,
    /// Every event that was put on the bus, in order.
    pub events: Vec<Value>,
    /// Every attempt to deliver an event to a target, in order.
    pub deliveries: Vec<Delivery>,
    pub faults: Faults,
    /// How many of the next entries of PutEvents fail, each in a request that succeeds.
    pub failing_entries: usize,
    /// Mishaps of single deliveries: by the source of the event and the delivery's number among
    /// those of the source.
    mishaps: BTreeMap<(&'static str, usize), Mishap>,
    /// How many deliveries of a source were begun.
    counted: BTreeMap<&'static str, usize>,
    /// Mishaps that happened.
    pub met: Vec<(&'static str, usize)>,
    /// Deliveries that are in progress.
    pub in_progress: usize,
}

/// What goes wrong with one delivery of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    Lost,
    /// It comes so much later.
    Late(Duration),
    /// It comes a second time, so much later.
    Again(Duration),
}

/// Sources whose events are best effort.
const BEST_EFFORT: [&str; 2] = ["aws.codepipeline", "aws.ecr"];

/// How often best-effort events go wrong, in percent of the deliveries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub lose_percent: u8,
    pub duplicate_percent: u8,
}

#[derive(Clone, Debug)]
pub struct EventRule {
    pub name: String,
    pub arn: String,
    pub description: Option<String>,
    pub role_arn: Option<String>,
    pub enabled: bool,
    pub pattern: Option<Pattern>,
    pub schedule: Option<Schedule>,
    /// Grows with every change, so that a schedule's stale agenda entries are recognised.
    pub generation: u64,
    pub targets: Vec<RuleTarget>,
}

#[derive(Clone, Debug)]
pub struct RuleTarget {
    pub id: String,
    pub arn: String,
    /// What the target receives.
    pub input: TargetInput,
    /// As given, with RetryPolicy and DeadLetterConfig.
    pub declared: Value,
}

#[derive(Clone, Debug)]
pub enum TargetInput {
    Event,
    Constant(Value),
    Path(String),
    Transformer {
        paths: BTreeMap<String, String>,
        template: String,
    },
}

#[derive(Clone, Debug)]
pub struct Delivery {
    pub at: Millis,
    pub rule: String,
    pub target: String,
    pub event: String,
    pub outcome: DeliveryOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Delivered to Lambda as this invocation.
    Invoked(u64),
    /// Lost by the bus, as a best-effort event may be.
    Lost,
    /// Refused for good; goes to the target's dead-letter queue, if it has one.
    Failed(String),
}

/// What EventBridge does by itself.
#[derive(Clone, Debug)]
pub enum EventBridgeEvent {
    Deliver {
        rule: String,
        target: String,
        event: Value,
    },
    Schedule {
        rule: String,
        generation: u64,
    },
}

impl EventBridge {
    /// Sets the mishaps of the deliveries from here on, which are numbered from 0.
    pub fn expect(&mut self, mishaps: BTreeMap<(&'static str, usize), Mishap>) {
        self.mishaps = mishaps;
        self.counted.clear();
        self.met.clear();
    }
}

/// Puts an event on the default bus.
pub fn emit(aws: &mut Aws, source: &str, detail_type: &str, resources: Vec<String>, detail: Value) {
    let event = new_event(aws, source, detail_type, resources, detail);
    put(aws, event);
}

fn new_event(
    aws: &mut Aws,
    source: &str,
    detail_type: &str,
    resources: Vec<String>,
    detail: Value,
) -> Value {
    json!({
        "version": "0",
        "id": aws.uuid(),
        "detail-type": detail_type,
        "source": source,
        "account": aws.account,
        "time": timestamp(aws.now),
        "region": aws.region,
        "resources": resources,
        "detail": detail,
    })
}

/// Events carry their time in whole seconds.
pub fn timestamp(at: Millis) -> String {
    OffsetDateTime::from_unix_timestamp(at.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .expect("virtual time stays within the years that RFC 3339 can write")
}

/// Whether a rule is about events of this source and type.
pub(crate) fn is_awaited(aws: &Aws, source: &str, detail_type: &str) -> bool {
    let about = About::of(&json!({"source": source, "detail-type": detail_type}));
    let mut rules = aws.events.rules.values().filter(|rule| rule.enabled);
    rules.any(|rule| {
        let pattern = rule.pattern.as_ref();
        pattern.is_some_and(|pattern| pattern.is_about(&about))
    })
}

/// Reads a pattern, which the filters of event source mappings are too.
pub(crate) fn read_pattern(text: &str) -> Result<Pattern, ApiError> {
    Pattern::parse(text)
}

/// Whether a value meets a pattern.
pub(crate) fn meets(pattern: &Pattern, value: &Value) -> bool {
    Fields::of(&value.to_string()).is_some_and(|fields| pattern.matches(&fields))
}

fn put(aws: &mut Aws, event: Value) {
    let about = About::of(&event);
    let fields = LazyCell::new(|| Fields::of(&event.to_string()).unwrap_or_default());
    let matching: Vec<String> = aws
        .events
        .rules
        .values()
        .filter(|rule| {
            rule.enabled
                && rule
                    .pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.is_about(&about) && pattern.matches(&fields))
        })
        .map(|rule| rule.name.clone())
        .collect();
    crate::record::event(&event);
    aws.events.events.push(event.clone());

    for rule in matching {
        deliver_later(aws, &rule, &event);
    }
}

fn deliver_later(aws: &mut Aws, rule: &str, event: &Value) {
    let targets: Vec<String> = aws.events.rules[rule]
        .targets
        .iter()
        .map(|target| target.id.clone())
        .collect();
    for target in targets {
        let copies = copies(aws, event);
        let mishap = mishap(aws, event);
        if copies == 0 || mishap == Some(Mishap::Lost) {
            record(aws, rule, &target, event, DeliveryOutcome::Lost);
            continue;
        }

        let mut delays = vec![Duration::ZERO; copies];
        match mishap {
            Some(Mishap::Late(by)) => delays[0] = by,
            Some(Mishap::Again(by)) => delays.push(by),
            Some(Mishap::Lost) | None => {}
        }
        for delay in delays {
            let after = delay + Duration::from_millis(aws.rng.u64(200..=1500));
            aws.events.in_progress += 1;
            let due = EventBridgeEvent::Deliver {
                rule: rule.to_owned(),
                target: target.clone(),
                event: event.clone(),
            };
            aws.schedule(after, due);
        }
    }
}

/// How many times a target gets an event: once, unless the run has faults.
fn copies(aws: &mut Aws, event: &Value) -> usize {
    let Faults {
        lose_percent,
        duplicate_percent,
    } = aws.events.faults;
    let best_effort = event["source"]
        .as_str()
        .is_some_and(|source| BEST_EFFORT.contains(&source));
    let drawn = aws.rng.u8(0..100);

    match () {
        () if best_effort && drawn < lose_percent => 0,
        () if drawn >= 100_u8.saturating_sub(duplicate_percent) => 2,
        () => 1,
    }
}

/// The mishap that the run has for this delivery.
fn mishap(aws: &mut Aws, event: &Value) -> Option<Mishap> {
    let source = BEST_EFFORT
        .into_iter()
        .find(|source| event["source"] == *source)?;
    let counted = aws.events.counted.entry(source).or_default();
    let key = (source, *counted);
    *counted += 1;

    let mishap = aws.events.mishaps.get(&key).copied()?;
    aws.events.met.push(key);
    Some(mishap)
}

impl Event for EventBridgeEvent {
    fn run(&self, aws: &mut Aws) {
        match self {
            Self::Deliver {
                rule,
                target,
                event,
            } => {
                aws.events.in_progress -= 1;
                if let Some(outcome) = deliver(aws, rule, target, event) {
                    record(aws, rule, target, event, outcome);
                }
            }
            Self::Schedule { rule, generation } => fire(aws, rule, *generation),
        }
    }
}

/// Delivers an event to a target; nothing when the target is gone.
fn deliver(aws: &mut Aws, rule: &str, target: &str, event: &Value) -> Option<DeliveryOutcome> {
    let known = aws.events.rules.get(rule)?;
    let target = known
        .targets
        .iter()
        .find(|known| known.id == target)?
        .clone();
    let ingested = event["time"].as_str()?;
    let context = transform::RuleContext {
        rule_arn: &known.arn,
        rule_name: &known.name,
        ingested,
    };
    let payload = transform::payload(&target.input, event, &context);
    let arn = known.arn.clone();

    Some(match payload {
        Err(reason) => DeliveryOutcome::Failed(reason),
        Ok(_) if !lambda::allows(aws, &target.arn, "events.amazonaws.com", &arn) => {
            DeliveryOutcome::Failed(deny_invocation(aws, &arn, &target.arn))
        }
        Ok(payload) => match lambda::invoke_async(aws, &target.arn, payload) {
            Ok(invocation) => DeliveryOutcome::Invoked(invocation),
            Err(error) => DeliveryOutcome::Failed(error.to_string()),
        },
    })
}

fn record(aws: &mut Aws, rule: &str, target: &str, event: &Value, outcome: DeliveryOutcome) {
    let event = event["id"].as_str().unwrap_or_default().to_owned();
    let (rule, target) = (rule.to_owned(), target.to_owned());
    aws.events.deliveries.push(Delivery {
        at: aws.now,
        rule,
        target,
        event,
        outcome,
    });
}

/// Sets a rule's next firing.
fn plan(aws: &mut Aws, rule: &str) {
    let Some(known) = aws.events.rules.get(rule) else {
        return;
    };
    let schedule = known.schedule.as_ref().filter(|_| known.enabled);
    let Some(wait) = schedule.and_then(|schedule| schedule.wait(aws.now)) else {
        return;
    };

    let due = EventBridgeEvent::Schedule {
        rule: rule.to_owned(),
        generation: known.generation,
    };
    aws.schedule(wait, due);
}

fn fire(aws: &mut Aws, rule: &str, generation: u64) {
    let Some(known) = aws.events.rules.get(rule) else {
        return;
    };
    if known.generation != generation || !known.enabled {
        return;
    }

    let arn = known.arn.clone();
    let event = new_event(aws, "aws.events", "Scheduled Event", vec![arn], json!({}));
    crate::record::event(&event);
    aws.events.events.push(event.clone());
    deliver_later(aws, rule, &event);
    plan(aws, rule);
}
