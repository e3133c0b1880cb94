/* Hashing on the host, signing in the chip, verifying with keys of the token and with keys that the application
 * brings. Usage: mechanisms MODULE; ATECC_DEVICE names the chip. */
#include "check.h"

static CK_BYTE message[] = "a message that is longer than one block of a hash function, so that it comes in parts";
enum { LENGTH = sizeof message - 1, CUT = 40 };

/* Mechanism, its hash alone, and the length of a digest. */
static const struct {
    CK_MECHANISM_TYPE ecdsa, hash;
    CK_ULONG length;
} hashes[] = {
    { CKM_ECDSA_SHA1, CKM_SHA_1, 20 },     { CKM_ECDSA_SHA224, CKM_SHA224, 28 },
    { CKM_ECDSA_SHA256, CKM_SHA256, 32 },  { CKM_ECDSA_SHA384, CKM_SHA384, 48 },
    { CKM_ECDSA_SHA512, CKM_SHA512, 64 },
};

static CK_ULONG digest_of_message(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE hash, CK_BYTE digest[64])
{
    CK_MECHANISM mechanism = { hash, NULL, 0 };
    CK_ULONG length = 64;

    OK(p11->C_DigestInit(session, &mechanism));
    OK(p11->C_Digest(session, message, LENGTH, digest, &length));
    return length;
}

static void digests_in_one_part_and_in_several(CK_SESSION_HANDLE session)
{
    for (size_t i = 0; i < COUNT(hashes); i++) {
        CK_MECHANISM mechanism = { hashes[i].hash, NULL, 0 };
        CK_BYTE whole[64], parts[64];
        CK_ULONG length;

        CHECK(digest_of_message(session, hashes[i].hash, whole) == hashes[i].length);
        OK(p11->C_DigestInit(session, &mechanism));
        OK(p11->C_DigestUpdate(session, message, CUT));
        OK(p11->C_DigestUpdate(session, NULL, 0));
        OK(p11->C_DigestUpdate(session, message + CUT, LENGTH - CUT));
        OK(p11->C_DigestFinal(session, NULL, &length));
        CHECK(length == hashes[i].length);
        length--;
        RETURNS(p11->C_DigestFinal(session, parts, &length), CKR_BUFFER_TOO_SMALL);
        CHECK(length == hashes[i].length);
        OK(p11->C_DigestFinal(session, parts, &length));
        CHECK(length == hashes[i].length && !memcmp(whole, parts, length));
        RETURNS(p11->C_DigestFinal(session, parts, &length), CKR_OPERATION_NOT_INITIALIZED);
    }
}

static void digests_keep_the_rules(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM sha256 = { CKM_SHA256, NULL, 0 }, ecdsa = { CKM_ECDSA, NULL, 0 };
    CK_BYTE digest[64];
    CK_ULONG length = sizeof digest;

    RETURNS(p11->C_Digest(session, message, LENGTH, digest, &length), CKR_OPERATION_NOT_INITIALIZED);
    RETURNS(p11->C_DigestInit(session, NULL), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_DigestInit(session, &ecdsa), CKR_MECHANISM_INVALID);
    OK(p11->C_DigestInit(session, &sha256));
    RETURNS(p11->C_DigestInit(session, &sha256), CKR_OPERATION_ACTIVE);
    OK(p11->C_Digest(session, message, LENGTH, NULL, &length));
    CHECK(length == 32);
    OK(p11->C_Digest(session, message, LENGTH, digest, &length));
    /* A part has come: only C_DigestFinal can end it. */
    OK(p11->C_DigestInit(session, &sha256));
    OK(p11->C_DigestUpdate(session, message, LENGTH));
    RETURNS(p11->C_Digest(session, message, LENGTH, digest, &length), CKR_OPERATION_ACTIVE);
    OK(p11->C_DigestInit(session, &sha256));
    RETURNS(p11->C_DigestKey(session, key), CKR_KEY_INDIGESTIBLE);
    OK(p11->C_DigestInit(session, &sha256));
    RETURNS(p11->C_DigestUpdate(session, NULL, 5), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_DigestUpdate(session, message, 5), CKR_OPERATION_NOT_INITIALIZED);
}

