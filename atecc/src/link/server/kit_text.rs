//! Lines of Microchip's text protocol, on the same stream and through the same gate.

use super::Server;
use crate::{
    Responses, Status, Transport, Wanted,
    kit::{Line, Reply, parse, reply, status_reply},
    link::{AsFault, Asked, Fault, Gate, Origin, Stream},
    packet::{Packet, Response},
};

/// What the vendor's library takes for a chip that does not wake (its `ATCA_WAKE_FAILED`).
const WAKE_FAILED: &str = "D0()\n";
/// What it takes for a line or bus that failed (its `ATCA_COMM_FAIL`).
const FAILED: &str = "F0()\n";

impl Server<'_> {
    /// Answers the line in the receiver, if it is of that protocol.
    pub(super) fn line<S: Stream, T: Transport, G: Gate>(
        &mut self,
        stream: &mut S,
        transport: &mut T,
        gate: &mut G,
    ) -> Result<(), S::Error>
    where
        T::Error: AsFault,
    {
        let Some(line) = parse(self.receiver.payload()) else { return Ok(()) };
        self.broken = self.receiver.broken();
        if !self.is_text {
            self.is_text = true;
            if self.newest.is_some() {
                gate.handed_over();
            }
        }
        let reply = match line {
            Line::Wake => match transport.transact(&[], &mut Responses::new()) {
                Ok(()) => group(Status::AfterWake),
                Err(_) => text(WAKE_FAILED),
            },
            Line::Talk(packet) => {
                let now = stream.now();
                let packets = self.kit.transaction(packet, now);
                if packets.is_empty() {
                    group(Status::Success)
                } else {
                    self.talk(stream, transport, gate, &packets)?
                }
            }
            other => {
                if other == Line::Sleep {
                    self.kit.forget();
                }
                status_reply(&other)
            }
        };
        stream.write(reply.as_bytes())
    }

    fn talk<S: Stream, T: Transport, G: Gate>(
        &mut self,
        stream: &mut S,
        transport: &mut T,
        gate: &mut G,
        packets: &[Packet],
    ) -> Result<Reply, S::Error>
    where
        T::Error: AsFault,
    {
        let asked = Asked { packets, origin: Origin::Kit };
        let mut responses = Responses::new();
        let result = match self.admit(stream, gate, &asked, None)? {
            Ok(()) => {
                // Text has no word for progress. A host that is gone, or says something else, waits no longer.
                let mut host = self.waiting(stream, None);
                let result = transport.transact_attended(packets, Wanted::Last, &mut responses, &mut host);
                if let Some(error) = host.error {
                    return Err(error);
                }
                result.map_err(|error| error.as_fault())
            }
            Err(fault) => Err(fault),
        };
        gate.done(&asked, result.map(|_| responses.as_slice()));
        Ok(match (result, responses.last()) {
            (Ok(_), Some(response)) => reply(&response.to_group()),
            (Err(Fault::NoChip | Fault::Wake(_)), _) => text(WAKE_FAILED),
            // The text protocol has no word for it; the chip's own refusal is the nearest.
            (Err(Fault::Refused { .. } | Fault::NotTouched | Fault::Denied | Fault::Cancelled), _) => {
                group(Status::ExecutionError)
            }
            _ => text(FAILED),
        })
    }
}

/// A status as the chip gives it.
fn group(status: Status) -> Reply {
    Response::new(&[status.code()]).map_or_else(|_| text(FAILED), |response| reply(&response.to_group()))
}

fn text(line: &str) -> Reply {
    // Six bytes into room for hundreds.
    Reply::try_from(line).unwrap_or_default()
}
