//! One task definition: how it is read and checked, and its properties.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::read_members::check_read_members;
use super::refused::{is_reserved, remove_empty};
use super::types;
use crate::json;
use crate::limits::{NAME_CHARS, TASK_DEFINITION_BYTES};
use crate::text::utf8;

/// Fields that DescribeTaskDefinition returns and RegisterTaskDefinition does not accept
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html).
pub(super) const READ_ONLY: [&str; 9] = [
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

/// A task definition that can be registered: it has a family, and containers with names and images.
#[derive(Clone, PartialEq)]
pub struct TaskDefinition(pub(super) Map<String, Value>);

impl std::fmt::Debug for TaskDefinition {
    /// Shows only the family: environment variables and options can hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TaskDefinition({})", self.family())
    }
}

impl TaskDefinition {
    /// Reads the text of a `taskdef.json`.
    ///
    /// # Errors
    /// If the text is not JSON, an object has a key twice, or it is not a task definition.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let text = utf8(text)?;
        let value = json::parse(&text, "expected a JSON object without comments")?;
        Self::from_value(value)
    }

    /// Takes a task definition from JSON: written by hand, as described
    /// (`{"taskDefinition": {…}, "tags": […]}`), or bare. What RegisterTaskDefinition does not
    /// accept and a description has is left out: read-only fields, empty members, and tags that AWS
    /// keeps for itself.
    ///
    /// # Errors
    /// If a required field is missing or invalid.
    pub fn from_value(value: Value) -> Result<Self, String> {
        let Value::Object(fields) = value else {
            return Err("not an object; expected {\"family\": …, \
                        \"containerDefinitions\": [ … ]}"
                .to_owned());
        };

        let mut fields = unwrapped(fields);
        fields.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        let mut definition = Self(fields).retain_tags(|key| !is_reserved(key));
        remove_empty(&mut definition.0);

        if definition.family().is_empty() {
            return Err(format!(
                "`family` is missing or not a string; expected a non-empty string{}",
                hint(&definition.0)
            ));
        }

        check_name("family", definition.family())?;
        definition.check_containers()?;
        check_read_members(&definition.0)?;
        Ok(definition)
    }

    /// Checks the size of what is to be sent. What ECS describes can be larger than what it
    /// accepts, because it fills defaults in.
    ///
    /// # Errors
    /// If it is too large.
    pub(super) fn check_size(&self) -> Result<(), String> {
        match self.text().len() {
            0..=TASK_DEFINITION_BYTES => Ok(()),
            bytes => Err(format!(
                "the task definition has {bytes} bytes; expected at most {TASK_DEFINITION_BYTES}"
            )),
        }
    }

    /// The members of other types than ECS expects, each with both types.
    #[must_use]
    pub fn wrong_types(&self) -> Vec<String> {
        types::wrong_types(&self.0)
    }

    fn check_containers(&self) -> Result<(), String> {
        if self.containers().next().is_none() {
            return Err("`containerDefinitions` is missing, empty or not an array".to_owned());
        }

        let mut names = Vec::new();
        for (at, container) in self.containers().enumerate() {
            let field = format!("containerDefinitions[{at}]");
            let text = |member: &str| {
                container
                    .get(member)
                    .and_then(Value::as_str)
                    .filter(|text| !text.is_empty())
            };

            let name = text("name").ok_or_else(|| {
                format!("`{field}.name` is missing or not a string; expected a non-empty string")
            })?;
            check_name(&format!("{field}.name"), name)?;
            text("image").ok_or_else(|| {
                format!(
                    "`{field}.image` (container `{name}`) is missing or not a string; expected a \
                     non-empty string"
                )
            })?;

            if names.contains(&name) {
                return Err(format!(
                    "`{field}.name` is `{name}`; expected a unique name"
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

    /// The JSON that is sent to RegisterTaskDefinition.
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

    /// The network mode of its tasks: without one they are on the bridge of their instance, and on
    /// Amazon ECS Managed Instances they have an address of their own. `None` for Fargate without
    /// one, which ECS does not register
    /// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html and
    /// AmazonECS/latest/developerguide/task_definition_parameters-managed-instances.html).
    #[must_use]
    pub fn network_mode(&self) -> Option<&str> {
        let stated = self.0.get("networkMode").and_then(Value::as_str);
        let absent = if self.is_for_managed_instances() {
            "awsvpc"
        } else {
            "bridge"
        };
        stated.or_else(|| (!self.is_for_fargate()).then_some(absent))
    }

    /// The fixed ports of the instance that a task needs, with their protocols: an instance runs
    /// only one such task. In `awsvpc` mode a task has an address of its own; in `host` mode every
    /// container port is a port of the instance. On Fargate no instance is the user's; what is not
    /// UDP is TCP (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html).
    #[must_use]
    pub fn static_host_ports(&self) -> BTreeSet<(u64, &str)> {
        let field = match self.network_mode() {
            Some("bridge") => "hostPort",
            Some("host") => "containerPort",
            _ => return BTreeSet::new(),
        };

        let mappings = self
            .containers()
            .filter_map(|c| c.get("portMappings").and_then(Value::as_array))
            .flatten();
        mappings
            .filter_map(|mapping| {
                let port = mapping.get(field).and_then(Value::as_u64)?;
                let protocol = mapping.get("protocol").and_then(Value::as_str);
                let protocol = protocol.filter(|protocol| *protocol == "udp");
                (port != 0).then_some((port, protocol.unwrap_or("tcp")))
            })
            .collect()
    }

    /// Whether an instance that runs a task of this definition has no port left for a task of
    /// the other one.
    #[must_use]
    pub fn shares_static_port(&self, other: &Self) -> bool {
        let held = self.static_host_ports();
        let mut needed = other.static_host_ports().into_iter();
        needed.any(|port| held.contains(&port))
    }

    /// Whether a container of this name maps a port. A range of ports may have it.
    #[must_use]
    pub fn maps_port(&self, container: &str, port: u64) -> bool {
        let named = self.containers().find(|found| found["name"] == container);
        let mappings = named.and_then(|found| found.get("portMappings")?.as_array());

        mappings.into_iter().flatten().any(|mapping| {
            mapping["containerPort"].as_u64() == Some(port)
                || mapping["containerPortRange"].is_string()
        })
    }

    /// Whether a port mapping of any container has this name.
    #[must_use]
    pub fn names_port(&self, name: &str) -> bool {
        let mut mappings = self
            .containers()
            .filter_map(|container| container.get("portMappings")?.as_array())
            .flatten();
        mappings.any(|mapping| mapping["name"] == name)
    }

    /// Whether it has a volume of this name, and leaves its configuration to the service.
    #[must_use]
    pub fn leaves_volume(&self, name: &str) -> bool {
        let volumes = self.0.get("volumes").and_then(Value::as_array);
        let mut volumes = volumes.into_iter().flatten();
        volumes.any(|volume| volume["name"] == name && volume["configuredAtLaunch"] == true)
    }

    /// The architecture of the images that its tasks run, as the index of an image names it.
    /// Without a platform it is x86-64 on Fargate, and on instances it is theirs
    /// (repost.aws/knowledge-center/ecs-task-exec-format-error).
    #[must_use]
    pub fn architecture(&self) -> Option<&'static str> {
        let platform = self.0.get("runtimePlatform");
        let stated = platform.and_then(|platform| platform.get("cpuArchitecture"));

        match stated.and_then(Value::as_str) {
            Some("ARM64") => Some("arm64"),
            Some("X86_64") => Some("amd64"),
            Some(_) => None,
            None => Self::is_for_fargate(self).then_some("amd64"),
        }
    }

    /// Whether it requires that Fargate can run its tasks.
    #[must_use]
    pub fn is_for_fargate(&self) -> bool {
        self.requires("FARGATE")
    }

    /// Whether it requires that Amazon ECS Managed Instances can run its tasks.
    pub(super) fn is_for_managed_instances(&self) -> bool {
        self.requires("MANAGED_INSTANCES")
    }

    fn requires(&self, compatibility: &str) -> bool {
        let required = self.0.get("requiresCompatibilities");
        required
            .and_then(Value::as_array)
            .is_some_and(|required| required.iter().any(|one| one == compatibility))
    }

    /// The operating system of its tasks. Without a platform it is Linux on Fargate, and on
    /// instances it is theirs
    /// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html and
    /// AmazonECS/latest/developerguide/fargate-tasks-services.html).
    pub(super) fn operating_system(&self) -> Option<&str> {
        let platform = self.0.get("runtimePlatform");
        let stated = platform.and_then(|platform| platform.get("operatingSystemFamily"));
        let stated = stated.and_then(Value::as_str);
        stated.or_else(|| self.requires("FARGATE").then_some("LINUX"))
    }

    /// The same definition in another family.
    #[must_use]
    pub fn in_family(mut self, family: &str) -> Self {
        self.0
            .insert("family".to_owned(), Value::String(family.to_owned()));
        self
    }

    /// The same with the tags of `other`, if it has none of its own: tags belong to the
    /// infrastructure.
    #[must_use]
    pub(super) fn with_tags_of(mut self, other: &Self) -> Self {
        if let Some(tags) = other.0.get("tags").filter(|_| self.tags().is_empty()) {
            self.0.insert("tags".to_owned(), tags.clone());
        }
        self
    }

    pub(super) fn tags(&self) -> &[Value] {
        self.0
            .get("tags")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The value of a tag.
    pub(super) fn tag(&self, key: &str) -> Option<&str> {
        let tag = self.tags().iter().find(|tag| tag["key"] == key)?;
        tag["value"].as_str()
    }

    /// The same with the tags whose keys are to be kept. A list that is empty then is left out,
    /// since ECS refuses it ("Tags can not be empty.", github.com/fabfuel/ecs-deploy/issues/146).
    #[must_use]
    pub(super) fn retain_tags(mut self, keep: impl Fn(&str) -> bool) -> Self {
        if let Some(Value::Array(tags)) = self.0.get_mut("tags") {
            tags.retain(|tag| tag["key"].as_str().is_none_or(&keep));
            if tags.is_empty() {
                self.0.shift_remove("tags");
            }
        }
        self
    }
}

/// The definition inside a response of DescribeTaskDefinition, with the tags beside it; anything
/// else is returned unchanged.
fn unwrapped(fields: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(inner)) = fields.get("taskDefinition") else {
        return fields;
    };

    let mut inner = inner.clone();
    if let Some(tags) = fields.get("tags") {
        inner.insert("tags".to_owned(), tags.clone());
    }
    inner
}

/// What an object that is not a task definition may be: members of templates of CloudFormation
/// begin with a capital letter (docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference).
fn hint(fields: &Map<String, Value>) -> String {
    const OF_TEMPLATES: [&str; 4] = ["ContainerDefinitions", "Family", "Properties", "Resources"];

    let found = OF_TEMPLATES.iter().find(|name| fields.contains_key(**name));
    found.map_or_else(String::new, |name| {
        format!(
            "; `{name}` is of AWS CloudFormation: give what RegisterTaskDefinition takes, with \
             `family` and `containerDefinitions`"
        )
    })
}

/// Checks a family or a container's name, for which ECS has the same rule
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html).
fn check_name(field: &str, name: &str) -> Result<(), String> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);

    if name.len() <= NAME_CHARS && name.chars().all(allowed) {
        Ok(())
    } else {
        Err(format!(
            "`{field}` is `{name}`; expected up to {NAME_CHARS} letters, digits, hyphens and \
             underscores"
        ))
    }
}
