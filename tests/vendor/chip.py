"""Asks a chip through Microchip's library: `chip.py BUS ADDRESS`, one call per line on standard input.

A call is a name and its arguments: numbers, and x:HEX for bytes. Each is answered with one line: the name of the
status, then x:HEX or a number if there is a result. The chip is on /dev/i2c-BUS; ADDRESS has eight bits, as the
vendor writes it.
"""
import ctypes
import hashlib
import os
import sys

import cryptoauthlib as cal
from cryptoauthlib.library import get_cryptoauthlib
from cryptoauthlib.status import Status

import aes_modes

# The library itself, for arguments that its Python functions do not let through.
LIBRARY = get_cryptoauthlib()
TEMPKEY = 0xFFFF
ZONES = {"config": 0, "otp": 1, "data": 2}


def status_name(code):
    try:
        return Status(int(code)).name
    except ValueError:
        return f"STATUS_{int(code)}"


def data(length, function, *arguments):
    """A call whose last argument takes the result."""
    result = bytearray(length)
    return function(*arguments, result), bytes(result)


def number(function, *arguments):
    """A call whose last argument takes a number."""
    result = cal.AtcaReference(0)
    return function(*arguments, result), result.value


def plain(function, *arguments):
    return function(*arguments), None


def certificate(size_of, read):
    size = cal.AtcaReference(0)
    status = size_of(size)
    if int(status) != 0:
        return status, None
    der = bytearray()
    status = read(der, size)
    return status, bytes(der)


class Buffer(ctypes.Structure):
    """The library's cal_buffer."""

    _fields_ = [("length", ctypes.c_size_t), ("bytes", ctypes.c_char_p)]


def signer_certificate_under(root_public_key):
    """The signer certificate by the TNG definition, but issued by a root with this key."""
    library = get_cryptoauthlib()
    # The symbol is the definition itself, whose fields do not matter here.
    definition = ctypes.c_char.in_dll(library, "g_tngtls_cert_def_1_signer")
    root = Buffer(len(root_public_key), root_public_key)
    der = ctypes.create_string_buffer(1024)
    size = ctypes.c_size_t(len(der))
    status = library.atcacert_read_cert(
        ctypes.byref(definition), ctypes.byref(root), der, ctypes.byref(size)
    )
    return status, der.raw[: size.value]


def kdf(mode, key_id, details, message):
    """64 bytes of output, of which fewer may be used, and 32 of nonce."""
    out, nonce = bytearray(64), bytearray(32)
    status = cal.atcab_kdf(mode, key_id, details, message, out, nonce)
    return status, bytes(out) + bytes(nonce)


def prove(slot, key):
    """CheckMac: shows the chip that the key of `slot` is known, over a random nonce (mode 1)."""
    number_in, random, serial = bytes(20), bytearray(32), bytearray(9)
    for status in (cal.atcab_read_serial_number(serial), cal.atcab_nonce_rand(number_in, random)):
        if int(status) != 0:
            return status, None
    nonce = hashlib.sha256(bytes(random) + number_in + b"\x16\x00\x00").digest()
    other = bytes(13)
    message = key + nonce + other[:4] + bytes(8) + other[4:7] + serial[8:] + other[7:11] + serial[:2] + other[11:]
    return cal.atcab_checkmac(1, slot, bytes(32), hashlib.sha256(message).digest(), other), None


