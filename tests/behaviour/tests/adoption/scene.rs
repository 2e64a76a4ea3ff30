//! A service that the CDK made, in an account with the functions: its stack, the commands of the
//! pages that adopt a service, and what an operator sees of the stack.

use std::fs;

use behaviour::{account, until};
use emulator::cloudformation::Stack;
use emulator::codepipeline::Execution;
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Request};
use harness::demo::root;
use harness::driver::{Fault, run};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// The stack of the CDK.
pub(crate) const STACK: &str = "Storefront";
/// The repository of the images, and the one that the template names.
pub(crate) const REPOSITORY: &str = "storefront";
pub(crate) const IMAGE: &str = "/storefront:0.9.0";
/// The repository of the bootstrap stack, with the images that the CDK builds.
pub(crate) const ASSETS: &str = "cdk-hnb659fds-container-assets-111122223333-eu-west-1";

/// Logical ids of the template.
pub(crate) const SERVICE: &str = "WebService8D5E2B1A";
pub(crate) const TASK_DEFINITION: &str = "WebTaskDef5C1E8A0B";
const EXECUTION_POLICY: &str = "WebTaskDefExecutionRoleDefaultPolicyA71D4E0C";

const TEMPLATE: &str = include_str!("storefront.template.json");

/// The template, to be changed as the CDK would.
pub(crate) fn template() -> Value {
    serde_json::from_str(TEMPLATE).expect("JSON")
}

/// An account in which the CDK was bootstrapped and has deployed the template, its service steady.
pub(crate) fn by_cdk() -> Aws {
    deployed_by_cdk(STACK, REPOSITORY, TEMPLATE)
}

/// The same with an image that the CDK built, of the only repository that the execution role reads.
pub(crate) fn by_cdk_with_asset() -> Aws {
    let mut template = template();
    let definition = &mut template["Resources"][TASK_DEFINITION]["Properties"];
    let image =
        format!("${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.amazonaws.com/{ASSETS}:0.9.0");
    definition["ContainerDefinitions"][0]["Image"] = json!({ "Fn::Sub": image });
    let policy = &mut template["Resources"][EXECUTION_POLICY]["Properties"]["PolicyDocument"];
    let assets = format!("arn:aws:ecr:${{AWS::Region}}:${{AWS::AccountId}}:repository/{ASSETS}");
    policy["Statement"][0]["Resource"] = json!({ "Fn::Sub": assets });

    let body = serde_json::to_string_pretty(&template).expect("JSON");
    deployed_by_cdk(STACK, REPOSITORY, &body)
}

/// An account in which the CDK was bootstrapped and has deployed a stack, its services steady. The
/// repository has the image that the template names.
pub(crate) fn deployed_by_cdk(stack: &str, repository: &str, body: &str) -> Aws {
    let mut aws = account();
    deploy_by_cdk(&mut aws, stack, repository, body);
    steady(aws)
}

/// Bootstraps the CDK in an account, and lets it deploy the service with an exact revision.
pub(crate) fn add_by_cdk(aws: &mut Aws) {
    deploy_by_cdk(aws, STACK, REPOSITORY, TEMPLATE);
}

fn deploy_by_cdk(aws: &mut Aws, stack: &str, repository: &str, body: &str) {
    let store = &mut aws.cloudformation.parameter_store;
    store.insert(
        "/cdk-bootstrap/hnb659fds/version".to_owned(),
        "21".to_owned(),
    );
    add_repository(aws, ASSETS);
    add_repository(aws, repository);
    deploy(aws, stack, body, &[]);
}

/// A repository with the image 0.9.0.
pub(crate) fn add_repository(aws: &mut Aws, repository: &str) {
    let named = json!({ "repositoryName": repository });
    ecr::call(aws, "CreateRepository", &named).expect("a new repository");
    let pushed = ecr::push(aws, repository, "0.9.0", Behaviour::Healthy);
    pushed.expect("the repository is there");
}

/// Lets time pass until no service or stack is deployed and no pipeline runs.
pub(crate) fn steady(aws: Aws) -> Aws {
    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            let mut services = aws.ecs.services.values();
            services.all(|service| !service.is_deploying())
                && aws.codepipeline.executions.iter().all(Execution::is_over)
                && !aws.cloudformation.stacks().any(Stack::is_in_progress)
        })
        .await;
        driver.world.snapshot()
    })
}

