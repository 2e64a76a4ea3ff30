//! Event patterns: what TestEventPattern returned.
//!
//! A file `X.json5` has an event and a pattern that match, `X_NEG.json5` two that do not, and the
//! pattern of `X_EXC.json5` was refused.

use serde_json::{Value, json};

use super::{folders, is_filled, snapshot};
use crate::{Aws, eventbridge};

const SNAPSHOT: &str = "events/test_events_patterns.snapshot.json";

/// How many patterns the corpus has with events of their own; more may be added to it.
const PATTERNS: usize = 102;

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

#[test]
fn event_patterns_are_judged_as_recorded() {
    let Some(recorded) = snapshot(SNAPSHOT) else {
        return;
    };
    let mut judged = 0;
    let mut differences = Vec::new();
    let folders = folders()
        .into_iter()
        .map(|folder| folder.join("events/patterns"));
    for path in folders
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
    {
        let path = path.expect("a readable folder").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let name = stem.unwrap_or_default();
        if path
            .extension()
            .is_none_or(|extension| extension != "json5")
        {
            continue;
        }

        let case = json5(&std::fs::read_to_string(&path).expect("a readable file"));
        let answer = test(&python(&case["Event"]), &python(&case["EventPattern"]));
        let Some(entries) = recorded.get(&format!("test_event_pattern[{name}]")) else {
            differences.push(format!("{name}: not recorded"));
            continue;
        };
        let refusal = &entries[name]["exception_message"]["Error"];
        let agrees = match &answer {
            Ok(matches) => !name.ends_with("_EXC") && *matches != name.ends_with("_NEG"),
            Err((code, message)) => {
                let recorded = refusal["MessageRaw"].as_str().unwrap_or_default();
                refusal["Code"] == **code && is_filled_beside_signs(recorded, message)
            }
        };
        judged += 1;
        if !agrees {
            differences.push(format!("{name}: {answer:?}, and AWS has {refusal}"));
        }
    }
    eprintln!("{judged} event patterns judged");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(
        judged >= PATTERNS,
        "{judged} event patterns beside {SNAPSHOT}, expected {PATTERNS} at least"
    );
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
        assert_eq!(message, recorded[name][entry]["Error"]["Message"], "{name}");
    }
}
