//! As much of HTTP/1.1 as the proxy has to know: heads, and where a request's body ends.

use std::io::{self, Read};

/// Longer than any head here.
const HEAD_BYTES: usize = 256 << 10;

/// The first line of a request or answer, and its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    first_line: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// The method, such as `GET`.
    pub fn method(&self) -> &str {
        self.first_line.split(' ').next().unwrap_or_default()
    }

    /// Path and query, such as `/bucket/key?list-type=2`.
    pub fn target(&self) -> &str {
        self.first_line.split(' ').nth(1).unwrap_or_default()
    }

    /// A header field's value; its name in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// What `Content-Length` says.
    pub(super) fn content_length(&self) -> Option<u64> {
        self.field("content-length")?.parse().ok()
    }

    /// Reads the request's body to its end.
    pub(super) fn skip_body(&self, from: &mut impl Read) -> io::Result<()> {
        let chunked = self.field("transfer-encoding").is_some_and(|coding| coding.contains("chunked"));
        if !chunked {
            return skip(from, self.content_length().unwrap_or(0));
        }
        loop {
            let line = read_line(from)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            // The chunk's own line end; after the last chunk, the one that ends the body.
            skip(from, size + 2)?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn parse(bytes: &[u8]) -> Head {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_owned();
        let fields = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        Head { first_line, fields: fields.collect() }
    }
}

/// A head, and its bytes with the blank line; `None` where the other side closed before it.
pub(super) fn read_head(from: &mut impl Read) -> io::Result<Option<(Head, Vec<u8>)>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if bytes.len() == HEAD_BYTES || from.read(&mut byte)? == 0 {
            return Ok(None);
        }
        bytes.extend(byte);
    }
    Ok(Some((Head::parse(&bytes), bytes)))
}

/// The head with `Connection: close`.
pub(super) fn closing(head: &[u8]) -> Vec<u8> {
    replace_field(head, "connection", "close")
}

/// The head with another `Content-Length`.
pub(super) fn with_content_length(head: &[u8], length: u64) -> Vec<u8> {
    replace_field(head, "content-length", &length.to_string())
}

/// A whole answer.
pub(super) fn answer(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} Fault\r\nContent-Length: {}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn replace_field(head: &[u8], name: &str, value: &str) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(head.len() + 64);
    let named = |line: &[u8]| {
        line.split(|byte| *byte == b':')
            .next()
            .is_some_and(|field| field.eq_ignore_ascii_case(name.as_bytes()))
    };
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\r\n" {
            replaced.extend_from_slice(format!("{name}: {value}\r\n\r\n").as_bytes());
        } else if !named(line) {
            replaced.extend_from_slice(line);
        }
    }
    replaced
}

fn read_line(from: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        line.extend(byte);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn skip(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    match io::copy(&mut from.take(bytes), &mut io::sink())? {
        skipped if skipped == bytes => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
