//! One stack: made, changed and removed, resource by resource.

pub(super) mod failure;
mod removal;
mod replacement;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::error::{At, Problem, StackError};
use super::resolve::Scope;
use super::resources::{self, Desired};
use super::tags::Tags;
use super::template::{Resource, Template};
use super::{
    condition, exports, order, parameter, parameter_store, rules, schema, service_reports, tags,
};
use crate::{Aws, Millis};

pub(super) use failure::StackFailure;
pub(super) use removal::{delete, remove};
pub(super) use replacement::changed;
use replacement::make;

/// A stack as deployed.
#[derive(Clone, Debug)]
pub struct Stack {
    pub name: String,
    /// The ARN.
    pub id: String,
    /// The stack that this one is a resource of.
    pub parent: Option<String>,
    pub template: PathBuf,
    /// The template as it was deployed.
    pub body: Arc<str>,
    pub created: Millis,
    /// When it was last deployed again.
    pub updated: Option<Millis>,
    pub parameters: Map<String, Value>,
    pub tags: BTreeMap<String, String>,
    /// In the order in which they were made.
    pub resources: Vec<StackResource>,
    pub outputs: BTreeMap<String, String>,
    /// The exports of other stacks that this one uses.
    pub imports: BTreeSet<String>,
    /// Why the stack is not complete.
    pub(super) failure: Option<StackFailure>,
    /// The status of a stack that waits for a custom resource.
    pub(super) in_progress: Option<&'static str>,
}

/// A resource as made.
#[derive(Clone, Debug)]
pub struct StackResource {
    pub logical_id: String,
    /// E.g. `AWS::ECS::Service`.
    pub kind: String,
    /// What `Ref` gives.
    pub physical_id: String,
    /// What `Fn::GetAtt` gives.
    pub attributes: Map<String, Value>,
    /// The properties as resolved.
    pub properties: Value,
    pub metadata: Map<String, Value>,
    pub(super) retained: bool,
    pub(super) retained_on_create: bool,
    pub(super) retained_on_replace: bool,
}

/// A value that one stack offers to the others.
#[derive(Clone, Debug)]
pub struct Export {
    pub value: String,
    pub stack: String,
}

impl Stack {
    /// A resource by its logical id.
    pub fn resource(&self, logical_id: &str) -> Option<&StackResource> {
        self.resources
            .iter()
            .find(|resource| resource.logical_id == logical_id)
    }

    /// Whether it waits for a custom resource.
    pub fn is_in_progress(&self) -> bool {
        self.in_progress.is_some()
    }

    /// What the service of a resource refused it with, if the stack is not complete for that.
    pub fn why_failed(&self) -> Option<&str> {
        self.failure.as_ref().map(StackFailure::of_resource)
    }

    /// The stack before anything of it is made.
    pub(super) fn as_begun(&self, status: &'static str) -> Self {
        Self {
            resources: Vec::new(),
            outputs: BTreeMap::new(),
            failure: None,
            in_progress: Some(status),
            ..self.clone()
        }
    }
}

/// What a deployment of one stack works with.
struct Deployment<'a> {
    name: &'a str,
    template: &'a Template,
    parameters: Map<String, Value>,
    pseudo: Map<String, Value>,
    conditions: BTreeMap<String, bool>,
}

/// Makes or changes a stack, which keeps its tags if none are given. On an error `aws` is
/// half-done: callers work on a copy.
pub(super) fn deploy(
    aws: &mut Aws,
    name: &str,
    parent: Option<&str>,
    path: &Path,
    given: &BTreeMap<String, String>,
    tags: Option<&Tags>,
) -> Result<(), StackError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem::new(format!("cannot read the template: {error}")));
    let deployed = text.and_then(|text| deploy_text(aws, name, parent, path, &text, given, tags));
    deployed.map_err(|problem| problem.in_template(path))
}

