//! What a file is, by its first bytes: of a kind that is taken, or what people send instead. What it proves is in `document`.

use crate::types::text_enum;

text_enum! {
    /// What a file is that is taken.
    pub enum MediaType {
        /// PDF.
        Pdf = "application/pdf",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// PNG.
        Png = "image/png",
        /// TIFF.
        Tiff = "image/tiff",
    }
}

text_enum! {
    /// What a file is that is not taken, as far as its sender is helped by it.
    pub enum OtherFile {
        /// Nothing.
        Empty = "empty",
        /// A photo as phones take it: HEIC, HEIF or AVIF.
        Heic = "heic",
        /// A picture of the web: WebP or GIF.
        WebPicture = "web_picture",
        /// A document that can still be written in: Word, Excel, Pages, OpenDocument, RTF.
        Office = "office",
        /// Anything else.
        Unknown = "unknown",
    }
}

impl MediaType {
    /// So many first bytes tell what a file is.
    pub const TELLING: usize = MOST_BEFORE_PDF + PDF_HEADER;

    /// What a file is, by its header (PNG and JPEG: their signatures; TIFF 6.0, section 2; PDF: `%PDF-` and a digit) in its first
    /// [`TELLING`](Self::TELLING) bytes; for a kind that is not taken, what it looks like.
    pub fn sniff(first_bytes: &[u8]) -> Result<Self, OtherFile> {
        let is_tiff = |bytes: &[u8]| {
            bytes.len() >= 8 && (bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*"))
        };
        match first_bytes {
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg),
            bytes if bytes.starts_with(b"\x89PNG\r\n\x1a\n") => Ok(Self::Png),
            bytes if is_tiff(bytes) => Ok(Self::Tiff),
            bytes if has_pdf_header(bytes) => Ok(Self::Pdf),
            bytes => Err(OtherFile::sniff(bytes)),
        }
    }
}

impl OtherFile {
    /// By the signatures of ISO base media files (`ftyp` and a brand of pictures), RIFF, GIF, ZIP (which every office file of today is),
    /// OLE and RTF.
    fn sniff(first_bytes: &[u8]) -> Self {
        let starts_with = |signature: &[u8]| first_bytes.starts_with(signature);
        match (first_bytes.get(4..8), first_bytes.get(8..12)) {
            _ if first_bytes.is_empty() => Self::Empty,
            (Some(b"ftyp"), Some(brand)) if PICTURES.contains(&brand) => Self::Heic,
            (_, Some(b"WEBP")) if starts_with(b"RIFF") => Self::WebPicture,
            _ if starts_with(b"GIF8") => Self::WebPicture,
            _ if OFFICE.iter().any(|signature| starts_with(signature)) => Self::Office,
            _ => Self::Unknown,
        }
    }
}

/// The brands of ISO base media files that hold pictures, not films.
const PICTURES: &[&[u8]] = &[
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis",
];
/// What office files begin with: ZIP, OLE, RTF.
const OFFICE: &[&[u8]] = &[
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"{\\rtf",
];

/// What may stand before the header of a PDF, as its readers allow.
const MOST_BEFORE_PDF: usize = 1024;
/// `%PDF-1`.
const PDF_HEADER: usize = 6;

fn has_pdf_header(bytes: &[u8]) -> bool {
    let first = bytes.get(..MediaType::TELLING).unwrap_or(bytes);
    let is_header =
        |six: &[u8]| six.starts_with(b"%PDF-") && six.last().is_some_and(u8::is_ascii_digit);
    first.windows(PDF_HEADER).any(is_header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_say() {
        // The first pixels of a picture may say anything, in the last what makers of cameras mark their own files with.
        for (bytes, is) in [
            (&b"%PDF-1.7\n"[..], MediaType::Pdf),
            (b"\xff\xd8\xff\xe0\0\x10", MediaType::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", MediaType::Png),
            (b"II*\0\x08\0\0\0\0\0\0\0", MediaType::Tiff),
            (b"MM\0*\0\0\0\x08\0\0\0\0", MediaType::Tiff),
            (b"II*\0\x10\0\0\0CR\x02\0", MediaType::Tiff),
        ] {
            assert_eq!(MediaType::sniff(bytes), Ok(is));
        }
        let behind = |bytes: usize, header: &[u8]| {
            let file = [&b" ".repeat(bytes)[..], header].concat();
            MediaType::sniff(file.get(..MediaType::TELLING).unwrap_or(&file))
        };
        assert_eq!(behind(1024, b"%PDF-1.4"), Ok(MediaType::Pdf));
        assert_eq!(behind(1025, b"%PDF-1.4"), Err(OtherFile::Unknown));
        assert!(behind(20, b"how %PDF files begin, and %PDF- too").is_err());
    }

    #[test]
    fn what_is_sent_instead_is_told_apart_where_that_helps() {
        for (bytes, is) in [
            (&b""[..], OtherFile::Empty),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", OtherFile::Heic),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", OtherFile::Heic),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", OtherFile::Unknown),
            (b"RIFF\x24\0\0\0WEBPVP8 ", OtherFile::WebPicture),
            (b"RIFF\x24\0\0\0WAVEfmt ", OtherFile::Unknown),
            (b"GIF89a", OtherFile::WebPicture),
            (b"PK\x03\x04\x14\0", OtherFile::Office),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", OtherFile::Office),
            (b"{\\rtf1\\ansi", OtherFile::Office),
            (b"<html>", OtherFile::Unknown),
            (b"MZ", OtherFile::Unknown),
        ] {
            assert_eq!(MediaType::sniff(bytes), Err(is));
        }
    }
}
