//! Nothing in a role's policies is more than its releases need, and nothing in them is lost unseen.

use std::collections::BTreeSet;
use std::fs;

use emulator::Aws;
use harness::demo::root;

use super::by_records::{BY_RECORDS, OF_TRAFFIC};
use super::deploy_roles::{IN_PLACE, OF_PAIR};
use super::functions;
use super::on_instances::ON_INSTANCES;
use super::scenes::{Scene, scenes};
use super::statements::Granted;

/// Why CodePipeline's role may do what the sandbox's engine does not do.
const DOCUMENTED: &str = "CodePipeline's documentation demands it of the role";

/// Why a function's role may do what its code does not do.
const BY_LAMBDA: &str = "Lambda does it under the role of the function, unseen by the sandbox";

/// The functions.
const FUNCTIONS: &[&str] = &["template.yaml"];
/// The stacks of the pairs' pipelines: on Fargate and on instances.
const PAIRS: [&str; 2] = [OF_PAIR, ON_INSTANCES];

/// The function that gets the stream of the ledger.
const ANNOUNCING: &[&str] = &["template.yaml: announce-releases"];

/// Actions that no scene needs: the roles, the Sid, the actions, and the reason.
const UNPLAYED: [(&[&str], &str, &[&str], &str); 8] = [
    (
        FUNCTIONS,
        "WriteOwnLogs",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        BY_LAMBDA,
    ),
    (
        FUNCTIONS,
        "SendDeadLetters",
        &["sqs:SendMessage"],
        BY_LAMBDA,
    ),
    (
        ANNOUNCING,
        "ReadStream",
        &[
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
        ],
        BY_LAMBDA,
    ),
    (
        ANNOUNCING,
        "ListStreams",
        &["dynamodb:ListStreams"],
        BY_LAMBDA,
    ),
    (
        &["PipelineRole"],
        "ArtifactBucket",
        &[
            "s3:GetBucketAcl",
            "s3:GetBucketLocation",
            "s3:GetBucketVersioning",
        ],
        DOCUMENTED,
    ),
    (
        &["PipelineRole"],
        "Artifacts",
        &["s3:GetObjectVersion"],
        DOCUMENTED,
    ),
    (
        &["in-place.yaml: PipelineRole", "canary.yaml: PipelineRole"],
        "ConfigBucket",
        &["s3:ListBucket"],
        DOCUMENTED,
    ),
    (
        &["blue-green.yaml: PipelineRole", "dns.yaml: PipelineRole"],
        "Artifacts",
        &["s3:GetObject"],
        "the pipeline has no Config artifact; the emulator's tests compare the statement with that \
         of in-place.yaml",
    ),
];

/// Resources with a wildcard: the Sid, the resource, and why it is not narrower.
const WIDE: [(&str, &str, &str); 17] = [
    (
        "WriteOwnLogs",
        "logs:log-group:/aws/lambda/slipway-*:*",
        "the functions share the policy, and each has a group of its own",
    ),
    (
        "AssumeDeployRoles",
        "iam:role/*",
        "stacks of pipelines come later and have other names; a condition requires their tag",
    ),
    (
        "ReadStream",
        "dynamodb:table/<table>/stream/*",
        "DynamoDB names a stream by the time at which it is turned on",
    ),
    (
        "ListStreams",
        "*",
        "Lambda lists the streams, which IAM cannot tell apart",
    ),
    (
        "FindServices",
        "ecs:service/*",
        "stacks of pipelines come later and name their services",
    ),
    (
        "PollForJobs",
        "codepipeline:actiontype:Custom/*/slipway-*/*",
        "types of each category and version, and of steps that later functions have",
    ),
    (
        "WriteReports",
        "s3:<bucket>/*",
        "reports are named by pipeline and execution",
    ),
    (
        "Artifacts",
        "s3:<bucket>/*",
        "CodePipeline names the artifacts, and the bucket has no others",
    ),
    (
        "ObserveServiceDeployments",
        "ecs:service-deployment/<cluster>/<service>/*",
        "Amazon ECS makes the ids",
    ),
    (
        "ObserveCapacity",
        "ecs:capacity-provider/*",
        "capacity providers belong to no cluster, and the service names them",
    ),
    (
        "ObserveInstances",
        "ecs:container-instance/<cluster>/*",
        "Amazon ECS makes the ids",
    ),
    (
        "ObserveTasks",
        "ecs:task/*",
        "a revision that a task of any cluster runs is not deregistered",
    ),
    (
        "RegisterTaskDefinition",
        "*",
        "on `*` or on the family: sources disagree, and the sandbox draws it",
    ),
    (
        "TagRegisteredRevision",
        "ecs:task-definition/*",
        "the family is that of the service or of a file, and may change",
    ),
    (
        "RunOneOffTask",
        "ecs:task-definition/web:*",
        "each release registers a revision of the family",
    ),
    (
        "StopOneOffTask",
        "ecs:task/<cluster>/*",
        "Amazon ECS makes the ids",
    ),
    ("FollowChange", "route53:change/*", "Route 53 makes the ids"),
];

