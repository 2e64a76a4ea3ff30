//! The emulator against recorded responses of real AWS.
//!
//! `SLIPWAY_CORPUS` names folders, separated by colons, with a folder `recorded`: snapshots of
//! LocalStack's tests, in which what varies is replaced by `<…>`. Each file here makes the calls of
//! a snapshot that the emulator serves, and compares shapes, error codes and messages. Every other
//! entry needs something that the emulator lacks, which rules of the file name.

mod cloudformation;
mod cloudwatch;
mod destinations;
mod dynamodb;
mod elsewhere;
mod events;
mod inputs;
mod left_out;
mod patterns;
mod route53;
mod schedules;
mod sts;
mod tags;
mod targets;

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::ApiError;
use left_out::LeftOut;

/// The folders with recorded responses.
fn folders() -> Vec<PathBuf> {
    let corpus = std::env::var_os("SLIPWAY_CORPUS").unwrap_or_default();
    std::env::split_paths(&corpus)
        .map(|folder| folder.join("recorded"))
        .filter(|folder| folder.is_dir())
        .collect()
}

/// The snapshots of a file, in the order of the folders: what was recorded, by test and entry.
fn snapshots(file: &str) -> Vec<Map<String, Value>> {
    folders()
        .into_iter()
        .map(|folder| folder.join(file))
        .filter(|path| path.is_file())
        .map(|path| parsed(&std::fs::read_to_string(path).expect("a readable snapshot")))
        .collect()
}

fn parsed(text: &str) -> Map<String, Value> {
    let tests: Map<String, Value> = serde_json::from_str(text).expect("a snapshot is JSON");
    let short = |(name, test): (String, Value)| {
        let name = name.rsplit("::").next().unwrap_or_default().to_owned();
        (name, test["recorded-content"].clone())
    };
    tests.into_iter().map(short).collect()
}

/// What all folders have recorded in a file.
fn snapshot(file: &str) -> Option<Map<String, Value>> {
    let tests = merged(snapshots(file));
    if tests.is_none() {
        eprintln!("skipped: SLIPWAY_CORPUS names no folder with recorded/{file}");
    }
    tests
}

/// The tests of all snapshots. One that several have is that of the first.
fn merged(snapshots: Vec<Map<String, Value>>) -> Option<Map<String, Value>> {
    snapshots.into_iter().reduce(|mut first, further| {
        for (test, entries) in further {
            first.entry(test).or_insert(entries);
        }
        first
    })
}

/// What the emulator returned, each with the test and the entry that it is compared with. A test is
/// named as in the snapshot, or with `*` for its parameters.
#[derive(Default)]
struct Returned(Vec<(String, String, Value)>);

impl Returned {
    fn add(&mut self, test: &str, entry: &str, answer: Result<Value, ApiError>) {
        let answer = answer.unwrap_or_else(|error| {
            let mut recorded = json!({"Error": {"Code": error.code, "Message": error.message}});
            for (member, value) in error.members {
                recorded[member] = value;
            }
            recorded
        });
        self.0.push((test.to_owned(), entry.to_owned(), answer));
    }

    /// The response to compare with an entry: the one of exactly this test before one with `*`.
    fn of(&self, test: &str, entry: &str) -> Option<&Value> {
        let find = |is_of: fn(&str, &str) -> bool| {
            let mut all = self.0.iter();
            all.find(|(name, known, _)| known == entry && is_of(name, test))
        };
        let found = find(|name, test| name == test).or_else(|| find(is_named));
        found.map(|(_, _, answer)| answer)
    }
}

/// Compares responses with a snapshot: every entry has one, or needs what the emulator lacks. What
/// only further folders have recorded may be left out without a rule.
fn judge(file: &str, answers: &Returned, rules: &[LeftOut]) {
    let mut differences = left_out::outdated(rules);
    if let Some(tests) = snapshot(file) {
        let first = snapshots(file).into_iter().next().unwrap_or_default();
        differences.extend(compared(file, answers, &tests));
        differences.extend(neither(answers, rules, &tests, &first));

        let unknown = answers.0.iter().filter(|(name, entry, _)| {
            let of_test = |test: &String| is_named(name, test) && tests[test].get(entry).is_some();
            !tests.keys().any(of_test)
        });
        differences.extend(unknown.map(|(name, entry, _)| format!("{name}/{entry}: not recorded")));
    }
    assert!(
        differences.is_empty(),
        "{file}:\n{}",
        differences.join("\n")
    );
}

/// All entries of a snapshot, each with its test.
fn entries(tests: &Map<String, Value>) -> impl Iterator<Item = ([&str; 2], &Value)> {
    tests.iter().flat_map(|(test, entries)| {
        let entries = entries.as_object().into_iter().flatten();
        entries.map(move |(entry, recorded)| ([test.as_str(), entry.as_str()], recorded))
    })
}

