//! What may never be in an answer: private keys and what slots hold that cannot be read.

use super::chip::Memory;

/// Half of a key: long enough not to occur by chance.
const PART: usize = 16;

/// The slot of which a part stands in `answer`, if there is one.
pub(crate) fn disclosed(memory: &Memory, answer: &[u8]) -> Option<u8> {
    if answer.len() < PART {
        return None;
    }
    (0..16).filter(|slot| memory.is_secret(*slot) || memory.is_private(*slot)).find(|slot| {
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

#[cfg(test)]
mod tests {
    use atecc_emulator::provision;

    use super::{super::bench::image, *};

    #[test]
    fn half_a_key_anywhere_in_an_answer_is_found() {
        let memory = Memory { bytes: image(&provision::tng_tls().unwrap()), factory_keys: Vec::new() };
        for slot in 0..=4 {
            for half in memory.slot(slot)[4..].chunks(16) {
                assert_eq!(disclosed(&memory, &[&[0xff; 7], half, &[0xff; 9]].concat()), Some(slot));
            }
        }
        assert_eq!(disclosed(&memory, memory.slot(10)), None);
    }
}
