//! What a file lacks to be a task definition, by rules that are not taken from the product.

use behaviour::account;
use emulator::ecs;
use serde_json::{Value, json};

/// Parts of the reason for which the file is refused before ECS sees it; empty if it is not.
pub(crate) fn lacking(value: &Value, key: &str) -> Vec<String> {
    let definition = value.get("taskDefinition").unwrap_or(value);
    if !definition.is_object() {
        return parts(&["not an object", "\"family\""]);
    }

    let family = text(definition, "family");
    if family.is_empty() {
        return parts(&["`family`"]);
    }
    if !is_name(family) {
        return parts(&[&format!("`family` is `{family}`"), "letters, digits"]);
    }

    let containers = definition["containerDefinitions"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if containers.is_empty() {
        return parts(&["`containerDefinitions`"]);
    }
    for (at, container) in containers.iter().enumerate() {
        let field = format!("`containerDefinitions[{at}].");
        if !is_name(text(container, "name")) || text(container, "name").is_empty() {
            return parts(&[&format!("{field}name`")]);
        }
        if text(container, "image").is_empty() {
            return parts(&[&format!("{field}image`"), text(container, "name")]);
        }
    }

    let left = |is_right: fn(&str) -> bool| {
        containers.iter().find(|container| {
            let image = text(container, "image");
            text(container, "name") != key && image != key && !is_right(image)
        })
    };
    left(is_image)
        .or_else(|| left(can_exist))
        .map_or_else(Vec::new, |container| {
            parts(&[
                text(container, "name"),
                text(container, "image"),
                "expected",
            ])
        })
}

fn parts(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    name.len() <= 255 && name.chars().all(is_letter)
}

fn is_image(image: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_:./#@".contains(letter);
    image.chars().all(is_letter)
}

/// Whether a registry could have the image: its repository is in lower case and not the name of a
/// registry, and one in Amazon ECR has an account and a region.
fn can_exist(image: &str) -> bool {
    let (name, digest) = image.split_once('@').unwrap_or((image, ""));
    let is_digest = digest.is_empty() || digest.starts_with("sha256:") && digest.len() == 71;
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) => (host, path),
        _ => ("", name),
    };
    let repository = path.split(':').next().unwrap_or_default();
    let is_alone = repository.matches('.').count() > 1 || repository.ends_with(".io");
    let is_registry_alone = is_alone && !name.contains('/');
    let is_repository =
        !repository.is_empty() && !is_registry_alone && repository.to_lowercase() == repository;

    let is_registry = host.split_once(".dkr.ecr.").is_none_or(|(account, rest)| {
        let region = rest.split('.').next().unwrap_or_default();
        account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && region.ends_with(|c: char| c.is_ascii_digit())
    });
    is_digest && is_repository && is_registry && !image.contains("://")
}

/// The words with which Amazon ECS refuses a definition that is against one of these rules, as its
/// documentation and its known messages have them: the emulated ECS is not the only judge of what
/// is legal.
pub(crate) fn against_ecs(definition: &Value) -> Option<String> {
    let containers = definition["containerDefinitions"].as_array()?;
    let of_task = text(definition, "memory").parse::<u64>().ok();
    let has_own_ports = ["awsvpc", "host"].contains(&text(definition, "networkMode"));
    let is_mapped = |mapping: &Value| {
        let host = mapping["hostPort"].as_u64();
        host.is_some() && host != mapping["containerPort"].as_u64()
    };

    containers.iter().find_map(|container| {
        let memory = container["memory"].as_u64();
        let ports = container["portMappings"].as_array();
        if of_task.is_some_and(|of_task| memory.is_some_and(|memory| memory > of_task)) {
            let name = text(container, "name");
            Some(format!(
                "The 'memory' setting for container '{name}' is greater than for the task."
            ))
        } else if definition["memory"].is_null()
            && memory.is_none()
            && container["memoryReservation"].is_null()
        {
            Some("At least one of 'memory' or 'memoryReservation' must be specified.".to_owned())
        } else if has_own_ports && ports.into_iter().flatten().any(is_mapped) {
            Some("host ports and container ports in port mappings must match".to_owned())
        } else {
            None
        }
    })
}

#[test]
fn ecs_refuses_what_is_against_its_rules_in_its_words() {
    let container = json!({"name": "c", "image": "i", "memory": 64});
    let mut mapped = container.clone();
    mapped["portMappings"] = json!([{"containerPort": 80, "hostPort": 8080}]);

    for definition in [
        json!({"family": "f", "memory": "32", "containerDefinitions": [container]}),
        json!({"family": "f", "containerDefinitions": [{"name": "c", "image": "i"}]}),
        json!({"family": "f", "networkMode": "host", "containerDefinitions": [mapped]}),
    ] {
        let words = against_ecs(&definition).expect("against a rule");
        let refused = ecs::call(&mut account(), "RegisterTaskDefinition", &definition);
        let refusal = refused.expect_err("ECS refuses it").message;
        assert!(refusal.contains(&words), "{refusal} instead of {words}");
    }

    let legal = json!({"family": "f", "containerDefinitions": [container]});
    assert_eq!(against_ecs(&legal), None);
}
