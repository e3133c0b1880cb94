/* Templates, mechanisms and parameters at random: counts, types, lengths and NULLs, as far as the standard leaves the
 * pointers to the application. Usage: fuzz MODULE SEED ROUNDS; ATECC_CONFIG or ATECC_DEVICE names the chip.
 *
 * What must hold: no crash, no CKR_GENERAL_ERROR (which is how a caught panic looks), no code that the standard does not
 * have, no byte written behind a buffer, and a module that still signs at the end. */
#include "check.h"

static unsigned long long state;

/* xorshift64*, so that a seed tells the whole run. */
static unsigned long long draw(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717ULL;
}

static CK_ULONG below(CK_ULONG limit)
{
    return (CK_ULONG)((draw() >> 16) % limit);
}

static const CK_ATTRIBUTE_TYPE attributes[] = {
    CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_LABEL, CKA_UNIQUE_ID, CKA_APPLICATION, CKA_VALUE, CKA_OBJECT_ID,
    CKA_CERTIFICATE_TYPE, CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_TRUSTED, CKA_CERTIFICATE_CATEGORY, CKA_CHECK_VALUE,
    CKA_KEY_TYPE, CKA_SUBJECT, CKA_ID, CKA_SENSITIVE, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN,
    CKA_SIGN_RECOVER, CKA_VERIFY, CKA_DERIVE, CKA_START_DATE, CKA_END_DATE, CKA_MODULUS, CKA_VALUE_LEN,
    CKA_EXTRACTABLE, CKA_LOCAL, CKA_NEVER_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_MODIFIABLE, CKA_EC_PARAMS,
    CKA_EC_POINT, CKA_ALWAYS_AUTHENTICATE, CKA_ALLOWED_MECHANISMS, CKA_PUBLIC_KEY_INFO, CKA_COPYABLE,
    CKA_DESTROYABLE, CKA_WRAP_TEMPLATE, CKA_HW_FEATURE_TYPE, CKA_URL, CKA_PROFILE_ID,
};
static const CK_MECHANISM_TYPE mechanisms[] = {
    CKM_ECDSA, CKM_ECDSA_SHA256, CKM_ECDSA_SHA512, CKM_ECDH1_DERIVE, CKM_EC_KEY_PAIR_GEN, CKM_SHA256_HMAC,
    CKM_SHA256_HMAC_GENERAL, CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTR, CKM_AES_GCM, CKM_AES_CMAC,
    CKM_AES_CMAC_GENERAL, CKM_SHA_1, CKM_SHA256, CKM_SHA512, CKM_RSA_PKCS, 0xffffffffUL,
};
static const CK_ULONG numbers[] = { CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY,
                                    CKO_HW_FEATURE, CKK_GENERIC_SECRET, CKK_AES, 16, 32, 33, 128, ~0UL };
static const CK_BYTE curve[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };

enum { MOST = 8, LONGEST = 160, GUARD = 0xa5 };
/* The public key of the chip, as a point that is on the curve. */
static CK_BYTE point[67];

/* One value for an attribute: often one of its kind, so that the call gets beyond the first check. */
static CK_ULONG value_of(CK_ATTRIBUTE_TYPE type, CK_BYTE value[LONGEST])
{
    CK_ULONG number = numbers[below(COUNT(numbers))];

    for (int i = 0; i < LONGEST; i++)
        value[i] = (CK_BYTE)draw();
    switch (below(4)) {
    case 0:
        return below(LONGEST);
    case 1:
        memcpy(value, &number, sizeof number);
        return sizeof number;
    case 2:
        value[0] = (CK_BYTE)below(2);
        return 1;
    default:
        if (type == CKA_EC_PARAMS) {
            memcpy(value, curve, sizeof curve);
            return sizeof curve;
        }
        if (type == CKA_EC_POINT) {
            memcpy(value, point, sizeof point);
            return sizeof point;
        }
        if (type == CKA_VALUE)
            return 16;
        if (type == CKA_CLASS || type == CKA_KEY_TYPE) {
            memcpy(value, &number, sizeof number);
            return sizeof number;
        }
        memset(value, 'a', 8);
        return 8;
    }
}

