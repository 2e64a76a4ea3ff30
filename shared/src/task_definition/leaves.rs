//! A task definition as its leaves, each under its path, so that two of them can be compared: the
//! items of a list without an order stand under their names, and what ECS fills in is known.
//!
//! Never complete: ECS does not document all that it fills in. So no release decides by it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definition::TaskDefinition;

/// The names of the members and items above a leaf, and its own.
pub(super) type MemberPath = Vec<String>;

/// Lists whose order has no meaning, with the members that name an item.
const KEYS: [(&str, &[&str]); 19] = [
    ("containers", &["name"]),
    ("dependsOn", &["containerName"]),
    ("devices", &["hostPath"]),
    ("environment", &["name"]),
    ("extraHosts", &["hostname"]),
    ("inferenceAccelerators", &["deviceName"]),
    ("mountPoints", &["containerPath"]),
    ("placementConstraints", &["type", "expression"]),
    (
        "portMappings",
        &["containerPort", "containerPortRange", "protocol"],
    ),
    ("properties", &["name"]),
    ("resourceRequirements", &["type"]),
    ("secretOptions", &["name"]),
    ("secrets", &["name"]),
    ("systemControls", &["namespace"]),
    ("tags", &["key"]),
    ("tmpfs", &["containerPath"]),
    ("ulimits", &["name"]),
    ("volumes", &["name"]),
    ("volumesFrom", &["sourceContainer"]),
];

/// Lists of words whose order has no meaning.
const SETS: [&str; 3] = ["add", "drop", "requiresCompatibilities"];

/// Lists that replace those of the image also when they are empty. ECS describes any other list
/// that was not given as an empty one.
const OF_IMAGE: [&str; 2] = ["command", "entryPoint"];

/// What ECS describes of members that were not given; `*` stands for a name
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html,
/// github.com/hashicorp/terraform/issues/17737,
/// github.com/terraform-aws-modules/terraform-aws-ecs/issues/148,
/// github.com/CircleCI-Public/aws-ecs-orb/issues/105,
/// github.com/aws-actions/amazon-ecs-deploy-task-definition/issues/704).
const DEFAULTS: [(&[&str], &str); 10] = [
    (&["containers", "*", "cpu"], "0"),
    (&["containers", "*", "essential"], "true"),
    (&["containers", "*", "healthCheck", "interval"], "30"),
    (&["containers", "*", "healthCheck", "retries"], "3"),
    (&["containers", "*", "healthCheck", "timeout"], "5"),
    (
        &["containers", "*", "mountPoints", "*", "readOnly"],
        "false",
    ),
    (
        &["containers", "*", "volumesFrom", "*", "readOnly"],
        "false",
    ),
    (&["enableFaultInjection"], "false"),
    (
        &["volumes", "*", "efsVolumeConfiguration", "rootDirectory"],
        "\"/\"",
    ),
    (&["volumes", "*", "host"], "{}"),
];

/// The leaves of a definition: texts, numbers, lists of them, and what is there without members.
pub(super) struct Leaves(BTreeMap<MemberPath, Value>);

