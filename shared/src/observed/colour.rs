//! The two colours of a pair, and the one container for what exists once for each of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two services of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    Blue,
    Green,
}

impl Colour {
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blue => "blue",
            Self::Green => "green",
        })
    }
}

/// What exists once for blue and once for green.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerColour<T> {
    pub blue: T,
    pub green: T,
}

impl<T> PerColour<T> {
    /// One value for each colour.
    pub fn from_fn(mut make: impl FnMut(Colour) -> T) -> Self {
        Self {
            blue: make(Colour::Blue),
            green: make(Colour::Green),
        }
    }

    /// As [`Self::from_fn`], until one fails.
    ///
    /// # Errors
    /// The first error of `make`.
    pub fn try_from_fn<E>(mut make: impl FnMut(Colour) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            blue: make(Colour::Blue)?,
            green: make(Colour::Green)?,
        })
    }

    #[must_use]
    pub fn of(&self, colour: Colour) -> &T {
        match colour {
            Colour::Blue => &self.blue,
            Colour::Green => &self.green,
        }
    }

    /// Blue's value and green's.
    #[must_use]
    pub fn as_array(&self) -> [&T; 2] {
        [&self.blue, &self.green]
    }
}

impl PerColour<String> {
    /// The services of the pair `pair`, a name or an ARN: the `given` names, or else `<pair>-blue`
    /// and `<pair>-green`.
    #[must_use]
    pub fn services(given: Option<&Self>, pair: &str) -> Self {
        given
            .cloned()
            .unwrap_or_else(|| Self::from_fn(|colour| format!("{pair}-{colour}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_of_a_pair_have_the_given_names_or_those_of_their_colours() {
        let derived = PerColour::services(None, "shop");
        assert_eq!(derived.as_array(), ["shop-blue", "shop-green"]);

        let arn = "arn:aws:ecs:eu-west-1:111122223333:service/apps/shop";
        let of_arn = PerColour::services(None, arn);
        assert_eq!(of_arn.of(Colour::Green), &format!("{arn}-green"));

        let given = PerColour {
            blue: "Shop-ServiceA1B2-x".to_owned(),
            green: "Shop-Green-y".to_owned(),
        };
        assert_eq!(PerColour::services(Some(&given), "shop"), given);
    }

    #[test]
    fn each_colour_is_the_other_one_s_other() {
        assert_eq!(
            [Colour::Blue.other(), Colour::Green.other()],
            [Colour::Green, Colour::Blue]
        );
    }

    #[test]
    fn each_colour_has_its_own_value() {
        let names = PerColour::from_fn(|colour| colour.to_string());
        assert_eq!(names.as_array(), ["blue", "green"]);
        assert_eq!(names.of(Colour::Green), "green");

        let refused = PerColour::try_from_fn(|colour| match colour {
            Colour::Blue => Ok(1),
            Colour::Green => Err("green"),
        });
        assert_eq!(refused, Err("green"));
    }
}
