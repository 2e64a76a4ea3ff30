//! The tags of stacks.

use serde_json::Value;

use super::change_sets::{account, create, execute, request};
use super::own_templates::{
    account as with_cluster, deploy_functions, deploy_pipeline, deploy_service, weighted_listener,
};
use super::*;

const OWN: (&str, &str) = ("StackName", "own");
const KEEP_TEMPLATE: (&str, &str) = ("UsePreviousTemplate", "true");

/// A tag of the stack, as a request gives it.
fn tag<'a>(key: &'a str, value: &'a str) -> [(&'a str, &'a str); 2] {
    [("Tags.member.1.Key", key), ("Tags.member.1.Value", value)]
}

/// Balanced things, and things of ECS, of which one has a tag of its own.
fn template() -> String {
    weighted_listener(1, 80)
        + "  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: main}}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: web
      ContainerDefinitions: [{Name: web, Image: nginx, Memory: 128}]
      Tags: [{Key: team, Value: own}]
"
}

/// An account with the stack `own`, which has the tag `env`.
fn made() -> Aws {
    let mut aws = account();
    let body = template();
    let given = [&[("TemplateBody", body.as_str())][..], &tag("env", "test")].concat();
    let created = create(&mut aws, &given).unwrap();
    execute(&mut aws, &created);
    aws.now += 1000;
    aws
}

fn update(aws: &mut Aws, more: &[(&str, &str)]) -> Result<(), crate::ApiError> {
    request(
        aws,
        "UpdateStack",
        &[&[OWN, KEEP_TEMPLATE][..], more].concat(),
    )
    .map(drop)
}

/// The tags of the stack, of its balanced things, and of its task definition.
fn tags(aws: &mut Aws) -> [Value; 5] {
    let stack = request(aws, "DescribeStacks", &[OWN]).unwrap()["Stacks"][0].clone();
    let [balancer, group, rule, definition] =
        ["Balancer", "Groups", "Rule", "Definition"].map(|id| physical_id(aws, "own", id));
    [
        stack["Tags"].clone(),
        aws.elb.load_balancers[&balancer].properties["Tags"].clone(),
        aws.elb.target_groups[&group].properties["Tags"].clone(),
        aws.elb.rules[&rule].properties["Tags"].clone(),
        aws.ecs.tags_on(&definition).into(),
    ]
}

#[test]
fn a_stack_and_its_resources_have_its_tags() {
    let mut aws = made();
    let of_stack = json!([{"Key": "env", "Value": "test"}]);
    let own = json!({"key": "team", "value": "own"});
    let of_definition = json!([own, {"key": "env", "value": "test"}]);
    let same = || of_stack.clone();
    assert_eq!(
        tags(&mut aws),
        [same(), same(), same(), same(), of_definition]
    );
    let cluster = aws.arn("ecs", "cluster/main");
    let of_cluster = json!([{"key": "env", "value": "test"}]);
    assert_eq!(json!(aws.ecs.tags_on(&cluster)), of_cluster);

    update(&mut aws, &tag("team", "shop")).unwrap();
    let of_stack = json!([{"Key": "team", "Value": "shop"}]);
    let same = || of_stack.clone();
    assert_eq!(
        tags(&mut aws),
        [same(), same(), same(), same(), json!([own])]
    );
}

#[test]
fn tags_are_changed_in_place_and_removed_by_an_empty_list() {
    let mut aws = made();
    let ids = |aws: &Aws| {
        let stack = aws.cloudformation.stack("own").unwrap();
        let resources = stack.resources.iter();
        resources
            .map(|one| one.physical_id.clone())
            .collect::<BTreeSet<_>>()
    };
    let before = ids(&aws);
    let about = [("ChangeSetName", "next"), OWN, KEEP_TEMPLATE];
    let created = [&about[..], &tag("env", "live")].concat();
    let created = request(&mut aws, "CreateChangeSet", &created).unwrap();
    let set = request(&mut aws, "DescribeChangeSet", &about[..2]).unwrap();
    assert_eq!(set["Tags"], json!([{"Key": "env", "Value": "live"}]));
    let changes = set["Changes"].as_array().unwrap();
    let scopes = changes
        .iter()
        .map(|it| it["ResourceChange"]["Scope"].clone());
    assert_eq!(scopes.collect::<Vec<_>>(), vec![json!(["Tags"]); 5]);

    execute(&mut aws, &created);
    assert_eq!(ids(&aws), before);
    assert_eq!(tags(&mut aws)[1], json!([{"Key": "env", "Value": "live"}]));
    let kept = update(&mut aws, &[]).unwrap_err();
    assert_eq!(kept.message, "No updates are to be performed.");

    update(&mut aws, &[("Tags", "")]).unwrap();
    let none = || json!([]);
    let own = json!([{"key": "team", "value": "own"}]);
    assert_eq!(tags(&mut aws), [none(), none(), none(), none(), own]);
    assert_eq!(ids(&aws), before);
}

