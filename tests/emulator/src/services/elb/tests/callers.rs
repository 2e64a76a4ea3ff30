//! What the caller of a change of rules must be allowed.

use serde_json::json;

use super::super::iam::{check_caller, demands};
use super::{balanced, create_rule};
use crate::iam::tests::put_role;
use crate::iam::{Access, IamRequest, Principal, Session, evaluate};
use crate::{ApiError, Aws};

const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";
const POOL: &str = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_a";

/// Sends actions that authenticate with the pool, under a role that may take the action on this
/// resource.
fn sent(aws: &mut Aws, action: &str, resource: &str) -> Result<(), ApiError> {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    put_role(aws, ROLE, json!([]), json!([statement]));
    aws.iam.principal = Principal::Session(Session::of(ROLE, "shop"));
    let cognito = json!({
        "Type": "authenticate-cognito",
        "AuthenticateCognitoConfig": {"UserPoolArn": POOL},
    });
    check_caller(aws, &json!([cognito, {"Type": "forward"}]))
}

#[test]
fn a_rule_with_cognito_is_changed_by_who_may_read_the_client_of_its_pool() {
    const READ: &str = "cognito-idp:DescribeUserPoolClient";
    let mut aws = Aws::new(1);
    assert_eq!(sent(&mut aws, READ, POOL), Ok(()));
    assert!(aws.iam.denials.is_empty());

    for (action, resource) in [
        ("cognito-idp:DescribeUserPool", POOL),
        (
            READ,
            "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/b",
        ),
    ] {
        let refused = sent(&mut aws, action, resource).unwrap_err();
        assert_eq!(refused.code, "InvalidLoadBalancerAction");
        assert_eq!(
            refused.message,
            "User is not authorized to perform 'describeUserPoolClient'"
        );
    }
    assert_eq!(
        check_caller(&mut aws, &json!([{"Type": "forward"}])),
        Ok(())
    );

    aws.iam.principal = Principal::Operator;
    let cognito = json!([{"AuthenticateCognitoConfig": {"UserPoolArn": POOL}}]);
    assert_eq!(check_caller(&mut aws, &cognito), Ok(()));
}

#[test]
fn a_change_of_a_rule_or_a_listener_carries_its_tags() {
    let (mut aws, blue, _, listener) = balanced();
    let tags = json!([{"Key": "slipway:service", "Value": "shop"}]);
    let rule = json!({
        "ListenerArn": listener, "Priority": 1, "Conditions": [],
        "Actions": [{"Type": "forward", "TargetGroupArn": blue}], "Tags": tags,
    });
    let rule = create_rule(&mut aws, &rule).unwrap();
    let properties = &mut aws.elb.listeners.get_mut(&listener).unwrap().properties;
    properties.insert("Tags".to_owned(), tags);

    for (operation, input) in [
        ("ModifyRule", json!({"RuleArn": rule["Arn"]})),
        ("ModifyListener", json!({"ListenerArn": listener})),
    ] {
        let request = IamRequest {
            service: "elasticloadbalancing".to_owned(),
            operation: operation.to_owned(),
            input,
        };
        let demand = demands(&mut aws, &request).unwrap().remove(0);
        let key = |prefix: &str| format!("{prefix}:ResourceTag/slipway:service");
        for key in ["aws", "elasticloadbalancing"].map(key) {
            let access = ["shop", "other"].map(|service| {
                let statement = json!({
                    "Effect": "Allow", "Action": request.action(), "Resource": "*",
                    "Condition": {"StringEquals": {&key: service}},
                });
                evaluate(&[statement], &demand).unwrap()
            });
            assert_eq!(access, [Access::Allowed, Access::NotAllowed], "{key}");
        }
    }
}
