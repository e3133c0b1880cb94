/*
 * A preload library that gives /dev/i2c-N to unmodified programs, with the bus of `atecc emulator serve` behind it.
 *
 *     ATECC_PRELOAD_BUS=1 ATECC_PRELOAD_SOCKET=/run/bus.sock LD_PRELOAD=./i2c_dev.so PROGRAM
 *
 *     ATECC_PRELOAD_BUS      the N of /dev/i2c-N
 *     ATECC_PRELOAD_SOCKET   the socket of the emulated bus; without it, there is no such device
 *     ATECC_PRELOAD_NACK     ENXIO (without it), EREMOTEIO, or SHORT: how the adapter reports a missing acknowledgement.
 *                            Documentation/i2c/fault-codes.rst asks for ENXIO; some drivers give EREMOTEIO, and some
 *                            no error, but the number of messages that were done, which is less than was asked for.
 *     ATECC_PRELOAD_LOG      a file to which every message on the bus is appended, one per line:
 *                            SECONDS.MICROSECONDS PID ADDRESS W|R BYTES ok|ENXIO|...   (BYTES in hexadecimal, or -)
 *
 * What the device does is taken from Documentation/i2c/dev-interface.rst of Linux and from the manual pages of
 * the calls. Where it does less than a kernel:
 *   - messages of one I2C_RDWR go to one address, at most 8 of them with 1024 bytes each, since that is what the
 *     protocol on the socket carries; more gives EOPNOTSUPP, as adapters with such limits do;
 *   - no SMBus calls, no ten-bit addresses: I2C_FUNCS says so;
 *   - after fork, I2C_SLAVE in the child does not change the address of the parent;
 *   - a descriptor that is kept over exec is that of an empty file in the new program;
 *   - stat of the name shows a character device with the owner and the rights of the socket, and with the inode of
 *     the lock file once that is there; fstat of an open descriptor shows the file that it is; fopen and listings
 *     of /dev do not know the device.
 *
 * The descriptor that a program gets is one of the lock file beside the socket, SOCKET.lock. So flock works
 * between processes, also with those that reach the same bus as emulator:unix:SOCKET; and a descriptor that was
 * closed behind this library's back (close_range, dup2) is recognized by not being that file any more.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The protocol of the emulated bus: atecc-emulator/src/socket/wire.rs. */
static const char GREETING[] = "ATECC-EMULATOR I2C BUS 1";
enum { MAX_OPERATIONS = 8, MAX_LENGTH = 1024, WIRE_WRITE = 0, WIRE_READ = 1, WIRE_DONE = 0, WIRE_NACK = 1 };

/* i2c-dev cuts longer reads and writes, and refuses longer messages. */
enum { KERNEL_MAX_LENGTH = 8192 };
/* Longer than any transfer: 1024 bytes at 10 kHz, and as much again for a busy server. */
enum { PATIENCE_SECONDS = 5 };
enum { MAX_DESCRIPTORS = 1024, MAX_PATH = 4096, MAX_LINKS = 8 };

/* What several descriptors of one open() share, as `struct file` does. */
struct open_file {
    unsigned references;
    int access_mode;
    unsigned address;
    /* -1, or the connection to the server that the process `connected_by` made. */
    int connection;
    pid_t connected_by;
};

/* A part of a transfer: one message. */
struct operation {
    bool is_read;
    size_t length;
    uint8_t *data;
};

static _Atomic(struct open_file *) descriptors[MAX_DESCRIPTORS];
/* Held while a transfer lasts, as the adapter's lock is, and while the table changes. */
static pthread_mutex_t adapter = PTHREAD_MUTEX_INITIALIZER;
/* Whose memory this is: between vfork and exec, a child runs in that of its parent. */
static pid_t process;

/* Set once, by configure(). `node` is empty if there is no bus. */
static pthread_once_t configured = PTHREAD_ONCE_INIT;
static char node[32];
static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
static char lock_path[MAX_PATH];
static char log_path[MAX_PATH];
static int nack_error = ENXIO;
static bool is_nack_short = false;

/* ---- The functions that this library stands in front of ---- */

