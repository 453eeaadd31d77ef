//! What the found depth is worth beside one level less and one more: `certificate.json`.

use super::format::si;
use super::section as framed;
use crate::Words;
use autogrow_run::certificate::{Certificate, Contender, Rival, Verdict};
use maud::{Markup, html};

pub(super) fn section(certificate: &Certificate, words: &Words) -> Markup {
    let best = certificate.best();
    let body = html! {
        p {
            @if *best == certificate.found.depth {
                "Neither neighbour is better at this price: " strong { (best) } " stands."
            } @else {
                "At this price " strong { (best) } " is the better depth."
            }
        }
        div.scroll tabindex="0" role="region" aria-label="Certificate" {
            table.checks {
                thead { tr {
                    th scope="col" { "depth" }
                    th.n scope="col" { "MACs" }
                    th.n scope="col" { "test " (words.score()) }
                    th.n scope="col" { "depth brings" }
                    th.n scope="col" { "its price" }
                    th.n scope="col" { "p" }
                    th scope="col" { "better" }
                } }
                tbody {
                    @if let Some(rival) = &certificate.shallower { (row(&rival.contender, Some(rival))) }
                    (row(&certificate.found, None))
                    (row(&certificate.deeper.contender, Some(&certificate.deeper)))
                }
            }
        }
        p.caption {
            "The network as growth left it, one level shallower and one deeper, each trained to the end \
             on the same images in the same order; " (certificate.images) " test images. "
            em { "Depth brings" } " is what the deeper of the two networks is ahead by, with its standard \
            error; " em { "its price" } " is " (certificate.price) " points for each doubling of the \
            cost; " em { "p" } " is that of McNemar's exact test."
        }
    };
    framed("certificate", "Is the depth worth it?", &body)
}

fn row(contender: &Contender, rival: Option<&Rival>) -> Markup {
    let mean = contender.mean_percent();
    html! {
        tr {
            td { (contender.depth) @if rival.is_none() { " (found)" } }
            td.n { (si(contender.macs)) }
            td.n { (format!("{mean:.2} %")) }
            @match rival {
                None => { td.n {} td.n {} td.n {} td {} }
                Some(rival) => {
                    td.n { (format!("{:+.2} ± {:.2}", rival.gain, rival.error)) }
                    td.n { (format!("{:.2}", rival.asked)) }
                    td.n {
                        @for (index, p) in rival.p.iter().flatten().enumerate() {
                            @if index > 0 { " " } (format!("{p:.2}"))
                        }
                    }
                    td { (match rival.verdict {
                        Verdict::Deeper => "the deeper one",
                        Verdict::Shallower => "the shallower one",
                        Verdict::Undecided => "undecided",
                    }) }
                }
            }
        }
    }
}
