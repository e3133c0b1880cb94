/* The module as a guest in a process that forks, uses threads, and loads and unloads it as it likes.
 * Usage: guest MODULE; ATECC_DEVICE names a chip that processes can share. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 6, SIGNATURES = 2, CYCLES = 25, LOADS = 2 };

/* A thread with a session of its own, and digests that no other thread has. */
static void *sign_in_a_session(void *number)
{
    CK_BYTE first = (CK_BYTE)((size_t)number * SIGNATURES);
    CK_SESSION_HANDLE session = open_session(0);

    for (int i = 0; i < SIGNATURES; i++)
        sign_and_verify(session, first + i);
    OK(p11->C_CloseSession(session));
    return NULL;
}

static void threads_sign_at_the_same_time(void)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, sign_in_a_session, (void *)i) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

/* The life of a forked child: nothing of its parent's works, and after its own C_Initialize everything does. */
static void child(int ends_with_exec)
{
    CK_INFO info;

    failures = 0;
    RETURNS(p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    RETURNS(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    OK(p11->C_Initialize(NULL));
    sign_in_a_session((void *)20);
    OK(p11->C_Finalize(NULL));
    OK(p11->C_Initialize(NULL));
    OK(p11->C_GetInfo(&info));
    OK(p11->C_Finalize(NULL));
    fflush(stdout);
    if (!failures && ends_with_exec)
        execl("/bin/true", "true", NULL);
    _exit(failures != 0);
}

static void a_child_begins_anew(const char *when, int ends_with_exec)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        child(ends_with_exec);
    CHECK(waitpid(pid, &status, 0) == pid);
    if (status) {
        failures++;
        printf("the child forked %s ended with %x\n", when, status);
    }
}

/* Another thread holds the module's locks, and the chip is at work, when the process forks. What that thread had
 * in its hands may be half changed in the child, which leaves it alone for ever: it is lost there, on purpose. So
 * this child ends with exec, before valgrind looks for what is lost. */
static void fork_in_mid_signature(void)
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, sign_in_a_session, (void *)21) == 0);
    usleep(30 * 1000);
    a_child_begins_anew("in mid-signature", 1);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* A parent goes on as if there had been no child. */
static void the_parent_goes_on(CK_SESSION_HANDLE session)
{
    sign_and_verify(session, 0xee);
}

static void initialize_and_finalize_many_times(void)
{
    CK_ULONG count;

    for (int i = 0; i < CYCLES; i++) {
        OK(p11->C_Initialize(NULL));
        /* The chip is opened in some of them. */
        if (i % 10 == 0)
            OK(p11->C_GetSlotList(CK_TRUE, NULL, &count));
        OK(p11->C_Finalize(NULL));
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (int i = 0; i < LOADS; i++) {
        load(argv[1]);
        OK(p11->C_Initialize(NULL));
        CK_SESSION_HANDLE session = open_session(CKF_RW_SESSION);
        threads_sign_at_the_same_time();
        a_child_begins_anew("idle", 0);
        fork_in_mid_signature();
        the_parent_goes_on(session);
        /* With the session still open. */
        OK(p11->C_Finalize(NULL));
        initialize_and_finalize_many_times();
        unload();
    }
    /* A program may also unload without C_Finalize. */
    load(argv[1]);
    OK(p11->C_Initialize(NULL));
    sign_in_a_session((void *)1);
    OK(p11->C_Finalize(NULL));
    unload();
    return verdict();
}
