//! base64 → bytes. <https://hl7.org/fhir/R4/datatypes.html#base64Binary>

const SPACE: u8 = 64;
const OTHER: u8 = 255;

const VALUES: [u8; 256] = {
    let mut values = [OTHER; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut n = 0;
    while n < 64 {
        values[alphabet[n] as usize] = n as u8;
        n += 1;
    }
    values[b' ' as usize] = SPACE;
    values[b'\t' as usize] = SPACE;
    values[b'\r' as usize] = SPACE;
    values[b'\n' as usize] = SPACE;
    values
};

/// The bytes; white space may stand anywhere, and padding may be missing. `None` where it is not base64.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut bytes = text.as_bytes();
    let (mut group, mut digits) = (0u32, 0);
    while let Some((&byte, rest)) = bytes.split_first() {
        // four digits at once, as long as nothing else is between them
        if digits == 0 && let Some((four, behind)) = bytes.split_first_chunk::<4>() {
            let [a, b, c, d] = four.map(|b| VALUES[usize::from(b)]);
            if (a | b | c | d) < 64 {
                let group = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
                out.extend_from_slice(&group.to_be_bytes()[1..]);
                bytes = behind;
                continue;
            }
        }
        match VALUES[usize::from(byte)] {
            SPACE => {}
            OTHER => break,
            value => {
                group = group << 6 | u32::from(value);
                digits += 1;
                if digits == 4 {
                    out.extend_from_slice(&group.to_be_bytes()[1..]);
                    (group, digits) = (0, 0);
                }
            }
        }
        bytes = rest;
    }
    let mut padding = 0;
    for byte in bytes {
        match byte {
            b'=' if padding < 2 => padding += 1,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return None,
        }
    }
    match (digits, padding) {
        (0, 0) => {}
        (2, 0 | 2) => out.push((group >> 4) as u8),
        (3, 0 | 1) => out.extend_from_slice(&((group >> 2) as u16).to_be_bytes()),
        _ => return None,
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
    }

    #[test]
    fn white_space_is_no_part_of_it() {
        assert_eq!(decode(" Zm9\r\nvYm\tFy\n").as_deref(), Some(&b"foobar"[..]));
        assert_eq!(decode("Zm9vYg").as_deref(), Some(&b"foob"[..]));
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["Z", "Zm9v!", "Zm9vYg===", "Zg=", "Zm9v=", "Zg==Zg==", "Zm9-", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
