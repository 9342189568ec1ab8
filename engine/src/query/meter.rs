//! What the work of a query is measured by: so many steps, and a look at the clock now and then.

use std::cell::{Cell, RefCell};

use crate::path::Values;
use crate::value::Raw;
use crate::{Code, Error, Result};

/// Steps between two looks at the clock. A step is a predicate asked, an element walked over, a key compared.
const STEPS_BETWEEN_LOOKS: u32 = 1024;

/// Counts steps. One that is over, in time or because a function failed, stays so: whoever works on gives up at the next step, and what it made is no answer.
pub struct Meter<'m> {
    left: Cell<u32>,
    is_over: Cell<bool>,
    /// Why, if a function failed.
    failure: RefCell<Option<Error>>,
    /// Milliseconds; 0 is no limit.
    most_ms: usize,
    /// Microseconds since the query began.
    elapsed_us: Option<&'m dyn Fn() -> u64>,
}

impl<'m> Meter<'m> {
    /// A meter that is over when more than `most_ms` milliseconds have passed; with 0, or where nobody tells the time, never.
    pub fn new(most_ms: usize, elapsed_us: Option<&'m dyn Fn() -> u64>) -> Self {
        let (left, is_over) = (Cell::new(STEPS_BETWEEN_LOOKS), Cell::new(false));
        Meter { left, is_over, failure: RefCell::new(None), most_ms, elapsed_us }
    }

    /// A meter that is never over.
    pub fn free() -> Meter<'static> {
        Meter::new(0, None)
    }

    /// So many more steps are taken; false when it is over.
    pub fn spend(&self, steps: u32) -> bool {
        match self.left.get().checked_sub(steps) {
            Some(left) => {
                self.left.set(left);
                true
            }
            None => self.refill(),
        }
    }

    #[cold]
    fn refill(&self) -> bool {
        self.look();
        let is_over = self.is_over.get();
        self.left.set(if is_over { 0 } else { STEPS_BETWEEN_LOOKS });
        !is_over
    }

    fn look(&self) {
        if self.most_ms > 0
            && let Some(elapsed_us) = self.elapsed_us
            && !self.is_over.get()
        {
            self.is_over.set(elapsed_us() > self.most_ms as u64 * 1000);
        }
    }

    /// So many more steps are taken. Errors: `TIMEOUT`, `FUNCTION`.
    pub fn step(&self, steps: usize) -> Result<()> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        if self.spend(steps) { Ok(()) } else { Err(self.timeout()) }
    }

    /// Looks at the clock. Errors: `TIMEOUT`, `FUNCTION`.
    pub fn check(&self) -> Result<()> {
        self.look();
        if self.is_over.get() { Err(self.timeout()) } else { Ok(()) }
    }

    /// A function that was asked has failed: nobody knows the answer.
    pub fn fail(&self, error: Error) {
        self.failure.borrow_mut().get_or_insert(error);
        self.is_over.set(true);
        self.left.set(0);
    }

    fn timeout(&self) -> Error {
        if let Some(error) = &*self.failure.borrow() {
            return error.clone();
        }
        let most_ms = self.most_ms;
        let what =
            format!("the query takes longer than {most_ms} ms (TIMEOUT, folio.query-ms-max)");
        Error::new(Code::Timeout, what)
    }

    /// The same values, until the meter is over. Each costs the elements that were walked over for it.
    pub fn values<'d, 'p>(&self, values: Values<'d, 'p>) -> Metered<'d, 'p, '_> {
        Metered { values, meter: self }
    }
}

/// What a path leads to, counted.
pub struct Metered<'d, 'p, 'm> {
    values: Values<'d, 'p>,
    meter: &'m Meter<'m>,
}

impl<'d> Iterator for Metered<'d, '_, '_> {
    type Item = Raw<'d>;

    fn next(&mut self) -> Option<Raw<'d>> {
        let value = self.values.next();
        if self.meter.spend(self.values.take_walked()) { value } else { None }
    }
}
