//! Conditions: what is true in one stack, known before any resource is made.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{At, Problem, found, takes};
use super::parameter::text;
use super::resolve::Scope;

impl Scope<'_> {
    /// The truth of a condition function; conditions see parameters, pseudo parameters and
    /// mappings.
    pub(super) fn truth(&self, value: &Value) -> Result<bool, Problem> {
        let entries = value.as_object().filter(|entries| entries.len() == 1);
        let Some((name, argument)) = entries.and_then(|entries| entries.iter().next()) else {
            return Err(Problem::new(format!(
                "takes a condition function, found {}",
                found(value)
            )));
        };

        let all = || -> Result<Vec<bool>, Problem> {
            let limits = if name == "Fn::Not" { 1..=1 } else { 2..=10 };
            let parts = argument
                .as_array()
                .filter(|parts| limits.contains(&parts.len()));
            let parts = parts.ok_or_else(|| {
                Problem::new(format!(
                    "takes {} to {} conditions",
                    limits.start(),
                    limits.end()
                ))
            })?;

            parts
                .iter()
                .enumerate()
                .map(|(at, part)| self.truth(part).at(at))
                .collect()
        };
        match (name.as_str(), argument) {
            ("Fn::Equals", _) => self
                .two(argument)
                .and_then(|[left, right]| Ok(equal(&left)? == equal(&right)?)),
            ("Fn::Contains", _) => self.contains(argument),
            ("Fn::And", _) => all().map(|parts| parts.iter().all(|part| *part)),
            ("Fn::Or", _) => all().map(|parts| parts.iter().any(|part| *part)),
            ("Fn::Not", _) => all().map(|parts| !parts[0]),
            ("Condition", Value::String(name)) => self
                .conditions
                .get(name)
                .copied()
                .ok_or_else(|| Problem::new(format!("unknown condition {name}, or a circle"))),
            _ => Err(Problem::new(
                "unknown condition function; known are Fn::And, Fn::Equals, Fn::Not, Fn::Or, \
                 Condition",
            )),
        }
        .at(name)
    }

    /// Whether a list has a text: a function of rules, which conditions do not have.
    fn contains(&self, argument: &Value) -> Result<bool, Problem> {
        let [list, wanted] = self.two(argument)?;
        let items = list.as_array().ok_or_else(|| takes("a list", &list))?;
        let items: Vec<String> = items.iter().map(equal).collect::<Result<_, _>>()?;

        Ok(items.contains(&equal(&wanted)?))
    }
}

/// Numbers and their text are equal to each other, as parameters are text.
fn equal(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Array(_) | Value::Object(_) => Err(Problem::new(format!(
            "compares text, found {}",
            found(value)
        ))),
        other => text(other),
    }
}

/// The truth of every condition, whatever order they are written in.
pub(super) fn conditions(
    raw: &Map<String, Value>,
    parameters: &Map<String, Value>,
    pseudo: &Map<String, Value>,
    mappings: &Map<String, Value>,
) -> Result<BTreeMap<String, bool>, Problem> {
    let mut known = BTreeMap::new();
    loop {
        let exports = BTreeMap::new();
        let scope = Scope {
            parameters,
            pseudo,
            mappings,
            conditions: &known,
            resources: &[],
            exports: &exports,
            imported: RefCell::default(),
        };
        let open = raw.iter().filter(|(name, _)| !known.contains_key(*name));
        let (mut decided, mut first_problem) = (BTreeMap::new(), Ok(()));

        for (name, value) in open {
            match scope.truth(value).at(name).at("Conditions") {
                Ok(truth) => drop(decided.insert(name.clone(), truth)),
                Err(problem) => first_problem = first_problem.and(Err(problem)),
            }
        }

        if decided.is_empty() {
            return first_problem.map(|()| known);
        }
        known.append(&mut decided);
    }
}
