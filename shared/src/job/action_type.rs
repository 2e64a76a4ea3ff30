//! Custom action types: a step of a release as an action of CodePipeline with named properties,
//! whose jobs `poll-jobs` fetches.
//!
//! A type is one row; a step without one has Lambda invoke actions only. The properties are the
//! parameters of the step's schema in `infra/schemas/`, which a test compares with the Rust types
//! and which must be there before the row; another test compares `infra/action-types.yaml` with the
//! rows. It never knows what a parameter means.

use serde_json::{Map, Value};

use super::property::PropertyKind;
use crate::limits::PROPERTY_DESCRIPTION_CHARS;

/// How the providers of all types begin. The rest is the name of the step.
pub const PROVIDER_PREFIX: &str = "slipway-";

/// The property with further parameters, as a JSON object, of a type whose step has more
/// parameters than a type can have properties.
pub(super) const FURTHER: &str = "parameters";

/// What the job itself states: no property has it.
const STATED: [&str; 2] = ["pipeline", "execution"];

/// Declares the types: each row is a step, the category of its actions, the newest version of its
/// type and, if it has more parameters than properties, which ones have a property of their own.
macro_rules! action_types {
    ($($step:literal: $category:ident, $version:literal, [$($own:literal),*];)*) => {
        /// The types.
        pub const ACTION_TYPES: &[ActionType] = &[$(ActionType {
            step: $step,
            category: stringify!($category),
            version: $version,
            own: &[$($own),*],
            schema: include_str!(concat!("../../../infra/schemas/", $step, ".json")),
        },)*];
    };
}

action_types! {
    "begin-release": Deploy, 1, [
        "cluster", "service", "strategy", "containers", "digest", "deploy_role", "rule",
        "minimum_healthy_percent", "maximum_percent"
    ];
    "register-task-definition": Deploy, 1, [];
    "update-service": Deploy, 1, [
        "cluster", "service", "task_definition", "strategy", "mode", "minimum_healthy_percent",
        "maximum_percent", "deadline_minutes", "drain_minutes"
    ];
    "run-checks": Test, 1, [];
    "swap-target-groups": Deploy, 1, [];
    "swap-records": Deploy, 1, [];
    "evaluate-canary": Test, 1, [
        "cluster", "service", "task_definition", "bake_minutes", "inconclusive", "hold_minutes",
        "alarms", "minimum_healthy_percent", "config"
    ];
    "finish-release": Deploy, 1, [];
}

/// The type of a step's custom actions.
#[derive(Clone, Copy, Debug)]
pub struct ActionType {
    pub step: &'static str,
    pub category: &'static str,
    /// The newest version. Jobs of older ones are taken too, since pipelines keep their version.
    pub version: u32,
    own: &'static [&'static str],
    schema: &'static str,
}

/// What names an action type whose owner is `Custom`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionTypeId {
    pub category: String,
    pub provider: String,
    pub version: String,
}

/// A property of an action type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub name: String,
    pub is_required: bool,
    /// `String`, `Number` or `Boolean`.
    pub kind: &'static str,
    pub description: String,
}

impl ActionType {
    /// The type that an id names, in this or an older version.
    #[must_use]
    pub fn named(id: &ActionTypeId) -> Option<&'static Self> {
        ACTION_TYPES
            .iter()
            .find(|known| known.ids().any(|of_version| of_version == *id))
    }

    /// The type of a provider, whatever the version.
    pub(super) fn of_provider(provider: &str) -> Option<&'static Self> {
        let step = provider.strip_prefix(PROVIDER_PREFIX)?;
        ACTION_TYPES.iter().find(|known| known.step == step)
    }

    /// Its ids, the oldest version first.
    pub fn ids(&self) -> impl Iterator<Item = ActionTypeId> {
        let Self {
            step,
            category,
            version,
            ..
        } = *self;
        (1..=version).map(move |version| ActionTypeId {
            category: category.to_owned(),
            provider: format!("{PROVIDER_PREFIX}{step}"),
            version: version.to_string(),
        })
    }

    /// Its properties: one for each parameter, or for those of the row and one for all others.
    ///
    /// # Panics
    /// When a row names a parameter that the step does not have: a test has all rows.
    #[must_use]
    pub fn properties(&self) -> Vec<Property> {
        let schema = self.schema();
        let parameters = parameters(&schema);
        if self.own.is_empty() {
            return parameters
                .keys()
                .map(|name| property(&schema, name))
                .collect();
        }

        let mut properties: Vec<Property> = self
            .own
            .iter()
            .map(|name| {
                assert!(
                    parameters.contains_key(*name),
                    "{} has no {name}",
                    self.step
                );
                property(&schema, name)
            })
            .collect();
        properties.push(Property {
            name: FURTHER.to_owned(),
            is_required: false,
            kind: "String",
            description: "Further parameters of the step, as a JSON object.".to_owned(),
        });
        properties
    }

    /// The kind of a parameter that a property can have.
    pub(super) fn kind(&self, name: &str) -> Option<PropertyKind> {
        let schema = self.schema();
        let parameter = parameters(&schema).get(name)?.clone();
        Some(PropertyKind::of(&parameter, &schema))
    }

    /// The names that an action can have: those of the properties.
    pub(super) fn names(&self) -> Vec<String> {
        let properties = self.properties();
        properties.into_iter().map(|it| it.name).collect()
    }

    fn schema(&self) -> Value {
        serde_json::from_str(self.schema).expect("a schema that a test compares with the types")
    }
}

