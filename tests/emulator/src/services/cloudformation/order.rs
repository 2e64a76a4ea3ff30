//! The order in which resources are made.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{At, Problem};
use super::resolve::Scope;
use super::template::Resource;
use crate::Aws;

/// The resources whose conditions hold, each after those that it refers to or names in `DependsOn`.
/// The order of those that do not depend on each other is not promised by CloudFormation and drawn
/// here: each in turn, in a drawn order, comes as early as its dependencies let it, so that a
/// `DependsOn` which is missing is found out within a few seeds.
pub(super) fn ordered(
    aws: &mut Aws,
    resources: &[Resource],
    conditions: &BTreeMap<String, bool>,
    depends: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<Resource>, Problem> {
    let mut drawn: Vec<&Resource> = resources
        .iter()
        .filter(|resource| holds(resource, conditions))
        .collect();
    aws.rng.shuffle(&mut drawn);

    let mut visit = Visit {
        drawn: &drawn,
        depends,
        path: Vec::new(),
        ordered: Vec::new(),
    };
    for resource in &drawn {
        visit.resource(resource)?;
    }
    Ok(visit.ordered.into_iter().cloned().collect())
}

struct Visit<'a> {
    drawn: &'a [&'a Resource],
    depends: &'a BTreeMap<String, BTreeSet<String>>,
    /// What waits for the resource that is looked at.
    path: Vec<&'a str>,
    ordered: Vec<&'a Resource>,
}

impl<'a> Visit<'a> {
    fn resource(&mut self, resource: &'a Resource) -> Result<(), Problem> {
        let id = resource.logical_id.as_str();
        if self.ordered.iter().any(|made| made.logical_id == id) {
            return Ok(());
        }
        if let Some(start) = self.path.iter().position(|waiting| *waiting == id) {
            let mut circle = self.path[start..].to_vec();
            circle.sort_unstable();
            return Err(Problem::new(format!(
                "Circular dependency between resources: [{}]",
                circle.join(", ")
            )));
        }

        self.path.push(id);
        for dependency in self.drawn {
            if self.depends[id].contains(&dependency.logical_id) {
                self.resource(dependency)?;
            }
        }

        self.path.pop();
        self.ordered.push(resource);
        Ok(())
    }
}

/// Whether a resource's condition holds.
pub(super) fn holds(resource: &Resource, conditions: &BTreeMap<String, bool>) -> bool {
    resource
        .condition
        .as_ref()
        .is_none_or(|name| conditions.get(name) == Some(&true))
}

/// What each resource depends on.
pub(super) fn dependencies(
    resources: &[Resource],
    scope: &Scope<'_>,
) -> Result<BTreeMap<String, BTreeSet<String>>, Problem> {
    let mut all = BTreeMap::new();
    for resource in resources
        .iter()
        .filter(|resource| holds(resource, scope.conditions))
    {
        let mut ids: BTreeSet<String> = resource.depends_on.iter().cloned().collect();
        // References in Metadata order resources too.
        for value in resource
            .properties
            .values()
            .chain(resource.metadata.values())
        {
            scope.references(value, &mut ids)?;
        }
        let made = |id: &String| {
            resources
                .iter()
                .any(|other| other.logical_id == *id && holds(other, scope.conditions))
        };
        if let Some(id) = resource.depends_on.iter().find(|id| !made(id)) {
            let problem = Problem::new(format!(
                "unresolved resource dependencies [{id}]: its condition is false"
            ));
            return Err(problem)
                .at("DependsOn")
                .at(&resource.logical_id)
                .at("Resources");
        }
        all.insert(resource.logical_id.clone(), ids);
    }
    Ok(all)
}
