//! What only a dry run looks at: what a release begins without, although it may fail or do harm
//! later.

use slipway::job::{Checks, Failure, StepError};
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::listener_rule::RuleView;
use slipway::release::PriorPair;
use slipway::task_definition::{ROLE_PATH, TaskDefinition};

use crate::BeginRelease;
use crate::preflight::{NEW, PRIOR, RULE};
use crate::restorable::{LISTED_ROLES, PlannedRollout};
use crate::target::{FoundTarget, group_of};

impl BeginRelease {
    pub(crate) async fn inspect(
        &self,
        checks: &mut Checks,
        target: &FoundTarget,
        rollout: Option<&PlannedRollout>,
    ) -> Result<(), StepError> {
        for seen in target.services() {
            let group = group_of(seen.name().1);
            let breaker = circuit_breaker(seen.circuit_breaker());
            checks.ok((group.as_str(), "circuit-breaker"), breaker);
        }

        if let Some(rollout) = rollout {
            let has_role = self.sdk.deploy_role().is_some();
            checks.skip((NEW, "roles"), passing(&rollout.base, has_role));
            let is_active = self.task_definitions.is_active(&rollout.arn).await;
            checks.take((PRIOR, "status"), is_active, |is_active| status(*is_active))?;
        }

        match target {
            FoundTarget::Service(_) => Ok(()),
            FoundTarget::Pair { prior, .. } => self.inspect_rule(checks, prior).await,
        }
    }

    async fn inspect_rule(&self, checks: &mut Checks, pair: &PriorPair) -> Result<(), StepError> {
        let stack = self.rules.stack(&pair.rule).await;
        checks.take((RULE, "owner"), stack, |stack| owner(stack.as_deref()))?;

        let groups = PerColour::from_fn(|colour| pair.of(colour).target_group.as_str());
        let others = self.rules.beside(&pair.rule).await;
        let single = others
            .map_err(StepError::from)
            .and_then(|others| beside(&others, groups).map_err(StepError::from));

        let at = (RULE, "other-rules");
        match single {
            Ok(single) if !single.is_empty() => checks.skip(
                at,
                format!(
                    "{} forward to one colour only, as test rules do: their traffic stays with it",
                    single.join(", ")
                ),
            ),
            other => {
                checks.take(at, other, |_| "none forwards to the pair".to_owned())?;
            }
        }
        Ok(())
    }
}

fn circuit_breaker(rolls_back: Option<bool>) -> &'static str {
    match rolls_back {
        Some(true) => "on, with rollback",
        Some(false) => "on, without rollback: roll-back restores the prior release",
        None => "off: a rollout of a broken image fails at its deadline only",
    }
}

/// IAM has no operation that passes a role and changes nothing
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html).
fn passing(base: &TaskDefinition, has_role: bool) -> String {
    let outside: Vec<String> = base
        .roles_outside_path()
        .map(|(field, role)| format!("`{field}` is {role}"))
        .collect();
    let warning = if has_role {
        format!("; {LISTED_ROLES}")
    } else if outside.is_empty() {
        String::new()
    } else {
        let outside = outside.join(", ");
        format!("; {outside}, which the shipped policies allow under {ROLE_PATH} only")
    };

    format!(
        "whether they exist and may be passed is proven by register-task-definition, or by \
         iam:SimulatePrincipalPolicy, which the functions may not call{warning}"
    )
}

fn status(is_active: bool) -> String {
    if is_active {
        "ACTIVE".to_owned()
    } else {
        "INACTIVE; a rollback of a single service registers it again".to_owned()
    }
}

fn owner(stack: Option<&str>) -> String {
    match stack {
        Some(stack) => format!(
            "stack {stack} of CloudFormation: an update of it that changes the rule resets the \
             weights"
        ),
        None => "no stack of CloudFormation".to_owned(),
    }
}

/// The other rules that forward to one colour of a pair only. Refuses one that forwards to both:
/// its weights stay when a release moves the traffic of its own rule.
fn beside(others: &[(String, RuleView)], groups: PerColour<&str>) -> Result<Vec<String>, Failure> {
    let mut single = Vec::new();

    for (arn, view) in others {
        let names = |colour: Colour| {
            view.weights
                .iter()
                .any(|(arn, _)| arn == *groups.of(colour))
        };
        match (names(Colour::Blue), names(Colour::Green)) {
            (true, true) => {
                return Err(Failure::configuration(format!(
                    "another rule forwards to both colours: {arn}; expected `rule` alone to do so, \
                     because its weights are the only ones that a release moves; remove the \
                     colours from the other rule"
                )));
            }
            (false, false) => {}
            _ => single.push(arn.clone()),
        }
    }
    Ok(single)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(arn: &str, groups: &[&str]) -> (String, RuleView) {
        let weights = groups.iter().map(|&group| (group.to_owned(), 1)).collect();
        let sticky = None;
        (arn.to_owned(), RuleView { weights, sticky })
    }

    #[test]
    fn a_rule_that_forwards_to_both_colours_refuses_and_to_one_does_not() {
        let groups = PerColour {
            blue: "blue",
            green: "green",
        };
        let test = rule("test", &["green"]);
        let third = rule("third", &["other"]);
        let both = rule("both", &["blue", "other", "green"]);

        let found = beside(&[test.clone(), third.clone()], groups);
        assert_eq!(found, Ok(vec!["test".to_owned()]));
        assert_eq!(beside(&[third], groups), Ok(Vec::new()));

        let refusal = beside(&[test, both], groups).expect_err("two rules share the pair");
        let start = "another rule forwards to both colours: both; ";
        assert!(refusal.message.starts_with(start), "{}", refusal.message);
    }

    #[test]
    fn a_role_outside_the_path_is_named() {
        let role = "arn:aws:iam::111122223333:role/web-execution";
        let definition = |role: &str| {
            let base = json!({
                "family": "web", "executionRoleArn": role,
                "containerDefinitions": [{"name": "app", "image": "web:1"}],
            });
            TaskDefinition::from_value(base).expect("a task definition")
        };

        assert!(passing(&definition(role), false).ends_with(&format!(
            "; `executionRoleArn` is {role}, which the shipped policies allow under /slipway/ only"
        )));
        let inside = definition("arn:aws:iam::111122223333:role/slipway/web-execution");
        assert!(passing(&inside, false).ends_with("which the functions may not call"));
        assert!(passing(&definition(role), true).ends_with(&format!("; {LISTED_ROLES}")));
    }
}
