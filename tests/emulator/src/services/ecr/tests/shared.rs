//! Repositories whose images are read from another account.

use super::execution_role::{self, ROLE};
use super::*;

const SECOND: &str = "444455556666";
const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web:v1";

/// A statement of a repository policy about the principal.
fn statement(effect: &str, action: &str, principal: &str) -> Value {
    json!({"Effect": effect, "Action": action, "Principal": {"AWS": principal}})
}

/// A repository of the first account with this policy and an image that exits, and a second
/// account.
fn shared(statements: Option<Value>) -> Aws {
    let mut aws = world("IMMUTABLE");
    push(&mut aws, "team/web", "v1", Behaviour::Exits).unwrap();
    set_policy(
        &mut aws,
        "team/web",
        statements.map(|statements| json!({ "Statement": statements })),
    );
    aws.add_account(SECOND);
    aws
}

/// What DescribeImages in the second account has of the image.
fn described(aws: &mut Aws) -> Result<Value, String> {
    let members = json!({"registryId": "111122223333", "imageIds": [{"imageTag": "v1"}]});
    aws.in_account(SECOND, |aws| request(aws, "DescribeImages", members))
}

#[test]
fn images_are_described_to_another_account_if_the_repository_lets_it() {
    let root = "arn:aws:iam::444455556666:root";
    let read = |statements: Value| described(&mut shared(Some(statements)));

    let found = read(json!([statement("Allow", "ecr:DescribeImages", root)])).unwrap();
    assert_eq!(found["imageDetails"][0]["registryId"], "111122223333");
    assert!(read(json!([statement("Allow", "ecr:*", SECOND)])).is_ok());

    let denied = "AccessDeniedException: User: arn:aws:iam::444455556666:user/operator is not \
                  authorized to perform: ecr:DescribeImages on resource: \
                  arn:aws:ecr:eu-west-1:111122223333:repository/team/web";
    let absent =
        format!("{denied} because no resource-based policy allows the ecr:DescribeImages action");
    assert_eq!(described(&mut shared(None)).unwrap_err(), absent);
    let others = json!([statement(
        "Allow",
        "ecr:*",
        "arn:aws:iam::777788889999:root"
    )]);
    assert_eq!(read(others).unwrap_err(), absent);
    assert_eq!(
        read(json!([
            statement("Allow", "ecr:*", root),
            statement("Deny", "ecr:DescribeImages", root)
        ]))
        .unwrap_err(),
        format!("{denied} with an explicit deny in a resource-based policy")
    );
}

#[test]
fn what_is_not_in_the_registry_of_another_account_is_not_found() {
    let mut aws = shared(None);
    let missing = |aws: &mut Aws, registry: &str, repository: &str| {
        let members = json!({"registryId": registry, "repositoryName": repository});
        aws.in_account(SECOND, |aws| request(aws, "DescribeImages", members))
            .unwrap_err()
    };
    for (registry, repository) in [("111122223333", "team/api"), ("777788889999", "team/web")] {
        assert_eq!(
            missing(&mut aws, registry, repository),
            format!(
                "RepositoryNotFoundException: The repository with name '{repository}' does not \
                 exist in the registry with id '{registry}'"
            )
        );
    }
}

#[test]
fn a_task_pulls_from_its_own_account_if_its_execution_role_or_the_repository_lets_it() {
    let pulls = |allowed: &str, statements: Option<Value>, role: &str| {
        let mut aws = shared(statements);
        execution_role::create(&mut aws, allowed, &["ecr:BatchGetImage"]);
        super::super::behaviour(&aws, IMAGE, role).is_ok()
    };
    let policy = |effect: &str, principal: &str| {
        let action = "ecr:BatchGetImage";
        Some(json!([statement(effect, action, principal)]))
    };

    assert!(pulls("team/web", None, ROLE));
    assert!(!pulls("team/other", None, ROLE));
    assert!(pulls("team/other", policy("Allow", ROLE), ROLE));
    assert!(
        !pulls("team/other", policy("Allow", "111122223333"), ROLE),
        "the account then decides by the policies of its roles"
    );
    assert!(!pulls("team/web", policy("Deny", ROLE), ROLE));
    assert!(pulls("team/other", None, &format!("{ROLE}-of-no-template")));
}

#[test]
fn the_policy_of_a_repository_is_set_as_text() {
    let mut aws = shared(None);
    let open = json!({"Statement": [statement("Allow", "ecr:DescribeImages", SECOND)]});
    let text = json!({"policyText": open.to_string()});
    let answer = request(&mut aws, "SetRepositoryPolicy", text).unwrap();
    assert_eq!(answer["policyText"], open.to_string());
    assert!(described(&mut aws).is_ok());

    let refused = request(&mut aws, "SetRepositoryPolicy", json!({"policyText": "{"}));
    assert!(refused.unwrap_err().contains("policyText"));
    assert!(described(&mut aws).is_ok(), "it stays as it was");
}

#[test]
fn a_task_pulls_from_another_account_if_the_repository_lets_its_execution_role() {
    let role = "arn:aws:iam::444455556666:role/execution";
    let pulled = |statements: Option<Value>| {
        shared(statements).in_account(SECOND, |aws| super::super::behaviour(aws, IMAGE, role))
    };
    for principal in [role, "arn:aws:iam::444455556666:root", SECOND] {
        let allowed = json!([statement("Allow", "ecr:BatchGetImage", principal)]);
        assert_eq!(pulled(Some(allowed)), Ok(Behaviour::Exits), "{principal}");
    }

    let other = "arn:aws:iam::444455556666:role/other";
    for refused in [
        None,
        Some(json!([statement("Allow", "ecr:DescribeImages", SECOND)])),
        Some(json!([statement("Allow", "ecr:BatchGetImage", other)])),
    ] {
        assert_eq!(
            pulled(refused),
            Err(format!(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed \
                 to resolve ref {IMAGE}: pulling from host \
                 111122223333.dkr.ecr.eu-west-1.amazonaws.com failed with status code [manifests \
                 v1]: 403 Forbidden"
            ))
        );
    }
}
