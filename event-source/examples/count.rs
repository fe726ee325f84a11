//! Counts the lines of sources: `cargo run -p event-source --example count -- SOURCE…`.

use event_source::{Options, ReadBuffer, resolve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let resolved = resolve(&names, &Options::default())?;
    let mut buffer = ReadBuffer::new(1 << 20);
    for source in &resolved.sources {
        let (mut reader, mut lines) = (source.open()?, 0);
        loop {
            let read = reader.read_some(&mut buffer)?;
            if read == 0 {
                break;
            }
            lines += buffer[..read].split(|byte| *byte == b'\n').count() - 1;
        }
        let fingerprint = reader.fingerprint().expect("the source was read to its end");
        println!("{}: {lines} lines, {} bytes as stored", source.name(), fingerprint.size);
    }
    Ok(())
}
