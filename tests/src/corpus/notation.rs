//! The notation for bytes that a text file cannot show: `«…»`.

use std::collections::HashMap;

/// Pieces of lines by the names that a file gives them.
pub(super) type Definitions = HashMap<String, Vec<u8>>;

/// What a line of a case spells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Spelled {
    pub(super) bytes: Vec<u8>,
    /// Whether the line ends here without a `\n`.
    pub(super) no_newline: bool,
}

/// Spells out every `«…»` of a text; the error says what is wrong.
pub(super) fn spell(text: &str, definitions: &Definitions) -> Result<Spelled, String> {
    let mut spelled = Spelled::default();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('«') {
        let (inside, after) = after.split_once('»').ok_or("a « without its »")?;
        spelled.bytes.extend_from_slice(plain.as_bytes());
        rest = after;
        if inside == "no newline" {
            if !rest.is_empty() {
                return Err("«no newline» stands before the end of the line".into());
            }
            spelled.no_newline = true;
        } else {
            spelled.bytes.extend(piece(inside, definitions)?);
        }
    }
    spelled.bytes.extend_from_slice(rest.as_bytes());
    Ok(spelled)
}

/// One `«…»`: a repetition, a name, or bytes.
fn piece(inside: &str, definitions: &Definitions) -> Result<Vec<u8>, String> {
    if let Some((count, text)) = inside.split_once(" × ") {
        let count: usize = count.parse().map_err(|_| format!("«{inside}»: {count:?} is no number"))?;
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let text = text.ok_or_else(|| format!("«{inside}»: the repeated text wants quotes"))?;
        return Ok(text.repeat(count).into_bytes());
    }
    if let Some(defined) = definitions.get(inside) {
        return Ok(defined.clone());
    }
    match inside {
        "bom" => return Ok(b"\xef\xbb\xbf".to_vec()),
        "cr" => return Ok(b"\r".to_vec()),
        "tab" => return Ok(b"\t".to_vec()),
        _ => {}
    }
    let bytes: Option<Vec<u8>> = inside.split(' ').map(hex_byte).collect();
    bytes.ok_or_else(|| format!("«{inside}» is no name defined above, no repetition and no bytes"))
}

fn hex_byte(text: &str) -> Option<u8> {
    (text.len() == 2).then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

/// Why a name must not be defined, if so.
pub(super) fn refuse_name(name: &str) -> Option<String> {
    let taken = ["bom", "cr", "tab", "no newline"].contains(&name) || hex_byte(name).is_some();
    taken.then(|| format!("{name:?} has a meaning of its own"))
}
