//! A server that speaks as much MQTT as provisioning needs, and answers what the test wants.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::LIMIT;

/// What the server answers to a request: the last level of the topic, and the payload.
pub(crate) type Answer = (&'static str, Vec<u8>);

/// A TLS configuration for `name`, and its certificate in PEM.
pub(crate) fn tls(name: &str) -> (Arc<ServerConfig>, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (Arc::new(config), certificate.pem())
}

/// Accepts connections one after the other; each request gets the next of `answers`, and none after the last. The payload
/// of the last request is in the file request.
pub(crate) fn serve(folder: &Path, answers: Vec<Answer>) -> SocketAddr {
    let (config, pem) = tls("scripted.test");
    std::fs::write(folder.join("scripted.pem"), pem).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let request = folder.join("request");
    thread::spawn(move || {
        let mut answers = answers.into_iter();
        while let Ok((socket, _)) = listener.accept() {
            socket.set_read_timeout(Some(LIMIT)).unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket);
            while let Some((kind, body)) = packet(&mut stream) {
                let reply = match kind >> 4 {
                    // CONNECT, SUBSCRIBE, PINGREQ.
                    1 => vec![0x20, 2, 0, 0],
                    8 => suback(&body),
                    12 => vec![0xd0, 0],
                    // PUBLISH at QoS 1.
                    3 => {
                        let payload = 4 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                        std::fs::write(&request, &body[payload..]).unwrap();
                        answer(&body, answers.next())
                    }
                    _ => continue,
                };
                if stream.write_all(&reply).and_then(|()| stream.flush()).is_err() {
                    break;
                }
            }
        }
    });
    address
}

fn packet(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let kind = byte[0];
    let (mut length, mut shift) = (0, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((kind, body))
}

/// Every filter is granted.
fn suback(body: &[u8]) -> Vec<u8> {
    let (mut rest, mut codes) = (&body[2..], Vec::new());
    while rest.len() > 2 {
        rest = &rest[2 + usize::from(u16::from_be_bytes([rest[0], rest[1]])) + 1..];
        codes.push(1);
    }
    [&[0x90, u8::try_from(codes.len() + 2).unwrap()], &body[..2], &codes[..]].concat()
}

/// PUBACK, and then the answer below the topic of the request.
fn answer(body: &[u8], answer: Option<Answer>) -> Vec<u8> {
    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let topic = std::str::from_utf8(&body[2..2 + length]).unwrap();
    let mut reply = vec![0x40, 2, body[2 + length], body[3 + length]];
    let Some((below, payload)) = answer else { return reply };
    let topic = format!("{topic}/{below}");
    let mut rest = 2 + topic.len() + payload.len();
    reply.push(0x30);
    while rest > 0x7f {
        reply.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    reply.push(u8::try_from(rest).unwrap());
    reply.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
    reply.extend(topic.as_bytes());
    reply.extend(payload);
    reply
}
