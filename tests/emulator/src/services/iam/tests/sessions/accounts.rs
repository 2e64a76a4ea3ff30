//! Roles of another account, and what their sessions do there.

use super::*;

const SECOND: &str = "444455556666";
const FOREIGN: &str = "arn:aws:iam::444455556666:role/deploy";
const FOREIGN_CLUSTER: &str = "arn:aws:ecs:eu-west-1:444455556666:cluster/apps";

/// A function of the first account whose role has the statements `own`, and in the second account
/// the role `deploy` and the cluster that it may describe.
fn two_accounts(trust: Value, own: Value) -> Aws {
    let mut aws = account(json!([]), own);
    aws.add_account(SECOND);
    aws.in_account(SECOND, |aws| {
        let statements = json!([allow("ecs:DescribeClusters", FOREIGN_CLUSTER)]);
        put_role(aws, FOREIGN, trust, statements);
        crate::ecs::call(aws, "CreateCluster", &json!({"clusterName": "apps"})).unwrap();
    });
    aws
}

fn may_assume_foreign() -> Value {
    json!([allow("sts:AssumeRole", FOREIGN)])
}

#[test]
fn a_role_of_another_account_needs_both_sides() {
    for (principal, is_trusted) in [
        (CALLER, true),
        (ROOT, true),
        ("111122223333", true),
        ("*", true),
        (SECOND, false),
        ("arn:aws:iam::444455556666:root", false),
    ] {
        let can_assume = |own: Value| {
            let mut aws = two_accounts(trusting(principal), own);
            assume_role(&mut aws, FUNCTION, FOREIGN, "").is_ok()
        };
        assert!(
            !can_assume(json!([])),
            "{principal}, not allowed by its own"
        );
        assert!(
            !can_assume(may_assume()),
            "{principal}, allowed another role"
        );
        assert_eq!(can_assume(may_assume_foreign()), is_trusted, "{principal}");
        assert!(!can_assume(json!([
            allow("sts:*", "*"),
            deny("sts:AssumeRole", FOREIGN)
        ])));
    }
    assert!(
        assume_role(
            &mut two_accounts(json!([]), may_assume_foreign()),
            FUNCTION,
            FOREIGN,
            ""
        )
        .is_err()
    );
}

#[test]
fn an_administrator_of_another_account_is_trusted_by_its_account() {
    let can_assume = |principal: &str| {
        let mut aws = two_accounts(trusting(principal), json!([]));
        assume_role(&mut aws, "operator", FOREIGN, "").is_ok()
    };
    assert!(can_assume(ROOT));
    assert!(!can_assume(CALLER));
}

#[test]
fn a_trust_policy_sees_the_external_id_and_the_role_of_the_other_account() {
    let mut trust = trusting(ROOT);
    trust["Condition"] = json!({
        "StringEquals": {"sts:ExternalId": PIPELINE, "aws:PrincipalAccount": "111122223333"},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/slipway/slipway/*"},
    });
    let mut aws = two_accounts(trust, may_assume_foreign());
    let id = format!("&ExternalId={PIPELINE}");
    assert!(assume_role(&mut aws, FUNCTION, FOREIGN, &id).is_ok());
    assert!(assume_role(&mut aws, FUNCTION, FOREIGN, "").is_err());
}

#[test]
fn a_session_acts_in_the_account_of_its_role() {
    let mut aws = two_accounts(trusting(CALLER), may_assume_foreign());
    let keys = assume_role(&mut aws, FUNCTION, FOREIGN, "").unwrap();

    let form = "Action=GetCallerIdentity";
    let (_, body) = sts(&mut aws, FUNCTION, [&keys[0], &keys[1]], form);
    assert!(
        body.contains("<Arn>arn:aws:sts::444455556666:assumed-role/deploy/web</Arn>")
            && body.contains("<Account>444455556666</Account>"),
        "{body}"
    );

    let (status, body) = describe_clusters(&mut aws, &keys, "apps");
    assert!(status == 200 && body.contains(FOREIGN_CLUSTER), "{body}");

    let (status, body) = describe_clusters(&mut aws, &keys, "other");
    assert_eq!(status, 400);
    assert!(
        body.contains(
            "User: arn:aws:sts::444455556666:assumed-role/deploy/web is not authorized to \
             perform: ecs:DescribeClusters on resource: \
             arn:aws:ecs:eu-west-1:444455556666:cluster/other because"
        ),
        "{body}"
    );
    assert!(aws.iam.denials.is_empty());
    assert_eq!(aws.of_account(SECOND).unwrap().iam.denials.len(), 1);
    assert_eq!(aws.calls.len(), 4, "one log");
}

#[test]
fn credentials_of_another_account_expire_and_need_their_token() {
    let mut aws = two_accounts(trusting(CALLER), may_assume_foreign());
    let [key, token] = assume_role(&mut aws, FUNCTION, FOREIGN, "").unwrap();
    let (status, body) = describe_clusters(&mut aws, &[key.clone(), "another".to_owned()], "apps");
    assert!(
        status == 400 && body.contains("UnrecognizedClientException"),
        "{body}"
    );

    aws.now += 3_600_000;
    let (status, body) = describe_clusters(&mut aws, &[key, token], "apps");
    assert!(
        status == 400 && body.contains("ExpiredTokenException"),
        "{body}"
    );
}

#[test]
fn a_refused_caller_is_denied_in_its_own_account() {
    let mut aws = two_accounts(json!([]), may_assume_foreign());
    for role in [FOREIGN, "arn:aws:iam::777788889999:role/deploy"] {
        let error = assume_role(&mut aws, FUNCTION, role, "").unwrap_err();
        let expected = format!(
            "User: arn:aws:sts::111122223333:assumed-role/step/slipway-update-service is not \
             authorized to perform: sts:AssumeRole on resource: {role}</Message>"
        );
        assert!(error.contains(&expected), "{error}");
    }
    assert_eq!(aws.iam.denials.len(), 2);
}

#[test]
fn an_operator_acts_in_the_account_that_the_access_key_names() {
    const FIRST: &str = "111122223333";
    let mut aws = two_accounts(json!([]), json!([]));
    for (key, account) in [(SECOND, SECOND), ("AKIA", FIRST), (FIRST, FIRST)] {
        let form = "Action=GetCallerIdentity";
        let (_, body) = sts(&mut aws, "operator", [key, ""], form);
        let found = format!("<Account>{account}</Account>");
        assert!(body.contains(&found), "{key}: {body}");
    }
}