#[test]
fn a_new_tag_of_a_template_is_a_change_of_properties() {
    let mut aws = made();
    let body = template().replace("Value: own", "Value: other");
    let about = [("ChangeSetName", "next"), OWN];
    let members = [&about[..], &[("TemplateBody", body.as_str())]].concat();
    let created = request(&mut aws, "CreateChangeSet", &members).unwrap();
    let set = request(&mut aws, "DescribeChangeSet", &about).unwrap();
    let changes = set["Changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["ResourceChange"]["Scope"], json!(["Properties"]));

    execute(&mut aws, &created);
    let other = json!([
        {"key": "team", "value": "other"}, {"key": "env", "value": "test"},
    ]);
    let definition = physical_id(&aws, "own", "Definition");
    assert!(definition.ends_with("web:1"), "{definition}");
    assert_eq!(json!(aws.ecs.tags_on(&definition)), other);
}

#[test]
fn new_tags_of_a_stack_send_the_weights_of_its_rules() {
    let mut aws = made();
    let [group, rule] = ["Groups", "Rule"].map(|id| physical_id(&aws, "own", id));
    let groups = json!([{"TargetGroupArn": group, "Weight": 7}]);
    let moved = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]);
    crate::elb::update_rule(&mut aws, &rule, &json!({ "Actions": moved })).unwrap();

    update(&mut aws, &tag("env", "live")).unwrap();
    let weights: Vec<i64> = aws
        .elb
        .all_forwards()
        .map(|(_, _, weight)| weight)
        .collect();
    assert_eq!(weights, [100, 100]);
}

#[test]
fn new_tags_of_a_stack_make_no_new_version_of_its_pipeline() {
    let mut aws = with_cluster(1);
    deploy_functions(&mut aws);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_pipeline(&mut aws, "in-place.yaml", &[]).unwrap();
    let name = physical_id(&aws, "web-pipeline", "Pipeline");
    let mut members = vec![
        ("StackName".to_owned(), "web-pipeline".to_owned()),
        (KEEP_TEMPLATE.0.to_owned(), KEEP_TEMPLATE.1.to_owned()),
        (
            "Capabilities.member.1".to_owned(),
            "CAPABILITY_IAM".to_owned(),
        ),
        ("Tags.member.1.Key".to_owned(), "env".to_owned()),
        ("Tags.member.1.Value".to_owned(), "live".to_owned()),
    ];
    let stack = aws.cloudformation.stack("web-pipeline").unwrap();
    for (at, key) in stack.parameters.keys().enumerate() {
        let parameter = format!("Parameters.member.{}", at + 1);
        members.push((format!("{parameter}.ParameterKey"), key.clone()));
        members.push((format!("{parameter}.UsePreviousValue"), "true".to_owned()));
    }
    let members: Vec<(&str, &str)> = members
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    request(&mut aws, "UpdateStack", &members).unwrap();

    let pipeline = &aws.codepipeline.pipelines[&name];
    assert_eq!(pipeline.versions.len(), 1);
    let tags = pipeline.tags.as_array().unwrap();
    assert!(
        tags.contains(&json!({"key": "env", "value": "live"})),
        "{tags:?}"
    );
}

#[test]
fn a_nested_stack_has_the_tags_of_its_parent() {
    let parent = "
Resources:
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}
";
    let child = "Resources: {Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: main}}}";
    let folder = Folder::new("tagged", &[("parent.yaml", parent), ("child.yaml", child)]);
    let mut aws = Aws::new(1);
    let tags = BTreeMap::from([("env".to_owned(), "test".to_owned())]);
    let path = folder.0.join("parent.yaml");
    stack::deploy(&mut aws, "app", None, &path, &BTreeMap::new(), Some(&tags)).unwrap();

    let cluster = aws.arn("ecs", "cluster/main");
    let expected = json!([{"key": "env", "value": "test"}]);
    assert_eq!(json!(aws.ecs.tags_on(&cluster)), expected);

    folder.deploy(&mut aws, "parent.yaml").unwrap();
    assert_eq!(json!(aws.ecs.tags_on(&cluster)), expected, "tags stay");
}

#[test]
fn tags_that_no_stack_may_have_are_refused() {
    let mut aws = made();
    assert_eq!(
        update(&mut aws, &tag("AWS:mine", "x")).unwrap_err().message,
        "aws: prefixed tag key names are not allowed for external use."
    );

    assert_eq!(
        update(&mut aws, &tag("team", "")).unwrap_err().message,
        "1 validation error detected: Value '' at 'tags.1.member.value' failed to satisfy \
         constraint: Member must have length greater than or equal to 1"
    );

    let names: Vec<(String, String)> = (1..=51)
        .map(|at| (format!("Tags.member.{at}.Key"), format!("key-{at}")))
        .collect();
    let many: Vec<(&str, &str)> = names
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        update(&mut aws, &many).unwrap_err().message,
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must \
         have length less than or equal to 50"
    );
}

#[test]
fn a_tag_of_a_resource_that_only_aws_gives_is_refused() {
    let tags = "[{Key: 'AWS:mine', Value: x}]";
    let queue = format!("{{Type: AWS::SQS::Queue, Properties: {{Tags: {tags}}}}}");
    let body = format!("Resources: {{Queue: {queue}}}");
    let folder = Folder::new("reserved", &[("app.yaml", body.as_str())]);

    let error = folder.deploy(&mut Aws::new(1), "app.yaml").unwrap_err();
    assert_eq!(
        (error.place.as_str(), error.problem.as_str()),
        (
            "Resources.Queue.Properties.Tags",
            "aws: prefixed tag key names are not allowed for external use."
        )
    );
}
