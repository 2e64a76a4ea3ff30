//! The tags of the role that a caller assumes, and those that it gives to the session.

use super::*;

#[test]
fn the_policies_of_the_caller_see_the_tags_of_the_role() {
    let mut may_assume = allow("sts:AssumeRole", "*");
    may_assume["Condition"] = json!({"Null": {"iam:ResourceTag/slipway:service": "false"}});
    let mut aws = account(trusting(ROOT), json!([may_assume]));
    assert!(assume(&mut aws, FUNCTION, "").is_err());

    let role = aws.cloudformation.iam.role_mut("deploy").unwrap();
    role.tags
        .insert("slipway:service".to_owned(), "web".to_owned());
    assert!(assume(&mut aws, FUNCTION, "").is_ok());
}

/// The form of one session tag that the session passes on.
const TAG: &str = "&Tags.member.1.Key=Team&Tags.member.1.Value=web&TransitiveTagKeys.member.1=team";

#[test]
fn a_session_has_tags_if_the_trust_policy_lets_it_be_tagged() {
    let mut aws = account(trusting(CALLER), json!([]));
    let refused = assume(&mut aws, FUNCTION, TAG).unwrap_err();
    assert!(
        refused.contains("not authorized to perform: sts:TagSession"),
        "{refused}"
    );

    let mut tagging = trusting(CALLER);
    tagging["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
    tagging["Condition"] = json!({"StringEquals": {"aws:RequestTag/team": "web"}});
    let mut aws = account(json!([tagging]), json!([]));
    assert!(assume(&mut aws, FUNCTION, TAG).is_ok());
    assert!(assume(&mut aws, FUNCTION, &TAG.replace("=web", "=api")).is_err());
}

#[test]
fn a_tag_that_a_session_passes_on_cannot_be_given_again() {
    let mut tagging = trusting("*");
    tagging["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
    let mut aws = account(json!([tagging]), json!([]));
    let [key, token] = assume(&mut aws, FUNCTION, TAG).unwrap();

    let mut chained = |more: &str| {
        let form = format!("Action=AssumeRole&RoleArn={DEPLOY}&RoleSessionName=next{more}");
        sts(&mut aws, FUNCTION, [&key, &token], &form)
    };
    let other = "&Tags.member.1.Key=Stage&Tags.member.1.Value=live";
    assert_eq!(chained(other).0, 200);
    let (status, body) = chained(TAG);
    assert_eq!(status, 400);
    assert!(
        body.contains("conflicts with a transitive tag key from the calling session"),
        "{body}"
    );
}

#[test]
fn a_tag_that_only_aws_gives_is_refused() {
    let mut tagging = trusting("*");
    tagging["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
    let mut aws = account(json!([tagging]), json!([]));
    for key in ["aws%3Amine", "AWS%3Amine"] {
        let refused = assume(
            &mut aws,
            FUNCTION,
            &TAG.replace("Key=Team", &format!("Key={key}")),
        );
        let refused = refused.unwrap_err();
        assert!(
            refused.contains("<Code>InvalidParameterValue</Code>"),
            "{refused}"
        );
        assert!(refused.contains("aws: prefixed tag key names"), "{refused}");
    }
}
