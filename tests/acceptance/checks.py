"""What a run expects. Each check returns what it found, or raises `Failed`."""

from account import expect
from stacks import COLOURS, site_roles, task_roles

# Services over which the functions' own roles have no power; all of it is in the deploy roles.
NOT_OF_FUNCTIONS = ("ecs:", "elasticloadbalancing:", "application-autoscaling:", "iam:", "*")
# What a pipeline's stack reads while it is made.
FINDS_ROLES = ["ecs:DescribeServices", "ecs:DescribeTaskDefinition"]


class Checks:
    """The checks of one run; what one deploys, the next ones use."""

    def __init__(self, stacks, releases, images, outputs):
        self.stacks, self.releases, self.images = stacks, releases, images
        self.account, self.web, self.shop = stacks.account, outputs["web"], outputs["shop"]
        self.site = outputs["site"]
        self.good = None

    def in_order(self):
        return [
            self.policies,
            self.good_image_in_place,
            self.broken_image_in_place,
            self.good_image_blue_green,
            self.broken_image_blue_green,
            self.stopped_while_traffic_moves,
            self.reset_weights_are_set_back,
            self.good_image_by_dns,
            self.broken_image_by_dns,
            self.no_release_is_open,
        ]

    # ---- permissions ----

    def policies(self):
        """The functions have no power over services, a deploy role exactly that over its own."""
        for logical, role, _ in self.stacks.resources(self.stacks.prefix, "AWS::IAM::Role"):
            reads = FINDS_ROLES if logical == "FindTaskRolesFunctionRole" else []
            powers = [action for statement in self.statements(role)
                      for action in listed(statement["Action"])
                      if action.startswith(NOT_OF_FUNCTIONS) and action not in reads]
            expect(not powers, f"{role} may {powers}")

        web = [self.stacks.web]
        shop, site = ([f"{pair}-{colour}" for colour in COLOURS]
                      for pair in (self.stacks.shop, self.stacks.site))
        rule = {"elasticloadbalancing:ModifyRule": [self.shop["ProductionRuleArn"]]}
        zone = f"arn:{self.account.partition}:route53:::hostedzone/{self.site['zone']}"
        zone = {"route53:ChangeResourceRecordSets": [zone]}
        self.deploy_role(self.stacks.web_pipeline, web, task_roles(self.web), {})
        self.deploy_role(self.stacks.shop_pipeline, shop, task_roles(self.shop), rule)
        self.deploy_role(self.stacks.site_pipeline, site, site_roles(self.site), zone)
        return "deploy roles name " + ", ".join(web + shop + site)

    def deploy_role(self, pipeline, services, roles_to_pass, traffic):
        found = self.stacks.resources(pipeline, "AWS::IAM::Role")
        roles = [physical for logical, physical, _ in found if logical == "DeployRole"]
        expect(len(roles) == 1, f"{pipeline} has the deploy roles {roles}")
        exact = {
            "ecs:UpdateService": [self.account.arn("ecs", f"service/{self.stacks.cluster}/{name}")
                                  for name in services],
            "iam:PassRole": roles_to_pass.split(","),
            "elasticloadbalancing:ModifyRule": [],
            "route53:ChangeResourceRecordSets": [],
            "codepipeline:StartPipelineExecution": [self.account.arn("codepipeline", pipeline)],
            **traffic,
        }
        for action, expected in exact.items():
            resources = [resource for statement in self.statements(roles[0])
                         if action in listed(statement["Action"])
                         for resource in listed(statement["Resource"])]
            expect(sorted(resources) == sorted(expected), f"{roles[0]}: {action} on {resources}")

        iam = self.account.client("iam")
        attached = iam.list_attached_role_policies(RoleName=roles[0]).get("AttachedPolicies")
        expect(not attached, f"{roles[0]} has more than its own policies: {attached}")
        role = iam.get_role(RoleName=roles[0])["Role"]
        conditions = [it["Condition"]["StringEquals"]["sts:ExternalId"]
                      for it in listed(role["AssumeRolePolicyDocument"]["Statement"])]
        expect(conditions == [self.account.arn("codepipeline", pipeline)], conditions)

    def statements(self, role):
        iam = self.account.client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
                     for name in names]
        return [statement for document in documents for statement in listed(document["Statement"])
                if statement["Effect"] == "Allow"]

    # ---- in place ----

    def good_image_in_place(self):
        """A good image is deployed."""
        digest = self.images.push(self.web["RepositoryName"], "1.0.0")
        ended = self.releases.ended(self.stacks.web_pipeline, digest)
        expect(ended[:2] == ("Succeeded", "deployed"), ended)
        self.good = digest
        return self.running()

    def broken_image_in_place(self):
        """A broken image is rolled back, and its revision deregistered."""
        before = self.releases.service(self.stacks.web)["taskDefinition"]
        digest = self.images.push(self.web["RepositoryName"], "1.1.0", good=False)
        ended = self.releases.ended(self.stacks.web_pipeline, digest)
        expect(ended[:2] == ("Failed", "rolled-back"), ended)
        after = self.releases.service(self.stacks.web)["taskDefinition"]
        expect(after == before, f"{after}; it was {before}")
        family, revision = before.rsplit(":", 1)
        status, images = self.releases.images(f"{family}:{int(revision) + 1}")
        expect(status == "INACTIVE", f"the revision of {images} is {status}")
        return f"{ended[2]}; {self.running()}"

    def running(self):
        def steady():
            found = self.releases.service(self.stacks.web)["deployments"]
            return len(found) == 1 and found[0].get("rolloutState") == "COMPLETED"

        self.account.wait("the steady state", 15, steady)
        group = self.web["TargetGroupArn"]
        return self.releases.expect_running(self.stacks.web, group, self.good)

    # ---- blue/green ----

    def good_image_blue_green(self):
        """A good image goes to the idle colour, gets all traffic, and the old one is retired."""
        old = self.releases.live(self.shop)
        expect(old == "blue", f"{old} is live at first")
        digest = self.images.push(self.shop["RepositoryName"], "1.0.0")
        ended = self.releases.ended(self.stacks.shop_pipeline, digest)
        expect(ended[:2] == ("Succeeded", "deployed"), ended)
        self.expect_live("green", digest)
        retired = self.releases.service(f"{self.stacks.shop}-blue")["desiredCount"]
        expect(retired == 0, f"blue keeps {retired} tasks")
        self.good = digest
        return f"weights {self.releases.weights(self.shop)}"

    def broken_image_blue_green(self):
        """A broken image never gets traffic."""
        digest = self.images.push(self.shop["RepositoryName"], "1.1.0", good=False)
        ended = self.releases.ended(self.stacks.shop_pipeline, digest)
        expect(ended[:2] == ("Failed", "rolled-back"), ended)
        self.expect_live("green", self.good)
        return ended[2]

    def stopped_while_traffic_moves(self):
        """An operator stops a release while both colours have traffic: all of it returns."""
        pipeline = self.stacks.shop_pipeline
        digest = self.images.push(self.shop["RepositoryName"], "1.2.0")

        def shifting():
            weights = self.releases.weights(self.shop)
            return weights if all(weight > 0 for weight in weights.values()) else None

        weights = self.account.wait("traffic on both colours", 60, shifting)
        execution = self.releases.execution(pipeline, digest)
        self.account.client("codepipeline").stop_pipeline_execution(
            pipelineName=pipeline, pipelineExecutionId=execution["pipelineExecutionId"],
            abandon=True, reason="acceptance")
        ended = self.releases.ended(pipeline, digest)
        expect(ended[:2] == ("Stopped", "rolled-back"), ended)
        self.expect_live("green", self.good)
        return f"stopped at {weights}; {ended[2]}"

    def reset_weights_are_set_back(self):
        """Weights that lead to no tasks, as a stack update may set them, are set back."""
        elb, arn = self.account.client("elbv2"), self.shop["ProductionRuleArn"]
        actions = elb.describe_rules(RuleArns=[arn])["Rules"][0]["Actions"]
        for group in actions[-1]["ForwardConfig"]["TargetGroups"]:
            is_blue = group["TargetGroupArn"] == self.shop["BlueTargetGroupArn"]
            group["Weight"] = 100 if is_blue else 0
        elb.modify_rule(RuleArn=arn, Actions=actions)
        self.account.wait("the repair of the weights", 10,
                          lambda: self.releases.live(self.shop) == "green")
        return f"weights {self.releases.weights(self.shop)}"

    def expect_live(self, colour, digest):
        weights = self.releases.weights(self.shop)
        live = self.releases.live(self.shop)
        expect(live == colour, f"weights {weights}; expected all traffic on {colour}")
        group = self.shop[f"{colour.title()}TargetGroupArn"]
        self.releases.expect_running(f"{self.stacks.shop}-{colour}", group, digest)

    # ---- by DNS ----

    def good_image_by_dns(self):
        """A good image gets all traffic of two records, and the old service is retired."""
        before = self.releases.record_weights(self.site)
        expect(before == {"blue": 100, "green": 0}, f"records with {before} at first")
        digest = self.images.push(self.site["blue"]["RepositoryName"], "1.0.0")
        ended = self.releases.ended(self.stacks.site_pipeline, digest)
        expect(ended[:2] == ("Succeeded", "deployed"), ended)
        self.expect_live_by_dns(digest)
        retired = self.releases.service(f"{self.stacks.site}-blue")["desiredCount"]
        expect(retired == 0, f"blue keeps {retired} tasks")
        self.good = digest
        return f"weights {self.releases.record_weights(self.site)}"

    def broken_image_by_dns(self):
        """A broken image never gets traffic of two records."""
        digest = self.images.push(self.site["blue"]["RepositoryName"], "1.1.0", good=False)
        ended = self.releases.ended(self.stacks.site_pipeline, digest)
        expect(ended[:2] == ("Failed", "rolled-back"), ended)
        self.expect_live_by_dns(self.good)
        return ended[2]

    def expect_live_by_dns(self, digest):
        weights = self.releases.record_weights(self.site)
        live = [colour for colour in COLOURS if weights[colour] > 0]
        expect(live == ["green"], f"records with {weights}; expected all traffic on green")
        group = self.site["green"]["TargetGroupArn"]
        self.releases.expect_running(f"{self.stacks.site}-green", group, digest)

    # ---- ledger ----

    def no_release_is_open(self):
        """Every lease is free in the end."""
        found = self.releases.open_releases()
        expect(not found, f"open releases of {found}")
        return "every lease is free"


def listed(one_or_many):
    return one_or_many if isinstance(one_or_many, list) else [one_or_many]
