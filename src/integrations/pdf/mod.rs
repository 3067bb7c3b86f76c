//! Invoices and credit notes as PDF/A-3b, with the electronic invoice attached. A pure function: the same document gives the same bytes, on every machine.
//! What is printed is in `invoice`, where it stands on pages in `sheet`.

mod invoice;
mod sheet;
mod typeface;
mod wrap;

use std::sync::Arc;

use chrono::{Datelike, Timelike};
use krilla::color::luma;
use krilla::configure::{Archival, Configuration, ConfigurationBuilder};
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};

use self::invoice::Words;
use self::sheet::{HEIGHT, Mark, WIDTH};
use self::typeface::typeface;
use crate::domain::einvoice::Issued;
use crate::domain::invoice::InvoiceId;
use crate::error::{Error, Result};
use crate::types::Instant;

/// The version of what is printed where. Whoever changes a byte of what comes out counts it up.
pub const RENDERER: &str = "1";

/// What is printed.
#[derive(Debug, Clone, Copy)]
pub struct Printed<'a> {
    pub id: InvoiceId,
    pub issued_at: Instant,
    pub issued: Issued<'a>,
    /// The electronic invoice that is attached, where there is one.
    pub xml: Option<&'a str>,
}

/// The file of an invoice or a credit note.
pub fn render(printed: Printed<'_>) -> Result<Vec<u8>> {
    let words = Words(printed.issued.content.language);
    let mut document = Document::new_with(settings()?);
    document.set_metadata(metadata(printed, words)?);
    if let Some(xml) = printed.xml {
        let attached = document.embed_file(attachment(printed, words, xml)?);
        attached.ok_or_else(|| Error::internal("attaching an invoice")("it is there twice"))?;
    }
    for marks in invoice::pages(printed.issued, words)? {
        let size = PageSettings::from_wh(WIDTH, HEIGHT);
        let size = size.ok_or_else(|| Error::internal("making a page")("it has no size"))?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        for mark in &marks {
            draw(&mut surface, mark)?;
        }
        surface.finish();
        page.finish();
    }
    document
        .finish()
        .map_err(|fault| Error::internal("writing an invoice")(format!("{fault:?}")))
}

fn settings() -> Result<SerializeSettings> {
    let archival = ConfigurationBuilder::new().with_archival_validator(Archival::A3_B);
    let configuration: Configuration = archival
        .finish()
        .map_err(|fault| Error::internal("asking for PDF/A")(format!("{fault:?}")))?;
    Ok(SerializeSettings {
        configuration,
        enable_tagging: false,
        ..SerializeSettings::default()
    })
}

fn metadata(printed: Printed<'_>, words: Words) -> Result<Metadata> {
    let (issued, seller) = (printed.issued, &printed.issued.content.seller);
    Ok(Metadata::new()
        .title(format!("{} {}", words.title(issued.kind)?, issued.number))
        .language(words.0.to_string())
        .authors(vec![seller.name.clone()])
        .creator(format!("cps-api, renderer {RENDERER}"))
        .creation_date(moment(printed.issued_at))
        .document_id(printed.id.to_string()))
}

fn attachment(printed: Printed<'_>, words: Words, xml: &str) -> Result<EmbeddedFile> {
    Ok(EmbeddedFile {
        path: format!("{}.xml", printed.issued.number),
        mime_type: MimeType::new("application/xml"),
        description: Some(words.say("attached")?),
        association_kind: AssociationKind::Alternative,
        data: Arc::new(xml.as_bytes().to_vec()).into(),
        modification_date: Some(moment(printed.issued_at)),
        compress: Some(true),
        location: None,
    })
}

fn moment(at: Instant) -> DateTime {
    let at = at.utc();
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn draw(surface: &mut Surface<'_>, mark: &Mark) -> Result<()> {
    let filled = |grey: u8| Fill {
        paint: luma::Color::new(grey).into(),
        opacity: NormalizedF32::ONE,
        rule: Default::default(),
    };
    match mark {
        Mark::Text { x, y, style, set } => {
            surface.set_fill(Some(filled(style.grey)));
            let font = typeface(style.weight)?.font();
            let start = Point::from_xy(*x, *y);
            surface.draw_glyphs(start, &set.glyphs, font, &set.text, style.size, false);
        }
        Mark::Bar {
            x,
            y,
            width,
            height,
            grey,
        } => {
            surface.set_fill(Some(filled(*grey)));
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                path.push_rect(rect);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
    Ok(())
}
