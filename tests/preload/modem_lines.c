/*
 * A preload library that gives modem lines to pseudo-terminals: they have none, and answer ENOTTY or EINVAL to who asks
 * for DTR (tty_ioctl(4)). Here setting them does nothing and succeeds. Ports that have such lines are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>

int ioctl(int descriptor, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, void *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "ioctl");
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int before = errno;
    int result = real(descriptor, request, argument);
    int is_modem = request == TIOCMBIS || request == TIOCMBIC || request == TIOCMSET;
    if (result < 0 && is_modem && (errno == ENOTTY || errno == EINVAL)) {
        errno = before;
        return 0;
    }
    return result;
}