static void *next_function(_Atomic(void *) *cache, const char *name)
{
    void *function = atomic_load(cache);
    if (function == NULL) {
        function = dlsym(RTLD_NEXT, name);
        if (function == NULL) {
            fprintf(stderr, "i2c_dev: no %s behind this library\n", name);
            abort();
        }
        atomic_store(cache, function);
    }
    return function;
}

#define NEXT(name)                                          \
    ({                                                      \
        static _Atomic(void *) cache;                       \
        (__typeof__(&name))next_function(&cache, #name);    \
    })

/* ---- Configuration ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&adapter);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&adapter);
}

static void after_fork_in_child(void)
{
    process = getpid();
    pthread_mutex_unlock(&adapter);
}

static void configure(void)
{
    const char *bus = getenv("ATECC_PRELOAD_BUS");
    const char *path = getenv("ATECC_PRELOAD_SOCKET");
    const char *nack = getenv("ATECC_PRELOAD_NACK");
    const char *log = getenv("ATECC_PRELOAD_LOG");

    process = getpid();
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    if (bus == NULL || path == NULL)
        return;
    if (strlen(path) >= sizeof(socket_path) || strspn(bus, "0123456789") != strlen(bus) || strlen(bus) > 4) {
        fprintf(stderr, "i2c_dev: ATECC_PRELOAD_BUS is no number, or ATECC_PRELOAD_SOCKET is too long\n");
        abort();
    }
    strcpy(socket_path, path);
    /* The name that the lock of emulator:unix:SOCKET has: beside the socket itself, not beside a link to it. */
    char *resolved = NEXT(realpath)(path, NULL);
    snprintf(lock_path, sizeof(lock_path), "%s.lock", resolved != NULL ? resolved : path);
    free(resolved);
    if (log != NULL)
        snprintf(log_path, sizeof(log_path), "%s", log);
    if (nack != NULL && strcmp(nack, "EREMOTEIO") == 0)
        nack_error = EREMOTEIO;
    is_nack_short = nack != NULL && strcmp(nack, "SHORT") == 0;
    snprintf(node, sizeof(node), "/dev/i2c-%s", bus);
}

/* Whether there is a bus to offer. */
static bool is_configured(void)
{
    pthread_once(&configured, configure);
    return node[0] != '\0';
}

/* Whether `path` is the name of the device. */
static bool is_name(const char *path)
{
    return path != NULL && is_configured() && strcmp(path, node) == 0;
}

/*
 * Whether `path` is the device: its name, or a symbolic link to it. The links are followed here, since those who
 * follow them elsewhere do not find what is not there. Links among the directories on the way are not.
 */
static bool is_node(const char *path)
{
    char name[MAX_PATH], target[MAX_PATH];
    int saved = errno;
    bool found = false;

    if (path == NULL || !is_configured() || strlen(path) >= sizeof(name))
        return false;
    strcpy(name, path);
    for (int links = 0; links <= MAX_LINKS; links++) {
        if (strcmp(name, node) == 0) {
            found = true;
            break;
        }
        ssize_t length = readlink(name, target, sizeof(target) - 1);
        if (length <= 0)
            break;
        target[length] = '\0';
        char *slash = target[0] == '/' ? NULL : strrchr(name, '/');
        size_t folder = slash != NULL ? (size_t)(slash - name) + 1 : 0;
        if (folder + (size_t)length >= sizeof(name))
            break;
        strcpy(name + folder, target);
    }
    errno = saved;
    return found;
}

/* ---- The log ---- */

