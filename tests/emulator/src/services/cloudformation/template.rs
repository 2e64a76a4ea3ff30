//! A template's sections, read strictly: what is not known here is refused, not skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::error::{At, Problem, found};
use super::parameter::Parameter;
use super::rules::TemplateRule;
use super::{check, sam, yaml};

/// Limits of CloudFormation per template. Source:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_BYTES: usize = 1_048_576;
const MAX_RESOURCES: usize = 500;
const MAX_PARAMETERS: usize = 200;
const MAX_OUTPUTS: usize = 200;
const MAX_MAPPINGS: usize = 200;
const MAX_DESCRIPTION_BYTES: usize = 1024;

/// A template whose sections are known and whose references lead somewhere. Serverless resources
/// are written out.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) path: PathBuf,
    pub(super) parameters: Vec<Parameter>,
    pub(super) rules: Vec<TemplateRule>,
    pub(super) mappings: Map<String, Value>,
    pub(super) conditions: Map<String, Value>,
    pub(super) resources: Vec<Resource>,
    pub(super) outputs: Vec<Output>,
}

/// One entry of `Resources`.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub(super) logical_id: String,
    pub(super) kind: String,
    pub(super) properties: Map<String, Value>,
    pub(super) depends_on: Vec<String>,
    pub(super) condition: Option<String>,
    /// Whether the resource outlives its removal from the template.
    pub(super) retained: bool,
    /// Whether the resource outlives a creation of the stack that failed.
    pub(super) retained_on_create: bool,
    /// Whether the old resource outlives its replacement.
    pub(super) retained_on_replace: bool,
    pub(super) metadata: Map<String, Value>,
}

/// One entry of `Outputs`.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) condition: Option<String>,
    pub(super) export: Option<Value>,
}

/// Templates that were read, by path and text.
type Known = BTreeMap<PathBuf, BTreeMap<String, Arc<Template>>>;

impl Template {
    /// The template of a text, which is read once: a process deploys the same one many times.
    pub(super) fn of(path: &Path, text: &str) -> Result<Arc<Self>, Problem> {
        static KNOWN: Mutex<Known> = Mutex::new(Known::new());
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);

        if let Some(template) = known().get(path).and_then(|texts| texts.get(text)) {
            return Ok(Arc::clone(template));
        }
        let template = Arc::new(Self::parse(path, text)?);
        let mut known = known();
        let texts = known.entry(path.to_owned()).or_default();
        texts.insert(text.to_owned(), Arc::clone(&template));
        Ok(template)
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Problem> {
        if text.len() > MAX_BYTES {
            return Err(Problem::new(format!(
                "the template has {} bytes (limit {MAX_BYTES})",
                text.len()
            )));
        }

        let document = yaml::parse(text)?;
        let mut sections = map(&document)?.clone();
        let transformed = transform(sections.get("Transform")).at("Transform")?;
        check_plain_sections(&sections)?;

        let parameters = take_section(&mut sections, "Parameters", MAX_PARAMETERS)?;
        let globals = take_section(&mut sections, "Globals", usize::MAX)?;
        let mut template = Self::read(path, &parameters, sections)?;
        if template.resources.is_empty() {
            return Err(Problem::new(
                "at least one Resources member must be defined",
            ));
        }

        if transformed {
            template.resources = sam::transform(std::mem::take(&mut template.resources), &globals)?;
        } else if !globals.is_empty() {
            return Err(Problem::new("needs Transform: AWS::Serverless-2016-10-31")).at("Globals");
        }

        let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
        check::check(&template, &names)?;
        Ok(template)
    }

    /// Reads the parameters and the other sections, each entry for itself.
    fn read(
        path: &Path,
        parameters: &Map<String, Value>,
        mut sections: Map<String, Value>,
    ) -> Result<Self, Problem> {
        let mut section = |name: &str, limit: usize| take_section(&mut sections, name, limit);

        Ok(Self {
            path: path.to_owned(),
            parameters: read_entries(parameters, |name, entry| {
                alphanumeric(name).and_then(|()| Parameter::read(name, entry))
            })
            .at("Parameters")?,
            rules: read_entries(&section("Rules", usize::MAX)?, |name, entry| {
                alphanumeric(name).and_then(|()| TemplateRule::read(name, entry))
            })
            .at("Rules")?,
            mappings: section("Mappings", MAX_MAPPINGS)?,
            conditions: section("Conditions", usize::MAX)?,
            resources: read_entries(&section("Resources", MAX_RESOURCES)?, Resource::read)
                .at("Resources")?,
            outputs: read_entries(&section("Outputs", MAX_OUTPUTS)?, Output::read).at("Outputs")?,
        })
    }
}

/// Removes a section from those of a template; one that is not there is empty.
fn take_section(
    sections: &mut Map<String, Value>,
    name: &str,
    limit: usize,
) -> Result<Map<String, Value>, Problem> {
    match sections.shift_remove(name) {
        None => Ok(Map::new()),
        Some(Value::Object(entries)) if entries.len() <= limit => Ok(entries),
        Some(Value::Object(entries)) => Err(Problem::new(format!(
            "{} entries (limit {limit})",
            entries.len()
        )))
        .at(name),
        Some(other) => Err(Problem::new(format!(
            "takes a map, found {}",
            found(&other)
        )))
        .at(name),
    }
}

