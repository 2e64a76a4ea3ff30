//! Recorded outputs of `docker inspect`: the references in them are read as Docker wrote them,
//! their variables and commands are redacted, and given as another file they are refused without
//! repeating a value.
//!
//! `SLIPWAY_CORPUS` names folders with a folder `docker-inspect`, whose files are used besides the
//! project's own examples.

use behaviour::corpus;
use serde_json::{Value, json};
use slipway::image::{ImageReference, is_digest};
use slipway::limits::SECRET_CHARS;
use slipway::redaction::WORDS;
use slipway::task_definition::{TaskDefinition, parse_image_definitions, parse_image_detail};
use slipway::text;

const OWN: &str = "../sandbox/examples/docker-inspect";

/// The files, each with its bytes and what it describes: containers or images.
fn answers() -> Vec<(String, Vec<u8>, Vec<Value>)> {
    let read = |file: &std::path::PathBuf| {
        let bytes = std::fs::read(file).expect("a file that can be read");
        let text = text::utf8(&bytes).expect("a text").into_owned();
        let items = match serde_json::from_slice(&text).expect("JSON") {
            Value::Array(items) => items,
            item => vec![item],
        };
        (file.display().to_string(), text, items)
    };
    corpus::files("docker-inspect", OWN)
        .iter()
        .map(read)
        .collect()
}

fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

/// Names and values of the variables.
fn variables(item: &Value) -> Vec<(&str, &str)> {
    let all = texts(&item["Config"]["Env"]).into_iter();
    all.filter_map(|variable| variable.split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[test]
fn references_are_read_as_docker_wrote_them() {
    let mut read = 0;
    for (name, _, items) in answers() {
        for item in &items {
            for text in texts(&item["RepoDigests"]) {
                let found = ImageReference::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert!(
                    found.digest.as_deref().is_some_and(is_digest),
                    "{name}: {text}"
                );
                assert_eq!(found.to_string(), text, "{name}");
                read += 1;
            }

            // An image without a name is `<none>:<none>`.
            for text in texts(&item["RepoTags"]) {
                let found = ImageReference::parse(text);
                assert_eq!(found.is_err(), text.contains('<'), "{name}: {text}");
                if let Ok(found) = found {
                    assert!(found.tag.is_some(), "{name}: {text}");
                    assert_eq!(found.to_string(), text, "{name}");
                }
                read += 1;
            }
        }
    }
    println!("{read} references");
}

#[test]
fn given_as_another_file_they_are_refused_without_a_value() {
    for (name, text, items) in answers() {
        let refusals = [
            parse_image_definitions(&text).expect_err("another form"),
            parse_image_detail(&text).expect_err("another form"),
            TaskDefinition::parse(&text).expect_err("another form"),
        ];
        for refusal in &refusals {
            let values = items.iter().flat_map(variables).map(|(_, value)| value);
            let repeated = values
                .filter(|value| value.len() >= SECRET_CHARS)
                .find(|value| refusal.contains(value));
            assert_eq!(repeated, None, "{name}: {refusal}");
        }
        assert!(refusals[0].contains("expected"), "{name}: {}", refusals[0]);
        assert!(refusals[1].contains("expected"), "{name}: {}", refusals[1]);
    }
}

#[test]
fn values_of_variables_are_redacted_and_their_names_are_kept() {
    for (file, _, items) in answers() {
        for item in &items {
            let variables = variables(item);
            let environment: Vec<Value> = variables
                .iter()
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect();
            let mut command = vec![item["Path"].as_str().unwrap_or("run")];
            command.extend(texts(&item["Args"]));
            let definition = json!({"family": "f", "containerDefinitions": [{
                "name": "c", "image": "i", "environment": environment, "command": command,
            }]});
            let definition = TaskDefinition::from_value(definition).expect("a task definition");

            let lines: String = variables
                .iter()
                .map(|(name, value)| format!("{name}={value}\n"))
                .collect();
            let redacted = definition.redacted(&format!("{} failed\n{lines}", command[0]));
            assert!(redacted.starts_with(command[0]), "{file}: {redacted}");
            for (name, value) in &variables {
                assert!(redacted.contains(&format!("{name}=")), "{file}: {redacted}");
                let is_shown = redacted.contains(&format!("{name}={value}\n"));
                assert!(
                    !is_shown || may_be_shown(value, &variables),
                    "{file}: {redacted}"
                );
            }
        }
    }
}

/// Whether a value is too short, a word of ECS, a region, or whole parts of the name of a variable.
fn may_be_shown(value: &str, variables: &[(&str, &str)]) -> bool {
    let parted = |text: &str| format!("_{}_", text.replace(['/', ':', '-', '.', '@'], "_"));

    value.len() < SECRET_CHARS
        || WORDS.contains(&value)
        || is_region(value)
        || variables
            .iter()
            .any(|(name, _)| parted(name).contains(&parted(value)))
}

/// Whether a value has the form of the regions of AWS: `eu-west-1`, `us-gov-east-1`.
fn is_region(value: &str) -> bool {
    const AREAS: [&str; 11] = [
        "af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us",
    ];
    let parts: Vec<&str> = value.split('-').collect();

    AREAS.contains(&parts[0])
        && matches!(parts.len(), 3 | 4)
        && parts.last().is_some_and(|last| last.len() == 1)
}
