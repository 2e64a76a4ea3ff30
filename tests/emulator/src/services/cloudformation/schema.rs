//! The shape of a resource type's properties: which names are known, what each takes, and how the
//! API spells it.
//!
//! `properties.json` holds the shapes by resource type, beside those that several types share. In
//! it `!` marks a required property, `=` the API's name of a property where that is not the name
//! with a small first letter, `[…]` a list, and `{"*": …}` a map whose keys are the user's.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::error::{At, Problem, takes};
use super::resolve::function;
use super::resources;
use crate::text::camel_case;

/// What a property takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum PropertyType {
    Text,
    Integer,
    Number,
    Boolean,
    /// Free-form JSON, e.g. a policy document.
    Json,
    List(&'static PropertyType),
    /// Keys are the user's.
    Map(&'static PropertyType),
    Object(&'static [Field]),
}

/// One property of an object.
#[derive(Clone, Debug)]
pub(super) struct Field {
    name: String,
    /// The name in the service's JSON API.
    api: String,
    required: bool,
    kind: PropertyType,
}

/// The shape of a type's properties.
///
/// # Panics
/// When `properties.json` does not have the type.
pub(super) fn of(name: &str) -> PropertyType {
    static SHAPES: LazyLock<BTreeMap<String, PropertyType>> = LazyLock::new(|| {
        let shapes: Map<String, Value> =
            serde_json::from_str(include_str!("properties.json")).expect("the file is JSON");
        shapes
            .iter()
            .map(|(name, shape)| (name.clone(), read(shape, &shapes)))
            .collect()
    });
    match SHAPES.get(name) {
        Some(kind) => *kind,
        None if resources::is_custom(name) => PropertyType::Json,
        None => panic!("properties.json has no {name}"),
    }
}

/// Reads a shape. It lives as long as the process, which reads the file once.
fn read(shape: &Value, shapes: &Map<String, Value>) -> PropertyType {
    match shape {
        Value::String(name) => match name.as_str() {
            "Text" => PropertyType::Text,
            "Integer" => PropertyType::Integer,
            "Number" => PropertyType::Number,
            "Boolean" => PropertyType::Boolean,
            "Json" => PropertyType::Json,
            shared => read(&shapes[shared], shapes),
        },
        Value::Array(items) => PropertyType::List(Box::leak(Box::new(read(&items[0], shapes)))),
        Value::Object(entries) => match entries.get("*") {
            Some(of) => PropertyType::Map(Box::leak(Box::new(read(of, shapes)))),
            None => {
                let fields = entries
                    .iter()
                    .map(|(spelling, shape)| Field::new(spelling, read(shape, shapes)))
                    .collect::<Vec<_>>();
                PropertyType::Object(fields.leak())
            }
        },
        other => panic!("not a shape: {other}"),
    }
}

impl Field {
    /// A field by its spelling in `properties.json`: `Name`, `Name!`, `Name=apiName` or
    /// `Name=apiName!`.
    fn new(spelling: &str, kind: PropertyType) -> Self {
        let names = spelling.trim_end_matches('!');
        let (name, api) = match names.split_once('=') {
            Some((name, api)) => (name, api.to_owned()),
            None => (names, camel_case(names)),
        };

        Self {
            name: name.to_owned(),
            api,
            required: spelling.ends_with('!'),
            kind,
        }
    }
}

/// The names of the properties of an object.
pub(super) fn names(kind: PropertyType) -> impl Iterator<Item = &'static str> {
    let fields = match kind {
        PropertyType::Object(fields) => fields,
        _ => &[],
    };
    fields.iter().map(|field| field.name.as_str())
}

fn field(fields: &'static [Field], name: &str) -> Result<&'static Field, Problem> {
    fields
        .iter()
        .find(|field| field.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            Problem::new(format!(
                "unknown property; known here are {}",
                known.join(", ")
            ))
        })
}

/// Checks names only, in every branch of every function: for values that are not resolved yet.
pub(super) fn check_names(value: &Value, kind: PropertyType) -> Result<(), Problem> {
    match (function(value), kind, value) {
        (Some(("Fn::If", Value::Array(branches))), ..) => branches
            .iter()
            .enumerate()
            .skip(1)
            .try_for_each(|(at, branch)| check_names(branch, kind).at(at).at("Fn::If")),
        (Some(_), ..) => Ok(()),
        (None, PropertyType::Object(fields), Value::Object(entries)) => {
            for (name, value) in entries {
                field(fields, name)
                    .and_then(|field| check_names(value, field.kind))
                    .at(name)?;
            }

            let missing = fields
                .iter()
                .find(|field| field.required && !entries.contains_key(&field.name));
            missing.map_or(Ok(()), |field| {
                Err(Problem::new(format!(
                    "required property {} is missing",
                    field.name
                )))
            })
        }
        (None, PropertyType::List(of), Value::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(at, item)| check_names(item, *of).at(at)),
        (None, PropertyType::Map(of), Value::Object(entries)) => entries
            .iter()
            .try_for_each(|(key, value)| check_names(value, *of).at(key)),
        _ => Ok(()),
    }
}

/// A resolved value converted to its kind: text that spells a number becomes that number and so on,
/// as CloudFormation does it; anything else is refused.
pub(super) fn fit(value: &Value, kind: PropertyType) -> Result<Value, Problem> {
    match kind {
        PropertyType::Text => fit_text(value),
        PropertyType::Integer => fit_integer(value),
        PropertyType::Number => fit_number(value),
        PropertyType::Boolean => fit_boolean(value),
        PropertyType::Json if value.is_object() || value.is_array() => Ok(value.clone()),
        PropertyType::Json => Err(takes("a JSON object", value)),
        PropertyType::List(of) => fit_list(value, *of),
        PropertyType::Map(of) => fit_entries(value, |_, entry| fit(entry, *of)),
        PropertyType::Object(fields) => {
            check_names(value, kind)?;
            fit_entries(value, |name, entry| {
                field(fields, name).and_then(|field| fit(entry, field.kind))
            })
        }
    }
}

fn fit_text(value: &Value) -> Result<Value, Problem> {
    match value {
        Value::String(_) => Ok(value.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(Value::String(value.to_string())),
        _ => Err(takes("text", value)),
    }
}

fn fit_integer(value: &Value) -> Result<Value, Problem> {
    let fitted = match value {
        Value::Number(number) if number.is_i64() => Some(value.clone()),
        Value::String(text) => text.parse::<i64>().ok().map(Value::from),
        _ => None,
    };
    fitted.ok_or_else(|| takes("a whole number", value))
}

fn fit_number(value: &Value) -> Result<Value, Problem> {
    let fitted = match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => text.parse::<f64>().ok().map(Value::from),
        _ => None,
    };
    fitted.ok_or_else(|| takes("a number", value))
}

fn fit_boolean(value: &Value) -> Result<Value, Problem> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::String(text) if text == "true" || text == "false" => Ok(Value::Bool(text == "true")),
        _ => Err(takes("true or false", value)),
    }
}

