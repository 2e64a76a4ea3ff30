//! How answers vary from minute to minute for all versions alike: other requests come, and what the
//! service depends on is faster or slower.

/// Nothing varies unless a scenario sets it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Variation {
    /// In each minute, the odds that a request is answered with 4XX or 5XX are multiplied with a
    /// log-normal number: the deviation of its logarithm. The same number for everything behind a
    /// load balancer.
    pub errors: f64,
    /// The same for response times.
    pub times: f64,
    /// How many 5XX come together; nothing means that this depends on the image.
    pub bursts: Option<Bursts>,
    /// Whether a burst comes through one Availability Zone, as the retries of one client do. Else
    /// each of its requests comes through any.
    pub in_zones: bool,
}

/// The distribution of the number of 5XX that come together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bursts {
    /// A fixed number.
    Same(u32),
    /// A geometric number, from 1 on, with this mean.
    Geometric(u32),
    /// A log-normal number.
    LogNormal {
        median: f64,
        /// Of its logarithm.
        deviation: f64,
    },
}

impl Bursts {
    pub(crate) fn mean(self) -> f64 {
        match self {
            Self::Same(size) | Self::Geometric(size) => f64::from(size.max(1)),
            Self::LogNormal { median, deviation } => median * (deviation * deviation / 2.0).exp(),
        }
    }
}
