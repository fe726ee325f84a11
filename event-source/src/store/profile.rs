//! AWS's credential and configuration files, as far as they hold settings (not roles, single sign-on or programs).

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use object_store::aws::AmazonS3ConfigKey as Key;

/// Variables that say where credentials come from: then the files' are not wanted.
const OTHER_CREDENTIALS: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// What the files say about the profile `AWS_PROFILE`, or `default`.
pub(super) fn settings() -> Vec<(Key, String)> {
    let profile = env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned());
    let file = |variable: &str, name: &str| {
        let path = env::var_os(variable).map(PathBuf::from);
        let path = path.or_else(|| Some(env::home_dir()?.join(".aws").join(name)))?;
        fs::read_to_string(path).ok()
    };
    let mut found = HashMap::new();
    if let Some(text) = file("AWS_CONFIG_FILE", "config") {
        // The default profile alone stands without the word.
        let section = if profile == "default" { profile.clone() } else { format!("profile {profile}") };
        found.extend(section_of(&text, &section));
    }
    if let Some(text) = file("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
        found.extend(section_of(&text, &profile));
    }
    let has_others = OTHER_CREDENTIALS.iter().any(|name| env::var_os(name).is_some());
    [
        ("aws_access_key_id", Key::AccessKeyId, true),
        ("aws_secret_access_key", Key::SecretAccessKey, true),
        ("aws_session_token", Key::Token, true),
        ("region", Key::Region, false),
        ("endpoint_url", Key::Endpoint, false),
    ]
    .into_iter()
    .filter(|(.., is_credential)| !(*is_credential && has_others))
    .filter_map(|(name, key, _)| Some((key, found.remove(name)?)))
    .collect()
}

/// The settings of one `[section]`.
fn section_of(text: &str, section: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut is_inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            is_inside = name.trim() == section;
        } else if let (true, Some((name, value))) = (is_inside, trimmed.split_once('='))
            // Indented lines are of a setting with several of its own.
            && !line.starts_with(char::is_whitespace)
            && !trimmed.starts_with(['#', ';'])
        {
            found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_section_is_read_alone() {
        let text = "[default]\naws_access_key_id = A\n# region = x\ns3 =\n  endpoint_url = y\n\n[profile b]\nregion=eu-1\n";
        let default = super::section_of(text, "default");
        assert_eq!(default.get("aws_access_key_id").map(String::as_str), Some("A"));
        assert!(!default.contains_key("region") && !default.contains_key("endpoint_url"));
        assert_eq!(super::section_of(text, "profile b")["region"], "eu-1");
        assert!(super::section_of(text, "b").is_empty());
    }
}
