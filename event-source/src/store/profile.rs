//! AWS's credential and configuration files, as far as they hold settings (not roles, single sign-on or programs).

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use object_store::aws::AmazonS3ConfigKey as Key;

use super::settings::{Settings, unusable, variable};
use crate::SourceError;

/// Variables that say where credentials come from: then the files' are not wanted.
const OTHER_CREDENTIALS: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// Adds what the files say about the profile `AWS_PROFILE`, or `default`, and the environment does not.
pub(super) fn add_to(settings: &mut Settings<Key>) -> Result<(), SourceError> {
    let named = variable("AWS_PROFILE");
    let profile = named.as_deref().unwrap_or("default");
    let file = |name: &str, default: &str| {
        let path = variable(name).map(PathBuf::from);
        let path = path.or_else(|| Some(env::home_dir()?.join(".aws").join(default)))?;
        fs::read_to_string(path).ok()
    };
    // The default profile alone stands without the word.
    let section = if profile == "default" { profile.to_owned() } else { format!("profile {profile}") };
    let sections = [
        file("AWS_CONFIG_FILE", "config").and_then(|text| section_of(&text, &section)),
        file("AWS_SHARED_CREDENTIALS_FILE", "credentials").and_then(|text| section_of(&text, profile)),
    ];
    if named.is_some() && sections.iter().all(Option::is_none) {
        return Err(unusable("AWS_PROFILE", "no such profile is in AWS's configuration or credentials file"));
    }
    let mut found: HashMap<String, String> = sections.into_iter().flatten().flatten().collect();
    let has_others = OTHER_CREDENTIALS.iter().any(|name| variable(name).is_some());
    for (name, key, is_credential) in [
        ("aws_access_key_id", Key::AccessKeyId, true),
        ("aws_secret_access_key", Key::SecretAccessKey, true),
        ("aws_session_token", Key::Token, true),
        ("region", Key::Region, false),
        ("endpoint_url", Key::Endpoint, false),
    ] {
        let has_own =
            settings.get(key).is_some() || (key == Key::Region && settings.get(Key::DefaultRegion).is_some());
        let is_wanted = !(has_own || is_credential && has_others);
        if let (true, Some(value)) = (is_wanted, found.remove(name).filter(|value| !value.is_empty())) {
            settings.add(format!("{name} of the AWS profile {profile}"), key, value)?;
        }
    }
    Ok(())
}

/// The settings of one `[section]`; `None` if there is none.
fn section_of(text: &str, section: &str) -> Option<HashMap<String, String>> {
    let mut found = None;
    let mut is_inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            is_inside = name.trim() == section;
            if is_inside {
                found.get_or_insert_with(HashMap::new);
            }
        } else if let (true, Some((name, value))) = (is_inside, trimmed.split_once('='))
            // Indented lines are of a setting with several of its own.
            && !line.starts_with(char::is_whitespace)
            && !trimmed.starts_with(['#', ';'])
        {
            let settings = found.get_or_insert_with(HashMap::new);
            settings.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_section_is_read_alone() {
        let text = "[default]\naws_access_key_id = A\n# region = x\ns3 =\n  endpoint_url = y\n\n[profile b]\nregion=eu-1\n";
        let default = super::section_of(text, "default").unwrap();
        assert_eq!(default.get("aws_access_key_id").map(String::as_str), Some("A"));
        assert!(!default.contains_key("region") && !default.contains_key("endpoint_url"));
        assert_eq!(super::section_of(text, "profile b").unwrap()["region"], "eu-1");
        assert!(super::section_of(text, "b").is_none());
    }
}
