//! CloudFormation, small and strict: it deploys the project's own templates, SAM included, and
//! refuses what it does not know, so that a template which deploys here is one that CloudFormation
//! would read the same way.
//!
//! A stack operation happens at one instant. It works on a copy of the account that replaces the
//! account when all of it has succeeded, so nothing is left half-done. One that a custom resource
//! takes part in happens when that has responded.

mod api;
mod change_set;
mod changes;
mod check;
mod condition;
mod custom;
mod deletion;
mod describe;
mod desired_stack;
mod error;
mod exports;
mod format;
mod iam;
mod operation;
mod order;
mod parameter;
mod parameter_store;
mod permissions;
mod resolve;
mod resources;
mod rules;
mod sam;
mod schema;
mod service_reports;
mod stack;
mod stack_events;
mod tags;
mod template;
mod template_source;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use error::Problem;
use operation::Operation;

use crate::Aws;
use crate::protocol::{Protocol, Query};
use crate::service::{Errors, Service};
pub(crate) use custom::{is_response, respond};
pub use error::StackError;
pub use iam::{Iam, Role, items};
pub use stack::{Export, Stack, StackResource};

pub(crate) const SERVICE: Service = Service {
    name: "cloudformation",
    protocol: Protocol::Query(Query {
        version: "2010-05-15",
        namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/",
        call: api::call,
    }),
    errors: Errors::QUERY,
    demands: permissions::demands,
};

/// The stacks of the account, and those of their resources that no other module keeps.
#[derive(Clone, Debug, Default)]
pub struct CloudFormation {
    /// By name. Copies of the account share the stacks that they do not change.
    stacks: BTreeMap<String, Arc<Stack>>,
    exports: BTreeMap<String, Export>,
    pub iam: Iam,
    /// The parameters of Systems Manager, by their names.
    pub parameter_store: BTreeMap<String, String>,
    /// By their ARNs.
    change_sets: BTreeMap<String, change_set::ChangeSet>,
    /// The ids of stacks that change sets would create, by name.
    reviewed: BTreeMap<String, String>,
    /// The capabilities with which UpdateStack was the last to change a stack, by its id.
    direct_updates: BTreeMap<String, Vec<String>>,
    /// Stacks that were deleted, by their ids.
    deleted: BTreeMap<String, deletion::Deleted>,
    custom: custom::CustomResources,
    /// Type and name of things that exist by their name only.
    names: BTreeSet<(&'static str, String)>,
}

impl CloudFormation {
    /// A stack by name.
    pub fn stack(&self, name: &str) -> Option<&Stack> {
        self.stacks.get(name).map(Arc::as_ref)
    }

    /// All stacks, nested ones included, in the order of their names.
    pub fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.stacks.values().map(Arc::as_ref)
    }

    /// The value of an export.
    pub fn export(&self, name: &str) -> Option<&str> {
        self.exports.get(name).map(|export| export.value.as_str())
    }

    /// The stack that is a resource of another stack.
    pub fn nested_stack(&self, parent: &str, logical_id: &str) -> Option<&Stack> {
        let id = &self.stack(parent)?.resource(logical_id)?.physical_id;
        self.stacks().find(|stack| stack.id == *id)
    }
}

/// Whether templates can have resources of a type.
#[cfg(test)]
pub(crate) fn makes(kind: &str) -> bool {
    resources::find(kind).is_ok()
}

/// Creates the stack, or updates the one of that name. It is in progress afterwards if a custom
/// resource has to respond first.
///
/// # Errors
/// Whatever the template or a service refuses; the account is then as it was.
pub fn deploy(
    aws: &mut Aws,
    stack_name: &str,
    template_path: &Path,
    parameters: &BTreeMap<String, String>,
) -> Result<(), StackError> {
    let text = std::fs::read_to_string(template_path).map_err(|error| {
        Problem::new(format!("cannot read the template: {error}")).in_template(template_path)
    })?;
    deploy_text(aws, stack_name, template_path, &text, parameters)
}

/// As [`deploy`], with a template that is not a file: paths in it start from the folder of
/// `template_path`.
///
/// # Errors
/// As [`deploy`].
pub fn deploy_text(
    aws: &mut Aws,
    stack_name: &str,
    template_path: &Path,
    text: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<(), StackError> {
    let deployment = Operation::deployment(stack_name, template_path, text, parameters);
    let after = deployment.attempt(aws);
    *aws = after.map_err(|problem| problem.in_template(template_path))?;
    Ok(())
}

/// Deletes a stack with everything in it that its template does not retain, as [`deploy`] makes it.
///
/// # Errors
/// An unknown stack, an export that is in use, or a resource that its service does not delete; the
/// account is then as it was.
pub fn delete(aws: &mut Aws, stack_name: &str) -> Result<(), StackError> {
    let after = Operation::deletion(stack_name).attempt(aws);
    *aws = after.map_err(|problem| problem.in_template(Path::new(stack_name)))?;
    Ok(())
}
