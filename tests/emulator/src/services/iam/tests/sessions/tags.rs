//! What the policies of a caller see of the tags of the role that it assumes.

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
