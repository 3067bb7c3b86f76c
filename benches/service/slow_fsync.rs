//! A disk whose every fsync takes 2 ms, as a shared object that is loaded before the C library: what a disk in a data centre takes.

use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void wait_2_ms(void) {
    struct timespec pause = { 0, 2000000 };
    nanosleep(&pause, 0);
}
int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_2_ms();
    return real(fd);
}
int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_2_ms();
    return real(fd);
}
"#;

/// Builds it with the C compiler in `folder`.
pub fn build(folder: &Path) -> PathBuf {
    let (source, object) = (folder.join("slow_fsync.c"), folder.join("slow_fsync.so"));
    std::fs::write(&source, SOURCE).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .args([&object, &source])
        .arg("-ldl")
        .status()
        .expect("a C compiler");
    assert!(built.success());
    object
}
