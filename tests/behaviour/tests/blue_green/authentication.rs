//! A rule that authenticates clients with Amazon Cognito before it forwards them: its weights are
//! moved by a deploy role that may read the client of the user pool.

use emulator::{Aws, elb};
use harness::demo::SHOP;
use harness::driver::{Fault, run};
use serde_json::json;

use behaviour::pair::{self, SHORT, shop};
use behaviour::{assert_outcome, failure, jobs};

pub(super) const POOL: &str = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_a";

/// The rule of the shop after a release authenticates with the pool.
pub(super) fn authenticate(aws: &mut Aws) {
    let certificate = "arn:aws:acm:eu-west-1:111122223333:certificate/1";
    pair::update(aws, SHOP, &[("CertificateArn", certificate)]);

    let (rule, mut actions) = (pair::rule(aws), pair::actions(aws, [0, 100]));
    actions[0]["Order"] = json!(2);
    let login = json!({
        "Type": "authenticate-cognito", "Order": 1,
        "AuthenticateCognitoConfig": {
            "UserPoolArn": POOL, "UserPoolClientId": "shop", "UserPoolDomain": "shop",
        },
    });
    actions.as_array_mut().expect("a list").insert(0, login);
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("legal behind HTTPS");
}

fn with_cognito() -> Aws {
    let mut aws = shop(&SHORT);
    authenticate(&mut aws);
    aws
}

#[test]
fn a_rule_with_cognito_is_moved_by_a_role_that_may_read_the_client_of_its_pool() {
    let mut before = with_cognito();
    pair::configure(&mut before, &[("UserPoolArn", POOL)]);
    run(before.clone(), Fault::None, async |driver| {
        let execution = pair::release(&driver, "2.0.0").await;
        assert_outcome(&driver, &execution, "deployed");

        let aws = driver.world.aws();
        assert_eq!(pair::weights(&aws), [100, 0]);
        let sent_back = |aws: &Aws| pair::as_text(&pair::actions(aws, [0, 0]));
        assert_eq!(sent_back(&aws), sent_back(&before));
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
    });
}

#[test]
fn a_role_that_may_not_read_it_fails_the_action_with_the_permission_and_no_traffic_moves() {
    run(with_cognito(), Fault::None, async |driver| {
        let execution = pair::release(&driver, "2.0.0").await;
        assert_outcome(&driver, &execution, "rolled-back");

        let aws = driver.world.aws();
        assert_eq!(pair::weights(&aws), [0, 100]);
        let swapped = jobs(&aws, &execution, "swap-target-groups");
        let failed = swapped.into_iter().find_map(failure);
        let (kind, message) = failed.expect("it fails");
        assert_eq!(kind, "PermissionError", "{message}");
        let remedy = "allow cognito-idp:DescribeUserPoolClient on the user pool of the rule";
        assert!(message.contains(remedy), "{message}");
    });
}
