//! Roles with all that bounds who may assume them, for how long, and what they may do.

use super::*;
use crate::iam::{Demand, Session, require};

const TEMPLATE: &str = "
Resources:
  Step:
    Type: AWS::IAM::Role
    Properties:
      Path: /slipway/app/
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Action: sts:AssumeRole
          Principal: {Service: lambda.amazonaws.com}
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Path: /bounds/
      PolicyDocument: {Statement: [{Effect: Allow, Action: 'ecs:Describe*', Resource: '*'}]}
  Deploy:
    Type: AWS::IAM::Role
    Properties:
      MaxSessionDuration: 7200
      PermissionsBoundary: !Ref Boundary
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Action: sts:AssumeRole
          Principal: {AWS: !GetAtt Step.Arn}
          Condition: {StringEquals: {sts:ExternalId: web}}
      Policies:
        - PolicyName: all
          PolicyDocument: {Statement: [{Effect: Allow, Action: 'ecs:*', Resource: '*'}]}
";

#[test]
fn a_role_keeps_its_session_length_and_stays_within_its_boundary() {
    let folder = Folder::new("roles", &[("t.yaml", TEMPLATE)]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();

    let name = physical_id(&aws, "app", "Deploy");
    let role = aws.cloudformation.iam.role(&name).unwrap().clone();
    assert_eq!(role.max_session_seconds, 7200);
    assert_eq!(
        role.boundary,
        Some(physical_id(&aws, "app", "Boundary")),
        "Ref of a managed policy is its ARN"
    );

    let session = Session::of(role.arn, "web");
    let mut may = |action: &str| require(&mut aws, &session, &Demand::anywhere(action)).is_ok();
    assert!(may("ecs:DescribeServices"));
    assert!(!may("ecs:UpdateService"));
}

#[test]
fn an_attached_policy_of_a_template_allows_what_it_states_and_is_updated() {
    let attached = TEMPLATE
        .replace(
            "PermissionsBoundary: !Ref Boundary",
            "ManagedPolicyArns: [!Ref Boundary]",
        )
        .replace("'ecs:*'", "'ecr:*'");
    let folder = Folder::new("attached", &[("t.yaml", &attached)]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();

    let name = physical_id(&aws, "app", "Deploy");
    let session = Session::of(&aws.cloudformation.iam.role(&name).unwrap().arn, "web");
    let demand = Demand::anywhere("ecs:DescribeServices");
    assert!(require(&mut aws, &session, &demand).is_ok());

    folder.write("t.yaml", &attached.replace("ecs:Describe*", "ecs:List*"));
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert!(require(&mut aws, &session, &demand).is_err());
}

#[test]
fn trust_policies_sessions_and_boundaries_that_iam_does_not_take_are_refused() {
    for (at, (from, to, expected)) in [
        (
            "Principal: {AWS: !GetAtt Step.Arn}",
            "Principal: {AWS: 'arn:aws:iam::111122223333:role/none'}",
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:role/none\"",
        ),
        (
            "Principal: {AWS: !GetAtt Step.Arn}",
            "Principal: {AWS: 'arn:aws:iam::444455556666:role/a*'}",
            "Invalid principal in policy",
        ),
        (
            "Principal: {AWS: !GetAtt Step.Arn}",
            "Principal: {AWS: !GetAtt Step.Arn}\n          Resource: '*'",
            "Has prohibited field Resource",
        ),
        (
            "Action: sts:AssumeRole\n          Principal: {AWS",
            "Action: 'ecs:*'\n          Principal: {AWS",
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            "sts:ExternalId: web",
            "aws:PrincipalOrgID: o-1",
            "the condition key aws:principalorgid",
        ),
        (
            "MaxSessionDuration: 7200",
            "MaxSessionDuration: 900",
            "sessions last 3600 to 43200 seconds at most, found 900",
        ),
        (
            "PermissionsBoundary: !Ref Boundary",
            "PermissionsBoundary: 'arn:aws:iam::111122223333:policy/none'",
            "the managed policy arn:aws:iam::111122223333:policy/none",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let text = TEMPLATE.replace(from, to);
        assert_ne!(text, TEMPLATE, "{from}");

        let message = refused(&format!("roles-{at}"), &text);
        assert!(message.contains(expected), "{message}");
    }
}
