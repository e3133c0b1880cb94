//! What each command looks like on the wire. The bytes were put together from the data sheets' tables, with
//! their checksum, apart from this driver.

use super::*;
use crate::irreversible::{
    ChangesValidity, IncrementsCounter, Irreversible, LocksConfigurationZone, LocksDataZone, LocksSlot,
    OverwritesData, OverwritesKey, SetsByteForEver,
};

fn overwrites_key() -> Irreversible<OverwritesKey> {
    Irreversible::i_understand(OverwritesKey)
}

fn overwrites_data() -> Irreversible<OverwritesData> {
    Irreversible::i_understand(OverwritesData)
}

fn sets_byte() -> Irreversible<SetsByteForEver> {
    Irreversible::i_understand(SetsByteForEver)
}

fn check<C: Command>(command: &C, wire: &str) {
    let hex: std::string::String =
        command.packet().as_bytes().iter().map(|byte| std::format!("{byte:02x}")).collect();
    assert_eq!(hex, wire, "{:?}", command.packet());
    // A far end, which knows the bytes only, is right about the result or does not say.
    let received = Packet::parse(command.packet().as_bytes()).unwrap();
    assert!(received.response_data().is_none_or(|length| Some(length) == command.packet().response_data()));
    assert_eq!(name(C::OPCODE), C::NAME);
    // Modes of one command may have typical times of their own.
    assert_eq!(ExecutionTime::of(C::OPCODE).longest_ms, C::EXECUTION_TIME.longest_ms);
}

#[test]
fn aes_on_the_wire() {
    check(
        &AesEncrypt {
            key: AesKey::Slot { slot: slot(9), position: AesKeyPosition::Third },
            block: &bytes(0x10),
        },
        "1751800900101112131415161718191a1b1c1d1e1f812b",
    );
    check(
        &AesEncrypt { key: AesKey::TempKey, block: &bytes(0x10) },
        "175100ffff101112131415161718191a1b1c1d1e1fa4fa",
    );
    check(
        &AesDecrypt {
            key: AesKey::Slot { slot: slot(9), position: AesKeyPosition::Fourth },
            block: &bytes(0x10),
        },
        "1751c10900101112131415161718191a1b1c1d1e1f4d3f",
    );
    check(
        &AesGfm { h: &bytes(0x20), input: &bytes(0x10) },
        "2751030000202122232425262728292a2b2c2d2e2f101112131415161718191a1b1c1d1e1fd1f4",
    );
}

#[test]
fn checkmac_on_the_wire() {
    check(
        &CheckMac {
            input: MacInput::KeyAndChallenge { key: slot(5), challenge: &bytes(0x00) },
            response: &bytes(0xc0),
            other_data: &bytes(0xa0),
        },
        "5428000500000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfa0a1a2a3a4a5a6a7a8a9aaabacf383",
    );
    check(
        &CheckMac {
            input: MacInput::KeyAndTempKey { key: slot(5), origin: NonceOrigin::Fixed },
            response: &bytes(0xc0),
            other_data: &bytes(0xa0),
        },
        "54280505000000000000000000000000000000000000000000000000000000000000000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfa0a1a2a3a4a5a6a7a8a9aaabacd4a8",
    );
}

#[test]
fn counter_on_the_wire() {
    check(&CounterRead { counter: CounterId::Counter1 }, "0724000100057d");
    check(
        &CounterIncrement {
            counter: CounterId::Counter0,
            consent: Irreversible::i_understand(IncrementsCounter),
        },
        "07240100000f77",
    );
}

#[test]
fn derivekey_on_the_wire() {
    check(
        &DeriveKey { target: slot(3), origin: NonceOrigin::Fixed, mac: None, consent: overwrites_key() },
        "071c04030086cf",
    );
    check(
        &DeriveKey {
            target: slot(3),
            origin: NonceOrigin::Random,
            mac: Some(&bytes(0xc0)),
            consent: overwrites_key(),
        },
        "271c000300c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfa465",
    );
}

