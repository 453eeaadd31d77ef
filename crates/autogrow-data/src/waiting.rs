//! Passes over many images, told to whoever waits for them: how far each is.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How far a pass over images is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// What is done to each: "decoding pictures".
    pub doing: &'static str,
    /// Images that are done.
    pub done: usize,
    /// Images of the pass; once they are all done, it is over.
    pub of: usize,
}

type Listener = Arc<dyn Fn(Passed) + Send + Sync>;

thread_local! {
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// Calls `work`; of the passes that it makes on this thread `listener` is told after each image, by
/// whichever thread has done it.
pub fn with_listener<T>(
    listener: impl Fn(Passed) + Send + Sync + 'static,
    work: impl FnOnce() -> T,
) -> T {
    let before = LISTENER.replace(Some(Arc::new(listener)));
    let result = work();
    LISTENER.set(before);
    result
}

/// A pass that is going on.
pub struct Waiting {
    doing: &'static str,
    of: usize,
    done: AtomicUsize,
    listener: Option<Listener>,
}

impl Waiting {
    /// A pass over `of` images begins, for whoever listens on this thread.
    pub fn for_pass(doing: &'static str, of: usize) -> Self {
        let listener = LISTENER.with_borrow(Clone::clone);
        Self { doing, of, done: AtomicUsize::new(0), listener }
    }

    /// So many more images are done.
    pub fn add(&self, images: usize) {
        if let Some(listener) = &self.listener {
            let done = self.done.fetch_add(images, Ordering::Relaxed) + images;
            // The end is told once, when all that was done is there.
            if done < self.of {
                listener(Passed { doing: self.doing, done, of: self.of });
            }
        }
    }
}

impl Drop for Waiting {
    /// However the pass ended, it is over.
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener(Passed { doing: self.doing, done: self.of, of: self.of });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::distinct;
    use autogrow_core::config::DataConfig;
    use std::sync::Mutex;

    #[test]
    fn opening_a_folder_of_pictures_tells_how_far_it_is() {
        let root = distinct(&[("a", 12), ("b", 8)]);
        let dir = root.path().into();
        let config = DataConfig { name: "folder".into(), dir, ..DataConfig::default() };
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = heard.clone();
        let hear = move |passed| ears.lock().unwrap().push(passed);
        with_listener(hear, || crate::testing::open(&config, 0)).unwrap();
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        let over: Vec<_> = heard.iter().filter(|passed| passed.done == passed.of).collect();
        assert!(over.iter().any(|passed| passed.doing.contains("colours")), "{heard:?}");
        let decoded: usize = over
            .iter()
            .filter(|passed| passed.doing == "decoding pictures")
            .map(|passed| passed.of)
            .sum();
        assert_eq!(decoded, 20, "{heard:?}");
        assert!(heard.iter().any(|passed| passed.done == 1), "{heard:?}");
        // Nobody listens any more.
        crate::testing::open(&config, 0).unwrap();
    }
}
