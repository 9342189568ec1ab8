//! What can be taken away: an archive, a Debian package, an image.
//!
//! All three hold the same parts ([`parts`]): the module, the tool, a configuration, man pages, completions, licences. With
//! `--check` each of them is installed and used once where nothing else of the project is ([`check`]).

mod check;
mod configuration;
mod deb;
mod image;
mod parts;
mod tarball;

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{Result, docker, paths, setup};
use parts::Parts;

/// How `cargo xtask dist` is called.
#[derive(Args)]
pub struct Options {
    /// What to make, separated by commas; all of it without this
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Form>,
    /// Where to put it [default: dist in cargo's target folder]
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Write the image to a file too, for `docker load`
    #[arg(long)]
    save: bool,
    /// Install and use each of them once
    #[arg(long)]
    check: bool,
}

impl Options {
    /// What CI asks for: all of it, checked.
    pub fn checked() -> Self {
        Self { only: Vec::new(), output: None, save: false, check: true }
    }

    fn asks_for(&self, form: Form) -> bool {
        self.only.is_empty() || self.only.contains(&form)
    }
}

/// What the parts are put into.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Form {
    /// An archive for any Linux
    Tarball,
    /// A package for Debian and Ubuntu
    Deb,
    /// An image with a server, for Docker
    Image,
}

/// Makes what is asked for, and checks it if that is asked for too.
pub fn dist(options: &Options) -> Result {
    setup::setup()?;
    let has_docker = docker::answers();
    if !has_docker && options.only.contains(&Form::Image) {
        return Err("the image needs a Docker engine, and none answers".into());
    }
    let output = options.output.clone().unwrap_or_else(|| paths::target().join("dist"));
    fs::create_dir_all(&output)?;
    let output = fs::canonicalize(output)?;
    let parts = Parts::make()?;
    if options.asks_for(Form::Tarball) {
        let tarball = tarball::make(&parts, &output)?;
        if options.check {
            check::tarball(&tarball)?;
        }
    }
    if options.asks_for(Form::Deb) {
        let package = deb::make(&parts, &output)?;
        if options.check && has_docker {
            check::deb(&package)?;
        }
    }
    if options.asks_for(Form::Image) && has_docker {
        let image = image::make(&parts)?;
        if options.check {
            check::image(&image)?;
        }
        if options.save {
            image::save(&image, &parts, &output)?;
        }
    }
    if !has_docker {
        println!(
            "no Docker engine answers: no image is made, and the Debian package not installed"
        );
    }
    // What an earlier call has made is there too.
    let mut made = parts::files(&output)?;
    made.retain(|path| path.file_name().is_some_and(|name| name != parts::SUMS));
    parts::write_sums(&output, &made)
}
