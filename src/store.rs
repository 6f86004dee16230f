//! Where images are read from and written to, whichever kind of place it is.
//!
//! A [`Source`] is where the base image lies, a [`Target`] where the result goes: a registry or files. The pipeline knows
//! no difference between them.

mod source;
mod target;

pub use self::source::Source;
pub use self::target::{LayerSlot, Pushed, Target};
use crate::error::{Diagnose, Reason};
use crate::http::ClientError;
use crate::layout::LayoutError;
use crate::registry::RegistryError;

/// Reading or writing an image failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// In a registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// In files.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// With the settings for TLS or proxies.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl StoreError {
    fn inner(&self) -> &dyn Diagnose {
        match self {
            Self::Registry(error) => error,
            Self::Layout(error) => error,
            Self::Client(error) => error,
        }
    }
}

impl Diagnose for StoreError {
    fn reason(&self) -> Reason {
        self.inner().reason()
    }

    fn hint(&self) -> Option<String> {
        self.inner().hint()
    }

    fn is_transient(&self) -> bool {
        self.inner().is_transient()
    }
}
