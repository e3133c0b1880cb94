"""Reaches a chip through Microchip's library and its kit protocol over a serial port: `kit.py PORT DIGEST`.

Prints the revision, the serial number, the public key of slot 0, a signature over the digest, and the device
certificate, each as a name and hexadecimal bytes on a line of its own.
"""
import ctypes
import sys

import cryptoauthlib as cal
from cryptoauthlib.iface import ATCADeviceType, ATCAIfaceCfg, ATCAIfaceType, ATCAKitType


def main(port, digest):
    path = ctypes.create_string_buffer(port.encode())
    config = ATCAIfaceCfg()
    config.iface_type = int(ATCAIfaceType.ATCA_UART_IFACE)
    config.devtype = int(ATCADeviceType.ATECC608)
    uart = config.cfg.atcauart
    uart.dev_interface = int(ATCAKitType.ATCA_KIT_I2C_IFACE)
    uart.dev_identity = 0x6A
    uart.baud, uart.wordsize, uart.parity, uart.stopbits = 115200, 8, 2, 1
    config.wake_delay, config.rx_retries = 1500, 1
    config.cfg_data = ctypes.cast(path, ctypes.c_void_p)
    check("init", cal.atcab_init(config))
    show("revision", 4, cal.atcab_info)
    show("serial", 9, cal.atcab_read_serial_number)
    show("key", 64, lambda key: cal.atcab_get_pubkey(0, key))
    show("signature", 64, lambda signature: cal.atcab_sign(0, digest, signature))
    size = cal.AtcaReference(0)
    check("certificate", cal.tng_atcacert_max_device_cert_size(size))
    der = bytearray(size.value)
    check("certificate", cal.tng_atcacert_read_device_cert(der, size))
    print("certificate", bytes(der[: size.value]).hex())
    check("release", cal.atcab_release())


def show(name, length, call):
    data = bytearray(length)
    check(name, call(data))
    print(name, data.hex())


def check(name, status):
    if int(status) != 0:
        sys.exit(f"{name}: status 0x{int(status) & 0xff:02x}")


if __name__ == "__main__":
    main(sys.argv[1], bytes.fromhex(sys.argv[2]))
