//! Pages of listings, as S3, Google Cloud Storage and Azure write them.
//!
//! Text is taken byte by byte as it is: a key may begin or end with spaces.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use crate::percent;

/// The problem of what is something else.
const NO_LISTING: &str = "its answer is no listing";
/// The problem of a page that is not whole.
pub(super) const BREAKS_OFF: &str = "the listing breaks off";

/// An object, and its state when it was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) size: u64,
    /// With or without its quotes, as the store writes it.
    pub(super) etag: Option<String>,
    pub(super) modified: Option<Timestamp>,
}

/// What a page lists, and what to ask for the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Keys and states.
    pub(super) objects: Vec<(String, Meta)>,
    /// Names the page behind this one; `None` of the last.
    pub(super) next: Option<String>,
}

/// What is known of an object while its element is read.
#[derive(Default)]
struct Entry {
    key: String,
    size: Option<u64>,
    etag: Option<String>,
    modified: Option<Timestamp>,
    is_folder: bool,
    /// Of Azure's names, those that XML cannot hold.
    is_encoded: bool,
}

/// Reads a page; an error says what is wrong with it.
pub(super) fn read(xml: &str) -> Result<Page, String> {
    let (mut page, mut entry, mut entries) = (Page::default(), None::<Entry>, Vec::new());
    let (mut path, mut text) = (Vec::<String>::new(), String::new());
    let (mut is_encoded, mut goes_on, mut is_listing, mut is_whole) = (false, false, false, false);
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                if path.is_empty() && !["ListBucketResult", "EnumerationResults"].contains(&&*name) {
                    return Err(NO_LISTING.to_owned());
                }
                is_listing = true;
                if ["Contents", "Blob"].contains(&&*name) {
                    entry = Some(Entry::default());
                }
                if let (Some(entry), "Name") = (&mut entry, &*name) {
                    let encoded = start.try_get_attribute("Encoded").map_err(|error| error.to_string())?;
                    entry.is_encoded = encoded.is_some_and(|encoded| &*encoded.value == b"true");
                }
                path.push(name);
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece.decode().map_err(|error| error.to_string())?),
            Event::CData(piece) => text.push_str(&piece.decode().map_err(|error| error.to_string())?),
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| error.to_string())?;
                match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(character) => text.push(character),
                    None => text.push_str(
                        resolve_predefined_entity(&name).ok_or_else(|| format!("&{name}; is not known"))?,
                    ),
                }
            }
            Event::End(_) => {
                let name = path.pop().unwrap_or_default();
                let value = std::mem::take(&mut text);
                match (&mut entry, name.as_str()) {
                    (Some(_), "Contents" | "Blob") => entries.extend(entry.take()),
                    (Some(entry), name) => entry.set(name, value)?,
                    (None, "EncodingType") => is_encoded = value.trim() == "url",
                    (None, "IsTruncated") => goes_on = value.trim() == "true",
                    (None, "NextContinuationToken" | "NextMarker") if !value.is_empty() => {
                        page.next = Some(value);
                    }
                    _ => {}
                }
                is_whole = path.is_empty();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !is_whole {
        return Err(if is_listing { BREAKS_OFF } else { NO_LISTING }.to_owned());
    }
    if goes_on && page.next.is_none() {
        return Err("the listing goes on, and does not tell where".to_owned());
    }
    for entry in entries.into_iter().filter(|entry| !entry.is_folder) {
        page.objects.push(entry.finish(is_encoded)?);
    }
    Ok(page)
}

