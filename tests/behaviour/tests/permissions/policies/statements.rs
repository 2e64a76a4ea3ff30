//! Which elements of the statements of a role its calls need: those without which the emulated IAM
//! would refuse one of them.

use std::collections::{BTreeMap, BTreeSet};

use emulator::cloudformation::{Iam, Role, items};
use emulator::iam::{Access, Demand, evaluate};
use harness::demo::CLUSTER;
use serde_json::{Value, json};

use super::on_instances;
use super::scenes::Scene;

/// The clusters of the scenes.
const CLUSTERS: [&str; 2] = [CLUSTER, on_instances::CLUSTER];
/// What a policy can lose one by one.
const MEMBERS: [&str; 2] = ["Action", "Resource"];

/// A role of a template, in each scene and stack that has it.
pub(super) struct Granted<'a> {
    /// Template and role.
    pub(super) who: String,
    played: Vec<Played<'a>>,
}

/// The statements of a role as a scene left them, and what the scene demanded of the role.
struct Played<'a> {
    statements: Vec<Value>,
    demands: Vec<&'a Demand>,
}

impl<'a> Granted<'a> {
    /// What the policies of roles, given by name, allow in scenes.
    pub(super) fn of(who: String, roles: &[String], scenes: &[&'a Scene]) -> Self {
        let played = |scene: &&'a Scene, role: &Role| {
            let demands = scene.iam.demanded.get(&role.name).into_iter().flatten();
            Played {
                statements: statements(&scene.roles, role),
                demands: demands.map(|demand| &**demand).collect(),
            }
        };
        Self::in_each(who, roles, scenes, played)
    }

    /// Whom the trust policies of roles let in, as statements about the role. Their principals are
    /// not looked at.
    pub(super) fn trust_of(who: String, roles: &[String], scenes: &[&'a Scene]) -> Self {
        let played = |scene: &&'a Scene, role: &Role| {
            let mut statements = items(&role.trust["Statement"]).to_vec();
            for statement in &mut statements {
                statement["Resource"] = json!(role.arn);
            }
            let demands = scene.iam.demanded.values().flatten();
            let demands = demands.map(|demand| &**demand);
            Played {
                statements,
                demands: demands.filter(|it| it.resource == role.arn).collect(),
            }
        };
        Self::in_each(who, roles, scenes, played)
    }

