//! An HTTP proxy on loopback that does what networks and overloaded servers do, at the request a test names.
//!
//! It stands between the program and a real server. Without rules everything passes. A [`Rule`] picks requests
//! and gives them a [`Fault`]; every request is remembered, for a test to look at. Each connection carries one
//! request: `Connection: close` is put into it, nothing else is changed.

mod http;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

pub use http::Head;

/// Bytes moved at once.
const PIECE_BYTES: usize = 64 << 10;

/// A running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What is done to a request.
pub enum Fault {
    /// Nothing. With a number of times, it lets that many requests pass before the next rule is asked.
    Pass,
    /// It waits for so long before it goes on.
    Delay(Duration),
    /// Something happens first, and then it goes on: an object is replaced, a server is killed. Other requests wait
    /// meanwhile, so it must not send any through this proxy.
    First(Box<dyn FnMut(&Head) + Send>),
    /// The server is not asked: this status and body come back, once the request was read to its end.
    Answer {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// The connection is cut once so many bytes of the request (head and body) were passed on.
    CutRequest {
        /// How many bytes.
        after: u64,
    },
    /// The connection is cut once so many bytes of the answer (head and body) came back.
    CutAnswer {
        /// How many bytes.
        after: u64,
    },
    /// The answer comes back with so many bytes of its body, and says that these are all.
    ShortenBody {
        /// How many bytes.
        to: u64,
    },
    /// The answer comes back a few bytes at a time.
    Drip {
        /// How many bytes at once.
        bytes: usize,
        /// How long it waits between them.
        every: Duration,
    },
}

/// Which requests meet which fault. Of all rules the first that fits is taken.
pub struct Rule {
    fits: Box<dyn Fn(&Head) -> bool + Send>,
    fault: Fault,
    skip: u64,
    times: u64,
}

impl Rule {
    /// Every request that `fits` meets the fault.
    pub fn new(fits: impl Fn(&Head) -> bool + Send + 'static, fault: Fault) -> Rule {
        Rule { fits: Box::new(fits), fault, skip: 0, times: u64::MAX }
    }

    /// The first `requests` that fit are left alone.
    #[must_use]
    pub fn skip(self, requests: u64) -> Rule {
        Rule { skip: requests, ..self }
    }

    /// After so many `requests` the rule is used up.
    #[must_use]
    pub fn times(self, requests: u64) -> Rule {
        Rule { times: requests, ..self }
    }

    /// Whether the request is its, which is counted.
    fn takes(&mut self, head: &Head) -> bool {
        if self.times == 0 || !(self.fits)(head) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

#[derive(Default)]
struct Shared {
    upstream: Mutex<Option<SocketAddr>>,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Head>>,
    /// Requests that wait for their answer, and the most that there were.
    at_once: Mutex<(u64, u64)>,
    ended: AtomicBool,
}

impl Proxy {
    /// A proxy in front of the server at `upstream`.
    ///
    /// # Panics
    /// Where no port is free.
    pub fn to(upstream: SocketAddr) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { upstream: Mutex::new(Some(upstream)), ..Shared::default() });
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Proxy { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Another server from now on; none: every connection is cut as soon as it is made.
    pub fn set_upstream(&self, upstream: Option<SocketAddr>) {
        *lock(&self.shared.upstream) = upstream;
    }

    /// Adds a rule after those that are there.
    pub fn add(&self, rule: Rule) {
        lock(&self.shared.rules).push(rule);
    }

    /// The most requests that waited for their answer at once.
    pub fn most_at_once(&self) -> u64 {
        lock(&self.shared.at_once).1
    }

    /// Forgets the rules and the requests.
    pub fn reset(&self) {
        lock(&self.shared.at_once).1 = 0;
        lock(&self.shared.rules).clear();
        lock(&self.shared.seen).clear();
    }

    /// The requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Head> {
        lock(&self.shared.seen).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        let shared = Arc::clone(shared);
        // An error means that one side has gone: the other is to see that, and sees it.
        thread::spawn(move || {
            let _ = serve(&client, &shared);
            let _ = client.shutdown(Shutdown::Both);
        });
    }
}

/// How the bytes of one exchange are passed on.
#[derive(Default)]
struct Course {
    request_bytes: Option<u64>,
    answer: Answer,
}

#[derive(Default)]
enum Answer {
    #[default]
    Whole,
    Cut {
        after: u64,
    },
    Shorten {
        to: u64,
    },
    Drip {
        bytes: usize,
        every: Duration,
    },
    Own {
        status: u16,
        body: String,
    },
}

/// A request that waits for its answer, counted as long as this lasts.
struct UnderWay<'a>(&'a Shared);

impl UnderWay<'_> {
    fn new(shared: &Shared) -> UnderWay<'_> {
        let mut at_once = lock(&shared.at_once);
        at_once.0 += 1;
        at_once.1 = at_once.1.max(at_once.0);
        UnderWay(shared)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(&self.0.at_once).0 -= 1;
    }
}

