//! Where a text is broken into lines.

use super::typeface::Typeface;

/// The lines of a text that are at most `width` wide for a size of 1: broken between words, and within a word that is wider than a line.
pub fn wrapped(typeface: &Typeface, text: &str, width: f32) -> Vec<String> {
    let space = typeface.width(" ");
    let mut lines = Vec::new();
    let (mut line, mut filled) = (String::new(), 0.0);
    for word in text.split_whitespace() {
        for (nth, piece) in pieces(typeface, word, width).into_iter().enumerate() {
            let wide = typeface.width(&piece);
            let is_apart = nth > 0 || filled + space + wide > width;
            if !line.is_empty() && is_apart {
                lines.push(std::mem::take(&mut line));
                filled = 0.0;
            }
            if !line.is_empty() {
                line.push(' ');
                filled += space;
            }
            line.push_str(&piece);
            filled += wide;
        }
    }
    lines.extend(Some(line).filter(|line| !line.is_empty()));
    lines
}

/// A word in as many pieces as it takes to fit.
fn pieces(typeface: &Typeface, word: &str, width: f32) -> Vec<String> {
    if typeface.width(word) <= width {
        return vec![word.to_owned()];
    }
    let mut pieces = Vec::new();
    let (mut piece, mut filled) = (String::new(), 0.0);
    for c in word.chars() {
        let wide = typeface.width(c.encode_utf8(&mut [0; 4]));
        if filled + wide > width && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            filled = 0.0;
        }
        piece.push(c);
        filled += wide;
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::typeface::{Weight, typeface};
    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_wider_than_its_line(text in "[a-zæøåÆØÅŁ写 .-]{0,200}", width in 4.0f32..40.0) {
            let typeface = typeface(Weight::Regular).unwrap();
            let lines = wrapped(typeface, &text, width);
            for line in &lines {
                prop_assert!(typeface.width(line) <= width + 0.1, "{}", line);
            }
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(bare(&lines.concat()), bare(&text));
        }
    }
}
