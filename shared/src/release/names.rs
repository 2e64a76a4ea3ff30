//! Enums that are nothing but names. The variants, their texts and `ALL` of them come from one
//! list, so that what goes through all of them misses none.

/// Declares such an enum, with its `Display`.
macro_rules! names {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $($(#[$of:meta])* $Variant:ident => $text:literal,)*
        }
    ) => {
        $(#[$meta])*
        $vis enum $Name {
            $($(#[$of])* $Variant,)*
        }

        impl $Name {
            /// Every one, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$Variant,)*];
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$Variant => $text,)*
                })
            }
        }
    };
}

pub(super) use names;