fn fit_list(value: &Value, of: PropertyType) -> Result<Value, Problem> {
    let items = value.as_array().ok_or_else(|| takes("a list", value))?;
    items
        .iter()
        .enumerate()
        .map(|(at, item)| fit(item, of).at(at))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

/// A map of which each entry is fitted by its name and value.
fn fit_entries(
    value: &Value,
    fit_entry: impl Fn(&str, &Value) -> Result<Value, Problem>,
) -> Result<Value, Problem> {
    let entries = value.as_object().ok_or_else(|| takes("a map", value))?;
    let fitted = entries
        .iter()
        .map(|(name, entry)| Ok((name.clone(), fit_entry(name, entry).at(name)?)));
    fitted
        .collect::<Result<Map<_, _>, Problem>>()
        .map(Value::Object)
}

/// A fitted value with the names that the service's JSON API uses. Keys of maps are the user's and
/// stay.
pub(super) fn to_api(value: &Value, kind: PropertyType) -> Value {
    match (kind, value) {
        (PropertyType::Object(fields), Value::Object(entries)) => {
            let named = fields.iter().filter_map(|field| {
                Some((
                    field.api.clone(),
                    to_api(entries.get(&field.name)?, field.kind),
                ))
            });
            Value::Object(named.collect())
        }
        (PropertyType::List(of), Value::Array(items)) => {
            items.iter().map(|item| to_api(item, *of)).collect()
        }
        (PropertyType::Map(of), Value::Object(entries)) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), to_api(value, *of)))
                .collect(),
        ),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whole() -> PropertyType {
        let shapes = json!({
            "Part": {"Name!": "Text", "Labels": {"*": "Text"}},
            "Whole": {"Count": "Integer", "EFSParts=efsParts": ["Part"], "On": "Boolean"},
        });
        read(&shapes["Whole"], shapes.as_object().unwrap())
    }

    #[test]
    fn scalars_are_coerced_and_map_keys_stay() {
        let given = json!({
            "Count": "3",
            "On": "true",
            "EFSParts": [{"Name": 7, "Labels": {"Team": true}}],
        });
        let fitted = fit(&given, whole()).unwrap();

        assert_eq!(
            fitted,
            json!({
                "Count": 3,
                "On": true,
                "EFSParts": [{"Name": "7", "Labels": {"Team": "true"}}],
            })
        );
        assert_eq!(
            to_api(&fitted, whole()),
            json!({
                "count": 3,
                "efsParts": [{"name": "7", "labels": {"Team": "true"}}],
                "on": true,
            })
        );
    }

    #[test]
    fn unknown_missing_and_wrong_properties_are_refused_with_their_place() {
        let refusal = |value| {
            fit(&value, whole())
                .unwrap_err()
                .in_template("t".as_ref())
                .to_string()
        };
        assert_eq!(
            refusal(json!({"Coun": 1})),
            "t: Coun: unknown property; known here are Count, EFSParts, On"
        );
        assert_eq!(
            refusal(json!({"EFSParts": [{}]})),
            "t: EFSParts.0: required property Name is missing"
        );
        assert_eq!(
            refusal(json!({"Count": "many"})),
            "t: Count: takes a whole number, found \"many\""
        );
    }

    #[test]
    fn names_are_checked_in_branches_that_are_not_taken() {
        let value = json!({"EFSParts": [{"Fn::If": ["A", {"Name": "x"}, {"Nam": "x"}]}]});
        let error = check_names(&value, whole())
            .unwrap_err()
            .in_template("t".as_ref());
        assert_eq!(error.place, "EFSParts.0.Fn::If.2.Nam");
    }
}
