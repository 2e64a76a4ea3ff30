//! IP addresses and the blocks of them that `cidr` names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Refusal;

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    address: IpAddr,
    bits: u32,
}

impl Block {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let refused = |reason: &str| Err(Refusal(reason.to_owned()));
        // Java's `split` drops empty parts at the end.
        let parts: Vec<&str> = text.trim_end_matches('/').split('/').collect();
        let [address, bits] = parts[..] else {
            return refused("Malformed CIDR, one '/' required");
        };
        let Ok(bits) = bits.parse::<i32>() else {
            return refused("Malformed CIDR, mask bits must be an integer");
        };
        let Ok(bits) = u32::try_from(bits) else {
            return refused("Malformed CIDR, mask bits must not be negative");
        };

        let address = parse(address)?;
        match address {
            IpAddr::V4(_) if bits > 31 => refused("IPv4 mask bits must be < 32"),
            IpAddr::V6(_) if bits > 127 => refused("IPv6 mask bits must be < 128"),
            _ => Ok(Self { address, bits }),
        }
    }

    /// The block that holds one address only.
    pub(super) fn one(text: &str) -> Option<Self> {
        let address = parse(text).ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Some(Self { address, bits })
    }

    pub(super) fn contains(self, text: &str) -> bool {
        let outside = |differing: u32, width: u32| differing + self.bits < width + 1;
        match (self.address, parse(text)) {
            (IpAddr::V4(own), Ok(IpAddr::V4(other))) => {
                let differing = own.to_bits() ^ other.to_bits();
                outside(32 - differing.leading_zeros(), 32)
            }
            (IpAddr::V6(own), Ok(IpAddr::V6(other))) => {
                let differing = own.to_bits() ^ other.to_bits();
                outside(128 - differing.leading_zeros(), 128)
            }
            _ => false,
        }
    }
}

fn parse(text: &str) -> Result<IpAddr, Refusal> {
    let dotted: Vec<&str> = text.split('.').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let invalid = || Refusal(format!("Invalid IP address: {text}"));
    if dotted.len() == 4 && dotted.iter().all(digits) {
        let parts: Vec<u8> = dotted.iter().filter_map(|part| part.parse().ok()).collect();
        let parts: [u8; 4] = parts.try_into().map_err(|_| invalid())?;
        return Ok(Ipv4Addr::from(parts).into());
    }

    let hexadecimal = |byte: u8| byte == b':' || byte.is_ascii_hexdigit();
    if text.contains(':') && text.bytes().all(hexadecimal) {
        let address: Ipv6Addr = text.parse().map_err(|_| invalid())?;
        return Ok(address
            .to_ipv4_mapped()
            .map_or(address.into(), IpAddr::from));
    }
    Err(Refusal(format!("Nonstandard IP address: {text}")))
}
