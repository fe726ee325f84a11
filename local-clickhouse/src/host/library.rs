//! This crate's one room with `unsafe` code: the call into the engine library.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};

/// `struct local_result_v2 * query_stable_v2(int argc, char ** argv)`.
type QueryStableV2 = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *const LocalResult;

/// `struct local_result_v2` of the library's header.
#[repr(C)]
struct LocalResult {
    buffer: *mut c_char,
    length: usize,
    vector: *mut c_void,
    elapsed: f64,
    rows_read: u64,
    bytes_read: u64,
    error_message: *const c_char,
}

/// Runs `clickhouse local` with these arguments inside this process, until it is done.
///
/// To be called at most once a process: the library cannot start a second engine. What fails while a query runs the
/// engine itself writes to standard error; the error returned is what failed before.
pub(super) fn run_clickhouse_local(library: &Path, arguments: &[CString]) -> Result<(), String> {
    // SAFETY: loading runs the library's initialisers. It is the engine that the user installed or named, whose
    // initialisers are those of an ordinary C++ program; nothing of it is shared with other libraries (RTLD_LOCAL).
    let library =
        unsafe { Library::open(Some(library), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| error.to_string())?;
    // Never unloaded: the engine leaves threads and signal handlers behind that point into it.
    let library = ManuallyDrop::new(library);
    // SAFETY: the type is that of the function in the library's header.
    let query: Symbol<QueryStableV2> =
        unsafe { library.get(c"query_stable_v2") }.map_err(|error| error.to_string())?;

    let mut argv: Vec<*mut c_char> = std::iter::once(c"clickhouse".to_owned())
        .chain(arguments.iter().cloned())
        .map(CString::into_raw)
        .collect();
    let count =
        c_int::try_from(argv.len()).expect("an argument list that the kernel passed is shorter than 2^31");
    argv.push(std::ptr::null_mut());
    // SAFETY: `argv` holds `count` NUL-terminated strings and a null pointer at its end, like that of `main`; the
    // strings are owned by the engine from here on (`into_raw`, never freed), which may keep or change them.
    let result = unsafe { query(count, argv.as_mut_ptr()) };
    // SAFETY: the result is null or points to a result that lives until it is handed back, which it never is.
    let message =
        unsafe { result.as_ref() }.map(|result| result.error_message).filter(|message| !message.is_null());
    let Some(message) = message else { return Ok(()) };
    // SAFETY: a message that is not null is a NUL-terminated string that lives as long as the result.
    Err(unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned())
}
