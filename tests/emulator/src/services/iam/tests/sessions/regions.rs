//! Sessions in another region than that in which their role was assumed.

use super::*;

const REGION: &str = "eu-central-1";
const THERE: &str = "arn:aws:ecs:eu-central-1:111122223333:cluster/apps";

/// An account with a cluster in another region, which its role `deploy` may describe.
fn two_regions() -> Aws {
    let mut aws = account(json!([]), may_assume());
    let statements = json!([allow("ecs:DescribeClusters", THERE)]);
    put_role(&mut aws, DEPLOY, trusting(CALLER), statements);
    aws.in_region(REGION, |aws| {
        crate::ecs::call(aws, "CreateCluster", &json!({"clusterName": "apps"})).unwrap();
    });
    aws
}

/// DescribeClusters with a signature for a region.
fn describe_in(aws: &mut Aws, region: &str, [key, token]: [&str; 2]) -> (u16, String) {
    let mut request = signed(FUNCTION, "ecs", [key, token]);
    for (name, value) in &mut request.headers {
        if name == "authorization" {
            *value = value.replace("eu-west-1", region);
        }
    }
    request.headers.push((
        "x-amz-target".to_owned(),
        "AmazonEC2ContainerServiceV20141113.DescribeClusters".to_owned(),
    ));
    request.body = json!({"clusters": ["apps"]}).to_string().into_bytes();
    answer(aws, &request)
}

#[test]
fn a_session_acts_in_the_region_that_its_requests_name() {
    let mut aws = two_regions();
    let [key, token] = assume(&mut aws, FUNCTION, "").unwrap();

    let (status, body) = describe_in(&mut aws, REGION, [&key, &token]);
    assert!(status == 200 && body.contains(THERE), "{body}");

    let (status, body) = describe_in(&mut aws, "eu-west-1", [&key, &token]);
    assert!(
        status == 400 && body.contains("ecs:DescribeClusters on resource: arn:aws:ecs:eu-west-1:"),
        "{body}"
    );
    let (status, body) = describe_in(&mut aws, "eu-north-1", [&key, &token]);
    assert!(
        status == 400 && body.contains("ecs:DescribeClusters on resource: arn:aws:ecs:eu-north-1:"),
        "{body}"
    );
    assert_eq!(aws.iam.denials.len(), 2, "one IAM for all regions");
}

#[test]
fn a_function_is_known_in_every_region_of_its_account() {
    let mut aws = two_regions();
    let statements = json!([allow("ecs:DescribeClusters", THERE)]);
    put_role(&mut aws, CALLER, json!([]), statements);
    let (status, body) = describe_in(&mut aws, REGION, ["AKIA", ""]);
    assert!(status == 200 && body.contains(THERE), "{body}");
}