/// The statements that stand in the templates and in no role of a scene. The first two are policies
/// of a queue and of buckets. The others depend on a parameter or are of tasks, whose roles the
/// sandbox does not evaluate: the emulator's tests of the templates compare them word for word. Of
/// the templates of promotions and of custom actions the tests of these compare them. The policies
/// of people are played by the tests of the commands.
const ELSEWHERE: [&str; 37] = [
    "UndeliveredEvents",
    "TlsOnly",
    "Builds",
    "Connection",
    "DecryptSecrets",
    "FindPushedImages",
    "FindOtherImages",
    "FindPipelineStacks",
    "InvokeForPeople",
    "ListPipelines",
    "Login",
    "LookAtInstances",
    "LookAtServices",
    "NetworkInterfaces",
    "Notify",
    "ObserveRules",
    "PullImages",
    "PullOtherImages",
    "PushImage",
    "ReadAlarms",
    "ReadArtifacts",
    "ReadFunctionsStack",
    "ReadPipelines",
    "ReadPushed",
    "ReadReleases",
    "ReadReports",
    "ReadScans",
    "ReadSecrets",
    "ReadServices",
    "ReadUserPoolClient",
    "ReadWholeLedger",
    "ReadWithKey",
    "RunPipelines",
    "StopLine",
    "UseKey",
    "WriteLogs",
    "WriteTraces",
];

/// The statements that deny: those of all functions, which `functions_policy.rs` compares word for
/// word, and that of the deploy roles of pairs, which the emulator's tests do.
const DENYING: [&str; 3] = ["KeepAlarms", "NoDeployRolesElsewhere", "NoNetworkByCode"];

const TEMPLATES: [&str; 9] = [
    "template.yaml",
    "infra/deploy-role.yaml",
    "infra/service.yaml",
    "infra/pipelines/in-place.yaml",
    "infra/pipelines/blue-green.yaml",
    "infra/pipelines/canary.yaml",
    "infra/pipelines/custom-actions.yaml",
    "infra/pipelines/dns.yaml",
    "infra/pipelines/promotion.yaml",
];

/// Whether an action of a role is among those that no scene needs.
pub(super) fn is_unplayed(who: &str, sid: &str, action: &str) -> bool {
    unplayed(who).contains(&(sid.to_owned(), "Action", action.to_owned()))
}

fn unplayed(who: &str) -> BTreeSet<(String, &'static str, String)> {
    let is_of = |role: &str| who.ends_with(role) || who.starts_with(&format!("{role}: "));
    let of_role = |roles: &[&str]| roles.iter().any(|&role| is_of(role));
    let entries = UNPLAYED.iter().filter(|(roles, ..)| of_role(roles));
    let actions = entries.flat_map(|(_, sid, actions, _)| actions.iter().map(move |it| (sid, it)));
    actions
        .map(|(sid, action)| ((*sid).to_owned(), "Action", (*action).to_owned()))
        .collect()
}

/// The name of a role of some stacks.
fn named(aws: &Aws, stacks: &[&str], role: &str) -> Vec<String> {
    let stacks = stacks.iter().map(|stack| aws.cloudformation.stack(stack));
    let roles = stacks.map(|stack| stack.expect("deployed").resource(role));
    roles
        .map(|role| role.expect("a role").physical_id.clone())
        .collect()
}

