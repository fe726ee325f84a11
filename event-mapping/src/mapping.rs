//! A mapping, checked and ready for lines.

use event_schema::DefinitionError;
use xxhash_rust::xxh3::xxh3_128;

use crate::compile::{Program, compile};
use crate::definition::Definition;
use crate::read::{FindFile, read};
use crate::{builtin, check};

/// A mapping, checked and ready for lines.
#[derive(Debug)]
pub struct Mapping {
    definition: Definition,
    program: Program,
    hash: u128,
}

/// Mappings that say the same are equal.
impl PartialEq for Mapping {
    fn eq(&self, other: &Mapping) -> bool {
        self.name() == other.name() && self.hash == other.hash
    }
}

impl Mapping {
    /// Checks and compiles a definition that was built in code.
    ///
    /// # Errors
    /// Everything that is wrong with it, with the places in [`Definition::to_toml`].
    pub fn new(definition: &Definition) -> Result<Mapping, Vec<DefinitionError>> {
        Mapping::from_toml(&definition.name, &definition.to_toml(), &mut |name| {
            Err(format!("a definition has no files, so no `{name}`"))
        })
    }

    /// Reads a mapping from TOML; `file` is what errors call it, and `find` gives the files that it extends.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the files.
    pub fn from_toml(
        file: &str,
        text: &str,
        find: &mut FindFile<'_>,
    ) -> Result<Mapping, Vec<DefinitionError>> {
        let (definition, mut faults) = read(file, text, find);
        if !faults.is_incomplete {
            check::check(&definition, &mut faults);
        }
        faults.into_result()?;
        let hash = xxh3_128(definition.to_toml().as_bytes());
        Ok(Mapping { program: compile(&definition), definition, hash })
    }

    /// The built-in mapping of a name.
    pub fn builtin(name: &str) -> Option<Mapping> {
        let text = builtin::text(name)?;
        let mapping = Mapping::from_toml(name, text, &mut |_| Err("built in".to_owned()));
        Some(mapping.unwrap_or_else(|faults| panic!("the built-in mappings are tested: {faults:?}")))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// What it says, with what it extends.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// A hash of what it says, with what it extends: 32 hexadecimal digits. Comments and layout do not matter.
    pub fn hash(&self) -> String {
        format!("{:032x}", self.hash)
    }

    /// Its name and its hash, as `raw.loads` has them.
    pub fn id(&self) -> String {
        format!("{} {}", self.name(), self.hash())
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }
}
