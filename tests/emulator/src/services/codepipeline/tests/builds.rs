//! A connected source, and the builds and tests of its commits.

use std::collections::BTreeMap;

use super::*;
use crate::cloudformation::Role;
use crate::ecr::{self, Behaviour};

const CONNECTION: &str = "arn:aws:codeconnections:eu-west-1:111122223333:connection/1";
const BRANCH: (&str, &str) = ("example/web", "main");
const BUILD_ROLE: &str = "arn:aws:iam::111122223333:role/build";
const PIPELINE_ROLE: &str = "arn:aws:iam::111122223333:role/slipway/pipeline";

/// Pushes the commit's image with the permissions of the build, after a look for it.
fn image(aws: &mut Aws, build: &Build) -> Result<Built, String> {
    find_image(
        aws,
        build,
        &build.environment["REPOSITORY"],
        &build.commit.id,
    )?;
    let digest = push(
        aws,
        build,
        &build.environment["REPOSITORY"],
        &build.commit.id,
    )?;
    Ok(Built {
        variables: BTreeMap::from([("DIGEST".to_owned(), digest.clone())]),
        files: vec![("image.json".to_owned(), json!({ "digest": digest }))],
    })
}

fn codebuild(name: &str, category: &str, configuration: Value) -> Value {
    json!({
        "name": name, "namespace": name, "inputArtifacts": [{"name": "Commit"}],
        "configuration": configuration,
        "actionTypeId": {
            "category": category, "owner": "AWS", "provider": "CodeBuild", "version": "1",
        },
    })
}

/// A pipeline of a build, and of a step that gets its digest and its artifact.
fn pipeline() -> Value {
    let variables = json!([{"name": "REPOSITORY", "value": "web", "type": "PLAINTEXT"}]);
    let mut build = codebuild(
        "Build",
        "Build",
        json!({"ProjectName": "web", "EnvironmentVariables": variables.to_string()}),
    );
    build["outputArtifacts"] = json!([{"name": "Image"}]);
    let mut go = step("Go", 2, "#{Build.DIGEST}");
    go["inputArtifacts"] = json!([{"name": "Image"}]);

    let mut pipeline = declaration(vec![build, go]);
    pipeline["stages"][0]["actions"][0] = json!({
        "name": "Source", "namespace": "Source", "outputArtifacts": [{"name": "Commit"}],
        "actionTypeId": {
            "category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection",
            "version": "1",
        },
        "configuration": {
            "ConnectionArn": CONNECTION, "FullRepositoryId": BRANCH.0, "BranchName": BRANCH.1,
        },
    });
    pipeline
}

/// An account with a project whose build spec pushes an image.
fn with_project() -> Aws {
    let mut aws = account(3);
    ecr::call(
        &mut aws,
        "CreateRepository",
        &json!({"repositoryName": "web"}),
    )
    .unwrap();
    aws.codepipeline
        .commands
        .insert("spec.yml".to_owned(), image);
    let project = Project {
        name: "web".to_owned(),
        role: BUILD_ROLE.to_owned(),
        build_spec: "spec.yml".to_owned(),
        privileged: true,
        log_group: Some("builds".to_owned()),
        ..Project::default()
    };
    aws.codepipeline.projects.insert("web".to_owned(), project);
    aws
}

/// Lets a role do only these actions, wherever.
fn allow(aws: &mut Aws, role: &str, actions: &[&str]) {
    let statement = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
    aws.cloudformation.iam.put(Role {
        id: "AROA1".to_owned(),
        name: role.rsplit('/').next().unwrap().to_owned(),
        arn: role.to_owned(),
        path: "/".to_owned(),
        trust: json!({ "Statement": [] }),
        managed_policies: Vec::new(),
        policies: [("own".to_owned(), json!({ "Statement": [statement] }))].into(),
        max_session_seconds: 3600,
        boundary: None,
        tags: BTreeMap::new(),
    });
}

/// Creates the pipeline, whose first execution takes the newest commit.
fn created(aws: &mut Aws) {
    call(aws, "CreatePipeline", &json!({ "pipeline": pipeline() })).unwrap();
}

/// How an action of the first execution failed.
fn failed(aws: &mut Aws, stage: &str, action: &str) -> ErrorDetails {
    after(aws, 300);
    let execution = &aws.codepipeline.executions[0];
    assert_eq!(execution.status, ExecutionStatus::Failed);
    let action = execution.latest_action(stage, action).unwrap();
    action.error.clone().unwrap()
}

#[test]
fn a_build_leaves_variables_and_an_artifact_of_its_commit() {
    let mut aws = with_project();
    let first = commit(&mut aws, BRANCH, Behaviour::Healthy, &[]);
    let second = commit(&mut aws, BRANCH, Behaviour::NeverHealthy, &[]);
    created(&mut aws);
    let job = next_job(&mut aws);
    let data = &job.payload["CodePipeline.job"]["data"];
    let digest = data["actionConfiguration"]["configuration"]["UserParameters"].clone();
    let of_tag = |aws: &Aws, tag: &str| {
        ecr::image(aws, "web", &json!({ "imageTag": tag })).map(|it| it["imageDigest"].clone())
    };

    assert_eq!(of_tag(&aws, &second).unwrap(), digest, "the newest commit");
    let outputs = &aws.codepipeline.executions[0].outputs["Source"];
    assert_eq!(outputs["CommitId"], second);
    assert_eq!(outputs["BranchName"], "main");
    assert_eq!(outputs["FullRepositoryName"], "example/web");
    let key = data["inputArtifacts"][0]["location"]["s3Location"]["objectKey"].clone();
    let artifact = aws
        .s3
        .get("artifacts", key.as_str().unwrap(), None)
        .unwrap();
    assert_eq!(artifact[..2], *b"PK");

    succeed(&mut aws, &job);
    let revision =
        json!({"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": first});
    let again = json!({"name": PIPELINE, "sourceRevisions": [revision]});
    call(&mut aws, "StartPipelineExecution", &again).unwrap();
    next_job(&mut aws);
    assert!(of_tag(&aws, &first).is_ok(), "the commit of the execution");
}