impl Entry {
    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "Key" | "Name" => self.key = value,
            "Size" | "Content-Length" => {
                self.size = Some(value.trim().parse().map_err(|_| format!("{value} is no size"))?);
            }
            "ETag" | "Etag" => self.etag = Some(value).filter(|etag| !etag.is_empty()),
            "LastModified" | "Last-Modified" => self.modified = timestamp(&value),
            // Of accounts whose folders are things of their own.
            "ResourceType" => self.is_folder = value.trim() == "directory",
            _ => {}
        }
        Ok(())
    }

    /// `is_encoded`: the whole listing's keys are.
    fn finish(self, is_encoded: bool) -> Result<(String, Meta), String> {
        let key = if is_encoded || self.is_encoded {
            // As forms are sent: a space may be a plus, a plus never is.
            let text = if is_encoded { self.key.replace('+', " ") } else { self.key.clone() };
            percent::decode(&text).and_then(|key| String::from_utf8(key).ok())
        } else {
            Some(self.key.clone())
        };
        let key = key.filter(|key| !key.is_empty()).ok_or_else(|| format!("\"{}\" is no key", self.key))?;
        let size = self.size.ok_or_else(|| format!("the size of {key} is missing"))?;
        Ok((key, Meta { size, etag: self.etag, modified: self.modified }))
    }
}

/// A time as listings and headers have it, to the second: what has less would be another otherwise.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let parsed = text.parse::<Timestamp>().ok();
    let parsed = parsed.or_else(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))?;
    Timestamp::from_second(parsed.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::read;

    fn keys(xml: &str) -> Vec<String> {
        read(xml).unwrap().objects.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn keys_are_read_byte_by_byte() {
        let page = |encoding: &str, key: &str| {
            format!(
                "<?xml version='1.0'?><ListBucketResult xmlns=\"http://s3/\">{encoding}<Prefix> p</Prefix>\n\
                 <Contents><Key>{key}</Key><Size>5</Size><ETag>&quot;abc&quot;</ETag>\
                 <LastModified>2026-03-01T00:00:00.000Z</LastModified><Owner><ID>x</ID></Owner></Contents>\
                 </ListBucketResult>"
            )
        };
        let encoded = "<EncodingType>url</EncodingType>";
        for (encoding, written, key) in [
            ("", "a//b", "a//b"),
            ("", "/lead", "/lead"),
            ("", " a &amp; b&lt;&#x41; ", " a & b<A "),
            ("", "a%20b+c", "a%20b+c"),
            (encoded, "a%20b+c%2Bd/%01%2F..", "a b c+d/\u{1}/.."),
            (encoded, "%D0%BA%C3%A9", "к\u{e9}"),
        ] {
            let page = read(&page(encoding, written)).unwrap();
            let (found, meta) = &page.objects[0];
            assert_eq!((&**found, meta.size, meta.etag.as_deref()), (key, 5, Some("\"abc\"")));
            assert_eq!(meta.modified.unwrap().to_string(), "2026-03-01T00:00:00Z");
        }
    }

    #[test]
    fn azures_pages_are_read() {
        let xml = "\u{feff}<?xml version=\"1.0\"?><EnumerationResults><Blobs>\
                   <Blob><Name> a//b</Name><Properties><Last-Modified>Sun, 01 Mar 2026 00:00:00 GMT</Last-Modified>\
                   <Etag>0x8</Etag><Content-Length>7</Content-Length><Content-Type /></Properties></Blob>\
                   <Blob><Name Encoded=\"true\">a%EF%BF%BE+</Name><Properties><Content-Length>1</Content-Length>\
                   </Properties></Blob>\
                   <Blob><Name>folder</Name><Properties><ResourceType>directory</ResourceType></Properties></Blob>\
                   </Blobs><NextMarker>m</NextMarker></EnumerationResults>";
        assert_eq!(keys(xml), [" a//b", "a\u{fffe}+"]);
        let page = read(xml).unwrap();
        assert_eq!(page.next.as_deref(), Some("m"));
        assert_eq!(page.objects[0].1.modified.unwrap().to_string(), "2026-03-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_whole_listing_is_an_error() {
        for (xml, words) in [
            ("<html><body/></html>", "no listing"),
            ("no XML", "no listing"),
            ("", "no listing"),
            ("<ListBucketResult><Contents><Key>a</Key>", "breaks off"),
            ("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "goes on"),
            ("<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>", "size"),
            ("<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>", "key"),
        ] {
            let problem = read(xml).unwrap_err();
            assert!(problem.contains(words), "{xml}: {problem}");
        }
    }
}
