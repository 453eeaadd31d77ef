//! `subNetList`: the circular list of the sub-networks that still grow, with the pointer
//! `growingSub` to the next one.

/// Sub-networks in order, the last followed by the first. A member that leaves never returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubNetList {
    members: Vec<usize>,
    /// Position of `growingSub` in `members`.
    next: usize,
}

impl SubNetList {
    /// All of `members`, starting at the first.
    pub fn new(members: Vec<usize>) -> Self {
        Self { members, next: 0 }
    }

    /// The sub-networks still growing.
    pub fn members(&self) -> &[usize] {
        &self.members
    }

    /// Whether no sub-network grows any more.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// `growingSub`; none when the list is empty.
    pub fn growing(&self) -> Option<usize> {
        self.members.get(self.next).copied()
    }

    /// `growingSub`, its successor, the successor of that, and so on without end; nothing when the
    /// list is empty.
    pub fn turns(&self) -> impl Iterator<Item = usize> + '_ {
        self.members.iter().copied().cycle().skip(self.next)
    }

    /// Moves `growingSub` to its successor.
    pub fn advance(&mut self) {
        if !self.members.is_empty() {
            self.next = (self.next + 1) % self.members.len();
        }
    }

    /// Deletes a sub-network for good and says whether it was there. Where it was `growingSub`,
    /// its successor takes its place.
    pub fn delete(&mut self, sub_network: usize) -> bool {
        let Some(position) = self.members.iter().position(|&member| member == sub_network) else {
            return false;
        };
        self.members.remove(position);
        if position < self.next {
            self.next -= 1;
        }
        if self.next == self.members.len() {
            self.next = 0;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_successor_of_a_deleted_growing_sub_takes_its_place() {
        let mut list = SubNetList::new(vec![0, 1, 2]);
        list.advance();
        list.advance();
        assert!(list.delete(2));
        assert_eq!(list.growing(), Some(0));
        assert!(!list.delete(2));
        assert!(list.delete(1));
        list.advance();
        assert_eq!(list.growing(), Some(0));
        assert!(list.delete(0));
        assert_eq!((list.growing(), list.is_empty()), (None, true));
    }

    proptest! {
        /// Against the plainest model there is: a queue whose front is `growingSub`.
        #[test]
        fn behaves_as_a_rotating_queue(
            length in 1usize..7,
            moves in prop::collection::vec(prop::option::of(0usize..7), 0..40),
        ) {
            let mut list = SubNetList::new((0..length).collect());
            let mut queue: std::collections::VecDeque<usize> = (0..length).collect();
            for step in moves {
                match step {
                    None => {
                        list.advance();
                        if !queue.is_empty() { queue.rotate_left(1); }
                    }
                    Some(member) => {
                        list.delete(member);
                        queue.retain(|&other| other != member);
                    }
                }
                prop_assert_eq!(list.growing(), queue.front().copied());
            }
        }
    }
}