/// Like `deploy`, with a template that was read already; paths in it start from the folder of
/// `path`.
pub(super) fn deploy_text(
    aws: &mut Aws,
    name: &str,
    parent: Option<&str>,
    path: &Path,
    text: &str,
    given: &BTreeMap<String, String>,
    tags: Option<&Tags>,
) -> Result<(), Problem> {
    let template = Template::of(path, text)?;
    let bound = parameter::bind(&template.parameters, given).at("Parameters")?;
    let store = &aws.cloudformation.parameter_store;
    let parameters =
        parameter_store::resolved(&template.parameters, &bound, store).at("Parameters")?;
    let before = aws.cloudformation.stacks.remove(name);
    let reviewed = aws.cloudformation.reviewed.remove(name);
    let id = match before.as_ref().map(|stack| stack.id.clone()).or(reviewed) {
        Some(id) => id,
        None => format!(
            "{}/{}",
            aws.arn("cloudformation", &format!("stack/{name}")),
            aws.uuid()
        ),
    };
    let deployment = Deployment::new(aws, name, &id, &template, parameters)?;
    let order = deployment.order(aws)?;

    let kept = before.as_ref().map(|stack| &stack.tags);
    let stack = Stack {
        name: name.to_owned(),
        id,
        parent: parent.map(str::to_owned),
        template: path.to_owned(),
        body: text.into(),
        created: before.as_ref().map_or(aws.now, |stack| stack.created),
        updated: before.is_some().then_some(aws.now),
        parameters: bound,
        tags: tags.or(kept).cloned().unwrap_or_default(),
        resources: Vec::new(),
        outputs: BTreeMap::new(),
        imports: BTreeSet::new(),
        failure: None,
        in_progress: None,
    };
    let stacks = &mut aws.cloudformation.stacks;
    stacks.insert(name.to_owned(), Arc::new(stack));

    let existing = before.map_or_else(Vec::new, |stack| Arc::unwrap_or_clone(stack).resources);
    deployment.change(aws, &order, existing)
}

fn pseudo_parameters(aws: &Aws, name: &str, id: &str) -> Map<String, Value> {
    let pseudo = json!({
        "AWS::AccountId": aws.account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": aws.partition().name,
        "AWS::Region": aws.region,
        "AWS::StackId": id,
        "AWS::StackName": name,
        "AWS::URLSuffix": aws.partition().domain,
    });
    pseudo.as_object().cloned().unwrap_or_default()
}

impl<'a> Deployment<'a> {
    /// A deployment whose parameters satisfy the template's rules.
    fn new(
        aws: &Aws,
        name: &'a str,
        id: &str,
        template: &'a Template,
        parameters: Map<String, Value>,
    ) -> Result<Self, Problem> {
        let pseudo = pseudo_parameters(aws, name, id);
        rules::hold(&template.rules, &parameters, &pseudo)?;

        let conditions = condition::conditions(
            &template.conditions,
            &parameters,
            &pseudo,
            &template.mappings,
        )?;
        Ok(Self {
            name,
            template,
            parameters,
            pseudo,
            conditions,
        })
    }

    /// Makes the resources and outputs, then removes the resources that are gone or replaced.
    fn change(
        &self,
        aws: &mut Aws,
        order: &[Resource],
        existing: Vec<StackResource>,
    ) -> Result<(), Problem> {
        let mut replaced = Vec::new();
        for resource in order {
            let old = existing
                .iter()
                .find(|old| old.logical_id == resource.logical_id);
            self.resource(aws, resource, old, &mut replaced)
                .at(&resource.logical_id)
                .at("Resources")?;
        }

        self.outputs(aws)?;
        let gone = existing.into_iter().filter(|old| {
            order
                .iter()
                .all(|resource| resource.logical_id != old.logical_id)
        });
        let gone: Vec<StackResource> = gone.filter(|old| !old.retained).chain(replaced).collect();
        let id = self.stack(aws).id.clone();
        remove(aws, &id, gone)
    }

