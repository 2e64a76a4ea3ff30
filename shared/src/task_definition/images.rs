//! Which image goes into which container, from parameters and from the files of build stages.

use std::collections::BTreeMap;

use serde_json::Value;

use super::definition::TaskDefinition;
use crate::image::ImageReference;
use crate::json;
use crate::limits::IMAGE_CHARS;
use crate::redaction::without_signatures;

/// The names of a definition's containers, with their images.
#[must_use]
pub fn container_images(definition: &TaskDefinition) -> Vec<(String, String)> {
    definition
        .containers()
        .map(|container| (text(container, "name"), text(container, "image")))
        .collect()
}

/// What a release makes of its base. What runs can be pulled, but a file may never have run, so
/// that its other images are checked too.
///
/// # Errors
/// As [`set_images`], if an image is longer than ECS takes, and of a file as [`check_images`].
pub fn with_images(
    base: &TaskDefinition,
    images: &BTreeMap<String, String>,
    is_file: bool,
) -> Result<TaskDefinition, String> {
    let wanted = set_images(base, images)?;
    check_lengths(&wanted)?;
    if is_file {
        check_images(&wanted)?;
    }
    Ok(wanted)
}

/// Sets the images of containers. A key is a container's name, or a placeholder, which sets every
/// container that has it.
///
/// # Errors
/// If a key fits no container, or an image stays that ECS would refuse.
pub fn set_images(
    definition: &TaskDefinition,
    images: &BTreeMap<String, String>,
) -> Result<TaskDefinition, String> {
    let mut changed = definition.clone();
    let mut used = Vec::new();

    if let Some(Value::Array(containers)) = changed.0.get_mut("containerDefinitions") {
        for container in containers {
            used.extend(set_image(container, images)?);
        }
    }

    match images.keys().find(|key| !used.contains(key)) {
        Some(key) => {
            let names: Vec<_> = definition.container_names().collect();
            Err(format!(
                "an image is given for container `{key}`, which is not in task definition `{}`; \
                 expected one of: {}",
                definition.family(),
                names.join(", ")
            ))
        }
        None => Ok(changed),
    }
}

/// Checks all images of a definition that may never have run: Amazon ECS registers what it cannot
/// pull.
///
/// # Errors
/// If no registry could have the image of a container.
pub fn check_images(definition: &TaskDefinition) -> Result<(), String> {
    container_images(definition)
        .iter()
        .try_for_each(|(name, image)| match ImageReference::parse(image) {
            Ok(_) => Ok(()),
            Err(why) => Err(format!(
                "container `{name}` has the image `{}`, which cannot be pulled: {why}; correct the \
                 task definition, or set `{name}` in `images`",
                without_signatures(image)
            )),
        })
}

/// Refuses an image that ECS refuses for its length.
fn check_lengths(definition: &TaskDefinition) -> Result<(), String> {
    let mut images = container_images(definition).into_iter();
    match images.find(|(_, image)| image.len() > IMAGE_CHARS) {
        Some((name, image)) => Err(format!(
            "the image of container `{name}` has {} characters; expected at most {IMAGE_CHARS}, \
             with the digest that takes the place of a tag; give its repository a shorter name",
            image.len()
        )),
        None => Ok(()),
    }
}

/// Sets the image of one container, and returns the key that it was found by.
fn set_image<'a>(
    container: &mut Value,
    images: &'a BTreeMap<String, String>,
) -> Result<Option<&'a String>, String> {
    let name = text(container, "name");
    let current = text(container, "image");
    let found = [&name, &current]
        .into_iter()
        .find_map(|key| images.get_key_value(key));

    match found {
        Some((key, image)) => {
            container["image"] = Value::String(image.clone());
            drop_placeholder_fields(container);
            Ok(Some(key))
        }
        None if is_placeholder(&current) => Err(format!(
            "container `{name}` has the placeholder {current}; expected `{name}` or `{current}` \
             in `images`"
        )),
        None if !current.chars().all(is_image_letter) => Err(format!(
            "container `{name}` has the image `{}`; expected letters, digits and -_:./#@; correct \
             the task definition, or set `{name}` in `images`",
            without_signatures(&current)
        )),
        None => Ok(None),
    }
}

fn text(container: &Value, field: &str) -> String {
    container
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Whether an image is a placeholder of a template, such as `<IMAGE1_NAME>`.
fn is_placeholder(image: &str) -> bool {
    image.starts_with('<') && image.ends_with('>')
}

/// The letters that ECS allows in an image, and `@` before a digest
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).
fn is_image_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_:./#@".contains(letter)
}

/// Label with the fields that only a placeholder image needs, such as the `command` that makes it
/// pass health checks (`infra/service.yaml`). They are removed with the placeholder image.
const PLACEHOLDER_LABEL: &str = "slipway.placeholder";

fn drop_placeholder_fields(container: &mut Value) {
    let Some(container) = container.as_object_mut() else {
        return;
    };

    let Some(labels) = container
        .get_mut("dockerLabels")
        .and_then(Value::as_object_mut)
    else {
        return;
    };

    let Some(Value::String(fields)) = labels.remove(PLACEHOLDER_LABEL) else {
        return;
    };

    if labels.is_empty() {
        container.remove("dockerLabels");
    }

    for field in fields.split(',') {
        container.remove(field.trim());
    }
}

/// Parses `imagedefinitions.json`: `[{"name": <container>, "imageUri": <image>}, …]`. A refusal
/// names the place and quotes no value: the file can be another one, by mistake.
///
/// # Errors
/// If the file has another form, is empty, or names a container or a key twice.
pub fn parse_image_definitions(text: &[u8]) -> Result<BTreeMap<String, String>, String> {
    const EXPECTED: &str = "expected [{\"name\": <container>, \"imageUri\": <image>}, …]";

    let value = json::parse(text, EXPECTED)?;
    if value.get("ImageURI").is_some() {
        return Err(format!(
            "the file has the image of an imageDetail.json; {EXPECTED}; such a file is given in \
             `images`"
        ));
    }

    let entries = value
        .as_array()
        .ok_or_else(|| format!("the file is not a list; {EXPECTED}"))?;
    if entries.is_empty() {
        return Err("the list is empty; expected one entry or more".to_owned());
    }

    let mut images = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let member = |name: &str| {
            let text = entry.get(name).and_then(Value::as_str);
            text.map(ToOwned::to_owned)
                .ok_or_else(|| format!("`[{at}].{name}` is missing or not a string; {EXPECTED}"))
        };

        if images
            .insert(member("name")?, member("imageUri")?)
            .is_some()
        {
            return Err("a container is named twice; expected one entry per container".to_owned());
        }
    }
    Ok(images)
}

/// Parses the image of an `imageDetail.json`, which ECR source actions and builds write.
///
/// # Errors
/// If it has no `ImageURI`, or a key twice.
pub fn parse_image_detail(text: &[u8]) -> Result<String, String> {
    const EXPECTED: &str = "expected {\"ImageURI\": <image>}";

    let value = json::parse(text, EXPECTED)?;
    if value.is_array() {
        return Err(format!(
            "the file is a list; {EXPECTED}; a list of containers and images is given as \
             `imagedefinitions`"
        ));
    }

    value
        .get("ImageURI")
        .and_then(Value::as_str)
        .map(ToOwned::to_owned)
        .ok_or_else(|| format!("`ImageURI` is missing or not a string; {EXPECTED}"))
}
