//! Custom action types: what an account adds to the providers of its pipelines. A job worker of the
//! account does their work; `polling` gives it the jobs.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::input::{
    self, ANY, ActionTypeName, Checks, KEY, PROVIDER, URL_TEMPLATE, VERSION, between,
};
use crate::{ApiError, Aws};

/// The most custom action types of an account in a region.
const TYPES: usize = 50;
const PROPERTIES: usize = 10;
/// The categories that a custom action can have. Source:
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-custom-action.html>
const CATEGORIES: [&str; 4] = ["Build", "Deploy", "Test", "Invoke"];
const MEMBERS: [&str; 8] = [
    "category",
    "provider",
    "version",
    "settings",
    "configurationProperties",
    "inputArtifactDetails",
    "outputArtifactDetails",
    "tags",
];
const URLS: [&str; 4] = [
    "thirdPartyConfigurationUrl",
    "entityUrlTemplate",
    "executionUrlTemplate",
    "revisionUrlTemplate",
];

/// A custom action type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionType {
    pub category: String,
    pub provider: String,
    pub version: String,
    pub settings: Value,
    pub properties: Vec<Property>,
    /// The least and most artifacts in and out.
    pub artifacts: [(usize, usize); 2],
    /// It is no longer polled, and no new pipeline takes it.
    pub is_deleted: bool,
}

/// The types of an account, deleted ones included.
pub type ActionTypes = [Arc<ActionType>];

/// A property of an action's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub name: String,
    pub is_required: bool,
    pub is_secret: bool,
    pub is_queryable: bool,
    /// As it was given.
    declared: Value,
}

impl Property {
    /// Whether a value is of the type that the property has.
    pub(super) fn takes(&self, value: &str) -> bool {
        match self.declared["type"].as_str() {
            Some("Number") => value.parse::<f64>().is_ok(),
            Some("Boolean") => ["true", "false"].contains(&value),
            _ => true,
        }
    }
}

impl ActionType {
    pub(super) fn id(&self) -> Value {
        json!({
            "category": self.category, "owner": "Custom", "provider": self.provider,
            "version": self.version,
        })
    }

    pub(super) fn is_named(&self, name: &ActionTypeName) -> bool {
        name.owner == "Custom"
            && (name.category, name.provider, name.version)
                == (&*self.category, &*self.provider, &*self.version)
    }

    /// The property by which jobs are requested, if the type has one.
    pub(super) fn queryable(&self) -> Option<&Property> {
        self.properties
            .iter()
            .find(|property| property.is_queryable)
    }

    fn described(&self) -> Value {
        let details =
            |(least, most): (usize, usize)| json!({"minimumCount": least, "maximumCount": most});
        let properties = self.properties.iter().map(|property| &property.declared);
        let mut described = json!({
            "id": self.id(),
            "actionConfigurationProperties": properties.collect::<Vec<_>>(),
            "inputArtifactDetails": details(self.artifacts[0]),
            "outputArtifactDetails": details(self.artifacts[1]),
        });
        if self.settings.is_object() {
            described["settings"] = self.settings.clone();
        }
        described
    }
}

/// The type of this name that pipelines can have and workers can poll.
pub(super) fn known(types: &ActionTypes, name: &ActionTypeName) -> Option<Arc<ActionType>> {
    let mut found = types
        .iter()
        .filter(|known| known.is_named(name) && !known.is_deleted);
    found.next().cloned()
}

pub(super) fn create(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &MEMBERS)?;
    let created = Arc::new(read(given)?);
    let types = &mut aws.codepipeline.action_types;
    let name = ActionTypeName {
        category: &created.category,
        owner: "Custom",
        provider: &created.provider,
        version: &created.version,
    };

    match types.iter().position(|known| known.is_named(&name)) {
        // Only what is identical to it restores a deleted type.
        Some(at) if types[at].is_deleted && is_same(&types[at], &created) => {
            types[at] = Arc::clone(&created);
        }
        Some(at) if types[at].is_deleted => {
            return Err(input::invalid(
                "The version of a deleted action type cannot be used for another definition",
            ));
        }
        Some(_) => {
            return Err(input::invalid(
                "An action type with this category, provider and version already exists",
            ));
        }
        None => {
            if types.iter().filter(|known| !known.is_deleted).count() >= TYPES {
                let message = format!("The account has {TYPES} custom actions in this region");
                return Err(ApiError::client("LimitExceededException", message));
            }
            types.push(Arc::clone(&created));
        }
    }

    let mut output = json!({"actionType": created.described()});
    if let Some(tags) = given.get("tags") {
        output["tags"] = tags.clone();
    }
    Ok(output)
}

fn is_same(deleted: &ActionType, given: &ActionType) -> bool {
    let restored = ActionType {
        is_deleted: false,
        ..deleted.clone()
    };
    restored == *given
}

/// Marks a type as deleted; deleting one that is not there succeeds.
pub(super) fn delete(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["category", "provider", "version"])?;
    let mut checks = Checks::default();
    let name = ActionTypeName {
        category: checks.one_of(&given["category"], "category", &CATEGORIES)?,
        owner: "Custom",
        provider: checks.text(&given["provider"], "provider", &PROVIDER)?,
        version: checks.text(&given["version"], "version", &VERSION)?,
    };
    checks.done()?;

    let types = &mut aws.codepipeline.action_types;
    if let Some(known) = types.iter_mut().find(|known| known.is_named(&name)) {
        *known = Arc::new(ActionType {
            is_deleted: true,
            ..(**known).clone()
        });
    }
    Ok(json!({}))
}

