//! Session policies: a session may do what its role and the policy both allow.

use super::*;

/// The reason why a session of the role with the statements `own` may not update a service, if its
/// own policy has the statements `passed`.
fn refusal(passed: Value, own: Value) -> Option<String> {
    let mut aws = account(json!([]), own);
    let session = Session {
        policy: Some(json!({ "Statement": passed })),
        ..Session::of(CALLER, FUNCTION)
    };
    let denial = require(&mut aws, &session, &update()).err()?;
    let (_, reason) = denial.message.split_once(SERVICE).unwrap();
    Some(reason.trim_start().to_owned())
}

#[test]
fn a_session_policy_allows_no_more_than_both() {
    let all = || json!([allow("*", "*")]);
    let reads = || json!([allow("ecs:Describe*", "*")]);

    assert_eq!(refusal(all(), all()), None);
    assert_eq!(
        refusal(all(), reads()).unwrap(),
        "because no identity-based policy allows the ecs:UpdateService action"
    );
    assert_eq!(
        refusal(reads(), all()).unwrap(),
        "because no session policy allows the ecs:UpdateService action"
    );
    assert_eq!(
        refusal(json!([allow("*", "*"), deny("ecs:Update*", "*")]), all()).unwrap(),
        "with an explicit deny in a session policy"
    );
}

#[test]
fn credentials_of_a_session_with_a_policy_are_bound_by_it() {
    let passed = |statement: Value| {
        let policy = json!({ "Statement": [statement] }).to_string();
        let mut aws = account(trusting(CALLER), json!([]));
        let more = format!("&Policy={}", encoded(&policy));
        let keys = assume(&mut aws, FUNCTION, &more).unwrap();
        describe_clusters(&mut aws, &keys, "apps")
    };

    assert_eq!(passed(allow("ecs:Describe*", "*")).0, 200);
    let (status, body) = passed(allow("ecs:List*", "*"));
    assert_eq!(status, 400);
    let reason = "because no session policy allows the ecs:DescribeClusters action";
    assert!(body.contains(reason), "{body}");
}

/// What a form has in place of the letters that have a meaning there.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

#[test]
fn a_session_policy_bounds_what_a_trust_policy_grants() {
    let reads = json!({"Statement": [allow("ecs:Describe*", "*")]});
    let mut aws = account(trusting(CALLER), json!([]));
    let demand = Demand::new("sts:AssumeRole", DEPLOY);
    let mut may_assume = |policy: Option<Value>| {
        aws.iam.principal = Principal::Session(Session {
            policy,
            ..Session::of(CALLER, FUNCTION)
        });
        crate::iam::assume(&mut aws, &demand).is_ok()
    };
    assert!(may_assume(None));
    assert!(!may_assume(Some(reads)));
}
