//! Pages of A4 as they fill up: what is drawn where. What is drawn is decided elsewhere.

use super::typeface::{Set, Weight, typeface};
use super::wrap::wrapped;
use crate::error::Result;

/// A4, in points.
pub const WIDTH: f32 = 595.28;
pub const HEIGHT: f32 = 841.89;
/// 20 mm on each side.
pub const MARGIN: f32 = 56.69;
/// The width between the margins.
pub const INNER: f32 = WIDTH - 2.0 * MARGIN;
/// The right edge of what is printed.
pub const RIGHT: f32 = WIDTH - MARGIN;
/// Where the line at the foot of a page stands; what is above it ends a little before.
pub const FOOT: f32 = HEIGHT - MARGIN;
const BOTTOM: f32 = FOOT - 22.0;

/// Millimetres in points.
pub const fn mm(mm: f32) -> f32 {
    mm * 72.0 / 25.4
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub weight: Weight,
    pub size: f32,
    /// 0 is black, 255 white.
    pub grey: u8,
}

impl Style {
    pub const fn regular(size: f32) -> Self {
        Self {
            weight: Weight::Regular,
            size,
            grey: 0,
        }
    }

    pub const fn bold(size: f32) -> Self {
        Self {
            weight: Weight::Bold,
            ..Self::regular(size)
        }
    }

    pub const fn pale(self) -> Self {
        Self { grey: 90, ..self }
    }

    /// From one line to the next.
    pub fn leading(self) -> f32 {
        self.size * 1.36
    }
}

/// Something on a page. Distances are from its upper left corner.
#[derive(Debug)]
pub enum Mark {
    Text {
        x: f32,
        /// Of the line that the letters stand on.
        y: f32,
        style: Style,
        set: Set,
    },
    /// A filled rectangle; a line is a thin one.
    Bar {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        grey: u8,
    },
}

/// The pages, and how far the last one is filled.
#[derive(Debug)]
pub struct Sheet {
    pub pages: Vec<Vec<Mark>>,
    /// Where the next thing goes.
    pub y: f32,
    /// Where it goes first on a further page.
    pub top: f32,
}

impl Sheet {
    /// One empty page.
    pub fn new(top: f32) -> Self {
        Self {
            pages: vec![Vec::new()],
            y: MARGIN,
            top,
        }
    }

    /// Goes on to a further page where `height` does not fit any more; whether it did.
    pub fn make_room(&mut self, height: f32) -> bool {
        let is_full = self.y + height > BOTTOM && self.y > self.top;
        if is_full {
            self.pages.push(Vec::new());
            self.y = self.top;
        }
        is_full
    }

    /// How wide a text is on one line.
    pub fn width(style: Style, text: &str) -> Result<f32> {
        Ok(typeface(style.weight)?.width(text) * style.size)
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// A text whose upper left corner is at `x` and `self.y`.
    pub fn text(&mut self, x: f32, style: Style, text: &str) -> Result<()> {
        let (y, set) = (self.y + style.size, typeface(style.weight)?.set(text));
        self.mark(Mark::Text { x, y, style, set });
        Ok(())
    }

    /// The same, ending at `right`.
    pub fn text_to(&mut self, right: f32, style: Style, text: &str) -> Result<()> {
        let (y, set) = (self.y + style.size, typeface(style.weight)?.set(text));
        let x = right - set.width * style.size;
        self.mark(Mark::Text { x, y, style, set });
        Ok(())
    }

    /// A text in lines of at most `width`, and `self.y` below the last of them.
    pub fn paragraph(&mut self, x: f32, width: f32, style: Style, text: &str) -> Result<()> {
        for line in wrapped(typeface(style.weight)?, text, width / style.size) {
            self.make_room(style.leading());
            self.text(x, style, &line)?;
            self.y += style.leading();
        }
        Ok(())
    }

    /// A filled rectangle at `x` and `self.y`.
    pub fn bar(&mut self, x: f32, width: f32, height: f32, grey: u8) {
        let y = self.y;
        self.mark(Mark::Bar {
            x,
            y,
            width,
            height,
            grey,
        });
    }

    /// A line across the page at `self.y`.
    pub fn rule(&mut self, width: f32) {
        self.bar(MARGIN, INNER, width, 130);
    }
}
