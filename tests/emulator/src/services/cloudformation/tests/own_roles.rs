//! The roles of the project's own templates: those of the functions, and the deploy roles of the
//! pipelines, which trust them.

use serde_json::Value;

use super::own_pairs::{account_with_pair, actions, deploy_blue_green, user_parameters};
use super::own_records::RECORDS;
use super::own_templates::{
    ROLES, account, deploy_functions, deploy_pipeline, deploy_service, given, root,
};
use super::*;

pub(super) const OTHER_REPOSITORY: &str = "arn:aws:ecr:eu-west-1:111122223333:repository/proxy";
/// The scalable targets of both services of a pair.
pub(super) const TARGETS: &str = concat!(
    "arn:aws:application-autoscaling:eu-west-1:111122223333:scalable-target/1a,",
    "arn:aws:application-autoscaling:eu-west-1:111122223333:scalable-target/2b",
);

/// The templates of pipelines.
pub(super) const PIPELINES: [&str; 4] = [
    "in-place.yaml",
    "blue-green.yaml",
    "canary.yaml",
    "dns.yaml",
];

/// The statement of this Sid in a role of a stack.
pub(super) fn statement_of(aws: &Aws, stack: &str, role: &str, sid: &str) -> Option<Value> {
    let name = physical_id(aws, stack, role);
    let role = aws.cloudformation.iam.role(&name).unwrap();
    role.statements().find(|known| known["Sid"] == sid).cloned()
}

/// The resource of that statement.
pub(super) fn resource_of(aws: &Aws, stack: &str, role: &str, sid: &str) -> Option<Value> {
    statement_of(aws, stack, role, sid).map(|found| found["Resource"].clone())
}

/// An account with a service, the functions and its pipeline.
fn account_with_pipeline() -> Aws {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_functions(&mut aws);
    deploy_pipeline(&mut aws, "in-place.yaml", &[]).unwrap();
    aws
}

/// An account with the functions and the pipeline of a template, of a service or of a pair.
pub(super) fn with_pipeline(template: &str, more: &[(&str, &str)]) -> Aws {
    let mut aws = if template == "in-place.yaml" {
        let mut aws = account(1);
        deploy_service(&mut aws, &[]).unwrap();
        aws
    } else {
        account_with_pair(1)
    };
    deploy_functions(&mut aws);

    let stack = aws.cloudformation.stack("web").unwrap();
    let rule = stack.outputs.get("ProductionRuleArn").cloned();
    let mut all = more.to_vec();
    if template == "dns.yaml" {
        all.extend(RECORDS);
    } else {
        all.extend(rule.as_deref().map(|rule| ("Rule", rule)));
    }
    deploy_pipeline(&mut aws, template, &all).unwrap();
    aws
}

pub(super) fn listed(arns: &str) -> Value {
    json!(arns.split(',').collect::<Vec<_>>())
}

#[test]
fn the_roles_of_the_functions_are_those_that_deploy_roles_trust() {
    let aws = account_with_pipeline();
    let pattern = aws.cloudformation.export("slipway-FunctionRoles").unwrap();
    assert_eq!(pattern, "arn:aws:iam::111122223333:role/slipway/slipway/*");

    let path = pattern.trim_end_matches('*');
    let mut functions = aws.lambda.functions.values();
    assert!(functions.all(|function| function.role.starts_with(path)));

    let name = physical_id(&aws, "web-pipeline", "DeployRole");
    let trust = &aws.cloudformation.iam.role(&name).unwrap().trust["Statement"];
    let expected = json!({
        "Sid": "FunctionsOfSlipway",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": pattern},
            "StringEquals": {
                "sts:ExternalId": "arn:aws:codepipeline:eu-west-1:111122223333:web",
            },
        },
    });
    assert_eq!(items(trust), [expected]);
}

