//! TLS on loopback: an authority that vouches for certificates, and what stands in front of a real server and encrypts,
//! as nginx or a balancer does.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// One that nobody knows but who is given its certificate.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, as files have it.
    pub pem: String,
}

impl Authority {
    /// A new one of that name.
    ///
    /// # Panics
    /// If the system has no random numbers.
    pub fn new(name: &str) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut about = CertificateParams::new([]).expect("it names no host");
        about.distinguished_name.push(DnType::CommonName, name);
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = about.self_signed(&key).expect("it vouches for itself").pem();
        Authority { issuer: Issuer::new(about, key), pem }
    }

    /// A certificate for a host of that name, and what proves that one is it.
    fn vouch_for(&self, host: &str) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let about = CertificateParams::new([host.to_owned()]).expect("the name of a host");
        let certificate = about.signed_by(&key, &self.issuer).expect("it vouches for the host");
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows the versions of TLS")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .expect("the key is the certificate's")
    }
}

/// What stands in front of a server and speaks TLS for it; it ends when it is dropped.
#[derive(Debug)]
pub struct Front {
    port: u16,
    accepted: Arc<AtomicU64>,
    _runtime: Runtime,
}

impl Front {
    /// Before that server, with a certificate for a host of that name.
    ///
    /// # Panics
    /// Where there is no port or thread for it.
    pub fn of(server: SocketAddr, authority: &Authority, host: &str) -> Front {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a thread");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        let acceptor = TlsAcceptor::from(Arc::new(authority.vouch_for(host)));
        let accepted = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&accepted);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
                tokio::spawn(async move {
                    // Who does not trust the certificate hangs up.
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    counted.fetch_add(1, Ordering::Relaxed);
                    let Ok(mut server) = TcpStream::connect(server).await else { return };
                    // What breaks on one side ends the other.
                    drop(copy_bidirectional(&mut client, &mut server).await);
                });
            }
        });
        Front { port, accepted, _runtime: runtime }
    }

    /// Its address, by that name of this machine.
    pub fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }

    /// How many connections were encrypted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}
