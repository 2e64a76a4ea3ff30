//! Which image goes into which container, from parameters and from the files that build stages write.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::TaskDefinition;

/// Whether an image is a template's stand-in for one, such as `<IMAGE1_NAME>`.
fn is_placeholder(image: &str) -> bool {
    image.starts_with('<') && image.ends_with('>')
}

/// Container names with the images that a definition gives them.
#[must_use]
pub fn container_images(definition: &TaskDefinition) -> Vec<(String, String)> {
    let text = |container: &Value, field: &str| {
        container
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    definition
        .containers()
        .map(|container| (text(container, "name"), text(container, "image")))
        .collect()
}

/// Puts images into containers. A key is a container's name, or a placeholder, which fills every container that has it.
///
/// # Errors
/// Names the key that fits no container, with the containers there are, or the placeholder that nothing fills.
pub fn set_images(
    definition: &TaskDefinition,
    images: &BTreeMap<String, String>,
) -> Result<TaskDefinition, String> {
    let mut changed = definition.clone();
    let mut used = Vec::new();
    if let Some(Value::Array(containers)) = changed.0.get_mut("containerDefinitions") {
        for container in containers {
            let text = |field: &str| {
                container
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let (name, current) = (text("name"), text("image"));
            let key = [&name, &current]
                .into_iter()
                .find(|key| images.contains_key(*key))
                .cloned();
            match key {
                Some(key) => {
                    container["image"] = Value::String(images[&key].clone());
                    drop_placeholder_fields(container);
                    used.push(key);
                }
                None if is_placeholder(&current) => {
                    return Err(format!(
                        "container `{name}` has the placeholder {current}, and `images` fills neither `{name}` nor `{current}`; add one of them"
                    ));
                }
                None if !current.chars().all(is_image_letter) => {
                    return Err(format!(
                        "container `{name}` keeps the image `{current}`, which Amazon ECS refuses; legal: letters, digits and -_:./#@; correct the task definition, or give `{name}` an image in `images`"
                    ));
                }
                None => {}
            }
        }
    }
    match images.keys().find(|key| !used.contains(key)) {
        Some(key) => {
            let names = definition.container_names().collect::<Vec<_>>().join(", ");
            Err(format!(
                "`images` names container `{key}`, which the task definition `{}` does not have; legal: {names}; correct the name",
                definition.family()
            ))
        }
        None => Ok(changed),
    }
}

/// What Amazon ECS takes in an image, and the sign before a digest
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).
fn is_image_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_:./#@".contains(letter)
}

/// Label of a placeholder container that names the fields which belong to the placeholder image alone, such as the `command`
/// that makes it answer health checks (`infra/service.yaml`). They go when the first real image comes.
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

#[derive(Deserialize)]
struct ImageDefinition {
    name: String,
    #[serde(rename = "imageUri")]
    image_uri: String,
}

/// Reads `imagedefinitions.json`: `[{"name": <container>, "imageUri": <image>}, …]`.
///
/// # Errors
/// Says what the file lacks.
pub fn image_definitions(text: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let all: Vec<ImageDefinition> = serde_json::from_slice(text).map_err(|e| {
        format!("{e}; legal: [{{\"name\": <container>, \"imageUri\": <image>}}, …]")
    })?;
    let count = all.len();
    let images: BTreeMap<_, _> = all
        .into_iter()
        .map(|image| (image.name, image.image_uri))
        .collect();
    match (count, images.len()) {
        (0, _) => Err("it names no image; legal: one entry or more".to_owned()),
        (all, distinct) if all != distinct => {
            Err("it names a container twice; legal: one entry a container".to_owned())
        }
        _ => Ok(images),
    }
}

/// Reads the image of an `imageDetail.json`, which ECR source actions and builds write.
///
/// # Errors
/// When it has no `ImageURI`.
pub fn image_detail(text: &[u8]) -> Result<String, String> {
    let value: Value = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    let image = value.get("ImageURI").and_then(Value::as_str);
    image
        .map(ToOwned::to_owned)
        .ok_or_else(|| "`ImageURI` is missing or no text".to_owned())
}
