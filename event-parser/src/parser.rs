//! The parser of one source.

use crate::Options;
use crate::batch::Batch;
use crate::chunk::ChunkParser;
use crate::split::Splitter;

/// Parses one source: push its bytes, hand on full batches, finish.
///
/// Memory is bounded by the longest line and the batch, whatever the size of the source.
///
/// ```
/// use event_parser::{Batch, Options, Parser};
///
/// # let bytes: &[u8] = b"{}\n";
/// let mut parser = Parser::new("events.jsonl", Options::new("2026-03-01".parse()?));
/// let mut batch = Batch::default();
/// let mut rest = bytes;
/// while !rest.is_empty() {
///     let taken = parser.push(rest, &mut batch);
///     rest = &rest[taken..];
///     if !rest.is_empty() {
///         // The batch is full: store it.
///         batch.clear();
///     }
/// }
/// parser.finish(&mut batch);
/// // Store the last batch.
/// # assert_eq!(batch.rejects().len(), 1);
/// # Ok::<(), event_schema::value::DateError>(())
/// ```
#[derive(Debug)]
pub struct Parser(Splitter<ChunkParser>);

impl Parser {
    /// A parser for the source of that name.
    pub fn new(source: &str, options: Options) -> Parser {
        let options = options.clamped();
        Parser(Splitter::new(ChunkParser::new(source.into(), &options), &options))
    }

    /// Continues at another position of the source: the number of the next line, from 1, and its first byte. No byte-order
    /// mark is expected there. Only between lines.
    pub fn seek(&mut self, line: u64, byte_offset: u64) {
        self.0.seek(line, byte_offset);
    }

    /// Parses the lines that end in these bytes into the batch.
    ///
    /// Returns how many bytes it took. Fewer than given means that the batch is full: store it, clear it, and push the rest.
    pub fn push(&mut self, bytes: &[u8], batch: &mut Batch) -> usize {
        self.0.push(bytes, batch)
    }

    /// Ends the source: its last line may lack its newline. The parser can then be dropped.
    pub fn finish(&mut self, batch: &mut Batch) {
        self.0.finish(batch);
    }
}