    fn scope<'s>(
        &'s self,
        resources: &'s [StackResource],
        exports: &'s BTreeMap<String, Export>,
    ) -> Scope<'s> {
        Scope {
            parameters: &self.parameters,
            pseudo: &self.pseudo,
            mappings: &self.template.mappings,
            conditions: &self.conditions,
            resources,
            exports,
            imported: RefCell::default(),
        }
    }

    fn order(&self, aws: &mut Aws) -> Result<Vec<Resource>, Problem> {
        let no_exports = BTreeMap::new();
        let depends = order::dependencies(&self.template.resources, &self.scope(&[], &no_exports))?;
        order::ordered(aws, &self.template.resources, &self.conditions, &depends)
    }

    /// Resolves within the stack as it stands, and notes the exports that were used.
    fn resolved<T>(
        &self,
        aws: &mut Aws,
        resolve: impl FnOnce(&Scope<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let state = &aws.cloudformation;
        let scope = self.scope(&state.stacks[self.name].resources, &state.exports);
        let value = resolve(&scope)?;
        let imported = scope.imported.into_inner();
        self.stack(aws).imports.extend(imported);
        Ok(value)
    }

    fn stack<'s>(&self, aws: &'s mut Aws) -> &'s mut Stack {
        let stack = aws.cloudformation.stacks.get_mut(self.name);
        Arc::make_mut(stack.expect("put there when the deployment began"))
    }

    /// Resolves the properties of one resource and makes it.
    fn resource(
        &self,
        aws: &mut Aws,
        resource: &Resource,
        old: Option<&StackResource>,
        replaced: &mut Vec<StackResource>,
    ) -> Result<(), Problem> {
        let kind = resources::find(&resource.kind).at("Type")?;
        let properties = Value::Object(resource.properties.clone());
        let mut properties = self
            .resolved(aws, |scope| {
                schema::fit(&scope.resolve_some(&properties)?, schema::of(kind.name))
            })
            .at("Properties")?;
        tags::check_own(&properties).at("Properties")?;
        tags::propagate(&self.stack(aws).tags, kind.name, &mut properties);
        let folder = self.template.path.parent();
        let desired = Desired {
            kind: kind.name,
            stack: self.name.to_owned(),
            logical_id: resource.logical_id.clone(),
            folder: folder.unwrap_or(Path::new("")).to_owned(),
            metadata: resource.metadata.clone(),
            properties,
        };
        let is_updated_service = kind.name == service_reports::SERVICE
            && old.is_some_and(|old| !changed(old, &desired).is_empty());
        let made = make(aws, kind, &desired, old, replaced)?;
        let made = StackResource {
            logical_id: desired.logical_id,
            kind: resource.kind.clone(),
            physical_id: made.physical_id,
            attributes: made.attributes,
            properties: desired.properties,
            metadata: desired.metadata,
            retained: resource.retained,
            retained_on_create: resource.retained_on_create,
            retained_on_replace: resource.retained_on_replace,
        };
        if is_updated_service {
            let id = self.stack(aws).id.clone();
            service_reports::report(aws, &id, &made);
        }
        self.stack(aws).resources.push(made);

        Ok(())
    }

    fn outputs(&self, aws: &mut Aws) -> Result<(), Problem> {
        let mut exported = BTreeMap::new();
        for output in &self.template.outputs {
            if output
                .condition
                .as_ref()
                .is_some_and(|name| self.conditions.get(name) != Some(&true))
            {
                continue;
            }

            let resolved = self.resolved(aws, |scope| {
                let export = output
                    .export
                    .as_ref()
                    .map(|export| scope.resolve_text(export).at("Export"))
                    .transpose()?;
                Ok((scope.resolve_text(&output.value).at("Value")?, export))
            });
            let (value, export) = resolved.at(&output.name).at("Outputs")?;
            self.stack(aws)
                .outputs
                .insert(output.name.clone(), value.clone());
            if let Some(export) = export
                && exported.insert(export.clone(), value).is_some()
            {
                return Err(Problem::new(format!("Duplicate Export names: {export}")))
                    .at(&output.name)
                    .at("Outputs");
            }
        }
        exports::publish(&mut aws.cloudformation, self.name, exported).at("Outputs")
    }
}
