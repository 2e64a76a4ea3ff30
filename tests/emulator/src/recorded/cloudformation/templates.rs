//! Templates that CloudFormation refuses.

use super::*;

const LEFT_OUT: [(&str, &str); 18] = [
    ("test_*ssm_parameter*", "SSM parameters"),
    ("test_resolve_ssm*", "SSM parameters"),
    (
        "test_implicit_type_conversion",
        "queues by GetQueueAttributes",
    ),
    ("test_global_scope", "macros"),
    ("test_snipped_scope*", "macros"),
    ("test_scope_order_and_parameters", "macros"),
    ("test_capabilities_requirements", "macros"),
    ("test_validate_lambda_internals", "macros"),
    ("test_error_*", "macros"),
    (
        "test_functions_and_references_during_transformation",
        "macros",
    ),
    ("test_failed_state*", "macros"),
    ("test_macro_deployment", "macros"),
    ("test_pyplate_param_type_list", "macros"),
    (
        "test_invalid_stack_deploy",
        "an event of a stack that failed",
    ),
    ("test_cfn_with_exports", "ListExports"),
    ("test_stack_id", "an output of LocalStack's test"),
    (
        "test_join_no_value_construct",
        "an output of LocalStack's test",
    ),
    (
        "test_fn_select_has_intrinsic_function",
        "an output of LocalStack's test",
    ),
];

#[test]
fn templates_are_refused_as_recorded() {
    let mut answers = Answers::default();
    let refused = |body: &str| change_set(&mut Aws::new(1), "new", "CREATE", body, &[]);
    let no_type = refused("Resources: {Foo: {Properties: {}}}");
    answers.add("test_no_type", "error", no_type);
    let long = format!("{TEMPLATE}{}", "#".repeat(51_200));
    answers.add(
        "test_to_validate_template_limit_for_macro",
        "error_response",
        refused(&long),
    );
    judge(
        "cloudformation/test_template_engine.snapshot.json",
        &answers,
        &LEFT_OUT,
    );
}
