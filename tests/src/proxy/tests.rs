//! Tests of the proxy: what goes through, and what it does to it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::http::read_head;
use super::{Fault, Head, Proxy, Rule};

const BODY: &str = "0123456789";

/// A server that answers every request with [`BODY`], and counts them. It lasts as long as the process.
fn server() -> (Proxy, Arc<AtomicU64>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (address, answered) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    thread::spawn({
        let answered = Arc::clone(&answered);
        move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let Ok(Some((head, _))) = read_head(&mut client) else { continue };
                if head.skip_body(&mut client).is_ok() {
                    assert_eq!(head.field("Connection"), Some("close"));
                    answered.fetch_add(1, Ordering::SeqCst);
                    let length = BODY.len();
                    let _ = write!(client, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}");
                }
            }
        }
    });
    (Proxy::to(address), answered)
}

/// The answer's body as far as it came, and what it says its length is.
fn ask(proxy: &Proxy, request: &str) -> Option<(String, u64)> {
    let mut connection = TcpStream::connect(proxy.address()).unwrap();
    connection.write_all(request.as_bytes()).ok()?;
    let (head, _) = read_head(&mut connection).ok()??;
    let mut body = Vec::new();
    // A cut connection gives what had come.
    let _ = connection.read_to_end(&mut body);
    Some((String::from_utf8(body).unwrap(), head.content_length().unwrap()))
}

const GET: &str = "GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n";
const POST: &str = "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

fn any(_: &Head) -> bool {
    true
}

#[test]
fn without_rules_everything_passes_and_is_remembered() {
    let (proxy, answered) = server();
    let whole = Some((BODY.to_owned(), 10));
    assert_eq!(ask(&proxy, GET), whole);
    assert_eq!(ask(&proxy, POST), whole);
    let seen = proxy.requests();
    assert_eq!((seen[0].method(), seen[0].target(), seen[0].field("HOST")), ("GET", "/a?b", Some("x")));
    assert_eq!(seen[1].method(), "POST");
    assert_eq!(answered.load(Ordering::SeqCst), 2);
}

#[test]
fn rules_skip_count_and_are_used_up() {
    let (proxy, answered) = server();
    let posts = |head: &Head| head.method() == "POST";
    let refuse = Fault::Answer { status: 503, body: "busy".to_owned() };
    proxy.add(Rule::new(posts, refuse).skip(1).times(2));
    let whole = Some((BODY.to_owned(), 10));
    let busy = Some(("busy".to_owned(), 4));
    assert_eq!(ask(&proxy, POST), whole);
    assert_eq!(ask(&proxy, GET), whole);
    assert_eq!(ask(&proxy, POST), busy);
    assert_eq!(ask(&proxy, POST), busy);
    assert_eq!(ask(&proxy, POST), whole);
    assert_eq!(answered.load(Ordering::SeqCst), 3);
}

#[test]
fn answers_are_cut_shortened_and_slow() {
    let (proxy, _) = server();
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".len() as u64;
    proxy.add(Rule::new(any, Fault::CutAnswer { after: head + 4 }).times(1));
    proxy.add(Rule::new(any, Fault::ShortenBody { to: 3 }).times(1));
    proxy.add(Rule::new(any, Fault::Drip { bytes: 1, every: Duration::from_millis(1) }).times(1));
    proxy.add(Rule::new(any, Fault::Delay(Duration::from_millis(50))).times(1));
    assert_eq!(ask(&proxy, GET), Some(("0123".to_owned(), 10)));
    assert_eq!(ask(&proxy, GET), Some(("012".to_owned(), 3)));
    assert_eq!(ask(&proxy, GET), Some((BODY.to_owned(), 10)));
    let begun = Instant::now();
    assert_eq!(ask(&proxy, GET), Some((BODY.to_owned(), 10)));
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[test]
fn requests_are_cut_and_calls_come_first() {
    let (proxy, answered) = server();
    proxy.add(Rule::new(any, Fault::CutRequest { after: 60 }).times(1));
    assert_eq!(ask(&proxy, POST), None);
    assert_eq!(answered.load(Ordering::SeqCst), 0);
    let before = Arc::clone(&answered);
    let call = move |_: &Head| assert_eq!(before.load(Ordering::SeqCst), 0);
    proxy.add(Rule::new(any, Fault::First(Box::new(call))).times(1));
    assert_eq!(ask(&proxy, POST), Some((BODY.to_owned(), 10)));
    proxy.set_upstream(None);
    assert_eq!(ask(&proxy, GET), None);
}
