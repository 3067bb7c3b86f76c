# The service as it runs live. Build: docker build -t cps-api .
# Run:   docker run -p 8080:8080 -v cps-data:/data -e DATABASE_URL=postgres://... -e CPS_SIGNING_KEYS=/run/secrets/keys -e CPS_SEALING_KEYS=/run/secrets/sealing ... cps-api
# `cps-api migrate` brings the database up to date first; /readyz is 503 until then. README.md has every variable.

FROM rust:1.95-bookworm AS build
# The system's libpq speaks TLS, the bundled one does not.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpq-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --no-default-features --bin cps-api \
 && cp target/release/cps-api /usr/local/bin/cps-api

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libpq5 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin cps \
 && install -d -o cps -g cps -m 0750 /data
COPY --from=build /usr/local/bin/cps-api /usr/local/bin/cps-api

# Live mode refuses to start on a default of the sandbox, so keys, database, mail and addresses are given when the container starts: none is in
# the image.
ENV CPS_MODE=live \
    CPS_BIND=0.0.0.0:8080 \
    CPS_METRICS_BIND=0.0.0.0:9090
USER cps
WORKDIR /data
VOLUME /data
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["cps-api", "healthcheck"]
ENTRYPOINT ["cps-api"]
CMD ["serve"]
