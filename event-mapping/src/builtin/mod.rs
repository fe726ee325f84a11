//! The built-in mappings, one TOML file each.

#[cfg(test)]
mod tests;

/// Their names.
pub const NAMES: [&str; 9] =
    ["segment", "posthog", "amplitude", "mixpanel", "ga4", "snowplow", "edx", "xapi", "caliper"];

/// What a built-in mapping reads: the first comment of its file.
pub fn about(name: &str) -> Option<String> {
    let lines = text(name)?.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    Some(lines.collect::<Vec<_>>().join(" "))
}

/// The TOML of a built-in mapping.
pub fn text(name: &str) -> Option<&'static str> {
    Some(match name {
        "segment" => include_str!("segment.toml"),
        "posthog" => include_str!("posthog.toml"),
        "amplitude" => include_str!("amplitude.toml"),
        "mixpanel" => include_str!("mixpanel.toml"),
        "ga4" => include_str!("ga4.toml"),
        "snowplow" => include_str!("snowplow.toml"),
        "edx" => include_str!("edx.toml"),
        "xapi" => include_str!("xapi.toml"),
        "caliper" => include_str!("caliper.toml"),
        _ => return None,
    })
}