/// The roles of the functions and of the pipelines, and the trust policies of the deploy roles. A
/// canary that ends well calls what a blue/green release does, and the scenes of canaries alone
/// would have to repeat all of those.
pub(super) fn granted() -> Vec<Granted<'static>> {
    let (scenes, aws) = scenes();
    let all: Vec<&Scene> = scenes.iter().collect();
    let (canaries, others): (Vec<&Scene>, Vec<&Scene>) = all
        .iter()
        .copied()
        .partition(|scene| scene.event.is_canary());

    let mut granted = Vec::new();
    for (role, function) in functions(aws) {
        granted.push(Granted::of(
            format!("template.yaml: {function}"),
            &[role],
            &all,
        ));
    }
    for (template, stacks, deploying, own, of_deploy_role) in [
        (
            "in-place.yaml",
            &IN_PLACE[..],
            &IN_PLACE[..],
            &others,
            &others,
        ),
        ("blue-green.yaml", &PAIRS[..1], &PAIRS[..], &others, &others),
        ("canary.yaml", &PAIRS[..1], &PAIRS[..], &canaries, &all),
    ] {
        let who = |what: &str| format!("infra/pipelines/{template}: {what}");
        let pipeline = named(aws, stacks, "PipelineRole");
        let deploy = named(aws, deploying, "DeployRole");
        granted.push(Granted::of(who("PipelineRole"), &pipeline, own));
        granted.push(Granted::of(who("DeployRole"), &deploy, of_deploy_role));
        let who = who("trust of DeployRole");
        granted.push(Granted::trust_of(who, &deploy, own));
    }
    granted.extend(of_records(aws, &others));
    granted
}

/// The roles of the pipeline of a pair behind records.
fn of_records(aws: &Aws, scenes: &[&'static Scene]) -> [Granted<'static>; 3] {
    let who = |what: &str| format!("infra/pipelines/dns.yaml: {what}");
    let pipeline = named(aws, &[BY_RECORDS], "PipelineRole");
    let deploy = named(aws, &[BY_RECORDS], "DeployRole");
    [
        Granted::of(who("PipelineRole"), &pipeline, scenes),
        Granted::of(who("DeployRole"), &deploy, scenes).only(&OF_TRAFFIC),
        Granted::trust_of(who("trust of DeployRole"), &deploy, scenes),
    ]
}

#[test]
fn each_action_and_each_resource_of_a_statement_is_needed_by_a_call() {
    let (_, aws) = scenes();
    assert_eq!(aws.iam.denials, [], "the templates lack a permission");

    let mut wrong = Vec::new();
    for granted in granted() {
        let (who, unused) = (&granted.who, granted.unused());
        let expected = unplayed(who);
        for (sid, member, element) in unused.difference(&expected) {
            wrong.push(format!(
                "{who}: no call needs the {member} {element} of {sid}"
            ));
        }
        for (sid, _, action) in expected.difference(&unused) {
            wrong.push(format!(
                "{who}: {action} of {sid} is in UNPLAYED, but is not there or is needed"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_resource_with_a_wildcard_is_listed_with_its_reason() {
    for granted in granted() {
        let sids = granted.sids();
        let listed = WIDE.iter().filter(|(sid, ..)| sids.contains(*sid));
        let listed: BTreeSet<(String, String)> = listed
            .map(|(sid, resource, _)| ((*sid).to_owned(), (*resource).to_owned()))
            .collect();
        assert_eq!(granted.wide(), listed, "{}", granted.who);
    }
}

#[test]
fn each_statement_that_denies_is_listed() {
    let mut all = BTreeSet::new();
    for granted in granted() {
        let denying = granted.denying();
        let unlisted: Vec<&String> = denying
            .iter()
            .filter(|sid| !DENYING.contains(&sid.as_str()))
            .collect();
        assert!(unlisted.is_empty(), "{}: {unlisted:?}", granted.who);
        all.extend(denying);
    }
    assert_eq!(all.into_iter().collect::<Vec<_>>(), DENYING);
}

#[test]
fn each_statement_of_the_templates_is_looked_at() {
    let mut written = BTreeSet::new();
    for template in TEMPLATES {
        let text = fs::read_to_string(root().join(template)).expect("a template");
        let lines = text.lines().filter(|line| !line.trim().starts_with('#'));
        // Some statements are written in one line.
        let sids = lines.flat_map(|line| line.split("Sid: ").skip(1));
        let sids = sids.filter_map(|rest| rest.split([',', ' ', '}']).next());
        written.extend(sids.map(ToOwned::to_owned));
    }

    let seen: BTreeSet<String> = granted().iter().flat_map(Granted::sids).collect();
    let elsewhere: BTreeSet<String> = ELSEWHERE.iter().map(|sid| (*sid).to_owned()).collect();
    let unseen: BTreeSet<String> = written.difference(&seen).cloned().collect();
    assert_eq!(unseen, elsewhere);
}