fn serve(client: &TcpStream, shared: &Shared) -> io::Result<()> {
    let Some(upstream) = *lock(&shared.upstream) else { return Ok(()) };
    let mut from_client = client;
    let Some((head, bytes)) = http::read_head(&mut from_client)? else { return Ok(()) };
    lock(&shared.seen).push(head.clone());
    let under_way = UnderWay::new(shared);
    let course = shared.course(&head);
    if let Answer::Own { status, body } = course.answer {
        head.skip_body(&mut from_client)?;
        return from_client.write_all(&http::answer(status, &body));
    }
    let server = TcpStream::connect(upstream)?;
    let limit = course.request_bytes.unwrap_or(u64::MAX);
    thread::scope(|scope| {
        let request = scope.spawn(|| {
            let request = http::closing(&bytes);
            let sent = pass(&mut request.as_slice().chain(client), &server, limit);
            if course.request_bytes.is_some() && sent.as_ref().is_ok_and(|sent| *sent == limit) {
                let _ = server.shutdown(Shutdown::Both);
                let _ = client.shutdown(Shutdown::Both);
            }
        });
        // Until the answer begins, or the server closes.
        let _ = server.peek(&mut [0]);
        drop(under_way);
        let result = answer(&server, client, &course.answer);
        // Whoever still sends a request that was answered is done with it.
        let _ = server.shutdown(Shutdown::Both);
        let _ = client.shutdown(Shutdown::Both);
        request.join().expect("passing bytes does not panic");
        result
    })
}

/// Passes the server's answer on, whole or not.
fn answer(mut server: &TcpStream, mut client: &TcpStream, answer: &Answer) -> io::Result<()> {
    match *answer {
        Answer::Whole | Answer::Own { .. } => pass(&mut server, client, u64::MAX).map(drop),
        Answer::Cut { after } => pass(&mut server, client, after).map(drop),
        Answer::Shorten { to } => {
            let Some((head, bytes)) = http::read_head(&mut server)? else { return Ok(()) };
            let length = head.content_length().unwrap_or(u64::MAX).min(to);
            client.write_all(&http::with_content_length(&bytes, length))?;
            pass(&mut server, client, length).map(drop)
        }
        Answer::Drip { bytes, every } => {
            let mut piece = vec![0; bytes];
            loop {
                let read = server.read(&mut piece)?;
                if read == 0 {
                    return Ok(());
                }
                client.write_all(&piece[..read])?;
                thread::sleep(every);
            }
        }
    }
}

/// Up to `limit` bytes; how many there were.
fn pass(from: &mut dyn Read, mut to: &TcpStream, limit: u64) -> io::Result<u64> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut passed = 0;
    while passed < limit {
        let wanted = PIECE_BYTES.min(usize::try_from(limit - passed).unwrap_or(usize::MAX));
        match from.read(&mut piece[..wanted])? {
            0 => break,
            read => {
                to.write_all(&piece[..read])?;
                passed += read as u64;
            }
        }
    }
    Ok(passed)
}

impl Shared {
    /// What the first rule that fits has in store. Waits and calls are done here.
    fn course(&self, head: &Head) -> Course {
        let mut rules = lock(&self.rules);
        let Some(rule) = rules.iter_mut().find_map(|rule| rule.takes(head).then_some(rule)) else {
            return Course::default();
        };
        let (mut course, mut wait) = (Course::default(), Duration::ZERO);
        match &mut rule.fault {
            Fault::Pass => {}
            Fault::Delay(time) => wait = *time,
            Fault::First(call) => call(head),
            Fault::Answer { status, body } => {
                course.answer = Answer::Own { status: *status, body: body.clone() };
            }
            Fault::CutRequest { after } => course.request_bytes = Some(*after),
            Fault::CutAnswer { after } => course.answer = Answer::Cut { after: *after },
            Fault::ShortenBody { to } => course.answer = Answer::Shorten { to: *to },
            Fault::Drip { bytes, every } => course.answer = Answer::Drip { bytes: *bytes, every: *every },
        }
        // Others need not wait as well.
        drop(rules);
        thread::sleep(wait);
        course
    }
}

/// A test that panics while it holds a lock fails; the others are to go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("upstream", &lock(&self.upstream)).finish_non_exhaustive()
    }
}
