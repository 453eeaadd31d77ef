//! Published file formats, read without trusting them.
