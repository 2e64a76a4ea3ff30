//! The event of a stack that finds the roles of a service.

use harness::demo::{WEB, task_roles};

use crate::{invoke, with_image};

#[test]
fn events_find_the_roles_of_a_service() {
    with_image(async |driver| {
        let found = invoke(driver, "FindTaskRolesFunction", "create").await;
        let mut expected: Vec<String> = task_roles(&driver.world.aws(), WEB)
            .expect("exported")
            .split(',')
            .map(ToOwned::to_owned)
            .collect();
        expected.sort_unstable();
        assert_eq!(found["attributes"]["Arns"], expected.join(","));
    });
}
