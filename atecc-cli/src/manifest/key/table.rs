//! Multiples of a point.

use p256::{
    AffinePoint, ProjectivePoint, Scalar,
    elliptic_curve::{BatchNormalize, Group, scalar::IsHigh},
};

use super::sums::Point;

/// Multiples of a point for each byte of a scalar: `rows[i][d - 1]` is d 256^i P, for d from 1 to 128. A byte
/// above that is one of the next and a negative multiple. A table has 256 KiB.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<Point>>,
}

impl Table {
    pub(super) fn new(point: ProjectivePoint) -> Self {
        let mut base = point;
        let row = |_| {
            let mut multiple = ProjectivePoint::IDENTITY;
            let multiples: Vec<ProjectivePoint> = (1..=128)
                .map(|_| {
                    multiple += base;
                    multiple
                })
                .collect();
            base = multiple.double();
            let affine: Vec<AffinePoint> =
                <ProjectivePoint as BatchNormalize<[ProjectivePoint]>>::batch_normalize(&multiples);
            // The order of the group is a prime above all these factors, so that none is the identity.
            affine.iter().filter_map(Point::new).collect()
        };
        Self { rows: (0..32).map(row).collect() }
    }

    /// Points whose sum is `scalar` times the point, up to one for each byte.
    pub(super) fn multiples(&self, scalar: &Scalar, points: &mut Vec<Point>) {
        // The smaller of the two has no carry out of its highest byte.
        let is_negative = bool::from(scalar.is_high());
        let scalar = if is_negative { -scalar } else { *scalar };
        let mut carry = 0;
        // The scalar comes with its highest byte first.
        for (byte, row) in scalar.to_bytes().iter().rev().zip(&self.rows) {
            let digit = usize::from(*byte) + carry;
            carry = usize::from(digit > 128);
            let (digit, is_negative) =
                if carry == 1 { (256 - digit, !is_negative) } else { (digit, is_negative) };
            if let Some(point) = digit.checked_sub(1).and_then(|index| row.get(index)) {
                points.push(if is_negative { point.negated() } else { *point });
            }
        }
    }
}