/* Each signature also verifies as CKM_ECDSA over the digest, so hashing and cutting are the standard's. */
static void hash_and_sign_in_one_part_and_in_several(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private_key,
                                                     CK_OBJECT_HANDLE public_key)
{
    CK_MECHANISM ecdsa = { CKM_ECDSA, NULL, 0 };

    for (size_t i = 0; i < COUNT(hashes); i++) {
        CK_MECHANISM mechanism = { hashes[i].ecdsa, NULL, 0 };
        CK_BYTE digest[64], signature[64];
        CK_ULONG digest_length = digest_of_message(session, hashes[i].hash, digest), length = 64;

        OK(p11->C_SignInit(session, &mechanism, private_key));
        OK(p11->C_Sign(session, message, LENGTH, signature, &length));
        OK(p11->C_VerifyInit(session, &ecdsa, public_key));
        OK(p11->C_Verify(session, digest, digest_length, signature, length));

        OK(p11->C_SignInit(session, &mechanism, private_key));
        OK(p11->C_SignUpdate(session, message, CUT));
        OK(p11->C_SignUpdate(session, message + CUT, LENGTH - CUT));
        OK(p11->C_SignFinal(session, NULL, &length));
        CHECK(length == 64);
        length = 63;
        RETURNS(p11->C_SignFinal(session, signature, &length), CKR_BUFFER_TOO_SMALL);
        OK(p11->C_SignFinal(session, signature, &length));
        CHECK(length == 64);
        RETURNS(p11->C_SignFinal(session, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
        OK(p11->C_VerifyInit(session, &ecdsa, public_key));
        OK(p11->C_Verify(session, digest, digest_length, signature, length));

        OK(p11->C_VerifyInit(session, &mechanism, public_key));
        OK(p11->C_VerifyUpdate(session, message, CUT));
        OK(p11->C_VerifyUpdate(session, message + CUT, LENGTH - CUT));
        OK(p11->C_VerifyFinal(session, signature, length));
        OK(p11->C_VerifyInit(session, &mechanism, public_key));
        RETURNS(p11->C_Verify(session, message, CUT, signature, length), CKR_SIGNATURE_INVALID);
        OK(p11->C_VerifyInit(session, &mechanism, public_key));
        OK(p11->C_VerifyUpdate(session, message, CUT));
        RETURNS(p11->C_VerifyFinal(session, signature, length), CKR_SIGNATURE_INVALID);
        RETURNS(p11->C_VerifyFinal(session, signature, length), CKR_OPERATION_NOT_INITIALIZED);
    }
}

static void parts_and_a_whole_do_not_mix(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private_key)
{
    CK_MECHANISM mechanism = { CKM_ECDSA_SHA256, NULL, 0 }, sha256 = { CKM_SHA256, NULL, 0 };
    CK_BYTE signature[64];
    CK_ULONG length = sizeof signature;

    RETURNS(p11->C_SignInit(session, &sha256, private_key), CKR_MECHANISM_INVALID);
    OK(p11->C_SignInit(session, &mechanism, private_key));
    OK(p11->C_SignUpdate(session, message, LENGTH));
    RETURNS(p11->C_Sign(session, message, LENGTH, signature, &length), CKR_OPERATION_ACTIVE);
    RETURNS(p11->C_SignUpdate(session, message, LENGTH), CKR_OPERATION_NOT_INITIALIZED);
    /* The empty message has a signature. */
    OK(p11->C_SignInit(session, &mechanism, private_key));
    OK(p11->C_Sign(session, NULL, 0, signature, &length));
    CHECK(length == 64);
}

/* The chip's public key, given back as a key of the application. */
static CK_OBJECT_HANDLE bring_public_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public_key)
{
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_BYTE params[16], point[80];
    CK_ATTRIBUTE read[] = { { CKA_EC_PARAMS, params, sizeof params }, { CKA_EC_POINT, point, sizeof point } };
    CK_OBJECT_HANDLE created = CK_INVALID_HANDLE;

    OK(p11->C_GetAttributeValue(session, public_key, read, COUNT(read)));
    CK_ATTRIBUTE template[] = {
        { CKA_CLASS, &class, sizeof class },
        { CKA_KEY_TYPE, &type, sizeof type },
        { CKA_LABEL, "peer", 4 },
        read[0],
        read[1],
    };
    RETURNS(p11->C_CreateObject(session, NULL, 1, &created), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_CreateObject(session, template, COUNT(template), NULL), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_CreateObject(session, template, 4, &created), CKR_TEMPLATE_INCOMPLETE);
    OK(p11->C_CreateObject(session, template, COUNT(template), &created));
    CHECK(created != public_key);
    return created;
}

static void a_key_of_the_application_verifies(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private_key,
                                              CK_OBJECT_HANDLE public_key)
{
    CK_MECHANISM mechanism = { CKM_ECDSA_SHA256, NULL, 0 };
    CK_OBJECT_HANDLE peer = bring_public_key(session, public_key), copy, same;
    CK_ATTRIBUTE label = { CKA_LABEL, "copied", 6 };
    CK_BYTE signature[64];
    CK_ULONG length = sizeof signature, count;

    OK(p11->C_SignInit(session, &mechanism, private_key));
    OK(p11->C_Sign(session, message, LENGTH, signature, &length));
    OK(p11->C_VerifyInit(session, &mechanism, peer));
    OK(p11->C_Verify(session, message, LENGTH, signature, length));
    RETURNS(p11->C_SignInit(session, &mechanism, peer), CKR_KEY_FUNCTION_NOT_PERMITTED);

    OK(p11->C_CopyObject(session, peer, &label, 1, &copy));
    OK(p11->C_FindObjectsInit(session, &label, 1));
    OK(p11->C_FindObjects(session, &same, 1, &count));
    OK(p11->C_FindObjectsFinal(session));
    CHECK(count == 1 && same == copy);
    label.pValue = "renamed";
    label.ulValueLen = 7;
    OK(p11->C_SetAttributeValue(session, copy, &label, 1));
    OK(p11->C_DestroyObject(session, peer));
    RETURNS(p11->C_DestroyObject(session, peer), CKR_OBJECT_HANDLE_INVALID);
    RETURNS(p11->C_VerifyInit(session, &mechanism, peer), CKR_KEY_HANDLE_INVALID);
    OK(p11->C_VerifyInit(session, &mechanism, copy));
    OK(p11->C_Verify(session, message, LENGTH, signature, length));
}

/* What is in the chip stays as it is. */
static void token_objects_cannot_be_changed(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE label = { CKA_LABEL, "mine", 4 }, decrypt = { CKA_DECRYPT, &yes, sizeof yes };
    CK_SESSION_HANDLE read_only = open_session(0);
    CK_OBJECT_HANDLE copy;

    /* Its names may change, in the store of the machine. */
    RETURNS(p11->C_SetAttributeValue(read_only, key, &label, 1), CKR_SESSION_READ_ONLY);
    RETURNS(p11->C_SetAttributeValue(session, key, &decrypt, 1), CKR_ATTRIBUTE_READ_ONLY);
    OK(p11->C_CloseSession(read_only));
    RETURNS(p11->C_CopyObject(session, key, &label, 1, &copy), CKR_ACTION_PROHIBITED);
    RETURNS(p11->C_DestroyObject(session, key), CKR_ACTION_PROHIBITED);
    RETURNS(p11->C_DestroyObject(session, NO_HANDLE), CKR_OBJECT_HANDLE_INVALID);
}

/* "When a session is closed, all session objects created by the session are destroyed automatically." */
static void objects_end_with_their_session(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public_key)
{
    CK_SESSION_HANDLE other = open_session(0);
    CK_OBJECT_HANDLE peer = bring_public_key(other, public_key);
    CK_ULONG size;

    /* Every session of the application sees it. */
    OK(p11->C_GetObjectSize(session, peer, &size));
    OK(p11->C_CloseSession(other));
    RETURNS(p11->C_GetObjectSize(session, peer, &size), CKR_OBJECT_HANDLE_INVALID);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    load(argv[1]);
    OK(p11->C_Initialize(NULL));
    CK_SESSION_HANDLE session = open_session(CKF_RW_SESSION);
    CK_OBJECT_HANDLE private_key = find(session, CKO_PRIVATE_KEY);
    CK_OBJECT_HANDLE public_key = find(session, CKO_PUBLIC_KEY);
    digests_in_one_part_and_in_several(session);
    digests_keep_the_rules(session, private_key);
    hash_and_sign_in_one_part_and_in_several(session, private_key, public_key);
    parts_and_a_whole_do_not_mix(session, private_key);
    a_key_of_the_application_verifies(session, private_key, public_key);
    token_objects_cannot_be_changed(session, private_key);
    objects_end_with_their_session(session, public_key);
    OK(p11->C_Finalize(NULL));
    unload();
    return verdict();
}
