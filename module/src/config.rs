//! The settings `folio.<name>`: the engine's limits, what is kept of slow queries and how long a build may take the server,
//! each within bounds, in force from the moment they are set.

use std::sync::atomic::{AtomicI64, Ordering};

use folio_engine::Limits;

use crate::commands::{shapes, slowlog};
use crate::{builds, info, state};

/// One setting.
pub(crate) struct Setting {
    /// Its name, without `folio.`.
    pub(crate) name: &'static str,
    /// The least value.
    pub(crate) min: i64,
    /// The greatest value.
    pub(crate) max: i64,
    place: Place,
}

/// Where a setting is kept.
enum Place {
    /// Among the engine's limits.
    Limit(fn(&mut Limits) -> &mut usize),
    /// By itself.
    Own(&'static AtomicI64),
}

/// All settings. `document-bytes-max` stays below the server's own limit of a string; depths stay such that a
/// stack of one entry a level is small.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "document-bytes-max",
        min: 64,
        max: 512 << 20,
        place: Place::Limit(|limits| &mut limits.document_bytes_max),
    },
    Setting {
        name: "depth-max",
        min: 1,
        max: 1024,
        place: Place::Limit(|limits| &mut limits.depth_max),
    },
    Setting {
        name: "update-bytes-max",
        min: 64,
        max: 1 << 40,
        place: Place::Limit(|limits| &mut limits.update_bytes_max),
    },
    Setting {
        name: "filter-bytes-max",
        min: 64,
        max: 16 << 20,
        place: Place::Limit(|limits| &mut limits.filter_bytes_max),
    },
    Setting {
        name: "filter-depth-max",
        min: 1,
        max: 1024,
        place: Place::Limit(|limits| &mut limits.filter_depth_max),
    },
    Setting {
        name: "regex-bytes-max",
        min: 1 << 10,
        max: 64 << 20,
        place: Place::Limit(|limits| &mut limits.regex_bytes_max),
    },
    Setting {
        name: "patterns-max",
        min: 1,
        max: 1 << 16,
        place: Place::Limit(|limits| &mut limits.patterns_max),
    },
    Setting {
        name: "path-steps-max",
        min: 1,
        max: 1024,
        place: Place::Limit(|limits| &mut limits.path_steps_max),
    },
    Setting {
        name: "jsonpath-nodes-max",
        min: 1,
        max: 1 << 32,
        place: Place::Limit(|limits| &mut limits.jsonpath_nodes_max),
    },
    Setting {
        name: "indexes-max",
        min: 1,
        max: 512,
        place: Place::Limit(|limits| &mut limits.indexes_max),
    },
    Setting {
        name: "fields-max",
        min: 1,
        max: 256,
        place: Place::Limit(|limits| &mut limits.fields_max),
    },
    Setting {
        name: "index-entries-max",
        min: 1,
        max: 10_000_000,
        place: Place::Limit(|limits| &mut limits.index_entries_max),
    },
    Setting {
        name: "scan-max",
        min: 0,
        max: 1 << 32,
        place: Place::Limit(|limits| &mut limits.scan_max),
    },
    Setting {
        name: "rows-max",
        min: 1,
        max: 1 << 32,
        place: Place::Limit(|limits| &mut limits.rows_max),
    },
    Setting {
        name: "groups-max",
        min: 1,
        max: 1 << 32,
        place: Place::Limit(|limits| &mut limits.groups_max),
    },
    Setting {
        name: "query-ms-max",
        min: 0,
        max: 86_400_000,
        place: Place::Limit(|limits| &mut limits.query_ms_max),
    },
    Setting {
        name: "query-bytes-max",
        min: 1 << 10,
        max: 1 << 40,
        place: Place::Limit(|limits| &mut limits.query_bytes_max),
    },
    Setting {
        name: "function-source-bytes-max",
        min: 64,
        max: 16 << 20,
        place: Place::Limit(|limits| &mut limits.function_source_bytes_max),
    },
    Setting {
        name: "function-steps-max",
        min: 100,
        max: 1 << 40,
        place: Place::Limit(|limits| &mut limits.function_steps_max),
    },
    Setting {
        name: "function-bytes-max",
        min: 1 << 10,
        max: 1 << 32,
        place: Place::Limit(|limits| &mut limits.function_bytes_max),
    },
    Setting {
        name: "slowlog-slower-than",
        min: -1,
        max: 86_400_000_000,
        place: Place::Own(&slowlog::SLOWER_THAN_US),
    },
    Setting {
        name: "build-slice-us",
        min: 0,
        max: 1_000_000,
        place: Place::Own(&builds::SLICE_US),
    },
    Setting { name: "latency-tracking", min: 0, max: 1, place: Place::Own(&info::IS_TIMED) },
    Setting {
        name: "info-collections-max",
        min: 0,
        max: 10_000,
        place: Place::Own(&info::LISTED_MAX),
    },
    Setting { name: "slowlog-max-len", min: 0, max: 100_000, place: Place::Own(&slowlog::MAX_LEN) },
];

/// The value of the setting at `position` of the table.
pub(crate) fn get(position: usize) -> i64 {
    match SETTINGS[position].place {
        Place::Limit(field) => i64::try_from(*field(&mut limits())).unwrap_or(i64::MAX),
        Place::Own(value) => value.load(Ordering::Relaxed),
    }
}

/// Sets it; the server has checked the bounds. False when it cannot be.
pub(crate) fn set(position: usize, value: i64) -> bool {
    match SETTINGS[position].place {
        Place::Limit(field) => {
            let Ok(value) = usize::try_from(value) else { return false };
            shapes::forget();
            state::with(|state| *field(&mut state.store.limits) = value).is_ok()
        }
        Place::Own(own) => {
            own.store(value, Ordering::Relaxed);
            true
        }
    }
}

/// The limits in force.
pub(crate) fn limits() -> Limits {
    state::with(|state| state.store.limits.clone()).unwrap_or_default()
}

/// Takes `name value ..` of `loadmodule`.
///
/// # Errors
/// A message that names the argument.
pub(crate) fn from_arguments(arguments: &[&[u8]]) -> Result<(), String> {
    for pair in arguments.chunks(2) {
        let name = String::from_utf8_lossy(pair[0]).to_ascii_lowercase();
        let name = name.strip_prefix("folio.").unwrap_or(&name);
        let position = SETTINGS
            .iter()
            .position(|setting| setting.name == name)
            .ok_or_else(|| format!("unknown setting '{name}'"))?;
        let setting = &SETTINGS[position];
        pair.get(1)
            .and_then(|value| str::from_utf8(value).ok()?.parse::<i64>().ok())
            .filter(|value| (setting.min..=setting.max).contains(value) && set(position, *value))
            .ok_or_else(|| {
                format!("'{name}' takes a number from {} to {}", setting.min, setting.max)
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_setting_whose_bounds_hold_its_default() {
        for setting in SETTINGS {
            let mut limits = Limits::default();
            let default = match setting.place {
                Place::Limit(field) => *field(&mut limits) as i64,
                Place::Own(value) => value.load(Ordering::Relaxed),
            };
            assert!((setting.min..=setting.max).contains(&default), "{}", setting.name);
            let Place::Limit(field) = setting.place else { continue };
            *field(&mut limits) += 1;
            assert_ne!(limits, Limits::default(), "{}", setting.name);
        }
    }
}
