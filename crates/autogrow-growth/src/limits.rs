//! [`Limits`]: how deep a network may be.

use crate::Depth;
use std::fmt;

/// A limit that is not a depth, such as what a network may cost.
pub(crate) struct Limit(Box<dyn Fn(&Depth) -> bool + Send>);

impl Limit {
    pub(crate) fn new(fits: impl Fn(&Depth) -> bool + Send + 'static) -> Self {
        Self(Box::new(fits))
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limit")
    }
}

/// Which depths are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    pub(crate) max_depth: Option<&'a Depth>,
    pub(crate) limit: Option<&'a Limit>,
}

impl Limits<'_> {
    /// Whether a network may be of this depth.
    pub fn allow(&self, depth: &Depth) -> bool {
        self.max_depth.is_none_or(|max| max.covers(depth))
            && self.limit.is_none_or(|Limit(fits)| fits(depth))
    }

    /// Whether a sub-network, from 0, may get one more sub-module in a network of this depth.
    pub fn has_room(&self, depth: &Depth, sub_network: usize) -> bool {
        let mut next = depth.clone();
        next.stack(sub_network);
        self.allow(&next)
    }
}