#[test]
fn ecdh_on_the_wire() {
    check(
        &Ecdh { key: EcdhKey::Slot(slot(2)), peer: &key() },
        "47430c0200404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f1e2b",
    );
    check(
        &Ecdh { key: EcdhKey::TempKey, peer: &key() },
        "47430d0000404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f3606",
    );
    check(
        &EcdhProtected { key: EcdhKey::Slot(slot(2)), peer: &key() },
        "47430e0200404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f03bf",
    );
    check(
        &EcdhProtected { key: EcdhKey::TempKey, peer: &key() },
        "47430f0000404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f2b92",
    );
    check(
        &EcdhToTempKey { key: EcdhKey::Slot(slot(2)), peer: &key() },
        "4743080200404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f12a1",
    );
    check(
        &EcdhToTempKey { key: EcdhKey::TempKey, peer: &key() },
        "4743090000404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f3a8c",
    );
    check(
        &EcdhToSlot { target: slot(9), peer: &key(), consent: overwrites_key() },
        "4743050900404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f5d48",
    );
}

#[test]
fn gendig_on_the_wire() {
    check(&GenDig { source: GenDigSource::Configuration { block: 2 } }, "0715000200350d");
    check(&GenDig { source: GenDigSource::Otp { block: 1 } }, "07150101003987");
    check(&GenDig { source: GenDigSource::Data(slot(6)) }, "0b150206001502060093ec");
    check(
        &GenDig { source: GenDigSource::SharedNonce { nonce: &bytes(0xc0), temp_key_first: false } },
        "2715030000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf8588",
    );
    check(
        &GenDig { source: GenDigSource::SharedNonce { nonce: &bytes(0xc0), temp_key_first: true } },
        "2715030080c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfea08",
    );
    check(&GenDig { source: GenDigSource::Counter(CounterId::Counter1) }, "0715040100b98f");
    check(&GenDig { source: GenDigSource::KeyConfig(slot(11)) }, "0715050b00bf65");
}

#[test]
fn genkey_on_the_wire() {
    check(&GenKeyPublic { key: slot(3) }, "07400003000f05");
    check(&GenKeyPublicDigest { key: slot(3) }, "07400803004c84");
    check(&GenKeyPrivate { key: slot(3), consent: overwrites_key() }, "07400403008c87");
    check(&GenKeyEphemeral, "0a4004ffff000000fc27");
    check(&GenKeyStoredDigest { key: slot(14), other_data: &bytes(0xd0) }, "0a40100e00d0d1d278ee");
}

#[test]
fn info_on_the_wire() {
    check(&InfoRevision, "0730000000035d");
    check(&InfoKeyValid { key: slot(4) }, "07300104000397");
    check(&InfoState, "073002000000d8");
    check(&InfoLatch, "073004000080df");
}

#[test]
fn kdf_on_the_wire() {
    check(
        &Kdf {
            function: KdfFunction::Prf {
                message: message(),
                key_length: PrfKeyLength::Bytes48,
                length: PrfLength::TwoBlocks,
            },
            source: KdfSource::TempKey,
            target: KdfTarget::ProtectedOutput,
        },
        "1056140000020100056c6162656c9bac",
    );
    check(
        &Kdf {
            function: KdfFunction::Prf {
                message: message(),
                key_length: PrfKeyLength::Bytes32,
                length: PrfLength::Aead,
            },
            source: KdfSource::AlternateKeyBuffer,
            target: KdfTarget::TempKeyUpper,
        },
        "1056070000010300056c6162656cd0a6",
    );
    check(
        &Kdf {
            function: KdfFunction::Aes { block: &bytes(0x10), key_position: 1 },
            source: KdfSource::Slot(slot(9)),
            target: KdfTarget::Slot(slot(8), overwrites_key()),
        },
        "1b562a090801000000101112131415161718191a1b1c1d1e1f6ce0",
    );
    check(
        &Kdf {
            function: KdfFunction::Hkdf { message: HkdfMessage::Input(message()), zero_key: false },
            source: KdfSource::TempKeyUpper,
            target: KdfTarget::Output,
        },
        "1056510000020000056c6162656c649f",
    );
    check(
        &Kdf {
            function: KdfFunction::Hkdf { message: HkdfMessage::Slot(slot(8)), zero_key: true },
            source: KdfSource::TempKey,
            target: KdfTarget::AlternateKeyBuffer,
        },
        "0b564c00000408000008df",
    );
    check(
        &Kdf {
            function: KdfFunction::Hkdf { message: HkdfMessage::TempKey, zero_key: false },
            source: KdfSource::Slot(slot(5)),
            target: KdfTarget::TempKey,
        },
        "0b5642050001000000d1a9",
    );
}

