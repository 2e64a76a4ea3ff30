//! Two places: the functions, the repository and the pipeline in the first, the cluster, the
//! service, its load balancer and its scaling in another account or region.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use behaviour::pair::SHORT;
use behaviour::{account, change_parameters, until, update_pipeline};
use emulator::cloudformation::deploy;
use emulator::codepipeline::Execution;
use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, root, scalable_targets};
use harness::driver::{Fault, run};
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::json;

/// The account of functions and pipeline, and the region of both accounts.
pub(crate) const FIRST: &str = "111122223333";
const HOME: &str = "eu-west-1";
/// Another account, for the service.
pub(crate) const SECOND: &str = "444455556666";
/// The service, and the repository.
pub(crate) const SERVICE: &str = "orders";
pub(crate) const PIPELINE: &str = "slipway-orders";

/// The stack of the deploy role, where the service is.
const ROLE_STACK: &str = "orders-deploy-role";
const PIPELINE_STACK: &str = "orders-pipeline";
const REPOSITORY_STACK: &str = "orders-repository";
/// The roles that the functions may assume.
const ASSUMABLE: &str = "arn:aws:iam::111122223333:role/*,arn:aws:iam::444455556666:role/*";

/// What differs from a deploy role that is right.
pub(crate) struct Scene {
    /// The account and the region of the service.
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
    /// The service that the deploy role names.
    pub(crate) named_service: &'static str,
    /// The ARN of the pipeline that its trust policy requires.
    pub(crate) trusted_pipeline: &'static str,
    /// Whether begin-release has `pipeline_role`, as the template gives it.
    pub(crate) has_pipeline_role: bool,
    /// Whether the service is a blue/green pair.
    pub(crate) is_pair: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            account: SECOND,
            region: HOME,
            named_service: SERVICE,
            trusted_pipeline: "arn:aws:codepipeline:eu-west-1:111122223333:slipway-orders",
            has_pipeline_role: true,
            is_pair: false,
        }
    }
}

impl Scene {
    /// Both places, with the service steady and nothing released.
    pub(crate) fn account(&self) -> Aws {
        let mut aws = account();
        let functions = root().join("template.yaml");
        stack(
            &mut aws,
            FUNCTIONS_STACK,
            &functions,
            &[("DeployRoleArns", ASSUMABLE)],
        );
        let repository = [("Name", SERVICE), ("ReadingAccount", SECOND)];
        stack(
            &mut aws,
            REPOSITORY_STACK,
            &here("repository.yaml"),
            &repository,
        );

        self.add_service(&mut aws);
        self.add_pipeline(&mut aws);
        run(aws, Fault::None, async |driver| {
            until(&driver, |aws| {
                let mut services = self.place(aws).ecs.services.values();
                services.all(|service| !service.is_deploying())
                    && aws.codepipeline.executions.iter().all(Execution::is_over)
            })
            .await;
            driver.world.snapshot()
        })
    }

