//! What only a dry run looks at: what a release begins without, although it may fail or do harm
//! later.

use slipway::job::{Checks, Failure, StepError};
use slipway::observed::route::Route;
use slipway::release::DeployRole;
use slipway::task_definition::TaskDefinition;

use crate::BeginRelease;
use crate::check_groups::{NEW, PRIOR, RULE};
use crate::passing::LISTED_ROLES;
use crate::permission::{UPDATE, changing, simulation, skip_change};
use crate::restorable::PlannedRollout;
use crate::target::{FoundTarget, group_of};

/// What Elastic Load Balancing requires of who changes a rule that authenticates with a user pool
/// (docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html).
const READ_CLIENT: &str = "cognito-idp:DescribeUserPoolClient";

impl BeginRelease {
    pub(crate) async fn inspect(
        &self,
        checks: &mut Checks,
        target: &FoundTarget,
        rollout: Option<&PlannedRollout>,
    ) -> Result<(), StepError> {
        let deploy_role = self.sdk.deploy_role();
        for seen in target.services() {
            let group = group_of(seen.name().1);
            check_breaker(checks, &group, seen.circuit_breaker())?;
            skip_change(checks, &group, (UPDATE, seen.arn()), deploy_role);
        }

        self.check_instances(checks, target.deployed_to()).await?;
        if let Some(rollout) = rollout {
            match passing(&rollout.base, deploy_role.map(|role| role.arn.as_str())) {
                Some(unproven) => checks.skip((NEW, "roles"), unproven),
                None => checks.ok((NEW, "roles"), "the base names none"),
            }
            let is_active = self.task_definitions.is_active(&rollout.arn).await;
            checks.take((PRIOR, "status"), is_active, |is_active| status(*is_active))?;
        }

        if let FoundTarget::Pair { prior, .. } = target
            && let Route::Rule(rule) = &prior.route
        {
            let stack = self.rules.stack(rule).await;
            checks.take((RULE, "owner"), stack, |stack| owner(stack.as_deref()))?;
            skip_change(checks, RULE, (changing(rule), rule), deploy_role);
        }
        Ok(())
    }
}

/// A release begins without the circuit breaker, too: its own deadline ends the rollout. Until then
/// a broken image keeps tasks starting and failing, which a dry run takes for harm.
fn check_breaker(
    checks: &mut Checks,
    group: &str,
    rolls_back: Option<bool>,
) -> Result<(), StepError> {
    let found = match rolls_back {
        Some(true) => Ok("on, with rollback"),
        Some(false) => Ok("on, without rollback: roll-back restores the prior release"),
        None => Err(Failure::configuration(
            "off: a rollout of a broken image fails at its deadline only; expected on, with \
             rollback; turn `deploymentCircuitBreaker` of the service on",
        )),
    };
    checks.take((group, "circuit-breaker"), found, |found| {
        (*found).to_owned()
    })?;
    Ok(())
}

/// Why it is not known that the roles of the base may be passed; `None` if it has none. Registering
/// it proves that, and a dry run registers nothing.
fn passing(base: &TaskDefinition, deploy_role: Option<&str>) -> Option<String> {
    let named: Vec<String> = base
        .roles()
        .map(|(field, role)| format!("`{field}` is {role}"))
        .collect();
    if named.is_empty() {
        return None;
    }

    let remedy = deploy_role.map_or_else(String::new, |deploy_role| {
        format!(
            "; {LISTED_ROLES}; to find out: {} --context-entries \
             ContextKeyName=iam:PassedToService,ContextKeyType=string,\
             ContextKeyValues=ecs-tasks.amazonaws.com",
            simulation(
                deploy_role,
                "iam:PassRole",
                base.roles().map(|(_, role)| role)
            )
        )
    });
    Some(format!(
        "{}; whether a role exists and may be passed is not known until register-task-definition \
         passes it{remedy}",
        named.join(", ")
    ))
}

