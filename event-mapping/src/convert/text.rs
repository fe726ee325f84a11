//! Texts: letters, words, and the ends of paths.

/// Small letters.
pub(crate) fn write_lower(text: &str, out: &mut String) {
    out.extend(text.chars().flat_map(char::to_lowercase));
}

/// Capital letters.
pub(crate) fn write_upper(text: &str, out: &mut String) {
    out.extend(text.chars().flat_map(char::to_uppercase));
}

/// Words of small letters and digits, joined by `_`. A word begins after anything else, at a capital letter after a small
/// one or a digit, and at the last of several capital letters if a small one follows: `HTTPServer 2Go` → `http_server_2_go`.
pub(crate) fn write_snake_case(text: &str, out: &mut String) {
    let start = out.len();
    let mut before: Option<char> = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character.is_alphanumeric() {
            let follows_small = before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
            let begins_small = before.is_some_and(char::is_uppercase)
                && rest.peek().is_some_and(|next| next.is_lowercase());
            let is_new_word = before.is_none() || (character.is_uppercase() && (follows_small || begins_small));
            if is_new_word && out.len() > start {
                out.push('_');
            }
            out.extend(character.to_lowercase());
        }
        before = Some(character).filter(|character| character.is_alphanumeric());
    }
}

/// What follows the last `/` or `#`; those at the very end do not count.
pub(crate) fn last_segment(text: &str) -> &str {
    let text = text.trim_end_matches(['/', '#']);
    text.rfind(['/', '#']).map_or(text, |at| &text[at + 1..])
}
