//! The execution role of tasks that pull from the account's own registry.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::cloudformation::deploy_text;

pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/execution";

const TEMPLATE: &str = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: execution
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Action: sts:AssumeRole
          Principal: {Service: ecs-tasks.amazonaws.com}
      Policies:
        - PolicyName: pull
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: 'ecr:GetAuthorizationToken', Resource: '*'}
              - Effect: Allow
                Action: [ACTIONS]
                Resource: 'arn:aws:ecr:eu-west-1:111122223333:repository/REPOSITORIES'
";

/// Creates the role, which may log in, and use these actions in the repositories of a name that can
/// be a pattern.
pub(super) fn create(aws: &mut Aws, repositories: &str, actions: &[&str]) {
    let quoted: Vec<String> = actions.iter().map(|action| format!("'{action}'")).collect();
    let text = TEMPLATE
        .replace("ACTIONS", &quoted.join(", "))
        .replace("REPOSITORIES", repositories);
    deploy_text(aws, "roles", Path::new("t.yaml"), &text, &BTreeMap::new()).unwrap();
}