/// Deploys the stack of the CDK again.
pub(crate) fn update(aws: &mut Aws, template: &Value) {
    let body = serde_json::to_string_pretty(template).expect("JSON");
    deploy(aws, STACK, &body, &[]);
}

/// What `aws cloudformation deploy` and `cdk deploy` do: a change set, which is executed.
pub(crate) fn deploy(aws: &mut Aws, stack: &str, body: &str, parameters: &[(String, String)]) {
    deploy_tagged(aws, stack, body, parameters, &[]);
}

/// The same with tags of the stack.
pub(crate) fn deploy_tagged(
    aws: &mut Aws,
    stack: &str,
    body: &str,
    parameters: &[(String, String)],
    tags: &[(&str, &str)],
) {
    let exists = aws.cloudformation.stack(stack).is_some();
    let kind = if exists { "UPDATE" } else { "CREATE" };
    let fixed = [
        ("StackName", stack),
        ("ChangeSetName", "deploy"),
        ("ChangeSetType", kind),
        ("TemplateBody", body),
        ("Capabilities.member.1", "CAPABILITY_IAM"),
    ];
    let mut members: Vec<(String, String)> = fixed
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    for (at, (key, value)) in (1..).zip(parameters) {
        let member = format!("Parameters.member.{at}");
        members.push((format!("{member}.ParameterKey"), key.clone()));
        members.push((format!("{member}.ParameterValue"), value.clone()));
    }
    for (at, (key, value)) in (1..).zip(tags) {
        members.push((format!("Tags.member.{at}.Key"), (*key).to_owned()));
        members.push((format!("Tags.member.{at}.Value"), (*value).to_owned()));
    }

    let members: Vec<(&str, &str)> = members
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let created = cloudformation(aws, "CreateChangeSet", &members);
    let (_, id) = created.split_once("<Id>").expect("an id");
    let (id, _) = id.split_once("</Id>").expect("an id");
    cloudformation(aws, "ExecuteChangeSet", &[("ChangeSetName", id)]);

    let described = cloudformation(aws, "DescribeStacks", &[("StackName", stack)]);
    assert!(!described.contains("ROLLBACK"), "{stack}: {described}");
}

/// Calls CloudFormation as an operator; returns the response without the id of the request.
fn cloudformation(aws: &mut Aws, action: &str, members: &[(&str, &str)]) -> String {
    let encoded = |(name, value): &(&str, &str)| {
        format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    let members: String = members.iter().map(encoded).collect();
    let scope = "AKIAIOSFODNN7EXAMPLE/20260105/eu-west-1/cloudformation/aws4_request";
    let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");

    let response = aws.call(&Request {
        caller: "operator".to_owned(),
        method: "POST".to_owned(),
        host: "cloudformation.eu-west-1.amazonaws.com".to_owned(),
        path_and_query: "/".to_owned(),
        headers: vec![("authorization".to_owned(), signature)],
        body: format!("Action={action}&Version=2010-05-15{members}").into_bytes(),
    });
    let text = String::from_utf8(response.body).expect("XML");
    assert_eq!(response.status, 200, "{action}: {text}");

    let (answer, _) = text.split_once("<ResponseMetadata>").expect("an answer");
    answer.to_owned()
}

/// What an operator sees of a stack and of its roles: the template to the byte, the stack and its
/// resources.
pub(crate) fn stack_seen(aws: &Aws, stack: &str) -> Value {
    let mut copy = aws.clone();
    let answers = ["GetTemplate", "DescribeStacks", "DescribeStackResources"]
        .map(|action| cloudformation(&mut copy, action, &[("StackName", stack)]));
    let stack = aws.cloudformation.stack(stack).expect("the stack");
    let roles: Vec<String> = stack
        .resources
        .iter()
        .filter_map(|one| aws.cloudformation.iam.role(&one.physical_id))
        .map(|role| format!("{role:?}"))
        .collect();
    json!({"template": &*stack.body, "answers": answers, "roles": roles})
}

/// What DescribeServices has of a service without what releases change, and its tags.
pub(crate) fn settings(aws: &Aws, mut service: Value, of_releases: &[&str]) -> Value {
    let arn = service["serviceArn"].as_str().expect("an ARN").to_owned();
    let members = service.as_object_mut().expect("an object");
    members.retain(|name, _| !of_releases.contains(&name.as_str()));
    json!({"service": service, "tags": aws.ecs.services[&arn].tags})
}

/// What an operator sees of the stack of the CDK, and of what a pipeline does not change in it.
pub(crate) fn seen(aws: &Aws) -> Value {
    let stack = stack_seen(aws, STACK);
    assert_eq!(
        stack["roles"].as_array().map(Vec::len),
        Some(2),
        "the task role and the execution role"
    );
    let of_releases = ["taskDefinition", "deployments", "events", "taskSets"];
    json!({"stack": stack, "service": settings(aws, service(aws), &of_releases)})
}

/// What DescribeServices has of the service of the CDK.
pub(crate) fn service(aws: &Aws) -> Value {
    service_of(aws, STACK, SERVICE)
}

/// What DescribeServices has of a service of a stack.
pub(crate) fn service_of(aws: &Aws, stack: &str, logical_id: &str) -> Value {
    let stack = aws.cloudformation.stack(stack).expect("the stack");
    let arn = &stack.resource(logical_id).expect("a service").physical_id;
    let mut parts = arn.rsplit('/');
    let (name, cluster) = (parts.next(), parts.next());
    behaviour::service(
        aws,
        cluster.expect("a long ARN"),
        name.expect("the ARN has a name"),
    )
}

/// The ids of the deployments of the service of the CDK.
pub(crate) fn deployments(aws: &Aws) -> Vec<Value> {
    let service = service(aws);
    let deployments = service["deployments"].as_array().expect("a list").iter();
    deployments.map(|one| one["id"].clone()).collect()
}

/// The task definition that a service runs, as it was registered.
pub(crate) fn definition<'a>(aws: &'a Aws, service: &Value) -> &'a Value {
    let arn = service["taskDefinition"].as_str().expect("an ARN");
    aws.ecs.request_of(arn).expect("registered")
}

