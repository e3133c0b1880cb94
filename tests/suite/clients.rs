//! The pages of docs/clients are true: each one's commands run as they are pasted, against real servers.

mod aws_sdk;
mod cryptoki;
mod curl;
mod gnutls;
mod java;
mod mosquitto;
mod nginx;
mod node;
mod nss;
mod opensc;
mod openssl;
mod openssl_provider;
mod p11_kit;
mod page;
mod python;
mod ssh;
mod stunnel;
mod wpa_supplicant;
