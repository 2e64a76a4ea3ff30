//! Parameters whose values are names in the parameter store of Systems Manager.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{At, Problem};
use super::parameter::Parameter;

/// The type of such a parameter.
pub(super) const KIND: &str = "AWS::SSM::Parameter::Value<String>";

/// What `Ref` gives of each parameter: the value in the store in place of its name there.
pub(super) fn resolved(
    parameters: &[Parameter],
    bound: &Map<String, Value>,
    store: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, Problem> {
    let mut resolved = bound.clone();
    for parameter in parameters.iter().filter(|one| one.kind == KIND) {
        let named = bound[&parameter.name].as_str().unwrap_or_default();
        let value = store.get(named).cloned().ok_or_else(|| {
            Problem::new(format!(
                "Unable to fetch parameters [{named}] from parameter store for this account."
            ))
        });
        let value = value.at(&parameter.name)?;
        resolved.insert(parameter.name.clone(), Value::String(value));
    }
    Ok(resolved)
}