#[test]
fn lock_on_the_wire() {
    check(
        &LockConfiguration { summary: 0x1234, consent: Irreversible::i_understand(LocksConfigurationZone) },
        "07170034129d64",
    );
    check(
        &LockData { summary: Some(0x5678), consent: Irreversible::i_understand(LocksDataZone) },
        "071701785651c2",
    );
    check(&LockData { summary: None, consent: Irreversible::i_understand(LocksDataZone) }, "07178100003a07");
    check(&LockSlot { slot: slot(13), consent: Irreversible::i_understand(LocksSlot) }, "07173600005e0a");
}

#[test]
fn mac_on_the_wire() {
    check(
        &Mac {
            input: MacInput::KeyAndChallenge { key: slot(5), challenge: &bytes(0x00) },
            include_serial: true,
        },
        "2708400500000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f3243",
    );
    check(
        &Mac {
            input: MacInput::KeyAndTempKey { key: slot(5), origin: NonceOrigin::Random },
            include_serial: false,
        },
        "07080105000ca7",
    );
    check(
        &Mac {
            input: MacInput::TempKeyAndChallenge { origin: NonceOrigin::Fixed, challenge: &bytes(0x00) },
            include_serial: true,
        },
        "2708460000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fab34",
    );
}

#[test]
fn nonce_on_the_wire() {
    check(
        &NonceFixed { target: NonceTarget::TempKey, value: &bytes(0x00) },
        "2716030000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f04ee",
    );
    check(
        &NonceFixed { target: NonceTarget::MessageDigestBuffer, value: &bytes(0x00) },
        "2716430000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fd76c",
    );
    check(
        &NonceFixed { target: NonceTarget::AlternateKeyBuffer, value: &bytes(0x00) },
        "2716830000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f6f6f",
    );
    check(
        &NonceFixed64 { target: NonceTarget64::TempKey, value: &bytes(0x80) },
        "4716230000808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebffaff",
    );
    check(
        &NonceFixed64 { target: NonceTarget64::MessageDigestBuffer, value: &bytes(0x80) },
        "4716630000808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf5957",
    );
    check(&NonceRandom { input: &bytes(0x30) }, "1b16000000303132333435363738393a3b3c3d3e3f40414243519a");
}

#[test]
fn privwrite_on_the_wire() {
    check(
        &PrivWriteEncrypted {
            key: slot(2),
            value: &bytes(0x00),
            mac: &bytes(0xc0),
            consent: &overwrites_key(),
        },
        "4b46400200000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedffad6",
    );
}

#[test]
fn random_on_the_wire() {
    check(&Random, "071b00000024cd");
}

#[test]
fn secureboot_on_the_wire() {
    check(
        &SecureBoot { check: SecureBootCheck::Full(&signature()), digest: &bytes(0x00) },
        "6780050000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf1e55",
    );
    check(
        &SecureBoot { check: SecureBootCheck::Stored, digest: &bytes(0x00) },
        "2780060000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0a5e",
    );
    check(
        &SecureBoot {
            check: SecureBootCheck::FullCopy(&signature(), overwrites_data()),
            digest: &bytes(0x00),
        },
        "6780070000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc43c",
    );
    check(
        &SecureBootProtected { check: &SecureBootCheck::Stored, encrypted_digest: &bytes(0x00) },
        "2780860000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f61df",
    );
}

#[test]
fn selftest_on_the_wire() {
    check(&SelfTest { tests: SelfTests::ALL }, "07773d00001dfc");
    check(&SelfTest { tests: SelfTests::RNG | SelfTests::SHA }, "07772100007e7f");
}