CALLS = {
    "info": lambda: data(4, cal.atcab_info),
    "latch": lambda: number(cal.atcab_info_get_latch),
    "serial": lambda: data(9, cal.atcab_read_serial_number),
    "random": lambda: data(32, cal.atcab_random),
    "selftest": lambda mode: number(cal.atcab_selftest, mode, 0),
    "config": lambda: data(128, cal.atcab_read_config_zone),
    "is_locked": lambda zone: number(cal.atcab_is_locked, zone),
    "is_slot_locked": lambda slot: number(cal.atcab_is_slot_locked, slot),
    "pubkey": lambda slot: data(64, cal.atcab_get_pubkey, slot),
    "genkey": lambda slot: data(64, cal.atcab_genkey, slot),
    "read_pubkey": lambda slot: data(64, cal.atcab_read_pubkey, slot),
    "sign": lambda slot, digest: data(64, cal.atcab_sign, slot, digest),
    "verify": lambda digest, signature, key: number(cal.atcab_verify_extern, digest, signature, key),
    "verify_stored": lambda digest, signature, slot: number(cal.atcab_verify_stored, digest, signature, slot),
    "ecdh": lambda slot, key: data(32, cal.atcab_ecdh, slot, key),
    "ecdh_protected": lambda slot, key, io_key: data(32, lambda pms: cal.atcab_ecdh_ioenc(slot, key, pms, io_key)),
    "sha": lambda message: data(32, cal.atcab_sha, len(message), message),
    "hmac_tempkey": lambda message: data(
        32, lambda digest: cal.atcab_sha_hmac(message, len(message), TEMPKEY, digest, 0xC0)
    ),
    "load_tempkey": lambda value: plain(cal.atcab_nonce_load, 0, value, len(value)),
    "nonce_random": lambda value: data(32, cal.atcab_nonce_rand, value),
    "aes_encrypt": lambda slot, block, text: data(16, cal.atcab_aes_encrypt, slot, block, text),
    "aes_decrypt": lambda slot, block, text: data(16, cal.atcab_aes_decrypt, slot, block, text),
    "counter": lambda counter: number(cal.atcab_counter_read, counter),
    "count": lambda counter: number(cal.atcab_counter_increment, counter),
    "kdf": kdf,
    "mac": lambda mode, slot, challenge: data(32, cal.atcab_mac, mode, slot, challenge),
    "checkmac": lambda mode, slot, challenge, response, other: plain(
        cal.atcab_checkmac, mode, slot, challenge, response, other
    ),
    "prove": prove,
    "hmac_slot": lambda slot, message: data(
        32, lambda digest: cal.atcab_sha_hmac(message, len(message), slot, digest, 0xC0)
    ),
    # The command HMAC of earlier chips.
    "hmac_command": lambda mode, slot: data(32, cal.atcab_hmac, mode, slot),
    "nonce": lambda mode, zero, value: data(32, cal.atcab_nonce_base, mode, zero, value),
    "gendig": lambda zone, key_id, other: plain(cal.atcab_gendig, zone, key_id, other, len(other)),
    "derive_key": lambda mode, slot: (LIBRARY.atcab_derivekey(mode, slot, None), None),
    "derive_key_with_mac": lambda mode, slot, mac: plain(cal.atcab_derivekey, mode, slot, mac),
    "priv_write": lambda slot, key, write_slot, write_key: plain(
        cal.atcab_priv_write, slot, key, write_slot, write_key
    ),
    "priv_write_in_clear": lambda slot, key: (LIBRARY.atcab_priv_write(slot, key, 0, None, bytes(20)), None),
    "write_pubkey": lambda slot, key: plain(cal.atcab_write_pubkey, slot, key),
    "genkey_digest": lambda mode, slot, other: plain(cal.atcab_genkey_base, mode, slot, other),
    "genkey_ephemeral": lambda: data(64, lambda key: cal.atcab_genkey_base(0x04, TEMPKEY, bytes(3), key)),
    "ecdh_tempkey": lambda key: data(32, cal.atcab_ecdh_tempkey, key),
    "ecdh_tempkey_protected": lambda key, io_key: data(
        32, lambda pms: cal.atcab_ecdh_tempkey_ioenc(key, pms, io_key)
    ),
    "ecdh_stored": lambda slot, key, read_key, read_slot: data(
        32, lambda pms: cal.atcab_ecdh_enc(slot, key, pms, read_key, read_slot)
    ),
    "sign_internal": lambda slot, invalidates, has_serial: data(
        64, cal.atcab_sign_internal, slot, bool(invalidates), bool(has_serial)
    ),
    "verify_mac": lambda digest, signature, key, nonce, io_key: number(
        cal.atcab_verify_extern_mac, digest, signature, key, nonce, io_key
    ),
    "verify_stored_mac": lambda digest, signature, slot, nonce, io_key: number(
        cal.atcab_verify_stored_mac, digest, signature, slot, nonce, io_key
    ),
    "validate": lambda slot, signature, other: number(cal.atcab_verify_validate, slot, signature, other),
    "invalidate": lambda slot, signature, other: number(cal.atcab_verify_invalidate, slot, signature, other),
    "secure_boot": lambda mode, digest, signature: (
        LIBRARY.atcab_secureboot(mode, 0, digest, signature, ctypes.create_string_buffer(32)),
        None,
    ),
    "secure_boot_protected": lambda mode, digest, signature, io_key: number(
        cal.atcab_secureboot_mac, mode, digest, signature, bytes(range(20)), io_key
    ),
    # Between calls the library leaves the chip idle: deaf, and with its memory.
    "sleep": lambda: (LIBRARY.atcab_wakeup() or LIBRARY.atcab_sleep(), None),
    "update_extra": lambda mode, value: plain(cal.atcab_updateextra, mode, value),
    "set_latch": lambda state: plain(cal.atcab_info_set_latch, state),
    "write_config_counter": lambda counter, value: plain(cal.atcab_write_config_counter, counter, value),
    "read": lambda slot, offset, length: data(
        length, lambda out: cal.atcab_read_bytes_zone(ZONES["data"], slot, offset, out, length)
    ),
    "write": lambda slot, offset, value: plain(
        cal.atcab_write_bytes_zone, ZONES["data"], slot, offset, value, len(value)
    ),
    "read_encrypted": lambda slot, block, key, key_slot: data(
        32, lambda out: cal.atcab_read_enc(slot, block, out, key, key_slot)
    ),
    "write_encrypted": lambda slot, block, value, key, key_slot: plain(
        cal.atcab_write_enc, slot, block, value, key, key_slot
    ),
    "write_config": lambda zone: plain(cal.atcab_write_config_zone, zone),
    "lock_config": lambda: plain(cal.atcab_lock_config_zone),
    "lock_data": lambda: plain(cal.atcab_lock_data_zone),
    "lock_slot": lambda slot: plain(cal.atcab_lock_data_slot, slot),
    "device_certificate": lambda: certificate(
        cal.tng_atcacert_max_device_cert_size, cal.tng_atcacert_read_device_cert
    ),
    "signer_certificate": lambda: certificate(
        cal.tng_atcacert_max_signer_cert_size, cal.tng_atcacert_read_signer_cert
    ),
    "signer_certificate_under": signer_certificate_under,
} | aes_modes.CALLS


def argument(text):
    return bytes.fromhex(text[2:]) if text.startswith("x:") else int(text, 0)


def answer(status, result):
    if isinstance(result, bytes):
        return f"{status_name(status)} x:{result.hex()}"
    return status_name(status) if result is None else f"{status_name(status)} {int(result)}"


def main():
    # The one in the package, and not another that the system may have.
    loaded = get_cryptoauthlib()._name
    if os.path.dirname(loaded) != os.path.dirname(cal.__file__):
        sys.exit(f"the library that was loaded is {loaded}")
    configuration = cal.cfg_ateccx08a_i2c_default()
    configuration.devtype = int(cal.ATCADeviceType.ATECC608)
    configuration.cfg.atcai2c.bus = int(sys.argv[1])
    configuration.cfg.atcai2c.address = int(sys.argv[2], 0)
    configuration.cfg.atcai2c.baud = 100_000
    status = cal.atcab_init(configuration)
    if int(status) != 0:
        sys.exit(f"atcab_init: {status_name(status)}")
    for line in sys.stdin:
        name, *arguments = line.split()
        print(answer(*CALLS[name](*map(argument, arguments))), flush=True)
    cal.atcab_release()


if __name__ == "__main__":
    main()
