//! What a file lacks to be a task definition, by rules that are not taken from the product.

use serde_json::Value;

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

    let left = containers.iter().find(|container| {
        let image = text(container, "image");
        text(container, "name") != key && image != key && !is_image(image)
    });
    left.map_or_else(Vec::new, |container| {
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
