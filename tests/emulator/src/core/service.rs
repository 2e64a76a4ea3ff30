//! What a service declares of itself: its name, its protocol, the errors of the framework in front
//! of it, and what its operations need to be allowed.
//!
//! A call is read, authorized and answered by the declaration in [`crate::services::SERVICES`] with
//! the name that its signature has.

use serde_json::Value;

use super::protocol::{Protocol, Request};
use super::{ApiError, Aws};
use crate::iam::{Demand, IamRequest};

/// A service of the account.
pub(crate) struct Service {
    /// As the signature names it.
    pub(crate) name: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) errors: Errors,
    /// What must be allowed before an operation is served; nothing for an operation that is not
    /// listed, which is refused for everybody but an administrator.
    pub(crate) demands: fn(&mut Aws, &IamRequest) -> Option<Vec<Demand>>,
}

/// The errors of the framework in front of a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errors {
    /// Too many requests.
    pub(crate) throttled: Wording,
    /// A fault of the service itself.
    pub(crate) internal: Wording,
    /// Status and code of a denial, whose message states what was denied.
    pub(crate) denied: (u16, &'static str),
    /// An access key that the account does not have, or one with another session's token.
    pub(crate) unknown_key: Wording,
    /// Temporary credentials after their time.
    pub(crate) expired: Wording,
    /// A signature whose time is too far from that of the service.
    pub(crate) skewed: Wording,
}

/// The time of a signature is a quarter of an hour before that of the service.
const SKEWED: &str = "Signature expired: 20260105T084500Z is now earlier than 20260105T085500Z \
                      (20260105T090000Z - 5 min.)";

/// How a service words an error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wording {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

impl Wording {
    pub(crate) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message,
        }
    }

    pub(crate) fn error(self) -> ApiError {
        ApiError {
            status: self.status,
            ..ApiError::client(self.code, self.message)
        }
    }
}

impl Errors {
    /// Most services with a JSON protocol, and services that the emulator does not have.
    pub(crate) const JSON: Self = Self {
        throttled: Wording::new(400, "ThrottlingException", "Rate exceeded"),
        internal: Wording::new(
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error",
        ),
        denied: (400, "AccessDeniedException"),
        unknown_key: Wording::new(
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        expired: Wording::new(
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        skewed: Wording::new(400, "InvalidSignatureException", SKEWED),
    };

    /// Services that speak, or once spoke, the query protocol.
    pub(crate) const QUERY: Self = Self {
        throttled: Wording::new(400, "Throttling", "Rate exceeded"),
        denied: (403, "AccessDenied"),
        unknown_key: Wording::new(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        expired: Wording::new(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        ),
        skewed: Wording::new(403, "SignatureDoesNotMatch", SKEWED),
        ..Self::JSON
    };

    /// The errors of the service that a request is for.
    pub(crate) fn of(request: &Request) -> Self {
        let service = request.service().and_then(|name| find(&name));
        service.map_or(Self::JSON, |service| service.errors)
    }

    /// The error of a denial with this message.
    pub(crate) fn denied(self, message: String) -> ApiError {
        let (status, code) = self.denied;
        ApiError {
            status,
            ..ApiError::client(code, message)
        }
    }
}

/// The service with the name that signatures have.
pub(crate) fn find(name: &str) -> Option<&'static Service> {
    crate::services::SERVICES
        .iter()
        .copied()
        .find(|service| service.name == name)
}

/// The operation that a request means and its input; nothing if the request cannot be read.
pub(crate) fn read_operation(service: &str, request: &Request) -> Option<(String, Value)> {
    match find(service) {
        Some(service) => service.protocol.read(request),
        None => super::protocol::read_json(request),
    }
}
