//! A document's numbers and times in front of its text, as a value on disk holds them.
//!
//! Each is written seven bits a byte, the lowest first, with the highest bit set where more follow (LEB128). A signed one
//! is turned into 2n, or -2n - 1 if it is negative, first. Most documents need 15 bytes. One that is marked as deleted has a
//! byte of 1 before its text, which begins with a brace; one that has parts with a TTL a byte of 2, how many bytes they take,
//! and those bytes ([`folio_engine::doc::timed`]); one of a schema version other than 0 a byte of 3, and that version.

use folio_engine::doc::timed::read_timed;
use folio_engine::doc::{Document, SCHEMA_MAX, Stamp};

/// Bytes that four numbers, the marks, the length of the parts with a TTL and the schema version can take.
pub(crate) const STAMP_BYTES_MAX: usize = 48;

/// What stands before the text of a document that is marked as deleted.
const DELETED: u8 = 1;

/// What stands before the parts with a TTL.
const TIMED: u8 = 2;

/// What stands before the schema version.
const SCHEMA: u8 = 3;

/// What may stand between the numbers and the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks<'b> {
    /// The document is marked as deleted.
    pub(crate) is_deleted: bool,
    /// Its parts with a TTL, found in order.
    pub(crate) timed: &'b [u8],
    /// Its schema version.
    pub(crate) schema: u16,
}

/// Appends birth number, version, when it was created, how much later it was updated, and the marks.
pub(crate) fn write_stamp(document: &Document, out: &mut Vec<u8>) {
    write(document.seq(), out);
    write(document.version(), out);
    write(folded(document.created_ms()), out);
    write(folded(document.updated_ms().wrapping_sub(document.created_ms())), out);
    if document.is_deleted() {
        out.push(DELETED);
    }
    let timed = document.timed();
    if !timed.is_empty() {
        out.push(TIMED);
        write(timed.len() as u64, out);
        out.extend_from_slice(timed);
    }
    if document.schema() != 0 {
        out.push(SCHEMA);
        write(document.schema().into(), out);
    }
}

/// Reads them but for the marks; what follows is the text, or marks and the text.
pub(crate) fn read_stamp(bytes: &[u8]) -> Option<(Stamp, &[u8])> {
    let mut rest = bytes;
    let (seq, version) = (read(&mut rest)?, read(&mut rest)?);
    let created_ms = unfolded(read(&mut rest)?);
    let updated_ms = created_ms.wrapping_add(unfolded(read(&mut rest)?));
    Some((Stamp { seq, version, created_ms, updated_ms, ..Stamp::default() }, rest))
}

/// Reads the marks; what follows is the text. `None` where parts with a TTL are not whole, or a
/// schema version is none.
pub(crate) fn read_marks(bytes: &[u8]) -> Option<(Marks<'_>, &[u8])> {
    let (mut marks, mut rest) = (Marks::default(), bytes);
    if let [DELETED, behind @ ..] = rest {
        (marks.is_deleted, rest) = (true, behind);
    }
    if let [TIMED, behind @ ..] = rest {
        rest = behind;
        let length = usize::try_from(read(&mut rest)?).ok()?;
        (marks.timed, rest) = rest.split_at_checked(length)?;
        read_timed(marks.timed).filter(|timed| !timed.is_empty())?;
    }
    if let [SCHEMA, behind @ ..] = rest {
        rest = behind;
        let schema = u16::try_from(read(&mut rest)?).ok()?;
        marks.schema = Some(schema).filter(|schema| (1..=SCHEMA_MAX).contains(schema))?;
    }
    Some((marks, rest))
}