    fn in_each(
        who: String,
        roles: &[String],
        scenes: &[&'a Scene],
        played: impl Fn(&&'a Scene, &Role) -> Played<'a>,
    ) -> Self {
        let mut all = Vec::new();
        for scene in scenes {
            let roles = roles.iter().filter_map(|name| scene.roles.role(name));
            all.extend(roles.map(|role| played(scene, role)));
        }
        assert!(!all.is_empty(), "no scene has {who}");
        Self { who, played: all }
    }

    /// The same without its statements of other Sids.
    pub(super) fn only(mut self, sids: &[&str]) -> Self {
        for played in &mut self.played {
            let statements = &mut played.statements;
            statements.retain(|known| sids.iter().any(|sid| known["Sid"] == *sid));
        }
        self
    }

    /// The Sids of all statements.
    pub(super) fn sids(&self) -> BTreeSet<String> {
        let all = self.played.iter().flat_map(|played| &played.statements);
        all.filter(|statement| statement.get("Sid").is_some())
            .map(|statement| text(&statement["Sid"]))
            .collect()
    }

    /// The Sids of the statements that deny.
    pub(super) fn denying(&self) -> BTreeSet<String> {
        let all = self.played.iter().flat_map(|played| &played.statements);
        all.filter(|statement| statement["Effect"] != "Allow")
            .map(|statement| text(&statement["Sid"]))
            .collect()
    }

    /// The elements that no call needs: Sid, `Action` or `Resource`, and the element. Of a
    /// statement without a needed action, the actions only.
    pub(super) fn unused(&self) -> BTreeSet<(String, &'static str, String)> {
        let mut found = BTreeMap::new();
        for played in &self.played {
            for (at, statement) in played.allowing() {
                for (member, nth, element) in elements(statement) {
                    let key = (text(&statement["Sid"]), member, nth);
                    let known = found.entry(key).or_insert((text(element), false));
                    known.1 = known.1 || played.needs(at, member, nth);
                }
            }
        }

        let needed: BTreeSet<String> = found
            .iter()
            .filter(|((_, member, _), (_, is_needed))| *member == "Action" && *is_needed)
            .map(|((sid, ..), _)| sid.clone())
            .collect();
        found
            .into_iter()
            .filter(|((sid, member, _), (_, is_needed))| {
                !is_needed && (*member == "Action" || needed.contains(sid))
            })
            .map(|((sid, member, _), (element, _))| (sid, member, element))
            .collect()
    }

    /// The resources with a wildcard: Sid and shape. Not `*` where each action of its statement was
    /// demanded on everything, which only `*` allows.
    pub(super) fn wide(&self) -> BTreeSet<(String, String)> {
        let mut wide = BTreeSet::new();
        for played in &self.played {
            for (_, statement) in played.allowing() {
                let resources = items(&statement["Resource"]).iter().map(text);
                let resources = resources.filter(|resource| resource.contains(['*', '?']));
                wide.extend(
                    resources
                        .filter(|resource| resource != "*" || !self.is_of_everything(statement))
                        .map(|resource| (text(&statement["Sid"]), shape(&resource))),
                );
            }
        }
        wide
    }

    fn is_of_everything(&self, statement: &Value) -> bool {
        items(&statement["Action"]).iter().all(|action| {
            let mut demands = self.played.iter().flat_map(|played| &played.demands);
            demands.any(|demand| *action == demand.action && demand.resource == "*")
        })
    }

    /// The condition keys of the statements: Sid and key.
    pub(super) fn conditions(&self) -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for played in &self.played {
            for (_, statement) in played.allowing() {
                let operators = statement["Condition"].as_object().into_iter().flatten();
                let keys = operators.filter_map(|(_, keys)| keys.as_object());
                let keys = keys.flatten().map(|(key, _)| key.clone());
                found.extend(keys.map(|key| (text(&statement["Sid"]), key)));
            }
        }
        found
    }

    /// The values that statements have for a condition key, with their Sids, and whether a call
    /// needs the value.
    pub(super) fn values(&self, key: &str) -> BTreeMap<(String, String), bool> {
        let mut found = BTreeMap::new();
        for played in &self.played {
            for (at, statement) in played.allowing() {
                for (nth, value) in values(statement, key).iter().enumerate() {
                    let known = found.entry((text(&statement["Sid"]), text(value)));
                    let is_needed = known.or_insert(false);
                    *is_needed = *is_needed || played.needs_value(at, key, nth);
                }
            }
        }
        found
    }

    /// Whether a call with another value of a condition key, or without the key, is refused for
    /// this condition of a statement alone.
    pub(super) fn is_kept_out(&self, sid: &str, key: &str, value: Option<&str>) -> bool {
        self.played.iter().any(|played| {
            let mut statements = played
                .allowing()
                .filter(|(_, statement)| statement["Sid"] == sid);
            statements.any(|(at, _)| {
                let without = played.without_condition(at, key);
                played.calls(at).any(|call| {
                    let other = with_value(call, key, value);
                    !is_allowed(&played.statements, &other) && is_allowed(&without, &other)
                })
            })
        })
    }
}

impl<'a> Played<'a> {
    /// The statements that allow something, with their positions.
    fn allowing(&self) -> impl Iterator<Item = (usize, &Value)> {
        self.statements
            .iter()
            .enumerate()
            .filter(|(_, known)| known["Effect"] == "Allow" && known.get("Sid").is_some())
    }

    /// The allowed calls of the actions of a statement.
    fn calls(&self, at: usize) -> impl Iterator<Item = &'a Demand> {
        let actions = items(&self.statements[at]["Action"]);
        self.demands.iter().copied().filter(move |demand| {
            let is_named = actions.iter().any(|action| *action == demand.action);
            is_named && is_allowed(&self.statements, demand)
        })
    }

    /// Whether one of these calls is not allowed without an element of the statement.
    fn needs(&self, at: usize, member: &str, nth: usize) -> bool {
        let mut without = self.statements.clone();
        let all = items(&self.statements[at][member]).iter().enumerate();
        without[at][member] = all
            .filter(|(other, _)| *other != nth)
            .map(|(_, kept)| kept.clone())
            .collect();
        self.calls(at).any(|call| !is_allowed(&without, call))
    }

    /// Whether one of the calls of a statement is not allowed without a value of its condition key.
    fn needs_value(&self, at: usize, key: &str, nth: usize) -> bool {
        let all = values(&self.statements[at], key).iter().enumerate();
        let kept: Value = all
            .filter(|(other, _)| *other != nth)
            .map(|(_, value)| value.clone())
            .collect();

        let mut without = self.statements.clone();
        let operators = without[at]["Condition"].as_object_mut();
        for keys in operators.into_iter().flat_map(|all| all.values_mut()) {
            if let Some(values) = keys.get_mut(key) {
                *values = kept.clone();
            }
        }
        self.calls(at).any(|call| !is_allowed(&without, call))
    }

