//! Clients: each is made by the first call that needs it, and shared by all with its credentials.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use aws_config::SdkConfig;

use super::script::{Script, run};
use crate::aws::{
    Bases, Clusters, Executions, Images, Jobs, Ledger, Metrics, Pairs, Records, Reports, Rules,
    Scaling, Sdk, Services, TaskDefinitions,
};
use crate::release::DeployRole;

fn role() -> DeployRole {
    DeployRole {
        arn: "arn:aws:iam::444455556666:role/deploy".to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
        region: None,
    }
}

#[test]
fn no_adapter_makes_a_client_before_its_first_call() {
    // Making a client from a configuration without a behaviour version panics.
    let own = Sdk::new(SdkConfig::builder().build(), "ledger");
    for sdk in [own.acting_for(&role()), own] {
        let services = Services::new(&sdk);
        let adapters = (
            (Bases::new(&sdk), Clusters::new(&sdk), Executions::new(&sdk)),
            (Images::new(&sdk), Jobs::new(&sdk, "update-service")),
            (Ledger::new(&sdk), Metrics::new(&sdk), Pairs::new(&sdk)),
            (Reports::new(&sdk), Rules::new(&sdk), Scaling::new(&sdk)),
            (Records::new(&sdk), TaskDefinitions::new(&sdk)),
        );
        drop(adapters);

        let called = catch_unwind(AssertUnwindSafe(|| run(services.describe("apps", "web"))));
        assert!(called.is_err(), "the first call makes a client");
    }
}

#[test]
fn clients_are_shared_by_all_that_have_their_credentials() {
    let sdk = Script::new([]).sdk();
    let (acting, reading) = (sdk.acting_for(&role()), sdk.reading_for(&role()));

    let own = sdk.own.ecs();
    for other in [&sdk.service, &sdk.clone().own, &acting.own, &reading.own] {
        assert!(ptr::eq(own, other.ecs()));
    }

    let again = sdk.acting_for(&role());
    assert!(ptr::eq(acting.service.ecs(), again.service.ecs()));
    for other in [&sdk.service, &reading.service] {
        assert!(!ptr::eq(acting.service.ecs(), other.ecs()));
    }
}
