//! URLs of objects: store, bucket and key. Messages never repeat what could be a credential.

use crate::SourceError;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    /// Amazon S3, and what speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

/// An object's URL, or a prefix's, or a pattern of such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreUrl {
    pub(crate) service: Service,
    /// `s3://bucket`.
    pub(crate) root: String,
    /// The bucket; of Azure the container, with `@account.host` where the URL has it.
    pub(crate) bucket: String,
    /// What follows the bucket and a slash, as it stands: keys are not percent-encoded, as with the stores' own
    /// tools.
    pub(crate) key: String,
}

/// The schemes of what can be read.
pub(crate) const SCHEMES: [&str; 8] = ["s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "file"];

/// Where these stand in a query, the URL is a signed one.
const SIGNED: [&str; 6] = ["sig=", "signature=", "x-amz-", "x-goog-", "token=", "accesskey"];

impl StoreUrl {
    /// `scheme://rest`, if the scheme is that of a store.
    pub(crate) fn parse(scheme: &str, rest: &str) -> Result<Option<StoreUrl>, SourceError> {
        let service = match scheme.to_ascii_lowercase().as_str() {
            "s3" | "s3a" => Service::S3,
            "gs" => Service::Gcs,
            "az" | "azure" | "abfs" | "abfss" => Service::Azure,
            _ => return Ok(None),
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let invalid = |problem: &str| {
            Err(SourceError::InvalidUrl { scheme: scheme.to_owned(), problem: problem.to_owned() })
        };
        let query = key.split_once('?').map_or(String::new(), |(_, query)| query.to_ascii_lowercase());
        if query.starts_with("versionid=") {
            return invalid("it names a version (?versionId=), and only newest ones are read");
        }
        if bucket.starts_with("arn:") {
            return invalid(
                "it has an ARN for a bucket; an access point has an alias that can be written instead",
            );
        }
        if SIGNED.iter().any(|sign| query.contains(sign)) {
            return Err(SourceError::CredentialsInUrl { scheme: scheme.to_owned() });
        }
        let (container, account) = match bucket.split_once('@') {
            Some((container, account)) if service == Service::Azure => (container, Some(account)),
            _ => (bucket, None),
        };
        if bucket.contains(':') || container.contains('@') {
            return Err(SourceError::CredentialsInUrl { scheme: scheme.to_owned() });
        }
        if bucket.is_empty() {
            return invalid("it has no bucket");
        }
        // What begins with a letter or digit cannot be `..`, which addresses go up by.
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '$')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._$".contains(&byte))
        };
        if !is_name(container) || !account.is_none_or(is_name) {
            return invalid(
                "its bucket has other characters than letters, digits, - . and _, or begins with one of these three",
            );
        }
        let root = format!("{scheme}://{bucket}");
        Ok(Some(StoreUrl { service, root, bucket: bucket.to_owned(), key: key.to_owned() }))
    }

    /// The URL of a key in the same bucket.
    pub(crate) fn of(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }

    /// Whether the key is a pattern.
    pub(crate) fn is_pattern(&self) -> bool {
        self.key.contains(WILDCARDS)
    }

    /// What everything begins with that the pattern can match: its text up to the first wildcard.
    pub(crate) fn pattern_beginning(&self) -> String {
        let (mut beginning, mut rest) = (String::new(), self.key.as_str());
        loop {
            let wildcard = rest.find(WILDCARDS).unwrap_or(rest.len());
            beginning.push_str(&rest[..wildcard]);
            // One character in brackets is meant itself.
            let mut after = rest[wildcard..].chars();
            match (after.next(), after.next(), after.next()) {
                (Some('['), Some(meant), Some(']')) if meant != '!' => beginning.push(meant),
                _ => return beginning,
            }
            rest = after.as_str();
        }
    }
}

/// What follows the last slash of a path or URL.
pub(crate) fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The characters that make a name a pattern.
pub(crate) const WILDCARDS: [char; 3] = ['*', '?', '['];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn parse(url: &str) -> Result<Option<StoreUrl>, SourceError> {
        let (scheme, rest) = url.split_once("://").unwrap();
        StoreUrl::parse(scheme, rest)
    }

    #[test]
    fn urls_name_service_bucket_and_key() {
        for (url, service, bucket, key) in [
            ("s3://b/day/a.jsonl", Service::S3, "b", "day/a.jsonl"),
            ("s3a://b.with.dots", Service::S3, "b.with.dots", ""),
            ("gs://b/", Service::Gcs, "b", ""),
            ("az://container/a%20b", Service::Azure, "container", "a%20b"),
            (
                "abfss://c@account.dfs.core.windows.net/x",
                Service::Azure,
                "c@account.dfs.core.windows.net",
                "x",
            ),
        ] {
            let parsed = parse(url).unwrap().unwrap();
            assert_eq!((parsed.service, &*parsed.bucket, &*parsed.key), (service, bucket, key), "{url}");
            assert_eq!(parsed.of(key).trim_end_matches('/'), url.trim_end_matches('/'));
        }
        assert_eq!(parse("https://host/x").unwrap(), None);
    }

    #[test]
    fn a_pattern_is_looked_for_by_its_literal_beginning() {
        for (key, beginning) in [
            ("a/b/*.gz", "a/b/"),
            ("a/b*/c", "a/b"),
            ("g/2026-03-01.jsonl*", "g/2026-03-01.jsonl"),
            ("*", ""),
            ("a?", "a"),
            ("a/[bc]", "a/"),
            ("a[*]b[[]c*", "a*b[c"),
            ("a/[!]b", "a/"),
            ("[*]", "*"),
        ] {
            let url = parse(&format!("s3://b/{key}")).unwrap().unwrap();
            assert!(url.is_pattern());
            assert_eq!(url.pattern_beginning(), beginning, "{key}");
        }
    }

    #[test]
    fn keys_are_what_stands_there() {
        for key in
            ["/lead/x", "a//b", "a/../b", "a/./b", "dir/", "a%2Fb", "a#b", "a+b c", "e\u{301}", "\u{e9}"]
        {
            assert_eq!(parse(&format!("s3://b/{key}")).unwrap().unwrap().key, key);
        }
    }

    #[test]
    fn what_names_no_bucket_says_so() {
        for (url, words) in [
            ("s3:///key", "no bucket"),
            ("s3://../key", "other characters"),
            ("s3://b\u{fc}cket/key", "other characters"),
            ("s3://arn:aws:s3:eu-central-1:1:accesspoint/x", "alias"),
            ("s3://b/key?versionId=1", "version"),
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
            assert!(error.to_string().contains(words), "{url}: {error}");
        }
    }

    #[test]
    fn what_may_be_a_credential_is_not_repeated() {
        for url in [
            "s3://key:geheim@bucket/day",
            "s3://key:geheim/with/slash@bucket/day",
            "gs://geheim@bucket/day",
            "az://container:geheim@account/day",
            "s3://bucket/day?X-Amz-Signature=geheim",
            "az://container/day?sv=2022&sig=geheim",
            "s3://geheim geheim/x",
            "s3:///geheim",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
            assert!(!format!("{error} {error:?}").contains("geheim"), "{url}: {error}");
        }
    }
}
