# The command `autogrow`, with the CPU backend. From the root of the repository:
#
#     docker build --tag autogrow .
#     docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" autogrow train
#
# Other backends: --build-arg FEATURES=ndarray. Those of GPUs need drivers that this image does not have.

FROM rust:1.92-slim-bookworm AS build
# The dependencies compile a little C and C++.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG FEATURES=flex
RUN cargo build --release --locked --package autogrow-cli --bin autogrow --features "$FEATURES" \
    && cp target/release/autogrow /usr/local/bin/autogrow

FROM debian:bookworm-slim
# Downloads trust the system's certificates.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 autogrow
COPY --from=build /usr/local/bin/autogrow /usr/local/bin/autogrow
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/autogrow/
USER 1000
# Runs are kept here, and data sets looked for in data/.
ENV AUTOGROW_DATA=/work/data
WORKDIR /work
ENTRYPOINT ["autogrow"]
CMD ["--help"]
