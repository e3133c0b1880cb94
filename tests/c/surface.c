/* Every function of the list of version 2.40, with the arguments that clients get wrong and with each way to ask
 * for a length. Usage: surface MODULE; ATECC_DEVICE names the chip. */
#include "check.h"

static CK_RV create_mutex(void **mutex)
{
    *mutex = NULL;
    return CKR_OK;
}

static CK_RV use_mutex(void *mutex)
{
    (void)mutex;
    return CKR_OK;
}

static void the_list_is_full_and_of_version_2_40(void)
{
    void **functions = (void **)&p11->C_Initialize;
    size_t count = (sizeof *p11 - offsetof(CK_FUNCTION_LIST, C_Initialize)) / sizeof *functions;

    CHECK(p11->version.major == 2 && p11->version.minor == 40);
    CHECK(count == 68);
    for (size_t i = 0; i < count; i++)
        CHECK(functions[i]);
}

static void nothing_works_before_initialize(void)
{
    CK_INFO info;

    RETURNS(p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    RETURNS(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    RETURNS(p11->C_Login(0, CKU_USER, NULL, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
    RETURNS(p11->C_DigestInit(0, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    RETURNS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void initialize_checks_its_arguments(void)
{
    CK_C_INITIALIZE_ARGS arguments = { 0 };

    /* What the standard calls pReserved, and says must be NULL, has another name in NSS. */
    arguments.LibraryParameters = (CK_CHAR_PTR *)&arguments;
    RETURNS(p11->C_Initialize(&arguments), CKR_ARGUMENTS_BAD);
    /* "either all ... or none" of the mutex functions */
    arguments.LibraryParameters = NULL;
    arguments.CreateMutex = create_mutex;
    RETURNS(p11->C_Initialize(&arguments), CKR_ARGUMENTS_BAD);
    arguments.DestroyMutex = arguments.LockMutex = arguments.UnlockMutex = use_mutex;
    RETURNS(p11->C_Initialize(&arguments), CKR_CANT_LOCK);
    arguments.flags = CKF_OS_LOCKING_OK;
    OK(p11->C_Initialize(&arguments));
    RETURNS(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    RETURNS(p11->C_Finalize(&arguments), CKR_ARGUMENTS_BAD);
}

static void slots_and_token(void)
{
    CK_INFO info;
    CK_SLOT_ID slots[2] = { 99, 99 };
    CK_SLOT_INFO slot;
    CK_TOKEN_INFO token;
    CK_ULONG count;

    RETURNS(p11->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
    OK(p11->C_GetInfo(&info));
    CHECK(info.cryptokiVersion.major == 2 && info.cryptokiVersion.minor == 40);

    RETURNS(p11->C_GetSlotList(CK_TRUE, NULL, NULL), CKR_ARGUMENTS_BAD);
    OK(p11->C_GetSlotList(CK_TRUE, NULL, &count));
    CHECK(count == 1);
    count = 0;
    RETURNS(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_BUFFER_TOO_SMALL);
    CHECK(count == 1 && slots[0] == 99);
    count = 2;
    OK(p11->C_GetSlotList(CK_FALSE, slots, &count));
    CHECK(count == 1 && slots[0] == 0 && slots[1] == 99);

    RETURNS(p11->C_GetSlotInfo(1, &slot), CKR_SLOT_ID_INVALID);
    RETURNS(p11->C_GetSlotInfo(0, NULL), CKR_ARGUMENTS_BAD);
    OK(p11->C_GetSlotInfo(0, &slot));
    CHECK(slot.flags & CKF_TOKEN_PRESENT);
    RETURNS(p11->C_GetTokenInfo(~0UL, &token), CKR_SLOT_ID_INVALID);
    RETURNS(p11->C_GetTokenInfo(0, NULL), CKR_ARGUMENTS_BAD);
    OK(p11->C_GetTokenInfo(0, &token));
    /* Padded with blanks, not ended with NUL. */
    CHECK(!memchr(token.label, 0, sizeof token.label));
    CHECK(!memchr(token.serialNumber, 0, sizeof token.serialNumber));
    CHECK(!(token.flags & CKF_LOGIN_REQUIRED));
    CHECK(token.ulSessionCount == 0);
}

static void every_listed_mechanism_has_its_information(void)
{
    CK_MECHANISM_TYPE mechanisms[64];
    CK_MECHANISM_INFO info;
    CK_ULONG count, listed;

    RETURNS(p11->C_GetMechanismList(0, NULL, NULL), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_GetMechanismList(1, NULL, &count), CKR_SLOT_ID_INVALID);
    OK(p11->C_GetMechanismList(0, NULL, &listed));
    CHECK(listed >= 1 && listed <= COUNT(mechanisms));
    count = listed - 1;
    RETURNS(p11->C_GetMechanismList(0, mechanisms, &count), CKR_BUFFER_TOO_SMALL);
    CHECK(count == listed);
    OK(p11->C_GetMechanismList(0, mechanisms, &count));
    CHECK(count == listed);
    for (CK_ULONG i = 0; i < count; i++) {
        OK(p11->C_GetMechanismInfo(0, mechanisms[i], &info));
        RETURNS(p11->C_GetMechanismInfo(0, mechanisms[i], NULL), CKR_ARGUMENTS_BAD);
    }
    RETURNS(p11->C_GetMechanismInfo(0, CKM_RSA_PKCS, &info), CKR_MECHANISM_INVALID);
}

static void sessions_and_logins(void)
{
    CK_SESSION_HANDLE session, read_only;
    CK_SESSION_INFO info;
    CK_TOKEN_INFO token;
    CK_UTF8CHAR pin[] = "any";

    RETURNS(p11->C_OpenSession(0, 0, NULL, NULL, &session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    RETURNS(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_OpenSession(7, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_SLOT_ID_INVALID);
    session = open_session(CKF_RW_SESSION);
    read_only = open_session(0);
    OK(p11->C_GetTokenInfo(0, &token));
    CHECK(token.ulSessionCount == 2 && token.ulRwSessionCount == 1);
    RETURNS(p11->C_GetSessionInfo(session, NULL), CKR_ARGUMENTS_BAD);
    OK(p11->C_GetSessionInfo(session, &info));
    CHECK(info.state == CKS_RW_PUBLIC_SESSION && info.flags == (CKF_SERIAL_SESSION | CKF_RW_SESSION));

    RETURNS(p11->C_Login(session, CKU_SO, NULL, 0), CKR_USER_TYPE_INVALID);
    OK(p11->C_Login(session, CKU_USER, NULL, 0));
    RETURNS(p11->C_Login(session, CKU_USER, pin, sizeof pin - 1), CKR_USER_ALREADY_LOGGED_IN);
    OK(p11->C_GetSessionInfo(read_only, &info));
    CHECK(info.state == CKS_RO_USER_FUNCTIONS);
    OK(p11->C_Logout(session));
    RETURNS(p11->C_Logout(session), CKR_USER_NOT_LOGGED_IN);
    OK(p11->C_Login(session, CKU_USER, pin, sizeof pin - 1));

    OK(p11->C_CloseSession(read_only));
    RETURNS(p11->C_CloseSession(read_only), CKR_SESSION_HANDLE_INVALID);
    RETURNS(p11->C_CloseAllSessions(1), CKR_SLOT_ID_INVALID);
    OK(p11->C_CloseAllSessions(0));
    RETURNS(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
}

static void searches(CK_SESSION_HANDLE session)
{
    CK_ATTRIBUTE nowhere = { CKA_ID, NULL, 4 };
    CK_OBJECT_HANDLE handle;
    CK_ULONG count, total = 0;

    RETURNS(p11->C_FindObjects(session, &handle, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
    RETURNS(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    RETURNS(p11->C_FindObjectsInit(session, NULL, 1), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_FindObjectsInit(session, &nowhere, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    RETURNS(p11->C_FindObjectsInit(NO_HANDLE, NULL, 0), CKR_SESSION_HANDLE_INVALID);
    OK(p11->C_FindObjectsInit(session, NULL, 0));
    RETURNS(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    RETURNS(p11->C_FindObjects(session, NULL, 1, &count), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_FindObjects(session, &handle, 1, NULL), CKR_ARGUMENTS_BAD);
    do {
        OK(p11->C_FindObjects(session, &handle, 1, &count));
        total += count;
    } while (count);
    /* Two keys and two certificates at least. */
    CHECK(total >= 4);
    OK(p11->C_FindObjectsFinal(session));
}

/* "If case 1 applies to any of the requested attributes ... and all others are still processed." */
static void one_bad_attribute_spoils_no_other(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_BYTE value[256], two[2], params[256];
    CK_ATTRIBUTE template[] = {
        { CKA_VALUE, value, sizeof value },   /* sensitive */
        { CKA_LABEL, two, sizeof two },       /* too short */
        { CKA_MODULUS, NULL, 0 },             /* not of this key */
        { CKA_ID, NULL, 0 },                  /* its length only */
        { CKA_EC_PARAMS, params, sizeof params },
    };
    CK_RV result = p11->C_GetAttributeValue(session, key, template, COUNT(template));

    CHECK(result == CKR_ATTRIBUTE_SENSITIVE || result == CKR_ATTRIBUTE_TYPE_INVALID
          || result == CKR_BUFFER_TOO_SMALL);
    CHECK(template[0].ulValueLen == UNAVAILABLE);
    CHECK(template[1].ulValueLen == UNAVAILABLE);
    CHECK(template[2].ulValueLen == UNAVAILABLE);
    CHECK(template[3].ulValueLen == 20);
    CHECK(template[4].ulValueLen == 10);

    RETURNS(p11->C_GetAttributeValue(session, NO_HANDLE, template, 1), CKR_OBJECT_HANDLE_INVALID);
    RETURNS(p11->C_GetAttributeValue(NO_HANDLE, key, template, 1), CKR_SESSION_HANDLE_INVALID);
    RETURNS(p11->C_GetAttributeValue(session, key, NULL, 1), CKR_ARGUMENTS_BAD);
    OK(p11->C_GetAttributeValue(session, key, NULL, 0));
}

/* Each attribute by its length, in a buffer of exactly that length, and in one that is a byte too short. The
 * buffers are on the heap, so that valgrind sees a byte too many. */
static void every_attribute_fits_its_length(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, int at_least)
{
    int answered = 0;

    for (CK_ATTRIBUTE_TYPE type = 0; type < 0x700; type++) {
        CK_ATTRIBUTE attribute = { type, NULL, 0 };

        if (p11->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK) {
            CHECK(attribute.ulValueLen == UNAVAILABLE);
            continue;
        }
        answered++;
        CK_ULONG length = attribute.ulValueLen;
        attribute.pValue = malloc(length ? length : 1);
        OK(p11->C_GetAttributeValue(session, object, &attribute, 1));
        CHECK(attribute.ulValueLen == length);
        if (length) {
            attribute.ulValueLen = length - 1;
            RETURNS(p11->C_GetAttributeValue(session, object, &attribute, 1), CKR_BUFFER_TOO_SMALL);
            CHECK(attribute.ulValueLen == UNAVAILABLE);
        }
        free(attribute.pValue);
    }
    if (answered < at_least) {
        failures++;
        printf("object %lu answers %d attributes only\n", object, answered);
    }
}

static void signing_keeps_the_rules(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private_key,
                                    CK_OBJECT_HANDLE public_key, CK_OBJECT_HANDLE certificate)
{
    CK_MECHANISM ecdsa = { CKM_ECDSA, NULL, 0 }, rsa = { CKM_RSA_PKCS, NULL, 0 };
    CK_BYTE digest[64], signature[64];
    CK_MECHANISM with_parameter = { CKM_ECDSA, digest, 3 };
    CK_ULONG length, uninitialized;
    /* One byte, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512. */
    const CK_ULONG lengths[] = { 1, 20, 28, 32, 48, 64 };

    memset(digest, 7, sizeof digest);
    length = sizeof signature;
    RETURNS(p11->C_Sign(session, digest, 32, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
    RETURNS(p11->C_SignUpdate(session, digest, 32), CKR_OPERATION_NOT_INITIALIZED);
    RETURNS(p11->C_SignFinal(session, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
    RETURNS(p11->C_SignInit(session, NULL, private_key), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_SignInit(session, &with_parameter, private_key), CKR_MECHANISM_PARAM_INVALID);
    RETURNS(p11->C_SignInit(session, &rsa, private_key), CKR_MECHANISM_INVALID);
    RETURNS(p11->C_SignInit(session, &ecdsa, NO_HANDLE), CKR_KEY_HANDLE_INVALID);
    RETURNS(p11->C_SignInit(session, &ecdsa, certificate), CKR_KEY_HANDLE_INVALID);
    RETURNS(p11->C_SignInit(session, &ecdsa, public_key), CKR_KEY_FUNCTION_NOT_PERMITTED);

    /* A length query and a short buffer leave the operation active. */
    OK(p11->C_SignInit(session, &ecdsa, private_key));
    RETURNS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OPERATION_ACTIVE);
    OK(p11->C_Sign(session, digest, 32, NULL, &uninitialized));
    CHECK(uninitialized == 64);
    length = 63;
    RETURNS(p11->C_Sign(session, digest, 32, signature, &length), CKR_BUFFER_TOO_SMALL);
    CHECK(length == 64);
    OK(p11->C_Sign(session, digest, 32, signature, &length));
    CHECK(length == 64);
    RETURNS(p11->C_Sign(session, digest, 32, signature, &length), CKR_OPERATION_NOT_INITIALIZED);

    /* Digests of every length, with the signature written over the digest. */
    for (size_t i = 0; i < COUNT(lengths); i++) {
        CK_BYTE in_place[64];

        memcpy(in_place, digest, sizeof in_place);
        length = sizeof in_place;
        OK(p11->C_SignInit(session, &ecdsa, private_key));
        OK(p11->C_Sign(session, in_place, lengths[i], in_place, &length));
        OK(p11->C_VerifyInit(session, &ecdsa, public_key));
        OK(p11->C_Verify(session, digest, lengths[i], in_place, length));
    }

    /* Every other error ends the operation. */
    OK(p11->C_SignInit(session, &ecdsa, private_key));
    RETURNS(p11->C_Sign(session, digest, 0, signature, &length), CKR_DATA_LEN_RANGE);
    OK(p11->C_SignInit(session, &ecdsa, private_key));
    RETURNS(p11->C_Sign(session, NULL, 32, signature, &length), CKR_ARGUMENTS_BAD);
    OK(p11->C_SignInit(session, &ecdsa, private_key));
    RETURNS(p11->C_Sign(session, digest, 32, signature, NULL), CKR_ARGUMENTS_BAD);
    RETURNS(p11->C_Sign(session, digest, 32, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
    /* CKM_ECDSA signs in a single part only. */
    OK(p11->C_SignInit(session, &ecdsa, private_key));
    RETURNS(p11->C_SignUpdate(session, digest, 32), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_SignUpdate(session, digest, 32), CKR_OPERATION_NOT_INITIALIZED);

    RETURNS(p11->C_VerifyInit(session, &ecdsa, private_key), CKR_KEY_FUNCTION_NOT_PERMITTED);
    RETURNS(p11->C_Verify(session, digest, 32, signature, 64), CKR_OPERATION_NOT_INITIALIZED);
    OK(p11->C_VerifyInit(session, &ecdsa, public_key));
    RETURNS(p11->C_Verify(session, digest, 32, signature, 63), CKR_SIGNATURE_LEN_RANGE);
}

static void random_numbers(CK_SESSION_HANDLE session)
{
    CK_BYTE first[100] = { 0 }, second[100] = { 0 };

    RETURNS(p11->C_GenerateRandom(session, NULL, 1), CKR_ARGUMENTS_BAD);
    OK(p11->C_GenerateRandom(session, NULL, 0));
    OK(p11->C_GenerateRandom(session, first, sizeof first));
    OK(p11->C_GenerateRandom(session, second, sizeof second));
    CHECK(memcmp(first, second, sizeof first));
    RETURNS(p11->C_SeedRandom(session, first, sizeof first), CKR_RANDOM_SEED_NOT_SUPPORTED);
}

/* What the token cannot do has the standard's answer. */
static void the_rest_says_so(CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = { CKM_AES_CBC, NULL, 0 };
    CK_BYTE bytes[16] = { 0 };
    CK_ULONG length = sizeof bytes;
    CK_OBJECT_HANDLE handle;
    CK_SLOT_ID slot;

    RETURNS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    RETURNS(p11->C_GetFunctionStatus(session), CKR_FUNCTION_NOT_PARALLEL);
    RETURNS(p11->C_CancelFunction(session), CKR_FUNCTION_NOT_PARALLEL);
    RETURNS(p11->C_InitToken(0, bytes, 1, bytes), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_InitPIN(session, bytes, 1), CKR_USER_NOT_LOGGED_IN);
    RETURNS(p11->C_SetPIN(session, bytes, 1, bytes, 1), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_GetOperationState(session, bytes, &length), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_SetOperationState(session, bytes, 1, 0, 0), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_SignRecoverInit(session, &mechanism, 1), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_VerifyRecoverInit(session, &mechanism, 1), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_DigestEncryptUpdate(session, bytes, 1, bytes, &length), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_WrapKey(session, &mechanism, 1, 1, bytes, &length), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11->C_GenerateKey(session, &mechanism, NULL, 0, &handle), CKR_FUNCTION_NOT_SUPPORTED);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    load(argv[1]);
    the_list_is_full_and_of_version_2_40();
    nothing_works_before_initialize();
    initialize_checks_its_arguments();
    slots_and_token();
    every_listed_mechanism_has_its_information();
    sessions_and_logins();

    CK_SESSION_HANDLE session = open_session(0);
    CK_OBJECT_HANDLE private_key = find(session, CKO_PRIVATE_KEY);
    CK_OBJECT_HANDLE public_key = find(session, CKO_PUBLIC_KEY);
    CK_OBJECT_HANDLE certificate = find(session, CKO_CERTIFICATE);
    searches(session);
    one_bad_attribute_spoils_no_other(session, private_key);
    every_attribute_fits_its_length(session, private_key, 25);
    every_attribute_fits_its_length(session, public_key, 20);
    every_attribute_fits_its_length(session, certificate, 20);
    signing_keeps_the_rules(session, private_key, public_key, certificate);
    random_numbers(session);
    the_rest_says_so(session);
    OK(p11->C_Finalize(NULL));
    nothing_works_before_initialize();
    unload();
    return verdict();
}
