//! What may never be in an answer: private keys and what slots hold that cannot be read.

use super::chip::Memory;

/// Half of a key: long enough not to occur by chance.
const PART: usize = 16;

/// The slot of which a part stands in `answer`, if there is one.
pub(crate) fn disclosed(memory: &Memory, answer: &[u8]) -> Option<u8> {
    if answer.len() < PART {
        return None;
    }
    (0..16).filter(|slot| memory.is_secret(*slot)).find(|slot| {
        // A private key lies behind four bytes of padding (section 4.5.1).
        let content = &memory.slot(*slot)[if memory.is_private(*slot) { 4 } else { 0 }..];
        content.chunks_exact(PART).filter(|part| !is_blank(part)).any(|part| contains(answer, part))
    })
}

/// Never written, or zeros: found everywhere.
fn is_blank(part: &[u8]) -> bool {
    part.iter().all(|byte| *byte == part[0])
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