fn read_entries<T>(
    section: &Map<String, Value>,
    read: impl Fn(&str, &Value) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    section
        .iter()
        .map(|(name, entry)| read(name, entry).at(name))
        .collect()
}

fn transform(section: Option<&Value>) -> Result<bool, Problem> {
    match section {
        None => Ok(false),
        Some(Value::String(name)) if name == sam::TRANSFORM => Ok(true),
        Some(Value::Array(names)) if names.len() == 1 => transform(names.first()),
        Some(other) => Err(Problem::new(format!(
            "unknown transform {}; known is {}",
            found(other),
            sam::TRANSFORM
        ))),
    }
}

fn check_plain_sections(sections: &Map<String, Value>) -> Result<(), Problem> {
    for (name, value) in sections {
        match (name.as_str(), value) {
            ("AWSTemplateFormatVersion", Value::String(version)) if version == "2010-09-09" => {
                Ok(())
            }
            ("AWSTemplateFormatVersion", other) => Err(Problem::new(format!(
                "takes '2010-09-09', found {}",
                found(other)
            ))),
            ("Description", Value::String(text)) if text.len() <= MAX_DESCRIPTION_BYTES => Ok(()),
            ("Description", _) => Err(Problem::new(format!(
                "takes text of at most {MAX_DESCRIPTION_BYTES} bytes"
            ))),
            ("Metadata", Value::Object(_))
            | (
                "Transform" | "Globals" | "Parameters" | "Rules" | "Mappings" | "Conditions"
                | "Resources" | "Outputs",
                _,
            ) => Ok(()),
            _ => Err(Problem::new("unknown section")),
        }
        .at(name)?;
    }
    Ok(())
}

impl Resource {
    pub(super) fn read(logical_id: &str, entry: &Value) -> Result<Self, Problem> {
        alphanumeric(logical_id)?;
        let mut resource = Self {
            logical_id: logical_id.to_owned(),
            ..Self::default()
        };
        for (attribute, value) in map(entry)? {
            resource.read_attribute(attribute, value).at(attribute)?;
        }

        if resource.kind.is_empty() {
            return Err(Problem::new("every resource must have a Type"));
        }
        Ok(resource)
    }

    fn read_attribute(&mut self, attribute: &str, value: &Value) -> Result<(), Problem> {
        match attribute {
            "Type" => self.kind = text(value)?.to_owned(),
            "Properties" => self.properties = map(value)?.clone(),
            "Condition" => self.condition = Some(text(value)?.to_owned()),
            "Metadata" => self.metadata = map(value)?.clone(),
            "DependsOn" => {
                self.depends_on = match value {
                    Value::Array(ids) => ids
                        .iter()
                        .map(|id| text(id).map(str::to_owned))
                        .collect::<Result<_, _>>()?,
                    other => vec![text(other)?.to_owned()],
                }
            }
            "DeletionPolicy" => {
                self.retained = policy(
                    value,
                    &["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"],
                )?;
                self.retained_on_create = *value == "Retain";
            }
            "UpdateReplacePolicy" => {
                self.retained_on_replace = policy(value, &["Delete", "Retain", "Snapshot"])?
            }
            _ => return Err(Problem::new("unknown resource attribute")),
        }
        Ok(())
    }
}

/// Whether a deletion policy keeps the resource.
fn policy(value: &Value, known: &[&str]) -> Result<bool, Problem> {
    let policy = text(value)?;
    if !known.contains(&policy) {
        return Err(Problem::new(format!(
            "takes one of {}, found {policy}",
            known.join(", ")
        )));
    }
    Ok(policy.starts_with("Retain"))
}

impl Output {
    fn read(name: &str, entry: &Value) -> Result<Self, Problem> {
        alphanumeric(name)?;
        let attributes = map(entry)?;
        if let Some(unknown) = attributes
            .keys()
            .find(|key| !["Description", "Value", "Condition", "Export"].contains(&key.as_str()))
        {
            return Err(Problem::new("unknown output attribute")).at(unknown);
        }

        let export = match attributes.get("Export") {
            None => None,
            Some(Value::Object(export)) if export.len() == 1 && export.contains_key("Name") => {
                Some(export["Name"].clone())
            }
            Some(other) => {
                return Err(Problem::new(format!(
                    "takes a Name, found {}",
                    found(other)
                )))
                .at("Export");
            }
        };
        Ok(Self {
            name: name.to_owned(),
            value: attributes
                .get("Value")
                .cloned()
                .ok_or_else(|| Problem::new("every output must have a Value"))?,
            condition: attributes
                .get("Condition")
                .map(|value| text(value).map(str::to_owned))
                .transpose()
                .at("Condition")?,
            export,
        })
    }
}

/// Logical ids, parameter and output names are alphanumeric.
fn alphanumeric(name: &str) -> Result<(), Problem> {
    if name.chars().all(|one| one.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err(Problem::new("names must be alphanumeric"))
    }
}

pub(super) fn map(value: &Value) -> Result<&Map<String, Value>, Problem> {
    value
        .as_object()
        .ok_or_else(|| Problem::new(format!("takes a map, found {}", found(value))))
}

fn text(value: &Value) -> Result<&str, Problem> {
    value
        .as_str()
        .ok_or_else(|| Problem::new(format!("takes text, found {}", found(value))))
}
