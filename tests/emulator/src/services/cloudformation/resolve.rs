//! Intrinsic functions: from the text of a template to its values in one stack at one time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::custom::ANY;
use super::error::{At, Problem, found, takes};
use super::parameter::text;
use super::stack::{Export, StackResource};
use crate::text::base64;

pub(super) const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// The function that a value is, with its argument: a map of one key that names one.
pub(super) fn function(value: &Value) -> Option<(&str, &Value)> {
    let entries = value.as_object().filter(|entries| entries.len() == 1)?;
    let (name, argument) = entries.iter().next()?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

/// A piece of the text of `Fn::Sub`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SubPart<'a> {
    Literal(&'a str),
    /// The name in `${name}`.
    Name(&'a str),
}

/// The pieces of the text of `Fn::Sub`; `${!x}` is the literal `${x}`.
pub(super) fn sub_parts(text: &str) -> Result<Vec<SubPart<'_>>, Problem> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let end = rest[start..]
            .find('}')
            .ok_or_else(|| Problem::new(format!("${{ without }} in {text}")))?
            + start;
        parts.push(SubPart::Literal(&rest[..start]));
        let name = &rest[start + 2..end];

        match name.strip_prefix('!') {
            Some(literal) => parts.extend([
                SubPart::Literal("${"),
                SubPart::Literal(literal),
                SubPart::Literal("}"),
            ]),
            None => parts.push(SubPart::Name(name.trim())),
        }
        rest = &rest[end + 1..];
    }

    parts.push(SubPart::Literal(rest));
    Ok(parts)
}

/// All that a function can see.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) parameters: &'a Map<String, Value>,
    pub(super) pseudo: &'a Map<String, Value>,
    pub(super) mappings: &'a Map<String, Value>,
    pub(super) conditions: &'a BTreeMap<String, bool>,
    pub(super) resources: &'a [StackResource],
    pub(super) exports: &'a BTreeMap<String, Export>,
    /// The exports that were imported through this scope.
    pub(super) imported: RefCell<BTreeSet<String>>,
}

