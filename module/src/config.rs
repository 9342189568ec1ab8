//! The settings `folio.<name>`: the engine's limits, each within bounds, in force from the moment they are set.

use folio_engine::Limits;

use crate::state;

/// One setting.
pub(crate) struct Setting {
    /// Its name, without `folio.`.
    pub(crate) name: &'static str,
    /// The least value.
    pub(crate) min: i64,
    /// The greatest value.
    pub(crate) max: i64,
    field: fn(&mut Limits) -> &mut usize,
}

/// All settings. `document-bytes-max` stays below the server's own limit of a string; depths stay such that a
/// stack of one entry a level is small.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "document-bytes-max",
        min: 64,
        max: 512 << 20,
        field: |limits| &mut limits.document_bytes_max,
    },
    Setting { name: "depth-max", min: 1, max: 1024, field: |limits| &mut limits.depth_max },
    Setting {
        name: "filter-bytes-max",
        min: 64,
        max: 16 << 20,
        field: |limits| &mut limits.filter_bytes_max,
    },
    Setting {
        name: "filter-depth-max",
        min: 1,
        max: 1024,
        field: |limits| &mut limits.filter_depth_max,
    },
    Setting {
        name: "regex-bytes-max",
        min: 1 << 10,
        max: 64 << 20,
        field: |limits| &mut limits.regex_bytes_max,
    },
    Setting {
        name: "path-steps-max",
        min: 1,
        max: 1024,
        field: |limits| &mut limits.path_steps_max,
    },
    Setting { name: "fields-max", min: 1, max: 256, field: |limits| &mut limits.fields_max },
    Setting {
        name: "index-entries-max",
        min: 1,
        max: 10_000_000,
        field: |limits| &mut limits.index_entries_max,
    },
    Setting { name: "scan-max", min: 0, max: 1 << 32, field: |limits| &mut limits.scan_max },
    Setting { name: "rows-max", min: 1, max: 1 << 32, field: |limits| &mut limits.rows_max },
];

/// The value of the setting at `position` of the table.
pub(crate) fn get(position: usize) -> i64 {
    let mut limits = limits();
    i64::try_from(*(SETTINGS[position].field)(&mut limits)).unwrap_or(i64::MAX)
}

/// Sets it; the server has checked the bounds. False when it cannot be.
pub(crate) fn set(position: usize, value: i64) -> bool {
    let Ok(value) = usize::try_from(value) else { return false };
    state::with(|state| *(SETTINGS[position].field)(&mut state.store.limits) = value).is_ok()
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
            let default = *(setting.field)(&mut limits) as i64;
            assert!((setting.min..=setting.max).contains(&default), "{}", setting.name);
            *(setting.field)(&mut limits) += 1;
            assert_ne!(limits, Limits::default(), "{}", setting.name);
        }
    }
}
