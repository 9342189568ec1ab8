//! Figures as families of metrics, which the library writes as text: names, help, labels, escapes and the rows of histograms.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram as Rows, LabelPair, Metric, MetricFamily, MetricType,
};

use crate::figures::Histogram;

/// Names of labels with their values.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

const SECONDS_OF_MICROSECOND: f64 = 1e-6;

/// The families of one answer, in the order in which they came.
#[derive(Default)]
pub struct Families(Vec<MetricFamily>);

impl Families {
    /// A gauge without labels.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.labelled_gauge(name, help, &[], value);
    }

    pub fn labelled_gauge(&mut self, name: &str, help: &str, labels: Labels<'_>, value: f64) {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        let mut metric = metric(labels);
        metric.set_gauge(gauge);
        self.add(name, help, MetricType::GAUGE, metric);
    }

    pub fn labelled_counter(&mut self, name: &str, help: &str, labels: Labels<'_>, value: f64) {
        let mut counter = Counter::default();
        counter.set_value(value);
        let mut metric = metric(labels);
        metric.set_counter(counter);
        self.add(name, help, MetricType::COUNTER, metric);
    }

    /// A histogram, and the microseconds of all its calls.
    pub fn histogram(
        &mut self,
        name: &str,
        help: &str,
        labels: Labels<'_>,
        (histogram, micros): (&Histogram, u64),
    ) {
        let bucket = |(end, calls): (u64, u64)| {
            let mut bucket = Bucket::default();
            // Divided, not multiplied: 0.000016 is the nearest number to its text.
            bucket.set_upper_bound(end as f64 / 1e6);
            bucket.set_cumulative_count(calls);
            bucket
        };
        let mut rows = Rows::default();
        rows.set_bucket(histogram.ends().map(bucket).collect());
        rows.set_sample_count(histogram.calls());
        rows.set_sample_sum(micros as f64 * SECONDS_OF_MICROSECOND);
        let mut metric = metric(labels);
        metric.set_histogram(rows);
        self.add(name, help, MetricType::HISTOGRAM, metric);
    }

    fn add(&mut self, name: &str, help: &str, kind: MetricType, metric: Metric) {
        if let Some(there) = self.0.iter_mut().find(|family| family.name() == name) {
            there.mut_metric().push(metric);
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(vec![metric]);
        self.0.push(family);
    }

    pub fn into_inner(self) -> Vec<MetricFamily> {
        self.0
    }
}

fn metric(labels: Labels<'_>) -> Metric {
    let pair = |(name, value): &(&'static str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Metric::from_label(labels.iter().map(pair).collect())
}
