"""Modes of AES that Microchip's library makes of the chip's AES command, with a key in a slot.

The context structures of the Python package are not those of the library in it, so a context is a piece of memory
here that is large enough for any of them.
"""
import ctypes

from cryptoauthlib.library import get_cryptoauthlib

LIBRARY = get_cryptoauthlib()
BLOCK = 16


class Failure(Exception):
    """A status other than success."""


def context():
    return ctypes.create_string_buffer(1024)


def checked(status):
    if int(status) != 0:
        raise Failure(int(status))


def answered(mode):
    """A call of `mode` that gives status and result."""

    def call(*arguments):
        try:
            return 0, mode(*arguments)
        except Failure as failure:
            return failure.args[0], None

    return call


def blocks(step, ctx, text):
    """`step` for each block of `text`, which is a whole number of them."""
    result = b""
    for at in range(0, len(text), BLOCK):
        out = ctypes.create_string_buffer(BLOCK)
        checked(step(ctx, text[at : at + BLOCK], out))
        result += out.raw
    return result


def cbc(encrypts, slot, block, vector, text):
    ctx = context()
    checked(LIBRARY.atcab_aes_cbc_init(ctx, slot, block, vector))
    step = LIBRARY.atcab_aes_cbc_encrypt_block if encrypts else LIBRARY.atcab_aes_cbc_decrypt_block
    return blocks(step, ctx, text)


def ctr(slot, block, vector, text):
    ctx = context()
    # The last four bytes count.
    checked(LIBRARY.atcab_aes_ctr_init(ctx, slot, block, 4, vector))
    return blocks(LIBRARY.atcab_aes_ctr_encrypt_block, ctx, text)


def cmac(slot, block, message):
    ctx, mac = context(), ctypes.create_string_buffer(BLOCK)
    checked(LIBRARY.atcab_aes_cmac_init(ctx, slot, block))
    checked(LIBRARY.atcab_aes_cmac_update(ctx, message, len(message)))
    checked(LIBRARY.atcab_aes_cmac_finish(ctx, mac, BLOCK))
    return mac.raw


def gcm_encrypt(slot, block, vector, additional, text):
    """The ciphertext and the tag behind it."""
    ctx, out, tag = context(), ctypes.create_string_buffer(len(text)), ctypes.create_string_buffer(BLOCK)
    checked(LIBRARY.atcab_aes_gcm_init(ctx, slot, block, vector, len(vector)))
    checked(LIBRARY.atcab_aes_gcm_aad_update(ctx, additional, len(additional)))
    checked(LIBRARY.atcab_aes_gcm_encrypt_update(ctx, text, len(text), out))
    checked(LIBRARY.atcab_aes_gcm_encrypt_finish(ctx, tag, BLOCK))
    return out.raw + tag.raw


def gcm_decrypt(slot, block, vector, additional, text, tag):
    """The text, and behind it 1 if the tag is right and 0 if not."""
    ctx, out, is_right = context(), ctypes.create_string_buffer(len(text)), ctypes.c_bool(False)
    checked(LIBRARY.atcab_aes_gcm_init(ctx, slot, block, vector, len(vector)))
    checked(LIBRARY.atcab_aes_gcm_aad_update(ctx, additional, len(additional)))
    checked(LIBRARY.atcab_aes_gcm_decrypt_update(ctx, text, len(text), out))
    checked(LIBRARY.atcab_aes_gcm_decrypt_finish(ctx, tag, len(tag), ctypes.byref(is_right)))
    return out.raw + bytes([is_right.value])


def ccm_encrypt(slot, block, vector, additional, text, tag_length):
    """The ciphertext and the tag behind it."""
    ctx, out, tag = context(), ctypes.create_string_buffer(len(text)), ctypes.create_string_buffer(BLOCK)
    size = ctypes.c_uint8(tag_length)
    lengths = [ctypes.c_size_t(length) for length in (len(vector), len(additional), len(text), tag_length)]
    checked(LIBRARY.atcab_aes_ccm_init(ctx, slot, block, vector, *lengths))
    checked(LIBRARY.atcab_aes_ccm_aad_update(ctx, additional, len(additional)))
    checked(LIBRARY.atcab_aes_ccm_aad_finish(ctx))
    checked(LIBRARY.atcab_aes_ccm_encrypt_update(ctx, text, len(text), out))
    checked(LIBRARY.atcab_aes_ccm_encrypt_finish(ctx, tag, ctypes.byref(size)))
    return out.raw + tag.raw[: size.value]


def gfm(h, text):
    out = ctypes.create_string_buffer(BLOCK)
    checked(LIBRARY.atcab_aes_gfm(h, text, out))
    return out.raw


CALLS = {
    "aes_cbc_encrypt": answered(lambda *arguments: cbc(True, *arguments)),
    "aes_cbc_decrypt": answered(lambda *arguments: cbc(False, *arguments)),
    "aes_ctr": answered(ctr),
    "aes_cmac": answered(cmac),
    "aes_gcm_encrypt": answered(gcm_encrypt),
    "aes_gcm_decrypt": answered(gcm_decrypt),
    "aes_ccm_encrypt": answered(ccm_encrypt),
    "gfm": answered(gfm),
}