static void log_message(unsigned address, const struct operation *operation, int error)
{
    char line[64 + 2 * MAX_LENGTH];
    struct timespec now;
    size_t length;

    if (log_path[0] == '\0')
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    length = (size_t)snprintf(line, sizeof(line), "%lld.%06ld %d %02x %c ", (long long)now.tv_sec,
                              now.tv_nsec / 1000, (int)getpid(), address, operation->is_read ? 'R' : 'W');
    if (operation->length == 0 || (operation->is_read && error != 0))
        line[length++] = '-';
    else
        for (size_t i = 0; i < operation->length; i++)
            length += (size_t)snprintf(line + length, sizeof(line) - length, "%02x", operation->data[i]);
    length += (size_t)snprintf(line + length, sizeof(line) - length, " %s\n",
                               error == 0 ? "ok" : strerrorname_np(error));
    /* Opened for each line: the program may close any descriptor that it did not open itself. Appending one
       line with one write keeps the lines of several processes apart. */
    int file = NEXT(open)(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return;
    if (NEXT(write)(file, line, length) != (ssize_t)length)
        fprintf(stderr, "i2c_dev: the log is not whole\n");
    NEXT(close)(file);
}

/* ---- The connection to the server ---- */

static bool send_all(int connection, const uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(connection, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool receive_all(int connection, uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t received = recv(connection, data, length, 0);
        if (received < 0 && errno == EINTR)
            continue;
        if (received <= 0)
            return false;
        data += received;
        length -= (size_t)received;
    }
    return true;
}

/* A connection to a server that greeted as an emulated bus, or -1. */
static int connect_to_server(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    uint8_t greeting[sizeof(GREETING) - 1];
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connection < 0)
        return -1;
    strcpy(address.sun_path, socket_path);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(connection, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        receive_all(connection, greeting, sizeof(greeting)) &&
        memcmp(greeting, GREETING, sizeof(greeting)) == 0)
        return connection;
    NEXT(close)(connection);
    return -1;
}

static void disconnect(struct open_file *file)
{
    if (file->connection >= 0)
        NEXT(close)(file->connection);
    file->connection = -1;
}

/* Makes sure that `file` has a connection of this process; one that was inherited belongs to the parent. */
static bool is_connected(struct open_file *file)
{
    int type;
    socklen_t size = sizeof(type);
    bool is_socket = file->connection >= 0 && getsockopt(file->connection, SOL_SOCKET, SO_TYPE, &type, &size) == 0;

    if (is_socket && file->connected_by == getpid())
        return true;
    if (is_socket)
        disconnect(file);
    file->connection = connect_to_server();
    file->connected_by = getpid();
    return file->connection >= 0;
}

/* Sends `count` operations as one transfer. 0, or the error number that the kernel would give. */
static int transfer_unlogged(struct open_file *file, unsigned address, struct operation *operations, size_t count)
{
    uint8_t request[2 + MAX_OPERATIONS * (3 + MAX_LENGTH)];
    uint8_t status;
    size_t length = 0;

    if (count > MAX_OPERATIONS)
        return EOPNOTSUPP;
    request[length++] = (uint8_t)address;
    request[length++] = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        const struct operation *operation = &operations[i];
        if (operation->length > MAX_LENGTH)
            return EOPNOTSUPP;
        request[length++] = operation->is_read ? WIRE_READ : WIRE_WRITE;
        request[length++] = (uint8_t)(operation->length & 0xff);
        request[length++] = (uint8_t)(operation->length >> 8);
        if (!operation->is_read && operation->length > 0) {
            memcpy(request + length, operation->data, operation->length);
            length += operation->length;
        }
    }
    /* No server: the adapter was pulled out. */
    if (!is_connected(file))
        return ENODEV;
    if (!send_all(file->connection, request, length) || !receive_all(file->connection, &status, 1)) {
        disconnect(file);
        return ENODEV;
    }
    if (status == WIRE_NACK)
        return nack_error;
    if (status == WIRE_DONE) {
        size_t i = 0;
        while (i < count && (!operations[i].is_read ||
                             receive_all(file->connection, operations[i].data, operations[i].length)))
            i++;
        if (i == count)
            return 0;
    }
    disconnect(file);
    return EIO;
}

/* The same, with a line in the log for each message. The adapter's lock is held. */
static int transfer(struct open_file *file, unsigned address, struct operation *operations, size_t count)
{
    int error = transfer_unlogged(file, address, operations, count);
    for (size_t i = 0; i < count && error != EOPNOTSUPP; i++)
        log_message(address, &operations[i], error);
    return error;
}

/* ---- Descriptors ---- */

/* Whether `descriptor` still is what open() of the device gave. */
static bool is_lock_file(int descriptor)
{
    struct stat is, should;
    return fstat(descriptor, &is) == 0 && NEXT(stat)(lock_path, &should) == 0 && is.st_dev == should.st_dev &&
           is.st_ino == should.st_ino;
}

/* Takes `descriptor` out of the table. The adapter's lock is held. */
static void forget(int descriptor)
{
    struct open_file *file = atomic_exchange(&descriptors[descriptor], NULL);
    if (file != NULL && --file->references == 0) {
        if (file->connected_by == getpid())
            disconnect(file);
        free(file);
    }
}

