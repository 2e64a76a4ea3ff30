//! CloudFormation, small and strict: it deploys the project's own templates, SAM included, and
//! refuses what it does not know, so that a template which deploys here is one that CloudFormation
//! would read the same way.
//!
//! A stack operation happens at one instant. It works on a copy of the account that replaces the
//! account when all of it has succeeded, so nothing is left half-done.

mod api;
mod change_set;
mod check;
mod condition;
mod deletion;
mod error;
mod exports;
mod format;
mod iam;
mod order;
mod parameter;
mod resolve;
mod resources;
mod rules;
mod sam;
mod schema;
mod stack;
mod stack_events;
mod template;
mod template_source;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::Aws;
use crate::protocol::{Protocol, Query};
use crate::service::{Errors, Service};
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
    errors: Errors::JSON,
    demands: crate::iam::actions::unlisted,
};

/// The stacks of the account, and those of their resources that no other module keeps.
#[derive(Clone, Debug, Default)]
pub struct CloudFormation {
    stacks: BTreeMap<String, Stack>,
    exports: BTreeMap<String, Export>,
    pub iam: Iam,
    /// By their ARNs.
    change_sets: BTreeMap<String, change_set::ChangeSet>,
    /// The ids of stacks that change sets would create, by name.
    reviewed: BTreeMap<String, String>,
    /// Type and name of things that exist by their name only.
    names: BTreeSet<(&'static str, String)>,
}

impl CloudFormation {
    /// A stack by name.
    pub fn stack(&self, name: &str) -> Option<&Stack> {
        self.stacks.get(name)
    }

    /// All stacks, nested ones included, in the order of their names.
    pub fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.stacks.values()
    }

    /// The value of an export.
    pub fn export(&self, name: &str) -> Option<&str> {
        self.exports.get(name).map(|export| export.value.as_str())
    }

    /// The stack that is a resource of another stack.
    pub fn nested_stack(&self, parent: &str, logical_id: &str) -> Option<&Stack> {
        let id = &self.stack(parent)?.resource(logical_id)?.physical_id;
        self.stacks.values().find(|stack| stack.id == *id)
    }
}

/// Creates the stack, or updates the one of that name.
///
/// # Errors
/// Whatever the template or a service refuses; the account is then as it was.
pub fn deploy(
    aws: &mut Aws,
    stack_name: &str,
    template_path: &Path,
    parameters: &BTreeMap<String, String>,
) -> Result<(), StackError> {
    let mut draft = aws.clone();
    stack::deploy(&mut draft, stack_name, None, template_path, parameters)?;
    *aws = draft;
    Ok(())
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
    let mut draft = aws.clone();
    stack::deploy_text(
        &mut draft,
        stack_name,
        None,
        template_path,
        text,
        parameters,
    )
    .map_err(|problem| problem.in_template(template_path))?;
    *aws = draft;
    Ok(())
}

/// Deletes a stack with everything in it that its template does not retain.
///
/// # Errors
/// An unknown stack, an export that is in use, or a resource that its service does not delete; the
/// account is then as it was.
pub fn delete(aws: &mut Aws, stack_name: &str) -> Result<(), StackError> {
    let mut draft = aws.clone();
    stack::delete(&mut draft, stack_name)
        .map_err(|problem| problem.in_template(Path::new(stack_name)))?;
    *aws = draft;
    Ok(())
}
