//! A pipeline of the demo's web service whose stack finds the roles of the service. It delivers
//! nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::Aws;
use emulator::cloudformation::deploy;
use harness::demo::{CLUSTER, WEB, root};
use harness::driver::Driver;

/// The stack of the pipeline.
pub const STACK: &str = "found-pipeline";

/// Longest until the stack is complete, in virtual time.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Begins to make the stack, with other values of parameters.
pub fn begin(aws: &mut Aws, changes: &[(&str, &str)]) {
    let parameters = [
        ("PipelineName", "slipway-found"),
        ("Cluster", CLUSTER),
        ("Service", WEB),
        ("Repository", WEB),
        ("ContainerName", "web"),
        ("TagPattern", "none"),
    ];
    let all = parameters.iter().chain(changes);
    let all: BTreeMap<String, String> = all
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let template = root().join("infra/pipelines/in-place.yaml");
    deploy(aws, STACK, &template, &all).expect("the stack is begun");
}

/// Lets a stack become complete, or fail.
pub async fn complete(driver: &Driver, stack: &str) {
    let is_over = |aws: &Aws| {
        let stack = aws.cloudformation.stack(stack);
        stack.is_some_and(|stack| !stack.is_in_progress())
    };
    let over = driver.until(PATIENCE, &mut |_| Ok(()), is_over).await;
    over.expect("the function responds");
}

/// The resources of the statement that passes roles to tasks.
pub fn passed(aws: &Aws, stack: &str) -> Vec<String> {
    let stack = aws.cloudformation.stack(stack).expect("the stack");
    let role = &stack.resource("DeployRole").expect("a role").physical_id;
    let role = aws.cloudformation.iam.role(role).expect("made");
    let mut statements = role.statements();
    let passes = statements.find(|known| known["Sid"] == "PassRolesToTasks");
    let resources = passes.expect("a statement")["Resource"].as_array();
    let resources = resources.into_iter().flatten();
    resources
        .filter_map(|arn| arn.as_str().map(ToOwned::to_owned))
        .collect()
}
