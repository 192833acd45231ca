//! Closed lists of words that are stored, shown in REST and used as text keys: one spelling for all three.

/// Declares enums whose variants are words.
#[macro_export]
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $code:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[sqlx(type_name = "text", rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$word_doc])* #[sqlx(rename = $code)] #[serde(rename = $code)] $variant),+
        }

        impl $name {
            /// All, in the order they are shown.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Stored word, REST value and text key.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// From the stored word.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.code() == code)
            }
        }
    )+};
}