fn write(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// `None` where the bytes end, hold more than 64 bits, or are more than the number needs.
fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        let is_padded = *byte == 0 && shift > 0;
        if is_padded || bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn folded(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unfolded(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use folio_engine::Limits;
    use folio_engine::doc::Parsed;
    use folio_engine::doc::timed::{TimedPath, write_timed};
    use folio_engine::path::Path;

    use super::*;

    #[test]
    fn every_stamp_reads_back() {
        let mut parsed = Parsed::default();
        parsed.parse(b"{}", &Limits::default()).unwrap();
        let times = [i64::MIN, -1, 0, 1, 1_767_225_600_000, i64::MAX];
        for seq in [0, 1, 127, 128, 1 << 62, u64::MAX] {
            for created_ms in times {
                for updated_ms in times {
                    let version = !seq;
                    let stamp = Stamp { seq, version, created_ms, updated_ms, ..Stamp::default() };
                    let document = Document::new(&parsed, stamp);
                    let mut bytes = Vec::new();
                    write_stamp(&document, &mut bytes);
                    for end in 0..bytes.len() {
                        assert_eq!(read_stamp(&bytes[..end]), None);
                    }
                    bytes.extend_from_slice(b"{}");
                    assert_eq!(read_stamp(&bytes), Some((stamp, &b"{}"[..])));
                    assert_eq!(read_marks(b"{}"), Some((Marks::default(), &b"{}"[..])));

                    let marked = Document::new(&parsed, Stamp { is_deleted: true, ..stamp });
                    bytes.clear();
                    write_stamp(&marked, &mut bytes);
                    assert!(bytes.len() <= STAMP_BYTES_MAX);
                    bytes.extend_from_slice(b"{}");
                    let (read, rest) = read_stamp(&bytes).unwrap();
                    let marks = Marks { is_deleted: true, ..Marks::default() };
                    assert_eq!((read, read_marks(rest)), (stamp, Some((marks, &b"{}"[..]))));
                }
            }
        }
    }

    #[test]
    fn marks_read_back_and_broken_ones_do_not() {
        let part = |path: &str| TimedPath { path: Path::parse(path, 9).unwrap(), at_ms: 7 };
        let timed = write_timed(&[part("a"), part("b.c")]).unwrap();
        for (is_deleted, schema) in [(false, 0), (true, 0), (false, 1), (true, SCHEMA_MAX)] {
            let mut parsed = Parsed::default();
            parsed.parse(b"{}", &Limits::default()).unwrap();
            parsed.set_timed(&timed);
            let document = Document::new(&parsed, Stamp { is_deleted, schema, ..Stamp::default() });
            let mut bytes = Vec::new();
            write_stamp(&document, &mut bytes);
            bytes.extend_from_slice(b"{}");
            let (_, rest) = read_stamp(&bytes).unwrap();
            let marks = Marks { is_deleted, timed: &timed, schema };
            assert_eq!(read_marks(rest), Some((marks, &b"{}"[..])));
            let timed_end = usize::from(is_deleted) + 2 + timed.len();
            for end in 1 + usize::from(is_deleted)..rest.len() - 2 {
                assert_eq!(read_marks(&rest[..end]).is_some(), end == timed_end, "{end}");
            }
        }
        assert_eq!(read_marks(&[TIMED, 0]), None);
        for wrong in [&[SCHEMA, 0][..], &[SCHEMA, 0x80, 0x80, 0x01], &[SCHEMA]] {
            assert_eq!(read_marks(wrong), None);
        }
    }

    #[test]
    fn more_bytes_than_a_number_needs_are_refused() {
        assert_eq!(read(&mut &[0x82, 0x01][..]), Some(130));
        assert_eq!(read(&mut &[0x00][..]), Some(0));
        assert_eq!(read(&mut &[0x82, 0x00][..]), None);
        assert_eq!(read(&mut &[0x80, 0x80, 0x00][..]), None);
    }

    #[test]
    fn more_than_64_bits_are_refused() {
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(read(&mut &most[..]), Some(u64::MAX));
        let mut more = most;
        more[9] = 0x02;
        assert_eq!(read(&mut &more[..]), None);
        assert_eq!(read(&mut &[0x80; 11][..]), None);
    }
}
