//! What the event bus gets of updates of services.

use super::*;

const SERVICE: &str = "arn:aws:ecs:eu-west-1:111122223333:service/apps/web";

/// A service whose tasks have this much memory, and this bound of its deployments.
fn template(memory: u32, maximum: u32) -> String {
    format!(
        "
Resources:
  Cluster: {{Type: AWS::ECS::Cluster, Properties: {{ClusterName: apps}}}}
  TaskDefinition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: web
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      Cpu: '256'
      Memory: '{memory}'
      ContainerDefinitions: [{{Name: web, Image: 'public.ecr.aws/docker/library/busybox:1'}}]
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      ServiceName: web
      TaskDefinition: !Ref TaskDefinition
      LaunchType: FARGATE
      DeploymentConfiguration: {{MaximumPercent: {maximum}, MinimumHealthyPercent: 100}}
      NetworkConfiguration: {{AwsvpcConfiguration: {{Subnets: [subnet-1]}}}}
"
    )
}

fn update(aws: &mut Aws, memory: u32, maximum: u32) {
    let text = template(memory, maximum);
    deploy_text(aws, "app", Path::new("t.yaml"), &text, &BTreeMap::new()).unwrap();
}

fn pass(aws: &mut Aws, seconds: u32) {
    for _ in 0..seconds {
        aws.now += 1000;
        aws.run_due();
    }
}

fn deployed() -> Aws {
    let mut aws = Aws::new(1);
    update(&mut aws, 512, 200);
    pass(&mut aws, 600);
    assert!(!aws.ecs.services[SERVICE].is_deploying());
    aws
}

fn listen(aws: &mut Aws) {
    let pattern = json!({"source": ["aws.cloudformation"]}).to_string();
    let rule = json!({"Name": "reports", "EventPattern": pattern});
    crate::eventbridge::call(aws, "PutRule", &rule).unwrap();
}

/// The statuses that were reported.
fn reported(aws: &Aws) -> Vec<&str> {
    let events = aws.events.events.iter();
    let reports = events.filter(|event| event["source"] == "aws.cloudformation");
    reports
        .map(|event| {
            event["detail"]["status-details"]["status"]
                .as_str()
                .unwrap()
        })
        .collect()
}

#[test]
fn an_update_of_a_service_is_reported_at_its_beginning_and_once_it_is_steady() {
    let mut aws = deployed();
    listen(&mut aws);
    update(&mut aws, 1024, 200);
    assert_eq!(reported(&aws), ["UPDATE_IN_PROGRESS"]);

    let is_deploying = |aws: &Aws| aws.ecs.services[SERVICE].is_deploying();
    assert!(is_deploying(&aws));
    let begun = aws.now;
    while is_deploying(&aws) && aws.now < begun + 600_000 {
        assert_eq!(reported(&aws), ["UPDATE_IN_PROGRESS"]);
        pass(&mut aws, 1);
    }
    pass(&mut aws, 15);
    assert_eq!(reported(&aws), ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]);

    let stack = aws.cloudformation.stack("app").unwrap().id.clone();
    let mut events = aws.events.events.iter().rev();
    let event = events.find(|event| event["source"] == "aws.cloudformation");
    let event = event.unwrap();
    let kind = "CloudFormation Resource Status Change";
    assert_eq!(
        (&event["detail-type"], &event["resources"]),
        (&json!(kind), &json!([stack]))
    );
    assert_eq!(
        event["detail"],
        json!({
            "stack-id": stack, "logical-resource-id": "Service", "physical-resource-id": SERVICE,
            "status-details": {"status": "UPDATE_COMPLETE", "status-reason": ""},
            "resource-type": "AWS::ECS::Service", "client-request-token": "",
        })
    );
}

#[test]
fn an_update_of_something_else_is_not_reported_and_without_a_rule_none_is() {
    let mut aws = deployed();
    update(&mut aws, 512, 180);
    pass(&mut aws, 60);
    assert_eq!(reported(&aws), Vec::<&str>::new());

    listen(&mut aws);
    update(&mut aws, 512, 180);
    pass(&mut aws, 60);
    assert_eq!(reported(&aws), Vec::<&str>::new(), "nothing changed");

    update(&mut aws, 512, 150);
    pass(&mut aws, 60);
    assert_eq!(reported(&aws), ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]);
}
