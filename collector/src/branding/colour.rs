//! Colours that stay readable (WCAG 2.1 §1.4.3): an accent is moved towards black or white until it is.

use std::fmt;
use std::str::FromStr;

/// Contrast of text and its ground that everybody can read.
const CONTRAST_MIN: f64 = 4.5;
/// Steps from a colour to black or white; one is hardly seen.
const STEPS: u8 = 50;

/// Grounds of the pages, light and dark, as the style sheet has them.
const LIGHT: [Colour; 2] = [Colour(0xff, 0xff, 0xff), Colour(0xf6, 0xf7, 0xf9)];
const DARK: [Colour; 3] = [Colour(0x14, 0x17, 0x1b), Colour(0x1b, 0x1f, 0x25), Colour(0x20, 0x25, 0x2c)];
const WHITE: Colour = Colour(0xff, 0xff, 0xff);
const NIGHT: Colour = Colour(0x0c, 0x10, 0x16);

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// An accent as it is used: as text, under text, and as a soft ground, in light and dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Text and edges on light pages.
    pub light: Colour,
    /// Text on the light accent.
    pub on_light: Colour,
    /// Ground of what is chosen on light pages.
    pub soft_light: Colour,
    /// Text and edges on dark pages.
    pub dark: Colour,
    /// Text on the dark accent.
    pub on_dark: Colour,
    /// Ground of what is chosen on dark pages.
    pub soft_dark: Colour,
}

impl Colour {
    /// Brightness as the eye sees it, 0 to 1 (WCAG 2.1, relative luminance).
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Contrast with another colour, 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// `part` of `STEPS` on the way to `other`.
    fn towards(self, other: Self, part: u8) -> Self {
        let mix = |from: u8, to: u8| {
            let (from, to, part) = (i32::from(from), i32::from(to), i32::from(part));
            u8::try_from(from + (to - from) * part / i32::from(STEPS)).unwrap_or(from.try_into().unwrap_or(0))
        };
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// The nearest colour on the way to `goal` that can be read on every ground and on its own soft one.
    fn readable(self, grounds: &[Self], goal: Self) -> (Self, Self) {
        let soft = self.towards(grounds[0], STEPS - STEPS / 8);
        let reads =
            |it: Self| grounds.iter().chain([&soft]).all(|ground| it.contrast(*ground) >= CONTRAST_MIN);
        let found = (0..=STEPS).map(|part| self.towards(goal, part)).find(|it| reads(*it));
        (found.unwrap_or(goal), soft)
    }

    /// White or nearly black, whichever reads better on this colour.
    fn text_on(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(NIGHT) { WHITE } else { NIGHT }
    }
}

impl Palette {
    /// What becomes of an accent.
    pub fn of(accent: Colour) -> Self {
        let (light, soft_light) = accent.readable(&LIGHT, Colour(0, 0, 0));
        let (dark, soft_dark) = accent.readable(&DARK, WHITE);
        Self { light, on_light: light.text_on(), soft_light, dark, on_dark: dark.text_on(), soft_dark }
    }

    /// The style sheet that puts it into effect inside `selector`.
    pub fn style_sheet(&self, selector: &str) -> String {
        format!(
            "{selector}{{--accent:light-dark({},{});--on-accent:light-dark({},{});--accent-soft:light-dark({},{})}}\n",
            self.light, self.dark, self.on_light, self.on_dark, self.soft_light, self.soft_dark
        )
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl FromStr for Colour {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.trim().trim_start_matches('#');
        if digits.len() != 6 || !digits.bytes().all(|it| it.is_ascii_hexdigit()) {
            return Err(());
        }
        let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| ());
        Ok(Self(channel(0)?, channel(2)?, channel(4)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_on_white_is_21_to_1() {
        assert!((Colour(0, 0, 0).contrast(WHITE) - 21.0).abs() < 0.01);
        assert!((Colour(0x76, 0x76, 0x76).contrast(WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_accent_can_be_read_wherever_it_stands() {
        for code in 0..4_096_u32 {
            let channel = |shift: u32| u8::try_from((code >> shift & 15) * 17).expect("a byte");
            let palette = Palette::of(Colour(channel(8), channel(4), channel(0)));
            for ground in LIGHT.iter().chain([&palette.soft_light]) {
                assert!(palette.light.contrast(*ground) >= CONTRAST_MIN, "{palette:?} on {ground}");
            }
            for ground in DARK.iter().chain([&palette.soft_dark]) {
                assert!(palette.dark.contrast(*ground) >= CONTRAST_MIN, "{palette:?} on {ground}");
            }
            assert!(palette.on_light.contrast(palette.light) >= CONTRAST_MIN, "{palette:?}");
            assert!(palette.on_dark.contrast(palette.dark) >= CONTRAST_MIN, "{palette:?}");
        }
    }

    #[test]
    fn an_accent_that_can_be_read_is_left_as_it_is() {
        let blue: Colour = "#1d5bb8".parse().expect("colour");
        assert_eq!(Palette::of(blue).light, blue);
        let yellow: Colour = "FFD400".parse().expect("colour");
        assert_ne!(Palette::of(yellow).light, yellow);
        assert_eq!(Palette::of(yellow).dark, yellow);
        for bad in ["", "red", "#12345", "#1234567", "#12345g", "}*{color:red"] {
            assert!(bad.parse::<Colour>().is_err(), "{bad}");
        }
    }
}
