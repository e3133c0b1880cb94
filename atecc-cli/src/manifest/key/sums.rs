//! Sums of many points, many at once.
//!
//! To add two affine points takes an inversion, and a few multiplications less than any other form. An inversion
//! costs as much as a hundred multiplications, but any number of them can be had for one and three multiplications
//! each (Montgomery's trick). So all sums are done in parallel: of all lists, all pairs of neighbours at once, until
//! one point is left of each list.

use p256::{
    AffinePoint, FieldBytes, NistP256,
    elliptic_curve::{PrimeField, ff::BatchInverter, hazmat::FieldArithmetic, sec1::ToSec1Point},
};

type FieldElement = <NistP256 as FieldArithmetic>::FieldElement;

/// A point of the curve that is not the identity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    x: FieldElement,
    y: FieldElement,
}

impl Point {
    pub(super) fn new(point: &AffinePoint) -> Option<Self> {
        let encoded = point.to_sec1_point(false);
        let element = |bytes: Option<&FieldBytes>| FieldElement::from_repr(*bytes?).into_option();
        Some(Self { x: element(encoded.x())?, y: element(encoded.y())? })
    }

    pub(super) fn negated(&self) -> Self {
        Self { x: self.x, y: -self.y }
    }
}

/// Lists of points to be summed up.
#[derive(Debug, Default)]
pub(super) struct Sums {
    points: Vec<Point>,
    lists: Vec<List>,
}

/// Where a list is, and whether its sum can be had.
#[derive(Debug)]
struct List {
    start: usize,
    length: usize,
    /// Two points with one X met: they are equal, or their sum is the identity.
    is_special: bool,
}

impl Sums {
    /// One more list, of the points that `push` adds.
    pub(super) fn add(&mut self, push: impl FnOnce(&mut Vec<Point>)) {
        let start = self.points.len();
        push(&mut self.points);
        self.lists.push(List { start, length: self.points.len() - start, is_special: false });
    }

    /// X of the sum of each list; nothing if the list is empty, or if points met that cannot be added this way.
    pub(super) fn abscissas(mut self) -> Vec<Option<FieldBytes>> {
        let mut inverses = Vec::with_capacity(self.points.len() / 2);
        let mut scratch = vec![FieldElement::ZERO; self.points.len() / 2];
        while self.lists.iter().any(|list| list.length > 1) {
            inverses.clear();
            for list in &self.lists {
                let points = self.points.get(list.start..list.start + list.length).unwrap_or_default();
                inverses.extend(points.as_chunks().0.iter().map(|[one, other]| other.x - one.x));
            }
            // What is zero stays zero.
            let used = inverses.len();
            BatchInverter::invert_with_external_scratch(
                &mut inverses,
                scratch.get_mut(..used).unwrap_or_default(),
            );
            let mut inverses = inverses.iter();
            for list in &mut self.lists {
                let points = self.points.get_mut(list.start..list.start + list.length).unwrap_or_default();
                list.halve(points, &mut inverses);
            }
        }
        let abscissa = |list: &List| {
            let point = self.points.get(list.start).filter(|_| list.length == 1 && !list.is_special)?;
            Some(point.x.to_repr())
        };
        self.lists.iter().map(abscissa).collect()
    }
}

impl List {
    /// Puts the sums of pairs in their place, in front; each pair takes the inverse of the difference of its X.
    fn halve<'a>(&mut self, points: &mut [Point], inverses: &mut impl Iterator<Item = &'a FieldElement>) {
        let (pairs, last) = (points.len() / 2, points.len() % 2);
        for (pair, inverse) in (0..pairs).zip(inverses) {
            let (Some(one), Some(other)) = (points.get(2 * pair), points.get(2 * pair + 1)) else { return };
            self.is_special |= bool::from(inverse.is_zero());
            let slope = (other.y - one.y) * inverse;
            let x = slope.square() - one.x - other.x;
            let y = slope * (one.x - x) - one.y;
            if let Some(place) = points.get_mut(pair) {
                *place = Point { x, y };
            }
        }
        if last == 1 {
            points.swap(pairs, 2 * pairs);
        }
        self.length = pairs + last;
    }
}

/// X of a point, for tests.
#[cfg(test)]
pub(super) fn abscissa_of(point: &p256::ProjectivePoint) -> FieldBytes {
    Point::new(&point.to_affine()).unwrap().x.to_repr()
}

#[cfg(test)]
mod tests {
    use p256::ProjectivePoint;

    use super::*;

    fn multiples(factors: &[u64]) -> Vec<ProjectivePoint> {
        factors.iter().map(|factor| ProjectivePoint::GENERATOR * p256::Scalar::from(*factor)).collect()
    }

    #[test]
    fn lists_of_any_length_have_their_sums() {
        let lists: Vec<Vec<u64>> =
            (0..20).map(|length| (0..length).map(|n| 1 << (2 * n)).collect()).collect();
        let mut sums = Sums::default();
        for list in &lists {
            let points = multiples(list);
            sums.add(|all| all.extend(points.iter().map(|point| Point::new(&point.to_affine()).unwrap())));
        }
        for (list, x) in lists.iter().zip(sums.abscissas()) {
            let sum = multiples(list).into_iter().sum::<ProjectivePoint>();
            assert_eq!(x, (!list.is_empty()).then(|| abscissa_of(&sum)), "{list:?}");
        }
    }

    #[test]
    fn points_that_meet_spoil_their_own_list_only() {
        let mut sums = Sums::default();
        let point = |factor| Point::new(&multiples(&[factor])[0].to_affine()).unwrap();
        // 3 + 3; 3 - 3; 1 + 2 and then 3; a good one.
        for list in [vec![point(3); 2], vec![point(3), point(3).negated()]] {
            sums.add(|all| all.extend(list));
        }
        sums.add(|all| all.extend([point(1), point(2), point(3)]));
        sums.add(|all| all.extend([point(1), point(2), point(4)]));
        let x = abscissa_of(&multiples(&[7])[0]);
        assert_eq!(sums.abscissas(), [None, None, None, Some(x)]);
    }
}
