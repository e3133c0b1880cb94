/* AES and HMAC with keys that the application brings, against published numbers: NIST SP 800-38A (appendix F), SP 800-38B
 * (appendix D.1) and RFC 4231. Usage: ciphers MODULE; ATECC_DEVICE names the chip. */
#include "check.h"

static CK_BYTE key[] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
static CK_BYTE plain[32] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a,
                             0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51 };
static CK_BYTE iv[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static CK_AES_CTR_PARAMS ctr = { 128, { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd,
                                        0xfe, 0xff } };
static CK_GCM_PARAMS gcm = { iv, 12, 96, plain, 20, 128 };

static struct {
    CK_MECHANISM mechanism;
    /* The first bytes of the ciphertext of `plain`, where the documents give them, and its length. */
    CK_BYTE begins[4];
    CK_ULONG known, length;
} modes[] = {
    { { CKM_AES_ECB, NULL, 0 }, { 0x3a, 0xd7, 0x7b, 0xb4 }, 4, 32 },
    { { CKM_AES_CBC, iv, sizeof iv }, { 0x76, 0x49, 0xab, 0xac }, 4, 32 },
    { { CKM_AES_CBC_PAD, iv, sizeof iv }, { 0x76, 0x49, 0xab, 0xac }, 4, 48 },
    { { CKM_AES_CTR, &ctr, sizeof ctr }, { 0x87, 0x4d, 0x61, 0x91 }, 4, 32 },
    { { CKM_AES_GCM, &gcm, sizeof gcm }, { 0 }, 0, 48 },
};

static CK_OBJECT_HANDLE bring(CK_SESSION_HANDLE session, CK_KEY_TYPE type, void *value, CK_ULONG length)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof class },
                                { CKA_KEY_TYPE, &type, sizeof type },
                                { CKA_VALUE, value, length } };
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;

    OK(p11->C_CreateObject(session, template, COUNT(template), &made));
    return made;
}

/* In one part, with all that section 5.2 says about buffers. */
static CK_ULONG encrypt(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE aes, CK_BYTE out[64])
{
    CK_ULONG length = 0;

    OK(p11->C_EncryptInit(session, mechanism, aes));
    RETURNS(p11->C_EncryptInit(session, mechanism, aes), CKR_OPERATION_ACTIVE);
    OK(p11->C_Encrypt(session, plain, sizeof plain, NULL, &length));
    length--;
    RETURNS(p11->C_Encrypt(session, plain, sizeof plain, out, &length), CKR_BUFFER_TOO_SMALL);
    OK(p11->C_Encrypt(session, plain, sizeof plain, out, &length));
    RETURNS(p11->C_Encrypt(session, plain, sizeof plain, out, &length), CKR_OPERATION_NOT_INITIALIZED);
    return length;
}

/* Parts of 5, 20 and 7 bytes give what one part gives, each way. */
static void in_parts(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE aes, CK_BYTE *whole, CK_ULONG length)
{
    CK_BYTE out[64];
    CK_ULONG done = 0, room, cuts[] = { 0, 5, 25, 32 };

    OK(p11->C_EncryptInit(session, mechanism, aes));
    for (size_t i = 0; i + 1 < COUNT(cuts); i++) {
        room = sizeof out - done;
        OK(p11->C_EncryptUpdate(session, plain + cuts[i], cuts[i + 1] - cuts[i], out + done, &room));
        done += room;
    }
    room = sizeof out - done;
    OK(p11->C_EncryptFinal(session, out + done, &room));
    CHECK(done + room == length && !memcmp(out, whole, length));

    done = 0;
    OK(p11->C_DecryptInit(session, mechanism, aes));
    for (CK_ULONG at = 0; at < length; at += 6) {
        room = sizeof out - done;
        OK(p11->C_DecryptUpdate(session, whole + at, length - at < 6 ? length - at : 6, out + done, &room));
        done += room;
    }
    room = sizeof out - done;
    OK(p11->C_DecryptFinal(session, out + done, &room));
    CHECK(done + room == sizeof plain && !memcmp(out, plain, sizeof plain));
}

static void every_mode(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE aes)
{
    for (size_t i = 0; i < COUNT(modes); i++) {
        CK_BYTE out[64], back[64];
        CK_ULONG length = encrypt(session, &modes[i].mechanism, aes, out), room = sizeof plain;

        CHECK(length == modes[i].length && !memcmp(out, modes[i].begins, modes[i].known));
        OK(p11->C_DecryptInit(session, &modes[i].mechanism, aes));
        OK(p11->C_Decrypt(session, out, length, back, &room));
        CHECK(room == sizeof plain && !memcmp(back, plain, sizeof plain));
        in_parts(session, &modes[i].mechanism, aes, out, length);
    }
}

