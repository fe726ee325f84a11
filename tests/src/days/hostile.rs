//! Names that hurt whatever does not quote them well.

/// Names of one to `max_bytes` bytes, one of them of exactly so many.
pub fn hostile_names(max_bytes: usize) -> Vec<String> {
    let mut names: Vec<String> = [
        "it's",
        "say \"hello\"",
        "`tick`",
        "back\\slash\\",
        "\\",
        "'",
        "\\'",
        "\\N",
        "\\n",
        "{{ 1 / 0 }}",
        "{% raw %}",
        "{# nothing #}",
        "-- a comment",
        "'; DROP TABLE marts.fct_revenue; --",
        "/* not closed",
        "{user:String}",
        "%s %(x)s $1 ${HOME} ?",
        "<script>alert(1)</script>&amp;",
        "a,b;c\"d\"",
        " spaces ",
        "NULL",
        "0",
        "=1+1",
        "обучение",
        "かな漢字",
        "\u{202e}backwards\u{2028}lines\u{85}",
        "e\u{301} is not é",
        "👩‍🏫🎓🇰🇿",
    ]
    .into_iter()
    .filter(|name| name.len() <= max_bytes)
    .map(str::to_owned)
    .collect();
    let mut longest = "🎒".repeat(max_bytes / 4);
    longest.push_str(&"'\\"[..max_bytes % 4 % 3]);
    while longest.len() < max_bytes {
        longest.push('"');
    }
    names.push(longest);
    names
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_longest_is_as_long_as_allowed() {
        for max_bytes in [64, 128, 255, 256] {
            let names = super::hostile_names(max_bytes);
            assert_eq!(names.iter().map(String::len).max(), Some(max_bytes));
        }
    }
}
