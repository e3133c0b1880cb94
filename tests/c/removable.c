/* A chip that is pulled and plugged in again while sessions are open. Says "pull" and "plug" when it waits for that, and
 * goes on with the next line of its input. Usage: removable MODULE [fixed]; ATECC_DEVICE names the chip, which with
 * "fixed" is one that nobody can pull. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static void wait_for(const char *what)
{
    char line[8];

    printf("%s\n", what);
    fflush(stdout);
    CHECK(fgets(line, sizeof line, stdin) != NULL);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM ecdsa = { CKM_ECDSA, NULL, 0 };
    CK_BYTE digest[32] = { 1 }, signature[64];
    CK_ULONG length = sizeof signature;
    CK_RV rv = p11->C_SignInit(session, &ecdsa, key);

    return rv ? rv : p11->C_Sign(session, digest, sizeof digest, signature, &length);
}

static void pulled_and_plugged_in(void)
{
    CK_SLOT_ID slot = 99;
    CK_SLOT_INFO info;
    CK_TOKEN_INFO token;
    CK_ULONG count = 0;
    CK_SESSION_HANDLE other;
    CK_SESSION_INFO state;

    OK(p11->C_GetSlotList(CK_TRUE, NULL, &count));
    CHECK(count == 1);
    OK(p11->C_GetSlotInfo(0, &info));
    CHECK(info.flags & CKF_REMOVABLE_DEVICE && info.flags & CKF_TOKEN_PRESENT);
    RETURNS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    CK_SESSION_HANDLE session = open_session(0);
    CK_OBJECT_HANDLE key = find(session, CKO_PRIVATE_KEY);
    OK(sign(session, key));
    OK(p11->C_Login(session, CKU_USER, NULL, 0));

    wait_for("pull");
    RETURNS(sign(session, key), CKR_DEVICE_REMOVED);
    RETURNS(sign(session, key), CKR_DEVICE_REMOVED);
    OK(p11->C_GetSlotInfo(0, &info));
    CHECK(!(info.flags & CKF_TOKEN_PRESENT));
    RETURNS(p11->C_GetTokenInfo(0, &token), CKR_TOKEN_NOT_PRESENT);
    RETURNS(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &other), CKR_TOKEN_NOT_PRESENT);
    OK(p11->C_GetSlotList(CK_TRUE, NULL, &count));
    CHECK(count == 0);
    OK(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
    CHECK(slot == 0);
    RETURNS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);

    wait_for("plug");
    slot = 99;
    OK(p11->C_WaitForSlotEvent(0, &slot, NULL));
    CHECK(slot == 0);
    /* What was open is over, and can be closed. */
    RETURNS(sign(session, key), CKR_DEVICE_REMOVED);
    other = open_session(0);
    /* Who was logged in was with the token that went. */
    OK(p11->C_GetSessionInfo(other, &state));
    CHECK(state.state == CKS_RO_PUBLIC_SESSION || state.state == CKS_RW_PUBLIC_SESSION);
    OK(p11->C_Login(other, CKU_USER, NULL, 0));
    OK(sign(other, find(other, CKO_PRIVATE_KEY)));
    OK(p11->C_CloseSession(session));
    RETURNS(p11->C_Login(other, CKU_USER, NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
    RETURNS(p11->C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
    key = find(other, CKO_PRIVATE_KEY);
    OK(sign(other, key));

    /* A session of nobody goes on with its chip: ssh-agent and OpenSSL's engine never open another one. */
    OK(p11->C_Logout(other));
    wait_for("pull");
    RETURNS(sign(other, key), CKR_DEVICE_REMOVED);
    RETURNS(sign(other, key), CKR_DEVICE_REMOVED);
    RETURNS(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_TOKEN_NOT_PRESENT);
    wait_for("plug");
    OK(sign(other, key));
    session = open_session(0);
    OK(sign(session, find(session, CKO_PRIVATE_KEY)));
    OK(sign(other, key));
}

static void *finalize_later(void *nothing)
{
    usleep(300 * 1000);
    OK(p11->C_Finalize(NULL));
    return nothing;
}

static void waiting_ends_with_finalize(void)
{
    CK_SLOT_ID slot;
    CK_SLOT_INFO info;
    pthread_t thread;

    OK(p11->C_GetSlotInfo(0, &info));
    CHECK(!(info.flags & CKF_REMOVABLE_DEVICE));
    CHECK(pthread_create(&thread, NULL, finalize_later, NULL) == 0);
    RETURNS(p11->C_WaitForSlotEvent(0, &slot, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    load(argv[1]);
    OK(p11->C_Initialize(NULL));
    if (argc > 2) {
        waiting_ends_with_finalize();
    } else {
        pulled_and_plugged_in();
        OK(p11->C_Finalize(NULL));
    }
    unload();
    return verdict();
}
