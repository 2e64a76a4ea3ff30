//! The URLs that a check may request.
//!
//! It takes apart only what each parser of URLs reads in the same way, and refuses everything else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const SCHEMES: [&str; 2] = ["https://", "http://"];

const WHOLE: &str = "`https://` or `http://`, the name of a load balancer, and a path of visible \
                     ASCII characters, without a fragment";

/// The instance metadata and the credentials of tasks have link-local addresses, the runtime API of
/// Lambda a loopback address
/// (docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html,
/// docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
const OUTSIDE: &str = "a host outside the function: at loopback and link-local addresses are \
                       Lambda's own API and AWS's metadata, which can have credentials";

/// The metadata of instances by IPv6: `fd00:ec2::/32`.
const METADATA: [u16; 2] = [0xfd00, 0x0ec2];

/// The parts of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckUrl<'a> {
    /// Scheme, host and port.
    pub origin: &'a str,
    /// Path and query.
    pub target: &'a str,
}

#[derive(Clone, Copy)]
enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl<'a> CheckUrl<'a> {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// What is expected in place of it.
    pub fn parse(url: &'a str) -> Result<Self, &'static str> {
        let mut schemes = SCHEMES.iter();
        let rest = schemes.find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or(WHOLE)?;
        let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));

        let is_of_target = |b: u8| b.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&b);
        if !target.bytes().all(is_of_target) {
            return Err(WHOLE);
        }
        if host_of(authority).ok_or(WHOLE)?.is_inside() {
            return Err(OUTSIDE);
        }

        Ok(Self {
            origin: &url[..url.len() - target.len()],
            target: if target.is_empty() { "/" } else { target },
        })
    }

    /// The host without a port.
    #[must_use]
    pub fn host(&self) -> &'a str {
        let (_, authority) = self.origin.split_once("://").unwrap_or_default();
        let address = authority
            .strip_prefix('[')
            .and_then(|it| it.split_once(']'));
        let (host, _) = address
            .or_else(|| authority.split_once(':'))
            .unwrap_or((authority, ""));
        host
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.origin.starts_with(SCHEMES[0])
    }
}

impl Host<'_> {
    /// Whether it leads to the function itself or to AWS's metadata.
    fn is_inside(self) -> bool {
        match self {
            Self::Name(name) => {
                let name = name.to_ascii_lowercase();
                name == "localhost" || name.ends_with(".localhost")
            }
            Self::Address(IpAddr::V4(it)) => {
                it.is_loopback() || it.is_link_local() || it.octets()[0] == 0
            }
            Self::Address(IpAddr::V6(it)) => {
                it.is_loopback()
                    || it.is_unspecified()
                    || it.is_unicast_link_local()
                    || it.segments()[..2] == METADATA
            }
        }
    }
}

/// The host of an authority without a user; none if it is not one, or its port is none.
fn host_of(authority: &str) -> Option<Host<'_>> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        return is_port(port).then(|| Host::Address(address.to_canonical()));
    }

    let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
    if !is_port(port) {
        return None;
    }
    // Resolvers take more for an address than its usual form, such as `127.1` and `0x7f000001`.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        let address: Ipv4Addr = name.parse().ok()?;
        return Some(Host::Address(address.into()));
    }

    let is_of_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_of_label);
    name.split('.').all(is_label).then_some(Host::Name(name))
}

/// Whether a text is empty, or a colon and a port.
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else {
        return text.is_empty();
    };
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
