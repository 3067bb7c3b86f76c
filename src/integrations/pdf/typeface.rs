//! The fonts that documents are printed in, and texts set in them. Where on the page a text stands is decided elsewhere.

use std::sync::LazyLock;

use krilla::Data;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, ShapePlan, UnicodeBuffer, script};

use crate::error::{Error, Result};

/// What is printed for a character that the fonts lack.
const REPLACEMENT: char = '\u{fffd}';

/// The weights of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

/// A font in one weight.
pub struct Typeface {
    font: Font,
    face: Face<'static>,
    plan: ShapePlan,
}

static REGULAR: LazyLock<Option<Typeface>> =
    LazyLock::new(|| Typeface::read(include_bytes!("../../../assets/fonts/NotoSans-Regular.ttf")));
static BOLD: LazyLock<Option<Typeface>> =
    LazyLock::new(|| Typeface::read(include_bytes!("../../../assets/fonts/NotoSans-Bold.ttf")));

/// The font of a weight.
pub fn typeface(weight: Weight) -> Result<&'static Typeface> {
    let read = match weight {
        Weight::Regular => &*REGULAR,
        Weight::Bold => &*BOLD,
    };
    let read = read.as_ref();
    read.ok_or_else(|| Error::internal("reading a font")("it is none"))
}

/// A text that is set: its glyphs, for a size of 1.
#[derive(Debug)]
pub struct Set {
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
    pub width: f32,
}

impl Typeface {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let face = Face::from_slice(bytes, 0)?;
        let plan = ShapePlan::new(
            &face,
            Direction::LeftToRight,
            Some(script::LATIN),
            None,
            &[],
        );
        Some(Self {
            font: Font::new(Data::from(bytes), 0)?,
            face,
            plan,
        })
    }

    /// The font as it is embedded.
    pub fn font(&self) -> Font {
        self.font.clone()
    }

    /// Sets a text on one line, whatever its characters; from left to right.
    pub fn set(&self, text: &str) -> Set {
        let text: String = text.chars().map(|c| self.printed(c)).collect();
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&text);
        buffer.set_direction(Direction::LeftToRight);
        buffer.set_script(script::LATIN);
        let shaped = rustybuzz::shape_with_plan(&self.face, &self.plan, buffer);
        let starts: Vec<usize> = shaped
            .glyph_infos()
            .iter()
            .map(|info| info.cluster as usize)
            .collect();
        let em = |units: i32| units as f32 / self.font.units_per_em();
        let glyphs: Vec<KrillaGlyph> = shaped
            .glyph_infos()
            .iter()
            .zip(shaped.glyph_positions())
            .map(|(info, at)| {
                let start = info.cluster as usize;
                let end = starts.iter().copied().find(|next| *next > start);
                KrillaGlyph::new(
                    GlyphId::new(info.glyph_id),
                    em(at.x_advance),
                    em(at.x_offset),
                    em(at.y_offset),
                    em(at.y_advance),
                    start..end.unwrap_or(text.len()),
                    None,
                )
            })
            .collect();
        let advances = shaped.glyph_positions().iter();
        let width = em(advances.map(|at| at.x_advance).sum());
        Set {
            text,
            glyphs,
            width,
        }
    }

    /// How wide a text is for a size of 1.
    pub fn width(&self, text: &str) -> f32 {
        self.set(text).width
    }

    fn printed(&self, c: char) -> char {
        match c {
            c if c.is_whitespace() || c.is_control() => ' ',
            c if self.face.glyph_index(c).is_none() => REPLACEMENT,
            c => c,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fonts_lack_is_printed_as_a_replacement() {
        for weight in [Weight::Regular, Weight::Bold] {
            let typeface = typeface(weight).unwrap();
            let all = "Æ ø ß ő Ł Ελλάδα Кирилица ÅÄÖ ž đ ĳ € … –";
            assert_eq!(typeface.set(all).text, all);
            assert_eq!(
                typeface.set("写真\tA\u{1f4f7}").text,
                "\u{fffd}\u{fffd} A\u{fffd}"
            );
            let glyphs = typeface.set("写真 e\u{301}\u{200d}").glyphs;
            assert!(!glyphs.is_empty());
        }
    }

    #[test]
    fn digits_have_one_width() {
        for weight in [Weight::Regular, Weight::Bold] {
            let typeface = typeface(weight).unwrap();
            let widths: Vec<f32> = ('0'..='9')
                .map(|c| typeface.width(&c.to_string()))
                .collect();
            assert!(widths.windows(2).all(|two| two[0] == two[1]), "{widths:?}");
        }
    }
}
