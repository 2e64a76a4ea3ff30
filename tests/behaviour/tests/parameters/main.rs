//! Wrong user parameters in the real pipeline: the action fails at once as a ConfigurationError
//! that names the field, what was found, what is legal and what to do, and nothing is changed in
//! the account.

use behaviour::{account, action, is_closed, newest, until, update_pipeline};
use emulator::Aws;
use emulator::ecr::{self, Behaviour};
use harness::driver::{Fault, run};
use invariants::ledger_reader::digest;
use serde_json::{Value, json};

/// Where a release with wrong parameters is tried.
#[derive(Clone, Copy)]
struct Bench {
    pipeline: &'static str,
    repository: &'static str,
    /// What is wrong with the account before.
    prepare: fn(&mut Aws),
}

/// What is wrong with the parameters.
enum Wrong {
    /// A member is set to this.
    Set(&'static str, Value),
    /// Several are.
    SetAll(&'static [(&'static str, u32)]),
    Missing(&'static str),
    /// The whole text is this.
    Text(&'static str),
    /// Members are set to these, those that are null removed.
    Change(Value),
    /// Nothing: the account is wrong.
    Account,
}

use Wrong::{Account, Change, Missing, Set, SetAll, Text};

impl Wrong {
    fn spoil(&self, parameters: &str) -> String {
        let mut value: Value = serde_json::from_str(parameters).expect("the template writes JSON");
        match self {
            Set(member, wrong) => value[*member] = wrong.clone(),
            SetAll(members) => members
                .iter()
                .for_each(|(member, wrong)| value[*member] = json!(wrong)),
            Missing(member) => drop(value.as_object_mut().expect("an object").remove(*member)),
            Text(text) => return (*text).to_owned(),
            Change(members) => {
                let value = value.as_object_mut().expect("an object");
                value.extend(members.as_object().expect("an object").clone());
                value.retain(|_, member| !member.is_null());
            }
            Account => {}
        }
        value.to_string()
    }
}

/// The name of the deploy role of a pipeline.
fn deploy_role(aws: &Aws, pipeline: &str) -> String {
    let stack = aws.cloudformation.stacks().find(|stack| {
        let found = stack.resource("Pipeline");
        found.is_some_and(|found| found.physical_id == pipeline)
    });
    let role = stack.and_then(|stack| stack.resource("DeployRole"));
    role.expect("the pipeline's role").physical_id.clone()
}

/// Lets the deploy role of a pipeline read every service: one that the parameters name, and its
/// stack does not, would be denied before it is missed.
fn let_every_service_be_read(aws: &mut Aws, pipeline: &str) {
    let name = deploy_role(aws, pipeline);
    let statement = json!({"Effect": "Allow", "Action": "ecs:DescribeServices", "Resource": "*"});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");
    role.policies.insert("read".to_owned(), document);
}

/// Runs a release whose action `step` has wrong parameters and returns the account when all is
/// over.
fn release(bench: Bench, step: &str, wrong: &Wrong) -> Aws {
    let mut aws = account();
    (bench.prepare)(&mut aws);
    let_every_service_be_read(&mut aws, bench.pipeline);
    let changed = update_pipeline(&mut aws, bench.pipeline, |pipeline| {
        let configuration = &mut action(pipeline, step)["configuration"];
        let spoilt = wrong.spoil(
            configuration["UserParameters"]
                .as_str()
                .expect("parameters"),
        );
        configuration["UserParameters"] = json!(spoilt);
    });
    changed.expect("CodePipeline does not look into user parameters");

    let pushed = ecr::push(&mut aws, bench.repository, "1.0.0", Behaviour::Healthy)
        .expect("the repository is there");
    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            let execution = newest(aws, bench.pipeline);
            digest(execution) == Some(pushed.as_str())
                && execution.is_over()
                && is_closed(aws, &execution.id)
        })
        .await;
        driver.world.snapshot()
    })
}

mod in_place;
/// The parameters of the functions for a blue/green pair.
mod pair;
