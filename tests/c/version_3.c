/* What version 3.0 of the standard adds: interfaces, profiles, unique identifiers, cancelling, and functions that
 * this token has no use for. Usage: version_3 MODULE; ATECC_DEVICE names the chip. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static CK_FUNCTION_LIST_3_0 *p11_3;

static CK_VERSION version(CK_BYTE major, CK_BYTE minor)
{
    return (CK_VERSION){ major, minor };
}

static void interfaces_are_listed(void)
{
    CK_C_GetInterfaceList get_interface_list;
    CK_INTERFACE interfaces[3];
    CK_ULONG count;

    *(void **)&get_interface_list = symbol("C_GetInterfaceList");
    RETURNS(get_interface_list(NULL, NULL), CKR_ARGUMENTS_BAD);
    OK(get_interface_list(NULL, &count));
    CHECK(count == 2);
    count = 1;
    RETURNS(get_interface_list(interfaces, &count), CKR_BUFFER_TOO_SMALL);
    CHECK(count == 2);
    count = COUNT(interfaces);
    OK(get_interface_list(interfaces, &count));
    CHECK(count == 2);
    for (CK_ULONG i = 0; i < count; i++) {
        CHECK(!strcmp((char *)interfaces[i].pInterfaceName, "PKCS 11"));
        /* A forked child begins anew, which is not what CKF_INTERFACE_FORK_SAFE promises. */
        CHECK(interfaces[i].flags == 0);
    }
    CHECK(interfaces[1].pFunctionList == p11);
}

static void an_interface_is_chosen_by_name_version_and_flags(void)
{
    CK_C_GetInterface get_interface;
    CK_INTERFACE *interface = NULL;
    CK_VERSION v2_40 = version(2, 40), v3_0 = version(3, 0), v9_9 = version(9, 9);
    CK_UTF8CHAR name[] = "PKCS 11", other[] = "Vendor";

    *(void **)&get_interface = symbol("C_GetInterface");
    RETURNS(get_interface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
    RETURNS(get_interface(other, NULL, &interface, 0), CKR_ARGUMENTS_BAD);
    RETURNS(get_interface(name, &v9_9, &interface, 0), CKR_ARGUMENTS_BAD);
    RETURNS(get_interface(name, NULL, &interface, CKF_INTERFACE_FORK_SAFE), CKR_ARGUMENTS_BAD);
    CHECK(interface == NULL);
    OK(get_interface(name, &v2_40, &interface, 0));
    CHECK(interface->pFunctionList == p11);
    OK(get_interface(name, &v3_0, &interface, 0));
    p11_3 = interface->pFunctionList;
    OK(get_interface(NULL, NULL, &interface, 0));
    CHECK(interface->pFunctionList == p11_3);
}

static void the_list_is_full_and_of_version_3_0(void)
{
    void **functions = (void **)&p11_3->C_Initialize;
    size_t count = (sizeof *p11_3 - offsetof(CK_FUNCTION_LIST_3_0, C_Initialize)) / sizeof *functions;

    CHECK(p11_3->version.major == 3 && p11_3->version.minor == 0);
    CHECK(count == 68 + 24);
    for (size_t i = 0; i < count; i++)
        CHECK(functions[i]);
}

static void each_list_tells_its_own_version(void)
{
    CK_INFO info;

    OK(p11_3->C_GetInfo(&info));
    CHECK(info.cryptokiVersion.major == 3 && info.cryptokiVersion.minor == 0);
    OK(p11->C_GetInfo(&info));
    CHECK(info.cryptokiVersion.major == 2 && info.cryptokiVersion.minor == 40);
}

/* Baseline, Extended, Authentication Token and, since there is a certificate, Public Certificates Token. */
static void profiles_are_objects(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PROFILE;
    CK_ATTRIBUTE template = { CKA_CLASS, &class, sizeof class };
    CK_OBJECT_HANDLE found[8];
    CK_ULONG count = 0, seen = 0;

    OK(p11_3->C_FindObjectsInit(session, &template, 1));
    OK(p11_3->C_FindObjects(session, found, COUNT(found), &count));
    OK(p11_3->C_FindObjectsFinal(session));
    CHECK(count == 4);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_PROFILE_ID profile = 0;
        CK_ATTRIBUTE attribute = { CKA_PROFILE_ID, &profile, sizeof profile };

        OK(p11_3->C_GetAttributeValue(session, found[i], &attribute, 1));
        seen |= 1UL << profile;
    }
    CHECK(seen == (1UL << CKP_BASELINE_PROVIDER | 1UL << CKP_EXTENDED_PROVIDER
                   | 1UL << CKP_AUTHENTICATION_TOKEN | 1UL << CKP_PUBLIC_CERTIFICATES_TOKEN));
}

static void every_object_has_a_unique_id_and_a_size(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE found[32];
    CK_ULONG count = 0, size;
    char identifiers[COUNT(found)][80];

    OK(p11_3->C_FindObjectsInit(session, NULL, 0));
    OK(p11_3->C_FindObjects(session, found, COUNT(found), &count));
    OK(p11_3->C_FindObjectsFinal(session));
    /* Two keys, three certificates, data, five secret keys and four profiles. */
    CHECK(count == 15);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_ATTRIBUTE attribute = { CKA_UNIQUE_ID, identifiers[i], sizeof identifiers[i] - 1 };

        memset(identifiers[i], 0, sizeof identifiers[i]);
        OK(p11_3->C_GetAttributeValue(session, found[i], &attribute, 1));
        for (CK_ULONG other = 0; other < i; other++)
            CHECK(strcmp(identifiers[other], identifiers[i]));
        OK(p11_3->C_GetObjectSize(session, found[i], &size));
        CHECK(size > 20);
    }
    RETURNS(p11_3->C_GetObjectSize(session, found[0], NULL), CKR_ARGUMENTS_BAD);
    RETURNS(p11_3->C_GetObjectSize(session, NO_HANDLE, &size), CKR_OBJECT_HANDLE_INVALID);
}