    /// Where the service is.
    pub(crate) fn place<'aws>(&self, aws: &'aws Aws) -> &'aws Aws {
        aws.of_place(self.account, self.region)
            .expect("it was made")
    }

    /// The ARN of the deploy role.
    pub(crate) fn deploy_role(&self, aws: &Aws) -> String {
        exported(self.place(aws), &format!("{ROLE_STACK}-DeployRoleArn"))
    }

    /// The place of the service with the service and the deploy role.
    fn add_service(&self, aws: &mut Aws) {
        let functions = exported(aws, &format!("{FUNCTIONS_STACK}-FunctionRoles"));
        let repository = exported(aws, &format!("{REPOSITORY_STACK}-RepositoryArn"));
        if self.account != FIRST {
            aws.add_account(self.account);
        }
        let make = |aws: &mut Aws| {
            let cluster = json!({"clusterName": CLUSTER});
            ecs::call(aws, "CreateCluster", &cluster).expect("legal");
            let service = [
                ("Name", SERVICE),
                ("VpcId", "vpc-0a1b2c3d"),
                ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e"),
                ("Cluster", CLUSTER),
                ("MinCapacity", "2"),
                ("MaxCapacity", "4"),
                ("BlueGreen", if self.is_pair { "yes" } else { "no" }),
                ("OtherRepositoryArns", repository.as_str()),
            ];
            stack(aws, SERVICE, &root().join("infra/service.yaml"), &service);

            let roles = exported(aws, &format!("{SERVICE}-TaskRoleArns"));
            let targets = scalable_targets(aws, CLUSTER, ["orders-blue", "orders-green"]);
            let role = [
                ("FunctionsAccount", FIRST),
                ("FunctionRoles", functions.as_str()),
                ("PipelineArn", self.trusted_pipeline),
                ("Cluster", CLUSTER),
                ("TaskRoleArns", roles.as_str()),
                ("ScalableTargetArns", targets.as_str()),
                ("RepositoryArn", repository.as_str()),
            ];
            let named = if self.is_pair {
                of_pair(aws)
            } else {
                vec![("Service", self.named_service.to_owned())]
            };
            let role = with(&role, &named);
            stack(
                aws,
                ROLE_STACK,
                &root().join("infra/deploy-role.yaml"),
                &role,
            );
        };
        aws.in_account(self.account, |aws| aws.in_region(self.region, make));
    }

    /// The pipeline, whose own role starts and reads it, and whose releases work on the service
    /// under the role that is where the service is.
    fn add_pipeline(&self, aws: &mut Aws) {
        let foreign = self.deploy_role(aws);
        let parameters = [
            ("PipelineName", PIPELINE),
            ("Cluster", CLUSTER),
            ("Service", SERVICE),
            ("Repository", SERVICE),
            ("ContainerName", "web"),
            ("TaskRoleArns", ""),
            ("DeployRoleArn", foreign.as_str()),
        ];
        if self.is_pair {
            let parameters = [&parameters[..], &SHORT[..]].concat();
            let named = of_pair(self.place(aws));
            let parameters = with(&parameters, &named);
            let template = root().join("infra/pipelines/blue-green.yaml");
            return stack(aws, PIPELINE_STACK, &template, &parameters);
        }
        let template = root().join("infra/pipelines/in-place.yaml");
        let further = (self.region != HOME).then_some(("ServiceRegion", self.region));
        let parameters: Vec<_> = parameters.into_iter().chain(further).collect();
        stack(aws, PIPELINE_STACK, &template, &parameters);

        if !self.has_pipeline_role {
            let changed = update_pipeline(aws, PIPELINE, |pipeline| {
                change_parameters(pipeline, "begin-release", |parameters| {
                    parameters.remove("pipeline_role").expect("it was given");
                });
            });
            changed.expect("a legal pipeline");
        }
    }
}

/// What names the pair of an account, for the deploy role and for the pipeline.
fn of_pair(aws: &Aws) -> Vec<(&'static str, String)> {
    [
        ("BlueService", "BlueServiceName"),
        ("GreenService", "GreenServiceName"),
        ("Rule", "ProductionRuleArn"),
    ]
    .map(|(parameter, output)| (parameter, exported(aws, &format!("{SERVICE}-{output}"))))
    .to_vec()
}

fn with<'a>(
    parameters: &[(&'a str, &'a str)],
    more: &'a [(&'a str, String)],
) -> Vec<(&'a str, &'a str)> {
    let more = more.iter().map(|(name, value)| (*name, value.as_str()));
    parameters.iter().copied().chain(more).collect()
}

fn exported(aws: &Aws, name: &str) -> String {
    let value = aws.cloudformation.export(name);
    value.expect("a stack exports it").to_owned()
}

/// A template of this test.
fn here(name: &str) -> PathBuf {
    root().join("tests/behaviour/tests/accounts").join(name)
}

fn stack(aws: &mut Aws, name: &str, template: &Path, parameters: &[(&str, &str)]) {
    let parameters: BTreeMap<String, String> = parameters
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    deploy(aws, name, template, &parameters).expect("the template deploys");
}