static void remember(int descriptor, struct open_file *file)
{
    forget(descriptor);
    file->references++;
    atomic_store(&descriptors[descriptor], file);
}

/*
 * The open file behind `descriptor`, with the adapter's lock held, or NULL without it if it is not the device.
 * Calls for other descriptors do not touch the lock, so they stay safe in signal handlers.
 */
static struct open_file *lock_file_of(int descriptor)
{
    int saved = errno;
    if (descriptor < 0 || descriptor >= MAX_DESCRIPTORS || atomic_load(&descriptors[descriptor]) == NULL)
        return NULL;
    if (getpid() != process)
        return NULL;
    pthread_mutex_lock(&adapter);
    if (!is_lock_file(descriptor))
        forget(descriptor);
    struct open_file *file = atomic_load(&descriptors[descriptor]);
    if (file == NULL)
        pthread_mutex_unlock(&adapter);
    errno = saved;
    return file;
}

/* Gives back the lock; -1 with errno if there was an error, and `result` if not. */
static ssize_t unlock(int error, ssize_t result)
{
    pthread_mutex_unlock(&adapter);
    if (error == 0)
        return result;
    errno = error;
    return -1;
}

static int open_node(int flags)
{
    struct stat server;
    struct open_file *file;
    int descriptor;

    /* Without a server there is no adapter, and so no device node. */
    if (NEXT(stat)(socket_path, &server) != 0)
        return -1;
    descriptor = NEXT(open)(lock_path, (flags & (O_ACCMODE | O_CLOEXEC | O_NONBLOCK)) | O_CREAT, 0666);
    if (descriptor < 0)
        return -1;
    file = descriptor < MAX_DESCRIPTORS ? calloc(1, sizeof(*file)) : NULL;
    if (file == NULL) {
        NEXT(close)(descriptor);
        errno = ENOMEM;
        return -1;
    }
    file->access_mode = flags & O_ACCMODE;
    file->connection = -1;
    pthread_mutex_lock(&adapter);
    remember(descriptor, file);
    pthread_mutex_unlock(&adapter);
    return descriptor;
}

/* After a call that gave `copy` as another descriptor of what `original` is. */
static int duplicated(int original, int copy)
{
    struct open_file *file = copy >= 0 ? lock_file_of(original) : NULL;
    if (file != NULL) {
        if (copy < MAX_DESCRIPTORS && copy != original)
            remember(copy, file);
        pthread_mutex_unlock(&adapter);
    }
    return copy;
}

/* ---- open, and its names ---- */

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);

/* The third argument of open, which is there only with these flags. */
#define MODE_ARGUMENT(flags)                                    \
    ({                                                          \
        mode_t mode = 0;                                        \
        if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) { \
            va_list arguments;                                  \
            va_start(arguments, flags);                         \
            mode = va_arg(arguments, mode_t);                   \
            va_end(arguments);                                  \
        }                                                       \
        mode;                                                   \
    })