static void what_was_changed_is_refused(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE aes)
{
    CK_MECHANISM *tagged = &modes[4].mechanism, *padded = &modes[2].mechanism, *blocks = &modes[1].mechanism;
    CK_BYTE out[64], back[64];
    CK_ULONG length = encrypt(session, tagged, aes, out), room = sizeof back;

    out[3] ^= 1;
    OK(p11->C_DecryptInit(session, tagged, aes));
    RETURNS(p11->C_Decrypt(session, out, length, back, &room), CKR_ENCRYPTED_DATA_INVALID);
    length = encrypt(session, padded, aes, out);
    out[31] ^= 1;
    OK(p11->C_DecryptInit(session, padded, aes));
    RETURNS(p11->C_Decrypt(session, out, length, back, &room), CKR_ENCRYPTED_DATA_INVALID);
    OK(p11->C_DecryptInit(session, padded, aes));
    RETURNS(p11->C_Decrypt(session, out, 15, back, &room), CKR_ENCRYPTED_DATA_LEN_RANGE);
    OK(p11->C_EncryptInit(session, blocks, aes));
    RETURNS(p11->C_Encrypt(session, plain, 17, out, &room), CKR_DATA_LEN_RANGE);
}

/* A counter of one bit has two values; a third block would meet the first again. */
static void a_counter_does_not_come_again(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE aes)
{
    CK_AES_CTR_PARAMS one_bit = { 1, { 0 } };
    CK_MECHANISM mechanism = { CKM_AES_CTR, &one_bit, sizeof one_bit };
    CK_BYTE data[33] = { 0 }, out[33];
    CK_ULONG room = sizeof out;

    OK(p11->C_EncryptInit(session, &mechanism, aes));
    OK(p11->C_Encrypt(session, data, 32, out, &room));
    OK(p11->C_EncryptInit(session, &mechanism, aes));
    room = sizeof out;
    RETURNS(p11->C_Encrypt(session, data, 33, out, &room), CKR_DATA_LEN_RANGE);
}

static void macs(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE aes)
{
    static const CK_BYTE cmac[] = { 0x07, 0x0a, 0x16, 0xb4 }, hmac[] = { 0x5b, 0xdc, 0xc1, 0x46 };
    CK_OBJECT_HANDLE jefe = bring(session, CKK_GENERIC_SECRET, "Jefe", 4);
    CK_BYTE *question = (CK_BYTE *)"what do ya want for nothing?", out[32];
    CK_ULONG length = sizeof out, four = 4;
    CK_MECHANISM mechanism = { CKM_AES_CMAC, NULL, 0 };

    OK(p11->C_SignInit(session, &mechanism, aes));
    OK(p11->C_Sign(session, plain, 16, out, &length));
    CHECK(length == 16 && !memcmp(out, cmac, 4));
    mechanism = (CK_MECHANISM){ CKM_SHA256_HMAC_GENERAL, &four, sizeof four };
    OK(p11->C_SignInit(session, &mechanism, jefe));
    OK(p11->C_SignUpdate(session, question, 10));
    OK(p11->C_SignUpdate(session, question + 10, 18));
    OK(p11->C_SignFinal(session, out, &length));
    CHECK(length == 4 && !memcmp(out, hmac, 4));
    OK(p11->C_VerifyInit(session, &mechanism, jefe));
    OK(p11->C_Verify(session, question, 28, out, 4));
    OK(p11->C_VerifyInit(session, &mechanism, jefe));
    RETURNS(p11->C_Verify(session, question, 27, out, 4), CKR_SIGNATURE_INVALID);
    OK(p11->C_VerifyInit(session, &mechanism, jefe));
    RETURNS(p11->C_Verify(session, question, 28, out, 3), CKR_SIGNATURE_LEN_RANGE);
    RETURNS(p11->C_SignInit(session, &mechanism, aes), CKR_KEY_TYPE_INCONSISTENT);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    load(argv[1]);
    OK(p11->C_Initialize(NULL));
    CK_SESSION_HANDLE session = open_session(0);
    CK_OBJECT_HANDLE aes = bring(session, CKK_AES, key, sizeof key);
    every_mode(session, aes);
    what_was_changed_is_refused(session, aes);
    a_counter_does_not_come_again(session, aes);
    macs(session, aes);
    OK(p11->C_Finalize(NULL));
    unload();
    return verdict();
}