struct template {
    CK_ATTRIBUTE attribute[MOST];
    CK_BYTE value[MOST][LONGEST + 1];
    CK_ULONG count;
};

static void fill(struct template *template, CK_OBJECT_CLASS class)
{
    template->count = below(MOST + 1);
    for (CK_ULONG i = 0; i < template->count; i++) {
        CK_ATTRIBUTE *attribute = &template->attribute[i];

        attribute->type = below(16) ? attributes[below(COUNT(attributes))] : (CK_ATTRIBUTE_TYPE)draw();
        attribute->pValue = template->value[i];
        attribute->ulValueLen = value_of(attribute->type, template->value[i]);
        if (i == 0 && class != CK_UNAVAILABLE_INFORMATION) {
            attribute->type = CKA_CLASS;
            memcpy(attribute->pValue, &class, sizeof class);
            attribute->ulValueLen = sizeof class;
        }
        /* NULL is right for no bytes, and wrong for some. */
        if (below(12) == 0)
            attribute->pValue = NULL;
        else if (below(30) == 0)
            attribute->ulValueLen = 0;
    }
}

/* Calls that did what was asked: a run that never gets beyond the checks shows little. */
static unsigned long succeeded;

/* Codes of the standard that no call may answer with here. */
static void answered(const char *call, CK_RV rv)
{
    succeeded += rv == CKR_OK;
    if (rv == CKR_GENERAL_ERROR || rv == CKR_HOST_MEMORY || rv == CKR_DEVICE_ERROR || rv == CKR_DEVICE_REMOVED
        || (rv > CKR_FUNCTION_REJECTED && rv != CKR_ACTION_PROHIBITED)) {
        failures++;
        printf("%s = 0x%lx\n", call, rv);
    }
}

#define CALL(function, ...) answered(#function, p11->function(__VA_ARGS__))

/* Parameters: the structures that the mechanisms have, with contents at random, and bytes at random. */
static union {
    CK_BYTE bytes[LONGEST];
    CK_ULONG number;
    CK_AES_CTR_PARAMS ctr;
    CK_GCM_PARAMS gcm;
    CK_ECDH1_DERIVE_PARAMS ecdh;
} parameter;
static CK_BYTE behind[2][LONGEST];

static CK_MECHANISM mechanism(CK_MECHANISM_TYPE type)
{
    CK_MECHANISM made = { type, &parameter, 0 };

    for (int i = 0; i < LONGEST; i++)
        parameter.bytes[i] = behind[0][i] = behind[1][i] = (CK_BYTE)draw();
    switch (type) {
    case CKM_AES_CTR:
        parameter.ctr.ulCounterBits = below(140);
        made.ulParameterLen = sizeof parameter.ctr;
        break;
    case CKM_AES_GCM:
        parameter.gcm = (CK_GCM_PARAMS){ behind[0], below(LONGEST), 0, behind[1], below(LONGEST), 8 * below(18) };
        made.ulParameterLen = sizeof parameter.gcm;
        if (below(8) == 0)
            parameter.gcm.pIv = NULL;
        break;
    case CKM_ECDH1_DERIVE:
        parameter.ecdh = (CK_ECDH1_DERIVE_PARAMS){ below(10), below(40), behind[0], below(70), behind[1] };
        made.ulParameterLen = sizeof parameter.ecdh;
        if (below(2)) {
            memcpy(behind[1], point, sizeof point);
            parameter.ecdh.ulPublicDataLen = sizeof point;
        }
        if (below(2)) {
            parameter.ecdh.kdf = CKD_NULL;
            parameter.ecdh.ulSharedDataLen = 0;
            parameter.ecdh.pSharedData = NULL;
        }
        if (below(8) == 0)
            parameter.ecdh.pPublicData = NULL;
        break;
    case CKM_AES_CBC:
    case CKM_AES_CBC_PAD:
        made.ulParameterLen = 16;
        break;
    case CKM_SHA256_HMAC_GENERAL:
    case CKM_AES_CMAC_GENERAL:
        parameter.number = below(40);
        made.ulParameterLen = sizeof parameter.number;
        break;
    default:
        break;
    }
    if (below(8) == 0)
        made.ulParameterLen = below(LONGEST);
    if (below(16) == 0)
        made.pParameter = NULL;
    return made;
}