/// The custom types of the account: those of AWS and of its partners are not listed here.
pub(super) fn list(aws: &Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["actionOwnerFilter", "nextToken", "regionFilter"])?;
    let mut checks = Checks::default();
    let owner = match &given["actionOwnerFilter"] {
        Value::Null => "Custom",
        owner => checks.one_of(owner, "actionOwnerFilter", &input::OWNERS)?,
    };
    checks.done()?;

    let listed = aws
        .codepipeline
        .action_types
        .iter()
        .filter(|known| owner == "Custom" && !known.is_deleted)
        .map(|known| known.described());
    let page = json!({"nextToken": given["nextToken"]});
    input::page(aws, &page, "actionTypes", listed.collect(), 100)
}

fn read(given: &Value) -> Result<ActionType, ApiError> {
    let mut checks = Checks::default();
    let category = checks.one_of(&given["category"], "category", &CATEGORIES)?;
    let provider = checks.text(&given["provider"], "provider", &PROVIDER)?;
    let version = checks.text(&given["version"], "version", &VERSION)?;
    for url in URLS {
        checks.optional(
            &given["settings"][url],
            &format!("settings.{url}"),
            &URL_TEMPLATE,
        )?;
    }
    if !given["settings"].is_null() {
        input::only(&given["settings"], &URLS)?;
    }

    let properties = input::list(&given["configurationProperties"], "configurationProperties")?;
    if properties.len() > PROPERTIES {
        return Err(input::invalid(format!(
            "Member configurationProperties must have length less than or equal to {PROPERTIES}"
        )));
    }
    let properties = properties
        .iter()
        .map(|property| read_property(&mut checks, property))
        .collect::<Result<Vec<_>, _>>()?;
    let artifacts = [
        counts(&mut checks, given, "inputArtifactDetails")?,
        counts(&mut checks, given, "outputArtifactDetails")?,
    ];
    checks.done()?;

    check_properties(&properties)?;
    check_templates(&given["settings"], &properties)?;
    Ok(ActionType {
        category: category.to_owned(),
        provider: provider.to_owned(),
        version: version.to_owned(),
        settings: given["settings"].clone(),
        properties,
        artifacts,
        is_deleted: false,
    })
}

fn read_property(checks: &mut Checks, given: &Value) -> Result<Property, ApiError> {
    const AT: &str = "configurationProperties.member";
    input::only(
        given,
        &[
            "name",
            "required",
            "key",
            "secret",
            "queryable",
            "description",
            "type",
        ],
    )?;
    let name = checks.text(&given["name"], &format!("{AT}.name"), &KEY)?;
    let flag = |member: &str| input::flag(&given[member], &format!("{AT}.{member}"));
    checks.optional(
        &given["description"],
        &format!("{AT}.description"),
        &between(1, 160),
    )?;
    if !given["type"].is_null() {
        let types = ["String", "Number", "Boolean"];
        checks.one_of(&given["type"], &format!("{AT}.type"), &types)?;
    }
    if let Some(missing) = ["required", "key", "secret"]
        .iter()
        .find(|member| given[**member].is_null())
    {
        checks.text(&Value::Null, &format!("{AT}.{missing}"), &ANY)?;
    }

    Ok(Property {
        name: name.to_owned(),
        is_required: flag("required")?,
        is_secret: flag("secret")?,
        is_queryable: flag("queryable")?,
        declared: given.clone(),
    })
}

/// The least and most artifacts.
fn counts(checks: &mut Checks, given: &Value, member: &str) -> Result<(usize, usize), ApiError> {
    let mut count = |bound: &str| -> Result<usize, ApiError> {
        let path = format!("{member}.{bound}");
        let value = &given[member][bound];
        if value.is_null() {
            checks.text(value, &path, &ANY)?;
        }
        Ok(checks.number(value, &path, 0, 5)?.unwrap_or(0) as usize)
    };
    Ok((count("minimumCount")?, count("maximumCount")?))
}

/// At most one property is queryable, and that one is required and not secret; names are unique.
fn check_properties(properties: &[Property]) -> Result<(), ApiError> {
    let mut names = BTreeSet::new();
    if let Some(twice) = properties
        .iter()
        .find(|property| !names.insert(property.name.as_str()))
    {
        let message = format!("Configuration property {} is declared twice", twice.name);
        return Err(input::invalid(message));
    }

    let queryable: Vec<&Property> = properties.iter().filter(|it| it.is_queryable).collect();
    if queryable.len() > 1 {
        return Err(input::invalid(
            "An action type can have at most one queryable property",
        ));
    }
    match queryable.first() {
        Some(it) if !it.is_required || it.is_secret => Err(input::invalid(format!(
            "The queryable property {} must be required and not secret",
            it.name
        ))),
        _ => Ok(()),
    }
}

/// `{Config:name}` in a URL names a property that is required and not secret.
fn check_templates(settings: &Value, properties: &[Property]) -> Result<(), ApiError> {
    for url in URLS {
        let template = settings[url].as_str().unwrap_or_default();
        for rest in template.split("{Config:").skip(1) {
            let name = rest.split('}').next().unwrap_or_default();
            let is_fit = properties
                .iter()
                .any(|it| it.name == name && it.is_required && !it.is_secret);
            if !is_fit {
                return Err(input::invalid(format!(
                    "{url} refers to {{Config:{name}}}, which is not a configuration property that \
                     is required and not secret"
                )));
            }
        }
    }
    Ok(())
}
