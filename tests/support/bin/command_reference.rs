//! Prints docs/commands.md as the module's table gives it; `cargo xtask tidy` compares.

#![forbid(unsafe_code)]

fn main() {
    print!("{}", folio_module::commands::reference_markdown());
}
