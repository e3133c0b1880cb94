"""Checks, one by name, that /dev/i2c-1 under the preload library behaves as the kernel's: `check.py CHECK`.

The chip on it has the address 0x35. What each check expects is in Documentation/i2c/dev-interface.rst of Linux.
"""
import ctypes
import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
import time

NODE = "/dev/i2c-1"
CHIP = 0x35
I2C_RETRIES, I2C_TIMEOUT, I2C_SLAVE, I2C_TENBIT, I2C_FUNCS = 0x0701, 0x0702, 0x0703, 0x0704, 0x0705
I2C_SLAVE_FORCE, I2C_RDWR, I2C_SMBUS = 0x0706, 0x0707, 0x0720
I2C_M_RD, I2C_M_TEN = 0x0001, 0x0010
I2C_FUNC_I2C = 0x00000001
AFTER_WAKE = bytes([0x04, 0x11, 0x33, 0x43])


class Message(ctypes.Structure):
    """struct i2c_msg"""

    _fields_ = [
        ("addr", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
        ("len", ctypes.c_uint16),
        ("buf", ctypes.POINTER(ctypes.c_uint8)),
    ]


class Transfer(ctypes.Structure):
    """struct i2c_rdwr_ioctl_data"""

    _fields_ = [("msgs", ctypes.POINTER(Message)), ("nmsgs", ctypes.c_uint32)]


LIBC = ctypes.CDLL(None, use_errno=True)


def rdwr(bus, *messages):
    """I2C_RDWR with (address, flags, buffer) each; the result, or the negative error number."""
    array = (Message * len(messages))()
    for message, (address, flags, buffer) in zip(array, messages):
        message.addr, message.flags, message.len = address, flags, len(buffer)
        message.buf = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_uint8))
    transfer = Transfer(array, len(messages))
    result = LIBC.ioctl(bus, ctypes.c_ulong(I2C_RDWR), ctypes.byref(transfer))
    return result if result >= 0 else -ctypes.get_errno()


def buffer(content):
    return (ctypes.c_uint8 * len(content))(*content)