/// How responses differ from what was recorded.
fn compared(file: &str, answers: &Returned, tests: &Map<String, Value>) -> Vec<String> {
    let mut differences = Vec::new();
    let mut count = 0;
    for ([test, entry], recorded) in entries(tests) {
        if let Some(answer) = answers.of(test, entry) {
            count += 1;
            let place = format!("{test}/{entry}");
            compare(&comparable(recorded), answer, &place, &mut differences);
        }
    }
    eprintln!("{file}: {count} entries compared");
    differences
}

/// The entries without a response that no rule leaves out, and the rules that leave nothing out.
fn neither(
    answers: &Returned,
    rules: &[LeftOut],
    tests: &Map<String, Value>,
    first: &Map<String, Value>,
) -> Vec<String> {
    let mut differences = Vec::new();
    let mut is_used = vec![false; rules.len()];
    for ([test, entry], recorded) in entries(tests) {
        if answers.of(test, entry).is_some() {
            continue;
        }
        let fitting = left_out::fitting(rules, [test, entry], recorded);
        if fitting.is_empty() && first.contains_key(test) {
            differences.push(format!("{test}/{entry}: neither answered nor left out"));
        }
        for place in fitting {
            is_used[place] = true;
        }
    }
    let unused = rules.iter().zip(is_used).filter(|(_, is_used)| !is_used);
    differences.extend(unused.map(|(rule, _)| format!("{rule:?}: it leaves nothing out")));
    differences
}

/// Whether a name with `*` for anything is that of a test.
fn is_named(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len())
                .filter(|at| name.is_char_boundary(*at))
                .any(|at| is_named(rest, &name[at..]))
        }),
    }
}

/// The messages of a queue: of each only the body, as JSON.
fn bodies(messages: &[Value]) -> Value {
    let body = |message: &Value| match &message["Body"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        other => other.clone(),
    };
    messages
        .iter()
        .map(|message| json!({ "Body": body(message) }))
        .collect()
}

/// A recorded response without what boto3 adds to it.
fn comparable(recorded: &Value) -> Value {
    if let Some(messages) = recorded
        .as_array()
        .filter(|all| all.iter().all(|one| one["MessageId"].is_string()))
    {
        return bodies(messages);
    }
    if let Some(refusal) = recorded
        .as_str()
        .and_then(|text| text.strip_prefix("An error occurred ("))
    {
        let (code, rest) = refusal.split_once(')').expect("a code in parentheses");
        let message = rest.split_once("operation: ").map(|(_, message)| message);
        return json!({"Error": {"Code": code, "Message": message}});
    }
    let mut recorded = recorded.clone();
    if let Some(members) = recorded.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "ResponseMetadata" | "message"));
    }
    if let Some(error) = recorded.get_mut("Error").and_then(Value::as_object_mut) {
        error.retain(|name, _| matches!(name.as_str(), "Code" | "Message"));
    }
    recorded
}

/// Words that stand for a time.
const TIMES: [&str; 4] = ["datetime", "timestamp", "date", "<datetime>"];

fn compare(recorded: &Value, answer: &Value, place: &str, differences: &mut Vec<String>) {
    match (recorded, answer) {
        (Value::Object(recorded), Value::Object(answer)) => {
            for (name, value) in answer.iter().filter(|(_, value)| !value.is_null()) {
                if !recorded.contains_key(name) {
                    differences.push(format!("{place}: AWS has no {name} (here {value})"));
                }
            }
            for (name, value) in recorded {
                let own = answer.get(name).unwrap_or(&Value::Null);
                compare(value, own, &format!("{place}.{name}"), differences);
            }
        }
        (Value::Array(recorded), Value::Array(answer)) if recorded.len() == answer.len() => {
            for (index, (recorded, answer)) in recorded.iter().zip(answer).enumerate() {
                compare(recorded, answer, &format!("{place}[{index}]"), differences);
            }
        }
        (Value::String(recorded), _) if TIMES.contains(&recorded.as_str()) && !answer.is_null() => {
        }
        (Value::String(recorded), Value::String(answer)) if is_filled(recorded, answer) => {}
        (Value::Number(recorded), Value::Number(answer))
            if recorded.as_f64() == answer.as_f64() => {}
        _ if recorded == answer => {}
        _ => differences.push(format!("{place}: {answer}, and AWS has {recorded}")),
    }
}

/// Whether a text is the recorded one with other text for what varies.
fn is_filled(recorded: &str, answer: &str) -> bool {
    let mut pattern = String::new();
    let mut rest = recorded;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((_, after)) = after.split_once('>') else {
            break;
        };
        pattern += &before.replace('*', "?");
        pattern.push('*');
        rest = after;
    }
    pattern += &rest.replace('*', "?");
    let pattern = pattern.replace("111111111111", "*");
    is_named(&pattern, &answer.replace('*', "?"))
}
