# Meeshy Calls: one binary with the web client inside, and nothing else that can be started.
#
#   docker build --tag meeshy .                    (or podman, or buildah bud --format docker, which keeps the health check)
#   docker run -p 4000:4000 -p 10000-10100:10000-10100/udp -p 10000-10100:10000-10100 -v meeshy:/data meeshy
#
# The image holds no shell and no package manager; it needs no writable root, no capability and no root user.

ARG DEBIAN=bookworm
ARG RUST=1.95
ARG NODE=20

# ---- the web client ---------------------------------------------------------------------------------
FROM docker.io/library/node:${NODE}-${DEBIAN}-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

# ---- the binary -------------------------------------------------------------------------------------
FROM docker.io/library/rust:${RUST}-${DEBIAN} AS build
WORKDIR /src
COPY . .
COPY --from=web /src/web/dist web/dist
RUN cargo build --release --locked --package meeshy \
    && install -D --strip target/release/meeshy /out/meeshy \
    && install -D --mode=644 /etc/ssl/certs/ca-certificates.crt /out/ca-certificates.crt

# ---- the file system: the binary, the libraries it names, certificates, one user --------------------
FROM docker.io/library/debian:${DEBIAN}-slim AS root
COPY --from=build /out /out
COPY deploy/image/assemble.sh /
RUN sh /assemble.sh /out /root-fs

# ---- what is shipped --------------------------------------------------------------------------------
FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Meeshy Calls" \
      org.opencontainers.image.description="Self-hosted group video calls: gateway, media node and web client" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=root /root-fs /
ENV DATA_DIR=/data
# Numbers, not names: Kubernetes can then see that this is not root.
USER 1001:1001
WORKDIR /data
VOLUME /data
# Pages, API and sockets of the gateway; API of a media node; media, which is also spoken over TCP.
EXPOSE 4000 3001 10000-10100/udp 10000-10100/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/meeshy", "health"]
ENTRYPOINT ["/usr/bin/meeshy"]
CMD ["serve"]
