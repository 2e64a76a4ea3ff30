//! The calls of a scene as text: by function and action, attempt by attempt.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use emulator::lambda::{AttemptLog, Invocation, Outcome};
use emulator::{Aws, Call, Millis, Request};
use harness::driver::Driver;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Map, Value, json};

use crate::items::{Items, difference};
use crate::layout::{Long, inline, lay};
use crate::names::Names;
use crate::wire::parameters;
use behaviour::{ledger_table, reports_bucket};

/// Members in which the looks of a step differ while it waits.
const VARYING: [&str; 5] = [
    "EndTime",
    "StartTime",
    "payload",
    "percentComplete",
    "summary",
];

/// Every call that functions made since a scene began, with the request as it was sent.
pub(crate) struct Record {
    began: Millis,
    /// How many invocations there were before.
    invocations: usize,
    calls: Arc<Mutex<Vec<(Call, Request)>>>,
}

/// Writes down every call from now on.
pub(crate) fn recorded(driver: &Driver) -> Record {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (began, invocations) = {
        let aws = driver.world.aws();
        (aws.now, aws.lambda.invocations.len())
    };
    let record = Record {
        began,
        invocations,
        calls: Arc::clone(&calls),
    };

    driver.world.witnessed_by(move |aws, request| {
        let call = aws.calls.last().expect("every call is logged").clone();
        calls
            .lock()
            .expect("no call is made while another is written down")
            .push((call, request.clone()));
    });
    record
}

/// One attempt: what it called and how it ended, each as a title and a value.
type Attempt = Vec<(String, Value)>;

/// The attempts of one function for one action.
pub(crate) struct Section {
    title: String,
    attempts: Vec<Attempt>,
}

/// What was called, by function and action in the order in which they began.
pub(crate) fn sections(aws: &Aws, record: &Record) -> Vec<Section> {
    let calls = record.calls.lock().expect("the scene is over");
    assert!(
        calls.iter().all(|(call, _)| call.attempt.is_some()),
        "a scene lets Lambda invoke the functions"
    );

    let stores = [
        ("ledger table", ledger_table(aws)),
        ("reports bucket", reports_bucket(aws)),
    ];
    let mut reader = Reader {
        names: Names::new(aws, record.began, &stores),
        items: Items::default(),
    };

    let mut sections: Vec<Section> = Vec::new();
    for (invocation, attempt) in in_order(aws, record.invocations) {
        let job = job(invocation);
        let title = title(aws, invocation, job);
        let own: Vec<&(Call, Request)> = calls
            .iter()
            .filter(|(call, _)| call.attempt == Some(attempt.id))
            .collect();

        let mut shown = reader.calls(&own, attempt.started, job);
        shown.extend(reader.ending(attempt, job));
        match sections.iter_mut().find(|section| section.title == title) {
            Some(section) => section.attempts.push(shown),
            None => sections.push(Section {
                title,
                attempts: vec![shown],
            }),
        }
    }
    sections
}

/// The CodePipeline job that an invocation is for.
fn job(invocation: &Invocation) -> Option<&str> {
    invocation
        .payload
        .pointer("/CodePipeline.job/id")
        .and_then(Value::as_str)
}

/// The function of an invocation, and its action where that has another name.
fn title(aws: &Aws, invocation: &Invocation, job: Option<&str>) -> String {
    let action = job
        .and_then(|id| aws.codepipeline.job(id))
        .map(|job| job.action.as_str());
    let function = invocation
        .function
        .trim_start_matches(&format!("{FUNCTIONS_STACK}-"));

    match action {
        Some(action) if action != function => format!("{function}, action {action}"),
        _ => function.to_owned(),
    }
}

/// Attempts that started since the scene began, in the order in which they started.
fn in_order(aws: &Aws, since: usize) -> Vec<(&Invocation, &AttemptLog)> {
    let all = aws.lambda.invocations[since..].iter();
    let mut attempts: Vec<_> = all
        .flat_map(|invocation| {
            invocation
                .attempts
                .iter()
                .map(move |attempt| (invocation, attempt))
        })
        .collect();
    attempts.sort_by_key(|(_, attempt)| (attempt.started, attempt.id));
    attempts
}

/// What is known while attempts are read in their order.
struct Reader {
    names: Names,
    items: Items,
}

impl Reader {
    /// What one attempt called. Reads between two writes are sorted: what is read at once arrives
    /// in any order.
    fn calls(&mut self, calls: &[&(Call, Request)], started: Millis, job: Option<&str>) -> Attempt {
        let mut shown = Vec::new();
        for run in calls.chunk_by(|(one, _), (next, _)| one.is_read() && next.is_read()) {
            let mut sorted: Vec<_> = run
                .iter()
                .map(|(call, request)| (call, parameters(&call.service, request)))
                .collect();
            sorted.sort_by_cached_key(|(call, sent)| {
                (
                    call.service.clone(),
                    call.operation.clone(),
                    sent.to_string(),
                )
            });

            for (call, sent) in sorted {
                let error = call
                    .error
                    .as_ref()
                    .map_or_else(String::new, |code| format!(" (refused: {code})"));
                let sent = self.items.changes(sent, call.error.is_none());
                // Of this attempt, in whole seconds as a token has them.
                let now = (started / 1000..=call.at / 1000).map(|secs| self.names.at(secs * 1000));
                let now: Vec<String> = now.collect();
                let sent = without_usual(self.names.value(&sent, job), &now);
                shown.push((format!("{} {}{error}", call.service, call.operation), sent));
            }
        }
        shown
    }