#[test]
fn sha_on_the_wire() {
    check(&ShaStart, "07470000002e85");
    check(&ShaHmacStart { key: HmacKey::Slot(slot(5)) }, "0747040500a7c7");
    check(&ShaHmacStart { key: HmacKey::TempKey }, "074704ffffa087");
    check(
        &ShaUpdate { chunk: ShaChunk::new(&bytes::<64>(0x80)).unwrap() },
        "4747014000808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf4315",
    );
    check(&ShaPublic { key: slot(11) }, "0747030b00226a");
    check(
        &ShaEnd { chunk: ShaChunk::new(b"label").unwrap(), target: ShaTarget::MessageDigestBuffer },
        "0c474205006c6162656cce40",
    );
    check(&ShaEnd { chunk: ShaChunk::new(b"").unwrap(), target: ShaTarget::OutputOnly }, "0747c200001100");
    check(&ShaReadContext, "0747060000ae82");
    check(
        &ShaWriteContext { context: &bytes(0x50) },
        "2f47072800505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f70717273747576773b8f",
    );
}

#[test]
fn sign_on_the_wire() {
    check(&SignExternal { key: slot(0), source: DigestSource::TempKey }, "07418000002805");
    check(&SignExternal { key: slot(2), source: DigestSource::MessageDigestBuffer }, "0741a002007d05");
    check(&SignInternal { key: slot(1), include_serial: true, for_invalidation: false }, "07414001001d85");
    check(&SignInternal { key: slot(1), include_serial: false, for_invalidation: true }, "0741010100358f");
}

#[test]
fn updateextra_on_the_wire() {
    check(&UpdateExtra { byte: ExtraByte::UserExtra, value: 0x5a, consent: sets_byte() }, "0720005a000521");
    check(
        &UpdateExtra { byte: ExtraByte::UserExtraAdd, value: 0x6c, consent: sets_byte() },
        "0720016c000343",
    );
}

#[test]
fn verify_on_the_wire() {
    check(
        &VerifyExternal { source: DigestSource::TempKey, signature: &signature(), public_key: &key() },
        "8745020400808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f1702",
    );
    check(
        &VerifyStored { source: DigestSource::MessageDigestBuffer, signature: &signature(), key: slot(11) },
        "4745200b00808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf15cc",
    );
    check(
        &VerifyWithMac { signature: &signature(), key: VerifyKey::Stored(slot(11)) },
        "4745a00b00808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf4658",
    );
    check(
        &VerifyWithMac { signature: &signature(), key: VerifyKey::External(&key()) },
        "8745a20400808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7fcf07",
    );
    check(
        &VerifyValidity {
            key: slot(14),
            validity: Validity::Valid,
            signature: &signature(),
            other_data: &bytes(0xb0),
            consent: Irreversible::i_understand(ChangesValidity),
        },
        "5a45030e00808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c22375",
    );
    check(
        &VerifyValidity {
            key: slot(14),
            validity: Validity::Invalid,
            signature: &signature(),
            other_data: &bytes(0xb0),
            consent: Irreversible::i_understand(ChangesValidity),
        },
        "5a45070e00808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2dcb2",
    );
}

#[test]
fn write_on_the_wire() {
    check(
        &Write {
            zone: Zone::Data(slot(8)),
            address: Address { block: 3, word: 0 },
            data: WriteData::Block(&bytes(0x00)),
            consent: &overwrites_data(),
        },
        "2712824003000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f82ae",
    );
    check(
        &Write {
            zone: Zone::Data(slot(9)),
            address: Address { block: 2, word: 1 },
            data: WriteData::Word(&bytes(0x00)),
            consent: &overwrites_data(),
        },
        "0b1202490200010203b8ed",
    );
    check(
        &Write {
            zone: Zone::Otp,
            address: Address { block: 1, word: 0 },
            data: WriteData::Block(&bytes(0x00)),
            consent: &overwrites_data(),
        },
        "2712810800000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f9675",
    );
    check(
        &WriteEncrypted {
            slot: slot(5),
            block: 1,
            data: &bytes(0x00),
            mac: &bytes(0xc0),
            consent: &overwrites_data(),
        },
        "4712c22801000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe6ec",
    );
}
