/* A process that forks while a thread of it signs, and is killed while its child sleeps on.
 * Usage: fork_and_die MODULE; ATECC_DEVICE names a chip that processes can share. Prints the child's process id. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "check.h"

enum { SIGNATURES = 100 };

static void *sign_on_and_on(void *unused)
{
    CK_SESSION_HANDLE session = open_session(0);

    (void)unused;
    for (int i = 0; i < SIGNATURES; i++)
        sign_and_verify(session, (CK_BYTE)i);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pid_t pid;

    CHECK(argc == 2);
    load(argv[1]);
    OK(p11->C_Initialize(NULL));
    CHECK(pthread_create(&thread, NULL, sign_on_and_on, NULL) == 0);
    /* Until the chip is at work. */
    usleep(700 * 1000);
    pid = fork();
    if (pid == 0) {
        /* Nothing that the test waits for may stay open. */
        close(0);
        close(1);
        close(2);
        sleep(120);
        _exit(0);
    }
    printf("%d\n", (int)pid);
    fflush(stdout);
    kill(getpid(), SIGKILL);
    return 1;
}