def expect_error(number, function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        assert error.errno == number, f"{error} and not {os.strerror(number)}"
    else:
        raise AssertionError(f"no {os.strerror(number)}")


def opened(address=CHIP):
    bus = os.open(NODE, os.O_RDWR)
    fcntl.ioctl(bus, I2C_SLAVE, address)
    return bus


def wake(bus):
    """From sleep, whatever the chip was doing. The address that is set stays."""
    rdwr(bus, (CHIP, 0, buffer([0x01])))
    rdwr(bus, (0x00, 0, buffer([0x00])))
    time.sleep(0.002)


def missing_acknowledgement():
    number = errno.EREMOTEIO if os.environ.get("ATECC_PRELOAD_NACK") == "EREMOTEIO" else errno.ENXIO
    bus = opened(0x36)
    expect_error(number, os.write, bus, b"\x00")
    expect_error(number, os.read, bus, 1)
    assert rdwr(bus, (0x36, I2C_M_RD, buffer([0]))) == -number
    # Before I2C_SLAVE the address is 0, at which nobody answers.
    fresh = os.open(NODE, os.O_RDWR)
    expect_error(number, os.write, fresh, b"\x00")


def lengths_and_counts():
    bus = opened()
    wake(bus)
    assert os.read(bus, 4) == AFTER_WAKE
    # Word address 0: the answer from its beginning.
    assert os.write(bus, b"\x00") == 1
    assert os.read(bus, 2) + os.read(bus, 2) == AFTER_WAKE
    answer = buffer(bytes(4))
    assert rdwr(bus, (CHIP, 0, buffer([0])), (CHIP, I2C_M_RD, answer)) == 2
    assert bytes(answer) == AFTER_WAKE
    assert os.write(bus, b"\x01") == 1


def arguments():
    bus = opened()
    expect_error(errno.EINVAL, fcntl.ioctl, bus, I2C_SLAVE, 0x80)
    fcntl.ioctl(bus, I2C_SLAVE_FORCE, CHIP)
    fcntl.ioctl(bus, I2C_TENBIT, 0)
    expect_error(errno.EINVAL, fcntl.ioctl, bus, I2C_TENBIT, 1)
    fcntl.ioctl(bus, I2C_TIMEOUT, 10)
    fcntl.ioctl(bus, I2C_RETRIES, 3)
    functions = ctypes.c_ulong(0)
    assert LIBC.ioctl(bus, ctypes.c_ulong(I2C_FUNCS), ctypes.byref(functions)) == 0
    assert functions.value == I2C_FUNC_I2C
    expect_error(errno.EOPNOTSUPP, fcntl.ioctl, bus, I2C_SMBUS, 0)
    expect_error(errno.ENOTTY, fcntl.ioctl, bus, 0x07FF, 0)
    byte = buffer([0])
    assert rdwr(bus) == -errno.EINVAL
    assert rdwr(bus, *[(CHIP, 0, byte)] * 43) == -errno.EINVAL
    assert rdwr(bus, *[(CHIP, 0, byte)] * 9) == -errno.EOPNOTSUPP
    assert rdwr(bus, (CHIP, 0, buffer(bytes(8193)))) == -errno.EINVAL
    assert rdwr(bus, (CHIP, 0, buffer(bytes(1025)))) == -errno.EOPNOTSUPP
    assert rdwr(bus, (CHIP, I2C_M_TEN, byte)) == -errno.EOPNOTSUPP
    assert rdwr(bus, (0x80, 0, byte)) == -errno.EINVAL
    read_only = os.open(NODE, os.O_RDONLY)
    expect_error(errno.EBADF, os.write, read_only, b"\x00")


def descriptors():
    bus = opened()
    wake(bus)
    # A copy is the same open file, the address included.
    for copy in [os.dup(bus), os.dup2(bus, 200), fcntl.fcntl(bus, fcntl.F_DUPFD_CLOEXEC, 100)]:
        os.write(copy, b"\x00")
        assert os.read(copy, 4) == AFTER_WAKE
    fcntl.ioctl(200, I2C_SLAVE, 0x36)
    expect_error(errno.ENXIO, os.read, bus, 1)
    fcntl.ioctl(200, I2C_SLAVE, CHIP)
    os.close(bus)
    expect_error(errno.EBADF, os.read, bus, 1)
    assert os.read(200, 1) == b"\xff"
    # A second open() has an address of its own.
    other = os.open(NODE, os.O_RDWR)
    expect_error(errno.ENXIO, os.read, other, 1)
    # A file that takes the place of the device is that file.
    os.dup2(os.open(os.devnull, os.O_RDWR), 200)
    assert os.read(200, 1) == b""
    os.closerange(3, 300)
    assert os.open(os.devnull, os.O_RDWR) == 3 and os.read(3, 1) == b""


def forks():
    bus = opened()
    wake(bus)
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            # Of its own connection: the answers of nine processes do not mix. Reads past the end give 0xff.
            good = all(os.read(bus, 40)[30:] == b"\xff" * 10 for _ in range(20))
            os._exit(0 if good else 1)
        children.append(child)
    for _ in range(20):
        assert len(os.read(bus, 7)) == 7
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    os.write(bus, b"\x00")
    assert os.read(bus, 4) == AFTER_WAKE


def threads():
    shared = opened()
    wake(shared)
    failures = []

    def read(length):
        try:
            for _ in range(50):
                assert len(os.read(shared, length)) == length
                own = opened()
                assert len(os.read(own, length)) == length
                os.close(own)
        except BaseException as error:
            failures.append(error)

    running = [threading.Thread(target=read, args=(length,)) for length in (1, 2, 3, 5)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert not failures, failures


def programs():
    bus = opened()
    wake(bus)
    # The child closes what it inherited, perhaps in the memory of its parent (vfork).
    assert subprocess.run(["true"], check=True, close_fds=True).returncode == 0
    assert os.read(bus, 4) == AFTER_WAKE


def names():
    link = os.path.join(os.environ["FOLDER"], "by-id")
    os.symlink(NODE, link)
    for name in (NODE, link):
        bus = os.open(name, os.O_RDWR)
        status = os.stat(name)
        assert os.path.samestat(os.fstat(bus), status)
        os.close(bus)
        assert stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(89, 1)
        assert os.access(name, os.R_OK | os.W_OK)
        assert os.path.realpath(name) == NODE
    assert not os.path.exists("/dev/i2c-2")
    expect_error(errno.ENOENT, os.open, "/dev/i2c-2", os.O_RDWR)
    expect_error(errno.ENOENT, os.open, "/dev/i2c-11", os.O_RDWR)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