#[test]
fn a_pipeline_imports_from_the_functions_stack() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_functions(&mut aws);
    let wrong = deploy_pipeline(&mut aws, "in-place.yaml", &[("FunctionsStack", "slipwy")]);
    let wrong = wrong.unwrap_err().problem;
    assert!(wrong.contains("slipwy-"), "{wrong}");

    deploy_pipeline(&mut aws, "in-place.yaml", &[]).unwrap();
    let refused = delete(&mut aws, "slipway").unwrap_err().to_string();
    assert!(refused.contains("in use by web-pipeline"), "{refused}");
}

#[test]
fn a_deploy_role_passes_the_given_roles_and_reads_the_given_repositories() {
    let of = |aws: &Aws, sid: &str| resource_of(aws, "web-pipeline", "DeployRole", sid);
    let mut aws = account_with_pipeline();
    assert_eq!(of(&aws, "PassRolesToTasks"), Some(listed(ROLES)));
    assert_eq!(of(&aws, "FindOtherImages"), None);

    let changes = [("OtherRepositoryArns", OTHER_REPOSITORY)];
    deploy_pipeline(&mut aws, "in-place.yaml", &changes).unwrap();
    assert_eq!(of(&aws, "FindOtherImages"), Some(listed(OTHER_REPOSITORY)));
}

#[test]
fn a_deploy_role_of_a_pair_names_both_services_and_the_rule() {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);
    deploy_blue_green(&mut aws, &[]).unwrap();
    let of = |sid: &str| resource_of(&aws, "web-pipeline", "DeployRole", sid);
    let services = ["blue", "green"]
        .map(|colour| format!("arn:aws:ecs:eu-west-1:111122223333:service/main/web-{colour}"));
    let rule = &aws.cloudformation.stack("web").unwrap().outputs["ProductionRuleArn"];

    assert_eq!(of("UpdateService"), Some(json!(services)));
    assert_eq!(of("ShiftTraffic"), Some(json!(rule)));
}

#[test]
fn a_deploy_role_of_a_pair_names_the_given_services() {
    let names = [
        ("BlueService", "Shop-ServiceA1B2-x"),
        ("GreenService", "Shop-Green-y"),
    ];
    let arns = |kind: &str, end: &str| {
        names.map(|(_, name)| format!("arn:aws:ecs:eu-west-1:111122223333:{kind}/main/{name}{end}"))
    };
    let (services, deployments) = (arns("service", ""), arns("service-deployment", "/*"));
    let both = [&services[..], &deployments].concat();

    for template in ["blue-green.yaml", "canary.yaml", "dns.yaml"] {
        let aws = with_pipeline(template, &names);
        let of = |sid: &str| resource_of(&aws, "web-pipeline", "DeployRole", sid);
        assert_eq!(of("UpdateService"), Some(json!(services)), "{template}");
        assert_eq!(of("ObserveService"), Some(json!(services)), "{template}");
        let observed = of("ObserveServiceDeployments");
        assert_eq!(observed, Some(json!(both)), "{template}");
    }
}

/// The statements of the deploy role of a stack, by Sid.
pub(super) fn statements(aws: &Aws, stack: &str) -> BTreeMap<String, Value> {
    let name = physical_id(aws, stack, "DeployRole");
    let role = aws.cloudformation.iam.role(&name).unwrap();
    role.statements()
        .map(|known| (known["Sid"].as_str().unwrap().to_owned(), known.clone()))
        .collect()
}

/// Deploys the template of a deploy role for the pipeline `web`.
pub(super) fn deploy_role(aws: &mut Aws, more: &[(&str, &str)]) -> Result<(), StackError> {
    let mut parameters = given(&[
        ("FunctionsAccount", "111122223333"),
        (
            "FunctionRoles",
            "arn:aws:iam::111122223333:role/slipway/slipway/*",
        ),
        (
            "PipelineArn",
            "arn:aws:codepipeline:eu-west-1:111122223333:web",
        ),
        ("Cluster", "main"),
        ("TaskRoleArns", ROLES),
        (
            "RepositoryArn",
            "arn:aws:ecr:eu-west-1:111122223333:repository/web",
        ),
        ("OtherRepositoryArns", OTHER_REPOSITORY),
        ("ScalableTargetArns", TARGETS),
    ]);
    parameters.extend(given(more));
    deploy(
        aws,
        "role",
        &root().join("infra/deploy-role.yaml"),
        &parameters,
    )
}

