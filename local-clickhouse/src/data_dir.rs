//! A server's data folder: its files, its lock, and the state file that says where the server is.
//!
//! Two locks, both released by the kernel when their holder dies. `server.lock` is held by whoever may run an
//! engine here, from before its start to after its end. `server.json` is locked by the process that wrote it, for
//! as long as what it says is true: a state file that nobody has locked is a leftover, whatever process ids it names.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Doing, IoError, StartError};

/// Where the engine reports its ports, in the data folder (its working directory).
pub(crate) const READY_FILE: &str = "ready.tsv";

const LOCK_FILE: &str = "server.lock";
const STATE_FILE: &str = "server.json";

/// Where a running server is, and who runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The HTTP address, without a slash at its end.
    pub(crate) url: String,
    /// `address:port` of the native protocol.
    pub(crate) tcp: String,
    /// The engine's process.
    pub(crate) pid: u32,
    /// The process that holds the locks and the engine's standard input.
    pub(crate) owner: u32,
    /// Whether the owner exists for this server alone, and may be told to end.
    pub(crate) detached: bool,
}

/// A data folder, locked.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    _lock: File,
    /// The state file, locked, once there is one.
    state: Option<File>,
}

impl DataDir {
    /// Makes the folder if need be and locks it.
    pub(crate) fn acquire(root: &Path) -> Result<Self, StartError> {
        fs::create_dir_all(root).doing(|| format!("make the data folder {}", root.display()))?;
        let root = root.canonicalize().doing(|| format!("open the data folder {}", root.display()))?;
        let path = root.join(LOCK_FILE);
        let lock = open_lock(&path).doing(|| format!("open {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let state = running(&root).ok().flatten();
                let (pid, url) = state.map_or((None, None), |state| (Some(state.pid), Some(state.url)));
                return Err(StartError::AlreadyRunning { data_dir: root, pid, url });
            }
            Err(TryLockError::Error(source)) => {
                return Err(IoError { doing: format!("lock {}", path.display()), source }.into());
            }
        }
        Ok(Self { root, _lock: lock, state: None })
    }

    /// The folder, absolute.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The engine's own files.
    pub(crate) fn engine_dir(&self) -> PathBuf {
        self.root.join("clickhouse")
    }

    /// The engine's configuration.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.root.join("engine.xml")
    }

    /// Settings added to that configuration; the engine merges every `*.xml` in the folder.
    pub(crate) fn extra_config_file(&self) -> PathBuf {
        self.root.join("engine.d").join("extra.xml")
    }

    /// What the engine writes to its standard error.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.root.join("engine.log")
    }

    /// The engine's report of its ports.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.root.join(READY_FILE)
    }

    /// Says where the server is, until [`Self::withdraw`] or the end of this process.
    pub(crate) fn publish(&mut self, state: &State) -> io::Result<()> {
        // Locked before it has its name, so that nobody ever sees it unlocked while it is true.
        let temporary = self.root.join(format!("{STATE_FILE}.new"));
        let mut file = File::create(&temporary)?;
        file.try_lock()?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.write_all(b"\n")?;
        fs::rename(&temporary, self.root.join(STATE_FILE))?;
        self.state = Some(file);
        Ok(())
    }

    /// Takes the state file away, if there is one.
    pub(crate) fn withdraw(&mut self) {
        if self.state.take().is_some() {
            // If this fails the file stays, unlocked: a leftover that nobody believes.
            let _ = fs::remove_file(self.root.join(STATE_FILE));
        }
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// What runs on a data folder, as far as it has said; `None` if nothing has.
pub(crate) fn running(root: &Path) -> io::Result<Option<State>> {
    let file = match File::open(root.join(STATE_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(serde_json::from_reader(file)?)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether someone holds the folder: a server that runs, starts or ends.
pub(crate) fn is_held(root: &Path) -> io::Result<bool> {
    let path = root.join(LOCK_FILE);
    if !path.exists() {
        return Ok(false);
    }
    // Shared, so that two who ask do not see each other.
    match open_lock(&path)?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}
