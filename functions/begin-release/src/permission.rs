//! The changes of services and rules that a dry run cannot prove to be allowed, each with the
//! command that shows an operator whether it is.
//!
//! It calls nothing.

use slipway::job::Checks;
use slipway::release::DeployRole;

pub(crate) const UPDATE: &str = "ecs:UpdateService";

/// Neither ECS nor Elastic Load Balancing has a call that only checks whether a change is allowed:
/// a release learns it when it makes the change.
pub(crate) fn skip_change(
    checks: &mut Checks,
    group: &str,
    (action, resource): (&str, &str),
    deploy_role: Option<&DeployRole>,
) {
    let remedy = deploy_role.map_or_else(String::new, |role| {
        let command = simulation(&role.arn, action, std::iter::once(resource));
        format!("; to find out: {command}")
    });
    checks.skip(
        (group, "permission"),
        format!(
            "whether {action} is allowed on {resource} is not known until a release changes it\
             {remedy}"
        ),
    );
}

/// The call that changes the weights of a rule, or of the default action of a listener.
pub(crate) fn changing(rule: &str) -> &'static str {
    if rule.contains(":listener-rule/") {
        "elasticloadbalancing:ModifyRule"
    } else {
        "elasticloadbalancing:ModifyListener"
    }
}

/// The command by which an operator learns whether the deploy role may do something.
pub(crate) fn simulation<'role>(
    deploy_role: &str,
    action: &str,
    resources: impl Iterator<Item = &'role str>,
) -> String {
    let mut resources: Vec<&str> = resources.collect();
    resources.dedup();

    format!(
        "aws iam simulate-principal-policy --policy-source-arn {deploy_role} --action-names \
         {action} --resource-arns {}",
        resources.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_not_known_to_be_allowed_and_the_command_finds_out() {
        let row = |group: &str, change: (&str, &str), role: Option<&DeployRole>| {
            let mut checks = Checks::dry_run("apps/shop");
            skip_change(&mut checks, group, change, role);
            checks.tree()["checks"][0].clone()
        };
        let rule = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/a/b/c/d";
        let listener = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/a/b/c";
        assert_eq!(changing(listener), "elasticloadbalancing:ModifyListener");

        let unknown = format!(
            "whether elasticloadbalancing:ModifyRule is allowed on {rule} is not known until a \
             release changes it"
        );
        let found = row("rule", (changing(rule), rule), None);
        assert_eq!(found["name"], "rule");
        assert_eq!(
            found["checks"],
            json!([{"name": "permission", "state": "SKIP", "reason": unknown}])
        );

        let role = DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:shop".to_owned(),
            region: None,
        };
        let found = row("service web", (UPDATE, "service"), Some(&role));
        let reason = "whether ecs:UpdateService is allowed on service is not known until a \
                      release changes it; to find out: aws iam simulate-principal-policy \
                      --policy-source-arn arn:aws:iam::111122223333:role/deploy --action-names \
                      ecs:UpdateService --resource-arns service";
        assert_eq!(found["checks"][0]["reason"], reason);
    }
}
