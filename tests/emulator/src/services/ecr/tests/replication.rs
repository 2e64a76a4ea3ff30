use super::*;

/// The first region, to which another one replicates the repositories of a team.
fn with_replication() -> Aws {
    let mut aws = world("MUTABLE");
    let rule = json!({
        "destinations": [{"region": "eu-west-1", "registryId": "111122223333"}],
        "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}],
    });
    let input = json!({"replicationConfiguration": {"rules": [rule]}});
    aws.in_region("us-west-2", |far| {
        assert_eq!(
            call(far, "PutReplicationConfiguration", &input).unwrap(),
            input
        );
        let described = call(far, "DescribeRegistry", &json!({})).unwrap();
        assert_eq!(described["registryId"], "111122223333");
        assert_eq!(
            described["replicationConfiguration"],
            input["replicationConfiguration"]
        );
        for name in ["team/web", "team/new", "own"] {
            let named = json!({ "repositoryName": name });
            call(far, "CreateRepository", &named).unwrap();
        }
    });
    aws
}

fn pushed(aws: &mut Aws, repository: &str) -> Result<String, ApiError> {
    aws.in_region("us-west-2", |far| {
        push(far, repository, "v1", Behaviour::Exits)
    })
}

#[test]
fn an_image_arrives_in_the_regions_that_a_rule_of_its_repository_names() {
    let mut aws = with_replication();
    for repository in ["team/web", "team/new"] {
        let digest = pushed(&mut aws, repository).unwrap();
        let event = aws.events.events.last().expect("an event");
        assert_eq!(event["detail-type"], "ECR Replication Action");
        assert_eq!(event["detail"]["image-digest"], digest);
        assert_eq!(event["detail"]["source-region"], "us-west-2");
        assert_eq!(event["detail"]["image-tag"], "v1");

        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
        let image = format!("{host}/{repository}:v1");
        assert_eq!(behaviour(&aws, &image), Ok(Behaviour::Exits));
    }
    assert_eq!(aws.events.events.len(), 2);

    pushed(&mut aws, "own").unwrap();
    assert!(!aws.ecr.repositories.contains_key("own"));
    assert_eq!(aws.events.events.len(), 2);
}

#[test]
fn a_rule_names_other_regions_of_the_account_and_prefixes() {
    let mut aws = world("MUTABLE");
    let own = json!({"region": "us-west-2", "registryId": "111122223333"});
    let suffix = json!([{"filter": "web", "filterType": "SUFFIX_MATCH"}]);
    for rule in [
        json!({"destinations": [{"region": "us-west-2", "registryId": "444455556666"}]}),
        json!({"destinations": [{"region": "eu-west-1", "registryId": "111122223333"}]}),
        json!({"destinations": [own], "repositoryFilters": suffix}),
    ] {
        let input = json!({"replicationConfiguration": {"rules": [rule]}});
        let refused = call(&mut aws, "PutReplicationConfiguration", &input);
        let refused = refused.expect_err("not served").to_string();
        assert!(refused.contains("InvalidParameterException"), "{refused}");
    }
}