/// The parameters of a schema, without those that the job states.
fn parameters(schema: &Value) -> Map<String, Value> {
    let properties = schema["properties"].as_object().cloned();
    properties
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| !STATED.contains(&name.as_str()))
        .collect()
}

fn property(schema: &Value, name: &str) -> Property {
    let parameter = &schema["properties"][name];
    let required = schema["required"].as_array();
    let described_by = [parameter, definition(parameter, schema)];
    let text = described_by
        .iter()
        .find_map(|it| it["description"].as_str());
    Property {
        name: name.to_owned(),
        is_required: required.is_some_and(|all| all.iter().any(|one| one == name)),
        kind: PropertyKind::of(parameter, schema).word(),
        description: described(text.unwrap_or_default()),
    }
}

/// The definition that a parameter refers to, or itself.
fn definition<'a>(parameter: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = parameter["$ref"]
        .as_str()
        .or_else(|| parameter["anyOf"][0]["$ref"].as_str());
    match reference {
        Some(name) => &schema["$defs"][name.trim_start_matches("#/$defs/")],
        None => parameter,
    }
}

/// The first sentence of a description on one line, if that is not too long.
fn described(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = match line.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => line,
    };
    if sentence.chars().count() <= PROPERTY_DESCRIPTION_CHARS {
        return sentence;
    }
    let cut: String = sentence
        .chars()
        .take(PROPERTY_DESCRIPTION_CHARS - 1)
        .collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ACTION_PROPERTIES;

    #[test]
    fn every_type_has_its_steps_parameters_in_at_most_ten_properties() {
        for of_type in ACTION_TYPES {
            let properties = of_type.properties();
            assert!(properties.len() <= ACTION_PROPERTIES, "{}", of_type.step);

            let names = of_type.names();
            let schema = of_type.schema();
            let required = schema["required"].as_array().expect("some are required");
            for name in required.iter().filter_map(Value::as_str) {
                let is_stated = STATED.contains(&name);
                assert!(is_stated || names.iter().any(|own| own == name), "{name}");
            }
            let all = parameters(&schema).len();
            let is_whole = names.len() == all;
            let last = names.last().map(String::as_str);
            assert!(is_whole || last == Some(FURTHER), "{}", of_type.step);

            for property in properties {
                let length = property.description.chars().count();
                let bounds = 1..=PROPERTY_DESCRIPTION_CHARS;
                assert!(bounds.contains(&length), "{}", property.name);
            }
        }
    }

    fn of_step(step: &str) -> ActionType {
        let found = ACTION_TYPES.iter().find(|known| known.step == step);
        *found.expect("the step has a type")
    }

    #[test]
    fn the_properties_of_finish_release_are_what_its_job_does_not_state() {
        let of_type = of_step("finish-release");
        let found: Vec<(String, bool, &str)> = of_type
            .properties()
            .into_iter()
            .map(|it| (it.name, it.is_required, it.kind))
            .collect();
        let text = |name: &str| (name.to_owned(), true, "String");
        let [cluster, service, definition] = ["cluster", "service", "task_definition"].map(text);
        let soak = ("soak_minutes".to_owned(), false, "Number");
        assert_eq!(found, [cluster, service, definition, soak]);
    }

    #[test]
    fn a_type_is_named_by_each_of_its_versions_and_by_no_later_one() {
        let id = |version: &str| ActionTypeId {
            category: "Deploy".to_owned(),
            provider: "slipway-update-service".to_owned(),
            version: version.to_owned(),
        };
        let step = |version| ActionType::named(&id(version)).map(|known| known.step);
        assert_eq!(step("1"), Some("update-service"));
        assert_eq!(step("2"), None);

        let older = ActionType {
            version: 2,
            ..of_step("update-service")
        };
        assert_eq!(older.ids().collect::<Vec<_>>(), [id("1"), id("2")]);
    }

    #[test]
    fn a_description_is_one_sentence_of_at_most_160_characters() {
        assert_eq!(described("A word.\nAnother one."), "A word.");
        assert_eq!(described("two\nlines"), "two lines");
        let long = described(&"word ".repeat(60));
        assert_eq!(long.chars().count(), 160);
        assert!(long.ends_with("word…"), "{long}");
    }
}
