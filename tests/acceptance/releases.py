"""What becomes of a push, and what runs: read through AWS's APIs alone."""

from account import expect
from stacks import COLOURS

ENDED = ("Succeeded", "Failed", "Stopped", "Superseded", "Cancelled")
MINUTES = 60


class Releases:
    """The releases of one installation."""

    def __init__(self, account, stacks, ledger):
        self.account, self.stacks, self.ledger = account, stacks, ledger
        self.codepipeline = account.client("codepipeline")
        # Where a pipeline of an earlier run had the same name, its executions may still be listed.
        pipelines = (stacks.web_pipeline, stacks.shop_pipeline, stacks.site_pipeline)
        self.earlier = {it["pipelineExecutionId"] for name in pipelines for it in self.listed(name)}

    def listed(self, pipeline):
        found = self.codepipeline.list_pipeline_executions(pipelineName=pipeline)
        return found["pipelineExecutionSummaries"]

    def execution(self, pipeline, digest):
        """The newest execution of a pipeline for a digest, or None."""
        for summary in self.listed(pipeline):
            if summary["pipelineExecutionId"] in self.earlier:
                continue
            if digest in [it.get("revisionId") for it in summary.get("sourceRevisions", [])]:
                return summary
        return None

    def ended(self, pipeline, digest):
        """Status, outcome and reason of the release of a digest, once it is over.

        A release that `begin-release` refused has no record: its outcome is `refused`.
        """
        def over():
            found = self.execution(pipeline, digest)
            return found if found and found["status"] in ENDED else None

        def closed():
            record = self.item(f"execution#{execution['pipelineExecutionId']}", "record")
            if not record and execution["status"] == "Failed":
                return {"outcome": "refused"}
            return record if record.get("state") == "closed" else None

        execution = self.account.wait(f"the end of {digest} in {pipeline}", MINUTES, over)
        record = self.account.wait(f"the close of {digest} in the ledger", MINUTES, closed)
        return execution["status"], record["outcome"], record.get("reason", "")

    def item(self, pk, sk):
        """The texts of an item of the ledger."""
        found = self.account.client("dynamodb").get_item(
            TableName=self.ledger, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True)
        return {name: value["S"] for name, value in found.get("Item", {}).items() if "S" in value}

    def open_releases(self):
        pages = self.account.client("dynamodb").get_paginator("scan").paginate(
            TableName=self.ledger, ConsistentRead=True)
        items = [item for page in pages for item in page["Items"]]
        return [item["sk"]["S"] for item in items
                if item["pk"]["S"] == "lease" and "release" in item]

    def failed_actions(self, pipeline, execution):
        """Name and message of each action of an execution that failed."""
        pages = self.codepipeline.get_paginator("list_action_executions").paginate(
            pipelineName=pipeline,
            filter={"pipelineExecutionId": execution["pipelineExecutionId"]})
        details = [detail for page in pages for detail in page["actionExecutionDetails"]]
        return [f"{it['actionName']}: {it['output']['executionResult'].get('errorDetails')}"
                for it in details if it["status"] == "Failed"]

    # ---- what runs ----

    def service(self, name):
        services = self.account.client("ecs").describe_services(
            cluster=self.stacks.cluster, services=[name])["services"]
        expect(services, f"no service {name}")
        return services[0]

    def images(self, task_definition):
        found = self.account.client("ecs").describe_task_definition(taskDefinition=task_definition)
        definition = found["taskDefinition"]
        return definition["status"], [it["image"] for it in definition["containerDefinitions"]]

    def healthy(self, target_group):
        health = self.account.client("elbv2").describe_target_health(TargetGroupArn=target_group)
        states = [it["TargetHealth"]["State"] for it in health["TargetHealthDescriptions"]]
        return states.count("healthy")

    def expect_running(self, service, target_group, digest):
        """The service runs the digest, with all of its tasks and nothing else."""
        found = self.service(service)
        deployments = [(it["status"], it.get("rolloutState")) for it in found["deployments"]]
        expect(deployments == [("PRIMARY", "COMPLETED")], f"{service}: {deployments}")
        running, desired = found["runningCount"], found["desiredCount"]
        expect(running == desired > 0, f"{service}: {running} of {desired} tasks")
        status, images = self.images(found["taskDefinition"])
        expect(status == "ACTIVE", f"{found['taskDefinition']} is {status}")
        expect(any(it.endswith(digest) for it in images), f"{service} runs {images}")
        healthy = self.healthy(target_group)
        expect(healthy == desired, f"{service}: {healthy} healthy targets of {desired}")
        return f"{found['taskDefinition'].split('/')[-1]} on {running} of {desired} tasks"

    def weights(self, outputs):
        """The weights of both colours of a pair, with its outputs."""
        rules = self.account.client("elbv2").describe_rules(
            RuleArns=[outputs["ProductionRuleArn"]])["Rules"]
        groups = rules[0]["Actions"][-1]["ForwardConfig"]["TargetGroups"]
        by_arn = {it["TargetGroupArn"]: it.get("Weight", 1) for it in groups}
        return {colour: by_arn[outputs[f"{colour.title()}TargetGroupArn"]] for colour in COLOURS}

    def record_weights(self, site):
        """The weights of both records of the site."""
        return {it["SetIdentifier"]: it["Weight"] for it in self.stacks.records(site["zone"])}

    def live(self, outputs):
        """The colour that has all traffic, or None."""
        weights = self.weights(outputs)
        having = [colour for colour in COLOURS if weights[colour] > 0]
        return having[0] if len(having) == 1 else None
