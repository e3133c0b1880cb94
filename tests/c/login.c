/* What only the user may see comes with the login and goes with it (PKCS#11 3.1, sections 5.6.8 and 5.6.9).
 * Usage: login MODULE PIN; ATECC_CONFIG names a configuration that asks for this PIN. */
#include "check.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* A secret key of the session, private or not. */
static CK_RV make(CK_SESSION_HANDLE session, CK_BBOOL *is_private, CK_OBJECT_HANDLE *made)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_PRIVATE, is_private, sizeof *is_private},
        {CKA_VALUE, "secret", 6},
    };

    return p11->C_CreateObject(session, template, COUNT(template), made);
}

static CK_RV size(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_ULONG bytes;

    return p11->C_GetObjectSize(session, object, &bytes);
}

int main(int argc, char **argv)
{
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE hidden, shown, made;
    CK_UTF8CHAR *pin;

    if (argc != 3)
        return 2;
    pin = (CK_UTF8CHAR *)argv[2];
    load(argv[1]);
    OK(p11->C_Initialize(NULL));
    session = open_session(0);
    RETURNS(make(session, &yes, &made), CKR_USER_NOT_LOGGED_IN);
    OK(p11->C_Login(session, CKU_USER, pin, strlen(argv[2])));
    OK(make(session, &yes, &hidden));
    OK(make(session, &no, &shown));
    OK(size(session, hidden));
    OK(p11->C_Logout(session));
    RETURNS(size(session, hidden), CKR_OBJECT_HANDLE_INVALID);
    OK(size(session, shown));
    RETURNS(make(session, &yes, &made), CKR_USER_NOT_LOGGED_IN);
    /* Not hidden: destroyed. */
    OK(p11->C_Login(session, CKU_USER, pin, strlen(argv[2])));
    RETURNS(size(session, hidden), CKR_OBJECT_HANDLE_INVALID);
    OK(size(session, shown));
    OK(p11->C_Finalize(NULL));
    unload();
    return verdict();
}
