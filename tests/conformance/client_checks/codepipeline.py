"""CodePipeline: pipelines, executions and jobs."""

import botocore.exceptions

from client_checks import check
from client_checks.account import PIPELINE
from client_checks.calls import all_pages, cli, client, modelled


@check
def codepipeline_reads():
    codepipeline = client("codepipeline")
    assert PIPELINE in all_pages(codepipeline, "list_pipelines", "pipelines[].name", 1)
    pipeline = cli("codepipeline", "get-pipeline", "--name", PIPELINE)
    assert pipeline["pipeline"]["pipelineType"] == "V2"
    codepipeline.list_tags_for_resource(resourceArn=pipeline["metadata"]["pipelineArn"])
    state = cli("codepipeline", "get-pipeline-state", "--name", PIPELINE)
    assert [it["stageName"] for it in state["stageStates"]] == [it["name"] for it in pipeline["pipeline"]["stages"]]
    executions = all_pages(codepipeline, "list_pipeline_executions", "pipelineExecutionSummaries[].pipelineExecutionId", 1,
                           pipelineName=PIPELINE)
    found = codepipeline.get_pipeline_execution(pipelineName=PIPELINE, pipelineExecutionId=executions[0])
    assert found["pipelineExecution"]["pipelineExecutionId"] == executions[0]
    actions = all_pages(codepipeline, "list_action_executions", "actionExecutionDetails[].actionExecutionId", 1,
                        pipelineName=PIPELINE)
    listed = cli("codepipeline", "list-action-executions", "--pipeline-name", PIPELINE, "--filter",
                 f"pipelineExecutionId={executions[0]}")["actionExecutionDetails"]
    assert listed and {it["actionExecutionId"] for it in listed} <= set(actions), listed
    modelled(codepipeline, "PipelineNotFoundException", codepipeline.get_pipeline, name="none")
    modelled(codepipeline, "PipelineExecutionNotFoundException", codepipeline.get_pipeline_execution,
             pipelineName=PIPELINE, pipelineExecutionId="00000000-0000-4000-8000-000000000000")


@check
def codepipeline_changes():
    codepipeline = client("codepipeline")
    definition = codepipeline.get_pipeline(name=PIPELINE)["pipeline"]
    definition.pop("version")
    created = codepipeline.create_pipeline(pipeline={**definition, "name": "own"}, tags=[{"key": "a", "value": "b"}])
    assert created["pipeline"]["version"] == 1
    assert codepipeline.update_pipeline(pipeline={**definition, "name": "own"})["pipeline"]["version"] == 2
    arn = codepipeline.get_pipeline(name="own")["metadata"]["pipelineArn"]
    assert codepipeline.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "b"}]
    stage = definition["stages"][1]["name"]
    codepipeline.disable_stage_transition(pipelineName="own", stageName=stage, transitionType="Inbound", reason="tried")
    state = codepipeline.get_pipeline_state(name="own")["stageStates"][1]["inboundTransitionState"]
    assert (state["enabled"], state["disabledReason"]) == (False, "tried"), state
    codepipeline.enable_stage_transition(pipelineName="own", stageName=stage, transitionType="Inbound")
    started = codepipeline.start_pipeline_execution(name="own")["pipelineExecutionId"]
    try:
        codepipeline.stop_pipeline_execution(pipelineName="own", pipelineExecutionId=started, abandon=True)
    except codepipeline.exceptions.PipelineExecutionNotStoppableException:
        pass
    modelled(codepipeline, "StageNotFoundException", codepipeline.retry_stage_execution, pipelineName="own",
             stageName="none", pipelineExecutionId=started, retryMode="FAILED_ACTIONS")
    for call, more in [(codepipeline.put_job_success_result, {}),
                       (codepipeline.put_job_failure_result, {"failureDetails": {"type": "JobFailed", "message": "m"}})]:
        modelled(codepipeline, "JobNotFoundException", call, jobId="00000000-0000-4000-8000-000000000000", **more)
    try:
        codepipeline.put_approval_result(pipelineName="own", stageName=stage, actionName="none", token="none",
                                         result={"summary": "s", "status": "Approved"})
    except botocore.exceptions.ClientError as refused:
        assert refused.response["Error"]["Code"] in ("ActionNotFoundException", "ValidationException"), refused
    codepipeline.delete_pipeline(name="own")
    modelled(codepipeline, "PipelineNotFoundException", codepipeline.get_pipeline_state, name="own")
