use super::*;
use crate::ecr;

#[test]
fn a_pushed_image_is_the_source_of_a_release() {
    let mut aws = account(1);
    ecr::call(
        &mut aws,
        "CreateRepository",
        &json!({"repositoryName": "web"}),
    )
    .unwrap();
    let digest = ecr::push(&mut aws, "web", "v1", ecr::Behaviour::Healthy).unwrap();
    let mut go = step("Go", 1, "#{Image.ImageURI}");
    go["inputArtifacts"] = json!([{"name": "Image"}]);

    let mut pipeline = declaration(vec![go]);
    pipeline["stages"][0]["actions"][0] = json!({
        "name": "Image", "namespace": "Image", "outputArtifacts": [{"name": "Image"}],
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "ECR", "version": "1"},
        "configuration": {"RepositoryName": "web"},
    });
    call(&mut aws, "CreatePipeline", &json!({ "pipeline": pipeline })).unwrap();
    after(&mut aws, 10);

    assert_eq!(
        aws.codepipeline.executions[0].status,
        ExecutionStatus::Failed,
        "there is no image `latest`"
    );

    let revisions =
        json!([{"actionName": "Image", "revisionType": "IMAGE_DIGEST", "revisionValue": digest}]);
    call(
        &mut aws,
        "StartPipelineExecution",
        &json!({"name": PIPELINE, "sourceRevisions": revisions}),
    )
    .unwrap();
    let job = next_job(&mut aws);
    let data = &job.payload["CodePipeline.job"]["data"];
    let uri = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@{digest}");

    assert_eq!(
        data["actionConfiguration"]["configuration"]["UserParameters"],
        uri
    );

    let key = data["inputArtifacts"][0]["location"]["s3Location"]["objectKey"]
        .as_str()
        .unwrap();
    assert_eq!(aws.s3.get("artifacts", key, None).unwrap()[..2], *b"PK");
    assert!(!aws.codepipeline.executions[1].outputs["Image"].contains_key("ImageTag"));
}
