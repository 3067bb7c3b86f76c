//! The document of an invoice with its XML, on one core, to krilla drawing the same texts with no layout of ours.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use cps_api::domain::invoice::InvoiceId;
use cps_api::integrations::pdf::{Printed, render};
use cps_api::repository::{DbConn, invoices};
use cps_api::workflows::invoices::document::InvoiceDocument;
use diesel::prelude::*;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Data, Document, SerializeSettings};
use rustybuzz::{Direction, Face, UnicodeBuffer};

use crate::median;

const FONT: &[u8] = include_bytes!("../../../assets/fonts/NotoSans-Regular.ttf");
const TIMES: usize = 200;
const SIZE: f32 = 10.0;

/// The invoice that the sandbox begins with, again and again, one side after the other.
pub fn measure(url: &str) {
    let mut conn = DbConn::Postgres(PgConnection::establish(url).unwrap());
    let id: InvoiceId = "inv_00000000000070008000000000000002".parse().unwrap();
    let invoice = invoices::find_by_id(&mut conn, id).unwrap().unwrap();
    let document = InvoiceDocument::of(invoice).unwrap();
    let pdf = ours(&document);
    let (texts, xml) = (texts(&pdf), document.xml().ok().unwrap());
    let face = Face::from_slice(FONT, 0).unwrap();
    let font = Font::new(Data::from(FONT), 0).unwrap();
    let (mut taken, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let begun = Instant::now();
        assert_eq!(ours(&document).len(), pdf.len());
        taken.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        assert!(drawn(&texts, &xml, (&face, &font)).len() > 1000);
        bare.push(begun.elapsed().as_secs_f64());
    }
    let (taken, bare) = (median(taken), median(bare));
    println!(
        "  a PDF with its XML: {:.2} ms, krilla alone {:.2} ms: {:.2}; {:.1} kB",
        taken * 1000.0,
        bare * 1000.0,
        bare / taken,
        f64::from(u32::try_from(pdf.len()).unwrap()) / 1000.0
    );
}

/// Both documents, as the service makes them.
fn ours(document: &InvoiceDocument) -> Vec<u8> {
    let xml = document.xml().ok();
    let printed = Printed {
        id: document.invoice.id,
        issued_at: document.invoice.issued_at,
        issued: document.issued(),
        xml: xml.as_deref(),
    };
    render(printed).unwrap()
}

/// What is printed, line by line.
fn texts(pdf: &[u8]) -> Vec<String> {
    let mut reading = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pdftotext");
    reading.stdin.take().unwrap().write_all(pdf).unwrap();
    let read = reading.wait_with_output().unwrap();
    let text = String::from_utf8(read.stdout).unwrap();
    let lines = text.lines().flat_map(|line| line.split("   "));
    let lines = lines.map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// Each text on a line of its own, and the XML attached.
fn drawn(texts: &[String], xml: &str, (face, font): (&Face<'_>, &Font)) -> Vec<u8> {
    let archival = ConfigurationBuilder::new().with_archival_validator(Archival::A3_B);
    let mut document = Document::new_with(SerializeSettings {
        configuration: archival.finish().ok().unwrap(),
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    let at = DateTime::new(2026).month(12).day(22);
    document.set_metadata(
        Metadata::new()
            .title("Bench".to_owned())
            .language("da".to_owned())
            .creation_date(at)
            .document_id("bench".to_owned()),
    );
    let attached = document.embed_file(EmbeddedFile {
        path: "bench.xml".to_owned(),
        mime_type: MimeType::new("application/xml"),
        description: Some("bench".to_owned()),
        association_kind: AssociationKind::Alternative,
        data: Arc::new(xml.as_bytes().to_vec()).into(),
        modification_date: Some(at),
        compress: Some(true),
        location: None,
    });
    attached.unwrap();
    let mut page = document.start_page_with(PageSettings::from_wh(595.28, 841.89).unwrap());
    let mut surface = page.surface();
    for (n, text) in texts.iter().enumerate() {
        let y = 20.0 + 11.0 * f32::from(u16::try_from(n).unwrap());
        let glyphs = shaped(face, text, font.units_per_em());
        surface.draw_glyphs(
            Point::from_xy(20.0, y),
            &glyphs,
            font.clone(),
            text,
            SIZE,
            false,
        );
    }
    surface.finish();
    page.finish();
    document.finish().unwrap()
}

fn shaped(face: &Face<'_>, text: &str, units_per_em: f32) -> Vec<KrillaGlyph> {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.set_direction(Direction::LeftToRight);
    let shaped = rustybuzz::shape(face, &[], buffer);
    let infos = shaped.glyph_infos();
    let end = |n: usize| {
        let next = infos.get(n + 1).map(|next| next.cluster as usize);
        next.unwrap_or(text.len())
    };
    let em = |units: i32| units as f32 / units_per_em;
    let glyphs = infos.iter().zip(shaped.glyph_positions()).enumerate();
    glyphs
        .map(|(n, (info, at))| {
            KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                em(at.x_advance),
                em(at.x_offset),
                em(at.y_offset),
                em(at.y_advance),
                info.cluster as usize..end(n),
                None,
            )
        })
        .collect()
}