    /// How an attempt ended, unless it returned nothing.
    fn ending(&mut self, attempt: &AttemptLog, job: Option<&str>) -> Option<(String, Value)> {
        match &attempt.outcome {
            Some(Outcome::Succeeded(Value::Null)) => None,
            Some(Outcome::Succeeded(answer)) => {
                Some(("returns".to_owned(), self.names.value(answer, job)))
            }
            Some(Outcome::Failed(error)) => {
                Some(("fails".to_owned(), json!(self.names.text(error, job))))
            }
            other => Some((format!("{other:?}"), Value::Null)),
        }
    }
}

/// Only another table than the ledger is worth a word, and in a token only another time than `now`
/// at which its action learned something.
fn without_usual(value: Value, now: &[String]) -> Value {
    let is_usual = |name: &str, value: &Value| match name {
        "TableName" => value == "<ledger table>",
        "learned" => now.iter().any(|now| value == now),
        _ => false,
    };

    match value {
        Value::Array(items) => items
            .into_iter()
            .map(|item| without_usual(item, now))
            .collect(),
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, value)| !is_usual(name, value))
            .map(|(name, value)| (name, without_usual(value, now)))
            .collect(),
        scalar => scalar,
    }
}

/// The sections whose titles begin so, as text.
pub(crate) fn written(sections: &[Section], titles: &[&str]) -> String {
    let wanted = |section: &&Section| titles.iter().any(|title| section.title.starts_with(title));
    let sections: Vec<&Section> = sections.iter().filter(wanted).collect();
    let mut long = Long::default();
    let firsts = sections
        .iter()
        .flat_map(|section| alike(&section.attempts))
        .map(|group| &group[0]);
    firsts.flatten().for_each(|(_, value)| long.expect(value));

    let mut text = String::new();
    for section in sections {
        let gap = if text.is_empty() { "" } else { "\n" };
        writeln!(text, "{gap}== {} ==", section.title).expect("a text takes text");
        let mut at = 1;
        for group in alike(&section.attempts) {
            write(&mut text, group, at, &mut long);
            at += group.len();
        }
    }
    text
}

/// Attempts one after the other that differ only in what varies while a step waits.
fn alike(attempts: &[Attempt]) -> impl Iterator<Item = &[Attempt]> {
    attempts.chunk_by(|one, next| {
        let same = |((one, sent), (next, other)): (&(String, Value), &(String, Value))| {
            one == next && split(sent).0 == split(other).0
        };
        one.len() == next.len() && one.iter().zip(next).all(same)
    })
}

/// The first attempt of a group is written in full. Of the others only what changed is, and how
/// many were the same in that too.
fn write(text: &mut String, group: &[Attempt], first: usize, long: &mut Long) {
    let varying = |attempt: &Attempt| {
        attempt
            .iter()
            .flat_map(|(_, sent)| split(sent).1)
            .collect::<Vec<_>>()
    };
    let (mut at, mut last) = (first, Vec::new());

    for same in group.chunk_by(|one, next| varying(one) == varying(next)) {
        let label = if same.len() == 1 {
            format!("[{at}]")
        } else {
            format!("[{at} to {}]", at + same.len() - 1)
        };
        let now = varying(&same[0]);

        if at == first {
            writeln!(text, "{label}").expect("a text takes text");
            let mut lines = Vec::new();
            for (title, sent) in &same[0] {
                lay(&mut lines, 1, &format!("{title} "), &long.labelled(sent));
            }
            writeln!(text, "{}", lines.join("\n")).expect("a text takes text");
        } else {
            writeln!(text, "{label} the same, but {}", changes(&last, &now))
                .expect("a text takes text");
        }

        last = now;
        at += same.len();
    }
}

/// What differs of what varies.
fn changes(last: &[(String, Value)], now: &[(String, Value)]) -> String {
    let mut shown = Vec::new();
    for ((name, old), (_, new)) in last.iter().zip(now) {
        let mut changes = Map::new();
        difference(&mut changes, name, old, new);
        shown.extend(
            changes
                .iter()
                .map(|(name, value)| format!("{name}: {}", inline(value))),
        );
    }
    shown.join(", ")
}

/// A value without what varies, and that.
fn split(value: &Value) -> (Value, Vec<(String, Value)>) {
    let mut varying = Vec::new();
    (fixed(value, &mut varying), varying)
}

fn fixed(value: &Value, varying: &mut Vec<(String, Value)>) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| fixed(item, varying)).collect(),
        Value::Object(members) => {
            let mut fix = |(name, value): (&String, &Value)| {
                if VARYING.contains(&name.as_str()) {
                    varying.push((name.clone(), value.clone()));
                    return (name.clone(), Value::Null);
                }
                (name.clone(), fixed(value, varying))
            };
            members.iter().map(&mut fix).collect()
        }
        scalar => scalar.clone(),
    }
}