impl Leaves {
    /// The leaves without the mark of a release.
    pub(super) fn of(definition: &TaskDefinition) -> Self {
        let mut leaves = Self(BTreeMap::new());
        leaves.collect(&[], &Value::Object(completed(definition)));
        leaves
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &MemberPath> {
        self.0.keys()
    }

    pub(super) fn get(&self, path: &MemberPath) -> Option<&Value> {
        self.0.get(path)
    }

    /// Whether a leaf that is not here means nothing: ECS fills it in, or it stands for an item
    /// that has members here.
    pub(super) fn implies(&self, path: &MemberPath, value: &Value) -> bool {
        let text = value.to_string();
        let is_filled_in = DEFAULTS
            .iter()
            .any(|(pattern, default)| fits(pattern, path) && text == *default);

        let next = self.0.range(path.clone()..).next();
        let has_members = next.is_some_and(|(found, _)| found.starts_with(path));
        is_filled_in || has_members && text == "{}"
    }

    fn collect(&mut self, path: &[String], value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    self.collect(&below(path, name), member);
                }
            }
            Value::Array(items) if items.is_empty() && !OF_IMAGE.contains(&last(path)) => {}
            Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
                self.collect_items(path, items);
            }
            leaf => {
                self.0.insert(path.to_vec(), plain(path, leaf));
            }
        }
    }

    /// The items of a list under their names, or under their places in a list that has an order.
    fn collect_items(&mut self, path: &[String], items: &[Value]) {
        let list = last(path);
        let known = KEYS.iter().find(|(name, _)| *name == list);
        let members: &[&str] = known.map_or(&[], |(_, members)| *members);

        let mut named: BTreeMap<String, usize> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            let name = name_of(item, members).unwrap_or_else(|| at.to_string());
            let count = named.entry(name.clone()).or_default();
            *count += 1;

            // A port can be mapped twice.
            let name = match *count {
                1 => name,
                count => format!("{name}#{count}"),
            };
            self.collect_item(&below(path, &name), item, members);
        }
    }

    fn collect_item(&mut self, path: &[String], item: &Value, members: &[&str]) {
        let others = item.as_object().into_iter().flatten();
        let rest: Map<String, Value> = others
            .filter(|(name, _)| !members.contains(&name.as_str()))
            .map(|(name, member)| (name.clone(), member.clone()))
            .collect();
        let rest = Value::Object(rest);

        let known = self.0.len();
        self.collect(path, only_value(&rest).unwrap_or(&rest));
        if self.0.len() == known {
            self.0.insert(path.to_vec(), json!({}));
        }
    }
}

/// The members of a definition, with what ECS fills in where that depends on others.
fn completed(definition: &TaskDefinition) -> Map<String, Value> {
    let is_bridge = definition.network_mode() == Some("bridge");
    let mut fields = definition.clone().unmarked().0;

    let Some(mut containers) = fields.shift_remove("containerDefinitions") else {
        return fields;
    };
    let mappings = containers
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(|container| container.get_mut("portMappings")?.as_array_mut())
        .flatten();
    for mapping in mappings.filter_map(Value::as_object_mut) {
        complete_mapping(mapping, is_bridge);
    }
    fields.insert("containers".to_owned(), containers);
    fields
}

/// Without a host port it is any port of the instance on the bridge, and the container's in the
/// other network modes.
fn complete_mapping(mapping: &mut Map<String, Value>, is_bridge: bool) {
    let Some(port) = mapping.get("containerPort").cloned() else {
        return;
    };
    let host_port = if is_bridge { json!(0) } else { port };

    mapping.entry("hostPort").or_insert(host_port);
    mapping.entry("protocol").or_insert(json!("tcp"));
}

/// What names an item of a list.
fn name_of(item: &Value, members: &[&str]) -> Option<String> {
    let given = members.iter().filter_map(|member| item.get(*member));
    let parts: Vec<String> = given.map(text_of).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The value of an item that has nothing else, such as a variable or a tag.
fn only_value(rest: &Value) -> Option<&Value> {
    let members = rest.as_object().filter(|members| members.len() == 1)?;
    members.get("value").or_else(|| members.get("valueFrom"))
}

/// A leaf as ECS describes it: sizes of the task as numbers of units, lists without an order
/// sorted.
fn plain(path: &[String], leaf: &Value) -> Value {
    match (path, leaf) {
        ([name], Value::String(size)) if name == "cpu" || name == "memory" => {
            in_units(size).map_or_else(|| leaf.clone(), Value::from)
        }
        (_, Value::Array(words)) if SETS.contains(&last(path)) => {
            let mut words = words.clone();
            words.sort_by_cached_key(Value::to_string);
            Value::Array(words)
        }
        _ => leaf.clone(),
    }
}

/// `1 vCPU` and `2 GB` as ECS describes them
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html).
fn in_units(size: &str) -> Option<String> {
    let size = size.to_ascii_lowercase();
    let number = size
        .strip_suffix("vcpu")
        .or_else(|| size.strip_suffix("gb"));
    let number: f64 = number?.trim().parse().ok()?;
    Some((number * 1024.0).to_string())
}

/// A text as it is, and anything else as JSON.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn below(path: &[String], name: &str) -> MemberPath {
    let mut path = path.to_vec();
    path.push(name.to_owned());
    path
}

fn last(path: &[String]) -> &str {
    path.last().map_or("", String::as_str)
}

fn fits(pattern: &[&str], path: &[String]) -> bool {
    let mut pairs = pattern.iter().zip(path);
    pattern.len() == path.len() && pairs.all(|(part, name)| *part == "*" || part == name)
}
