//! The serverless transform: `AWS::Serverless::*` written out as plain resources, with the logical
//! ids that SAM gives them. Source: <https://github.com/aws/serverless-application-model>,
//! `samtranslator/model`.

mod events;
mod function;
mod globals;

use serde_json::{Map, Value, json};

use super::error::{At, Problem, found};
use super::schema;
use super::template::Resource;

pub(super) const TRANSFORM: &str = "AWS::Serverless-2016-10-31";
const SERVERLESS: &str = "AWS::Serverless::Function";

/// Writes out the serverless resources; the others stay as they are.
pub(super) fn transform(
    resources: Vec<Resource>,
    globals: &Map<String, Value>,
) -> Result<Vec<Resource>, Problem> {
    let globals = globals::of_functions(globals).at("Globals")?;
    let mut written: Vec<Resource> = Vec::new();
    for resource in resources {
        let id = resource.logical_id.clone();
        let made = match resource.kind.as_str() {
            SERVERLESS => function::write_out(resource, &globals),
            "AWS::Serverless::Application" => application(resource).map(|stack| vec![stack]),
            kind if kind.starts_with("AWS::Serverless::") => Err(Problem::new(format!(
                "the sandbox does not write out {kind}"
            )))
            .at("Type"),
            _ => Ok(vec![resource]),
        };
        written.extend(made.at(id).at("Resources")?);
    }

    let taken = written.iter().enumerate().find(|(at, resource)| {
        written[..*at]
            .iter()
            .any(|other| other.logical_id == resource.logical_id)
    });
    match taken {
        Some((_, resource)) => Err(Problem::new(
            "SAM makes a resource of this logical id, which is taken",
        ))
        .at(&resource.logical_id)
        .at("Resources"),
        None => Ok(written),
    }
}

/// A nested application is a nested stack.
fn application(resource: Resource) -> Result<Resource, Problem> {
    schema::check_names(
        &Value::Object(resource.properties.clone()),
        schema::of("AWS::Serverless::Application"),
    )
    .at("Properties")?;
    let mut properties = resource.properties.clone();
    let location = properties.shift_remove("Location").unwrap_or_default();
    if !location.is_string() {
        return Err(Problem::new(format!(
            "the sandbox takes the path of a template, found {}",
            found(&location)
        )))
        .at("Location")
        .at("Properties");
    }

    properties.insert("TemplateURL".to_owned(), location);
    let tags = properties.shift_remove("Tags");
    properties.insert("Tags".to_owned(), tag_list(tags.as_ref()));

    Ok(Resource {
        kind: "AWS::CloudFormation::Stack".to_owned(),
        properties,
        ..resource
    })
}

/// A map of tags as the list that CloudFormation takes, with SAM's own first.
fn tag_list(tags: Option<&Value>) -> Value {
    let own = json!({"Key": "lambda:createdBy", "Value": "SAM"});
    let given = tags
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| json!({"Key": key, "Value": value}));
    std::iter::once(own).chain(given).collect()
}

/// A resource that SAM makes for another one: it shares the condition and the deletion policies.
fn companion(of: &Resource, suffix: &str, kind: &str, properties: Map<String, Value>) -> Resource {
    Resource {
        logical_id: format!("{}{suffix}", of.logical_id),
        kind: kind.to_owned(),
        properties,
        depends_on: Vec::new(),
        condition: of.condition.clone(),
        retained: of.retained,
        retained_on_create: of.retained_on_create,
        retained_on_replace: of.retained_on_replace,
        metadata: Map::new(),
    }
}

fn get_att(logical_id: &str, attribute: &str) -> Value {
    json!({"Fn::GetAtt": [logical_id, attribute]})
}

/// Copies the properties that are there.
fn copy(from: &Map<String, Value>, names: &[&str], into: &mut Map<String, Value>) {
    for name in names {
        if let Some(value) = from.get(*name) {
            into.insert((*name).to_owned(), value.clone());
        }
    }
}
