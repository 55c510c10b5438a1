//! Names that sound alike: American Soundex, <https://www.archives.gov/research/census/soundex>.
//!
//! The specification leaves the algorithm of phonetic search parameters to the server.

use super::text::normalise;
use std::borrow::Cow;

/// The search parameters that are compared by sound. Nothing in their definitions but the text says so.
pub const PHONETIC: &str = "phonetic";

/// The sounds of the words of a name, in their order.
pub fn sounds(name: &str) -> Vec<String> {
    // what joins two names is not what separates the letters of one
    let words = name.split(|c: char| c.is_whitespace() || c == '-');
    words.map(normalise).filter(|word| word.chars().any(char::is_alphanumeric)).map(sound).collect()
}

/// First letter and three digits; a word in other than latin letters sounds like itself alone.
fn sound(word: Cow<str>) -> String {
    let letters = word.as_bytes();
    if !letters.iter().all(u8::is_ascii_lowercase) {
        return word.into_owned();
    }
    let mut code = String::with_capacity(4);
    let mut last = 0;
    for (i, letter) in letters.iter().enumerate() {
        let digit = match letter {
            b'b' | b'f' | b'p' | b'v' => b'1',
            b'c' | b'g' | b'j' | b'k' | b'q' | b's' | b'x' | b'z' => b'2',
            b'd' | b't' => b'3',
            b'l' => b'4',
            b'm' | b'n' => b'5',
            b'r' => b'6',
            b'h' | b'w' if i > 0 => continue, // letters of one digit on both sides of these count once
            _ => 0,
        };
        if i == 0 {
            code.push(char::from(*letter));
        } else if digit != 0 && digit != last {
            code.push(char::from(digit));
        }
        last = digit;
        if code.len() == 4 {
            break;
        }
    }
    while code.len() < 4 {
        code.push('0');
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_codes_of_soundex() {
        for (word, code) in [
            ("Robert", "r163"),
            ("Rupert", "r163"),
            ("Rubin", "r150"),
            ("Ashcraft", "a261"),
            ("Ashcroft", "a261"),
            ("Tymczak", "t522"),
            ("Pfister", "p236"),
            ("Honeyman", "h555"),
            ("Lee", "l000"),
            ("Gutierrez", "g362"),
            ("Jackson", "j250"),
            ("Šmíd", "s530"),
            ("O'Hara", "o600"),
        ] {
            assert_eq!(sounds(word), [code], "{word}");
        }
        assert_eq!(sounds("Mary-Ann  Smith"), ["m600", "a500", "s530"]);
        assert_eq!(sounds("한국어 - 4th"), [normalise("한국어").as_ref(), "4th"]);
        assert!(sounds(" - . ").is_empty());
    }
}