static void operations_are_cancelled(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE private_key = find(session, CKO_PRIVATE_KEY), public_key = find(session, CKO_PUBLIC_KEY);
    CK_MECHANISM ecdsa = { CKM_ECDSA, NULL, 0 }, sha256 = { CKM_SHA256, NULL, 0 };
    CK_BYTE bytes[64] = { 0 };
    CK_ULONG length = sizeof bytes;
    CK_OBJECT_HANDLE handle;

    RETURNS(p11_3->C_SessionCancel(NO_HANDLE, CKF_SIGN), CKR_SESSION_HANDLE_INVALID);
    OK(p11_3->C_SessionCancel(session, CKF_SIGN | CKF_FIND_OBJECTS | CKF_MESSAGE_SIGN));
    OK(p11_3->C_FindObjectsInit(session, NULL, 0));
    OK(p11_3->C_DigestInit(session, &sha256));
    OK(p11_3->C_SignInit(session, &ecdsa, private_key));
    OK(p11_3->C_VerifyInit(session, &ecdsa, public_key));
    OK(p11_3->C_SessionCancel(session, CKF_SIGN | CKF_FIND_OBJECTS));
    RETURNS(p11_3->C_Sign(session, bytes, 32, bytes, &length), CKR_OPERATION_NOT_INITIALIZED);
    RETURNS(p11_3->C_FindObjects(session, &handle, 1, &length), CKR_OPERATION_NOT_INITIALIZED);
    RETURNS(p11_3->C_DigestInit(session, &sha256), CKR_OPERATION_ACTIVE);
    RETURNS(p11_3->C_VerifyInit(session, &ecdsa, public_key), CKR_OPERATION_ACTIVE);
    /* An Init function without a mechanism does the same for its kind. */
    OK(p11_3->C_DigestInit(session, NULL));
    OK(p11_3->C_VerifyInit(session, NULL, public_key));
    RETURNS(p11_3->C_DigestInit(session, NULL), CKR_ARGUMENTS_BAD);
    RETURNS(p11_3->C_VerifyInit(session, NULL, public_key), CKR_ARGUMENTS_BAD);
}

static void users_have_names(CK_SESSION_HANDLE session)
{
    CK_UTF8CHAR name[] = "gateway";

    RETURNS(p11_3->C_LoginUser(session, CKU_SO, NULL, 0, name, 7), CKR_USER_TYPE_INVALID);
    OK(p11_3->C_LoginUser(session, CKU_USER, NULL, 0, name, 7));
    RETURNS(p11_3->C_LoginUser(session, CKU_USER, NULL, 0, NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
    OK(p11_3->C_Logout(session));
}

static void there_are_no_messages(CK_SESSION_HANDLE session)
{
    CK_MECHANISM gcm = { CKM_AES_GCM, NULL, 0 };
    CK_BYTE bytes[16] = { 0 };
    CK_ULONG length = sizeof bytes;

    RETURNS(p11_3->C_MessageEncryptInit(session, &gcm, 1), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11_3->C_MessageDecryptInit(session, &gcm, 1), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11_3->C_MessageSignInit(session, &gcm, 1), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11_3->C_MessageVerifyInit(session, &gcm, 1), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11_3->C_SignMessage(session, NULL, 0, bytes, 16, bytes, &length), CKR_FUNCTION_NOT_SUPPORTED);
    RETURNS(p11_3->C_MessageSignFinal(session), CKR_FUNCTION_NOT_SUPPORTED);
}

static void *wait_for_an_event(void *result)
{
    CK_SLOT_ID slot;

    *(CK_RV *)result = p11_3->C_WaitForSlotEvent(0, &slot, NULL);
    return NULL;
}

/* "If ... C_Finalize is called, C_WaitForSlotEvent ... returns with CKR_CRYPTOKI_NOT_INITIALIZED." */
static void whoever_waits_for_a_slot_event_waits_for_the_end(void)
{
    CK_SLOT_ID slot;
    CK_RV result = CKR_OK;
    pthread_t thread;

    RETURNS(p11_3->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
    RETURNS(p11_3->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, &slot), CKR_ARGUMENTS_BAD);
    RETURNS(p11_3->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    CHECK(pthread_create(&thread, NULL, wait_for_an_event, &result) == 0);
    usleep(100 * 1000);
    OK(p11_3->C_Finalize(NULL));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(result == CKR_CRYPTOKI_NOT_INITIALIZED);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    load(argv[1]);
    interfaces_are_listed();
    an_interface_is_chosen_by_name_version_and_flags();
    the_list_is_full_and_of_version_3_0();
    RETURNS(p11_3->C_SessionCancel(1, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
    OK(p11_3->C_Initialize(NULL));
    each_list_tells_its_own_version();
    CK_SESSION_HANDLE session = open_session(0);
    profiles_are_objects(session);
    every_object_has_a_unique_id_and_a_size(session);
    operations_are_cancelled(session);
    users_have_names(session);
    there_are_no_messages(session);
    whoever_waits_for_a_slot_event_waits_for_the_end();
    unload();
    return verdict();
}
