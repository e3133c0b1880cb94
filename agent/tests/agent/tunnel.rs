//! The tunnel's bounds: how many, for how long, and what ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atecc_agent::dial::{Destination, Dialler};
use atecc_agent::tls::{Connector, Roots, Versions};
use atecc_agent::tunnel::{Entrance, Error, Options, Tunnel};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::LIMIT;
use crate::stage::Stage;

/// A TLS server that gives back what it gets. Its certificate is in echo.pem.
async fn echo(stage: &Stage) -> SocketAddr {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["echo.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(stage.folder.path().join("echo.pem"), certificate.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(acceptor.accept(stream).await.unwrap());
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
                let _ = writer.shutdown().await;
            });
        }
    });
    address
}

fn options(stage: &Stage, server: SocketAddr) -> Options {
    Options::new(Entrance::Socket(stage.folder.path().join("tunnel.sock")), Dialler::new(server.into(), None))
}

fn start(stage: &Stage, options: Options) {
    let roots = Roots::from_file(&stage.folder.path().join("echo.pem")).unwrap();
    let connector = Connector::new(&stage.identity, roots, "echo.test", None, Versions::Both).unwrap();
    let tunnel = Tunnel::open(options, connector).unwrap();
    tokio::spawn(tunnel.run(std::future::pending()));
}

async fn enter(stage: &Stage) -> UnixStream {
    UnixStream::connect(stage.folder.path().join("tunnel.sock")).await.unwrap()
}

async fn ask(stream: &mut UnixStream, text: &str) -> Option<String> {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; text.len()];
    let read = timeout(Duration::from_secs(1), stream.read_exact(&mut answer)).await;
    read.ok()?.ok().map(|_| String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn bytes_go_both_ways_and_an_end_is_passed_on() {
    let stage = Stage::new().unwrap();
    let options = options(&stage, echo(&stage).await);
    start(&stage, options);
    let mut stream = enter(&stage).await;
    let sent: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let (mut reader, mut writer) = stream.split();
    let write = async {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let both = async { tokio::join!(write, reader.read_to_end(&mut received)).1 };
    timeout(LIMIT, both).await.unwrap().unwrap();
    assert!(received == sent, "{} bytes of {}", received.len(), sent.len());
    assert_eq!(stage.token.statistics().signatures, 0, "the server did not ask who we are");
}

#[tokio::test]
async fn more_than_its_connections_wait_until_one_has_ended() {
    let stage = Stage::new().unwrap();
    let mut options = options(&stage, echo(&stage).await);
    options.connections = 2;
    start(&stage, options);
    let (mut first, mut second, mut third) = (enter(&stage).await, enter(&stage).await, enter(&stage).await);
    for stream in [&mut first, &mut second] {
        stream.write_all(b"one").await.unwrap();
        timeout(LIMIT, stream.read_exact(&mut [0; 3])).await.unwrap().unwrap();
    }
    assert_eq!(ask(&mut third, "two").await, None);
    drop(first);
    let mut answer = [0; 3];
    timeout(LIMIT, third.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"two");
}

#[tokio::test]
async fn a_connection_without_a_byte_is_ended() {
    let stage = Stage::new().unwrap();
    let mut options = options(&stage, echo(&stage).await);
    options.idle = Duration::from_millis(300);
    start(&stage, options);
    let mut stream = enter(&stage).await;
    assert_eq!(ask(&mut stream, "hello").await.as_deref(), Some("hello"));
    let start = Instant::now();
    assert_eq!(timeout(LIMIT, stream.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
    assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_that_is_gone_or_foreign_ends_the_connection_and_not_the_tunnel() {
    let stage = Stage::new().unwrap();
    let echo = echo(&stage).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // The cloud's certificate is under another root.
    for server in [closed, stage.cloud.mqtt_address()] {
        let mut options = options(&stage, server);
        options.entrance = Entrance::Socket(stage.folder.path().join("other.sock"));
        start(&stage, options);
        for _ in 0..2 {
            let mut stream = UnixStream::connect(stage.folder.path().join("other.sock")).await.unwrap();
            let ended = timeout(LIMIT, stream.read(&mut [0; 1])).await.unwrap();
            assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
        }
        std::fs::remove_file(stage.folder.path().join("other.sock")).unwrap();
    }
    assert_eq!(stage.token.statistics().signatures, 0, "nothing is signed for a stranger");
    let options = options(&stage, echo);
    start(&stage, options);
    assert_eq!(ask(&mut enter(&stage).await, "still here").await.as_deref(), Some("still here"));
}

#[tokio::test]
async fn other_machines_are_not_let_in() {
    let stage = Stage::new().unwrap();
    echo(&stage).await;
    let roots = Roots::from_file(&stage.folder.path().join("echo.pem")).unwrap();
    let connector = Connector::new(&stage.identity, roots, "echo.test", None, Versions::Both).unwrap();
    let options = Options::new(
        Entrance::Address("0.0.0.0:0".parse().unwrap()),
        Dialler::new(Destination::new("127.0.0.1", 1), None),
    );
    assert!(matches!(Tunnel::open(options, connector), Err(Error::Open(_))));
}
