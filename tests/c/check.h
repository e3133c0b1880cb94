/* What the C programs share: loading the module, checks that count failures instead of stopping, and the few
 * calls that every test needs. The declarations of PKCS#11 are those of NSS (Debian: libnss3-dev). */
#ifndef CHECK_H
#define CHECK_H

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pkcs11.h>

static atomic_int failures;

/* A call that must return `wanted`. */
#define RETURNS(call, wanted)                                                                              \
    do {                                                                                                   \
        CK_RV got_ = (call), wanted_ = (wanted);                                                           \
        if (got_ != wanted_) {                                                                             \
            failures++;                                                                                    \
            printf("%s:%d: %s = 0x%lx, not 0x%lx\n", __FILE__, __LINE__, #call, got_, wanted_);            \
        }                                                                                                  \
    } while (0)

/* A call that must return CKR_OK. */
#define OK(call) RETURNS(call, CKR_OK)

/* Something that must be true. */
#define CHECK(condition)                                                                                   \
    do {                                                                                                   \
        if (!(condition)) {                                                                                \
            failures++;                                                                                    \
            printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                               \
        }                                                                                                  \
    } while (0)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Debian 12's NSS does not know it. */
#ifndef CKA_UNIQUE_ID
#define CKA_UNIQUE_ID 0x4UL
#endif
#define UNAVAILABLE CK_UNAVAILABLE_INFORMATION
/* No handle of an object or session is as large as this. */
#define NO_HANDLE 0x7fffffffUL

/* The loaded module and its functions. */
static void *library;
static CK_FUNCTION_LIST *p11;

static inline void *symbol(const char *name)
{
    void *found = dlsym(library, name);
    if (!found) {
        printf("%s\n", dlerror());
        exit(2);
    }
    return found;
}

/* Loads the module and gets its list of version 2.40. */
static inline void load(const char *path)
{
    CK_C_GetFunctionList get_function_list;

    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        printf("%s\n", dlerror());
        exit(2);
    }
    *(void **)&get_function_list = symbol("C_GetFunctionList");
    RETURNS(get_function_list(NULL), CKR_ARGUMENTS_BAD);
    OK(get_function_list(&p11));
}

static inline void unload(void)
{
    CHECK(dlclose(library) == 0);
    library = NULL;
    p11 = NULL;
}

static inline CK_SESSION_HANDLE open_session(CK_FLAGS flags)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

    OK(p11->C_OpenSession(0, CKF_SERIAL_SESSION | flags, NULL, NULL, &session));
    return session;
}

/* The only object of a class, or the first of several. */
static inline CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
    CK_ATTRIBUTE template = { CKA_CLASS, &class, sizeof class };
    CK_OBJECT_HANDLE found[16] = { CK_INVALID_HANDLE };
    CK_ULONG count = 0;

    OK(p11->C_FindObjectsInit(session, &template, 1));
    OK(p11->C_FindObjects(session, found, COUNT(found), &count));
    OK(p11->C_FindObjectsFinal(session));
    CHECK(count >= 1);
    return found[0];
}

/* Signs a digest made of one byte, verifies it, and sees another digest refused. */
static inline void sign_and_verify(CK_SESSION_HANDLE session, CK_BYTE byte)
{
    CK_OBJECT_HANDLE private_key = find(session, CKO_PRIVATE_KEY);
    CK_OBJECT_HANDLE public_key = find(session, CKO_PUBLIC_KEY);
    CK_MECHANISM ecdsa = { CKM_ECDSA, NULL, 0 };
    CK_BYTE digest[32], signature[64];
    CK_ULONG length = sizeof signature;

    memset(digest, byte, sizeof digest);
    OK(p11->C_SignInit(session, &ecdsa, private_key));
    OK(p11->C_Sign(session, digest, sizeof digest, signature, &length));
    CHECK(length == 64);
    OK(p11->C_VerifyInit(session, &ecdsa, public_key));
    OK(p11->C_Verify(session, digest, sizeof digest, signature, length));
    digest[0] ^= 1;
    OK(p11->C_VerifyInit(session, &ecdsa, public_key));
    RETURNS(p11->C_Verify(session, digest, sizeof digest, signature, length), CKR_SIGNATURE_INVALID);
}

/* The end of main. */
static inline int verdict(void)
{
    if (failures)
        printf("%d failures\n", failures);
    else
        printf("no failures\n");
    return failures != 0;
}

#endif
