//! What proves which version responded to a check.
//!
//! A rule that sends a check to the new version may miss it, for example by the address that the
//! request comes from, and then the version that runs responds. A response alone does not show
//! that.

use super::attempt::Attempt;
use super::check::{HttpCheck, REFUSALS, Statuses};
use crate::observed::colour::Colour;

/// A value of the deciding header that is that of no version.
const OF_NO_VERSION: &str = "neither";

impl HttpCheck {
    /// The check of a colour, at its own URL if each colour has one.
    #[must_use]
    pub fn of_colour(&self, colour: Colour) -> Self {
        let of_green = self.green_url.as_ref().filter(|_| colour == Colour::Green);
        Self {
            url: of_green.unwrap_or(&self.url).clone(),
            green_url: None,
            ..self.clone()
        }
    }

    /// The request that must be refused, if a header decides which version responds: nothing but
    /// the value of the header is different, so that what would take it would take the check, too.
    #[must_use]
    pub fn control(&self) -> Option<Self> {
        let name = self.decided_by.clone()?;
        let mut headers = self.headers.clone();
        headers.insert(name, OF_NO_VERSION.to_owned());

        Some(Self {
            headers,
            status: Some(Statuses::Several(REFUSALS.to_vec())),
            body_contains: None,
            response_header: None,
            max_latency_ms: None,
            ..self.clone()
        })
    }

    /// As [`Self::judge`], where what came back for [`Self::control`], if there is one, must prove
    /// that no other version responded. Without a refusal nothing is proven.
    ///
    /// # Errors
    /// The first expectation that is not met.
    pub fn judge_with(
        &self,
        control: Option<&Attempt>,
        attempt: &Attempt,
        redacted: impl Fn(&str) -> String,
    ) -> Result<String, String> {
        let found = self.judge(attempt, &redacted);
        let found = found.map_err(|why| self.with_way(attempt, why))?;
        let (Some(name), Some(refused)) = (&self.decided_by, self.control()) else {
            return Ok(found);
        };

        let unread = Err("not requested".to_owned());
        match refused.judge(control.unwrap_or(&unread), &redacted) {
            Ok(_) => Ok(found),
            Err(why) => Err(format!(
                "not proven which version responded: with {name} {OF_NO_VERSION:?} {why}"
            )),
        }
    }

    /// Why an attempt failed, with what a refusal may mean: the rule that refuses what no test rule
    /// takes has a status that the version could return too.
    fn with_way(&self, attempt: &Attempt, why: String) -> String {
        let is_refused = attempt
            .as_ref()
            .is_ok_and(|response| REFUSALS.contains(&response.status));
        match &self.decided_by {
            Some(name) if is_refused => format!(
                "{why}; the test rule takes a request by {name} and by its address, and may have \
                 left this one"
            ),
            _ => why,
        }
    }
}
