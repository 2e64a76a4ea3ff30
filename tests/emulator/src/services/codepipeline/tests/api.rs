use super::*;

fn create(change: impl FnOnce(&mut Value)) -> Result<Value, ApiError> {
    let mut pipeline = declaration(vec![step("Go", 1, "{}")]);
    change(&mut pipeline);
    call(
        &mut account(1),
        "CreatePipeline",
        &json!({ "pipeline": pipeline }),
    )
}

fn refused(change: impl FnOnce(&mut Value)) -> String {
    create(change).unwrap_err().code
}

#[test]
fn a_definition_is_checked_as_a_whole() {
    create(|_| {}).unwrap();
    assert_eq!(
        refused(|p| p["stages"].as_array_mut().unwrap().truncate(1)),
        "InvalidStructureException"
    );
    assert_eq!(
        refused(|p| p["stages"].as_array_mut().unwrap().swap(0, 1)),
        "InvalidStructureException"
    );
    assert_eq!(
        refused(|p| p["stages"][1]["name"] = json!("Source")),
        "InvalidStageDeclarationException"
    );
    assert_eq!(
        refused(|p| p["stages"][1]["actions"] = json!([step("A", 1, "x"), step("A", 2, "x")])),
        "InvalidStageDeclarationException"
    );
    assert_eq!(
        refused(|p| p["stages"][1]["actions"][0]["runOrder"] = json!(1000)),
        "ValidationException"
    );
    assert_eq!(
        refused(|p| p["stages"][1]["actions"][0]["actionTypeId"]["provider"] = json!("Lambada")),
        "InvalidActionDeclarationException"
    );
    assert_eq!(
        refused(|p| p["stages"][1]["actions"][0]["inputArtifacts"] = json!([{"name": "Other"}])),
        "InvalidStructureException"
    );
    assert_eq!(
        refused(|p| p["stages"][1]["actions"][0]["namespace"] = json!("Config")),
        "InvalidActionDeclarationException"
    );
    assert_eq!(refused(|p| p["name"] = json!("a b")), "ValidationException");
    assert_eq!(
        refused(|p| p["pipelineType"] = json!("V1")),
        "InvalidStructureException"
    );
}

#[test]
fn user_parameters_and_variables_have_limits() {
    let parameters = |p: &mut Value, text: String| {
        p["stages"][1]["actions"][0]["configuration"]["UserParameters"] = json!(text)
    };
    create(|p| parameters(p, "x".repeat(1000))).unwrap();
    assert_eq!(
        refused(|p| parameters(p, "x".repeat(1001))),
        "ValidationException"
    );

    let variables = |count: usize| {
        (0..count)
            .map(|n| json!({"name": format!("v{n}"), "defaultValue": "x"}))
            .collect::<Value>()
    };
    create(|p| p["variables"] = variables(50)).unwrap();
    assert_eq!(
        refused(|p| p["variables"] = variables(51)),
        "ValidationException"
    );
}

#[test]
fn a_reference_to_an_unknown_namespace_is_refused_at_creation() {
    let refer = |text: &str| {
        let text = text.to_owned();
        create(move |p| {
            p["stages"][1]["actions"][0]["configuration"]["UserParameters"] = json!(text)
        })
    };
    refer("#{Config.ETag} #{variables.who} #{codepipeline.PipelineExecutionId}").unwrap();

    for unknown in [
        "#{Later.X}",
        "#{variables.unknown}",
        "#{codepipeline.Stage}",
        "#{Go.Own}",
    ] {
        assert_eq!(
            refer(unknown).unwrap_err().code,
            "InvalidActionDeclarationException",
            "{unknown}"
        );
    }
}

#[test]
fn a_name_is_used_once() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let again = json!({"pipeline": declaration(vec![step("Go", 1, "{}")])});
    assert_eq!(
        call(&mut aws, "CreatePipeline", &again).unwrap_err().code,
        "PipelineNameInUseException"
    );
}

#[test]
fn a_start_token_is_idempotent_while_it_is_remembered() {
    let mut forgotten = 0;
    for seed in 0..20 {
        let mut aws = account(seed);
        call(
            &mut aws,
            "CreatePipeline",
            &json!({"pipeline": declaration(vec![step("Go", 1, "{}")])}),
        )
        .unwrap();
        let request = json!({"name": PIPELINE, "clientRequestToken": "sha256-abc"});
        let first = call(&mut aws, "StartPipelineExecution", &request).unwrap();

        assert_eq!(
            call(&mut aws, "StartPipelineExecution", &request).unwrap(),
            first
        );

        after(&mut aws, 48 * 3600);
        forgotten +=
            u32::from(call(&mut aws, "StartPipelineExecution", &request).unwrap() != first);
    }

    assert!(
        (1..20).contains(&forgotten),
        "some tokens are forgotten and some are not: {forgotten} of 20"
    );
}

#[test]
fn starts_are_checked() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let mut refused =
        |request: Value| call(&mut aws, "StartPipelineExecution", &request).unwrap_err();
    assert_eq!(
        refused(json!({"name": "gone"})).to_string(),
        "PipelineNotFoundException: Account '111122223333' does not have a pipeline with name \
         'gone'"
    );

    let colon = refused(json!({"name": PIPELINE, "clientRequestToken": "sha256:a"}));
    assert_eq!(
        colon.message,
        "1 validation error detected: Value 'sha256:a' at 'clientRequestToken' failed to satisfy \
        constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9-]+$"
    );

    let unknown = json!({"name": PIPELINE, "variables": [{"name": "other", "value": "x"}]});
    assert_eq!(refused(unknown).code, "ValidationException");

    let digest = json!([
        {"actionName": "Config", "revisionType": "IMAGE_DIGEST", "revisionValue": "sha256:a"},
    ]);
    assert_eq!(
        refused(json!({"name": PIPELINE, "sourceRevisions": digest})).code,
        "ValidationException"
    );
}

