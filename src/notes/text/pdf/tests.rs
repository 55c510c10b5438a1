//! Documents as generators write them, and as attackers do.

use std::io::Write;

use super::*;

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn stream(number: u32, dict: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = format!("{number} 0 obj\n<< {dict} /Length {} >>\nstream\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\nendstream\nendobj\n");
    out
}

/// A document of one page with a content, and further objects.
fn document(content: &[u8], others: &[&[u8]]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R /F2 6 0 R >> /XObject << /X 7 0 R >> >> >> endobj\n\
3 0 obj << /Type /Page /Parent 2 0 R /Contents 4 0 R >> endobj\n5 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> endobj\n"
        .to_vec();
    out.extend(stream(4, "/Filter /FlateDecode", &deflate(content)));
    for other in others {
        out.extend_from_slice(other);
    }
    out.extend_from_slice(b"trailer << /Root 1 0 R >>\n%%EOF");
    out
}

fn read(bytes: &[u8]) -> (String, Option<Problem>) {
    let read = text(bytes, 64 << 20, &|| false).expect("not interrupted");
    (read.text, read.problem)
}

fn lines(content: &str) -> String {
    let (text, problem) = read(&document(content.as_bytes(), &[]));
    assert_eq!(problem, None);
    text
}

#[test]
fn lines_words_and_columns() {
    assert_eq!(lines("BT /F1 12 Tf 72 700 Td (Assessment:) Tj 0 -14 Td (Hypertension \\(stable\\), caf\\351) Tj ET"), "Assessment:\nHypertension (stable), café");
    assert_eq!(lines("BT /F1 10 Tf 14 TL 72 700 Td (one) Tj T* (two) ' [(th) 20 (ree) -600 (four)] TJ ET"), "one\n\ntwothree four");
    assert_eq!(lines("BT /F1 10 Tf 1 0 0 1 72 700 Tm (K) Tj 1 0 0 1 200 700 Tm (5.2) Tj 1 0 0 1 72 660 Tm <4E61> Tj ET"), "K\t5.2\n\nNa");
    // turned by a quarter
    assert_eq!(lines("BT /F1 10 Tf 0 1 -1 0 72 100 Tm (up) Tj 0 -12 Td (next) Tj ET"), "up\nnext");
    assert_eq!(lines("BI /W 1 /H 1 ID (x) Tj\x00\x01 EI BT /F1 9 Tf (after) Tj ET"), "after");
}

#[test]
fn fonts_say_what_their_codes_are() {
    let wide = b"6 0 obj << /Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode 8 0 R /DescendantFonts [<< /DW 1000 /W [1 [500 600] 3 4 700] >>] >> endobj\n";
    let map = stream(8, "", b"begincmap 1 beginbfchar <0001> <0048> endbfchar 2 beginbfrange <0002> <0003> <0069> <0010> <0011> [<D83DDE00> <00660069>] endbfrange endcmap");
    let (text, problem) = read(&document(b"BT /F2 10 Tf <0001000200030010001100FF> Tj ET", &[wide, &map]));
    assert_eq!((text.as_str(), problem), ("Hij😀fi", None));
    let differences = b"6 0 obj << /Type /Font /Subtype /Type1 /Encoding << /Differences [1 /H /eacute 65 /fi /uni2265] >> >> endobj\n";
    assert_eq!(read(&document(b"BT /F2 10 Tf (\\001\\002AB) Tj ET", &[differences])).0, "Héfi≥");
    let unknown = b"6 0 obj << /Type /Font /Subtype /Type0 /Encoding /Identity-H >> endobj\n";
    assert_eq!(read(&document(b"BT /F2 10 Tf <00010002> Tj ET", &[unknown])).1, Some(Problem::PdfWithoutText));
}

#[test]
fn forms_and_object_streams() {
    let form = stream(7, "/Subtype /Form /Matrix [1 0 0 1 0 50]", b"BT /F1 10 Tf (in a form) Tj ET /X Do");
    assert!(read(&document(b"/X Do", &[&form])).0.starts_with("in a form"));
    // the page within an object stream, newer than the one in the file
    let packed = deflate(b"3 0 << /Type /Page /Contents 10 0 R >>");
    let objects = stream(9, "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", &packed);
    let other = stream(10, "", b"BT /F1 10 Tf (from the stream) Tj ET");
    assert_eq!(read(&document(b"BT /F1 10 Tf (old) Tj ET", &[&objects, &other])).0, "from the stream");
}