/// A rule that authenticates with Amazon Cognito is changed only by a caller that may read the
/// client of its user pool. The function does not try it, because the response has the client's
/// secret.
pub(crate) fn check_authentication(
    checks: &mut Checks,
    user_pools: &[&str],
    deploy_role: Option<&DeployRole>,
) {
    let at = (RULE, "authentication");
    if user_pools.is_empty() {
        checks.ok(at, "no action authenticates with Amazon Cognito");
        return;
    }

    let remedy = deploy_role.map_or_else(String::new, |role| {
        format!(
            "; `UserPoolArn` of the pipeline's stack allows it; to find out: {}",
            simulation(&role.arn, READ_CLIENT, user_pools.iter().copied())
        )
    });
    checks.skip(
        at,
        format!(
            "the rule authenticates with {}; whether {READ_CLIENT} is allowed on it is not known \
             until a release changes the rule{remedy}",
            user_pools.join(", ")
        ),
    );
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_named_with_the_command_that_finds_out() {
        let role = "arn:aws:iam::111122223333:role/web-execution";
        let definition = |role: &str| {
            let base = json!({
                "family": "web", "executionRoleArn": role,
                "containerDefinitions": [{"name": "app", "image": "web:1"}],
            });
            TaskDefinition::from_value(base).expect("a task definition")
        };

        let unknown = |role: &str| {
            format!(
                "`executionRoleArn` is {role}; whether a role exists and may be passed is not \
                 known until register-task-definition passes it"
            )
        };
        assert_eq!(passing(&definition(role), None), Some(unknown(role)));

        let deploy_role = "arn:aws:iam::111122223333:role/deploy";
        assert_eq!(
            passing(&definition(role), Some(deploy_role)),
            Some(format!(
                "{}; {LISTED_ROLES}; to find out: aws iam simulate-principal-policy \
                 --policy-source-arn {deploy_role} --action-names iam:PassRole --resource-arns \
                 {role} --context-entries ContextKeyName=iam:PassedToService,\
                 ContextKeyType=string,ContextKeyValues=ecs-tasks.amazonaws.com",
                unknown(role)
            ))
        );
    }

    #[test]
    fn a_rule_that_authenticates_is_not_certain_and_another_one_is() {
        let row = |pools: &[&str], role: Option<&DeployRole>| {
            let mut checks = Checks::dry_run("apps/shop");
            check_authentication(&mut checks, pools, role);
            checks.tree()["checks"][0]["checks"][0].clone()
        };
        let role = DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:shop".to_owned(),
            region: None,
        };

        let none = "no action authenticates with Amazon Cognito";
        assert_eq!(
            row(&[], Some(&role)),
            json!({"name": "authentication", "state": "OK", "reason": none})
        );

        let unknown = "the rule authenticates with pool; whether \
                       cognito-idp:DescribeUserPoolClient is allowed on it is not known until \
                       a release changes the rule";
        assert_eq!(
            row(&["pool"], None),
            json!({"name": "authentication", "state": "SKIP", "reason": unknown})
        );
        let command = "; `UserPoolArn` of the pipeline's stack allows it; to find out: aws iam \
                       simulate-principal-policy --policy-source-arn \
                       arn:aws:iam::111122223333:role/deploy --action-names \
                       cognito-idp:DescribeUserPoolClient --resource-arns pool";
        let reason = format!("{unknown}{command}");
        assert_eq!(
            row(&["pool"], Some(&role)),
            json!({"name": "authentication", "state": "SKIP", "reason": reason})
        );
    }

    #[test]
    fn a_definition_without_roles_has_none_to_pass() {
        let base = json!({
            "family": "web", "taskRoleArn": "",
            "containerDefinitions": [{"name": "app", "image": "web:1"}],
        });
        let base = TaskDefinition::from_value(base).expect("a task definition");
        assert_eq!(passing(&base, None), None);
    }
}