#[test]
fn given_variables_override_defaults() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let request = json!({"name": PIPELINE, "variables": [{"name": "who", "value": "me"}]});
    let id =
        call(&mut aws, "StartPipelineExecution", &request).unwrap()["pipelineExecutionId"].clone();
    let request = json!({"pipelineName": PIPELINE, "pipelineExecutionId": id});
    let execution = call(&mut aws, "GetPipelineExecution", &request).unwrap();

    assert_eq!(
        execution["pipelineExecution"]["variables"],
        json!([{"name": "who", "resolvedValue": "me"}])
    );
}

#[test]
fn an_image_that_is_not_there_fails_the_source_action() {
    let mut aws = account(1);
    let mut pipeline = declaration(vec![
        json!({"name": "Approve", "actionTypeId": approval(1)["actionTypeId"]}),
    ]);
    pipeline["stages"][0]["actions"][0] = json!({
        "name": "Image", "outputArtifacts": [{"name": "Image"}],
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "ECR", "version": "1"},
        "configuration": {"RepositoryName": "web"},
    });
    call(&mut aws, "CreatePipeline", &json!({ "pipeline": pipeline })).unwrap();
    after(&mut aws, 10);

    let execution = &aws.codepipeline.executions[0];
    assert_eq!(execution.status, ExecutionStatus::Failed);
    assert_eq!(
        execution
            .latest_action("Source", "Image")
            .unwrap()
            .error
            .as_ref()
            .unwrap()
            .code,
        "RevisionUnavailable"
    );
}

#[test]
fn lists_come_in_pages_newest_first() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let newest = start(&mut aws);
    let first = call(
        &mut aws,
        "ListPipelineExecutions",
        &json!({"pipelineName": PIPELINE, "maxResults": 1}),
    )
    .unwrap();

    assert_eq!(
        first["pipelineExecutionSummaries"][0]["pipelineExecutionId"],
        newest
    );

    let next = json!({"pipelineName": PIPELINE, "nextToken": first["nextToken"]});
    let rest = call(&mut aws, "ListPipelineExecutions", &next).unwrap();
    assert_eq!(
        rest["pipelineExecutionSummaries"].as_array().unwrap().len(),
        1
    );
    assert!(rest.get("nextToken").is_none());

    let bad = json!({"pipelineName": PIPELINE, "nextToken": "x"});
    assert_eq!(
        call(&mut aws, "ListPipelineExecutions", &bad)
            .unwrap_err()
            .code,
        "InvalidNextTokenException"
    );
}

#[test]
fn action_executions_show_what_was_resolved_and_reported() {
    let mut aws = with_pipeline(vec![step("Go", 1, "#{variables.who}")]);
    let id = aws.codepipeline.executions[0].id.clone();
    let job = next_job(&mut aws);
    let report = json!({
        "jobId": id_of(&job), "executionDetails": {"summary": "done"},
        "outputVariables": {"A": "b"},
    });
    call(&mut aws, "PutJobSuccessResult", &report).unwrap();

    let request = json!({"pipelineName": PIPELINE, "filter": {"pipelineExecutionId": id}});
    let listed = call(&mut aws, "ListActionExecutions", &request).unwrap();
    let action = &listed["actionExecutionDetails"][0];

    assert_eq!(
        action["input"]["configuration"]["UserParameters"],
        "#{variables.who}"
    );
    assert_eq!(
        action["input"]["resolvedConfiguration"]["UserParameters"],
        "unknown"
    );
    assert_eq!(
        action["output"]["executionResult"]["externalExecutionSummary"],
        "done"
    );
    assert_eq!(action["output"]["outputVariables"], json!({"A": "b"}));
}

#[test]
fn unknown_operations_and_members_are_refused() {
    let mut aws = account(1);
    assert_eq!(
        call(&mut aws, "PollForThirdPartyJobs", &json!({}))
            .unwrap_err()
            .code,
        "UnknownOperationException"
    );
    assert_eq!(
        call(&mut aws, "GetPipeline", &json!({"nam": "x"}))
            .unwrap_err()
            .code,
        "SerializationException"
    );
}

#[test]
fn tags_of_a_pipeline_are_refused_with_its_own_codes() {
    let mut aws = account(3);
    let mut refused = |tags: Value| {
        let pipeline = declaration(vec![step("Go", 1, "{}")]);
        let input = json!({"pipeline": pipeline, "tags": tags});
        call(&mut aws, "CreatePipeline", &input).unwrap_err().code
    };

    let tag = |key: String| json!({"key": key, "value": ""});
    let many: Value = (0..51).map(|at| tag(format!("key-{at}"))).collect();
    assert_eq!(refused(many), "TooManyTagsException");
    assert_eq!(refused(json!([tag(String::new())])), "ValidationException");
    for key in ["aws:mine", "Aws:mine", "team#"] {
        let tags = json!([tag(key.to_owned())]);
        assert_eq!(refused(tags), "InvalidTagsException", "{key}");
    }
}
