//! What the operating system says: processors, processor time, memory.
#![allow(
    unsafe_code,
    reason = "affinity and the allocator hook have no safe interface"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Bytes allocated and not yet freed by worker threads.
static WORKER_HEAP: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, watched on threads that ask for it: client and node share this process, so its resident
/// memory alone would say little about the node.
pub(crate) struct Watched;

// SAFETY: every call goes to the system's allocator unchanged; counting touches neither the memory nor the layout.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn count(bytes: i64) {
    if IS_WORKER.try_with(Cell::get).unwrap_or(false) {
        WORKER_HEAP.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Watches the allocations of the calling thread from now on.
pub(crate) fn watch_this_thread() {
    IS_WORKER.with(|flag| flag.set(true));
}

/// Bytes that watched threads hold.
pub(crate) fn worker_heap() -> i64 {
    WORKER_HEAP.load(Ordering::Relaxed)
}

/// Binds the calling thread, and those it will start, to one processor; `false` when the system refuses.
pub(crate) fn pin(processor: usize) -> bool {
    // SAFETY: a cpu_set_t is plain bits, for which zero is a value; the call reads a set of the size it is told.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0
    }
}

/// Processor time used so far by the thread of that name, by its own clock.
pub(crate) fn thread_time(name: &str) -> Duration {
    let thread = thread_id(name).unwrap_or_else(|| panic!("no thread is called {name}"));
    // How Linux names the CPU-time clock of a thread of this process (CLOCK_THREAD_CPUTIME_ID is that of the caller):
    // the thread's id inverted, and a tag that says "thread" and "time scheduled".
    let clock = !thread << 3 | 6;
    // SAFETY: a timespec is plain integers, and the call writes one.
    let (outcome, time) = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        let outcome = libc::clock_gettime(clock, &raw mut time);
        (outcome, time)
    };
    assert_eq!(outcome, 0, "the thread {name} has a clock");
    Duration::new(
        u64::try_from(time.tv_sec).expect("positive"),
        u32::try_from(time.tv_nsec).expect("positive"),
    )
}

fn thread_id(name: &str) -> Option<libc::pid_t> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("procfs");
    tasks.flatten().find_map(|task| {
        let comm = std::fs::read_to_string(task.path().join("comm")).ok()?;
        (comm.trim() == name).then(|| task.file_name().to_str()?.parse().ok())?
    })
}

/// Resident memory of the process, bytes.
pub(crate) fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("procfs");
    let pages = text
        .split_whitespace()
        .nth(1)
        .and_then(|field| field.parse::<u64>().ok());
    pages.expect("resident pages") * 4096
}

/// Kernel release and processor model.
pub(crate) fn describe() -> (String, String) {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("unknown");
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.trim_start_matches([' ', '\t', ':']);
    (kernel.trim().to_owned(), format!("{count} x {model}"))
}