impl Scope<'_> {
    /// The value, or nothing where it is `AWS::NoValue`. Only the branch of `Fn::If` that is taken
    /// is looked at.
    pub(super) fn resolve(&self, value: &Value) -> Result<Option<Value>, Problem> {
        if let Some((name, argument)) = function(value) {
            return self.call(name, argument).at(name);
        }
        match value {
            Value::Object(entries) => {
                let mut resolved = Map::new();
                for (key, value) in entries {
                    if let Some(value) = self.resolve(value).at(key)? {
                        resolved.insert(key.clone(), value);
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            Value::Array(items) => {
                let resolved = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.resolve(item).at(at));
                let resolved: Vec<Option<Value>> = resolved.collect::<Result<_, _>>()?;
                Ok(Some(resolved.into_iter().flatten().collect()))
            }
            _ => Ok(Some(value.clone())),
        }
    }

    /// A value that must be there.
    pub(super) fn resolve_some(&self, value: &Value) -> Result<Value, Problem> {
        self.resolve(value)?
            .ok_or_else(|| Problem::new("AWS::NoValue cannot stand here"))
    }

    pub(super) fn resolve_text(&self, value: &Value) -> Result<String, Problem> {
        text(&self.resolve_some(value)?)
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Option<Value>, Problem> {
        let value = match (name, argument) {
            ("Ref", Value::String(id)) if id == "AWS::NoValue" => return Ok(None),
            ("Fn::If", Value::Array(parts)) => {
                return self.choose(parts).and_then(|branch| self.resolve(branch));
            }
            ("Ref", Value::String(id)) => self.reference(id)?,
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(id), Value::String(attribute)] => self.attribute(id, attribute)?,
                _ => return Err(takes("a resource and an attribute", argument)),
            },
            ("Fn::Sub", Value::String(template)) => self.substitute(template, &Map::new())?,
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(template), Value::Object(variables)] => {
                    self.substitute(template, variables)?
                }
                _ => return Err(takes("text and a map of variables", argument)),
            },
            ("Fn::Join", _) => self.join(argument)?,
            ("Fn::Select", _) => self.select(argument)?,
            ("Fn::Split", _) => self.split(argument)?,
            ("Fn::FindInMap", _) => self.find_in_map(argument)?,
            ("Fn::ImportValue", _) => self.import(&self.resolve_text(argument)?)?,
            ("Fn::GetAZs", _) => self.availability_zones(argument)?,
            ("Fn::Base64", _) => Value::String(base64::encode(self.resolve_text(argument)?)),
            _ => {
                return Err(Problem::new(format!(
                    "cannot stand here, or not with {}",
                    found(argument)
                )));
            }
        };
        Ok(Some(value))
    }

    /// The branch of `Fn::If` that is taken.
    fn choose<'v>(&self, parts: &'v [Value]) -> Result<&'v Value, Problem> {
        let [Value::String(condition), yes, no] = parts else {
            return Err(Problem::new("takes a condition and two values"));
        };
        match self.conditions.get(condition) {
            Some(true) => Ok(yes),
            Some(false) => Ok(no),
            None => Err(Problem::new(format!("unknown condition {condition}"))),
        }
    }

    fn resource(&self, id: &str) -> Result<&StackResource, Problem> {
        let resource = self
            .resources
            .iter()
            .find(|resource| resource.logical_id == id);
        resource.ok_or_else(|| {
            Problem::new(format!(
                "unresolved resource dependencies [{id}]: its condition is false, or resources \
                 cannot be seen here"
            ))
        })
    }

    fn reference(&self, id: &str) -> Result<Value, Problem> {
        match self.parameters.get(id).or_else(|| self.pseudo.get(id)) {
            Some(value) => Ok(value.clone()),
            None => Ok(Value::String(self.resource(id)?.physical_id.clone())),
        }
    }

    fn attribute(&self, id: &str, attribute: &str) -> Result<Value, Problem> {
        let resource = self.resource(id)?;
        let attributes = &resource.attributes;
        let found = attributes.get(attribute).or_else(|| attributes.get(ANY));
        found.cloned().ok_or_else(|| {
            let known: Vec<&str> = resource.attributes.keys().map(String::as_str).collect();
            Problem::new(format!(
                "{} {id} has no attribute {attribute}; it has {}",
                resource.kind,
                known.join(", ")
            ))
        })
    }

    fn substitute(&self, template: &str, variables: &Map<String, Value>) -> Result<Value, Problem> {
        let mut whole = String::new();
        for part in sub_parts(template)? {
            let value = match part {
                SubPart::Literal(literal) => literal.to_owned(),
                SubPart::Name(name) => match (variables.get(name), name.split_once('.')) {
                    (Some(variable), _) => self.resolve_text(variable).at(name)?,
                    (None, Some((id, attribute))) => text(&self.attribute(id, attribute)?)?,
                    (None, None) => text(&self.reference(name)?).at(format!("${{{name}}}"))?,
                },
            };
            whole.push_str(&value);
        }
        Ok(Value::String(whole))
    }

    /// Two resolved arguments.
    pub(super) fn two(&self, argument: &Value) -> Result<[Value; 2], Problem> {
        match argument.as_array().map(Vec::as_slice) {
            Some([first, second]) => Ok([
                self.resolve_some(first).at(0)?,
                self.resolve_some(second).at(1)?,
            ]),
            _ => Err(takes("two values", argument)),
        }
    }

    fn join(&self, argument: &Value) -> Result<Value, Problem> {
        let [separator, items] = self.two(argument)?;
        let items = items.as_array().ok_or_else(|| takes("a list", &items))?;
        let items: Vec<String> = items.iter().map(text).collect::<Result<_, _>>()?;
        Ok(Value::String(items.join(&text(&separator)?)))
    }

    fn select(&self, argument: &Value) -> Result<Value, Problem> {
        let [index, items] = self.two(argument)?;
        let at = text(&index)?
            .parse::<usize>()
            .map_err(|_| takes("an index", &index))?;

        items
            .get(at)
            .cloned()
            .ok_or_else(|| Problem::new(format!("cannot select item {at} of {}", found(&items))))
    }

    fn split(&self, argument: &Value) -> Result<Value, Problem> {
        let [separator, whole] = self.two(argument)?;
        Ok(Value::from(
            text(&whole)?
                .split(text(&separator)?.as_str())
                .collect::<Vec<_>>(),
        ))
    }

    /// The zones of a region; of the stack's own where the argument is empty.
    fn availability_zones(&self, argument: &Value) -> Result<Value, Problem> {
        let named = self.resolve_text(argument)?;
        let region = if named.is_empty() {
            self.pseudo["AWS::Region"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        } else {
            named
        };

        Ok(["a", "b", "c"]
            .iter()
            .map(|zone| format!("{region}{zone}"))
            .collect())
    }

    fn find_in_map(&self, argument: &Value) -> Result<Value, Problem> {
        let keys = argument
            .as_array()
            .filter(|keys| keys.len() == 3)
            .ok_or_else(|| Problem::new("takes a mapping and two keys"))?;
        let keys: Vec<String> = keys
            .iter()
            .map(|key| self.resolve_text(key))
            .collect::<Result<_, _>>()?;
        let entry = self
            .mappings
            .get(&keys[0])
            .and_then(|map| map.get(&keys[1]))
            .and_then(|map| map.get(&keys[2]));
        entry.cloned().ok_or_else(|| {
            let keys = keys.join("::");
            Problem::new(format!("Template error: Unable to get mapping for {keys}"))
        })
    }

    fn import(&self, name: &str) -> Result<Value, Problem> {
        let export = self
            .exports
            .get(name)
            .ok_or_else(|| Problem::new(format!("No export named {name} found")))?;
        self.imported.borrow_mut().insert(name.to_owned());
        Ok(Value::String(export.value.clone()))
    }

    /// Adds the resources that a value depends on, by the branches that are taken.
    pub(super) fn references(
        &self,
        value: &Value,
        into: &mut BTreeSet<String>,
    ) -> Result<(), Problem> {
        let mut add = |name: &str| {
            if !self.parameters.contains_key(name) && !PSEUDO_PARAMETERS.contains(&name) {
                into.insert(name.to_owned());
            }
        };
        match (function(value), value) {
            (Some(("Ref", Value::String(id))), _) => add(id),
            (Some(("Fn::GetAtt", Value::Array(parts))), _) => parts
                .first()
                .and_then(Value::as_str)
                .into_iter()
                .for_each(add),
            (Some(("Fn::If", Value::Array(parts))), _) => {
                return self.references(self.choose(parts).at("Fn::If")?, into);
            }
            (Some(("Fn::Sub", argument)), _) => {
                let (template, variables) = match argument {
                    Value::Array(parts) => (parts.first(), parts.get(1)),
                    other => (Some(other), None),
                };
                for part in sub_parts(template.and_then(Value::as_str).unwrap_or_default())? {
                    if let SubPart::Name(name) = part
                        && variables
                            .and_then(|variables| variables.get(name))
                            .is_none()
                    {
                        add(name.split('.').next().unwrap_or(name));
                    }
                }
                return variables.map_or(Ok(()), |variables| self.references(variables, into));
            }
            (_, Value::Object(entries)) => {
                return entries
                    .values()
                    .try_for_each(|value| self.references(value, into));
            }
            (_, Value::Array(items)) => {
                return items
                    .iter()
                    .try_for_each(|item| self.references(item, into));
            }
            _ => {}
        }
        Ok(())
    }
}