#[test]
fn an_image_is_pushed_again_without_an_effect() {
    let mut aws = with_project();
    commit(&mut aws, BRANCH, Behaviour::Healthy, &[]);
    created(&mut aws);
    let digest = |job: &Attempt| {
        let data = &job.payload["CodePipeline.job"]["data"];
        data["actionConfiguration"]["configuration"]["UserParameters"].clone()
    };
    let first = next_job(&mut aws);
    succeed(&mut aws, &first);
    start(&mut aws);
    let second = next_job(&mut aws);
    assert_eq!(digest(&first), digest(&second));
}

#[test]
fn commands_that_fail_fail_the_action() {
    let mut aws = with_project();
    commit(&mut aws, BRANCH, Behaviour::Healthy, &["Release/Build"]);
    created(&mut aws);
    let error = failed(&mut aws, "Release", "Build");

    assert_eq!(error.code, "JobFailed");
    let words = "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR";
    assert_eq!(error.message, words);
    assert!(aws.lambda.take_ready().is_none(), "nothing follows it");
}

#[test]
fn a_branch_without_commits_fails_the_source_action() {
    let mut aws = with_project();
    created(&mut aws);
    let error = failed(&mut aws, "Source", "Source");
    assert_eq!(error.code, "RevisionUnavailable");
}

#[test]
fn a_project_that_is_not_there_fails_the_action() {
    let mut aws = with_project();
    aws.codepipeline.projects.clear();
    commit(&mut aws, BRANCH, Behaviour::Healthy, &[]);
    created(&mut aws);
    let error = failed(&mut aws, "Release", "Build");
    let words = "Project cannot be found: arn:aws:codebuild:eu-west-1:111122223333:project/web";
    assert!(error.message.ends_with(words), "{}", error.message);
}

#[test]
fn only_a_privileged_build_runs_docker() {
    let mut aws = with_project();
    aws.codepipeline.projects.get_mut("web").unwrap().privileged = false;
    commit(&mut aws, BRANCH, Behaviour::Healthy, &[]);
    created(&mut aws);
    let error = failed(&mut aws, "Release", "Build");
    assert!(
        error
            .message
            .ends_with("Cannot connect to the Docker daemon")
    );
}

#[test]
fn a_build_works_under_the_role_of_its_project() {
    const ALL: [&str; 14] = [
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "ecr:BatchGetImage",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObject",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    ];
    let built = |actions: &[&str]| {
        let mut aws = with_project();
        allow(&mut aws, BUILD_ROLE, actions);
        commit(&mut aws, BRANCH, Behaviour::Healthy, &[]);
        created(&mut aws);
        aws
    };

    let mut aws = built(&ALL);
    next_job(&mut aws);
    for left_out in ALL {
        let others: Vec<&str> = ALL
            .into_iter()
            .filter(|action| *action != left_out)
            .collect();
        let mut aws = built(&others);
        let error = failed(&mut aws, "Release", "Build");
        assert!(
            error.message.contains(left_out),
            "{left_out}: {}",
            error.message
        );
    }
}

#[test]
fn a_pipeline_uses_a_connection_and_starts_builds_under_its_role() {
    const ALL: [&str; 3] = [
        "codeconnections:UseConnection",
        "codebuild:StartBuild",
        "codebuild:BatchGetBuilds",
    ];
    for (left_out, stage, action) in [
        (ALL[0], "Source", "Source"),
        (ALL[1], "Release", "Build"),
        (ALL[2], "Release", "Build"),
    ] {
        let mut aws = with_project();
        let others = ALL.into_iter().filter(|action| *action != left_out);
        let others: Vec<&str> = others.chain(["s3:*"]).collect();
        allow(&mut aws, PIPELINE_ROLE, &others);
        commit(&mut aws, BRANCH, Behaviour::Healthy, &[]);
        created(&mut aws);
        let error = failed(&mut aws, stage, action);
        assert_eq!(error.code, "PermissionError");
        assert!(
            error.message.contains(left_out),
            "{left_out}: {}",
            error.message
        );
    }
}

#[test]
fn a_build_of_several_artifacts_names_the_primary_one() {
    let refused = |inputs: Value, configuration: Value| {
        let mut test = codebuild("Test", "Test", configuration);
        test["inputArtifacts"] = inputs;
        test["runOrder"] = json!(2);
        let mut pipeline = pipeline();
        pipeline["stages"][1]["actions"]
            .as_array_mut()
            .unwrap()
            .push(test);
        call(
            &mut with_project(),
            "CreatePipeline",
            &json!({ "pipeline": pipeline }),
        )
        .is_err()
    };
    let both = || json!([{"name": "Commit"}, {"name": "Image"}]);

    assert!(refused(both(), json!({"ProjectName": "web"})));
    let named = |primary: &str| json!({"ProjectName": "web", "PrimarySource": primary});
    assert!(refused(both(), named("Other")));
    assert!(!refused(both(), named("Commit")));
    assert!(refused(json!([]), json!({"ProjectName": "web"})));
}
