//! SOCKS 5 (RFC 1928), with user name and password (RFC 1929).

use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use tokio_socks::{Error as SocksError, TargetAddr};

use super::{Destination, Error, Proxy};

/// Has `proxy`, at the other end of `stream`, connect it to `destination`.
pub(super) async fn tunnel(
    stream: TcpStream,
    proxy: &Proxy,
    destination: &Destination,
) -> Result<TcpStream, Error> {
    let target = match destination.address() {
        Some(address) => TargetAddr::Ip((address, destination.port()).into()),
        None => TargetAddr::Domain(destination.host().to_owned().into(), destination.port()),
    };
    let connected = match proxy.login()? {
        None => Socks5Stream::connect_with_socket(stream, target).await,
        Some((user, password)) => {
            let password = password.expose_secret();
            Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
        }
    };
    connected.map(Socks5Stream::into_inner).map_err(|error| explain(&error, proxy, destination))
}

fn explain(error: &SocksError, proxy: &Proxy, destination: &Destination) -> Error {
    let name = proxy.to_string();
    match error {
        SocksError::PasswordAuthFailure(_) => {
            Error::ProxyLogin { proxy: name, problem: "it does not accept this user and password".to_owned() }
        }
        SocksError::NoAcceptableAuthMethods | SocksError::UnknownAuthMethod => Error::ProxyLogin {
            proxy: name,
            problem: "it wants another way to log in than it is offered".to_owned(),
        },
        SocksError::InvalidAuthValues(problem) => {
            Error::ProxyLogin { proxy: name, problem: (*problem).to_owned() }
        }
        SocksError::GeneralSocksServerFailure
        | SocksError::ConnectionNotAllowedByRuleset
        | SocksError::NetworkUnreachable
        | SocksError::HostUnreachable
        | SocksError::ConnectionRefused
        | SocksError::TtlExpired
        | SocksError::CommandNotSupported
        | SocksError::AddressTypeNotSupported => Error::ProxyRefused {
            proxy: name,
            destination: destination.to_string(),
            answer: error.to_string(),
        },
        other => Error::ProxyAnswer { proxy: name, problem: other.to_string() },
    }
}
