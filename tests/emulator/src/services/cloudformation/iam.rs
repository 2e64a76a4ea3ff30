//! The roles that templates make, with what their policies allow.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::text::short_name;

/// The roles of the account. Copies of the account share what they do not change.
#[derive(Clone, Debug, Default)]
pub struct Iam {
    /// By name.
    roles: BTreeMap<String, Arc<Role>>,
    /// The documents of managed policies, by the ARNs of the policies.
    managed_policies: BTreeMap<String, Arc<Value>>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// `AROA…`.
    pub id: String,
    pub name: String,
    pub arn: String,
    /// The path, with a slash at both ends.
    pub path: String,
    /// Who may assume it: the policy document.
    pub trust: Value,
    /// The ARNs of the managed policies attached to it.
    pub managed_policies: Vec<String>,
    /// The inline policies: name to policy document.
    pub policies: BTreeMap<String, Value>,
    /// How long a session may last, in seconds.
    pub max_session_seconds: i64,
    /// The ARN of the managed policy that bounds what the role may do.
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Role {
    /// The statements of all inline policies.
    pub fn statements(&self) -> impl Iterator<Item = &Value> {
        self.policies
            .values()
            .flat_map(|document| items(&document["Statement"]))
    }

    /// Whether a service, e.g. `lambda.amazonaws.com`, may assume the role.
    pub fn trusts(&self, service: &str) -> bool {
        items(&self.trust["Statement"]).iter().any(|statement| {
            let actions = items(&statement["Action"]);
            let assumes = actions
                .iter()
                .any(|action| action == "sts:AssumeRole" || action == "sts:*" || action == "*");

            statement["Effect"] == "Allow"
                && assumes
                && items(&statement["Principal"]["Service"])
                    .iter()
                    .any(|one| one == service)
        })
    }
}

/// A policy's one-or-many as many.
pub fn items(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

impl Iam {
    /// A role by name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name).map(Arc::as_ref)
    }

    pub fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        self.role(short_name(arn)).filter(|role| role.arn == arn)
    }

    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values().map(Arc::as_ref)
    }

    /// A role to be changed by hand, as an operator may.
    pub fn role_mut(&mut self, name: &str) -> Option<&mut Role> {
        self.roles.get_mut(name).map(Arc::make_mut)
    }

    /// The document of a managed policy of the account.
    pub fn managed_policy(&self, arn: &str) -> Option<&Value> {
        self.managed_policies.get(arn).map(Arc::as_ref)
    }

    pub(crate) fn put_managed_policy(&mut self, arn: String, document: Value) {
        self.managed_policies.insert(arn, Arc::new(document));
    }

    pub(super) fn remove_managed_policy(&mut self, arn: &str) {
        self.managed_policies.remove(arn);
    }

    pub(crate) fn put(&mut self, role: Role) {
        self.roles.insert(role.name.clone(), Arc::new(role));
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Arc<Role>> {
        self.roles.remove(name)
    }
}
