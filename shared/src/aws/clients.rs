//! The clients of AWS's services: each is made at its first use, and shared by all adapters.
//!
//! No client is made when a function starts: an invocation calls only some of the services.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use aws_sdk_ecs::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;

use super::error::is_about_credentials;

/// Whether AWS rejected the credentials of a call by one of these clients.
#[derive(Clone, Debug, Default)]
struct NotTaken(Arc<AtomicBool>);

impl Intercept for NotTaken {
    fn name(&self) -> &'static str {
        "NotTaken"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if !response.status().is_success() {
            let body = response.body().bytes().unwrap_or_default();
            if is_about_credentials(&String::from_utf8_lossy(body)) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// Declares [`Clients`]: each client is `name: crate`, or `name: crate with protocol` where the
/// protocol is pinned.
macro_rules! clients {
    ($($name:ident: $service:ident $(with $protocol:expr)?,)*) => {
        /// A configuration, and a client of each service with it.
        pub(super) struct Clients {
            pub(super) config: SdkConfig,
            not_taken: NotTaken,
            $($name: OnceLock<$service::Client>,)*
        }

        impl Clients {
            pub(super) fn new(config: SdkConfig) -> Self {
                let not_taken = NotTaken::default();
                Self { config, not_taken, $($name: OnceLock::new(),)* }
            }

            /// Whether AWS rejected their credentials: they need new ones.
            pub(super) fn are_not_taken(&self) -> bool {
                self.not_taken.0.load(Ordering::Relaxed)
            }

            $(pub(super) fn $name(&self) -> &$service::Client {
                self.$name.get_or_init(|| {
                    let config = $service::config::Builder::from(&self.config);
                    $(let config = config.protocol($protocol);)?
                    let config = config.interceptor(self.not_taken.clone());
                    $service::Client::from_conf(config.build())
                })
            })*
        }
    };
}

clients! {
    autoscaling: aws_sdk_applicationautoscaling,
    cloudwatch: aws_sdk_cloudwatch,
    // The model of the API names CBOR first since the autumn of 2026. A newer SDK, which follows
    // it, does not change what is sent.
    codepipeline: aws_sdk_codepipeline with codepipeline_protocol(),
    dynamodb: aws_sdk_dynamodb,
    ecr: aws_sdk_ecr,
    ecs: aws_sdk_ecs,
    elb: aws_sdk_elasticloadbalancingv2,
    eventbridge: aws_sdk_eventbridge,
    lambda: aws_sdk_lambda,
    route53: aws_sdk_route53,
    s3: aws_sdk_s3,
    sts: aws_sdk_sts,
}

/// JSON 1.1, which every version of CodePipeline's API has.
fn codepipeline_protocol() -> AwsJsonRpcProtocol {
    AwsJsonRpcProtocol::aws_json_1_1().with_default_namespace("com.amazonaws.codepipeline")
}

/// Shows no client: they are large, and have credentials.
impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}
