//! The other side of TLS, for programs that ask servers.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned,
};

use super::provider;

/// Whom a client believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those whom this system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others).
    System,
    /// Anybody. For a server on this machine, which cannot be somebody else, and for looking at a certificate that
    /// may be wrong.
    Anybody,
}

/// A client's stream over TLS.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// The settings of a client.
///
/// # Panics
/// Never: the protocol versions named are aws-lc's.
#[must_use]
pub fn config(trust: Trust) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("aws-lc has cipher suites for both versions");
    Arc::new(match trust {
        Trust::System => builder.with_root_certificates(roots()).with_no_client_auth(),
        Trust::Anybody => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Believer(provider())))
            .with_no_client_auth(),
    })
}

/// Those whom this system trusts; none on a system without any.
fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    roots
}

/// A stream over TLS; the handshake is done. `host` is a name or an address.
///
/// # Errors
/// Those of the connection and of the handshake, an untrusted certificate among them.
pub fn connect(mut stream: TcpStream, host: &str, trust: Trust) -> io::Result<TlsStream> {
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(config(trust), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// The certificate that the other side showed.
#[must_use]
pub fn shown(stream: &TlsStream) -> Option<CertificateDer<'static>> {
    let certificates = stream.conn.peer_certificates()?;
    certificates
        .first()
        .map(|certificate| certificate.clone().into_owned())
}

/// Believes everybody's certificate, but not that somebody has its key.
#[derive(Debug)]
struct Believer(Arc<CryptoProvider>);

impl ServerCertVerifier for Believer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