/// The image of the first container of the service of the CDK.
pub(crate) fn image(aws: &Aws) -> String {
    let image = &definition(aws, &service(aws))["containerDefinitions"][0]["image"];
    image.as_str().expect("an image").to_owned()
}

/// What the other commands of the page print, by the words in the place of it.
pub(crate) fn printed(aws: &Aws) -> Vec<(&'static str, String)> {
    let service = service(aws);
    let definition = definition(aws, &service);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let cluster = text(&service["clusterArn"]);

    vec![
        (
            "<cluster>",
            cluster.rsplit('/').next().unwrap_or_default().to_owned(),
        ),
        ("<service>", text(&service["serviceName"])),
        (
            "<container>",
            text(&definition["containerDefinitions"][0]["name"]),
        ),
        ("<account>", aws.account.clone()),
        ("<region>", aws.region.clone()),
    ]
}

/// The command of a page that deploys a pipeline.
pub(crate) struct Command {
    stack: String,
    template: String,
    parameters: Vec<(String, String)>,
}

impl Command {
    /// The command of a page for a service that is updated in place, with these words replaced.
    pub(crate) fn of(page: &str, words: &[(&str, String)]) -> Self {
        Self::with_template(page, "infra/pipelines/in-place.yaml", words)
    }

    /// The one for a pair.
    pub(crate) fn of_pair(page: &str, words: &[(&str, String)]) -> Self {
        Self::with_template(page, "infra/pipelines/blue-green.yaml", words)
    }

    /// The first `aws cloudformation deploy` of a page that names this template.
    fn with_template(page: &str, template: &str, words: &[(&str, String)]) -> Self {
        let text = fs::read_to_string(root().join(page)).expect("the page is there");
        let mut commands = text
            .split("aws cloudformation deploy ")
            .skip(1)
            .map(|command| command.split_once("```").expect("the block ends").0);
        let command = commands.find(|command| command.contains(template));
        let mut command = command.expect("the page has the command").to_owned();
        for (word, value) in words {
            command = command.replace(word, value);
        }

        let after = |option: &str| {
            let mut words = command
                .split_whitespace()
                .skip_while(|word| *word != option);
            words.nth(1).expect("the option has a value").to_owned()
        };
        let parameters = command.split_whitespace().filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        Self {
            stack: after("--stack-name"),
            template: after("--template-file"),
            parameters: parameters.collect(),
        }
    }

    /// Without a parameter.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(given, _)| given != name);
        self
    }

    /// With another parameter, or another value of it.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let mut command = self.without(name);
        command.parameters.push((name.to_owned(), value.to_owned()));
        command
    }

    pub(crate) fn run(&self, aws: &mut Aws) {
        let body = fs::read_to_string(root().join(&self.template)).expect("the template is there");
        deploy(aws, &self.stack, &body, &self.parameters);
    }
}
