"""Times Microchip's library: `bench.py BUS ADDRESS`, one call per line on standard input.

Calls are those of chip.py, and the ones below. Each is answered with one line: the name of the status, and how many
nanoseconds the call took.
"""
import sys
import time

import cryptoauthlib as cal

import chip

MESSAGE_DIGEST_BUFFER = 0x40
SIGN_EXTERNAL_FROM_MESSAGE_DIGEST_BUFFER = 0xA0


def first_failure(*steps):
    """The status of the first step that fails, or of the last."""
    status = 0
    for step in steps:
        status = step()
        if int(status) != 0:
            break
    return status, None


def open_chip():
    return first_failure(lambda: cal.atcab_init(configuration), lambda: cal.atcab_read_config_zone(bytearray(128)))


def sign_without_random(slot, digest):
    return first_failure(
        lambda: cal.atcab_nonce_load(MESSAGE_DIGEST_BUFFER, digest, len(digest)),
        lambda: cal.atcab_sign_base(SIGN_EXTERNAL_FROM_MESSAGE_DIGEST_BUFFER, slot, bytearray(64)),
    )


def certificates():
    return first_failure(
        lambda: chip.CALLS["device_certificate"]()[0],
        lambda: chip.CALLS["signer_certificate"]()[0],
    )


CALLS = chip.CALLS | {
    "open": open_chip,
    "sign_without_random": sign_without_random,
    "certificates": certificates,
}

configuration = cal.cfg_ateccx08a_i2c_default()
configuration.devtype = int(cal.ATCADeviceType.ATECC608)
configuration.cfg.atcai2c.bus = int(sys.argv[1])
configuration.cfg.atcai2c.address = int(sys.argv[2], 0)
configuration.cfg.atcai2c.baud = 100_000


def main():
    for line in sys.stdin:
        name, *arguments = line.split()
        arguments = [chip.argument(text) for text in arguments]
        if name == "open":
            # The one before, which costs nothing.
            cal.atcab_release()
        start = time.perf_counter_ns()
        status, _ = CALLS[name](*arguments)
        took = time.perf_counter_ns() - start
        print(chip.status_name(status), took, flush=True)
    cal.atcab_release()


if __name__ == "__main__":
    main()
