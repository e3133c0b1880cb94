/* How much memory the module takes at its peak: kilobytes of VmHWM from before it is loaded to after a signature.
 * Usage: footprint MODULE; ATECC_DEVICE names the chip. */
#include "check.h"

/* The most that was ever resident (proc(5)). */
static long peak(void)
{
    char line[128];
    long kilobytes = -1;
    FILE *status = fopen("/proc/self/status", "r");

    CHECK(status);
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmHWM: %ld", &kilobytes);
    if (status)
        fclose(status);
    CHECK(kilobytes > 0);
    return kilobytes;
}

int main(int argc, char **argv)
{
    CK_SESSION_HANDLE session;
    long before;

    if (argc != 2)
        return 2;
    before = peak();
    load(argv[1]);
    OK(p11->C_Initialize(NULL));
    session = open_session(0);
    /* All objects, with their certificates. */
    find(session, CKO_CERTIFICATE);
    sign_and_verify(session, 0x2a);
    OK(p11->C_Finalize(NULL));
    unload();
    printf("%ld kB\n", peak() - before);
    return verdict();
}
