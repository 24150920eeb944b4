# Tollkey alone: no sandbox, no compiler, no root.

FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends \
        libssl-dev libyaml-dev libcurl4-openssl-dev libsqlite3-dev libhiredis-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# The Swift packages first: they change less often than the sources.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product tollkey \
    && strip --strip-all -o /tollkey "$(swift build -c release --product tollkey --show-bin-path)/tollkey"

FROM debian:bookworm-slim
# ca-certificates are what upstreams are trusted by; libstdc++6 is a part of the Swift runtime's needs.
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends \
        libssl3 libyaml-0-2 libcurl4 libsqlite3-0 libhiredis0.14 libstdc++6 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -m 700 -o 65532 -g 65532 /var/lib/tollkey
# All that it writes: tokens and rotated keys, encrypted. Mount a volume here to keep them.
ENV STATE_DIRECTORY=/var/lib/tollkey
COPY --from=build /tollkey /usr/local/bin/tollkey
USER 65532:65532
# Asks the admin listener, so proxy.yaml needs one: `admin: 127.0.0.1:9180`. Without it: docker run --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/local/bin/tollkey", "status", "--ready"]
# SIGTERM drains.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/tollkey"]
CMD ["run", "--config", "/etc/tollkey/proxy.yaml"]
