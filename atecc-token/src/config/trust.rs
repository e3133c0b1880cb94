//! Whether the environment may be believed.

use std::{env, ffi::OsString, fs};

use nix::unistd::{getegid, geteuid, getgid, getuid};

/// The environment variable `name`, unless this process runs with more rights than its caller, who writes the
/// environment.
pub fn trusted_variable(name: &str) -> Option<OsString> {
    if has_more_rights_than_its_caller() { None } else { env::var_os(name) }
}

/// Whether the kernel started this program with rights that its caller does not have: another user or group, or
/// (AT_SECURE in the auxiliary vector, getauxval(3)) capabilities of the file.
pub(crate) fn has_more_rights_than_its_caller() -> bool {
    const AT_SECURE: usize = 23;
    if getuid() != geteuid() || getgid() != getegid() {
        return true;
    }
    match fs::read("/proc/self/auxv") {
        Ok(vector) => vector
            .chunks_exact(2 * size_of::<usize>())
            .filter_map(|pair| pair.split_first_chunk::<{ size_of::<usize>() }>())
            .any(|(kind, value)| {
                usize::from_ne_bytes(*kind) == AT_SECURE && value.iter().any(|&byte| byte != 0)
            }),
        // Such a program may not look into its own vector. Whoever cannot tell trusts nobody.
        Err(_) => true,
    }
}
