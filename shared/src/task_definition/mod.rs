//! Task definitions as opaque JSON: only the images are changed and only the read-only fields dropped, so a field that this
//! code has never heard of survives.

mod compare;
mod images;

use serde_json::{Map, Value};

pub use compare::same;
pub use images::{container_images, image_definitions, image_detail, set_images};

use crate::limits::{NAME_CHARS, TASK_DEFINITION_BYTES};

/// Fields that DescribeTaskDefinition answers and RegisterTaskDefinition does not take
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html).
const READ_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// A task definition that can be registered: it has a family and containers with names and images.
#[derive(Clone, PartialEq)]
pub struct TaskDefinition(Map<String, Value>);

impl std::fmt::Debug for TaskDefinition {
    /// Shows the family alone: environment variables and options can hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TaskDefinition({})", self.family())
    }
}

impl TaskDefinition {
    /// Reads the text of a `taskdef.json`.
    ///
    /// # Errors
    /// Says where the text is not JSON or what a task definition lacks; never quotes values, which can be secrets.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let value = serde_json::from_slice(text).map_err(|e| format!("not JSON: {e}"))?;
        Self::from_value(value)
    }

    /// Takes a task definition out of JSON: as written by a person, as described (`{"taskDefinition": {…}}`), or bare.
    ///
    /// # Errors
    /// Says what it lacks.
    pub fn from_value(value: Value) -> Result<Self, String> {
        let Value::Object(mut fields) = value else {
            return Err(
                "not an object; a task definition is {\"family\": …, \"containerDefinitions\": [ … ]}".to_owned()
            );
        };
        if let Some(Value::Object(inner)) = fields.get("taskDefinition") {
            let mut inner = inner.clone();
            if let Some(tags) = fields.get("tags") {
                inner.insert("tags".to_owned(), tags.clone());
            }
            fields = inner;
        }
        fields.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        if fields
            .get("family")
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
        {
            return Err("`family` is missing or no text".to_owned());
        }
        check_name(
            "family",
            fields
                .get("family")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )?;
        let definition = Self(fields);
        definition.check_containers()?;
        match definition.text().len() {
            0..=TASK_DEFINITION_BYTES => Ok(definition),
            bytes => Err(format!(
                "it has {bytes} bytes; legal: {TASK_DEFINITION_BYTES} at most"
            )),
        }
    }

    fn check_containers(&self) -> Result<(), String> {
        let containers = self
            .0
            .get("containerDefinitions")
            .and_then(Value::as_array)
            .filter(|all| !all.is_empty());
        let containers =
            containers.ok_or("`containerDefinitions` is missing, empty or no array")?;
        let mut names = Vec::new();
        for (at, container) in containers.iter().enumerate() {
            let text = |field: &str| {
                container
                    .get(field)
                    .and_then(Value::as_str)
                    .filter(|text| !text.is_empty())
            };
            let name = text("name").ok_or_else(|| {
                format!("`containerDefinitions[{at}].name` is missing or no text")
            })?;
            check_name(&format!("containerDefinitions[{at}].name"), name)?;
            text("image").ok_or_else(|| {
                format!(
                    "`containerDefinitions[{at}].image` (container `{name}`) is missing or no text"
                )
            })?;
            if names.contains(&name) {
                return Err(format!(
                    "`containerDefinitions[{at}].name`: `{name}` is there twice"
                ));
            }
            names.push(name);
        }
        Ok(())
    }

    #[must_use]
    pub fn family(&self) -> &str {
        self.0
            .get("family")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The JSON that RegisterTaskDefinition is sent.
    #[must_use]
    pub fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// The containers, in order. Never empty.
    pub fn containers(&self) -> impl Iterator<Item = &Value> {
        self.0
            .get("containerDefinitions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    pub fn container_names(&self) -> impl Iterator<Item = &str> {
        self.containers()
            .filter_map(|container| container.get("name").and_then(Value::as_str))
    }

    /// Whether a task holds a fixed port of its instance, so that an instance takes only one such task. In `awsvpc` mode a
    /// task has an address of its own; in `host` mode every container port is a port of the instance.
    #[must_use]
    pub fn static_host_port(&self) -> Option<u64> {
        let mode = self
            .0
            .get("networkMode")
            .and_then(Value::as_str)
            .unwrap_or("bridge");
        let field = match mode {
            "bridge" => "hostPort",
            "host" => "containerPort",
            _ => return None,
        };
        let mappings = self
            .containers()
            .filter_map(|c| c.get("portMappings").and_then(Value::as_array))
            .flatten();
        mappings
            .filter_map(|mapping| mapping.get(field).and_then(Value::as_u64))
            .find(|port| *port != 0)
    }

    /// Values of the containers' environment variables, which no message may quote.
    pub fn environment_values(&self) -> impl Iterator<Item = &str> {
        let variables = self
            .containers()
            .filter_map(|c| c.get("environment").and_then(Value::as_array))
            .flatten();
        variables.filter_map(|variable| variable.get("value").and_then(Value::as_str))
    }

    /// The same definition in another family.
    #[must_use]
    pub fn in_family(mut self, family: &str) -> Self {
        self.0
            .insert("family".to_owned(), Value::String(family.to_owned()));
        self
    }

    /// Takes over the tags of `other` when there are none of its own: infrastructure owns them.
    #[must_use]
    pub fn with_tags_of(mut self, other: &Self) -> Self {
        let has_tags = self
            .0
            .get("tags")
            .and_then(Value::as_array)
            .is_some_and(|tags| !tags.is_empty());
        if let Some(tags) = other.0.get("tags").filter(|_| !has_tags) {
            self.0.insert("tags".to_owned(), tags.clone());
        }
        self
    }
}

/// Amazon ECS takes the same letters in families and in names of containers
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html).
fn check_name(field: &str, name: &str) -> Result<(), String> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    match name.len() <= NAME_CHARS && name.chars().all(legal) {
        true => Ok(()),
        false => Err(format!(
            "`{field}` is `{name}`; legal: up to {NAME_CHARS} letters, digits, hyphens and underscores"
        )),
    }
}

#[cfg(test)]
mod tests;