    /// The statements without a condition key of one of them.
    fn without_condition(&self, at: usize, key: &str) -> Vec<Value> {
        let mut without = self.statements.clone();
        let operators = without[at]["Condition"].as_object_mut();
        for keys in operators.into_iter().flat_map(|all| all.values_mut()) {
            keys.as_object_mut()
                .expect("keys with values")
                .shift_remove(key);
        }
        without
    }
}

/// The statements of a role's own policies and of those of the templates that are attached to it.
fn statements(roles: &Iam, role: &Role) -> Vec<Value> {
    let attached = role.managed_policies.iter();
    let attached = attached
        .filter_map(|arn| roles.managed_policy(arn))
        .flat_map(|document| items(&document["Statement"]));
    role.statements().chain(attached).cloned().collect()
}

/// The values of a condition key of a statement.
fn values<'a>(statement: &'a Value, key: &str) -> &'a [Value] {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    let mut found = operators.filter_map(|(_, keys)| keys.get(key));
    found.next().map_or(&[][..], items)
}

/// The elements of a statement, with what they are and their positions.
fn elements(statement: &Value) -> impl Iterator<Item = (&'static str, usize, &Value)> {
    MEMBERS.into_iter().flat_map(move |member| {
        let all = items(&statement[member]).iter().enumerate();
        all.map(move |(nth, element)| (member, nth, element))
    })
}

fn is_allowed(statements: &[Value], demand: &Demand) -> bool {
    evaluate(statements, demand) == Ok(Access::Allowed)
}

/// The same demand with another value of a condition key, or without the key.
fn with_value(demand: &Demand, key: &str, value: Option<&str>) -> Demand {
    let mut other = demand.clone();
    let lower = key.to_ascii_lowercase();
    match value {
        Some(value) if other.sets.contains_key(&lower) => other.with_all(key, [value.to_owned()]),
        Some(value) => other.with(key, value),
        None => {
            other.context.remove(&lower);
            other
        }
    }
}

/// Service and resource of an ARN, without the names that the demo gives to bucket, table, cluster
/// and service. The whole ARN if what stands before the resource has a wildcard.
fn shape(resource: &str) -> String {
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let [_, partition, service, region, account, rest] = parts[..] else {
        return resource.to_owned();
    };
    let place = [partition, service, region, account];
    if place.iter().any(|part| part.contains(['*', '?'])) {
        return resource.to_owned();
    }

    let mut segments: Vec<&str> = rest.split('/').collect();
    let names: &[(usize, &str)] = if service == "s3" {
        &[(0, "<bucket>")]
    } else if service == "dynamodb" {
        &[(1, "<table>")]
    } else if segments.get(1).is_some_and(|it| CLUSTERS.contains(it)) {
        &[(1, "<cluster>"), (2, "<service>")]
    } else {
        &[]
    };
    for (at, name) in names {
        if let Some(segment) = segments.get_mut(*at)
            && !segment.contains('*')
        {
            *segment = *name;
        }
    }
    format!("{service}:{}", segments.join("/"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a word").to_owned()
}

#[test]
fn an_action_that_is_not_called_and_a_resource_that_another_one_covers_are_unused() {
    let call = Demand::new("s3:GetObject", "arn:aws:s3:::a/1");
    let statement = |resources: Value| {
        json!({
            "Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": resources,
        })
    };
    let unused = |resources: Value| {
        let played = Played {
            statements: vec![statement(resources)],
            demands: vec![&call],
        };
        let granted = Granted {
            who: "a role".to_owned(),
            played: vec![played],
        };
        let unused = granted.unused().into_iter();
        unused.map(|(_, _, element)| element).collect::<Vec<_>>()
    };

    let [wide, other] = ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"];
    assert_eq!(unused(json!([wide])), ["s3:PutObject"]);
    assert_eq!(unused(json!([wide, other])), ["s3:PutObject", other]);
    let covered = json!([wide, "arn:aws:s3:::a/1"]);
    assert_eq!(unused(covered), ["s3:PutObject", wide, "arn:aws:s3:::a/1"]);
}

#[test]
fn a_wildcard_before_the_resource_of_an_arn_is_part_of_its_shape() {
    let account = "arn:aws:ecs:eu-west-1:111122223333:task/*";
    assert_eq!(shape(account), "ecs:task/*");
    for wider in [
        "arn:*:ecs:eu-west-1:111122223333:task/*",
        "arn:aws:ecs:*:111122223333:task/*",
        "arn:aws:ecs:eu-west-1:*:task/*",
    ] {
        assert_eq!(shape(wider), wider);
    }
}
