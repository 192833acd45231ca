//! Rows of a SQLite table: a head of type numbers, then the values.

/// Only the first columns of a row are looked at.
const COLUMNS_MAX: usize = 8;

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Integer(i64),
    /// A text or a blob.
    Bytes(&'a [u8]),
    /// Nothing, or a kind that no column of interest has.
    Other,
}

/// The first columns of a row; `None` when it ends too early.
pub(super) fn columns(row: &[u8]) -> Option<Vec<Value<'_>>> {
    let (head_bytes, _) = varint(row)?;
    let (mut types, mut values) = row.split_at_checked(usize::try_from(head_bytes).ok()?)?;
    types = varint(types)?.1;
    let mut columns = Vec::new();
    while !types.is_empty() && columns.len() < COLUMNS_MAX {
        let (kind, rest) = varint(types)?;
        types = rest;
        let (bytes, rest) = values.split_at_checked(length(kind)?)?;
        values = rest;
        columns.push(value(kind, bytes));
    }
    Some(columns)
}

/// Bytes of a value of that type number.
fn length(kind: u64) -> Option<usize> {
    Some(match kind {
        0 | 8 | 9 => 0,
        1..=4 => usize::try_from(kind).ok()?,
        5 => 6,
        6 | 7 => 8,
        10 | 11 => return None, // reserved
        _ => usize::try_from((kind - 12) / 2).ok()?,
    })
}

fn value(kind: u64, bytes: &[u8]) -> Value<'_> {
    match kind {
        1..=6 => {
            let negative = bytes.first().is_some_and(|it| *it >= 0x80);
            let start = if negative { -1 } else { 0 };
            Value::Integer(bytes.iter().fold(start, |sum, byte| (sum << 8) | i64::from(*byte)))
        }
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        12.. => Value::Bytes(bytes),
        _ => Value::Other,
    }
}

/// A number of one to nine bytes, seven bits in each but the ninth, and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        if index == 8 {
            return Some(((number << 8) | u64::from(*byte), &bytes[9..]));
        }
        number = (number << 7) | u64::from(byte & 0x7F);
        if *byte < 0x80 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        assert_eq!(varint(&[0x7F, 1]), Some((127, &[1][..])));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, &[][..])));
        assert_eq!(varint(&[0xFF; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0x80; 8]), None);
        assert_eq!(varint(&[]), None);
    }

    #[test]
    fn values_are_told_apart_by_their_types() {
        let row = [6, 0, 1, 9, 15, 18, 0xFE, b'a', 1, 2, 3];
        let expected = [
            Value::Other,
            Value::Integer(-2),
            Value::Integer(1),
            Value::Bytes(b"a"),
            Value::Bytes(&[1, 2, 3]),
        ];
        assert_eq!(columns(&row).unwrap(), expected);
    }

    #[test]
    fn a_row_that_ends_too_early_is_none() {
        for row in [&[][..], &[3, 13, 200], &[9, 1], &[2, 10]] {
            assert_eq!(columns(row), None, "{row:?}");
        }
    }
}
