//! `azurite`: a local Azure Blob Storage.

use anyhow::Result;

use crate::run::become_program;
use crate::tools::azurite::{MEND, blob_service};

pub(crate) const DOES: &str = "run the blob service of Azurite, Microsoft's Azure Storage for tests";

/// Goes on as that program, in the folder it was called from.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    become_program(blob_service()?.args(arguments), MEND)
}
