//! What can be checked in a template before anything is resolved: every function is known and every
//! reference leads somewhere, in the branches that are not taken too.

use serde_json::Value;

use super::error::{At, Problem, found, takes};
use super::resolve::{PSEUDO_PARAMETERS, SubPart, function, sub_parts};
use super::template::Template;
use super::{resources, schema, yaml};

struct Names<'a> {
    template: &'a Template,
    parameters: &'a [&'a str],
}

/// Checks a whole template.
pub(super) fn check(template: &Template, parameters: &[&str]) -> Result<(), Problem> {
    let names = Names {
        template,
        parameters,
    };
    for (name, condition) in &template.conditions {
        names.value(condition).at(name).at("Conditions")?;
    }
    for resource in &template.resources {
        names
            .resource(resource)
            .at(&resource.logical_id)
            .at("Resources")?;
    }
    for output in &template.outputs {
        let export = output
            .export
            .as_ref()
            .map_or(Ok(()), |export| names.value(export).at("Export"));
        export
            .and(names.value(&output.value).at("Value"))
            .and(names.condition_of(&output.condition))
            .at(&output.name)
            .at("Outputs")?;
    }
    Ok(())
}

impl Names<'_> {
    fn resource(&self, resource: &super::template::Resource) -> Result<(), Problem> {
        self.condition_of(&resource.condition)?;
        for id in &resource.depends_on {
            if *id == resource.logical_id || !self.is_resource(id) {
                return Err(Problem::new(format!(
                    "unresolved resource dependencies [{id}]"
                )))
                .at("DependsOn");
            }
        }

        let kind = resources::find(&resource.kind).at("Type")?;
        let properties = Value::Object(resource.properties.clone());
        schema::check_names(&properties, schema::of(kind.name)).at("Properties")?;
        self.value(&Value::Object(resource.metadata.clone()))
            .at("Metadata")?;
        self.value(&properties).at("Properties")
    }

    fn is_resource(&self, id: &str) -> bool {
        self.template
            .resources
            .iter()
            .any(|resource| resource.logical_id == id)
    }

    fn condition_of(&self, condition: &Option<String>) -> Result<(), Problem> {
        condition
            .as_ref()
            .map_or(Ok(()), |name| self.condition(name).at("Condition"))
    }

    fn condition(&self, name: &str) -> Result<(), Problem> {
        if self.template.conditions.contains_key(name) {
            Ok(())
        } else {
            Err(Problem::new(format!("unknown condition {name}")))
        }
    }

    fn reference(&self, name: &str) -> Result<(), Problem> {
        if self.parameters.contains(&name)
            || PSEUDO_PARAMETERS.contains(&name)
            || self.is_resource(name)
        {
            return Ok(());
        }
        Err(Problem::new(format!(
            "unresolved reference {name}: neither a parameter nor a resource of this template"
        )))
    }

    fn value(&self, value: &Value) -> Result<(), Problem> {
        if let Some((name, argument)) = function(value) {
            return self.function(name, argument).at(name);
        }
        match value {
            Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
                if key.starts_with("Fn::") {
                    Err(Problem::new("a function stands alone in its map")).at(key)
                } else {
                    self.value(value).at(key)
                }
            }),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(at, item)| self.value(item).at(at)),
            _ => Ok(()),
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Result<(), Problem> {
        match (name, argument) {
            ("Ref", Value::String(id)) => self.reference(id),
            ("Fn::GetAtt", Value::Array(parts)) => match parts.first() {
                Some(Value::String(id)) if self.is_resource(id) => Ok(()),
                Some(Value::String(id)) => Err(Problem::new(format!(
                    "undefined resource {id}: no resource of this template"
                ))),
                _ => Err(takes("a resource and an attribute", argument)),
            },
            ("Fn::Sub", Value::String(text)) => self.sub(text, &Value::Null),
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(text), variables @ Value::Object(_)] => {
                    self.sub(text, variables).and(self.value(variables))
                }
                _ => Err(Problem::new(format!(
                    "takes text and a map of variables, found {}",
                    found(argument)
                ))),
            },
            ("Fn::If", Value::Array(parts)) => self.condition_and_branches(parts),
            ("Fn::FindInMap", Value::Array(parts)) => match parts.first() {
                Some(Value::String(map)) if !self.template.mappings.contains_key(map) => {
                    Err(Problem::new(format!("unknown mapping {map}")))
                }
                _ => self.value(argument),
            },
            ("Ref" | "Fn::GetAtt", _) => Err(Problem::new(format!(
                "takes the name of a resource, found {}",
                found(argument)
            ))),
            _ if name
                .strip_prefix("Fn::")
                .is_some_and(|name| yaml::FUNCTIONS.contains(&name)) =>
            {
                self.value(argument)
            }
            _ => Err(Problem::new(format!(
                "unknown function; known are Ref, Fn::{}",
                yaml::FUNCTIONS.join(", Fn::")
            ))),
        }
    }

    /// The parts of `Fn::If`.
    fn condition_and_branches(&self, parts: &[Value]) -> Result<(), Problem> {
        if let Some(Value::String(condition)) = parts.first() {
            self.condition(condition)?;
        }
        parts
            .iter()
            .enumerate()
            .skip(1)
            .try_for_each(|(at, part)| self.value(part).at(at))
    }

    fn sub(&self, text: &str, variables: &Value) -> Result<(), Problem> {
        for part in sub_parts(text)? {
            if let SubPart::Name(name) = part
                && variables.get(name).is_none()
            {
                self.reference(name.split('.').next().unwrap_or(name))
                    .at(format!("${{{name}}}"))?;
            }
        }
        Ok(())
    }
}