#[test]
fn a_deploy_role_runs_the_families_of_both_colours_for_one_pattern() {
    let mut aws = account(1);
    let families = [("Service", "web"), ("MigrationFamily", "web-*")];
    deploy_role(&mut aws, &families).unwrap();
    assert_eq!(
        statements(&aws, "role")["RunOneOffTask"]["Resource"],
        "arn:aws:ecs:eu-west-1:111122223333:task-definition/web-*:*"
    );
}

#[test]
fn the_template_of_a_deploy_role_allows_what_those_of_pipelines_do() {
    let other = [("OtherRepositoryArns", OTHER_REPOSITORY)];
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_functions(&mut aws);
    deploy_pipeline(&mut aws, "in-place.yaml", &other).unwrap();
    deploy_role(&mut aws, &[("Service", "web")]).unwrap();
    assert_same_but_for_the_pipeline(&aws, None);

    let family = ("MigrationFamily", "web");
    let migration = [other[0], ("MigrationCommand", "migrate,up"), family];
    deploy_pipeline(&mut aws, "in-place.yaml", &migration).unwrap();
    deploy_role(&mut aws, &[("Service", "web"), family]).unwrap();
    assert!(statements(&aws, "role").contains_key("RunOneOffTask"));
    assert!(statements(&aws, "role").contains_key("StopOneOffTask"));
    assert_same_but_for_the_pipeline(&aws, None);

    // A pair that does not judge has no need of zones, and its role is made by the same template.
    for (template, more, targets) in [
        ("canary.yaml", None, TARGETS),
        ("canary.yaml", None, ""),
        ("blue-green.yaml", Some("ReadMetrics"), TARGETS),
    ] {
        let mut aws = account_with_pair(1);
        deploy_functions(&mut aws);
        let rule = aws.cloudformation.stack("web").unwrap().outputs["ProductionRuleArn"].clone();
        let pool = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_a";
        let of_pipeline = [
            ("Rule", rule.as_str()),
            ("UserPoolArn", pool),
            ("ScalableTargetArns", targets),
            other[0],
        ];
        deploy_pipeline(&mut aws, template, &of_pipeline).unwrap();
        let of_pair = [
            ("BlueService", "web-blue"),
            ("GreenService", "web-green"),
            ("Rule", rule.as_str()),
            ("UserPoolArn", pool),
            ("ScalableTargetArns", targets),
        ];
        deploy_role(&mut aws, &of_pair).unwrap();
        assert!(statements(&aws, "role").contains_key("ReadUserPoolClient"));
        assert_same_but_for_the_pipeline(&aws, more);
    }
}

/// The role of the stack `role` has the trust and the statements of the pipeline's, without the one
/// of the pipeline, and with the one of the Sid `more`.
pub(super) fn assert_same_but_for_the_pipeline(aws: &Aws, more: Option<&str>) {
    let mut expected = statements(aws, "web-pipeline");
    assert!(expected.remove("Pipeline").is_some());
    let mut found = statements(aws, "role");
    if let Some(sid) = more {
        assert!(found.remove(sid).is_some(), "there is no {sid}");
    }
    assert_eq!(found, expected);

    let [own, other] = ["web-pipeline", "role"].map(|stack| {
        let name = physical_id(aws, stack, "DeployRole");
        &aws.cloudformation.iam.role(&name).unwrap().trust
    });
    assert_eq!(own, other);
}

