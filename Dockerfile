# Redis or Valkey with Folio in it, the module and the tool:
#
#   docker build --tag folio .                       Redis 8.0
#   docker build --tag folio --target valkey .       Valkey 8.1
#   docker run --publish 127.0.0.1:6379:6379 --volume folio:/data folio
#
# REDIS and VALKEY name other images, whose C library has to be as new as the builder's (an Alpine has another one):
#
#   docker build --tag folio --build-arg REDIS=redis:7.0-bookworm .

ARG RUST=rust:1-bookworm
ARG REDIS=redis:8.0-bookworm
ARG VALKEY=valkey/valkey:8.1-bookworm

FROM ${RUST} AS built
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends libclang-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /folio
COPY . .
RUN cargo build --release --locked --package folio-module --package folio-cli

FROM ${VALKEY} AS valkey
COPY --from=built /folio/target/release/libfolio_module.so /usr/local/lib/folio.so
COPY --from=built /folio/target/release/folio /usr/local/bin/folio
CMD ["valkey-server", "--loadmodule", "/usr/local/lib/folio.so", "--appendonly", "yes"]

FROM ${REDIS} AS redis
COPY --from=built /folio/target/release/libfolio_module.so /usr/local/lib/folio.so
COPY --from=built /folio/target/release/folio /usr/local/bin/folio
CMD ["redis-server", "--loadmodule", "/usr/local/lib/folio.so", "--appendonly", "yes"]
