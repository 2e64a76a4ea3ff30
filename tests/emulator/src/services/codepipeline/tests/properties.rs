//! The types of the properties of custom actions.

use super::custom::{action_type, create, custom};
use super::*;
use crate::Quirk;

#[test]
fn whether_values_are_compared_with_the_types_of_their_properties_differs_by_seed() {
    for (of_type, value, fits) in [
        ("Number", "25", true),
        ("Number", "2.5", true),
        ("Number", "soon", false),
        ("Number", "#{variables.who}", true),
        ("Boolean", "true", true),
        ("Boolean", "yes", false),
        ("String", "yes", true),
    ] {
        for checks in [false, true] {
            let mut aws = account(3);
            aws.settle_quirk(Quirk::ChecksPropertyTypes, checks);
            let mut known = action_type();
            known["configurationProperties"][1]["type"] = json!(of_type);
            create(&mut aws, &known).unwrap();

            let action = custom(&json!({"service": "web", "mode": value}));
            let pipeline = declaration(vec![action]);
            let created = call(&mut aws, "CreatePipeline", &json!({"pipeline": pipeline}));
            assert_eq!(created.is_ok(), fits || !checks, "{of_type} {value}");
            let code = created.err().map(|refused| refused.code);
            let expected = (!fits && checks).then_some("InvalidActionDeclarationException");
            assert_eq!(code.as_deref(), expected);
        }
    }
}