static CK_OBJECT_HANDLE some_object(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE found[64];
    CK_ULONG count = 0;

    if (below(16) == 0)
        return (CK_OBJECT_HANDLE)draw();
    OK(p11->C_FindObjectsInit(session, NULL, 0));
    OK(p11->C_FindObjects(session, found, COUNT(found), &count));
    OK(p11->C_FindObjectsFinal(session));
    return count ? found[below(count)] : CK_INVALID_HANDLE;
}

/* A key that the mechanism works with, most of the time. */
static CK_OBJECT_HANDLE fitting_key(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_CLASS ec)
{
    CK_OBJECT_CLASS class = ec;
    CK_KEY_TYPE key_type = CKK_EC;
    CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof class }, { CKA_KEY_TYPE, &key_type, sizeof key_type } };
    CK_OBJECT_HANDLE found[16];
    CK_ULONG count = 0;

    if (below(4) == 0)
        return some_object(session);
    if (type == CKM_SHA256_HMAC || type == CKM_SHA256_HMAC_GENERAL || (type & ~0xfUL) == CKM_AES_KEY_GEN) {
        class = CKO_SECRET_KEY;
        key_type = (type & ~0xfUL) == CKM_AES_KEY_GEN ? CKK_AES : CKK_GENERIC_SECRET;
    }
    OK(p11->C_FindObjectsInit(session, template, COUNT(template)));
    OK(p11->C_FindObjects(session, found, COUNT(found), &count));
    OK(p11->C_FindObjectsFinal(session));
    return count ? found[below(count)] : CK_INVALID_HANDLE;
}

/* A buffer of some length, or none, and a byte behind it that stays. */
static CK_BYTE output[2 * LONGEST + 1];

static CK_BYTE *buffer(CK_ULONG *length)
{
    *length = below(2 * LONGEST);
    output[*length] = GUARD;
    return below(8) ? output : NULL;
}

static void checked(CK_BYTE *where, CK_ULONG offered)
{
    if (where)
        CHECK(output[offered] == GUARD);
}

typedef CK_RV (*one_part)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);
typedef CK_RV (*last_part)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR);

static void worked(const char *name, CK_SESSION_HANDLE session, one_part whole, one_part update, last_part final)
{
    CK_BYTE data[LONGEST] = { (CK_BYTE)draw() };
    CK_ULONG length, offered;

    for (CK_ULONG part = below(4); part > 0; part--) {
        CK_BYTE *where = buffer(&length);
        offered = length;
        if (below(2) && update)
            answered(name, update(session, below(16) ? data : NULL, below(LONGEST), where, &length));
        else
            answered(name, whole(session, below(16) ? data : NULL, below(LONGEST), where, &length));
        checked(where, offered);
    }
    CK_BYTE *where = buffer(&length);
    offered = length;
    answered(name, final(session, where, &length));
    checked(where, offered);
}

static void objects(CK_SESSION_HANDLE session)
{
    static const CK_OBJECT_CLASS classes[] = { CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_SECRET_KEY,
                                               CK_UNAVAILABLE_INFORMATION };
    struct template template;
    CK_OBJECT_HANDLE handle, other;
    CK_ULONG size;

    fill(&template, classes[below(COUNT(classes))]);
    CALL(C_CreateObject, session, template.attribute, template.count, &handle);
    fill(&template, CK_UNAVAILABLE_INFORMATION);
    handle = some_object(session);
    switch (below(6)) {
    case 0:
        CALL(C_GetAttributeValue, session, handle, template.attribute, template.count);
        break;
    case 1:
        CALL(C_SetAttributeValue, session, handle, template.attribute, template.count);
        break;
    case 2:
        CALL(C_CopyObject, session, handle, template.attribute, template.count, &other);
        break;
    case 3:
        CALL(C_DestroyObject, session, handle);
        break;
    case 4:
        CALL(C_GetObjectSize, session, handle, &size);
        break;
    default:
        answered("C_FindObjectsInit", p11->C_FindObjectsInit(session, template.attribute, template.count));
        answered("C_FindObjectsFinal", p11->C_FindObjectsFinal(session));
    }
}

