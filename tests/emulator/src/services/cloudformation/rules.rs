//! The section `Rules`: what parameters must be together, looked at before anything is made.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{At, Problem, found};
use super::resolve::Scope;

/// A rule as its template declares it.
#[derive(Clone, Debug)]
pub(super) struct TemplateRule {
    name: String,
    /// The assertions count only where this is true.
    condition: Option<Value>,
    /// What must be true, and the message where it is not.
    assertions: Vec<(Value, Option<String>)>,
}

impl TemplateRule {
    pub(super) fn read(name: &str, entry: &Value) -> Result<Self, Problem> {
        let attributes = known(entry, &["RuleCondition", "Assertions"])?;
        let assertions = match attributes.get("Assertions") {
            Some(Value::Array(assertions)) if !assertions.is_empty() => assertions,
            _ => return Err(Problem::new("takes at least one assertion")).at("Assertions"),
        };
        let assertions = assertions
            .iter()
            .enumerate()
            .map(|(at, one)| assertion(one).at(at));

        Ok(Self {
            name: name.to_owned(),
            condition: attributes.get("RuleCondition").cloned(),
            assertions: assertions.collect::<Result<_, _>>().at("Assertions")?,
        })
    }
}

fn assertion(entry: &Value) -> Result<(Value, Option<String>), Problem> {
    let attributes = known(entry, &["Assert", "AssertDescription"])?;
    let assert = attributes
        .get("Assert")
        .ok_or_else(|| Problem::new("every assertion must have an Assert"))?;
    let description = attributes.get("AssertDescription").and_then(Value::as_str);
    Ok((assert.clone(), description.map(ToOwned::to_owned)))
}

fn known<'a>(entry: &'a Value, names: &[&str]) -> Result<&'a Map<String, Value>, Problem> {
    let attributes = entry
        .as_object()
        .ok_or_else(|| Problem::new(format!("takes a map, found {}", found(entry))))?;
    match attributes
        .keys()
        .find(|name| !names.contains(&name.as_str()))
    {
        Some(unknown) => Err(Problem::new(format!(
            "unknown attribute; known are {}",
            names.join(", ")
        )))
        .at(unknown),
        None => Ok(attributes),
    }
}

/// Refuses parameters that break a rule. Rules see parameters and pseudo parameters, and neither
/// conditions nor mappings; of their functions those that conditions have too are evaluated, and
/// `Fn::Contains`.
pub(super) fn hold(
    rules: &[TemplateRule],
    parameters: &Map<String, Value>,
    pseudo: &Map<String, Value>,
) -> Result<(), Problem> {
    let (conditions, exports, mappings) = (BTreeMap::new(), BTreeMap::new(), Map::new());
    let scope = Scope {
        parameters,
        pseudo,
        mappings: &mappings,
        conditions: &conditions,
        resources: &[],
        exports: &exports,
        imported: RefCell::default(),
    };

    for rule in rules {
        holds(rule, &scope).at(&rule.name).at("Rules")?;
    }
    Ok(())
}

fn holds(rule: &TemplateRule, scope: &Scope<'_>) -> Result<(), Problem> {
    let counts = rule
        .condition
        .as_ref()
        .map_or(Ok(true), |condition| scope.truth(condition))
        .at("RuleCondition")?;
    if !counts {
        return Ok(());
    }

    for (at, (assert, description)) in rule.assertions.iter().enumerate() {
        if !scope.truth(assert).at("Assert").at(at).at("Assertions")? {
            let message = description
                .clone()
                .unwrap_or_else(|| format!("{} is false", found(assert)));
            return Err(Problem::new(message)).at(at).at("Assertions");
        }
    }
    Ok(())
}
