//! The commands that a user can try on what is there.

use std::time::Duration;

use emulator::Aws;
use harness::demo::{CLUSTER, WEB};
use invariants::ledger_reader::FUNCTIONS_STACK;
use slipway::timestamp::Timestamp;

/// How to reach the sandbox, and commands to try.
pub(super) fn guide(aws: &Aws, port: u16, speed: u32) -> String {
    let now =
        Timestamp::from(std::time::UNIX_EPOCH + Duration::from_millis(aws.now.unsigned_abs()));
    let mut lines = vec![
        format!("an in-memory AWS is listening on http://127.0.0.1:{port}"),
        format!("its clock shows {now} and goes {speed} times as fast as yours; Ctrl-C ends it"),
        String::new(),
        "in another terminal:".to_owned(),
        format!(
            "  export AWS_ENDPOINT_URL=http://127.0.0.1:{port} AWS_DEFAULT_REGION={}",
            aws.region
        ),
        "  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_PAGER=".to_owned(),
    ];
    lines.extend(
        commands(aws)
            .into_iter()
            .map(|command| format!("  {command}")),
    );
    lines.join("\n") + "\n"
}

fn commands(aws: &Aws) -> Vec<String> {
    let stack = aws.cloudformation.stack(FUNCTIONS_STACK);
    let Some(table) = stack.and_then(|stack| stack.resource("LedgerTable")) else {
        return vec![
            "aws sts get-caller-identity".to_owned(),
            "aws ecs create-cluster --cluster-name main".to_owned(),
            "aws ecr create-repository --repository-name web".to_owned(),
        ];
    };

    let mut commands = vec![
        "aws cloudformation describe-stacks --query 'Stacks[].[StackName,StackStatus]' \
        --output text"
            .to_owned(),
        format!(
            "aws ecs describe-services --cluster {CLUSTER} --services {WEB} \
            --query 'services[0].deployments'"
        ),
        format!("aws codepipeline get-pipeline-state --name slipway-{WEB}"),
        "aws events list-rules --name-prefix slipway-".to_owned(),
    ];
    let listener = aws.elb.listeners.keys().next();
    commands.extend(listener.map(|arn| format!("aws elbv2 describe-rules --listener-arn {arn}")));
    commands
        .push("# push an image, and see its release; change the number for another one".to_owned());
    commands.push(push("1.0.0", ""));
    commands.push(format!(
        "aws codepipeline list-pipeline-executions --pipeline-name slipway-{WEB} --max-items 1"
    ));
    commands.push(format!(
        "aws codepipeline list-action-executions --pipeline-name slipway-{WEB} --max-items 5"
    ));
    commands.push(format!(
        "aws dynamodb scan --table-name {}",
        table.physical_id
    ));
    commands.push("# an image whose tasks never become healthy: it is rolled back".to_owned());
    commands.push(push(
        "1.1.0",
        r#","annotations":{"sandbox.behaviour":"never-healthy"}"#,
    ));
    commands
}

fn push(tag: &str, more: &str) -> String {
    format!(
        "aws ecr put-image --repository-name {WEB} --image-tag {tag} \
         --image-manifest '{{\"schemaVersion\":2,\"config\":{{\"digest\":\"{tag}\"}}{more}}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_names_what_is_there() {
        let aws = harness::demo::deployed(1).expect("the stacks deploy");
        let full = guide(&aws, 4566, 60);
        assert!(
            full.starts_with("an in-memory AWS is listening on http://127.0.0.1:4566\n"),
            "{full}"
        );

        for command in [
            "ecs describe-services",
            "elbv2 describe-rules --listener-arn arn:",
            "dynamodb scan --table-name slipway-",
        ] {
            assert!(full.contains(command), "{full}");
        }
        assert!(guide(&Aws::new(1), 4566, 60).contains("create-cluster"));
    }
}