static void operations(CK_SESSION_HANDLE session)
{
    CK_MECHANISM wanted = mechanism(mechanisms[below(COUNT(mechanisms))]);
    CK_MECHANISM *given = below(32) ? &wanted : NULL;
    CK_ULONG kind = below(6);
    CK_OBJECT_HANDLE key = fitting_key(session, wanted.mechanism, kind == 1 ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY);
    CK_OBJECT_HANDLE made, other;
    struct template one, two;
    CK_BYTE data[LONGEST] = { 0 };

    switch (kind) {
    case 0:
        CALL(C_SignInit, session, given, key);
        if (below(2))
            CALL(C_SignUpdate, session, data, below(LONGEST));
        worked("C_Sign", session, p11->C_Sign, NULL, p11->C_SignFinal);
        break;
    case 1:
        CALL(C_VerifyInit, session, given, key);
        if (below(2))
            CALL(C_VerifyUpdate, session, data, below(LONGEST));
        CALL(C_Verify, session, data, below(LONGEST), data, below(LONGEST));
        CALL(C_VerifyFinal, session, data, below(LONGEST));
        break;
    case 2:
        CALL(C_EncryptInit, session, given, key);
        worked("C_Encrypt", session, p11->C_Encrypt, p11->C_EncryptUpdate, p11->C_EncryptFinal);
        break;
    case 3:
        CALL(C_DecryptInit, session, given, key);
        worked("C_Decrypt", session, p11->C_Decrypt, p11->C_DecryptUpdate, p11->C_DecryptFinal);
        break;
    case 4:
        fill(&one, CK_UNAVAILABLE_INFORMATION);
        if (below(2))
            wanted = mechanism(CKM_ECDH1_DERIVE);
        if (below(2))
            one.count = 0;
        CALL(C_DeriveKey, session, given, key, one.attribute, one.count, &made);
        break;
    default:
        fill(&one, CK_UNAVAILABLE_INFORMATION);
        fill(&two, CK_UNAVAILABLE_INFORMATION);
        if (below(2)) {
            wanted = (CK_MECHANISM){ CKM_EC_KEY_PAIR_GEN, NULL, 0 };
            one.attribute[0] = (CK_ATTRIBUTE){ CKA_EC_PARAMS, (CK_BYTE *)curve, sizeof curve };
            one.count = 1;
            if (two.count > 1)
                two.count = 1;
        }
        CALL(C_GenerateKeyPair, session, given, one.attribute, one.count, two.attribute, two.count, &made, &other);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    state = strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ULL | 1;
    load(argv[1]);
    OK(p11->C_Initialize(NULL));
    CK_SESSION_HANDLE session = open_session(CKF_RW_SESSION);
    CK_ATTRIBUTE ec_point = { CKA_EC_POINT, point, sizeof point };
    OK(p11->C_GetAttributeValue(session, find(session, CKO_PUBLIC_KEY), &ec_point, 1));
    unsigned long rounds = strtoul(argv[3], NULL, 0);
    for (unsigned long round = 0; round < rounds; round++) {
        objects(session);
        operations(session);
        /* A session whose operation is still active would refuse all others of its kind. */
        if (below(8) == 0) {
            OK(p11->C_CloseSession(session));
            session = open_session(below(4) ? CKF_RW_SESSION : 0);
        }
    }
    CHECK(succeeded >= rounds / 2);
    OK(p11->C_CloseSession(session));
    session = open_session(0);
    sign_and_verify(session, 7);
    OK(p11->C_Finalize(NULL));
    unload();
    return verdict();
}
