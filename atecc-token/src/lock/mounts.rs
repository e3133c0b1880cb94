//! Whose device node it is.
//!
//! A lock is on the inode, and a container that was given a device has a node of its own for it, made with
//! mknod: another inode, another lock, the same bus. The kernel's own nodes lie in a devtmpfs, of which there is
//! one, however often it is mounted. Pseudo-terminals have no copies: who shares one shares its devpts.

use std::fs;

/// Whether the file system with this device number (st_dev) is one that the kernel fills. Where the mounts cannot
/// be read, nobody can tell, and the node is taken as it is.
pub(super) fn is_of_the_host(device: u64) -> bool {
    fs::read_to_string("/proc/self/mountinfo").map_or(true, |mounts| is_of_the_kernel(&mounts, device))
}

/// Looks for the mount with this device number in `mounts`, as in proc_pid_mountinfo(5): the third field is
/// `major:minor`, and the first behind the lone hyphen the type.
fn is_of_the_kernel(mounts: &str, device: u64) -> bool {
    let number = format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device));
    mounts.lines().any(|mount| {
        let place = mount.split(' ').nth(2);
        let kind = mount.split_once(" - ").and_then(|(_, rest)| rest.split(' ').next());
        place == Some(&number) && matches!(kind, Some("devtmpfs" | "devpts"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        21 28 0:19 / /sys rw,relatime - sysfs sysfs rw\n\
        24 28 0:5 / /dev rw,nosuid,noexec - devtmpfs udev rw,size=4046632k\n\
        26 24 0:22 / /dev/pts rw,nosuid - devpts devpts rw,mode=620\n\
        29 28 0:25 / /run rw,nosuid shared:5 - tmpfs tmpfs rw\n\
        731 700 0:61 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755\n";

    fn device(major: u64, minor: u64) -> u64 {
        nix::sys::stat::makedev(major, minor)
    }

    #[test]
    fn the_kernels_nodes_and_a_containers() {
        assert!(is_of_the_kernel(MOUNTS, device(0, 5)) && is_of_the_kernel(MOUNTS, device(0, 22)));
        assert!(!is_of_the_kernel(MOUNTS, device(0, 61)), "the tmpfs that a container has on /dev");
        assert!(!is_of_the_kernel(MOUNTS, device(0, 99)), "a file system that is mounted nowhere here");
        assert!(!is_of_the_kernel("garbage\n\n - - -\n", device(0, 5)));
    }
}
