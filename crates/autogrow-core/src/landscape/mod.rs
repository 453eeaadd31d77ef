//! The loss around a network and the way that training took over it: the paper's Figures 2, 3 and 5.
//!
//! A network's parameters are a point of a [`Space`]; shallower networks have a place in that of a
//! deeper one. A [`Plane`] through a point is spanned by the two principal directions of a
//! trajectory ([`pca`]) or by two random ones (Li et al. 2018, *Visualizing the Loss Landscape of
//! Neural Nets*). [`TrainingLoss`] is what is high or low there.
//!
//! **Batch norm.** Running means and variances are no parameters but follow from them: away from the
//! network that gathered them they are wrong, and between two networks neither's are right. So they
//! are no dimensions of the space, and the loss is computed as in training, with the statistics of
//! the images themselves: it is a function of the parameters alone, and the one that training
//! descends. (Along a straight line, running variances would even become negative.)

mod loss;
pub mod pca;
mod plane;
mod space;

pub use loss::TrainingLoss;
pub use plane::{Plane, filter_normalised};
pub use space::Space;
