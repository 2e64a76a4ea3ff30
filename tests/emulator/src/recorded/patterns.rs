//! Event patterns: what TestEventPattern returned.
//!
//! A file `X.json5` has an event and a pattern that match, `X_NEG.json5` two that do not, and the
//! pattern of `X_EXC.json5` was refused. A snapshot has the message of the refusal; a pattern that
//! none has is judged by the name of its file alone.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{folders, is_filled, merged, parsed, snapshot};
use crate::{Aws, eventbridge};

const SNAPSHOT: &str = "events/test_events_patterns.snapshot.json";

/// JSON without the comments and last commas that JSON5 allows.
fn json5(text: &str) -> Value {
    let mut plain = String::new();
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => {
                plain.push(letter);
                plain.extend(letters.next());
            }
            '/' if !quoted && letters.peek() == Some(&'/') => {
                letters.by_ref().find(|letter| *letter == '\n');
            }
            '}' | ']' if !quoted => {
                let kept = plain.trim_end().trim_end_matches(',').len();
                plain.truncate(kept);
                plain.push(letter);
            }
            _ => {
                quoted ^= letter == '"';
                plain.push(letter);
            }
        }
    }
    serde_json::from_str(&plain).expect("JSON5 with comments and last commas only")
}

/// As Python writes JSON, which the recorded messages quote.
fn python(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), python(value))
            };
            let members: Vec<String> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

fn test(event: &str, pattern: &str) -> Result<bool, (String, String)> {
    let input = json!({"Event": event, "EventPattern": pattern});
    eventbridge::call(&mut Aws::new(1), "TestEventPattern", &input)
        .map(|answer| answer["Result"] == true)
        .map_err(|error| (error.code, error.message))
}

/// The files of a folder with patterns.
fn patterns(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json5")
        })
        .collect()
}

/// Whether the response agrees with the name of the file, and a refusal with the recorded one.
fn agrees(name: &str, answer: &Result<bool, (String, String)>, recorded: Option<&Value>) -> bool {
    let is_refused = name.ends_with("_EXC");
    match (answer, recorded) {
        (Ok(matches), _) => !is_refused && *matches != name.ends_with("_NEG"),
        (Err((code, message)), Some(entries)) => {
            let refusal = &entries[name]["exception_message"]["Error"];
            let recorded = refusal["MessageRaw"].as_str().unwrap_or_default();
            refusal["Code"] == **code && is_filled_beside_signs(recorded, message)
        }
        (Err((code, _)), None) => is_refused && code == "InvalidEventPatternException",
    }
}

#[test]
fn event_patterns_are_judged_as_recorded() {
    let folders: Vec<PathBuf> = folders()
        .into_iter()
        .map(|folder| folder.join("events/patterns"))
        .filter(|folder| folder.is_dir())
        .collect();
    let paths: Vec<PathBuf> = folders.iter().flat_map(|folder| patterns(folder)).collect();
    assert!(
        folders.is_empty() || !paths.is_empty(),
        "no event patterns in {folders:?}"
    );

    let recorded = snapshot(SNAPSHOT).unwrap_or_default();
    let mut differences = Vec::new();
    for path in &paths {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let name = stem.unwrap_or_default();
        let case = json5(&std::fs::read_to_string(path).expect("a readable file"));
        let answer = test(&python(&case["Event"]), &python(&case["EventPattern"]));

        let entries = recorded.get(&format!("test_event_pattern[{name}]"));
        if !agrees(name, &answer, entries) {
            differences.push(format!("{name}: {answer:?}, and AWS has {entries:?}"));
        }
    }
    eprintln!("{} event patterns judged", paths.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_pattern_that_no_snapshot_has_is_judged_by_the_name_of_its_file() {
    let refused = |code: &str| Err((code.to_owned(), "why".to_owned()));
    let invalid = refused("InvalidEventPatternException");

    for (name, expected) in [
        ("a", [true, false, false]),
        ("a_NEG", [false, true, false]),
        ("a_EXC", [false, false, true]),
    ] {
        let found = [&Ok(true), &Ok(false), &invalid].map(|answer| agrees(name, answer, None));
        assert_eq!(found, expected, "{name}");
    }
    assert!(!agrees("a_EXC", &refused("InternalException"), None));
}

#[test]
fn snapshots_of_several_folders_are_merged_and_the_first_decides() {
    let of = |tests: Value| parsed(&tests.to_string());
    let first = of(json!({"t.py::T::test_a": {"recorded-content": {"a": 1}}}));
    let further = of(json!({
        "t.py::T::test_a": {"recorded-content": {"a": 2}},
        "t.py::T::test_b": {"recorded-content": {"b": 3}},
    }));

    let all = merged(vec![first, further]).map(Value::Object);
    assert_eq!(all, Some(json!({"test_a": {"a": 1}, "test_b": {"b": 3}})));
    assert_eq!(merged(Vec::new()), None);
}

/// The last of two patterns of one field counts.
#[test]
fn a_field_that_is_named_twice_is_judged_as_recorded() {
    for folder in folders() {
        let read = |file: &str| std::fs::read_to_string(folder.join("events/patterns").join(file));
        let event = read("complex_multi_key_event.json");
        if let (Ok(event), Ok(pattern)) = (event, read("complex_multi_key_event_pattern.json")) {
            assert_eq!(test(&event, &pattern), Ok(true));
        }
    }
}

/// Like `is_filled`, where `<` and `>` may also be operators.
fn is_filled_beside_signs(recorded: &str, answer: &str) -> bool {
    recorded == answer || is_filled(recorded, answer)
}

#[test]
fn what_is_no_pattern_or_no_event_is_refused_as_recorded() {
    const EVENT: &str = r#"{"id": "1", "source": "s", "detail-type": "d", "account": "1",
        "region": "r", "time": "2022-07-13T13:48:01Z", "detail": {"test": "test"}}"#;
    let Some(recorded) = snapshot(SNAPSHOT) else {
        return;
    };
    for (name, entries) in &recorded {
        let error = |entry: &str| {
            entries[entry]["Error"]["Message"]
                .as_str()
                .map(str::to_owned)
        };
        let pattern = name
            .strip_prefix("test_invalid_json_event_pattern[")
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(pattern) = pattern {
            let (_, message) = test(EVENT, pattern).unwrap_err();
            assert_eq!(Some(message), error("invalid-pattern"), "{name}");
        }
    }
    let pattern = r#"{"body": {"test2": [{"numeric": [">", 100]}]}}"#;
    for (name, entry, event) in [
        (
            "test_plain_string_payload",
            "plain-string-payload-exc",
            "plain string",
        ),
        (
            "test_array_event_payload",
            "array-event-payload-exc",
            r#"["plain string"]"#,
        ),
        (
            "test_invalid_event_payload",
            "plain-string-payload-exc",
            r#"{"testEvent": "value"}"#,
        ),
    ] {
        let (_, message) = test(event, pattern).unwrap_err();
        if let Some(entries) = recorded.get(name) {
            assert_eq!(message, entries[entry]["Error"]["Message"], "{name}");
        }
    }
}
