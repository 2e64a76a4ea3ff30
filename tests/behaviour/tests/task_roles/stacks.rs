//! A pipeline's stack without `TaskRoleArns`: it finds the roles, and its releases pass them.

use behaviour::found_roles::{STACK, begin, complete, passed};
use behaviour::{account, assert_outcome, ends, pair, push};
use emulator::client::CallFault;
use emulator::cloudformation::delete;
use harness::demo::{SHOP, WEB};
use harness::driver::{Driver, Fault, Faults, Which, run};

use crate::roles_of;

/// Why the stack failed, if it did.
fn why(driver: &Driver) -> Option<String> {
    let aws = driver.world.aws();
    let stack = aws.cloudformation.stack(STACK).expect("the stack");
    stack.why_failed().map(ToOwned::to_owned)
}

#[test]
fn a_release_passes_the_roles_that_the_stack_found() {
    let mut aws = account();
    delete(&mut aws, "web-pipeline").expect("another pipeline releases the service");
    run(aws, Fault::None, async |driver| {
        begin(&mut driver.world.aws(), &[("TagPattern", "*")]);
        complete(&driver, STACK).await;
        assert_eq!(why(&driver), None);
        let expected = roles_of(&driver.world.aws(), &[WEB]);
        assert_eq!(passed(&driver.world.aws(), STACK).join(","), expected);

        let pushed = push(&driver, WEB, "1.0.0");
        ends(&driver, "slipway-found", &pushed, "deployed").await;
        let aws = driver.world.aws();
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
    });
}

#[test]
fn a_release_of_a_pair_passes_the_roles_that_its_stack_found() {
    let mut aws = account();
    let finds = [&pair::SHORT[..], &[("TaskRoleArns", "")]].concat();
    pair::configure(&mut aws, &finds);
    run(aws, Fault::None, async |driver| {
        let stack = "shop-pipeline";
        complete(&driver, stack).await;
        let expected = roles_of(&driver.world.aws(), &[SHOP]);
        assert_eq!(passed(&driver.world.aws(), stack).join(","), expected);

        let execution = pair::release(&driver, "1.0.0").await;
        assert_outcome(&driver, &execution, "deployed");
        let aws = driver.world.aws();
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
    });
}

#[test]
fn a_stack_for_a_service_that_is_not_there_fails_with_the_reason_and_is_made_again() {
    run(account(), Fault::None, async |driver| {
        begin(&mut driver.world.aws(), &[("Service", "wep")]);
        complete(&driver, STACK).await;
        let reason = why(&driver).expect("it failed");
        let expected = "Received response status [FAILED] from custom resource. Message returned: \
                        there is no service `wep` in cluster `apps`; expected the service of the \
                        pipeline (RequestId: ";
        assert!(reason.starts_with(expected), "{reason}");

        delete(&mut driver.world.aws(), STACK).expect("nothing of it is left");
        begin(&mut driver.world.aws(), &[]);
        complete(&driver, STACK).await;
        assert_eq!(why(&driver), None);
    });
}

#[test]
fn roles_that_are_given_later_replace_those_that_were_found() {
    run(account(), Fault::None, async |driver| {
        begin(&mut driver.world.aws(), &[]);
        complete(&driver, STACK).await;

        let other = "arn:aws:iam::111122223333:role/other";
        begin(&mut driver.world.aws(), &[("TaskRoleArns", other)]);
        complete(&driver, STACK).await;
        assert_eq!(why(&driver), None);
        assert_eq!(passed(&driver.world.aws(), STACK), [other]);

        // Without them the roles are found anew.
        begin(&mut driver.world.aws(), &[]);
        complete(&driver, STACK).await;
        let expected = roles_of(&driver.world.aws(), &[WEB]);
        assert_eq!(passed(&driver.world.aws(), STACK).join(","), expected);
    });
}

#[test]
fn a_function_that_dies_is_invoked_again() {
    let first = Which::Of {
        function: "find-task-roles",
        nth: 0,
    };
    let dies = Faults {
        calls: vec![(first, CallFault::CrashBefore(1))],
        ..Faults::default()
    };
    run(account(), dies, async |driver| {
        begin(&mut driver.world.aws(), &[]);
        complete(&driver, STACK).await;
        assert_eq!(why(&driver), None);
    });
}