#[test]
fn what_cannot_be_read_is_told() {
    assert_eq!(read(b"%PDF-1.4\n%%EOF").1, Some(Problem::Pdf));
    assert_eq!(read(&document(b"0 0 m", &[])).1, Some(Problem::PdfWithoutText));
    assert_eq!(read(&document(b"BT (x) Tj ET", &[b"trailer << /Encrypt 20 0 R >>"])).1, Some(Problem::PdfEncrypted));
    assert_eq!(read(&vec![b' '; MAX_FILE + 1]).1, Some(Problem::PdfLimit));
}

#[test]
fn what_is_cut_off_is_read_as_far_as_it_goes() {
    let whole = document(b"BT /F1 12 Tf (Hypertension) Tj ET", &[]);
    for end in 0..whole.len() {
        read(&whole[..end]);
    }
    // every byte broken once
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] = broken[at].wrapping_add(113);
        read(&broken);
    }
}

#[test]
fn bombs_are_bounded() {
    // each kilobyte is a megabyte, in one stream and packed twice
    let large = deflate(&vec![b' '; 24 << 20]);
    let bomb = stream(7, "/Subtype /Form /Filter /FlateDecode", &large);
    assert_eq!(read(&document(b"/X Do", &[&bomb])).1, Some(Problem::PdfLimit));
    let twice = stream(7, "/Subtype /Form /Filter [/FlateDecode /FlateDecode]", &deflate(&large));
    assert_eq!(read(&document(b"/X Do", &[&twice])).1, Some(Problem::PdfLimit));
    let objects = stream(9, "/Type /ObjStm /N 1 /First 8 /Filter /FlateDecode", &large);
    assert_eq!(read(&document(b"", &[&objects])).1, Some(Problem::PdfLimit));
    // forms that draw each other
    let many = stream(7, "/Subtype /Form", "/X Do ".repeat(50).as_bytes());
    assert_eq!(read(&document(b"/X Do", &[&many])).1, Some(Problem::PdfLimit));
    // a map of all codes, again and again
    let wide = b"6 0 obj << /Subtype /Type0 /ToUnicode 8 0 R >> endobj\n";
    let map = stream(8, "", "1 beginbfrange <0000> <ffffffff> <0041> endbfrange ".repeat(100).as_bytes());
    assert_eq!(read(&document(b"BT /F2 10 Tf <0001> Tj ET", &[wide, &map])).1, Some(Problem::PdfLimit));
}

#[test]
fn odd_structures_end() {
    for piece in ["[", "<<", "(", "<", "1 0 obj ", "1 0 obj (", "1 0 obj [", "1 0 obj << /Length 9 >> stream\n", "1 0 obj << /Type /ObjStm /N 99999999 /First 9 >> stream\n", "/ObjStm ", "/Root 1 0 R ", "5 0 obj 5 0 R endobj "] {
        let mut odd = b"%PDF-1.7 1 0 obj << /Pages 1 0 R /Kids [1 0 R 1 0 R] >> endobj /Root 1 0 R ".to_vec();
        odd.extend(piece.repeat(1_000_000 / piece.len()).bytes());
        read(&odd);
        // and as a content
        read(&document(&piece.repeat(300_000 / piece.len()).into_bytes(), &[]));
    }
    // a tree of pages that goes on for ever, and one that is wide at each level
    let endless = b"%PDF-1.7 1 0 obj << /Pages 2 0 R >> endobj 2 0 obj << /Kids [3 0 R] >> endobj 3 0 obj << /Kids [2 0 R << /Kids [<< /Kids [<<>>] >>] >>] >> endobj /Root 1 0 R";
    read(endless);
}

#[test]
fn reading_can_be_stopped() {
    let bomb = stream(7, "/Subtype /Form /Filter /FlateDecode", &deflate(&vec![b' '; 16 << 20]));
    assert!(text(&document(b"/X Do", &[&bomb]), 1000, &|| true).is_err());
}
