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
            let begins_small =
                before.is_some_and(is_capital) && rest.peek().is_some_and(|next| next.is_lowercase());
            let is_new_word = before.is_none() || (is_capital(character) && (follows_small || begins_small));
            if is_new_word && out.len() > start {
                out.push('_');
            }
            // Some letters become a small one with a mark beside it, which is no letter.
            out.extend(character.to_lowercase().filter(|small| small.is_alphanumeric()));
        }
        before = Some(character).filter(|character| character.is_alphanumeric());
    }
}

/// Whether a letter has a small form: some capitals of mathematics have none.
fn is_capital(character: char) -> bool {
    character.to_lowercase().next() != Some(character)
}

/// What follows the last `/` or `#`; those at the very end do not count.
pub(crate) fn last_segment(text: &str) -> &str {
    let text = text.trim_end_matches(['/', '#']);
    text.rfind(['/', '#']).map_or(text, |at| &text[at + 1..])
}
