//! Streams as they are stored → as they are meant: section 7.4.

use std::io::Read;

use super::budget::{Budget, Stop};

/// Filters of a stream, one behind the other.
pub const MAX_FILTERS: usize = 4;

/// Unpacks bytes. `None` for filters of images, and those that are not known. What is damaged is read as far as it goes.
pub fn unpack(filter: &[u8], bytes: &[u8], budget: &Budget<'_>) -> Result<Option<Vec<u8>>, Stop> {
    Ok(Some(match filter {
        b"FlateDecode" | b"Fl" => {
            let unpacked = inflate(flate2::read::ZlibDecoder::new(bytes), budget)?;
            // some leave the header out, or break it
            if unpacked.is_empty() { inflate(flate2::read::DeflateDecoder::new(bytes.get(2..).unwrap_or_default()), budget)? } else { unpacked }
        }
        b"LZWDecode" | b"LZW" => lzw(bytes, budget)?,
        b"ASCIIHexDecode" | b"AHx" => {
            budget.unpack(bytes.len())?;
            let digits: Vec<u32> = bytes.iter().take_while(|b| **b != b'>').filter_map(|b| char::from(*b).to_digit(16)).collect();
            digits.chunks(2).map(|pair| (pair[0] << 4 | pair.get(1).copied().unwrap_or(0)) as u8).collect()
        }
        b"ASCII85Decode" | b"A85" => ascii85(bytes, budget)?,
        b"RunLengthDecode" | b"RL" => run_length(bytes, budget)?,
        b"Crypt" => bytes.to_vec(),
        _ => return Ok(None),
    }))
}

fn inflate(mut packed: impl Read, budget: &Budget<'_>) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match packed.read(&mut buffer) {
            Ok(0) | Err(_) => return Ok(out),
            Ok(length) => {
                budget.unpack(length)?;
                out.extend_from_slice(buffer.get(..length).unwrap_or_default());
            }
        }
    }
}

fn ascii85(bytes: &[u8], budget: &Budget<'_>) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::new();
    let (mut group, mut digits) = (0u32, 0);
    budget.unpack(bytes.len())?;
    for byte in bytes {
        match byte {
            b'~' => break,
            b'z' if digits == 0 => {
                budget.unpack(4)?;
                out.extend_from_slice(&[0; 4]);
            }
            b'!'..=b'u' => {
                group = group.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                digits += 1;
                if digits == 5 {
                    out.extend_from_slice(&group.to_be_bytes());
                    (group, digits) = (0, 0);
                }
            }
            _ => {}
        }
    }
    if digits > 1 {
        for _ in digits..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        out.extend_from_slice(group.to_be_bytes().get(..digits - 1).unwrap_or_default());
    }
    Ok(out)
}

fn run_length(bytes: &[u8], budget: &Budget<'_>) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((&length, behind)) = rest.split_first() {
        match usize::from(length) {
            128 => break,
            length @ 0..128 => {
                let (plain, behind) = behind.split_at(behind.len().min(length + 1));
                budget.unpack(plain.len())?;
                out.extend_from_slice(plain);
                rest = behind;
            }
            length => {
                let Some((&byte, behind)) = behind.split_first() else { break };
                budget.unpack(257 - length)?;
                out.extend(std::iter::repeat_n(byte, 257 - length));
                rest = behind;
            }
        }
    }
    Ok(out)
}

/// LZW with codes of 9 to 12 bits, which change one code early, as is the default.
fn lzw(bytes: &[u8], budget: &Budget<'_>) -> Result<Vec<u8>, Stop> {
    let mut out: Vec<u8> = Vec::new();
    // where in the output the string of each code from 258 stands
    let mut table: Vec<(usize, usize)> = Vec::new();
    let mut before: Option<(usize, usize)> = None;
    let (mut bits, mut held, mut width) = (0u32, 0u32, 9u32);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        if held < width {
            continue;
        }
        held -= width;
        let code = (bits >> held & ((1 << width) - 1)) as usize;
        bits &= (1 << held) - 1;
        match code {
            256 => {
                table.clear();
                before = None;
                width = 9;
                continue;
            }
            257 => break,
            _ => {}
        }
        let start = out.len();
        if code < 256 {
            out.push(code as u8);
        } else if let Some(&(from, length)) = table.get(code - 258) {
            budget.unpack(length)?;
            out.extend_from_within(from..from + length);
        } else if let (Some((from, length)), true) = (before, code - 258 == table.len()) {
            budget.unpack(length + 1)?;
            out.extend_from_within(from..from + length);
            out.extend_from_within(from..from + 1);
        } else {
            break;
        }
        budget.unpack(1)?;
        if let Some((from, length)) = before
            && table.len() < 4096 - 258
        {
            // the string before and the first byte of this one stand side by side
            table.push((from, length + 1));
        }
        before = Some((start, out.len() - start));
        // the code that the next string adds is one more than there are
        width = match table.len() + 258 + 1 {
            0..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(filter: &str, bytes: &[u8]) -> Vec<u8> {
        let budget = Budget::new(0, &|| false);
        unpack(filter.as_bytes(), bytes, &budget).expect("within bounds").expect("a filter that is known")
    }

    #[test]
    fn the_filters_of_text() {
        assert_eq!(unpacked("ASCIIHexDecode", b"48 65 6C6c 6F>ff"), b"Hello");
        assert_eq!(unpacked("ASCII85Decode", b"87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(unpacked("RunLengthDecode", &[4, b'H', b'e', b'l', b'l', b'o', 254, b'!', 128, 1]), b"Hello!!!");
        // the example of the specification
        assert_eq!(unpacked("LZWDecode", &[0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01]), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
        assert!(unpack(b"DCTDecode", b"", &Budget::new(0, &|| false)).expect("within bounds").is_none());
    }
}