#[test]
fn a_deploy_role_is_of_a_service_or_of_a_pair() {
    let rule = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/web/1/2/3";
    let pair = [("BlueService", "a"), ("GreenService", "b"), ("Rule", rule)];
    let refused = [
        vec![],
        pair[..2].to_vec(),
        pair[1..].to_vec(),
        [&pair[..], &[("Service", "web")]].concat(),
        vec![("Service", "web"), ("Rule", rule)],
    ];
    for more in refused {
        let problem = deploy_role(&mut account(1), &more).unwrap_err().problem;
        assert_eq!(
            problem,
            "Either Service must be given, or BlueService and GreenService with Rule, or with \
             HostedZoneId and RecordName.",
            "{more:?}"
        );
    }
}

#[test]
fn the_stack_s_own_role_keeps_the_pipeline_and_reads_pushes_where_another_one_is_given() {
    let role = "arn:aws:iam::444455556666:role/orders-deploy-role-DeployRole-1A2B";
    let given = [("DeployRoleArn", role), ("TaskRoleArns", "")];

    for template in PIPELINES {
        let aws = with_pipeline(template, &given);
        let kept = statements(&aws, "web-pipeline");
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["Pipeline", "ReadPushed"]);
        assert_eq!(
            kept["ReadPushed"],
            json!({
                "Sid": "ReadPushed", "Effect": "Allow",
                "Action": ["ecr:BatchGetImage", "ecr:DescribeImages"],
                "Resource": "arn:aws:ecr:eu-west-1:111122223333:repository/web",
            })
        );

        let own = &aws.cloudformation.stack("web-pipeline").unwrap().outputs["DeployRoleArn"];
        let begin = user_parameters(&actions(&aws), "begin-release");
        assert_eq!(begin["deploy_role"], role);
        let name = own.rsplit('/').next().unwrap();
        assert_eq!(begin["pipeline_role"], format!("/{name}"));

        let rule = aws
            .events
            .rules
            .values()
            .find(|rule| rule.name == "slipway-web");
        let target = rule.unwrap().targets[0].declared.to_string();
        assert!(
            target.contains(own.as_str()) && !target.contains(role),
            "{target}"
        );
    }
}

#[test]
fn all_roles_take_the_path_of_their_stack_and_deploy_roles_trust_that_of_the_functions() {
    const PATH: &str = "/teams/shop/";
    let path = [("RolePath", PATH)];
    let mut aws = account(1);
    deploy_service(&mut aws, &path).unwrap();
    let functions = root().join("template.yaml");
    deploy(&mut aws, "slipway", &functions, &given(&path)).unwrap();
    deploy_pipeline(&mut aws, "in-place.yaml", &path).unwrap();
    deploy_role(&mut aws, &[("Service", "web"), ("RolePath", PATH)]).unwrap();
    let mut by_records = account(1);
    deploy(&mut by_records, "slipway", &functions, &given(&path)).unwrap();
    deploy_pipeline(&mut by_records, "dns.yaml", &[&RECORDS[..], &path].concat()).unwrap();

    let roles: Vec<_> = aws.cloudformation.iam.roles().collect();
    assert!(roles.len() > 10, "{}", roles.len());
    for role in roles
        .into_iter()
        .chain(by_records.cloudformation.iam.roles())
    {
        assert!(role.path.starts_with(PATH), "{}", role.arn);
    }
    let policy = physical_id(&aws, "slipway", "FunctionsPolicy");
    let of_stack = "arn:aws:iam::111122223333:policy/teams/shop/slipway/";
    assert!(policy.starts_with(of_stack), "{policy}");
    let pattern = aws.cloudformation.export("slipway-FunctionRoles").unwrap();
    assert_eq!(
        pattern,
        "arn:aws:iam::111122223333:role/teams/shop/slipway/*"
    );
    let prefix = pattern.trim_end_matches('*');
    let mut functions = aws.lambda.functions.values();
    assert!(functions.all(|function| function.role.starts_with(prefix)));

    let name = physical_id(&aws, "web-pipeline", "DeployRole");
    let trust = &aws.cloudformation.iam.role(&name).unwrap().trust["Statement"][0];
    assert_eq!(trust["Condition"]["ArnLike"]["aws:PrincipalArn"], pattern);
}
