//! STS: who the caller is, which is what the guide of `cargo sandbox serve` begins with.

use serde_json::{Value, json};

use crate::iam::actions::unlisted;
use crate::protocol::query::Parameters;
use crate::protocol::{Protocol, Query};
use crate::service::{Errors, Service};
use crate::{ApiError, Aws};

pub(crate) const SERVICE: Service = Service {
    name: "sts",
    protocol: Protocol::Query(Query {
        version: "2011-06-15",
        namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
        call,
    }),
    errors: Errors::JSON,
    demands: unlisted,
};

/// One action of STS; returns the members of its result.
fn call(aws: &mut Aws, action: &str, _: &Parameters) -> Result<Value, ApiError> {
    match action {
        "GetCallerIdentity" => {
            let arn = format!("arn:aws:iam::{}:user/person", aws.account);
            Ok(json!({"Arn": arn, "UserId": "AIDAIOSFODNN7EXAMPLE", "Account": aws.account}))
        }
        _ => Err(ApiError::unknown_operation(action)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_a_user_of_the_account() {
        let answer = call(&mut Aws::new(1), "GetCallerIdentity", &Parameters::new()).unwrap();
        assert_eq!(answer["Arn"], "arn:aws:iam::111122223333:user/person");
    }
}