int open(const char *path, int flags, ...)
{
    mode_t mode = MODE_ARGUMENT(flags);
    return is_node(path) ? open_node(flags) : NEXT(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = MODE_ARGUMENT(flags);
    return is_node(path) ? open_node(flags) : NEXT(open64)(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    mode_t mode = MODE_ARGUMENT(flags);
    return is_node(path) ? open_node(flags) : NEXT(openat)(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    mode_t mode = MODE_ARGUMENT(flags);
    return is_node(path) ? open_node(flags) : NEXT(openat64)(folder, path, flags, mode);
}

int __open_2(const char *path, int flags)
{
    return is_node(path) ? open_node(flags) : NEXT(__open_2)(path, flags);
}

int __open64_2(const char *path, int flags)
{
    return is_node(path) ? open_node(flags) : NEXT(__open64_2)(path, flags);
}

int __openat_2(int folder, const char *path, int flags)
{
    return is_node(path) ? open_node(flags) : NEXT(__openat_2)(folder, path, flags);
}

int __openat64_2(int folder, const char *path, int flags)
{
    return is_node(path) ? open_node(flags) : NEXT(__openat64_2)(folder, path, flags);
}

char *realpath(const char *restrict path, char *restrict resolved)
{
    if (!is_node(path))
        return NEXT(realpath)(path, resolved);
    return resolved != NULL ? strcpy(resolved, node) : strdup(node);
}

char *canonicalize_file_name(const char *path)
{
    return is_node(path) ? strdup(node) : NEXT(canonicalize_file_name)(path);
}

/* ---- stat and access, by name ---- */

/* The major number of i2c-dev (Documentation/admin-guide/devices.txt). */
enum { I2C_MAJOR = 89 };

static unsigned bus_number(void)
{
    return (unsigned)strtoul(node + strlen("/dev/i2c-"), NULL, 10);
}

static mode_t node_mode(mode_t socket_mode)
{
    return S_IFCHR | (socket_mode & 0666);
}

/* Device and inode that an open descriptor of the node has, once there was one. */
static bool node_identity(struct stat *identity)
{
    return NEXT(stat)(lock_path, identity) == 0;
}

int stat(const char *restrict path, struct stat *restrict status)
{
    struct stat identity;
    int result;

    if (!is_node(path))
        return NEXT(stat)(path, status);
    result = NEXT(stat)(socket_path, status);
    if (result == 0) {
        status->st_mode = node_mode(status->st_mode);
        status->st_rdev = makedev(I2C_MAJOR, bus_number());
        if (node_identity(&identity)) {
            status->st_dev = identity.st_dev;
            status->st_ino = identity.st_ino;
        }
    }
    return result;
}

int stat64(const char *restrict path, struct stat64 *restrict status)
{
    struct stat identity;
    int result;

    if (!is_node(path))
        return NEXT(stat64)(path, status);
    result = NEXT(stat64)(socket_path, status);
    if (result == 0) {
        status->st_mode = node_mode(status->st_mode);
        status->st_rdev = makedev(I2C_MAJOR, bus_number());
        if (node_identity(&identity)) {
            status->st_dev = identity.st_dev;
            status->st_ino = identity.st_ino;
        }
    }
    return result;
}

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict status)
{
    struct stat identity;
    int result;

    /* A link to the node is a link. */
    if ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? !is_name(path) : !is_node(path))
        return NEXT(statx)(folder, path, flags, mask, status);
    result = NEXT(statx)(folder, socket_path, flags, mask, status);
    if (result == 0) {
        status->stx_mode = (uint16_t)node_mode(status->stx_mode);
        status->stx_rdev_major = I2C_MAJOR;
        status->stx_rdev_minor = bus_number();
        if (node_identity(&identity)) {
            status->stx_dev_major = major(identity.st_dev);
            status->stx_dev_minor = minor(identity.st_dev);
            status->stx_ino = identity.st_ino;
        }
    }
    return result;
}

int access(const char *path, int mode)
{
    return NEXT(access)(is_node(path) ? socket_path : path, mode);
}

/* ---- What can be done with a descriptor ---- */

int close(int descriptor)
{
    /* Between vfork and exec, the table is that of the parent, who still has the file open. */
    if (lock_file_of(descriptor) != NULL) {
        forget(descriptor);
        pthread_mutex_unlock(&adapter);
    }
    return NEXT(close)(descriptor);
}

int dup(int descriptor)
{
    return duplicated(descriptor, NEXT(dup)(descriptor));
}

int dup2(int descriptor, int wanted)
{
    return duplicated(descriptor, NEXT(dup2)(descriptor, wanted));
}

int dup3(int descriptor, int wanted, int flags)
{
    return duplicated(descriptor, NEXT(dup3)(descriptor, wanted, flags));
}

/* All arguments that fcntl and ioctl take are as wide as a pointer, or narrower. */
#define POINTER_ARGUMENT(last)                      \
    ({                                              \
        va_list arguments;                          \
        va_start(arguments, last);                  \
        void *argument = va_arg(arguments, void *); \
        va_end(arguments);                          \
        argument;                                   \
    })

int fcntl(int descriptor, int command, ...)
{
    int result = NEXT(fcntl)(descriptor, command, POINTER_ARGUMENT(command));
    bool is_copy = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    return is_copy ? duplicated(descriptor, result) : result;
}

int fcntl64(int descriptor, int command, ...)
{
    int result = NEXT(fcntl64)(descriptor, command, POINTER_ARGUMENT(command));
    bool is_copy = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    return is_copy ? duplicated(descriptor, result) : result;
}

/* One message to or from the address that I2C_SLAVE set. */
static ssize_t message(struct open_file *file, bool is_read, uint8_t *data, size_t length)
{
    struct operation operation = {
        .is_read = is_read,
        .data = data,
        .length = length < KERNEL_MAX_LENGTH ? length : KERNEL_MAX_LENGTH,
    };
    int wrong_mode = is_read ? O_WRONLY : O_RDONLY;
    if (file->access_mode == wrong_mode)
        return unlock(EBADF, 0);
    int error = transfer(file, file->address, &operation, 1);
    return unlock(error, (ssize_t)operation.length);
}

ssize_t read(int descriptor, void *buffer, size_t length)
{
    struct open_file *file = lock_file_of(descriptor);
    return file != NULL ? message(file, true, buffer, length) : NEXT(read)(descriptor, buffer, length);
}

ssize_t __read_chk(int descriptor, void *buffer, size_t length, size_t size);

ssize_t __read_chk(int descriptor, void *buffer, size_t length, size_t size)
{
    if (length > size)
        abort();
    return read(descriptor, buffer, length);
}

ssize_t write(int descriptor, const void *buffer, size_t length)
{
    struct open_file *file = lock_file_of(descriptor);
    /* The bytes of a write are only read. */
    return file != NULL ? message(file, false, (uint8_t *)(uintptr_t)buffer, length)
                        : NEXT(write)(descriptor, buffer, length);
}

/* I2C_RDWR: all messages, with repeated starts between them; their number, or an error. */
static ssize_t combined(struct open_file *file, const struct i2c_rdwr_ioctl_data *request)
{
    struct operation operations[I2C_RDWR_IOCTL_MAX_MSGS];

    if (request == NULL)
        return unlock(EFAULT, 0);
    if (request->nmsgs == 0 || request->nmsgs > I2C_RDWR_IOCTL_MAX_MSGS || request->msgs == NULL)
        return unlock(EINVAL, 0);
    for (size_t i = 0; i < request->nmsgs; i++) {
        const struct i2c_msg *message = &request->msgs[i];
        if (message->len > KERNEL_MAX_LENGTH)
            return unlock(EINVAL, 0);
        if ((message->flags & ~I2C_M_RD) != 0 || message->addr != request->msgs[0].addr)
            return unlock(EOPNOTSUPP, 0);
        if (message->addr > 0x7f)
            return unlock(EINVAL, 0);
        operations[i] = (struct operation){
            .is_read = (message->flags & I2C_M_RD) != 0,
            .length = message->len,
            .data = message->buf,
        };
    }
    int error = transfer(file, request->msgs[0].addr, operations, request->nmsgs);
    if (error == nack_error && is_nack_short)
        return unlock(0, (ssize_t)request->nmsgs - 1);
    return unlock(error, (ssize_t)request->nmsgs);
}

int ioctl(int descriptor, unsigned long request, ...)
{
    void *argument = POINTER_ARGUMENT(request);
    unsigned long number = (unsigned long)(uintptr_t)argument;
    struct open_file *file = lock_file_of(descriptor);

    if (file == NULL)
        return NEXT(ioctl)(descriptor, request, argument);
    switch (request) {
    case I2C_SLAVE:
    case I2C_SLAVE_FORCE:
        if (number > 0x7f)
            return (int)unlock(EINVAL, 0);
        file->address = (unsigned)number;
        return (int)unlock(0, 0);
    case I2C_TENBIT:
        return (int)unlock(number == 0 ? 0 : EINVAL, 0);
    case I2C_PEC:
    case I2C_RETRIES:
    case I2C_TIMEOUT:
        /* Kept by the adapter, which has no use for them. */
        return (int)unlock(number > INT_MAX ? EINVAL : 0, 0);
    case I2C_FUNCS:
        if (argument == NULL)
            return (int)unlock(EFAULT, 0);
        *(unsigned long *)argument = I2C_FUNC_I2C;
        return (int)unlock(0, 0);
    case I2C_RDWR:
        return (int)combined(file, argument);
    case I2C_SMBUS:
        return (int)unlock(EOPNOTSUPP, 0);
    default:
        return (int)unlock(ENOTTY, 0);
    }
}
